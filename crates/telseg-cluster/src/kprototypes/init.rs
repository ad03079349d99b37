//! Where the centres start.

use std::ops::Range;

use telseg_core::kernel::{Packed, TILE};
use telseg_core::seed::Rng;
use telseg_core::{Result, Scalar, par};

use super::data::{CHUNK, Data};
use super::prototypes::Layout;
use crate::seeding::{self, Space};

/// Means and modes of centres, one after the other.
pub(super) struct Start<F> {
    pub(super) means: Vec<F>,
    pub(super) modes: Vec<u16>,
}

impl<F: Scalar> Start<F> {
    /// Centres at the given rows.
    pub(super) fn at_rows(data: &Data<F>, rows: &[usize]) -> Self {
        let numbers = rows.iter().flat_map(|&i| data.numbers(i..i + 1));
        Self {
            means: numbers.copied().collect(),
            modes: rows.iter().flat_map(|&i| data.codes(i)).collect(),
        }
    }

    pub(super) fn layout(&self, data: &Data<F>) -> Result<Layout<F>> {
        let n_categorical = data.levels.n_categorical();
        Layout::new(
            (&self.means, &self.modes),
            n_categorical,
            &data.shift,
            data.gamma,
        )
    }
}

/// Greedy k-means++ in the mixed distance: the rows that become centres.
pub(super) fn plus_plus<F: Scalar>(
    data: &Data<F>,
    n_clusters: usize,
    rng: &mut Rng,
) -> Result<Vec<usize>> {
    seeding::plus_plus(data, &weights(data), n_clusters, rng)
}

/// Different rows, drawn by weight without replacement.
pub(super) fn random<F: Scalar>(data: &Data<F>, n_clusters: usize, rng: &mut Rng) -> Vec<usize> {
    seeding::by_weight(&weights(data), n_clusters, rng)
}

fn weights<F: Scalar>(data: &Data<F>) -> Vec<f64> {
    (0..data.n_rows).map(|i| data.weight(i)).collect()
}

impl<F: Scalar> Space for Data<F> {
    fn approach(&self, center: usize, closest: &mut [f64]) -> Result<()> {
        let layout = Start::at_rows(self, &[center]).layout(self)?;
        par::fill(closest, CHUNK, |range, closest| {
            let mut squares = Squares::new(&layout, self);
            for (t, part) in closest.chunks_mut(TILE).enumerate() {
                let first = range.start + t * TILE;
                squares.search(self, first..first + part.len());
                for (l, c) in part.iter_mut().enumerate() {
                    *c = c.min(squares.at(0, l));
                }
            }
        });
        closest[center] = 0.0;
        Ok(())
    }

    fn remaining(
        &self,
        candidates: &[usize],
        closest: &[f64],
        weights: &[f64],
    ) -> Result<Vec<f64>> {
        let layout = Start::at_rows(self, candidates).layout(self)?;
        let parts = par::map(self.n_rows, CHUNK, |range| {
            let mut squares = Squares::new(&layout, self);
            let mut sums = vec![0.0; candidates.len()];
            for first in range.clone().step_by(TILE) {
                let rows = first..range.end.min(first + TILE);
                squares.search(self, rows.clone());
                for (candidate, sum) in sums.iter_mut().enumerate() {
                    for (l, i) in rows.clone().enumerate() {
                        *sum += weights[i] * closest[i].min(squares.at(candidate, l));
                    }
                }
            }
            sums
        });
        let mut total = vec![0.0; candidates.len()];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
        }
        Ok(total)
    }
}

/// Squared distances of a tile of rows to a few centres.
struct Squares<'a, F> {
    layout: &'a Layout<F>,
    tile: Packed<F>,
    lengths: [F; TILE],
    scores: Vec<[F; TILE]>,
}

impl<'a, F: Scalar> Squares<'a, F> {
    fn new(layout: &'a Layout<F>, data: &Data<F>) -> Self {
        Self {
            layout,
            tile: Packed::zeros(TILE, data.levels.n_numeric()),
            lengths: [F::zero(); TILE],
            scores: vec![[F::zero(); TILE]; layout.n_clusters()],
        }
    }

    fn search(&mut self, data: &Data<F>, rows: Range<usize>) {
        let codes = data.code_tile(rows.start);
        self.tile.load(0, data.numbers(rows), &data.shift);
        let tile = self.tile.tile(0).0;
        tile.squared_lengths(&mut self.lengths);
        self.layout.scores((tile, codes), &mut self.scores);
    }

    /// To centre `center`, of the row in place `l`.
    fn at(&self, center: usize, l: usize) -> f64 {
        (self.lengths[l].into_f64() + 2.0 * self.scores[center][l].into_f64()).max(0.0)
    }
}
