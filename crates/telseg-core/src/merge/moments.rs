//! Mean, variance and extremes of each column.

use ndarray::{Array1, ArrayRef2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Merge, blocks};
use crate::{Error, Result, Scalar};

/// Rows summarised in one go: two passes over what is still in cache.
const BLOCK: usize = 256;

/// Weight, mean, variance, extremes and missing values of each column.
///
/// Parts `a` and `b` of weights `A`, `B` and means `μ_a`, `μ_b` merge as `δ = μ_b − μ_a`,
/// `μ = μ_a + δ B / (A + B)`, `M₂ = M₂a + M₂b + δ² A B / (A + B)`: no difference of large sums is ever taken, so a
/// column of large values that hardly vary keeps its variance. Within a block of rows the mean comes first and the
/// deviations from it second, all columns side by side.
///
/// Missing values (NaN) are counted and left out, column by column; rows of weight 0 do not count at all.
///
/// # Cost
/// O(n d) over `n` rows of `d` columns, chunks of rows in parallel; memory O(d).
///
/// # References
/// T. F. Chan, G. H. Golub, R. J. LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample
/// variances", eq. 2.1; D. H. D. West (1979), "Updating mean and variance estimates" (weights).
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_core::merge::Moments;
/// let usage = array![[10.0f32, 0.5], [30.0, f32::NAN]]; // minutes, MB per day
/// let moments = Moments::of(&usage, Some(&[3.0, 1.0]))?;
/// assert_eq!(moments.mean(), array![15.0, 0.5]);
/// assert_eq!(moments.variance(), array![75.0, 0.0]); // (3·5² + 15²) / 4
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    n: Vec<u64>,
    n_missing: Vec<u64>,
    weight: Vec<f64>,
    /// Mean, sum of squared deviations, and extremes: 0 where there is no value yet.
    mean: Vec<f64>,
    m2: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
}

impl Moments {
    /// No rows of so many columns.
    pub fn new(n_columns: usize) -> Self {
        let zeros = vec![0.0; n_columns];
        Self {
            n: vec![0; n_columns],
            n_missing: vec![0; n_columns],
            weight: zeros.clone(),
            mean: zeros.clone(),
            m2: zeros.clone(),
            min: zeros.clone(),
            max: zeros,
        }
    }

    /// Summarises the rows of `x`, in parallel.
    ///
    /// # Errors
    /// When weights are not one a row, negative or not finite, or a value is infinite.
    pub fn of<F: Scalar>(x: &ArrayRef2<F>, weights: Option<&[f64]>) -> Result<Self> {
        let empty = Self::new(x.ncols());
        blocks::summarise(x, weights, BLOCK, empty, Self::of_block)
    }

    /// Takes in further rows.
    ///
    /// # Errors
    /// As [`of`](Self::of), and when the number of columns differs; nothing has changed then.
    pub fn update<F: Scalar>(&mut self, x: &ArrayRef2<F>, weights: Option<&[f64]>) -> Result<()> {
        blocks::same_columns("x", self.n_columns(), x.ncols())?;
        self.merge(&Self::of(x, weights)?)
    }

    fn of_block<F: Scalar>(
        first_row: usize,
        x: ArrayView2<'_, F>,
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        let mut block = Self::new(x.ncols());
        block.min.fill(f64::INFINITY);
        block.max.fill(f64::NEG_INFINITY);
        let mut values = vec![0.0; x.ncols()];
        // First pass: weights and sums.
        each_row(x, weights, &mut values, |values, w| {
            for (j, &v) in values.iter().enumerate() {
                let present = !v.is_nan();
                block.n[j] += u64::from(present);
                block.n_missing[j] += u64::from(!present);
                block.weight[j] += if present { w } else { 0.0 };
                block.mean[j] += if present { w * v } else { 0.0 };
                block.min[j] = block.min[j].min(v);
                block.max[j] = block.max[j].max(v);
            }
        });
        for j in 0..x.ncols() {
            if block.n[j] == 0 {
                (block.min[j], block.max[j]) = (0.0, 0.0);
            } else if block.min[j] == block.max[j] {
                // A constant column has its mean and no variance, to the last bit.
                block.mean[j] = block.min[j];
            } else {
                block.mean[j] /= block.weight[j];
            }
        }
        // Second pass: deviations from the block's mean.
        each_row(x, weights, &mut values, |values, w| {
            for ((m2, &mean), &v) in block.m2.iter_mut().zip(&block.mean).zip(values) {
                let d = if v.is_nan() { 0.0 } else { v - mean };
                *m2 += w * d * d;
            }
        });
        if block.m2.iter().all(|m2| m2.is_finite()) {
            Ok(block)
        } else {
            Err(blocks::not_finite(first_row, x))
        }
    }

    /// How many columns.
    pub fn n_columns(&self) -> usize {
        self.weight.len()
    }

    /// How many values each column has.
    pub fn n(&self) -> &[u64] {
        &self.n
    }

    /// How many values each column misses.
    pub fn n_missing(&self) -> &[u64] {
        &self.n_missing
    }

    /// The weight of each column's values.
    pub fn weight(&self) -> &[f64] {
        &self.weight
    }

    /// The mean of each column; NaN where it has no value.
    pub fn mean(&self) -> Array1<f64> {
        self.where_any(|j| self.mean[j])
    }

    /// The variance of each column over its weight, `M₂ / W`; NaN where it has no value.
    pub fn variance(&self) -> Array1<f64> {
        self.where_any(|j| self.m2[j] / self.weight[j])
    }

    /// The unbiased variance of each column, `M₂ / (W − 1)`, for weights that count rows; NaN where `W ≤ 1`.
    pub fn sample_variance(&self) -> Array1<f64> {
        self.where_any(|j| match self.weight[j] - 1.0 {
            over if over > 0.0 => self.m2[j] / over,
            _ => f64::NAN,
        })
    }

    /// The least value of each column; NaN where it has none.
    pub fn min(&self) -> Array1<f64> {
        self.where_any(|j| self.min[j])
    }

    /// The greatest value of each column; NaN where it has none.
    pub fn max(&self) -> Array1<f64> {
        self.where_any(|j| self.max[j])
    }

    fn where_any(&self, f: impl Fn(usize) -> f64) -> Array1<f64> {
        let of_column = |j| if self.n[j] > 0 { f(j) } else { f64::NAN };
        (0..self.n_columns()).map(of_column).collect()
    }

    /// Checks what was loaded.
    ///
    /// # Errors
    /// When lengths differ, a number is not finite, or a column's figures contradict each other.
    pub fn validate(&self) -> Result<()> {
        let d = self.n_columns();
        let floats = [&self.mean, &self.m2, &self.min, &self.max];
        let lengths = [self.n.len(), self.n_missing.len()];
        if floats
            .iter()
            .map(|v| v.len())
            .chain(lengths)
            .any(|len| len != d)
        {
            return Err(Error::artefact("moments", "columns differ in number"));
        }
        let sound = |j: usize| {
            floats.iter().all(|v| v[j].is_finite())
                && self.weight[j].is_finite()
                && self.weight[j] >= 0.0
                && (self.n[j] == 0) == (self.weight[j] == 0.0)
                && self.m2[j] >= 0.0
                && self.min[j] <= self.max[j]
        };
        match (0..d).find(|&j| !sound(j)) {
            None => Ok(()),
            Some(j) => Err(Error::artefact(
                "moments",
                format!("column {j} contradicts itself"),
            )),
        }
    }
}

/// Calls `f` with each row that has weight, as `f64`.
fn each_row<F: Scalar>(
    x: ArrayView2<'_, F>,
    weights: Option<&[f64]>,
    values: &mut [f64],
    mut f: impl FnMut(&[f64], f64),
) {
    for (i, row) in x.rows().into_iter().enumerate() {
        let w = weights.map_or(1.0, |w| w[i]);
        if w > 0.0 {
            match row.as_slice() {
                Some(row) => values
                    .iter_mut()
                    .zip(row)
                    .for_each(|(v, x)| *v = x.into_f64()),
                None => values
                    .iter_mut()
                    .zip(row)
                    .for_each(|(v, x)| *v = x.into_f64()),
            }
            f(values, w);
        }
    }
}

impl Merge for Moments {
    fn merge(&mut self, other: &Self) -> Result<()> {
        blocks::same_columns("moments to merge", self.n_columns(), other.n_columns())?;
        for j in 0..self.n_columns() {
            self.n_missing[j] += other.n_missing[j];
            if other.n[j] == 0 {
                continue;
            }
            if self.n[j] == 0 {
                (self.min[j], self.max[j]) = (other.min[j], other.max[j]);
            }
            let (a, b) = (self.weight[j], other.weight[j]);
            let delta = other.mean[j] - self.mean[j];
            let part = b / (a + b);
            self.n[j] += other.n[j];
            self.weight[j] = a + b;
            self.mean[j] += delta * part;
            self.m2[j] += other.m2[j] + delta * delta * a * part;
            self.min[j] = self.min[j].min(other.min[j]);
            self.max[j] = self.max[j].max(other.max[j]);
        }
        Ok(())
    }
}
