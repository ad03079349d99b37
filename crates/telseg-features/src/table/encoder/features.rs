//! The feature matrix and what its columns are.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// What a feature is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FeatureKind {
    /// A number of the source column, perhaps transformed.
    Numeric,
    /// 1 where the source column's cell is missing, else 0.
    MissingIndicator,
    /// 1 where the source column has this level, else 0.
    OneHot {
        /// The level; `(missing)` and `(other)` stand for missing cells and rare levels.
        level: String,
    },
    /// The position of the source column's level in this list; NaN for missing cells and levels not seen at fit.
    Ordinal {
        /// The levels in the order of their codes.
        levels: Vec<String>,
    },
}

impl FeatureKind {
    /// The levels of a feature that holds category codes.
    pub fn levels(&self) -> Option<&[String]> {
        match self {
            Self::Ordinal { levels } => Some(levels),
            _ => None,
        }
    }
}

/// A feature matrix: one row a customer, one column a feature.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Features {
    /// Rows by features.
    pub x: Array2<f32>,
    /// Name of each feature.
    pub names: Vec<String>,
    /// What each feature is.
    pub kinds: Vec<FeatureKind>,
    /// Name of the column that each feature comes from.
    pub source_column: Vec<String>,
    /// Columns of the table that were not needed.
    pub ignored_columns: Vec<String>,
}

impl Features {
    /// The levels of a feature that holds category codes; `None` for other features.
    pub fn levels(&self, feature: usize) -> Option<&[String]> {
        self.kinds.get(feature).and_then(FeatureKind::levels)
    }
}
