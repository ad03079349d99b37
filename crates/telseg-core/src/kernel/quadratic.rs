//! Quadratic forms of a tile of rows: what the exponent of a normal density asks of every row.
//!
//! Lanes run across rows; registers hold four outputs of a triangular product at a time.

use num_traits::Float;

use super::pack::Lane;
use super::{Kernel, Level, Packed, TILE, Tile, fma};
use crate::{Error, Result, Scalar};

/// Outputs of the triangular product that are held in registers.
const BLOCK: usize = 4;

/// `M (x - c)` with a lower triangular `M`, laid out for the kernel.
#[derive(Clone, Debug)]
pub struct Triangle<T> {
    center: Vec<T>,
    /// For each block of four rows of `M`, its columns up to the diagonal, four numbers each.
    blocks: Vec<[T; BLOCK]>,
}

/// `s (x - c)` element by element.
#[derive(Clone, Debug)]
pub struct Diagonal<T> {
    center: Vec<T>,
    scale: Vec<T>,
}

/// Room for a tile of rows relative to a centre, and for the same times a weight.
#[derive(Clone, Debug)]
pub struct Scratch<T> {
    pub(super) centred: Vec<Lane<T>>,
    pub(super) weighted: Vec<Lane<T>>,
}

impl<T: Scalar> Scratch<T> {
    /// Room for rows of so many columns.
    pub fn new(n_columns: usize) -> Self {
        let lanes = vec![Lane([T::zero(); TILE]); n_columns.next_multiple_of(BLOCK)];
        Self {
            centred: lanes.clone(),
            weighted: lanes,
        }
    }
}

impl<T: Scalar> Triangle<T> {
    /// Lays out the centre and the lower triangle of `matrix` (row after row); what is above the diagonal is not read.
    ///
    /// # Errors
    /// When the matrix is not square over the columns of the centre.
    pub fn new(center: &[T], matrix: &[T]) -> Result<Self> {
        let d = center.len();
        if d == 0 || matrix.len() != d * d {
            let expected = format!("{d} by {d} numbers, at least 1");
            return Err(Error::shape("matrix", expected, matrix.len().to_string()));
        }
        let mut blocks = Vec::new();
        for first in (0..d).step_by(BLOCK) {
            for column in 0..d.min(first + BLOCK) {
                blocks.push(std::array::from_fn(|q| {
                    let row = first + q;
                    if row < d && column <= row {
                        matrix[row * d + column]
                    } else {
                        T::zero()
                    }
                }));
            }
        }
        Ok(Self {
            center: center.to_vec(),
            blocks,
        })
    }

    /// `|M (x - c)|^2` of every row of a tile.
    ///
    /// # Cost
    /// `d (d + 4)` floating point operations a row.
    #[inline]
    pub fn squared(&self, tile: Tile<'_, T>, scratch: &mut Scratch<T>, out: &mut [T; TILE]) {
        <T as Kernel>::triangle_tile(Level::best(), tile, self, scratch, out);
    }

    /// The same of one row minus `shift`, with the same bits as in a tile; allocates nothing.
    #[inline]
    pub fn squared_row(&self, row: &[T], shift: &[T]) -> T {
        <T as Kernel>::triangle_row(Level::best(), row, shift, self)
    }

    /// `M (x - c)` of every row of a tile, written to the first tile of `out`.
    #[inline]
    pub fn apply(&self, tile: Tile<'_, T>, scratch: &mut Scratch<T>, out: &mut Packed<T>) {
        <T as Kernel>::triangle_apply(Level::best(), tile, self, scratch, out);
    }

    /// `|M (x - c) - t|^2` of one row minus `shift`, with the bits of [`apply`](Self::apply) followed by a
    /// [`Diagonal`] of ones about `target`; allocates nothing.
    #[inline]
    pub fn squared_row_to(&self, row: &[T], shift: &[T], target: &[T]) -> T {
        <T as Kernel>::triangle_row_to(Level::best(), row, shift, self, target)
    }

    /// The triangle in blocks of rows: the number of the first row, and its columns.
    #[inline(always)]
    fn rows(&self) -> impl Iterator<Item = (usize, &[[T; BLOCK]])> {
        let d = self.center.len();
        let mut at = 0;
        (0..d).step_by(BLOCK).map(move |first| {
            let width = d.min(first + BLOCK);
            at += width;
            (first, &self.blocks[at - width..at])
        })
    }
}

impl<T: Scalar> Diagonal<T> {
    /// A centre and a factor for each column.
    ///
    /// # Errors
    /// When they differ in length.
    pub fn new(center: &[T], scale: &[T]) -> Result<Self> {
        if center.len() != scale.len() {
            let expected = format!("{} columns", center.len());
            return Err(Error::shape("scale", expected, scale.len().to_string()));
        }
        Ok(Self {
            center: center.to_vec(),
            scale: scale.to_vec(),
        })
    }

    /// `|s (x - c)|^2` of every row of a tile.
    #[inline]
    pub fn squared(&self, tile: Tile<'_, T>, out: &mut [T; TILE]) {
        <T as Kernel>::diagonal_tile(Level::best(), tile, self, out);
    }

    /// The same of one row minus `shift`, with the same bits as in a tile; allocates nothing.
    #[inline]
    pub fn squared_row(&self, row: &[T], shift: &[T]) -> T {
        <T as Kernel>::diagonal_row(Level::best(), row, shift, self)
    }
}

#[inline(always)]
pub(super) fn triangle<T: Scalar, const W: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    form: &Triangle<T>,
    scratch: &mut Scratch<T>,
    out: &mut [T; TILE],
) {
    center(tile, &form.center, &mut scratch.centred);
    for start in (0..TILE).step_by(W) {
        let mut sum = [T::zero(); W];
        for (_, columns) in form.rows() {
            for y in outputs::<T, W, FMA>(&scratch.centred, start, columns) {
                for l in 0..W {
                    sum[l] = fma::<T, FMA>(y[l], y[l], sum[l]);
                }
            }
        }
        out[start..start + W].copy_from_slice(&sum);
    }
}

#[inline(always)]
pub(super) fn apply<T: Scalar, const W: usize, const FMA: bool>(
    tile: Tile<'_, T>,
    form: &Triangle<T>,
    scratch: &mut Scratch<T>,
    out: &mut Packed<T>,
) {
    center(tile, &form.center, &mut scratch.centred);
    for start in (0..TILE).step_by(W) {
        for (first, columns) in form.rows() {
            let y = outputs::<T, W, FMA>(&scratch.centred, start, columns);
            for (out, y) in out.lanes_mut()[first..].iter_mut().zip(y) {
                out.0[start..start + W].copy_from_slice(&y);
            }
        }
    }
}

/// Four outputs of the triangular product for rows `start .. start + W`: the inner loop.
#[inline(always)]
fn outputs<T: Float, const W: usize, const FMA: bool>(
    centred: &[Lane<T>],
    start: usize,
    columns: &[[T; BLOCK]],
) -> [[T; W]; BLOCK] {
    let mut y = [[T::zero(); W]; BLOCK];
    for (lane, m) in centred.iter().zip(columns) {
        let z: &[T; W] = lane.0[start..]
            .first_chunk()
            .expect("invariant: W divides 64");
        for q in 0..BLOCK {
            for l in 0..W {
                y[q][l] = fma::<T, FMA>(m[q], z[l], y[q][l]);
            }
        }
    }
    y
}

/// The tile relative to the centre.
#[inline(always)]
pub(super) fn center<T: Float>(tile: Tile<'_, T>, center: &[T], out: &mut [Lane<T>]) {
    for ((out, lane), &c) in out.iter_mut().zip(tile.lanes).zip(center) {
        for l in 0..TILE {
            out.0[l] = lane.0[l] - c;
        }
    }
}

/// Four outputs of the triangular product for one row: the same operations in the same order as in a tile.
#[inline(always)]
fn outputs_row<T: Scalar, const FMA: bool>(
    row: &[T],
    shift: &[T],
    form: &Triangle<T>,
    columns: &[[T; BLOCK]],
) -> [T; BLOCK] {
    let mut y = [T::zero(); BLOCK];
    let cells = row.iter().zip(shift).zip(&form.center);
    for (((&x, &s), &c), m) in cells.zip(columns) {
        let z = x - s - c;
        for q in 0..BLOCK {
            y[q] = fma::<T, FMA>(m[q], z, y[q]);
        }
    }
    y
}

#[inline(always)]
pub(super) fn triangle_row<T: Scalar, const FMA: bool>(
    row: &[T],
    shift: &[T],
    form: &Triangle<T>,
) -> T {
    let mut sum = T::zero();
    for (_, columns) in form.rows() {
        for y in outputs_row::<T, FMA>(row, shift, form, columns) {
            sum = fma::<T, FMA>(y, y, sum);
        }
    }
    sum
}

#[inline(always)]
pub(super) fn triangle_row_to<T: Scalar, const FMA: bool>(
    row: &[T],
    shift: &[T],
    form: &Triangle<T>,
    target: &[T],
) -> T {
    let mut sum = T::zero();
    for (first, columns) in form.rows() {
        let y = outputs_row::<T, FMA>(row, shift, form, columns);
        for (y, &t) in y.into_iter().zip(&target[first..]) {
            sum = fma::<T, FMA>(y - t, y - t, sum);
        }
    }
    sum
}

#[inline(always)]
pub(super) fn diagonal<T: Float, const FMA: bool>(
    tile: Tile<'_, T>,
    form: &Diagonal<T>,
    out: &mut [T; TILE],
) {
    *out = [T::zero(); TILE];
    for ((lane, &c), &s) in tile.lanes.iter().zip(&form.center).zip(&form.scale) {
        for (out, &x) in out.iter_mut().zip(&lane.0) {
            let y = (x - c) * s;
            *out = fma::<T, FMA>(y, y, *out);
        }
    }
}

#[inline(always)]
pub(super) fn diagonal_row<T: Float, const FMA: bool>(
    row: &[T],
    shift: &[T],
    form: &Diagonal<T>,
) -> T {
    let mut sum = T::zero();
    let cells = row.iter().zip(shift).zip(&form.center).zip(&form.scale);
    for (((&x, &shift), &c), &s) in cells {
        let y = (x - shift - c) * s;
        sum = fma::<T, FMA>(y, y, sum);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use ndarray::Array2;

    fn uniform<T: Scalar>(n: usize, d: usize, name: &str) -> Array2<T> {
        let stream = Seed::new(1).stream(name);
        Array2::from_shape_fn((n, d), |(i, j)| {
            T::from_f64(stream.unit((i * d + j) as u64) - 0.5)
        })
    }

    /// Every level against the definition in double precision, and a row alone against the row in a tile by bits.
    fn agrees<T: Scalar>(tolerance: f64) {
        for d in [1, 2, 3, 4, 5, 8, 16, 19] {
            let (x, m) = (uniform::<T>(70, d, "rows"), uniform::<T>(d, d, "matrix"));
            let (c, shift) = (uniform::<T>(1, d, "center"), uniform::<T>(1, d, "shift"));
            let (c, shift) = (c.into_raw_vec_and_offset().0, shift.row(0).to_vec());
            let triangle = Triangle::new(&c, m.as_slice().unwrap()).unwrap();
            let diagonal = Diagonal::new(&c, m.row(0).as_slice().unwrap()).unwrap();
            let packed = Packed::new(&x, &shift).unwrap();
            let (mut scratch, mut out) = (Scratch::new(d), [T::zero(); TILE]);
            let mut applied = Packed::zeros(TILE, d);
            for (i, row) in x.rows().into_iter().enumerate() {
                let z: Vec<f64> = (0..d)
                    .map(|j| row[j].into_f64() - shift[j].into_f64() - c[j].into_f64())
                    .collect();
                let y: Vec<f64> = (0..d)
                    .map(|b| (0..=b).map(|a| m[[b, a]].into_f64() * z[a]).sum())
                    .collect();
                let full: f64 = y.iter().map(|y| y * y).sum();
                let plain: f64 = (0..d).map(|a| (m[[0, a]].into_f64() * z[a]).powi(2)).sum();
                let (tile, l) = (packed.tile(i / TILE).0, i % TILE);
                for level in Level::available() {
                    <T as Kernel>::triangle_tile(level, tile, &triangle, &mut scratch, &mut out);
                    assert!(
                        (out[l].into_f64() - full).abs() < tolerance,
                        "{level:?} {d}"
                    );
                    let row = row.as_slice().unwrap();
                    let alone = <T as Kernel>::triangle_row(level, row, &shift, &triangle);
                    assert_eq!(alone, out[l], "{level:?} {d}");
                    <T as Kernel>::triangle_apply(
                        level,
                        tile,
                        &triangle,
                        &mut scratch,
                        &mut applied,
                    );
                    for (lane, y) in applied.lanes_mut().iter().zip(&y) {
                        assert!((lane.0[l].into_f64() - y).abs() < tolerance);
                    }
                    let ones = Diagonal::new(&c, &vec![T::one(); d]).unwrap();
                    <T as Kernel>::diagonal_tile(level, applied.tile(0).0, &ones, &mut out);
                    let alone = <T as Kernel>::triangle_row_to(level, row, &shift, &triangle, &c);
                    assert_eq!(alone, out[l]);
                    <T as Kernel>::diagonal_tile(level, tile, &diagonal, &mut out);
                    assert!((out[l].into_f64() - plain).abs() < tolerance);
                    let alone = <T as Kernel>::diagonal_row(level, row, &shift, &diagonal);
                    assert_eq!(alone, out[l]);
                }
            }
        }
    }

    #[test]
    fn every_level_agrees_with_the_definition() {
        // Up to 19 outputs of up to 19 products below 1: some 19 * 19 units of 2^-24 and 2^-53 in the worst case.
        agrees::<f32>(3e-5);
        agrees::<f64>(1e-13);
    }

    #[test]
    fn shapes_are_checked() {
        assert!(Triangle::new(&[0.0f32, 0.0], &[1.0]).is_err());
        assert!(Diagonal::new(&[0.0f32], &[1.0, 2.0]).is_err());
    }
}
