//! Mapping each column to a uniform or normal distribution by its quantiles.

use ndarray::{Array2, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar};

use super::columns::{
    ColumnMap, Sample, check_width, column_model, column_params, map_columns_into,
};
use super::normal;
use super::quantile::quantiles;

/// Probabilities beyond this are cut before the normal quantile is taken, so that no value becomes infinite.
const EDGE: f64 = 1e-7 - f64::EPSILON;
/// Values as near to the smallest or largest one seen count as it, for the normal output (as scikit-learn does).
const NEAR: f64 = 1e-7;

/// What the transformed columns look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum QuantileOutput {
    /// Evenly from 0 to 1.
    #[default]
    Uniform,
    /// Standard normal, from about -5.2 to 5.2.
    Normal,
}

/// What a [`QuantileTransformer`] is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuantileTransformerParams {
    /// Number of quantiles that are kept of each column; fewer when there are fewer rows.
    pub n_quantiles: usize,
    /// What the transformed columns look like.
    pub output: QuantileOutput,
}

impl QuantileTransformerParams {
    /// Number of quantiles that are kept of each column.
    pub fn with_n_quantiles(mut self, n: usize) -> Self {
        self.n_quantiles = n;
        self
    }

    /// What the transformed columns look like.
    pub fn with_output(mut self, output: QuantileOutput) -> Self {
        self.output = output;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When there are fewer than 2 or more than 100 000 quantiles.
    pub fn validate(&self) -> Result<()> {
        if (2..=100_000).contains(&self.n_quantiles) {
            return Ok(());
        }
        let problem = format!("must be 2 to 100000, not {}", self.n_quantiles);
        Err(Error::param("n_quantiles", problem))
    }

    pub(crate) fn fit_sample<F: Scalar>(&self, sample: &mut Sample<F>) -> QuantileColumn {
        let rows = sample.values.len() + sample.n_missing;
        let n = self.n_quantiles.min(rows).max(2);
        let references: Vec<f64> = (0..n).map(|i| i as f64 / (n - 1) as f64).collect();
        let mut found = quantiles(sample, &references);
        if sample.values.is_empty() {
            found.clear();
        }
        for i in 1..found.len() {
            // Interpolation may lose the order of equal quantiles by a rounding.
            found[i] = found[i].max(found[i - 1]);
        }
        QuantileColumn {
            quantiles: found,
            output: self.output,
        }
    }
}

/// The quantiles of one column, at evenly spaced probabilities from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileColumn {
    /// Ascending; empty when the column had no value, which leaves it as it is.
    pub quantiles: Vec<f64>,
    /// What the transformed column looks like.
    pub output: QuantileOutput,
}

impl QuantileColumn {
    /// Probability of a value: linear between the quantiles, the middle of the step where several coincide.
    fn probability(&self, value: f64) -> f64 {
        let q = &self.quantiles;
        let last = q.len() - 1;
        let reference = |i: usize| i as f64 / last as f64;
        let (first, after) = (
            q.partition_point(|&e| e < value),
            q.partition_point(|&e| e <= value),
        );
        if first < after {
            return 0.5 * (reference(first) + reference(after - 1));
        }
        if first == 0 {
            return 0.0;
        }
        if first > last {
            return 1.0;
        }
        let (a, b) = (q[first - 1], q[first]);
        let (low, high) = (reference(first - 1), reference(first));
        (high - low) / (b - a) * (value - a) + low
    }

    /// The value of the transformed one.
    pub(crate) fn invert(&self, value: f64) -> f64 {
        if value.is_nan() || self.quantiles.is_empty() {
            return value;
        }
        let p = match self.output {
            QuantileOutput::Uniform => value,
            QuantileOutput::Normal => normal::cdf(value),
        };
        let last = self.quantiles.len() - 1;
        let at = p.clamp(0.0, 1.0) * last as f64;
        let below = (at.floor() as usize).min(last - 1);
        let (a, b) = (self.quantiles[below], self.quantiles[below + 1]);
        a + (b - a) * (at - below as f64)
    }
}

impl ColumnMap for QuantileColumn {
    fn apply(&self, value: f64) -> f64 {
        let (Some(&low), Some(&high)) = (self.quantiles.first(), self.quantiles.last()) else {
            return value;
        };
        if value.is_nan() {
            return value;
        }
        match self.output {
            QuantileOutput::Uniform if value <= low => 0.0,
            QuantileOutput::Uniform if value >= high => 1.0,
            QuantileOutput::Uniform => self.probability(value),
            QuantileOutput::Normal if value - NEAR < low => normal::quantile(EDGE),
            QuantileOutput::Normal if value + NEAR > high => normal::quantile(1.0 - EDGE),
            QuantileOutput::Normal => {
                normal::quantile(self.probability(value).clamp(EDGE, 1.0 - EDGE))
            }
        }
    }
}

/// Maps each column through its own distribution function, so that it becomes uniform or standard normal.
///
/// Outliers lose their pull altogether, and so do distances within a dense range: for skewed usage columns whose order
/// matters more than their amount. A constant column becomes 0 (uniform) or the lower edge (normal). NaN stays NaN.
///
/// # Cost
/// Learning: O(n log n) at most per column, in parallel over columns. Transforming: a binary search per value.
///
/// # References
/// As scikit-learn's `QuantileTransformer` with all rows used (`subsample=None`), which the tests compare with.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::QuantileTransformer;
///
/// let mb = array![[0.0f32], [1.0], [10.0], [100.0], [100000.0]];
/// let t = QuantileTransformer::params().fit(&mb)?;
/// assert_eq!(t.transform(&mb)?.column(0).to_vec(), [0.0, 0.25, 0.5, 0.75, 1.0]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileTransformer {
    columns: Vec<QuantileColumn>,
}

struct Back<'a>(&'a QuantileColumn);

impl ColumnMap for Back<'_> {
    fn apply(&self, value: f64) -> f64 {
        self.0.invert(value)
    }
}

impl QuantileTransformer {
    /// 1000 quantiles and uniform output, unless said otherwise.
    pub fn params() -> QuantileTransformerParams {
        QuantileTransformerParams {
            n_quantiles: 1000,
            output: QuantileOutput::Uniform,
        }
    }

    /// The rows that [`transform`](Self::transform) turns into these, within the range seen at fit.
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn inverse_transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        check_width("x", x.ncols(), self.columns.len())?;
        let maps: Vec<Back<'_>> = self.columns.iter().map(Back).collect();
        let mut out = Array2::from_elem(x.dim(), F::zero());
        map_columns_into(&maps, x, &mut out)?;
        Ok(out)
    }
}

column_params!(QuantileTransformerParams, QuantileTransformer);
column_model!(QuantileTransformer, QuantileColumn);
