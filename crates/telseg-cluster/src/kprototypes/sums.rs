//! Sums of the rows and counts of the levels of each cluster, in fixed-point integers: exact to undo and the same bits
//! in any order, so that rows move between clusters without a trace.

use telseg_core::Scalar;

/// The grid that values are rounded to.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Powers of two that values of each column, times weights, are multiplied by.
    scale: Vec<f64>,
    /// The same for weights.
    weight: f64,
    /// Where the counts of each column of codes begin, and where the last end.
    starts: Vec<usize>,
}

/// Weighted sums and counts of every cluster.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    numbers: Vec<i64>,
    counts: Vec<i64>,
    weights: Vec<i64>,
    /// The row under way.
    fixed: Vec<i64>,
}

/// A row as the sums take it: numbers relative to the shift, levels, weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a, F> {
    pub(super) numbers: &'a [F],
    pub(super) shift: &'a [F],
    pub(super) levels: &'a [u16],
    pub(super) weight: f64,
}

/// Adding it to a number below 2^51 leaves the nearest integer in the low bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
fn round(value: f64) -> i64 {
    (value + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64
}

impl Grid {
    /// A grid so fine that the sum of `n` values, none larger than `largest` in its column, still fits 62 bits.
    pub(super) fn new(n: usize, largest: &[f64], heaviest: f64, levels: &[usize]) -> Self {
        let bits = 50.min(61 - (n.max(1) as f64).log2().ceil() as i32);
        let power = |largest: f64| match largest > 0.0 {
            true => 2f64.powi((bits - largest.log2().ceil() as i32).min(1000)),
            false => 1.0,
        };
        let mut starts = vec![0];
        for (at, n_levels) in levels.iter().enumerate() {
            starts.push(starts[at] + n_levels);
        }
        Self {
            scale: largest.iter().map(|l| power(l * heaviest)).collect(),
            weight: power(heaviest),
            starts,
        }
    }

    fn n_levels(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }
}

impl Sums {
    pub(super) fn zeros(n_clusters: usize, grid: &Grid) -> Self {
        let d = grid.scale.len();
        Self {
            numbers: vec![0; n_clusters * d],
            counts: vec![0; n_clusters * grid.n_levels()],
            weights: vec![0; n_clusters],
            fixed: vec![0; d],
        }
    }

    /// Moves a row into cluster `to` and out of cluster `from`.
    #[inline]
    pub(super) fn move_row<F: Scalar>(
        &mut self,
        grid: &Grid,
        row: Part<'_, F>,
        (from, to): (Option<u32>, u32),
    ) {
        let cells = row.numbers.iter().zip(row.shift).zip(&grid.scale);
        for (fixed, ((&x, &s), &scale)) in self.fixed.iter_mut().zip(cells) {
            *fixed = round((x - s).into_f64() * (row.weight * scale));
        }
        let amount = round(row.weight * grid.weight);
        self.add_row(grid, row.levels, to as usize, amount, 1);
        if let Some(from) = from {
            self.add_row(grid, row.levels, from as usize, -amount, -1);
        }
    }

    #[inline(always)]
    fn add_row(&mut self, grid: &Grid, levels: &[u16], cluster: usize, amount: i64, sign: i64) {
        let (d, n_levels) = (self.fixed.len(), grid.n_levels());
        let sums = self.numbers[cluster * d..][..d].iter_mut();
        sums.zip(&self.fixed).for_each(|(s, f)| *s += sign * f);
        let counts = &mut self.counts[cluster * n_levels..][..n_levels];
        for (&start, &level) in grid.starts.iter().zip(levels) {
            counts[start + usize::from(level)] += amount;
        }
        self.weights[cluster] += amount;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (a, b) in [
            (&mut self.numbers, &other.numbers),
            (&mut self.counts, &other.counts),
            (&mut self.weights, &other.weights),
        ] {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
    }

    /// Weight of a cluster.
    pub(super) fn weight(&self, grid: &Grid, cluster: usize) -> f64 {
        self.weights[cluster] as f64 / grid.weight
    }

    /// Mean of a cluster relative to the shift; `None` where it is empty.
    pub(super) fn mean(&self, grid: &Grid, cluster: usize) -> Option<impl Iterator<Item = f64>> {
        let (weight, d) = (self.weight(grid, cluster), self.fixed.len());
        let sums = &self.numbers[cluster * d..][..d];
        (self.weights[cluster] > 0).then(|| {
            let pairs = sums.iter().zip(&grid.scale);
            pairs.map(move |(&s, &scale)| s as f64 / scale / weight)
        })
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
        (best.0, best.1 as f64 / grid.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part<'a>(numbers: &'a [f64], levels: &'a [u16], weight: f64) -> Part<'a, f64> {
        let shift = &[0.0];
        Part {
            numbers,
            shift,
            levels,
            weight,
        }
    }

    #[test]
    fn rows_that_move_leave_no_trace() {
        let grid = Grid::new(3, &[8.0], 2.0, &[2, 3]);
        let (mut sums, mut untouched) = (Sums::zeros(2, &grid), Sums::zeros(2, &grid));
        untouched.move_row(&grid, part(&[0.1], &[1, 2], 0.3), (None, 1));
        sums.move_row(&grid, part(&[0.1], &[1, 2], 0.3), (None, 0));
        sums.move_row(&grid, part(&[0.1], &[1, 2], 0.3), (Some(0), 1));
        assert_eq!(sums.numbers, untouched.numbers);
        assert_eq!(
            (sums.counts, sums.weights),
            (untouched.counts, untouched.weights)
        );
    }

    #[test]
    fn means_and_modes_are_weighted_and_ties_take_the_lowest() {
        let grid = Grid::new(3, &[3.0], 3.0, &[3]);
        let mut sums = Sums::zeros(1, &grid);
        sums.move_row(&grid, part(&[1.0], &[2], 3.0), (None, 0));
        sums.move_row(&grid, part(&[-3.0], &[1], 1.0), (None, 0));
        assert_eq!(sums.mean(&grid, 0).unwrap().collect::<Vec<_>>(), [0.0]);
        assert_eq!(sums.mode(&grid, 0, 0), (2, 3.0));
        sums.move_row(&grid, part(&[0.0], &[1], 2.0), (None, 0));
        assert_eq!(sums.mode(&grid, 0, 0), (1, 3.0));
        assert!(Sums::zeros(1, &grid).mean(&grid, 0).is_none());
    }
}
