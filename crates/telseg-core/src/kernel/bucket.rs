//! Distances from a point to a bucket of points that lie column-wise: what the leaves of a k-d tree are searched with.
//!
//! A distance is summed over the columns in their order, and nothing is fused: every level gives the same bits, and so
//! does a plain loop over the columns. As each operation rounds monotonically, a lower bound that is computed in the same
//! way from smaller differences never exceeds the distance: what is pruned by it is exactly what would have been refused.

use num_traits::Float;

use super::{Kernel, Level};
use crate::Scalar;

/// Points in a bucket: one bit of a mask each.
pub const BUCKET: usize = 32;

/// Squared Euclidean distances from `point` to the points of a bucket, written to `out`; the mask says which are at most
/// `bound`. `columns` holds [`BUCKET`] numbers for each column; a column too many, in either, is left out.
#[inline]
pub fn bucket_distances<T: Scalar>(
    level: Level,
    point: &[T],
    columns: &[T],
    bound: T,
    out: &mut [T; BUCKET],
) -> u32 {
    <T as Kernel>::bucket_distances(level, point, columns, bound, out)
}

/// Which of the values are at most `bound`.
#[inline]
pub fn bucket_mask<T: Scalar>(level: Level, values: &[T; BUCKET], bound: T) -> u32 {
    <T as Kernel>::bucket_mask(level, values, bound)
}

#[inline(always)]
pub(super) fn distances<T: Float>(
    point: &[T],
    columns: &[T],
    bound: T,
    out: &mut [T; BUCKET],
) -> u32 {
    let mut sums = [T::zero(); BUCKET];
    for (column, &p) in columns.as_chunks::<BUCKET>().0.iter().zip(point) {
        for l in 0..BUCKET {
            let difference = column[l] - p;
            sums[l] = sums[l] + difference * difference;
        }
    }
    *out = sums;
    mask(&sums, bound)
}

#[inline(always)]
pub(super) fn mask<T: Float>(values: &[T; BUCKET], bound: T) -> u32 {
    let mut mask = 0;
    for (l, &value) in values.iter().enumerate() {
        mask |= u32::from(value <= bound) << l;
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Scalar>() {
        for d in [1, 2, 3, 8, 17] {
            let value = |i: usize| T::from_f64((i as f64 * 0.71).sin());
            let columns: Vec<T> = (0..d * BUCKET).map(value).collect();
            let point: Vec<T> = (0..d).map(|j| value(j + 1000)).collect();
            let plain: [T; BUCKET] = std::array::from_fn(|l| {
                let difference = |j: usize| columns[j * BUCKET + l] - point[j];
                (0..d).fold(T::zero(), |s, j| s + difference(j) * difference(j))
            });
            // The bound is one of the distances: it is inclusive.
            let bound = plain[5];
            let expected = (0..BUCKET).fold(0, |m, l| m | u32::from(plain[l] <= bound) << l);
            for level in Level::available() {
                let mut out = [T::zero(); BUCKET];
                let found = bucket_distances(level, &point, &columns, bound, &mut out);
                assert_eq!((out, found), (plain, expected));
                assert_eq!(bucket_mask(level, &out, bound), expected);
                assert_eq!(found >> 5 & 1, 1);
            }
        }
    }

    #[test]
    fn every_level_has_the_bits_of_a_plain_loop() {
        check::<f32>();
        check::<f64>();
    }
}
