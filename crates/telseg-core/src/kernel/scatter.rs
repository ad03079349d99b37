//! Weighted first and second moments of tiles of rows about a centre.
//!
//! `sum w`, `sum w z` and `sum w z z^T` with `z = x - c`. Lanes run across rows: eight partial sums for each pair of
//! columns, kept between tiles and folded into double precision now and then, so that single precision errs by no more
//! than the sum of a few hundred numbers.

use num_traits::Float;

use super::pack::Lane;
use super::quadratic::{Scratch, center};
use super::{Kernel, Level, TILE, Tile, fma};
use crate::Scalar;

/// Partial sums of each pair: a constant, so that every level adds in the same order.
const LANES: usize = 8;
/// Columns of the weighted and of the plain factor that are multiplied in registers.
const TALL: usize = 4;
const WIDE: usize = 2;
/// Tiles between folds: each partial sum is of at most 32 * 64 / 8 = 256 rows.
const FOLD: usize = 32;

/// Which products of columns are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// All pairs of columns.
    Pairs,
    /// Each column with itself.
    Squares,
}

/// Moments of the rows that were added.
#[derive(Clone, Debug)]
pub struct Scatter<T> {
    products: Products,
    weight: [T; LANES],
    first: Vec<[T; LANES]>,
    second: Vec<[T; LANES]>,
    /// Tiles since the last fold.
    pending: usize,
    sums: Sums,
}

/// Moments in double precision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// `sum w`.
    pub weight: f64,
    /// `sum w z`, a number a column.
    pub first: Vec<f64>,
    /// `sum w z_a z_b` for `a <= b`, row after row; or for `a = b` only, where squares were asked for.
    pub second: Vec<f64>,
}

impl<T: Scalar> Scatter<T> {
    /// No rows of so many columns.
    pub fn new(n_columns: usize, products: Products) -> Self {
        let (n_pairs, n_lanes) = match products {
            Products::Pairs => (
                n_columns * (n_columns + 1) / 2,
                blocks(n_columns).count() * TALL * WIDE,
            ),
            Products::Squares => (n_columns, n_columns),
        };
        Self {
            products,
            weight: [T::zero(); LANES],
            first: vec![[T::zero(); LANES]; n_columns],
            second: vec![[T::zero(); LANES]; n_lanes],
            pending: 0,
            sums: Sums {
                weight: 0.0,
                first: vec![0.0; n_columns],
                second: vec![0.0; n_pairs],
            },
        }
    }

    /// Adds a tile of rows about `center`; rows past the end must have weight 0.
    ///
    /// # Cost
    /// `d (d + 7)` floating point operations a row for pairs, `4 d` for squares; nothing where all weights are 0.
    #[inline]
    pub fn add(
        &mut self,
        tile: Tile<'_, T>,
        center: &[T],
        weights: &[T; TILE],
        scratch: &mut Scratch<T>,
    ) {
        if weights.iter().all(|w| *w == T::zero()) {
            return;
        }
        <T as Kernel>::scatter_tile(Level::best(), tile, center, weights, scratch, self);
        self.pending += 1;
        if self.pending == FOLD {
            self.fold();
        }
    }

    /// The moments of all rows added so far.
    pub fn sums(mut self) -> Sums {
        self.fold();
        self.sums
    }

    /// Moves the partial sums into double precision.
    fn fold(&mut self) {
        self.pending = 0;
        let d = self.first.len();
        let take = |lanes: &mut [T; LANES]| {
            let sum: f64 = lanes.iter().map(|v| v.into_f64()).sum();
            *lanes = [T::zero(); LANES];
            sum
        };
        self.sums.weight += take(&mut self.weight);
        for (sum, lanes) in self.sums.first.iter_mut().zip(&mut self.first) {
            *sum += take(lanes);
        }
        match self.products {
            Products::Squares => {
                for (sum, lanes) in self.sums.second.iter_mut().zip(&mut self.second) {
                    *sum += take(lanes);
                }
            }
            Products::Pairs => {
                for ((a0, b0), lanes) in blocks(d).zip(self.second.as_chunks_mut().0) {
                    let lanes: &mut [[T; LANES]; TALL * WIDE] = lanes;
                    for (i, lanes) in lanes.iter_mut().enumerate() {
                        let (a, b, sum) = (a0 + i / WIDE, b0 + i % WIDE, take(lanes));
                        if a <= b && b < d {
                            self.sums.second[a * d - a * (a + 1) / 2 + b] += sum;
                        }
                    }
                }
            }
        }
    }
}

/// The blocks of pairs of columns that cover the upper triangle: first row and first column.
#[inline(always)]
fn blocks(d: usize) -> impl Iterator<Item = (usize, usize)> {
    let rows = (0..d).step_by(TALL);
    rows.flat_map(move |a| (a..d).step_by(WIDE).map(move |b| (a, b)))
}

#[inline(always)]
pub(super) fn add<T: Scalar, const W: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    about: &[T],
    weights: &[T; TILE],
    scratch: &mut Scratch<T>,
    out: &mut Scatter<T>,
) {
    let groups = weights.as_chunks::<LANES>().0;
    let mut weight = out.weight; // in registers
    for group in groups {
        for l in 0..LANES {
            weight[l] += group[l];
        }
    }
    out.weight = weight;
    center(tile, about, &mut scratch.centred);
    let d = about.len();
    match out.products {
        Products::Squares => {
            let columns = out.first.iter_mut().zip(&mut out.second);
            for ((first, second), z) in columns.zip(&scratch.centred) {
                let (mut one, mut two) = (*first, *second); // in registers
                for (z, w) in z.0.as_chunks::<LANES>().0.iter().zip(groups) {
                    for l in 0..LANES {
                        let weighted = w[l] * z[l];
                        one[l] += weighted;
                        two[l] = fma::<T, FMA>(weighted, z[l], two[l]);
                    }
                }
                (*first, *second) = (one, two);
            }
        }
        Products::Pairs => {
            let columns = out.first.iter_mut().zip(&mut scratch.weighted);
            for ((first, weighted), z) in columns.zip(&scratch.centred) {
                for ((weighted, &w), &z) in weighted.0.iter_mut().zip(weights).zip(&z.0) {
                    *weighted = w * z;
                }
                let mut one = *first; // in registers
                for weighted in weighted.0.as_chunks::<LANES>().0 {
                    for l in 0..LANES {
                        one[l] += weighted[l];
                    }
                }
                *first = one;
            }
            for ((a, b), sums) in blocks(d).zip(out.second.as_chunks_mut().0) {
                let weighted = scratch.weighted[a..].first_chunk();
                let centred = scratch.centred[b..].first_chunk();
                pairs::<T, W, FMA>(
                    weighted.expect("invariant: padded to a multiple of 4"),
                    centred.expect("invariant: padded to a multiple of 4"),
                    sums,
                );
            }
        }
    }
}

/// Products of four weighted columns with two plain ones over a tile: the inner loop.
#[inline(always)]
fn pairs<T: Float, const W: usize, const FMA: bool>(
    weighted: &[Lane<T>; TALL],
    centred: &[Lane<T>; WIDE],
    sums: &mut [[T; LANES]; TALL * WIDE],
) {
    for part in (0..LANES).step_by(W) {
        let mut sum: [[T; W]; TALL * WIDE] =
            std::array::from_fn(|i| std::array::from_fn(|l| sums[i][part + l]));
        for start in (part..TILE).step_by(LANES) {
            let z: [&[T; W]; WIDE] = std::array::from_fn(|q| at(&centred[q], start));
            for p in 0..TALL {
                let w: &[T; W] = at(&weighted[p], start);
                for q in 0..WIDE {
                    for l in 0..W {
                        let s = &mut sum[p * WIDE + q][l];
                        *s = fma::<T, FMA>(w[l], z[q][l], *s);
                    }
                }
            }
        }
        for (sums, sum) in sums.iter_mut().zip(sum) {
            sums[part..part + W].copy_from_slice(&sum);
        }
    }
}

#[inline(always)]
fn at<T, const W: usize>(lane: &Lane<T>, start: usize) -> &[T; W] {
    lane.0[start..]
        .first_chunk()
        .expect("invariant: W divides 64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::kernel::Packed;
    use ndarray::Array2;

    fn agrees<T: Scalar>(tolerance: f64) {
        let stream = Seed::new(1).stream("scatter");
        for d in [1, 2, 3, 4, 5, 6, 7, 16, 21] {
            let n = 64 * 40; // more than one fold
            let x = Array2::from_shape_fn((n, d), |(i, j)| {
                T::from_f64(stream.unit((i * d + j) as u64))
            });
            let about: Vec<T> = (0..d).map(|j| T::from_f64(0.3 + 0.01 * j as f64)).collect();
            let weights: Vec<T> = (0..n).map(|i| T::from_f64((i % 3) as f64 / 2.0)).collect();
            let packed = Packed::new(&x, &vec![T::zero(); d]).unwrap();
            let z = |i: usize, j: usize| x[[i, j]].into_f64() - about[j].into_f64();
            let moment = |f: &dyn Fn(usize) -> f64| -> f64 {
                (0..n).map(|i| weights[i].into_f64() * f(i)).sum()
            };
            for level in Level::available() {
                for products in [Products::Pairs, Products::Squares] {
                    let (mut scatter, mut scratch) = (Scatter::new(d, products), Scratch::new(d));
                    for t in 0..packed.n_tiles() {
                        let weights = weights[t * TILE..].first_chunk().unwrap();
                        <T as Kernel>::scatter_tile(
                            level,
                            packed.tile(t).0,
                            &about,
                            weights,
                            &mut scratch,
                            &mut scatter,
                        );
                        if t == 20 {
                            scatter.fold();
                        }
                    }
                    let sums = scatter.sums();
                    let close = |a: f64, b: f64| (a - b).abs() < tolerance * n as f64;
                    assert!(close(sums.weight, moment(&|_| 1.0)));
                    let mut second = sums.second.iter();
                    for a in 0..d {
                        assert!(close(sums.first[a], moment(&|i| z(i, a))));
                        for b in a..d {
                            if products == Products::Pairs || a == b {
                                let found = *second.next().unwrap();
                                let expected = moment(&|i| z(i, a) * z(i, b));
                                assert!(close(found, expected), "{level:?} {d} {a} {b}");
                            }
                        }
                    }
                    assert!(second.next().is_none());
                }
            }
        }
    }

    #[test]
    fn every_level_agrees_with_the_definition() {
        // A partial sum of 168 rows in single precision errs by some sqrt(168) 2^-24 of its size; the mean less.
        agrees::<f32>(1e-7);
        agrees::<f64>(1e-15);
    }

    #[test]
    fn tiles_without_weight_are_left_out() {
        let packed = Packed::<f32>::zeros(TILE, 2);
        let mut scatter = Scatter::new(2, Products::Pairs);
        let mut scratch = Scratch::new(2);
        scatter.add(packed.tile(0).0, &[f32::NAN; 2], &[0.0; TILE], &mut scratch);
        assert_eq!(scatter.sums().second, [0.0; 3]);
    }
}
