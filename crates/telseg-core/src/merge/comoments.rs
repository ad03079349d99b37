//! How columns vary together.

use ndarray::{Array1, Array2, ArrayRef2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{Merge, blocks};
use crate::{Error, Result, Scalar};

/// Rows multiplied in one go.
const BLOCK: usize = 256;

/// Weight, means and sums of products of deviations of all pairs of columns: covariance and correlation.
///
/// Parts merge as [`Moments`](super::Moments) do, with `C = C_a + C_b + δ δᵀ A B / (A + B)`. A row that misses any value
/// (NaN) is left out as a whole and counted; rows of weight 0 do not count at all.
///
/// # Cost
/// O(n d²) over `n` rows of `d` columns as matrix products, chunks of rows in parallel; memory O(d²) for each chunk of
/// 32768 rows.
///
/// # References
/// P. Pébay (2008), "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
/// moments", eq. 3.12.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_core::merge::CoMoments;
/// let usage = array![[1.0f32, 2.0], [3.0, 6.0]]; // minutes, MB per day
/// let together = CoMoments::of(&usage, None)?;
/// assert_eq!(together.covariance(), array![[1.0, 2.0], [2.0, 4.0]]);
/// assert!((together.correlation()[[0, 1]] - 1.0).abs() < 1e-15);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoMoments {
    n: u64,
    n_missing: u64,
    weight: f64,
    mean: Array1<f64>,
    products: Array2<f64>,
}

impl CoMoments {
    /// No rows of so many columns.
    pub fn new(n_columns: usize) -> Self {
        Self {
            n: 0,
            n_missing: 0,
            weight: 0.0,
            mean: Array1::zeros(n_columns),
            products: Array2::zeros((n_columns, n_columns)),
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
        let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
        let (mut rows, mut kept) = (Vec::new(), Vec::new());
        for (i, row) in x.rows().into_iter().enumerate() {
            if weight(i) == 0.0 {
                continue;
            }
            if row.iter().any(|v| v.is_nan()) {
                block.n_missing += 1;
                continue;
            }
            rows.extend(row.iter().map(|v| v.into_f64()));
            kept.push(weight(i));
        }
        if kept.is_empty() {
            return Ok(block);
        }
        let mut centred = Array2::from_shape_vec((kept.len(), x.ncols()), rows)
            .expect("invariant: whole rows were kept");
        let kept = Array1::from_vec(kept);
        block.n = kept.len() as u64;
        block.weight = kept.sum();
        block.mean = kept.dot(&centred) / block.weight;
        for (mean, column) in block.mean.iter_mut().zip(centred.columns()) {
            // A constant column has its mean and no variance, to the last bit.
            if column.iter().all(|&v| v == column[0]) {
                *mean = column[0];
            }
        }
        centred -= &block.mean;
        let weighted = &centred * &kept.insert_axis(Axis(1));
        block.products = weighted.t().dot(&centred);
        // (w a) b and (w b) a round apart: what is above the diagonal stands for both.
        for i in 1..x.ncols() {
            for j in 0..i {
                block.products[[i, j]] = block.products[[j, i]];
            }
        }
        if block.products.iter().all(|c| c.is_finite()) {
            Ok(block)
        } else {
            Err(blocks::not_finite(first_row, x))
        }
    }

    /// How many columns.
    pub fn n_columns(&self) -> usize {
        self.mean.len()
    }

    /// How many rows are whole.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many rows miss a value and are left out.
    pub fn n_missing(&self) -> u64 {
        self.n_missing
    }

    /// The weight of the whole rows.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The mean of each column over the whole rows; NaN when there are none.
    pub fn mean(&self) -> Array1<f64> {
        if self.n > 0 {
            self.mean.clone()
        } else {
            Array1::from_elem(self.n_columns(), f64::NAN)
        }
    }

    /// The covariance of each pair of columns over the weight, `C / W`; NaN when there are no rows.
    pub fn covariance(&self) -> Array2<f64> {
        &self.products / self.weight
    }

    /// The unbiased covariance of each pair of columns, `C / (W − 1)`, for weights that count rows; NaN where `W ≤ 1`.
    pub fn sample_covariance(&self) -> Array2<f64> {
        let over = self.weight - 1.0;
        &self.products / if over > 0.0 { over } else { f64::NAN }
    }

    /// The correlation of each pair of columns, from −1 to 1; NaN where a column is constant.
    pub fn correlation(&self) -> Array2<f64> {
        let spread: Array1<f64> = self.products.diag().mapv(f64::sqrt);
        Array2::from_shape_fn(self.products.raw_dim(), |(i, j)| {
            match spread[i] * spread[j] {
                s if s > 0.0 && i != j => (self.products[[i, j]] / s).clamp(-1.0, 1.0),
                s if s > 0.0 => 1.0,
                _ => f64::NAN,
            }
        })
    }

    /// Checks what was loaded.
    ///
    /// # Errors
    /// When shapes differ or a number is not finite.
    pub fn validate(&self) -> Result<()> {
        let d = self.n_columns();
        if self.products.dim() != (d, d) {
            return Err(Error::artefact("co-moments", "columns differ in number"));
        }
        let mut all = self.mean.iter().chain(&self.products);
        let sound = all.all(|v| v.is_finite())
            && self.weight.is_finite()
            && self.weight >= 0.0
            && (self.n == 0) == (self.weight == 0.0)
            && self.products.diag().iter().all(|&c| c >= 0.0);
        if sound {
            return Ok(());
        }
        Err(Error::artefact(
            "co-moments",
            "numbers contradict each other",
        ))
    }
}

impl Merge for CoMoments {
    fn merge(&mut self, other: &Self) -> Result<()> {
        blocks::same_columns("co-moments to merge", self.n_columns(), other.n_columns())?;
        self.n_missing += other.n_missing;
        if other.n == 0 {
            return Ok(());
        }
        let (a, b) = (self.weight, other.weight);
        let part = b / (a + b);
        let delta = &other.mean - &self.mean;
        self.products += &other.products;
        for ((i, j), c) in self.products.indexed_iter_mut() {
            *c += a * part * (delta[i] * delta[j]);
        }
        self.mean.scaled_add(part, &delta);
        self.weight = a + b;
        self.n += other.n;
        Ok(())
    }
}
