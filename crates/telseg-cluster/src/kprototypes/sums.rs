//! Sums of the rows and counts of the levels of each cluster, in fixed-point integers: exact to undo and the same bits
//! in any order, so that rows move between clusters without a trace.

use telseg_core::Scalar;
use telseg_core::kernel::{GridRows, Move, PackedCodes, round};

use crate::kmeans::sums::{Grid as NumberGrid, Sums as NumberSums};

/// The grid that values and weights are rounded to.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) numbers: NumberGrid,
    /// Where the counts of each column of codes begin, and where the last end.
    starts: Vec<usize>,
}

/// Weighted sums and counts of every cluster.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    numbers: NumberSums,
    counts: Vec<i64>,
}

/// Rows as the sums take them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a, F> {
    pub(super) numbers: GridRows<'a, F>,
    pub(super) codes: &'a PackedCodes,
}

impl Grid {
    /// The grid of `numbers`, and room for so many levels in each column of codes.
    pub(super) fn new(numbers: NumberGrid, levels: &[usize]) -> Self {
        let mut starts = vec![0];
        for (at, n_levels) in levels.iter().enumerate() {
            starts.push(starts[at] + n_levels);
        }
        Self { numbers, starts }
    }

    fn n_levels(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }
}

impl Sums {
    pub(super) fn zeros(n_clusters: usize, grid: &Grid) -> Self {
        Self {
            numbers: NumberSums::zeros(n_clusters, grid.numbers.scale.len()),
            counts: vec![0; n_clusters * grid.n_levels()],
        }
    }

    /// Moves rows into clusters and out of those that they leave.
    pub(super) fn move_rows<F: Scalar>(&mut self, grid: &Grid, rows: Rows<'_, F>, moves: &[Move]) {
        let (numbers, n_levels) = (rows.numbers, grid.n_levels());
        self.numbers.move_rows(&grid.numbers, numbers, moves);
        for m in moves {
            let weight = numbers.weights.map_or(1.0, |w| w[m.row as usize]);
            let amount = round(weight * grid.numbers.weight);
            let (to, from) = (m.to as usize * n_levels, m.from as usize * n_levels);
            for (&start, level) in grid.starts.iter().zip(rows.codes.row(m.row as usize)) {
                let level = start + usize::from(level);
                self.counts[to + level] += amount;
                if m.from != u32::MAX {
                    self.counts[from + level] -= amount;
                }
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.numbers.add(&other.numbers);
        let pairs = self.counts.iter_mut().zip(&other.counts);
        pairs.for_each(|(a, b)| *a += b);
    }

    /// Weight of a cluster.
    pub(super) fn weight(&self, grid: &Grid, cluster: usize) -> f64 {
        self.numbers.weight(&grid.numbers, cluster)
    }

    /// Mean of a cluster relative to the shift; `None` where it is empty.
    pub(super) fn mean(&self, grid: &Grid, cluster: usize) -> Option<impl Iterator<Item = f64>> {
        self.numbers.mean(&grid.numbers, cluster)
    }

    /// The most frequent level of a cluster in a column, the lowest of equals, and its weight.
    pub(super) fn mode(&self, grid: &Grid, cluster: usize, column: usize) -> (u16, f64) {
        let counts = &self.counts[cluster * grid.n_levels()..][..grid.n_levels()];
        let counts = &counts[grid.starts[column]..grid.starts[column + 1]];
        let mut best = (0, i64::MIN);
        for (level, &count) in counts.iter().enumerate() {
            if count > best.1 {
                best = (level as u16, count);
            }
        }
        (best.0, best.1 as f64 / grid.numbers.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: u32 = u32::MAX;

    fn codes(rows: &[&[u16]]) -> PackedCodes {
        let mut codes = PackedCodes::zeros(rows.len(), rows[0].len());
        let rows = rows.iter().enumerate();
        rows.for_each(|(i, row)| codes.set_row(i, row.iter().copied()));
        codes
    }

    fn step(row: u32, from: u32, to: u32) -> Move {
        Move { row, from, to }
    }

    #[test]
    fn rows_that_move_leave_no_trace() {
        let grid = Grid::new(NumberGrid::new(3, &[8.0], 2.0), &[2, 3]);
        let (mut straight, mut around) = (Sums::zeros(2, &grid), Sums::zeros(2, &grid));
        let rows = Rows {
            numbers: GridRows {
                rows: &[0.1],
                shift: &[0.0],
                scale: &grid.numbers.scale,
                weights: Some(&[0.3]),
            },
            codes: &codes(&[&[1, 2]]),
        };
        straight.move_rows(&grid, rows, &[step(0, NONE, 1)]);
        around.move_rows(&grid, rows, &[step(0, NONE, 0), step(0, 0, 1)]);
        assert_eq!(straight.numbers, around.numbers);
        assert_eq!(straight.counts, around.counts);
        assert_eq!(straight.weight(&grid, 0), 0.0);
    }

    #[test]
    fn means_and_modes_are_weighted_and_ties_take_the_lowest() {
        let grid = Grid::new(NumberGrid::new(3, &[3.0], 3.0), &[3]);
        let mut sums = Sums::zeros(1, &grid);
        let rows = Rows {
            numbers: GridRows {
                rows: &[1.0, -3.0, 0.0],
                shift: &[0.0],
                scale: &grid.numbers.scale,
                weights: Some(&[3.0, 1.0, 2.0]),
            },
            codes: &codes(&[&[2], &[1], &[1]]),
        };
        sums.move_rows(&grid, rows, &[step(0, NONE, 0), step(1, NONE, 0)]);
        assert_eq!(sums.mean(&grid, 0).unwrap().collect::<Vec<_>>(), [0.0]);
        assert_eq!(sums.mode(&grid, 0, 0), (2, 3.0));
        sums.move_rows(&grid, rows, &[step(2, NONE, 0)]);
        assert_eq!(sums.mode(&grid, 0, 0), (1, 3.0));
        assert!(Sums::zeros(1, &grid).mean(&grid, 0).is_none());
    }
}
