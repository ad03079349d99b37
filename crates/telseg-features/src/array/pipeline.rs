//! The usual chain of steps for numeric columns, learnt in one reading and applied in one pass.

use ndarray::{Array2, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar};

use super::columns::{
    ColumnMap, Sample, check_out, check_width, column_params, map_columns_into, map_rows,
};
use super::impute::{ImputedColumn, ImputerParams};
use super::quantile::quantiles;
use super::quantile_transform::{QuantileColumn, QuantileOutput};
use super::scale::AffineColumn;
use super::winsor::{WinsorColumn, WinsorizerParams};
use super::{ImputeWith, QuantileTransformer, RobustScaler, StandardScaler};

/// Skewness above which `Log1p::Skewed` tries the logarithm.
const SKEWED: f64 = 1.0;

/// Whether columns are replaced by `ln(1 + x)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Log1p {
    /// Never.
    #[default]
    Never,
    /// Columns without negative values whose skewness (after clipping) is above 1 and becomes smaller by it.
    Skewed,
}

/// How columns are brought to a common scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ScaleWith {
    /// Not at all.
    None,
    /// As [`StandardScaler`]: mean 0, standard deviation 1.
    #[default]
    Standard,
    /// As [`RobustScaler`]: median 0, interquartile range 1.
    Robust,
    /// As [`QuantileTransformer`], evenly from 0 to 1.
    Uniform,
    /// As [`QuantileTransformer`], standard normal.
    Normal,
}

/// What a [`NumericPipeline`] is asked to do: the steps in the order of the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NumericPipelineParams {
    /// Fill missing values; `None` leaves NaN.
    pub impute: Option<ImputeWith>,
    /// Clip to these quantiles of the values present; `None` does not clip.
    pub winsor: Option<(f64, f64)>,
    /// Take the logarithm of skewed columns.
    pub log1p: Log1p,
    /// Bring the columns to a common scale.
    pub scale: ScaleWith,
}

impl NumericPipelineParams {
    /// What fills missing values; `None` leaves NaN.
    pub fn with_impute(mut self, impute: Option<ImputeWith>) -> Self {
        self.impute = impute;
        self
    }

    /// Quantiles to clip to; `None` does not clip.
    pub fn with_winsor(mut self, quantiles: Option<(f64, f64)>) -> Self {
        self.winsor = quantiles;
        self
    }

    /// Whether columns are replaced by `ln(1 + x)`.
    pub fn with_log1p(mut self, log1p: Log1p) -> Self {
        self.log1p = log1p;
        self
    }

    /// How columns are brought to a common scale.
    pub fn with_scale(mut self, scale: ScaleWith) -> Self {
        self.scale = scale;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// As the parameters of the single steps.
    pub fn validate(&self) -> Result<()> {
        if let Some(with) = self.impute {
            ImputerParams { with }
                .validate()
                .map_err(|e| Error::param("impute", e.to_string()))?;
        }
        if let Some((low, high)) = self.winsor {
            WinsorizerParams { low, high }
                .validate()
                .map_err(|e| Error::param("winsor", e.to_string()))?;
        }
        Ok(())
    }

    pub(crate) fn fit_sample<F: Scalar>(&self, sample: &mut Sample<F>) -> NumericColumn {
        let (impute, winsor) = self.bounds(sample);
        if let Some(fill) = impute {
            sample.fill(fill.fill);
        }
        if let Some(winsor) = winsor {
            sample.map(|v| winsor.apply(v));
        }
        let log1p = self.log1p == Log1p::Skewed && log_helps(sample);
        if log1p {
            sample.map(f64::ln_1p);
        }
        let quantile = |output, sample: &mut Sample<F>| {
            let params = QuantileTransformer::params().with_output(output);
            ScaledColumn::Quantile(params.fit_sample(sample))
        };
        let scale = match self.scale {
            ScaleWith::None => ScaledColumn::Affine(AffineColumn::IDENTITY),
            ScaleWith::Standard => {
                ScaledColumn::Affine(StandardScaler::params().fit_sample(sample))
            }
            ScaleWith::Robust => ScaledColumn::Affine(RobustScaler::params().fit_sample(sample)),
            ScaleWith::Uniform => quantile(QuantileOutput::Uniform, sample),
            ScaleWith::Normal => quantile(QuantileOutput::Normal, sample),
        };
        NumericColumn {
            impute,
            winsor,
            log1p,
            scale,
        }
    }

    /// The fill and the bounds; a median and the bounds come from one selection.
    fn bounds<F: Scalar>(
        &self,
        sample: &mut Sample<F>,
    ) -> (Option<ImputedColumn>, Option<WinsorColumn>) {
        match (self.impute, self.winsor) {
            (Some(ImputeWith::Median), Some((low, high))) if !sample.values.is_empty() => {
                let found = quantiles(sample, &[low, 0.5, high]);
                let winsor = WinsorColumn::between(&[found[0], found[2]]);
                (Some(ImputedColumn { fill: found[1] }), Some(winsor))
            }
            (impute, winsor) => (
                impute.map(|with| ImputerParams { with }.fit_sample(sample)),
                winsor.map(|(low, high)| WinsorizerParams { low, high }.fit_sample(sample)),
            ),
        }
    }
}

fn log_helps<F: Scalar>(sample: &Sample<F>) -> bool {
    if sample.values.iter().any(|v| *v < F::zero()) {
        return false;
    }
    let before = skewness(sample, |v| v);
    before > SKEWED && skewness(sample, f64::ln_1p).abs() < before
}

/// `m3 / m2^1.5` of a function of the present values; 0 when they do not vary.
fn skewness<F: Scalar>(sample: &Sample<F>, f: impl Fn(f64) -> f64) -> f64 {
    let n = sample.total();
    let mean = sample.sum(&f) / n;
    let m2 = sample.sum(|v| (f(v) - mean).powi(2)) / n;
    let m3 = sample.sum(|v| (f(v) - mean).powi(3)) / n;
    if m2 > 0.0 { m3 / m2.powf(1.5) } else { 0.0 }
}

/// The last step of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ScaledColumn {
    /// Shift and scale.
    Affine(AffineColumn),
    /// Through the column's distribution function.
    Quantile(QuantileColumn),
}

/// The steps of one column, with what each has learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumericColumn {
    /// What fills missing values.
    pub impute: Option<ImputedColumn>,
    /// What values are clipped to.
    pub winsor: Option<WinsorColumn>,
    /// Whether the logarithm is taken.
    pub log1p: bool,
    /// The last step.
    pub scale: ScaledColumn,
}

impl ColumnMap for NumericColumn {
    #[inline]
    fn apply(&self, value: f64) -> f64 {
        let value = self.impute.map_or(value, |s| s.apply(value));
        let value = self.winsor.map_or(value, |s| s.apply(value));
        let value = if self.log1p {
            // Below -1 there is no logarithm; new data may have what the fit never saw.
            value.max(0.0).ln_1p() + if value.is_nan() { value } else { 0.0 }
        } else {
            value
        };
        match &self.scale {
            ScaledColumn::Affine(s) => s.apply(value),
            ScaledColumn::Quantile(s) => s.apply(value),
        }
    }
}

impl NumericColumn {
    /// The new form of one value.
    pub fn transform_value(&self, value: f64) -> f64 {
        self.apply(value)
    }

    /// The value, in the column's own units, that a transformed one stands for.
    pub fn inverse_value(&self, value: f64) -> f64 {
        let value = match &self.scale {
            ScaledColumn::Affine(s) => value * s.scale + s.shift,
            ScaledColumn::Quantile(s) => s.invert(value),
        };
        if self.log1p { value.exp_m1() } else { value }
    }
}

/// Impute, clip, take logarithms, scale: the usual chain for numeric columns.
///
/// Each column is read once to learn all steps, and all steps are applied in one pass. The result is the same as that
/// of the single pieces one after the other: [`Imputer`](super::Imputer), [`Winsorizer`](super::Winsorizer) (whose
/// bounds are learnt of the values present), then a scaler.
///
/// # Cost
/// Learning: one gathering of the table by columns, a selection and two sums per column, in parallel over columns.
/// Transforming: one pass, in parallel over rows.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::NumericPipeline;
///
/// let x = array![[1.0f32], [3.0], [f32::NAN]];
/// let model = NumericPipeline::params().with_winsor(None).fit(&x)?;
/// // The missing value becomes the median 2; mean 2, variance 2/3.
/// let z = model.transform(&x)?;
/// assert!((z[[1, 0]] - 1.5f32.sqrt()).abs() < 1e-6);
/// assert_eq!(z[[2, 0]], 0.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumericPipeline {
    columns: Vec<NumericColumn>,
}

column_params!(NumericPipelineParams, NumericPipeline);

/// All columns side by side, when all of them are affine.
#[derive(Default)]
struct Lanes {
    fill: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    shift: Vec<f64>,
    scale: Vec<f64>,
}

impl NumericPipeline {
    /// Median, clipping at the 1st and 99th percentile, no logarithm, mean 0 and standard deviation 1.
    pub fn params() -> NumericPipelineParams {
        NumericPipelineParams {
            impute: Some(ImputeWith::Median),
            winsor: Some((0.01, 0.99)),
            log1p: Log1p::Never,
            scale: ScaleWith::Standard,
        }
    }

    /// What was learnt of each column.
    pub fn columns(&self) -> &[NumericColumn] {
        &self.columns
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// The new form of each row of `x`, in parallel over rows.
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        let mut out = Array2::from_elem(x.dim(), F::zero());
        self.transform_into(x, &mut out)?;
        Ok(out)
    }

    /// The new form of each row of `x`, written to `out` of the same shape.
    ///
    /// # Errors
    /// When `x` has another width than at fit or `out` another shape than `x`.
    pub fn transform_into<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        out: &mut ArrayRef2<F>,
    ) -> Result<()> {
        let Some(lanes) = self.lanes() else {
            return map_columns_into(&self.columns, x, out);
        };
        check_width("x", x.ncols(), self.columns.len())?;
        check_out(out, x.dim())?;
        map_rows(x, out, |from, to| lanes.row(from, to));
        Ok(())
    }

    /// Changes one row in place; the same bits as [`transform`](Self::transform), and allocates nothing.
    ///
    /// # Errors
    /// When the row has another width than at fit.
    pub fn transform_row<F: Scalar>(&self, row: &mut [F]) -> Result<()> {
        check_width("row", row.len(), self.columns.len())?;
        for (v, column) in row.iter_mut().zip(&self.columns) {
            *v = F::from_f64(column.apply(v.into_f64()));
        }
        Ok(())
    }

    /// The rows, in the columns' own units, that transformed ones stand for (a segment's centre, say).
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn inverse_transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        check_width("x", x.ncols(), self.columns.len())?;
        let mut out = x.to_owned();
        for (mut column, map) in out.columns_mut().into_iter().zip(&self.columns) {
            column.mapv_inplace(|v| F::from_f64(map.inverse_value(v.into_f64())));
        }
        Ok(out)
    }

    fn lanes(&self) -> Option<Lanes> {
        let mut lanes = Lanes::default();
        for column in &self.columns {
            let ScaledColumn::Affine(affine) = &column.scale else {
                return None;
            };
            if column.log1p {
                return None;
            }
            lanes.fill.push(column.impute.map_or(f64::NAN, |c| c.fill));
            lanes.low.push(column.winsor.map_or(-f64::MAX, |c| c.low));
            lanes.high.push(column.winsor.map_or(f64::MAX, |c| c.high));
            lanes.shift.push(affine.shift);
            lanes.scale.push(affine.scale);
        }
        Some(lanes)
    }
}

impl Lanes {
    /// The steps of [`NumericColumn::apply`] for all columns of a row.
    #[inline(always)]
    fn row<F: Scalar>(&self, from: &[F], to: &mut [F]) {
        let d = to.len();
        let (fill, low, high) = (&self.fill[..d], &self.low[..d], &self.high[..d]);
        let (shift, scale, from) = (&self.shift[..d], &self.scale[..d], &from[..d]);
        for j in 0..d {
            let v = from[j].into_f64();
            let v = if v.is_nan() { fill[j] } else { v };
            let v = if v < low[j] { low[j] } else { v };
            let v = if v > high[j] { high[j] } else { v };
            to[j] = F::from_f64((v - shift[j]) / scale[j]);
        }
    }
}

impl<F: Scalar> telseg_core::Transform<ArrayRef2<F>> for NumericPipeline {
    type Output = Array2<F>;

    fn transform(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        NumericPipeline::transform(self, x)
    }
}
