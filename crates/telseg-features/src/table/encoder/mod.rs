//! From a table to a feature matrix.

mod features;
mod fit;
mod params;
mod saved;
mod transform;

use serde::{Deserialize, Serialize};

use crate::array::{NumericColumn, OneHotColumn, OrdinalColumn};
pub use features::{FeatureKind, Features};
pub use params::{CategoryEncoding, TableEncoderParams};

/// Code of a missing text.
const MISSING: i32 = -1;
/// Code of a text that was not seen at fit.
const UNSEEN: i32 = -2;

/// A fitted encoder: columns are found by name, so their order does not matter and further columns are ignored.
///
/// Learnt from the training rows alone and kept with the model.
///
/// # Examples
/// ```
/// use telseg_features::{Cell, CsvOptions, SchemaParams, Table, TableEncoderParams, TableSchema};
///
/// let read = |csv: &str| Table::from_csv_bytes("usage.csv", csv.as_bytes(), &CsvOptions::default());
/// let train = read("minutes,plan\n10,S\n30,M\n20,L\n,S\n")?;
/// let schema = TableSchema::infer(&train, &SchemaParams::default())?;
/// let encoder = TableEncoderParams::for_trees().fit(&train, &schema)?;
///
/// let features = encoder.transform(&read("plan,minutes,comment\nM,12.5,hi\nXL,,\n")?)?;
/// assert_eq!(features.names, ["minutes", "plan"]);
/// assert_eq!(features.x.row(0).to_vec(), [12.5, 1.0]); // plans: L, M, S
/// assert!(features.x.row(1).iter().all(|v| v.is_nan())); // missing; not seen at fit
/// assert_eq!(features.ignored_columns, ["comment"]);
///
/// let mut row = [0.0f32; 2];
/// encoder.transform_row(&[("plan", "S".into()), ("minutes", Cell::Missing)], &mut row)?;
/// assert!(row[0].is_nan() && row[1] == 2.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableEncoder {
    columns: Vec<EncodedColumn>,
    names: Vec<String>,
    kinds: Vec<FeatureKind>,
    /// For each feature, the encoded column it comes from.
    sources: Vec<u32>,
}

/// One source column and the features it becomes, from `start` on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct EncodedColumn {
    name: String,
    start: usize,
    encoding: Encoded,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Encoded {
    /// A number, and perhaps an indicator after it.
    Number { map: NumericColumn, indicator: bool },
    /// 0/1 columns for the levels, whose codes are their positions.
    OneHot {
        levels: Vec<String>,
        map: OneHotColumn,
        /// Two levels, none missing: one column for the second.
        single: bool,
    },
    /// One number for each level.
    Ordinal {
        levels: Vec<String>,
        map: OrdinalColumn,
    },
}

impl TableEncoder {
    /// Names of the features, in order.
    pub fn feature_names(&self) -> &[String] {
        &self.names
    }

    /// What each feature is.
    pub fn feature_kinds(&self) -> &[FeatureKind] {
        &self.kinds
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.names.len()
    }

    /// Names of the source columns, in order.
    pub fn column_names(&self) -> Vec<&str> {
        self.columns.iter().map(|c| c.name.as_str()).collect()
    }

    /// The source column of each feature.
    pub fn source_columns(&self) -> Vec<&str> {
        let name = |&s: &u32| self.columns[s as usize].name.as_str();
        self.sources.iter().map(name).collect()
    }

    /// The features that hold category codes, with their number of levels: what a tree learner wants to know.
    pub fn categorical_features(&self) -> Vec<(usize, usize)> {
        let kinds = self.kinds.iter().enumerate();
        kinds
            .filter_map(|(j, k)| k.levels().map(|l| (j, l.len())))
            .collect()
    }

    /// The value, in the source column's own units, that a numeric feature's value stands for; `None` for other
    /// features.
    pub fn inverse_value(&self, feature: usize, value: f64) -> Option<f64> {
        let column = &self.columns[*self.sources.get(feature)? as usize];
        match &column.encoding {
            Encoded::Number { map, .. } if column.start == feature => {
                Some(map.inverse_value(value))
            }
            _ => None,
        }
    }
}
