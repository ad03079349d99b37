//! What is wrong with the data that a snapshot shows.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::check::{self, all};

/// A column that is missing more often for some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)]
pub struct MissingAtRandom {
    /// The column that loses values.
    pub column: String,
    /// The column (its clean value) that decides.
    pub by: String,
    /// Rows whose `by` is at most this have the rate `rate_below`, others `rate_above`.
    pub threshold: f64,
    /// Rate at or below the threshold.
    pub rate_below: f64,
    /// Rate above the threshold.
    pub rate_above: f64,
}

/// What is wrong with the data that a snapshot shows; the clean truth stays beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Noise {
    /// Each cell is missing with this probability (completely at random).
    pub missing: f64,
    /// Columns with a missing rate that depends on another column; adds to `missing`.
    pub missing_at_random: Vec<MissingAtRandom>,
    /// Each usage or money cell is multiplied by a factor with this probability.
    pub outliers: f64,
    /// The factor ~ exp(Uniform(ln low, ln high)).
    pub outlier_factor: [f64; 2],
    /// Age is 999 and tenure is -1 with this probability each.
    pub impossible: f64,
}

impl Default for Noise {
    fn default() -> Self {
        let mar = |column: &str, by: &str, threshold, rate_below, rate_above| MissingAtRandom {
            column: column.into(),
            by: by.into(),
            threshold,
            rate_below,
            rate_above,
        };
        Self {
            missing: 0.01,
            missing_at_random: vec![
                mar("income_band", "payment", 0.5, 0.20, 0.05),
                mar("age", "payment", 0.5, 0.08, 0.0),
                mar("app_sessions_mean", "app_sessions_mean", 2.0, 0.15, 0.01),
                mar("work_share", "data_gb_mean", 1.0, 0.20, 0.0),
            ],
            outliers: 0.001,
            outlier_factor: [10.0, 100.0],
            impossible: 0.001,
        }
    }
}

impl Noise {
    /// Nothing missing, nothing wrong.
    pub fn none() -> Self {
        Self {
            missing: 0.0,
            missing_at_random: Vec::new(),
            outliers: 0.0,
            outlier_factor: [10.0, 100.0],
            impossible: 0.0,
        }
    }
}

impl Noise {
    pub(super) fn validate(&self) -> Result<()> {
        all!(check::share, "noise", self, missing, outliers, impossible);
        for (i, rule) in self.missing_at_random.iter().enumerate() {
            let field = |name: &str| format!("noise.missing_at_random[{i}].{name}");
            for (name, column) in [("column", &rule.column), ("by", &rule.by)] {
                if crate::snapshot::column_index(column).is_none() {
                    return Err(Error::param(
                        field(name),
                        format!("no snapshot column is called {column:?}"),
                    ));
                }
            }
            check::finite(&field("threshold"), rule.threshold)?;
            check::share(&field("rate_below"), rule.rate_below)?;
            check::share(&field("rate_above"), rule.rate_above)?;
        }
        let [low, high] = self.outlier_factor;
        if !(0.0 < low && low <= high && high < f64::MAX) {
            let found = format!("expected 0 < low <= high, found [{low}, {high}]");
            return Err(Error::param("noise.outlier_factor", found));
        }
        Ok(())
    }
}
