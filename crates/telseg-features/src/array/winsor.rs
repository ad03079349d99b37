//! Clipping outliers to quantiles.

use serde::{Deserialize, Serialize};
use telseg_core::{Result, Scalar};

use super::columns::{ColumnMap, Sample, column_model, column_params};
use super::quantile::{check_range, quantiles};

/// What a [`Winsorizer`] is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WinsorizerParams {
    /// The quantile that lower values are raised to.
    pub low: f64,
    /// The quantile that higher values are lowered to.
    pub high: f64,
}

impl WinsorizerParams {
    /// The quantile that lower values are raised to.
    pub fn with_low(mut self, low: f64) -> Self {
        self.low = low;
        self
    }

    /// The quantile that higher values are lowered to.
    pub fn with_high(mut self, high: f64) -> Self {
        self.high = high;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When not `0 <= low < high <= 1`.
    pub fn validate(&self) -> Result<()> {
        check_range(self.low, self.high)
    }

    pub(crate) fn fit_sample<F: Scalar>(&self, sample: &mut Sample<F>) -> WinsorColumn {
        WinsorColumn::between(&quantiles(sample, &[self.low, self.high]))
    }
}

/// The bounds of one column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WinsorColumn {
    /// Lower values are raised to this.
    pub low: f64,
    /// Higher values are lowered to this.
    pub high: f64,
}

impl WinsorColumn {
    /// Bounds from two quantiles; none when they coincide or there is no value.
    pub(crate) fn between(quantiles: &[f64]) -> Self {
        let (low, high) = (quantiles[0], quantiles[1]);
        if low < high {
            Self { low, high }
        } else {
            Self {
                low: -f64::MAX,
                high: f64::MAX,
            }
        }
    }
}

impl ColumnMap for WinsorColumn {
    #[inline(always)]
    fn apply(&self, value: f64) -> f64 {
        // NaN fails both comparisons and stays.
        let raised = if value < self.low { self.low } else { value };
        if raised > self.high {
            self.high
        } else {
            raised
        }
    }
}

/// Clips each column to two of its quantiles (by linear interpolation).
///
/// A column whose two quantiles coincide is left as it is: otherwise a flag that is rarer than the quantile would vanish.
///
/// # References
/// W. J. Dixon (1960), "Simplified estimation from censored normal samples".
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use telseg_features::Winsorizer;
///
/// let mb = Array2::from_shape_fn((101, 1), |(i, _)| i as f32);
/// let clipped = Winsorizer::params().with_high(0.9).fit(&mb)?.transform(&mb)?;
/// assert_eq!(clipped[[100, 0]], 90.0);
/// assert_eq!(clipped[[0, 0]], 1.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Winsorizer {
    columns: Vec<WinsorColumn>,
}

impl Winsorizer {
    /// The 1st and the 99th percentile, unless said otherwise.
    pub fn params() -> WinsorizerParams {
        WinsorizerParams {
            low: 0.01,
            high: 0.99,
        }
    }
}

column_params!(WinsorizerParams, Winsorizer);
column_model!(Winsorizer, WinsorColumn);
