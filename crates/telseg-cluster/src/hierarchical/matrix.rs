//! Complete, average and weighted linkage: distances between members cannot be had from means, so all are kept.
//!
//! The distance of a third cluster to a merged one follows from those to its parts (Lance & Williams 1967).

use rayon::prelude::*;
use telseg_core::kernel::squared_distance;

use super::boxes::NONE;
use super::params::Linkage;
use super::reciprocal::Space;

/// Distances of all pairs, each once.
pub(super) struct Matrix {
    linkage: Linkage,
    n: usize,
    /// Row `i` holds the distances to `i + 1 ..`.
    distances: Vec<f64>,
    /// Row of each cluster, by id.
    row_of: Vec<u32>,
    /// Rows with a cluster, ascending, and what it is called.
    rows: Vec<u32>,
    id_of: Vec<u32>,
    weights: Vec<f64>,
}

/// Bytes of the matrix of so many rows.
pub(super) fn bytes(n: usize) -> u64 {
    let n = n as u64;
    n * n.saturating_sub(1) / 2 * size_of::<f64>() as u64
}

impl Matrix {
    pub(super) fn new(rows: &[f64], n_columns: usize, weights: Vec<f64>, linkage: Linkage) -> Self {
        let n = weights.len();
        let mut distances = vec![0.0; n * n.saturating_sub(1) / 2];
        let mut parts = Vec::with_capacity(n);
        let mut rest = &mut distances[..];
        for i in 0..n {
            let (part, others) = rest.split_at_mut(n - 1 - i);
            parts.push(part);
            rest = others;
        }
        parts.into_par_iter().enumerate().for_each(|(i, part)| {
            let own = &rows[i * n_columns..][..n_columns];
            let others = rows[(i + 1) * n_columns..].chunks_exact(n_columns);
            part.iter_mut()
                .zip(others)
                .for_each(|(out, other)| *out = squared_distance(own, other).sqrt());
        });
        let mut row_of: Vec<u32> = (0..n as u32).collect();
        row_of.resize((2 * n).saturating_sub(1), 0);
        Self {
            linkage,
            n,
            distances,
            row_of,
            rows: (0..n as u32).collect(),
            id_of: (0..n as u32).collect(),
            weights,
        }
    }

    #[inline]
    fn at(&self, i: usize, j: usize) -> usize {
        let (i, j) = (i.min(j), i.max(j));
        i * (2 * self.n - i - 1) / 2 + j - i - 1
    }
}

impl Space for Matrix {
    fn nearest(&self, id: u32) -> (f64, u32) {
        let own = self.row_of[id as usize] as usize;
        let (mut best, mut found) = (f64::INFINITY, NONE);
        let pair = |other: u32| (id.min(other), id.max(other));
        for &row in &self.rows {
            if row as usize == own {
                continue;
            }
            let distance = self.distances[self.at(own, row as usize)];
            if distance <= best {
                let other = self.id_of[row as usize];
                if distance < best || found != NONE && pair(other) < pair(found) {
                    (best, found) = (distance, other);
                }
            }
        }
        (best, found)
    }

    fn merge(&mut self, a: u32, b: u32, new: u32) {
        let (a, b) = (
            self.row_of[a as usize] as usize,
            self.row_of[b as usize] as usize,
        );
        let (keep, drop) = (a.min(b), a.max(b));
        let (of_keep, of_drop) = (self.weights[keep], self.weights[drop]);
        let share = of_drop / (of_keep + of_drop);
        let at = self.rows.partition_point(|&row| (row as usize) < drop);
        self.rows.remove(at);
        for &row in self.rows.iter().filter(|&&row| row as usize != keep) {
            let (place, other) = (self.at(row as usize, keep), self.at(row as usize, drop));
            let (x, y) = (self.distances[place], self.distances[other]);
            // Between the two whatever rounding does: so merged clusters come no nearer.
            self.distances[place] = match self.linkage {
                Linkage::Complete => x.max(y),
                Linkage::Weighted => 0.5 * (x + y),
                _ => (x + share * (y - x)).clamp(x.min(y), x.max(y)),
            };
        }
        self.weights[keep] = of_keep + of_drop;
        self.row_of[new as usize] = keep as u32;
        self.id_of[keep] = new;
    }
}
