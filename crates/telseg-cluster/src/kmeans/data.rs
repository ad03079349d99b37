//! The rows of one fit: checked, contiguous, with what all starts share.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::kernel::GridRows;
use telseg_core::{Error, Result, Scalar, par};

use super::params::Distance;
use super::sums::Grid;
use crate::rows::{check_finite, check_shape, check_weights, contiguous};

/// Rows that one task works on: a constant, so that results do not depend on the number of threads.
pub(super) const CHUNK: usize = 4096;

/// Checked rows in standard layout.
pub(super) struct Data<'a, F: Scalar> {
    pub(super) n_rows: usize,
    pub(super) n_columns: usize,
    values: Cow<'a, [F]>,
    weights: Option<Vec<f64>>,
    /// Column means, which distances are computed relative to.
    pub(super) shift: Vec<F>,
    /// Mean over the columns of the weighted variance.
    pub(super) variance: f64,
    /// Weighted sum of squared distances to the column means.
    pub(super) total: f64,
    pub(super) grid: Grid,
}

impl<'a, F: Scalar> Data<'a, F> {
    pub(super) fn new(
        x: &'a ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
        n_clusters: usize,
        distance: Distance,
    ) -> Result<Self> {
        let (n_rows, n_columns) = x.dim();
        check_shape(x, n_clusters, "n_clusters")?;
        let weights = weights.map(|w| check_weights(w, n_rows)).transpose()?;
        let values = distance.rows(contiguous(x), n_columns);
        let mut data = Self {
            n_rows,
            n_columns,
            values,
            weights,
            shift: Vec::new(),
            variance: 0.0,
            total: 0.0,
            grid: Grid::new(0, &[], 1.0),
        };
        data.summarise()?;
        Ok(data)
    }

    /// Means and spread of the columns, and from them the grid of the sums.
    ///
    /// # Errors
    /// When a value is not finite, or so large that squared distances overflow.
    fn summarise(&mut self) -> Result<()> {
        let d = self.n_columns;
        // Relative to a typical row, so that squares keep their digits.
        let step = (self.n_rows / TYPICAL).max(1);
        let typical: Vec<usize> = (0..self.n_rows).step_by(step).collect();
        let origin: Vec<f64> = (0..d)
            .map(|j| {
                let values = typical.iter().map(|&i| self.row(i)[j].into_f64());
                F::from_f64(values.sum::<f64>() / typical.len() as f64).into_f64()
            })
            .collect();
        let parts = par::map(self.n_rows, CHUNK, |rows| self.spread(rows, &origin));
        let mut whole = Spread::new(d);
        parts.iter().for_each(|part| whole.add(part));
        let weight = whole.weight;
        if !whole.is_finite() {
            check_finite(&self.values, d)?; // sums overflow only where a value is not finite, or nearly so
        }
        self.shift = whole
            .sums
            .iter()
            .zip(&origin)
            .map(|(s, o)| F::from_f64(s / weight + o))
            .collect();
        let off = |j: usize| self.shift[j].into_f64() - origin[j];
        let largest: Vec<f64> = (0..d)
            .map(|j| {
                let shift = self.shift[j].into_f64();
                (whole.max[j].into_f64() - shift).max(shift - whole.min[j].into_f64())
            })
            .collect();
        // sum w (x - o - off)^2
        let square =
            |j: usize| whole.squares[j] - 2.0 * off(j) * whole.sums[j] + weight * off(j).powi(2);
        let total: f64 = (0..d).map(|j| square(j).max(0.0)).sum();
        let longest: f64 = largest.iter().map(|v| v * v).sum();
        if !(total.is_finite() && 16.0 * longest < F::max_value().into_f64()) {
            let problem = format!("squared distances overflow {}: scale the columns", F::NAME);
            return Err(Error::data("x", problem));
        }
        let heaviest = self
            .weights
            .as_ref()
            .map_or(1.0, |w| w.iter().copied().fold(0.0, f64::max));
        self.total = total;
        self.variance = total / weight / d as f64;
        self.grid = Grid::new(self.n_rows as u64, &largest, heaviest);
        Ok(())
    }

    fn spread(&self, rows: Range<usize>, origin: &[f64]) -> Spread<F> {
        let mut part = Spread::new(self.n_columns);
        for i in rows {
            let w = self.weight(i);
            part.weight += w;
            let cells = self.row(i).iter().zip(origin);
            let sums = part.sums.iter_mut().zip(&mut part.squares);
            let ends = part.min.iter_mut().zip(&mut part.max);
            for (((&v, o), (sum, square)), (min, max)) in cells.zip(sums).zip(ends) {
                let x = v.into_f64() - o;
                *sum += w * x;
                *square += w * x * x;
                *min = if v < *min { v } else { *min };
                *max = if v > *max { v } else { *max };
            }
        }
        part
    }

    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &[F] {
        &self.values[i * self.n_columns..][..self.n_columns]
    }

    /// Rows one after the other.
    #[inline(always)]
    pub(super) fn rows(&self, range: Range<usize>) -> &[F] {
        &self.values[range.start * self.n_columns..range.end * self.n_columns]
    }

    /// Rows on their way into sums.
    #[inline(always)]
    pub(super) fn on_grid(&self, range: Range<usize>) -> GridRows<'_, F> {
        GridRows {
            rows: self.rows(range.clone()),
            shift: &self.shift,
            scale: &self.grid.scale,
            weights: self.weights.as_ref().map(|w| &w[range]),
        }
    }

    #[inline(always)]
    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }
}

/// Rows whose mean is taken for a typical row.
const TYPICAL: usize = 256;

/// Sums, squares and extremes of the columns of some rows, relative to a typical row.
struct Spread<F> {
    weight: f64,
    sums: Vec<f64>,
    squares: Vec<f64>,
    min: Vec<F>,
    max: Vec<F>,
}

impl<F: Scalar> Spread<F> {
    fn new(n_columns: usize) -> Self {
        Self {
            weight: 0.0,
            sums: vec![0.0; n_columns],
            squares: vec![0.0; n_columns],
            min: vec![F::infinity(); n_columns],
            max: vec![F::neg_infinity(); n_columns],
        }
    }

    fn add(&mut self, other: &Self) {
        self.weight += other.weight;
        let pairs = self.sums.iter_mut().zip(&other.sums);
        pairs.for_each(|(a, b)| *a += b);
        let pairs = self.squares.iter_mut().zip(&other.squares);
        pairs.for_each(|(a, b)| *a += b);
        let pairs = self.min.iter_mut().zip(&other.min);
        pairs.for_each(|(a, b)| *a = a.min(*b));
        let pairs = self.max.iter_mut().zip(&other.max);
        pairs.for_each(|(a, b)| *a = a.max(*b));
    }

    fn is_finite(&self) -> bool {
        self.sums.iter().chain(&self.squares).all(|s| s.is_finite())
    }
}
