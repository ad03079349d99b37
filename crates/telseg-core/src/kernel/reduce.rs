//! Sums over the elements of a row, in 16 partial sums: the same order on every level.

use ndarray::ArrayRef2;
use num_traits::Float;

use super::{Kernel, Level, fma};
use crate::Scalar;

const LANES: usize = 16;

/// The inner product of two rows of the same length; the longer one is cut.
#[inline]
pub fn dot<T: Scalar>(a: &[T], b: &[T]) -> T {
    <T as Kernel>::dot(Level::best(), a, b)
}

/// The squared Euclidean distance of two rows of the same length; the longer one is cut.
#[inline]
pub fn squared_distance<T: Scalar>(a: &[T], b: &[T]) -> T {
    <T as Kernel>::squared_distance(Level::best(), a, b)
}

/// A row of one table and a row of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Row of the first.
    pub row: u32,
    /// Row of the second.
    pub other: u32,
}

/// The squared Euclidean distances of pairs of rows of two tables of `n_columns` columns, as many as there are places in
/// `out`; the same bits as [`squared_distance`] gives one by one.
///
/// # Panics
/// When a row lies outside its table.
#[inline]
pub fn squared_distances<T: Scalar>(
    rows: &[T],
    others: &[T],
    n_columns: usize,
    pairs: &[Pair],
    out: &mut [T],
) {
    <T as Kernel>::squared_distances(Level::best(), (rows, others), n_columns, pairs, out);
}

#[inline(always)]
pub(super) fn distances_body<T: Float, const FMA: bool>(
    (rows, others): (&[T], &[T]),
    d: usize,
    pairs: &[Pair],
    out: &mut [T],
) {
    for (out, pair) in out.iter_mut().zip(pairs) {
        let (a, b) = (
            &rows[pair.row as usize * d..][..d],
            &others[pair.other as usize * d..][..d],
        );
        *out = distance_body::<T, FMA>(a, b);
    }
}

/// The squared length of every row of `x`, accumulated in double precision.
pub fn row_norms<T: Scalar>(x: &ArrayRef2<T>) -> Vec<f64> {
    x.rows()
        .into_iter()
        .map(|row| row.iter().map(|v| v.into_f64() * v.into_f64()).sum())
        .collect()
}

#[inline(always)]
pub(super) fn dot_body<T: Float, const FMA: bool>(a: &[T], b: &[T]) -> T {
    reduce(a, b, |sum, a, b| fma::<T, FMA>(a, b, sum))
}

#[inline(always)]
pub(super) fn distance_body<T: Float, const FMA: bool>(a: &[T], b: &[T]) -> T {
    reduce(a, b, |sum, a, b| fma::<T, FMA>(a - b, a - b, sum))
}

#[inline(always)]
fn reduce<T: Float>(a: &[T], b: &[T], step: impl Fn(T, T, T) -> T) -> T {
    let n = a.len().min(b.len());
    let ((a, rest_a), (b, rest_b)) = (a[..n].as_chunks::<LANES>(), b[..n].as_chunks::<LANES>());
    let mut sums = [T::zero(); LANES];
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sums[l] = step(sums[l], a[l], b[l]);
        }
    }
    for (l, (a, b)) in rest_a.iter().zip(rest_b).enumerate() {
        sums[l] = step(sums[l], *a, *b);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            sums[l] = sums[l] + sums[l + half];
        }
        half /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_right_on_every_level_and_length() {
        for n in [0, 1, 15, 16, 17, 33, 100] {
            let a: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
            let b: Vec<f64> = (0..n).map(|i| (i as f64 * 0.3).cos()).collect();
            let product: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            let distance: f64 = a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b)).sum();
            for level in Level::available() {
                assert!((<f64 as Kernel>::dot(level, &a, &b) - product).abs() < 1e-13);
                assert!(
                    (<f64 as Kernel>::squared_distance(level, &a, &b) - distance).abs() < 1e-12
                );
            }
        }
        assert_eq!(dot(&[1.0f32, 2.0], &[3.0, 4.0]), 11.0);
        assert_eq!(squared_distance(&[1.0f32, 2.0], &[3.0, 5.0]), 13.0);
        assert_eq!(
            row_norms(&ndarray::array![[3.0f32, 4.0], [1.0, 0.0]]),
            [25.0, 1.0]
        );
    }
}
