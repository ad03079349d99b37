//! What the columns hold and what was wrong with them.

use serde::{Deserialize, Serialize};

use super::number::{list, or_nan};

/// The state of the data before anything was done with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataQuality {
    /// One entry a column of the table, in the table's order.
    pub columns: Vec<ColumnQuality>,
    /// Messages about cells that could not be read: file, row, column, what stood there.
    pub bad_cells: Vec<String>,
    /// Columns that took no part, and why.
    pub left_out: Vec<LeftOut>,
}

/// A column that took no part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// Its name.
    pub column: String,
    /// Why it was left out, as a phrase: "the same value in every row".
    pub reason: String,
}

/// One column of the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnQuality {
    /// Its name in the table.
    pub name: String,
    /// What it was used as.
    pub role: Role,
    /// Why it got that role, as a phrase; empty when there is nothing to say.
    pub reason: String,
    /// Share of cells without a value, 0 to 1.
    #[serde(deserialize_with = "or_nan")]
    pub missing_share: f64,
    /// Number of different values.
    pub distinct: u64,
    /// How its values are spread.
    pub summary: Summary,
    /// Cells that could not be read and count as missing.
    pub bad_cells: u64,
    /// Values that were pulled in to the nearest quantile that was kept.
    pub outliers_winsorised: u64,
}

/// What a column was used as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// It names the row.
    Id,
    /// A number that describes the subscriber.
    #[default]
    Numeric,
    /// One of several levels.
    Categorical,
    /// Yes or no.
    Binary,
    /// A point in time.
    Time,
    /// What the model predicts.
    Target,
    /// The money that a subscriber brings.
    Value,
    /// How many subscribers the row stands for.
    Weight,
    /// It took no part.
    LeftOut,
}

/// How the values of a column are spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Summary {
    /// Nothing is known, as of a column that only names rows.
    #[default]
    Unknown,
    /// Numbers.
    Numeric {
        /// Smallest value.
        #[serde(deserialize_with = "or_nan")]
        min: f64,
        /// A quarter of the values lie below.
        #[serde(deserialize_with = "or_nan")]
        q25: f64,
        /// Half of the values lie below.
        #[serde(deserialize_with = "or_nan")]
        median: f64,
        /// Three quarters of the values lie below.
        #[serde(deserialize_with = "or_nan")]
        q75: f64,
        /// Largest value.
        #[serde(deserialize_with = "or_nan")]
        max: f64,
        /// Mean.
        #[serde(deserialize_with = "or_nan")]
        mean: f64,
        /// Counts (or shares) in bins of equal width; 20 read well. They reach from `min` to `max`, or less far when
        /// that lies far outside of all but a few values, which the outer bins then hold.
        #[serde(deserialize_with = "list")]
        histogram: Vec<f64>,
    },
    /// Levels.
    Categorical {
        /// The most frequent levels first; shares of the rows that have a value.
        levels: Vec<LevelShare>,
    },
}

/// A level of a categorical column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LevelShare {
    /// Its name.
    pub level: String,
    /// Its share, 0 to 1.
    #[serde(deserialize_with = "or_nan")]
    pub share: f64,
}

impl LevelShare {
    /// A level and its share.
    pub fn new(level: impl Into<String>, share: f64) -> Self {
        Self {
            level: level.into(),
            share,
        }
    }
}
