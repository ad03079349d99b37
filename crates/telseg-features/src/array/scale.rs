//! Shifting and scaling: by mean and deviation, or by median and quartiles.

use ndarray::{Array2, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Result, Scalar};

use super::columns::{
    ColumnMap, Sample, check_width, column_model, column_params, map_columns_into,
};
use super::quantile::{check_range, quantiles};

/// `(value - shift) / scale`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffineColumn {
    /// What is subtracted.
    pub shift: f64,
    /// What is divided by; never 0.
    pub scale: f64,
}

impl AffineColumn {
    /// Changes nothing.
    pub(crate) const IDENTITY: Self = Self {
        shift: 0.0,
        scale: 1.0,
    };
}

impl ColumnMap for AffineColumn {
    #[inline(always)]
    fn apply(&self, value: f64) -> f64 {
        (value - self.shift) / self.scale
    }
}

struct Back<'a>(&'a AffineColumn);

impl ColumnMap for Back<'_> {
    #[inline(always)]
    fn apply(&self, value: f64) -> f64 {
        value * self.0.scale + self.0.shift
    }
}

fn back<F: Scalar>(columns: &[AffineColumn], x: &ArrayRef2<F>) -> Result<Array2<F>> {
    check_width("x", x.ncols(), columns.len())?;
    let maps: Vec<Back<'_>> = columns.iter().map(Back).collect();
    let mut out = Array2::from_elem(x.dim(), F::zero());
    map_columns_into(&maps, x, &mut out)?;
    Ok(out)
}

/// What a [`StandardScaler`] is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StandardScalerParams {
    /// Whether the mean is subtracted.
    pub center: bool,
    /// Whether the result is divided by the standard deviation.
    pub scale: bool,
}

impl StandardScalerParams {
    /// Whether the mean is subtracted.
    pub fn with_center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Whether the result is divided by the standard deviation.
    pub fn with_scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// Checks the values alone: all are valid.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn fit_sample<F: Scalar>(&self, sample: &mut Sample<F>) -> AffineColumn {
        let n = sample.total();
        if sample.values.is_empty() {
            return AffineColumn::IDENTITY;
        }
        let mean = sample.sum(|v| v) / n;
        // The mean's own rounding error is taken out of the squares (Chan, Golub, LeVeque 1983, eq. 1.7).
        let (squares, rest) = (sample.sum(|v| (v - mean).powi(2)), sample.sum(|v| v - mean));
        let variance = ((squares - rest * rest / n) / n).max(0.0);
        // A deviation within the rounding of the mean is none.
        let noise = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
        AffineColumn {
            shift: if self.center { mean } else { 0.0 },
            scale: if self.scale && variance > noise {
                variance.sqrt()
            } else {
                1.0
            },
        }
    }
}

/// Shifts each column to mean 0 and scales it to (population) standard deviation 1: `(x - mean) / sd`.
///
/// A constant column is shifted only; a column without any value is left as it is. NaN stays NaN.
///
/// # References
/// T. Chan, G. Golub, R. LeVeque (1983), "Algorithms for computing the sample variance".
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::StandardScaler;
///
/// let x = array![[1.0f32, 5.0], [3.0, 5.0]];
/// let scaler = StandardScaler::params().fit(&x)?;
/// assert_eq!(scaler.transform(&x)?, array![[-1.0f32, 0.0], [1.0, 0.0]]);
/// assert_eq!(scaler.inverse_transform(&scaler.transform(&x)?)?, x);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandardScaler {
    columns: Vec<AffineColumn>,
}

impl StandardScaler {
    /// Mean 0 and standard deviation 1, unless said otherwise.
    pub fn params() -> StandardScalerParams {
        StandardScalerParams {
            center: true,
            scale: true,
        }
    }

    /// The rows that [`transform`](Self::transform) turns into these.
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn inverse_transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        back(&self.columns, x)
    }
}

column_params!(StandardScalerParams, StandardScaler);
column_model!(StandardScaler, AffineColumn);

/// What a [`RobustScaler`] is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RobustScalerParams {
    /// The lower quantile of the range.
    pub low: f64,
    /// The upper quantile of the range.
    pub high: f64,
}

impl RobustScalerParams {
    /// The lower quantile of the range.
    pub fn with_low(mut self, low: f64) -> Self {
        self.low = low;
        self
    }

    /// The upper quantile of the range.
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

    pub(crate) fn fit_sample<F: Scalar>(&self, sample: &mut Sample<F>) -> AffineColumn {
        if sample.values.is_empty() {
            return AffineColumn::IDENTITY;
        }
        let found = quantiles(sample, &[self.low, 0.5, self.high]);
        let range = found[2] - found[0];
        AffineColumn {
            shift: found[1],
            scale: if range > 10.0 * f64::EPSILON {
                range
            } else {
                1.0
            },
        }
    }
}

/// Shifts each column to median 0 and scales it by a range of quantiles: `(x - median) / (q_high - q_low)`.
///
/// A column whose range is 0 is shifted only; a column without any value is left as it is. NaN stays NaN.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::RobustScaler;
///
/// let x = array![[1.0f32], [2.0], [3.0], [4.0], [1000.0]];
/// let scaled = RobustScaler::params().fit(&x)?.transform(&x)?;
/// assert_eq!(scaled.column(0).to_vec(), [-1.0, -0.5, 0.0, 0.5, 498.5]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobustScaler {
    columns: Vec<AffineColumn>,
}

impl RobustScaler {
    /// The quartiles, unless said otherwise.
    pub fn params() -> RobustScalerParams {
        RobustScalerParams {
            low: 0.25,
            high: 0.75,
        }
    }

    /// The rows that [`transform`](Self::transform) turns into these.
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn inverse_transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        back(&self.columns, x)
    }
}

column_params!(RobustScalerParams, RobustScaler);
column_model!(RobustScaler, AffineColumn);
