//! The distances of rows that a model knows by itself, so that it can be saved and label new rows.

use ndarray::ArrayRef2;
use serde::{Deserialize, Serialize};
use telseg_core::kernel::squared_distance;
use telseg_core::{Result, Scalar};

use super::distances::Distances;
use super::params::Metric;
use crate::gower::Gower;
use crate::rows::check_finite;

/// A metric with what it learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Learnt {
    Euclidean,
    Manhattan,
    Gower(Gower),
}

impl Learnt {
    pub(super) fn learn<F: Scalar>(metric: &Metric, x: &ArrayRef2<F>, rows: &[F]) -> Result<Self> {
        match metric {
            Metric::Gower(params) => return Ok(Self::Gower(params.fit(x)?)),
            Metric::Euclidean | Metric::Manhattan => check_finite(rows, x.ncols())?,
        }
        Ok(match metric {
            Metric::Manhattan => Self::Manhattan,
            _ => Self::Euclidean,
        })
    }

    /// Checks the cells of rows that come after the fit.
    pub(super) fn check<F: Scalar>(&self, x: &ArrayRef2<F>, rows: &[F]) -> Result<()> {
        match self {
            Self::Gower(gower) => gower.check_rows(x),
            Self::Euclidean | Self::Manhattan => check_finite(rows, x.ncols()),
        }
    }

    /// The distance of two rows; symmetric to the last bit.
    #[inline]
    pub(super) fn distance<F: Scalar>(&self, a: &[F], b: &[F]) -> f64 {
        match self {
            Self::Euclidean => squared_distance(a, b).into_f64().sqrt(),
            Self::Manhattan => {
                let pairs = a.iter().zip(b);
                pairs
                    .map(|(a, b)| (a.into_f64() - b.into_f64()).abs())
                    .sum()
            }
            Self::Gower(gower) => gower.between(|j| a[j].into_f64(), |j| b[j].into_f64()),
        }
    }
}

/// The rows at fit, with Gower's cells encoded once.
pub(super) struct Rows<'a, F> {
    rows: &'a [F],
    n_columns: usize,
    metric: &'a Learnt,
    coded: Vec<f64>,
}

impl<'a, F: Scalar> Rows<'a, F> {
    pub(super) fn new(rows: &'a [F], n_columns: usize, metric: &'a Learnt) -> Self {
        let coded = match metric {
            Learnt::Gower(gower) => gower.encode(rows),
            Learnt::Euclidean | Learnt::Manhattan => Vec::new(),
        };
        Self {
            rows,
            n_columns,
            metric,
            coded,
        }
    }
}

impl<F: Scalar> Distances for Rows<'_, F> {
    fn n_rows(&self) -> usize {
        self.rows.len() / self.n_columns
    }

    #[inline]
    fn between(&self, a: usize, b: usize) -> f64 {
        let d = self.n_columns;
        match self.metric {
            Learnt::Gower(gower) => {
                gower.coded(&self.coded[a * d..][..d], &self.coded[b * d..][..d])
            }
            metric => metric.distance(&self.rows[a * d..][..d], &self.rows[b * d..][..d]),
        }
    }
}
