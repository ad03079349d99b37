//! Centres that have a mean in each column of numbers and a mode in each column of codes, and the nearest of them.

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::kernel::{
    Centers, Level, Modes, NearestTile, Packed, PackedCodes, TILE, squared_distance,
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
    pub(crate) centers: Centers<F>,
    pub(crate) modes: Modes<F>,
}

/// Room for one tile of rows and what is found of them.
#[derive(Clone, Debug)]
pub(crate) struct Room<F> {
    pub(crate) numbers: Packed<F>,
    pub(crate) codes: PackedCodes,
    pub(crate) scores: Vec<[F; TILE]>,
    pub(crate) nearest: NearestTile<F>,
}

impl<F: Scalar> Room<F> {
    pub(crate) fn new(levels: &Levels, n_clusters: usize) -> Self {
        Self {
            numbers: Packed::zeros(TILE, levels.n_numeric()),
            codes: PackedCodes::zeros(TILE, levels.n_categorical()),
            scores: vec![[F::zero(); TILE]; n_clusters],
            nearest: NearestTile::default(),
        }
    }

    /// The nearest centres of the rows that were put here.
    pub(crate) fn search(&mut self, layout: &Layout<F>) {
        let rows = (self.numbers.tile(0).0, self.codes.tile(0));
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

    /// Half of what a mismatch adds, as the kernel takes it.
    fn half_gamma(&self) -> F {
        self.gamma / (F::one() + F::one())
    }

    pub(crate) fn layout(&self) -> Result<Layout<F>> {
        let d = self.levels.n_numeric();
        let shift =
            |c: &[F]| -> Vec<F> { c.iter().zip(&self.shift).map(|(&c, &s)| c - s).collect() };
        let shifted: Vec<F> = self.means.chunks_exact(d).flat_map(shift).collect();
        let c = self.levels.n_categorical();
        Ok(Layout {
            centers: Centers::new(&shifted, d)?,
            modes: Modes::new(self.modes.clone(), c, self.half_gamma())?,
            shifted,
        })
    }

    /// Squared distance of a row, split, to a centre.
    #[inline]
    pub(crate) fn distance(&self, numbers: &[F], codes: &[u16], center: usize) -> F {
        let (d, c) = (self.levels.n_numeric(), self.levels.n_categorical());
        let near = squared_distance(numbers, &self.means[center * d..][..d]);
        let modes = &self.modes[center * c..][..c];
        let count = codes.iter().zip(modes).filter(|(a, b)| a != b).count();
        near + self.gamma * F::from_f64(count as f64)
    }

    pub(crate) fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.len() != x.nrows() {
            let expected = format!("{} (rows of x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let (numbers, codes) = self.levels.split(&contiguous(x))?;
        let layout = self.layout()?;
        let (d, c) = (self.levels.n_numeric(), self.levels.n_categorical());
        let label = |(chunk, labels): (usize, &mut [u32])| {
            let mut room = Room::new(&self.levels, self.n_clusters());
            for (t, labels) in labels.chunks_mut(TILE).enumerate() {
                let first = chunk * CHUNK + t * TILE;
                for l in 0..labels.len() {
                    let row = &numbers[(first + l) * d..][..d];
                    room.numbers.set_row(l, row, &self.shift);
                    room.codes.set_row(l, &codes[(first + l) * c..][..c]);
                }
                room.search(&layout);
                labels.copy_from_slice(&room.nearest.label[..labels.len()]);
            }
        };
        let mut labels = vec![0; out.len()];
        let chunks = labels.par_chunks_mut(CHUNK).enumerate();
        chunks.for_each(label);
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
        Ok(fma(self.half_gamma(), F::from_f64(f64::from(count)), score))
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
        if !(self.gamma >= F::zero() && self.gamma.is_finite()) {
            return broken("gamma is negative or not finite");
        }
        Ok(())
    }
}
