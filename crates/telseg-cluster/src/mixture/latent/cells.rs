//! Checked rows in tiles, in double precision.

use ndarray::{ArrayRef2, s};
use telseg_core::kernel::TILE;
use telseg_core::{Error, Result, Scalar, par};

use super::params::Family;
use crate::mixture::tiles;

/// Tiles that one task works on: a constant, so that results do not depend on the number of threads.
pub(super) const CHUNK: usize = 64;

/// Rows by tiles: `[rows / 64][columns][64]`, missing cells NaN, and so are rows past the end, which have weight 0.
pub(super) struct Cells {
    pub(super) n_rows: usize,
    pub(super) n_columns: usize,
    values: Vec<[f64; TILE]>,
    pub(super) weights: Vec<[f64; TILE]>,
}

impl Cells {
    /// Checks every cell against the family of its column.
    ///
    /// # Errors
    /// When the width is wrong, or a cell holds what its column cannot.
    pub(super) fn new<F: Scalar>(
        x: &ArrayRef2<F>,
        families: &[Family],
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        check_width(x.ncols(), families.len())?;
        let (n_rows, n_columns) = x.dim();
        let n_tiles = n_rows.div_ceil(TILE);
        let weights = (0..n_tiles)
            .map(|t| {
                std::array::from_fn(|l| match t * TILE + l {
                    i if i >= n_rows => 0.0,
                    i => weights.map_or(1.0, |w| w[i]),
                })
            })
            .collect();
        let x = x.view();
        let parts = par::map(n_tiles, CHUNK, |tiles| {
            let mut values = vec![[f64::NAN; TILE]; tiles.len() * n_columns];
            for (t, tile) in tiles.zip(values.chunks_exact_mut(n_columns)) {
                let rows = t * TILE..n_rows.min((t + 1) * TILE);
                let part = x.slice(s![rows, ..]);
                for (l, row) in part.rows().into_iter().enumerate() {
                    for (j, (&cell, &family)) in row.iter().zip(families).enumerate() {
                        let cell = cell.into_f64();
                        if let Some(problem) = family.problem(cell) {
                            return Err(Error::value("x", problem, (t * TILE + l, j)));
                        }
                        tile[j][l] = cell;
                    }
                }
            }
            Ok(values)
        });
        let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Self {
            n_rows,
            n_columns,
            values: parts.concat(),
            weights,
        })
    }

    pub(super) fn n_tiles(&self) -> usize {
        self.weights.len()
    }

    /// The columns of one tile.
    pub(super) fn tile(&self, t: usize) -> &[[f64; TILE]] {
        &self.values[t * self.n_columns..][..self.n_columns]
    }

    pub(super) fn cell(&self, row: usize, column: usize) -> f64 {
        self.values[row / TILE * self.n_columns + column][row % TILE]
    }

    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights[row / TILE][row % TILE]
    }

    /// Folds what `task` makes of each chunk of tiles, in order.
    pub(super) fn fold<T: Send, A>(
        &self,
        task: impl Fn(std::ops::Range<usize>) -> T + Sync + Send,
        start: A,
        fold: impl FnMut(A, T) -> A,
    ) -> A {
        tiles::fold(self.n_tiles(), CHUNK, task, start, fold)
    }
}

pub(super) fn check_width(found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let expected = format!("{expected} columns (families)");
    Err(Error::shape("x", expected, found.to_string()))
}
