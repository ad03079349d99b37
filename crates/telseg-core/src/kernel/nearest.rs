//! Nearest and second nearest centre of a tile of rows, fused: no distance is ever stored.
//!
//! `|x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x.c)`: the first term is the same for all centres, so the score in brackets
//! decides. Registers hold the scores of `W` rows and `KB` centres at a time.

use num_traits::Float;

use super::{Kernel, Level, TILE, Tile, fma};
use crate::{Error, Result, Scalar};

/// Centres laid out for the kernel: blocks of `block` centres, in each one column after the other, negated.
#[derive(Clone, Debug)]
pub struct Centers<T> {
    n: usize,
    n_columns: usize,
    block: usize,
    negated: Vec<T>,
    half_norms: Vec<T>,
}

/// What is known of the 64 rows of a tile; lanes past the last row hold garbage.
#[derive(Clone, Debug)]
pub struct NearestTile<T> {
    /// Nearest centre; the lowest index where several are equally near.
    pub label: [u32; TILE],
    /// Its score, `(|x - c|^2 - |x|^2) / 2`.
    pub best: [T; TILE],
    /// Score of the second nearest; infinite where there is one centre only.
    pub second: [T; TILE],
}

/// What is added to squared distances that are computed from scores, so that they bound the true ones.
#[derive(Clone, Copy, Debug)]
pub struct Margin<T> {
    /// Margin for each unit of `2 |x|^2 + loose`.
    pub unit: T,
    /// See `unit`.
    pub loose: T,
    /// A little more and a little less than 1: more than the arithmetic of a bound can round.
    pub up: T,
    /// See `up`.
    pub down: T,
}

impl<T: Scalar> NearestTile<T> {
    /// Replaces scores by bounds: `best` by an upper bound on the distance to the nearest centre, `second` by a lower bound on
    /// the distance to every other.
    #[inline]
    pub fn bounds(&mut self, squared_lengths: &[T; TILE], margin: &Margin<T>) {
        <T as Kernel>::bounds_tile(Level::best(), self, squared_lengths, margin);
    }
}

impl<T: Scalar> Default for NearestTile<T> {
    fn default() -> Self {
        Self {
            label: [0; TILE],
            best: [T::zero(); TILE],
            second: [T::zero(); TILE],
        }
    }
}

impl<T: Scalar> Centers<T> {
    /// Lays out centres, given one after the other, `n_columns` numbers each.
    ///
    /// # Errors
    /// When there is no centre, or the numbers do not divide into rows.
    pub fn new(centers: &[T], n_columns: usize) -> Result<Self> {
        if centers.is_empty() || n_columns == 0 || !centers.len().is_multiple_of(n_columns) {
            let expected = format!("at least one row of {n_columns} columns");
            return Err(Error::shape(
                "centers",
                expected,
                format!("{} numbers", centers.len()),
            ));
        }
        let n = centers.len() / n_columns;
        // The block that pads the fewest places; of equals the largest.
        let block = [6, 5, 4]
            .into_iter()
            .min_by_key(|b| n.next_multiple_of(*b))
            .unwrap_or(4);
        let padded = n.next_multiple_of(block);
        let mut negated = vec![T::zero(); padded * n_columns];
        let mut half_norms = vec![T::infinity(); padded];
        for (i, center) in centers.chunks_exact(n_columns).enumerate() {
            let start = i / block * block * n_columns + i % block;
            center
                .iter()
                .enumerate()
                .for_each(|(j, &c)| negated[start + j * block] = -c);
            let norm: f64 = center.iter().map(|c| c.into_f64().powi(2)).sum();
            half_norms[i] = T::from_f64(norm / 2.0);
        }
        Ok(Self {
            n,
            n_columns,
            block,
            negated,
            half_norms,
        })
    }

    /// Number of centres.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Nearest and second nearest centre of every row of a tile.
    ///
    /// # Cost
    /// `2 n columns` floating point operations a row.
    #[inline]
    pub fn nearest(&self, tile: Tile<'_, T>, out: &mut NearestTile<T>) {
        self.nearest_at(Level::best(), tile, out);
    }

    /// Scores of every row of a tile against every centre, `(|x - c|^2 - |x|^2) / 2`, one row of `out` a centre.
    ///
    /// # Panics
    /// When `out` has not one row for each centre.
    #[inline]
    pub fn scores(&self, tile: Tile<'_, T>, out: &mut [[T; TILE]]) {
        assert_eq!(out.len(), self.n, "one row of scores for each centre");
        <T as Kernel>::scores_tile(Level::best(), tile, self, out);
    }

    /// As [`nearest`](Self::nearest), on a chosen level.
    #[inline]
    pub(crate) fn nearest_at(&self, level: Level, tile: Tile<'_, T>, out: &mut NearestTile<T>) {
        debug_assert_eq!(tile.lanes.len(), self.n_columns);
        <T as Kernel>::nearest_tile(level, tile, self, out);
    }
}

#[inline(always)]
pub(super) fn tile<T: Float, const W: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    centers: &Centers<T>,
    out: &mut NearestTile<T>,
) {
    match centers.block {
        4 => blocks::<T, W, 4, FMA>(tile, centers, out),
        5 => blocks::<T, W, 5, FMA>(tile, centers, out),
        _ => blocks::<T, W, 6, FMA>(tile, centers, out),
    }
}

#[inline(always)]
pub(super) fn scores<T: Float, const W: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    centers: &Centers<T>,
    out: &mut [[T; TILE]],
) {
    match centers.block {
        4 => all::<T, W, 4, FMA>(tile, centers, out),
        5 => all::<T, W, 5, FMA>(tile, centers, out),
        _ => all::<T, W, 6, FMA>(tile, centers, out),
    }
}

/// Scores of rows `start .. start + W` against one block of centres: the inner loop of everything here.
#[inline(always)]
fn block<T: Float, const W: usize, const KB: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    start: usize,
    centers: &[T],
    half_norms: &[T; KB],
) -> [[T; W]; KB] {
    let mut score = [[T::zero(); W]; KB];
    for (lane, center) in tile.lanes.iter().zip(centers.as_chunks::<KB>().0) {
        let x: &[T; W] = lane.0[start..]
            .first_chunk()
            .expect("invariant: W divides 64");
        for q in 0..KB {
            for l in 0..W {
                score[q][l] = fma::<T, FMA>(center[q], x[l], score[q][l]);
            }
        }
    }
    for (score, &half_norm) in score.iter_mut().zip(half_norms) {
        score.iter_mut().for_each(|s| *s = *s + half_norm);
    }
    score
}

#[inline(always)]
fn all<T: Float, const W: usize, const KB: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    centers: &Centers<T>,
    out: &mut [[T; TILE]],
) {
    let half_norms = centers.half_norms.as_chunks::<KB>().0;
    let blocks = centers
        .negated
        .chunks_exact(centers.n_columns * KB)
        .zip(half_norms);
    for ((values, half_norm), out) in blocks.zip(out.chunks_mut(KB)) {
        for start in (0..TILE).step_by(W) {
            let score = block::<T, W, KB, FMA>(tile, start, values, half_norm);
            for (out, score) in out.iter_mut().zip(score) {
                out[start..start + W].copy_from_slice(&score);
            }
        }
    }
}

#[inline(always)]
fn blocks<T: Float, const W: usize, const KB: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    centers: &Centers<T>,
    out: &mut NearestTile<T>,
) {
    for start in (0..TILE).step_by(W) {
        let (mut best, mut second, mut label) =
            ([T::infinity(); W], [T::infinity(); W], [T::zero(); W]);
        let mut index = T::zero();
        let half_norms = centers.half_norms.as_chunks::<KB>().0;
        for (values, half_norm) in centers
            .negated
            .chunks_exact(centers.n_columns * KB)
            .zip(half_norms)
        {
            let score = block::<T, W, KB, FMA>(tile, start, values, half_norm);
            for score in score {
                for l in 0..W {
                    let nearer = score[l] < best[l];
                    let other = if nearer { best[l] } else { score[l] };
                    second[l] = if other < second[l] { other } else { second[l] };
                    best[l] = if nearer { score[l] } else { best[l] };
                    label[l] = if nearer { index } else { label[l] };
                }
                index = index + T::one();
            }
        }
        for l in 0..W {
            out.label[start + l] = label[l].to_u32().unwrap_or(0);
            out.best[start + l] = best[l];
            out.second[start + l] = second[l];
        }
    }
}

#[inline(always)]
pub(super) fn lengths<T: Float, const FMA: bool>(tile: Tile<'_, T>, out: &mut [T; TILE]) {
    let mut sums = [T::zero(); TILE];
    for lane in tile.lanes {
        for (sum, &v) in sums.iter_mut().zip(&lane.0) {
            *sum = fma::<T, FMA>(v, v, *sum);
        }
    }
    *out = sums;
}

#[inline(always)]
pub(super) fn bounds<T: Float>(
    found: &mut NearestTile<T>,
    lengths: &[T; TILE],
    margin: &Margin<T>,
) {
    let two = T::one() + T::one();
    let positive = |v: T| if v > T::zero() { v } else { T::zero() };
    for (l, &length) in lengths.iter().enumerate() {
        let off = margin.unit * (two * length + margin.loose) * margin.up + T::min_positive_value();
        let (near, far) = (
            length + two * found.best[l],
            length + two * found.second[l] - off,
        );
        found.best[l] = (positive(near) + off).sqrt() * margin.up;
        found.second[l] = positive(far).sqrt() * margin.down;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::kernel::Packed;
    use ndarray::Array2;
    use rand::Rng;

    fn random<T: Scalar>(n: usize, d: usize, seed: u64) -> Array2<T> {
        let mut rng = Seed::new(seed).stream("test").index(0);
        Array2::from_shape_fn((n, d), |_| T::from_f64(rng.random_range(-1.0..1.0)))
    }

    /// Every level against distances in double precision, for each number of centres around the block sizes.
    fn agrees<T: Scalar>(tolerance: f64) {
        for (n, d, k) in [
            (1, 1, 1),
            (64, 3, 2),
            (65, 16, 20),
            (200, 7, 13),
            (130, 40, 5),
            (70, 2, 24),
        ] {
            let (x, c) = (random::<T>(n, d, 1), random::<T>(k, d, 2));
            let packed = Packed::new(&x, &vec![T::zero(); d]).unwrap();
            let centers = Centers::new(c.as_slice().unwrap(), d).unwrap();
            for level in Level::available() {
                let mut out = NearestTile::default();
                for t in 0..packed.n_tiles() {
                    let (tile, rows) = packed.tile(t);
                    centers.nearest_at(level, tile, &mut out);
                    let mut all = vec![[T::zero(); TILE]; k];
                    <T as Kernel>::scores_tile(level, tile, &centers, &mut all);
                    for l in 0..rows {
                        let row = x.row(t * TILE + l);
                        let score = |j: usize| -> f64 {
                            let pairs = row.iter().zip(c.row(j));
                            let d2: f64 = pairs
                                .map(|(a, b)| (a.into_f64() - b.into_f64()).powi(2))
                                .sum();
                            (d2 - row.iter().map(|a| a.into_f64().powi(2)).sum::<f64>()) / 2.0
                        };
                        let mut scores: Vec<f64> = (0..k).map(score).collect();
                        let label = out.label[l] as usize;
                        assert!(
                            (scores[label] - out.best[l].into_f64()).abs() < tolerance,
                            "{level:?} best"
                        );
                        assert!(
                            scores
                                .iter()
                                .zip(&all)
                                .all(|(s, a)| (s - a[l].into_f64()).abs() < tolerance)
                        );
                        scores.sort_by(f64::total_cmp);
                        assert!(
                            (scores[0] - out.best[l].into_f64()).abs() < tolerance,
                            "{level:?} nearest"
                        );
                        match scores.get(1) {
                            Some(s) => assert!(
                                (s - out.second[l].into_f64()).abs() < tolerance,
                                "{level:?} second"
                            ),
                            None => assert!(out.second[l].is_infinite()),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn finds_the_nearest_and_the_second_on_every_level() {
        // 40 products below 1 in size, summed to at most 40: some 40 * 40 / 2 units of 2^-24 and of 2^-53 in the worst case,
        // their root in practice.
        agrees::<f32>(2e-6);
        agrees::<f64>(1e-13);
    }

    #[test]
    fn equally_near_centres_give_the_lowest_index() {
        let packed = Packed::new(&ndarray::array![[0.0f32]], &[0.0]).unwrap();
        let centers = Centers::new(&[1.0f32, -1.0, 1.0], 1).unwrap();
        for level in Level::available() {
            let mut out = NearestTile::default();
            centers.nearest_at(level, packed.tile(0).0, &mut out);
            assert_eq!((out.label[0], out.best[0], out.second[0]), (0, 0.5, 0.5));
        }
    }
}
