//! Sums of the rows of each cluster in fixed-point integers: adding is associative and exact to undo, so that rows can
//! move between clusters, chunks can be added in any order, and the bits of the centres stay the same.

use telseg_core::Scalar;

/// The grid that values are rounded to, one step a column.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Values are multiplied by this power of two before they are rounded.
    scale: Vec<f64>,
    /// The same for weights.
    weight: f64,
}

/// Weighted sums of rows and weights for every cluster.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    n_columns: usize,
    rows: Vec<i64>,
    weights: Vec<i64>,
    /// The row under way.
    fixed: Vec<i64>,
}

/// Adding it to a number below 2^51 leaves the nearest integer in the low bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
fn round(value: f64) -> i64 {
    (value + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64
}

impl Grid {
    /// A grid so fine that the sum of `n` values, none larger than `largest` in its column, still fits 62 bits: the step
    /// is at most `2^-40` of the largest value for up to 4 million rows.
    pub(super) fn new(n: usize, largest: &[f64], largest_weight: f64) -> Self {
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
    pub(super) fn zeros(n_clusters: usize, n_columns: usize) -> Self {
        Self {
            n_columns,
            rows: vec![0; n_clusters * n_columns],
            weights: vec![0; n_clusters],
            fixed: vec![0; n_columns],
        }
    }

    /// Moves a row, shifted to the origin, into cluster `to` and out of cluster `from`.
    #[inline]
    pub(super) fn move_row<T: Scalar>(
        &mut self,
        grid: &Grid,
        (row, shift): (&[T], &[T]),
        weight: f64,
        (from, to): (Option<u32>, u32),
    ) {
        let d = self.n_columns;
        let cells = row.iter().zip(shift).zip(&grid.scale);
        for (fixed, ((&x, &s), &scale)) in self.fixed.iter_mut().zip(cells) {
            *fixed = round((x - s).into_f64() * (weight * scale));
        }
        let amount = round(weight * grid.weight);
        let mut put = |cluster: u32, sign: i64| {
            let cluster = cluster as usize;
            let sums = self.rows[cluster * d..][..d].iter_mut();
            sums.zip(&self.fixed)
                .for_each(|(sum, fixed)| *sum += sign * fixed);
            self.weights[cluster] += sign * amount;
        };
        put(to, 1);
        if let Some(from) = from {
            put(from, -1);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.rows
            .iter_mut()
            .zip(&other.rows)
            .for_each(|(a, b)| *a += b);
        self.weights
            .iter_mut()
            .zip(&other.weights)
            .for_each(|(a, b)| *a += b);
    }

    /// Weight of a cluster.
    pub(super) fn weight(&self, grid: &Grid, cluster: usize) -> f64 {
        self.weights[cluster] as f64 / grid.weight
    }

    /// Mean of a cluster, shifted to the origin; `None` where it is empty.
    pub(super) fn mean(&self, grid: &Grid, cluster: usize) -> Option<impl Iterator<Item = f64>> {
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

    #[test]
    fn rows_that_move_leave_no_trace() {
        let grid = Grid::new(3, &[8.0, 100.0], 2.0);
        let shift = [0.0f32, 0.0];
        let mut sums = Sums::zeros(2, 2);
        let untouched = {
            let mut sums = sums.clone();
            sums.move_row(&grid, (&[0.1f32, -99.9], &shift), 1.0, (None, 1));
            sums
        };
        for to in [0, 1] {
            let from = (to == 1).then_some(0);
            sums.move_row(&grid, (&[0.1f32, -99.9], &shift), 1.0, (from, to));
        }
        assert_eq!(
            (sums.rows, sums.weights),
            (untouched.rows, untouched.weights)
        );
    }

    #[test]
    fn means_are_weighted() {
        let grid = Grid::new(2, &[3.0], 3.0);
        let mut sums = Sums::zeros(1, 1);
        sums.move_row(&grid, (&[1.0f64], &[0.0]), 3.0, (None, 0));
        sums.move_row(&grid, (&[-3.0f64], &[0.0]), 1.0, (None, 0));
        assert_eq!(sums.mean(&grid, 0).unwrap().collect::<Vec<_>>(), [0.0]);
        assert_eq!(sums.weight(&grid, 0), 4.0);
        assert!(Sums::zeros(1, 1).mean(&grid, 0).is_none());
    }
}
