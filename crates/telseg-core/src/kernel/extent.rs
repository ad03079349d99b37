//! Sums, squares and extremes of the columns of tiles, in double precision: what a fit first asks of its rows.

use super::{Kernel, Level, TILE, Tile};
use crate::Scalar;

/// Partial sums of each column: a constant, so that every level adds in the same order.
const LANES: usize = 8;

/// What is known of the values of some rows in one column, relative to an origin.
#[derive(Clone, Copy, Debug)]
pub struct Extent<T> {
    origin: f64,
    sums: [f64; LANES],
    squares: [f64; LANES],
    min: [T; LANES],
    max: [T; LANES],
}

impl<T: Scalar> Extent<T> {
    /// No rows; `origin` should lie among the values, so that squares keep their digits.
    pub fn new(origin: f64) -> Self {
        Self {
            origin,
            sums: [0.0; LANES],
            squares: [0.0; LANES],
            min: [T::infinity(); LANES],
            max: [T::neg_infinity(); LANES],
        }
    }

    /// Adds the first `n_rows` rows of a tile, each with its weight; one extent a column. Values that are not finite leave
    /// sums that are not.
    ///
    /// # Panics
    /// When there is not one extent for each column.
    pub fn add(tile: Tile<'_, T>, n_rows: usize, weights: Option<&[f64]>, extents: &mut [Self]) {
        assert_eq!(
            tile.lanes.len(),
            extents.len(),
            "one extent for each column"
        );
        let mut weight = [0.0; TILE];
        match weights {
            Some(weights) => weight[..n_rows].copy_from_slice(&weights[..n_rows]),
            None => weight[..n_rows].fill(1.0),
        }
        <T as Kernel>::extent_tile(Level::best(), tile, n_rows, &weight, extents);
    }

    /// Adds the rows of another one with the same origin.
    pub fn merge(&mut self, other: &Self) {
        for l in 0..LANES {
            self.sums[l] += other.sums[l];
            self.squares[l] += other.squares[l];
            self.min[l] = self.min[l].min(other.min[l]);
            self.max[l] = self.max[l].max(other.max[l]);
        }
    }

    /// `sum w (x - origin)`.
    pub fn sum(&self) -> f64 {
        self.sums.iter().sum()
    }

    /// `sum w (x - origin)^2`.
    pub fn square(&self) -> f64 {
        self.squares.iter().sum()
    }

    /// The least value and the largest; infinite where there was no row.
    pub fn ends(&self) -> (T, T) {
        let min = self.min.iter().copied().fold(T::infinity(), T::min);
        let max = self.max.iter().copied().fold(T::neg_infinity(), T::max);
        (min, max)
    }
}

#[inline(always)]
pub(super) fn add<T: Scalar>(
    tile: Tile<'_, T>,
    n_rows: usize,
    weights: &[f64; TILE],
    extents: &mut [Extent<T>],
) {
    for (lane, extent) in tile.lanes.iter().zip(extents) {
        let Extent {
            origin,
            mut sums,
            mut squares,
            mut min,
            mut max,
        } = *extent; // in registers
        let groups = lane.0.as_chunks::<LANES>().0.iter();
        for (g, (values, weights)) in groups.zip(weights.as_chunks::<LANES>().0).enumerate() {
            for l in 0..LANES {
                let here = g * LANES + l < n_rows;
                let value = if here { values[l] } else { T::zero() };
                let off = value.into_f64() - origin;
                let weighted = weights[l] * off;
                sums[l] += weighted;
                squares[l] += weighted * off;
                min[l] = if here & (value < min[l]) {
                    value
                } else {
                    min[l]
                };
                max[l] = if here & (value > max[l]) {
                    value
                } else {
                    max[l]
                };
            }
        }
        *extent = Extent {
            origin,
            sums,
            squares,
            min,
            max,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Packed;
    use ndarray::Array2;

    fn agrees<T: Scalar>() {
        // Whole numbers, so that every order of adding gives the same.
        let x = Array2::from_shape_fn((100, 3), |(i, j)| {
            T::from_f64(((i * 37 + j * 11) % 101) as f64 - 50.0)
        });
        let weights: Vec<f64> = (0..100).map(|i| (i % 4) as f64).collect();
        let packed = Packed::new(&x, &[T::zero(); 3]).unwrap();
        for level in Level::available() {
            let mut extents = [2.0, 0.0, -7.0].map(Extent::new);
            for t in 0..2 {
                let (tile, n_rows) = packed.tile(t);
                let mut weight = [0.0; TILE];
                weight[..n_rows].copy_from_slice(&weights[t * TILE..][..n_rows]);
                <T as Kernel>::extent_tile(level, tile, n_rows, &weight, &mut extents);
            }
            for (j, extent) in extents.iter().enumerate() {
                let column = || x.column(j).into_iter().map(|v| v.into_f64());
                let off = || column().map(|v| v - extent.origin).zip(&weights);
                assert_eq!(extent.sum(), off().map(|(v, w)| v * w).sum::<f64>());
                assert_eq!(extent.square(), off().map(|(v, w)| v * v * w).sum::<f64>());
                let (min, max) = extent.ends();
                assert_eq!(min.into_f64(), column().fold(f64::INFINITY, f64::min));
                assert_eq!(max.into_f64(), column().fold(f64::NEG_INFINITY, f64::max));
            }
        }
    }

    #[test]
    fn every_level_agrees_with_the_definition() {
        agrees::<f32>();
        agrees::<f64>();
    }

    #[test]
    fn places_past_the_last_row_do_not_count() {
        let mut packed = Packed::zeros(TILE, 1);
        packed.load(0, &[f32::NAN; TILE], &[0.0]);
        packed.load(0, &[5.0f32, 9.0], &[0.0]);
        let mut extent = [Extent::new(5.0), Extent::new(5.0)];
        Extent::add(packed.tile(0).0, 2, None, &mut extent[..1]);
        Extent::add(packed.tile(0).0, 1, Some(&[3.0]), &mut extent[1..]);
        assert_eq!((extent[0].sum(), extent[0].ends()), (4.0, (5.0, 9.0)));
        assert_eq!((extent[1].sum(), extent[1].ends()), (0.0, (5.0, 5.0)));
        let other = extent[0];
        extent[1].merge(&other);
        assert_eq!((extent[1].square(), extent[1].ends()), (16.0, (5.0, 9.0)));
    }
}
