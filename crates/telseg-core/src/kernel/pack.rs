//! Rows packed into tiles of 64, so that lanes run across rows: `[rows / 64][columns][64]`.

use ndarray::ArrayRef2;

use super::{Kernel, Level, transpose};
use crate::{Result, Scalar, par};

/// Rows of a tile.
pub const TILE: usize = 64;

/// One column of one tile, on its own cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Lane<T>(pub(crate) [T; TILE]);

/// A matrix packed once, to be passed over many times.
#[derive(Clone, Debug)]
pub struct Packed<T> {
    n_rows: usize,
    n_columns: usize,
    lanes: Vec<Lane<T>>,
}

/// Up to 64 packed rows.
#[derive(Clone, Copy, Debug)]
pub struct Tile<'a, T> {
    pub(crate) lanes: &'a [Lane<T>],
}

/// Tiles that one task packs.
const CHUNK: usize = 64;

impl<T: Scalar> Packed<T> {
    /// Packs the rows of `x` minus `shift` (one number a column), in parallel; rows past the end are zero.
    ///
    /// Shifting to the column means keeps the digits that matter when distances are computed in expanded form.
    ///
    /// # Errors
    /// When `shift` has not one number for each column.
    pub fn new(x: &ArrayRef2<T>, shift: &[T]) -> Result<Self> {
        let (n_rows, n_columns) = x.dim();
        if shift.len() != n_columns {
            return Err(crate::Error::shape(
                "shift",
                format!("{n_columns} columns"),
                shift.len().to_string(),
            ));
        }
        let mut packed = Self::zeros(n_rows, n_columns);
        let per_task = CHUNK * n_columns.max(1);
        par::fill(&mut packed.lanes, per_task, |range, lanes| {
            let first = range.start / n_columns * TILE;
            for (t, tile) in lanes.chunks_exact_mut(n_columns).enumerate() {
                let start = first + t * TILE;
                if let Some(values) = x.as_slice() {
                    let end = n_rows.min(start + TILE);
                    <T as Kernel>::transpose(
                        Level::best(),
                        &values[start * n_columns..end * n_columns],
                        shift,
                        tile,
                    );
                    continue;
                }
                for (l, row) in (start..n_rows.min(start + TILE)).enumerate() {
                    let row = x.row(row);
                    match row.as_slice() {
                        Some(row) => transpose::put(tile, l, row, shift),
                        None => {
                            for ((lane, &v), &s) in tile.iter_mut().zip(row).zip(shift) {
                                lane.0[l] = v - s;
                            }
                        }
                    }
                }
            }
        });
        Ok(packed)
    }

    /// Room for `n_rows` rows, all zero.
    pub fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self {
            n_rows,
            n_columns,
            lanes: vec![Lane([T::zero(); TILE]); n_rows.div_ceil(TILE) * n_columns],
        }
    }

    /// Number of rows, padding not counted.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of tiles.
    pub fn n_tiles(&self) -> usize {
        self.n_rows.div_ceil(TILE)
    }

    /// One tile: rows `64 index ..`, and the number of them that are not padding.
    pub fn tile(&self, index: usize) -> (Tile<'_, T>, usize) {
        let lanes = &self.lanes[index * self.n_columns..][..self.n_columns];
        (Tile { lanes }, (self.n_rows - index * TILE).min(TILE))
    }

    pub(crate) fn lanes_mut(&mut self) -> &mut [Lane<T>] {
        &mut self.lanes
    }

    /// Writes up to 64 rows, one after the other in `rows`, minus `shift` to one tile: for passes over rows that are packed
    /// only while they are in cache. Lanes past the last row keep what they had.
    ///
    /// # Panics
    /// When there are more rows, or `shift` has not one number for each column.
    #[inline]
    pub fn load(&mut self, index: usize, rows: &[T], shift: &[T]) {
        assert!(
            shift.len() == self.n_columns && rows.len() <= TILE * self.n_columns,
            "up to 64 rows of as many columns"
        );
        let lanes = &mut self.lanes[index * self.n_columns..][..self.n_columns];
        <T as Kernel>::transpose(Level::best(), rows, shift, lanes);
    }

    /// Writes some columns of a tile to the columns of the first tile.
    #[inline]
    pub fn gather(&mut self, tile: Tile<'_, T>, columns: &[usize]) {
        for (lane, &column) in self.lanes.iter_mut().zip(columns) {
            *lane = tile.lanes[column];
        }
    }

    /// Writes one row minus `shift` to place `row`, for tiles that are gathered anew.
    pub fn set_row(&mut self, row: usize, values: &[T], shift: &[T]) {
        transpose::put(
            &mut self.lanes[row / TILE * self.n_columns..][..self.n_columns],
            row % TILE,
            values,
            shift,
        );
    }
}

impl Packed<f64> {
    /// Writes a tile in double precision to the first tile.
    pub fn widen<T: Scalar>(&mut self, tile: Tile<'_, T>) {
        for (lane, narrow) in self.lanes.iter_mut().zip(tile.lanes) {
            for (v, &n) in lane.0.iter_mut().zip(&narrow.0) {
                *v = n.into_f64();
            }
        }
    }
}

impl<T: Scalar> Tile<'_, T> {
    /// Squared length of each row.
    #[inline]
    pub fn squared_lengths(self, out: &mut [T; TILE]) {
        <T as Kernel>::lengths_tile(Level::best(), self, out);
    }
}
