//! What is asked of DBSCAN.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`Dbscan`](super::Dbscan); start from [`Dbscan::params`](super::Dbscan::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DbscanParams {
    /// How far neighbours may be apart, in the unit of the columns; inclusive, above 0.
    pub eps: f64,
    /// Rows within `eps`, itself included, that make a row core; at least 1. With weights, what they must weigh. Default 5.
    pub min_points: usize,
}

impl DbscanParams {
    pub(super) fn new(eps: f64) -> Self {
        Self { eps, min_points: 5 }
    }

    /// Sets how many rows within `eps` make a row core.
    pub fn with_min_points(mut self, min_points: usize) -> Self {
        self.min_points = min_points;
        self
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            let problem = format!("expected a number above 0, found {}", self.eps);
            return Err(Error::param("eps", problem));
        }
        if self.min_points == 0 {
            return Err(Error::param("min_points", "expected at least 1, found 0"));
        }
        Ok(())
    }
}
