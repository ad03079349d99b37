//! Centres that have a mean in each column of numbers and a mode in each column of codes, and the nearest of them.

use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::kernel::{
    Centers, CodeColumn, CodeTile, Level, Modes, NearestTile, Packed, PackedCodes, TILE, Tile,
};
use telseg_core::{Error, Result, Scalar};

use super::levels::{Levels, not_finite};
use crate::rows::contiguous;

/// Rows that one task labels.
const CHUNK: usize = 4096;

/// The centres, and how rows are split into what they are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Prototypes<F: Scalar> {
    pub(crate) levels: Levels,
    /// Means, `n_numeric` a centre, in the coordinates of the data.
    pub(crate) means: Vec<F>,
    /// Levels, `n_categorical` a centre.
    pub(crate) modes: Vec<u16>,
    /// Scores are computed relative to this point, for the sake of digits.
    pub(crate) shift: Vec<F>,
    /// What a mismatch adds to a squared distance.
    pub(crate) gamma: F,
}

/// Centres laid out for the kernels, relative to the shift.
#[derive(Clone, Debug)]
pub(crate) struct Layout<F> {
    pub(crate) shifted: Vec<F>,
    centers: Centers<F>,
    modes: Modes<F>,
}

impl<F: Scalar> Layout<F> {
    /// Of means of as many columns as the shift has, and modes of `n_categorical`; a mismatch adds `gamma` to a squared
    /// distance.
    pub(crate) fn new(
        (means, modes): (&[F], &[u16]),
        n_categorical: usize,
        shift: &[F],
        gamma: F,
    ) -> Result<Self> {
        let shifted = |c: &[F]| -> Vec<F> { c.iter().zip(shift).map(|(&c, &s)| c - s).collect() };
        let shifted: Vec<F> = means.chunks_exact(shift.len()).flat_map(shifted).collect();
        Ok(Self {
            centers: Centers::new(&shifted, shift.len())?,
            modes: Modes::new(modes.to_vec(), n_categorical, half(gamma))?,
            shifted,
        })
    }

    pub(crate) fn n_clusters(&self) -> usize {
        self.centers.n()
    }

    /// Scores of all rows of a tile against every centre.
    #[inline]
    pub(crate) fn scores(&self, rows: (Tile<'_, F>, CodeTile<'_>), out: &mut [[F; TILE]]) {
        self.centers.scores_mixed(rows, &self.modes, out);
    }
}

/// Half of what a mismatch adds, as the kernel takes it.
fn half<F: Scalar>(gamma: F) -> F {
    gamma / (F::one() + F::one())
}

/// Room for a tile of rows as they come, numbers and codes side by side, and for their numbers relative to a shift.
pub(crate) struct Wide<'a, F> {
    levels: &'a Levels,
    /// By column of the rows; zero where there are codes.
    shift: Vec<F>,
    rows: Packed<F>,
    numbers: Packed<F>,
    n_rows: usize,
}

impl<'a, F: Scalar> Wide<'a, F> {
    pub(super) fn new(levels: &'a Levels, shift: &[F]) -> Self {
        let mut wide = vec![F::zero(); levels.n_columns()];
        let numeric = levels.numeric.iter().zip(shift);
        numeric.for_each(|(&column, &s)| wide[column] = s);
        Self {
            levels,
            shift: wide,
            rows: Packed::zeros(TILE, levels.n_columns()),
            numbers: Packed::zeros(TILE, levels.n_numeric()),
            n_rows: 0,
        }
    }

    /// Takes up to 64 rows.
    #[inline]
    pub(super) fn load(&mut self, rows: &[F]) {
        self.n_rows = rows.len() / self.levels.n_columns();
        self.rows.load(0, rows, &self.shift);
        self.numbers
            .gather(self.rows.tile(0).0, &self.levels.numeric);
    }

    /// Their numbers, relative to the shift.
    #[inline]
    pub(super) fn numbers(&self) -> Tile<'_, F> {
        self.numbers.tile(0).0
    }

    /// What they have in one of the columns of codes; `None` where a cell holds no code.
    #[inline]
    pub(super) fn codes(&self, position: usize) -> Option<CodeColumn> {
        let column = self.levels.categorical[position];
        CodeColumn::encode(self.rows.tile(0).0, column, self.n_rows)
    }
}

/// What is found of a tile of rows, and room for it.
#[derive(Clone, Debug)]
pub(crate) struct Found<F> {
    scores: Vec<[F; TILE]>,
    pub(crate) nearest: NearestTile<F>,
}

impl<F: Scalar> Found<F> {
    pub(crate) fn new(n_clusters: usize) -> Self {
        Self {
            scores: vec![[F::zero(); TILE]; n_clusters],
            nearest: NearestTile::default(),
        }
    }

    /// Finds the nearest centres of a tile of rows.
    #[inline]
    pub(crate) fn search(&mut self, layout: &Layout<F>, rows: (Tile<'_, F>, CodeTile<'_>)) {
        let (scores, out) = (&mut self.scores, &mut self.nearest);
        layout
            .centers
            .nearest_mixed(rows, &layout.modes, scores, out);
    }
}

impl<F: Scalar> Prototypes<F> {
    /// Centres of rows of numbers only; scores are computed relative to the mean of the centres.
    pub(crate) fn of_means(means: Vec<F>, n_columns: usize) -> Self {
        let k = (means.len() / n_columns) as f64;
        let mean = |j: usize| {
            let column = means.iter().skip(j).step_by(n_columns);
            F::from_f64(column.map(|m| m.into_f64()).sum::<f64>() / k)
        };
        Self {
            shift: (0..n_columns).map(mean).collect(),
            levels: Levels::numbers_only(n_columns),
            means,
            modes: Vec::new(),
            gamma: F::zero(),
        }
    }

    pub(crate) fn n_clusters(&self) -> usize {
        self.means.len() / self.levels.n_numeric()
    }

    fn layout(&self) -> Result<Layout<F>> {
        let n_categorical = self.levels.n_categorical();
        Layout::new(
            (&self.means, &self.modes),
            n_categorical,
            &self.shift,
            self.gamma,
        )
    }

    pub(crate) fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.len() != x.nrows() {
            let expected = format!("{} (rows of x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let (rows, layout, tables) = (contiguous(x), self.layout()?, self.levels.tables());
        let suspicious = AtomicBool::new(false);
        let label = |(rows, labels): (&[F], &mut [u32])| {
            let mut wide = Wide::new(&self.levels, &self.shift);
            let mut codes = PackedCodes::zeros(TILE, self.levels.n_categorical());
            let (mut found, mut lengths) = (Found::new(self.n_clusters()), [F::zero(); TILE]);
            for (rows, labels) in rows
                .chunks(TILE * self.levels.n_columns())
                .zip(labels.chunks_mut(TILE))
            {
                wide.load(rows);
                wide.numbers().squared_lengths(&mut lengths);
                let mut sound = lengths[..labels.len()].iter().all(|l| l.is_finite());
                for position in 0..self.levels.n_categorical() {
                    match wide.codes(position) {
                        Some(column) => codes.set_column(0, position, &column),
                        None => sound = false,
                    }
                }
                if !sound {
                    suspicious.store(true, Ordering::Relaxed);
                }
                tables.map(&mut codes);
                found.search(&layout, (wide.numbers(), codes.tile(0)));
                labels.copy_from_slice(&found.nearest.label[..labels.len()]);
            }
        };
        let mut labels = vec![0; out.len()];
        let chunks = rows.par_chunks(CHUNK * self.levels.n_columns());
        chunks.zip(labels.par_chunks_mut(CHUNK)).for_each(label);
        // A length that is not finite is a number that is not, or one whose square overflows.
        if suspicious.into_inner() {
            self.levels.check(&rows)?;
        }
        out.iter_mut().zip(labels).for_each(|(o, l)| *o = l);
        Ok(())
    }

    /// The nearest centre of one row; allocates nothing. The same operations in the same order as in the kernels, so
    /// that a row alone gets the label it gets in a batch.
    pub(crate) fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.check_width(row.len())?;
        let numeric = &self.levels.numeric;
        if let Some(&column) = numeric.iter().find(|&&c| !row[c].is_finite()) {
            return Err(not_finite(row[column], (0, column)));
        }
        let (mut best, mut label) = (F::infinity(), 0);
        for j in 0..self.n_clusters() {
            let score = self.score(row, j)?;
            if score < best {
                (best, label) = (score, j as u32);
            }
        }
        Ok(label)
    }

    fn score(&self, row: &ArrayRef1<F>, center: usize) -> Result<F> {
        let fused = Level::best() != Level::Plain;
        let fma = |a: F, b: F, c: F| if fused { a.mul_add(b, c) } else { a * b + c };
        let (d, c) = (self.levels.n_numeric(), self.levels.n_categorical());
        let (mut score, mut norm) = (F::zero(), 0.0);
        let means = self.means[center * d..][..d].iter().zip(&self.shift);
        for (position, (&m, &s)) in means.enumerate() {
            let column = self.levels.numeric.get(position);
            let (x, m) = (column.map_or(F::zero(), |&at| row[at]) - s, m - s);
            score = fma(-m, x, score);
            norm += m.into_f64().powi(2);
        }
        score += F::from_f64(norm / 2.0);
        let mut count = 0u16;
        let modes = self.modes[center * c..][..c].iter();
        for (position, (&mode, &column)) in modes.zip(&self.levels.categorical).enumerate() {
            let level = self.levels.level(position, row[column], 0)?;
            count += u16::from(level != mode);
        }
        Ok(fma(half(self.gamma), F::from_f64(f64::from(count)), score))
    }

    pub(crate) fn check_width(&self, found: usize) -> Result<()> {
        let expected = self.levels.n_columns();
        if found == expected {
            return Ok(());
        }
        let expected = format!("{expected} columns (as at fit)");
        Err(Error::shape("x", expected, found.to_string()))
    }

    /// Checks what a saved model may have wrong.
    pub(crate) fn validate(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("centres", problem.to_owned()));
        if self.levels.n_columns() == 0 || !self.levels.is_sound() {
            return broken("columns or levels contradict each other");
        }
        let (d, c, k) = (
            self.levels.n_numeric(),
            self.levels.n_categorical(),
            self.n_clusters(),
        );
        let sizes = self.means.len() == k * d && self.modes.len() == k * c;
        if k == 0 || u32::try_from(k).is_err() || !sizes || self.shift.len() != d {
            return broken("there is no centre, or means, modes and shift differ in length");
        }
        if !self.means.iter().chain(&self.shift).all(|v| v.is_finite()) {
            return broken("a centre is not finite");
        }
        if self.levels.numeric.is_empty() && self.shift[0] != F::zero() {
            return broken("the zero that stands for numbers is shifted");
        }
        if !(self.gamma >= F::zero() && self.gamma.is_finite()) {
            return broken("gamma is negative or not finite");
        }
        Ok(())
    }
}
