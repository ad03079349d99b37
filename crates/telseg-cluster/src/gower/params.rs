//! What is asked of Gower's distance.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum GowerColumn {
    /// Quantities; differences are relative to the range at fit.
    Numeric,
    /// Ordered levels (1 star to 5 stars); differences are of their ranks at fit.
    Ordinal,
    /// Codes without order, two-valued flags among them: alike or not.
    Categorical,
    /// Flags (0 or 1) of which only 1 says something: two zeros are not compared.
    Asymmetric,
}

/// Parameters of [`Gower`](super::Gower); start from [`Gower::params`](super::Gower::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GowerParams {
    /// What each column holds.
    pub columns: Vec<GowerColumn>,
    /// What each column counts, at least 0. Default: all the same.
    pub weights: Option<Vec<f64>>,
}

impl GowerParams {
    pub(super) fn new(columns: &[GowerColumn]) -> Self {
        Self {
            columns: columns.to_vec(),
            weights: None,
        }
    }

    /// Sets what each column counts.
    pub fn with_weights(mut self, weights: &[f64]) -> Self {
        self.weights = Some(weights.to_vec());
        self
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        if self.columns.is_empty() {
            return Err(Error::param("columns", "expected at least 1, found none"));
        }
        let Some(weights) = &self.weights else {
            return Ok(());
        };
        if weights.len() != self.columns.len() {
            let (expected, found) = (self.columns.len(), weights.len());
            let problem = format!("expected {expected} (a number a column), found {found}");
            return Err(Error::param("weights", problem));
        }
        if let Some(w) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            let problem = format!("expected numbers of at least 0, found {w}");
            return Err(Error::param("weights", problem));
        }
        if !weights.iter().any(|&w| w > 0.0) {
            return Err(Error::param("weights", "at least one must be above 0"));
        }
        Ok(())
    }
}
