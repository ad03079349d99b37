//! The rows of one fit: checked, split into numbers and levels, with what all starts share.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use telseg_core::kernel::{CodeTile, Extent, GridRows, PackedCodes, TILE};
use telseg_core::{Error, Result, Scalar};

use super::levels::{Levels, Seen};
use super::params::KPrototypesParams;
use super::prototypes::Wide;
use super::sums::{Grid, Rows};
use crate::kmeans::sums::Grid as NumberGrid;
use crate::rows::{check_shape, check_weights, contiguous};

/// Rows that one task works on: a constant, so that results do not depend on the number of threads.
pub(super) const CHUNK: usize = 4096;

/// Rows whose mean is taken for a typical row.
const TYPICAL: usize = 256;

/// Checked rows.
pub(super) struct Data<F: Scalar> {
    pub(super) n_rows: usize,
    pub(super) levels: Levels,
    numbers: Vec<F>,
    /// Levels of the rows of each chunk.
    codes: Vec<PackedCodes>,
    weights: Option<Vec<f64>>,
    /// Means of the numeric columns, which scores are computed relative to.
    pub(super) shift: Vec<F>,
    /// Mean over the numeric columns of the weighted variance.
    pub(super) variance: f64,
    /// Weighted sum of squared distances to the means.
    pub(super) total: f64,
    pub(super) gamma: F,
    pub(super) grid: Grid,
}

/// What one pass over a chunk of rows leaves.
struct Part<F> {
    codes: PackedCodes,
    seen: Seen,
    extents: Vec<Extent<F>>,
    /// Whether every cell that should hold a code does.
    coded: bool,
}

/// The weighted spread of the numeric columns about the shift.
struct Spread<F> {
    shift: Vec<F>,
    largest: Vec<f64>,
    squares: Vec<f64>,
}

impl<F: Scalar> Data<F> {
    pub(super) fn new(
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
        params: &KPrototypesParams,
    ) -> Result<Self> {
        let (n_rows, n_columns) = x.dim();
        check_shape(x, params.n_clusters, "n_clusters")?;
        let weights = weights.map(|w| check_weights(w, n_rows)).transpose()?;
        let mut levels = Levels::of_columns(n_columns, &params.categorical)?;
        let rows = contiguous(x);
        let mut numbers = vec![F::zero(); n_rows * levels.n_numeric()];
        let origin = typical(&rows, &levels);
        let mut parts = split(&rows, &levels, weights.as_deref(), &origin, &mut numbers);
        let mut extents: Vec<Extent<F>> = origin.iter().map(|&o| Extent::new(o)).collect();
        let mut seen = Seen::nothing(levels.n_categorical());
        for part in &parts {
            let pairs = extents.iter_mut().zip(&part.extents);
            pairs.for_each(|(all, part)| all.merge(part));
            seen.merge(&part.seen);
        }
        let finite = extents.iter().all(|e| e.square().is_finite());
        if !(finite && parts.iter().all(|part| part.coded)) {
            levels.check(&rows)?; // sums overflow only where a value is not finite, or nearly so
        }
        levels.learn(&seen);
        let tables = levels.tables();
        parts
            .par_iter_mut()
            .for_each(|part| tables.map(&mut part.codes));
        let mass = weights.as_ref().map_or(n_rows as f64, |w| w.iter().sum());
        let spread = Spread::new(&extents, &origin, mass);
        let total: f64 = spread.squares.iter().sum();
        let longest: f64 = spread.largest.iter().map(|v| v * v).sum();
        let gamma = params
            .gamma
            .unwrap_or_else(|| huang(&spread, mass, &levels));
        let mixed = 16.0 * (longest + gamma * levels.n_categorical() as f64);
        if !(total.is_finite() && mixed < F::max_value().into_f64()) {
            let problem = format!("squared distances overflow {}: scale the columns", F::NAME);
            return Err(Error::data("x", problem));
        }
        let heaviest = weights
            .as_ref()
            .map_or(1.0, |w| w.iter().copied().fold(0.0, f64::max));
        let grid = NumberGrid::new(n_rows as u64, &spread.largest, heaviest);
        Ok(Self {
            n_rows,
            variance: total / mass / levels.numeric.len().max(1) as f64,
            grid: Grid::new(grid, &levels.sizes()),
            levels,
            numbers,
            codes: parts.into_iter().map(|part| part.codes).collect(),
            weights,
            shift: spread.shift,
            total,
            gamma: F::from_f64(gamma),
        })
    }

    /// Numbers of rows, one after the other.
    #[inline(always)]
    pub(super) fn numbers(&self, rows: Range<usize>) -> &[F] {
        let d = self.levels.n_numeric();
        &self.numbers[rows.start * d..rows.end * d]
    }

    /// Levels of a row.
    #[inline(always)]
    pub(super) fn codes(&self, i: usize) -> impl ExactSizeIterator<Item = u16> {
        self.codes[i / CHUNK].row(i % CHUNK)
    }

    /// Levels of a tile of rows.
    #[inline(always)]
    pub(super) fn code_tile(&self, first: usize) -> CodeTile<'_> {
        self.codes[first / CHUNK].tile(first % CHUNK / TILE)
    }

    #[inline(always)]
    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// The rows of a chunk on their way into sums.
    #[inline(always)]
    pub(super) fn on_grid(&self, chunk: usize) -> Rows<'_, F> {
        let rows = chunk * CHUNK..self.n_rows.min((chunk + 1) * CHUNK);
        Rows {
            codes: &self.codes[chunk],
            numbers: GridRows {
                rows: self.numbers(rows.clone()),
                shift: &self.shift,
                scale: &self.grid.numbers.scale,
                weights: self.weights.as_ref().map(|w| &w[rows]),
            },
        }
    }
}

/// Means of the numeric columns over some rows, in the data's precision.
fn typical<F: Scalar>(rows: &[F], levels: &Levels) -> Vec<f64> {
    let n = levels.n_columns();
    let step = (rows.len() / n / TYPICAL).max(1);
    let mean = |column: usize| {
        let cells = rows.iter().skip(column).step_by(n * step);
        let (sum, count) = cells.fold((0.0, 0.0), |(s, c), v| (s + v.into_f64(), c + 1.0));
        F::from_f64(sum / count).into_f64()
    };
    let mut origin: Vec<f64> = levels.numeric.iter().map(|&c| mean(c)).collect();
    origin.resize(levels.n_numeric(), 0.0);
    origin
}

/// Splits all rows, and takes down which codes there are and how the numbers spread.
fn split<F: Scalar>(
    rows: &[F],
    levels: &Levels,
    weights: Option<&[f64]>,
    origin: &[f64],
    numbers: &mut [F],
) -> Vec<Part<F>> {
    let (n, d, c) = (
        levels.n_columns(),
        levels.n_numeric(),
        levels.n_categorical(),
    );
    let runs = levels.runs();
    let chunks = numbers
        .par_chunks_mut(CHUNK * d)
        .zip(rows.par_chunks(CHUNK * n));
    let part = |(chunk, (numbers, rows)): (usize, (&mut [F], &[F]))| {
        let mut wide = Wide::new(levels, &vec![F::zero(); d]);
        let mut part = Part {
            codes: PackedCodes::zeros(rows.len() / n, c),
            seen: Seen::nothing(c),
            extents: origin.iter().map(|&o| Extent::new(o)).collect(),
            coded: true,
        };
        for (out, row) in numbers.chunks_exact_mut(d).zip(rows.chunks_exact(n)) {
            for (to, from) in &runs {
                out[*to..][..from.len()].copy_from_slice(&row[from.clone()]);
            }
        }
        for (t, rows) in rows.chunks(TILE * n).enumerate() {
            let first = chunk * CHUNK + t * TILE;
            let weights = weights.map(|w| &w[first..first + rows.len() / n]);
            wide.load(rows);
            Extent::add(wide.numbers(), rows.len() / n, weights, &mut part.extents);
            for column in 0..c {
                match wide.codes(column) {
                    Some(codes) => {
                        part.seen.mark(column, &codes.codes()[..rows.len() / n]);
                        part.codes.set_column(t, column, &codes);
                    }
                    None => part.coded = false,
                }
            }
        }
        part
    };
    chunks.enumerate().map(part).collect()
}

impl<F: Scalar> Spread<F> {
    fn new(extents: &[Extent<F>], origin: &[f64], mass: f64) -> Self {
        let columns = extents.iter().zip(origin);
        let shift: Vec<F> = columns
            .clone()
            .map(|(e, o)| F::from_f64(e.sum() / mass + o))
            .collect();
        let largest = |(e, &s): (&Extent<F>, &F)| {
            let ((min, max), s) = (e.ends(), s.into_f64());
            (max.into_f64() - s).max(s - min.into_f64())
        };
        // sum w (x - o - off)^2
        let square = |((e, o), &s): ((&Extent<F>, &f64), &F)| {
            let (off, (min, max)) = (s.into_f64() - o, e.ends());
            match min < max {
                true => (e.square() - 2.0 * off * e.sum() + mass * off * off).max(0.0),
                false => 0.0,
            }
        };
        Self {
            largest: extents.iter().zip(&shift).map(largest).collect(),
            squares: columns.zip(&shift).map(square).collect(),
            shift,
        }
    }
}

/// Half the mean standard deviation of the numeric columns (Huang 1997); 1 where nothing varies.
fn huang<F>(spread: &Spread<F>, mass: f64, levels: &Levels) -> f64 {
    let deviations: f64 = spread.squares.iter().map(|s| (s / mass).sqrt()).sum();
    match deviations > 0.0 {
        true => 0.5 * deviations / levels.numeric.len() as f64,
        false => 1.0,
    }
}
