//! Sums of the rows of each cluster in fixed-point integers: adding is associative and exact to undo, so that rows can
//! move between clusters, chunks and parts can be added in any order, and the bits of the centres stay the same.

use serde::{Deserialize, Serialize};
use telseg_core::Scalar;
use telseg_core::kernel::{GridRows, Move, move_rows, round};

/// The grid that values are rounded to, one step a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grid {
    /// Values are multiplied by this power of two before they are rounded.
    pub(crate) scale: Vec<f64>,
    /// The same for weights.
    pub(crate) weight: f64,
}

/// Weighted sums of rows and weights for every cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    n_columns: usize,
    pub(crate) rows: Vec<i64>,
    pub(crate) weights: Vec<i64>,
}

impl Grid {
    /// A grid so fine that the sum of `n` values, none larger than `largest` in its column, still fits 62 bits: the step
    /// is at most `2^-40` of the largest value for up to 4 million rows.
    pub(crate) fn new(n: u64, largest: &[f64], largest_weight: f64) -> Self {
        let bits = 50.min(61 - (n.max(1) as f64).log2().ceil() as i32);
        let power = |largest: f64| {
            if largest > 0.0 {
                2f64.powi((bits - largest.log2().ceil() as i32).min(1000))
            } else {
                1.0
            }
        };
        let weighted = |&column: &f64| power(column * largest_weight);
        Self {
            scale: largest.iter().map(weighted).collect(),
            weight: power(largest_weight),
        }
    }
}

impl Sums {
    pub(crate) fn zeros(n_clusters: usize, n_columns: usize) -> Self {
        Self {
            n_columns,
            rows: vec![0; n_clusters * n_columns],
            weights: vec![0; n_clusters],
        }
    }

    /// Moves rows into clusters and out of those that they leave.
    pub(crate) fn move_rows<T: Scalar>(
        &mut self,
        grid: &Grid,
        rows: GridRows<'_, T>,
        moves: &[Move],
    ) {
        move_rows(rows, moves, &mut self.rows);
        for m in moves {
            let amount = round(rows.weights.map_or(1.0, |w| w[m.row as usize]) * grid.weight);
            self.weights[m.to as usize] += amount;
            if m.from != u32::MAX {
                self.weights[m.from as usize] -= amount;
            }
        }
    }

    pub(crate) fn same_size(&self, other: &Self) -> bool {
        let size = |s: &Self| (s.n_columns, s.rows.len(), s.weights.len());
        size(self) == size(other)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = self.rows.iter_mut().zip(&other.rows);
        pairs.for_each(|(a, b)| *a += b);
        let pairs = self.weights.iter_mut().zip(&other.weights);
        pairs.for_each(|(a, b)| *a += b);
    }

    /// Weight of a cluster.
    pub(crate) fn weight(&self, grid: &Grid, cluster: usize) -> f64 {
        self.weights[cluster] as f64 / grid.weight
    }

    /// Mean of a cluster, shifted to the origin; `None` where it is empty.
    pub(crate) fn mean(&self, grid: &Grid, cluster: usize) -> Option<impl Iterator<Item = f64>> {
        let weight = self.weight(grid, cluster);
        let sums = &self.rows[cluster * self.n_columns..][..self.n_columns];
        (self.weights[cluster] > 0).then(|| {
            sums.iter()
                .zip(&grid.scale)
                .map(move |(&s, &scale)| s as f64 / scale / weight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part<'a, T>(
        grid: &'a Grid,
        rows: &'a [T],
        shift: &'a [T],
        weights: Option<&'a [f64]>,
    ) -> GridRows<'a, T> {
        GridRows {
            rows,
            shift,
            scale: &grid.scale,
            weights,
        }
    }

    const NONE: u32 = u32::MAX;

    #[test]
    fn rows_that_move_leave_no_trace() {
        let grid = Grid::new(3, &[8.0, 100.0], 2.0);
        let rows = part(&grid, &[0.1f32, -99.9], &[0.0; 2], None);
        let step = |from, to| Move { row: 0, from, to };
        let (mut straight, mut around) = (Sums::zeros(2, 2), Sums::zeros(2, 2));
        straight.move_rows(&grid, rows, &[step(NONE, 1)]);
        around.move_rows(&grid, rows, &[step(NONE, 0), step(0, 1)]);
        assert_eq!(straight, around);
    }

    #[test]
    fn means_are_weighted() {
        let grid = Grid::new(2, &[3.0], 3.0);
        let mut sums = Sums::zeros(1, 1);
        let join = |row| Move {
            row,
            from: NONE,
            to: 0,
        };
        sums.move_rows(
            &grid,
            part(&grid, &[1.0f64, -3.0], &[0.0], Some(&[3.0, 1.0])),
            &[join(0), join(1)],
        );
        assert_eq!(sums.mean(&grid, 0).unwrap().collect::<Vec<_>>(), [0.0]);
        assert_eq!(sums.weight(&grid, 0), 4.0);
        assert!(Sums::zeros(1, 1).mean(&grid, 0).is_none());
    }
}
