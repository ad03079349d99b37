//! The rows of one fit: checked, contiguous, with what all starts share.

use std::borrow::Cow;

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use telseg_core::kernel::Packed;
use telseg_core::{Error, Result, Scalar, par};

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
    /// Squared length of every row relative to the shift.
    pub(super) norms: Vec<F>,
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
    ) -> Result<Self> {
        let (n_rows, n_columns) = x.dim();
        check_shape(x, n_clusters, "n_clusters")?;
        let weights = weights.map(|w| check_weights(w, n_rows)).transpose()?;
        let values = contiguous(x);
        let mut data = Self {
            n_rows,
            n_columns,
            values,
            weights,
            shift: Vec::new(),
            norms: Vec::new(),
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
        let sums = par::map_fold(
            self.n_rows,
            CHUNK,
            |rows| {
                let (mut sums, mut weight) = (vec![0.0; d], 0.0);
                for i in rows {
                    let w = self.weight(i);
                    weight += w;
                    sums.iter_mut()
                        .zip(self.row(i))
                        .for_each(|(s, v)| *s += w * v.into_f64());
                }
                (sums, weight)
            },
            (vec![0.0; d], 0.0),
            |(mut a, wa), (b, wb)| {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                (a, wa + wb)
            },
        );
        let (sums, weight): (Vec<f64>, f64) = sums;
        if !sums.iter().all(|s| s.is_finite()) {
            check_finite(&self.values, d)?; // the sums overflow only where a value is not finite, or nearly so
        }
        self.shift = sums.iter().map(|s| F::from_f64(s / weight)).collect();
        let mut norms = vec![F::zero(); self.n_rows];
        let parts: Vec<(Vec<f64>, f64)> = norms
            .par_chunks_mut(CHUNK)
            .enumerate()
            .map(|(c, norms)| {
                let (mut largest, mut total) = (vec![0.0f64; d], 0.0);
                for (i, place) in (c * CHUNK..).zip(norms) {
                    let mut norm = 0.0;
                    for ((m, &v), &s) in largest.iter_mut().zip(self.row(i)).zip(&self.shift) {
                        let v = (v - s).into_f64();
                        *m = if v.abs() > *m { v.abs() } else { *m };
                        norm += v * v;
                    }
                    total += norm * self.weight(i);
                    *place = F::from_f64(norm);
                }
                (largest, total)
            })
            .collect();
        let (mut largest, mut total) = (vec![0.0f64; d], 0.0);
        for (part, subtotal) in parts {
            let pairs = largest.iter_mut().zip(part);
            pairs.for_each(|(a, b)| *a = a.max(b));
            total += subtotal;
        }
        let longest: f64 = largest.iter().map(|v| v * v).sum();
        if !(total.is_finite() && 16.0 * longest < F::max_value().into_f64()) {
            let problem = format!("squared distances overflow {}: scale the columns", F::NAME);
            return Err(Error::data("x", problem));
        }
        self.norms = norms;
        let heaviest = self
            .weights
            .as_ref()
            .map_or(1.0, |w| w.iter().copied().fold(0.0, f64::max));
        self.total = total;
        self.variance = total / weight / d as f64;
        self.grid = Grid::new(self.n_rows, &largest, heaviest);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &[F] {
        &self.values[i * self.n_columns..][..self.n_columns]
    }

    #[inline(always)]
    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// The rows relative to the shift, in tiles.
    pub(super) fn pack(&self) -> Result<Packed<F>> {
        let shape = (self.n_rows, self.n_columns);
        let view = ndarray::ArrayView2::from_shape(shape, &self.values)
            .map_err(|e| Error::shape("x", format!("{shape:?}"), e.to_string()))?;
        Packed::new(&view, &self.shift)
    }
}
