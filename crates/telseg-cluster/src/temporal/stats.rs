//! What a history keeps of the rows of a segment: means, spreads and coarse distributions.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::merge::{Merge, Moments, QuantileSketch};
use telseg_core::{Error, Result, Scalar};

use super::month::Checked;

/// Bins between the deciles of the first month.
const BINS: usize = 10;
/// Size of the sketch that finds the deciles: ranks within half a percent or so.
const SKETCH: usize = 400;

/// Where the bins of each column are cut: ascending, at most [`BINS`] - 1 a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cuts(Vec<Vec<f64>>);

impl Cuts {
    /// Cuts at the deciles of the rows, those that coincide once.
    pub(super) fn of<F: Scalar>(month: &Checked<'_, F>, x: &ArrayView2<'_, F>) -> Result<Self> {
        let cut = |j: usize| {
            let mut sketch = QuantileSketch::new(SKETCH)?;
            for (row, &v) in x.column(j).iter().enumerate() {
                let w = month.weight(row);
                if w > 0.0 {
                    sketch.push_weighted(v.into_f64(), w)?;
                }
            }
            if sketch.n() == 0 {
                return Ok(Vec::new());
            }
            let deciles: Vec<f64> = (1..BINS).map(|b| b as f64 / BINS as f64).collect();
            let mut cuts = sketch.quantiles(&deciles)?;
            cuts.dedup();
            Ok(cuts)
        };
        let cuts: Result<Vec<_>> = (0..x.ncols()).into_par_iter().map(cut).collect();
        Ok(Self(cuts?))
    }

    fn n_columns(&self) -> usize {
        self.0.len()
    }

    /// Values up to the first cut are in bin 0; missing values in the last of all.
    fn bin(&self, column: usize, v: f64) -> usize {
        if v.is_nan() {
            return BINS;
        }
        self.0[column].partition_point(|&cut| cut < v)
    }

    pub(super) fn validate(&self, n_columns: usize) -> Result<()> {
        let sound = |cuts: &Vec<f64>| {
            cuts.len() < BINS && cuts.iter().all(|c| c.is_finite()) && cuts.is_sorted()
        };
        match self.0.len() == n_columns && self.0.iter().all(sound) {
            true => Ok(()),
            false => Err(Error::artefact("cuts", "are not ascending numbers")),
        }
    }
}

/// The rows of one segment in one month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stats {
    pub(super) n: u64,
    pub(super) weight: f64,
    /// Sum of squared weights.
    squares: f64,
    pub(super) moments: Moments,
    /// Weight in each bin of each column, one column after the other.
    bins: Vec<f64>,
}

impl Stats {
    pub(super) fn empty(n_columns: usize) -> Self {
        Self {
            n: 0,
            weight: 0.0,
            squares: 0.0,
            moments: Moments::new(n_columns),
            bins: vec![0.0; n_columns * (BINS + 1)],
        }
    }

    /// Statistics of each of the groups `of` rows, and of the rows in none of them at the end.
    pub(super) fn of_groups<F: Scalar>(
        month: &Checked<'_, F>,
        of: &[u32],
        n_groups: usize,
        cuts: Option<&Cuts>,
    ) -> Result<Vec<Self>> {
        let mut rows = vec![Vec::new(); n_groups + 1];
        for (row, &g) in of.iter().enumerate() {
            rows[(g as usize).min(n_groups)].push(row);
        }
        rows.par_iter()
            .map(|rows| Self::of_rows(month, rows, cuts))
            .collect()
    }

    fn of_rows<F: Scalar>(
        month: &Checked<'_, F>,
        rows: &[usize],
        cuts: Option<&Cuts>,
    ) -> Result<Self> {
        let weights: Vec<f64> = rows.iter().map(|&row| month.weight(row)).collect();
        let mut stats = Self::empty(cuts.map_or(0, Cuts::n_columns));
        stats.n = rows.len() as u64;
        stats.weight = weights.iter().sum();
        stats.squares = weights.iter().map(|w| w * w).sum();
        let (Some(x), Some(cuts)) = (&month.x, cuts) else {
            return Ok(stats);
        };
        // Blocks of rows, so that the copy stays small.
        for (rows, weights) in rows.chunks(4096).zip(weights.chunks(4096)) {
            let block = x.select(Axis(0), rows);
            stats.moments.update(&block, Some(weights))?;
            for (row, w) in block.rows().into_iter().zip(weights) {
                for (j, v) in row.iter().enumerate() {
                    stats.bins[j * (BINS + 1) + cuts.bin(j, v.into_f64())] += w;
                }
            }
        }
        Ok(stats)
    }

    /// Takes in another group.
    pub(super) fn add(&mut self, other: &Self) -> Result<()> {
        self.moments.merge(&other.moments)?;
        self.n += other.n;
        self.weight += other.weight;
        self.squares += other.squares;
        self.bins
            .iter_mut()
            .zip(&other.bins)
            .for_each(|(a, b)| *a += b);
        Ok(())
    }

    pub(super) fn whole(groups: &[Self]) -> Result<Self> {
        let n_columns = groups.first().map_or(0, |g| g.moments.n_columns());
        let mut whole = Self::empty(n_columns);
        groups.iter().try_for_each(|group| whole.add(group))?;
        Ok(whole)
    }

    /// Kish's effective number of rows.
    pub(super) fn effective(&self) -> f64 {
        match self.squares > 0.0 {
            true => self.weight * self.weight / self.squares,
            false => 0.0,
        }
    }

    /// Effective number of values of a column.
    pub(super) fn effective_in(&self, column: usize) -> f64 {
        match self.weight > 0.0 {
            true => self.effective() * self.moments.weight()[column] / self.weight,
            false => 0.0,
        }
    }

    pub(super) fn center(&self) -> Vec<f64> {
        self.moments.mean().to_vec()
    }

    /// Weights of a column's bins, that of missing values last.
    pub(super) fn bins(&self, column: usize) -> &[f64] {
        &self.bins[column * (BINS + 1)..][..BINS + 1]
    }

    pub(super) fn validate(&self, n_columns: usize) -> Result<()> {
        self.moments.validate()?;
        let weights = self.bins.iter().chain([&self.weight, &self.squares]);
        let sound = self.moments.n_columns() == n_columns
            && self.bins.len() == n_columns * (BINS + 1)
            && weights.into_iter().all(|w| w.is_finite() && *w >= 0.0);
        match sound {
            true => Ok(()),
            false => Err(Error::artefact(
                "statistics",
                "of a segment contradict themselves",
            )),
        }
    }
}
