//! The rows of one fit: checked, split into numbers and levels, packed, with what all starts share.

use ndarray::{ArrayRef1, ArrayRef2, ArrayView2};
use telseg_core::kernel::{Packed, PackedCodes};
use telseg_core::{Error, Result, Scalar, par};

use super::levels::Levels;
use super::params::KPrototypesParams;
use super::sums::{Grid, Part};
use crate::rows::{check_shape, check_weights, contiguous};

/// Rows that one task works on: a constant, so that results do not depend on the number of threads.
pub(super) const CHUNK: usize = 4096;

/// Checked rows.
pub(super) struct Data<F: Scalar> {
    pub(super) n_rows: usize,
    pub(super) levels: Levels,
    pub(super) numbers: Vec<F>,
    pub(super) codes: Vec<u16>,
    pub(super) packed: Packed<F>,
    pub(super) packed_codes: PackedCodes,
    weights: Option<Vec<f64>>,
    /// Means of the numeric columns, which scores are computed relative to.
    pub(super) shift: Vec<F>,
    /// Squared length of the numbers of every row relative to the shift.
    pub(super) norms: Vec<F>,
    /// Mean over the numeric columns of the weighted variance.
    pub(super) variance: f64,
    /// Weighted sum of squared distances to the means.
    pub(super) total: f64,
    pub(super) gamma: F,
    pub(super) grid: Grid,
}

/// What a pass over the numbers finds of their spread about the means.
struct Spread {
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
        let rows = contiguous(x);
        let levels = Levels::learn(&rows, n_columns, &params.categorical)?;
        let (numbers, codes) = levels.split(&rows)?;
        let weight = |i: usize| weights.as_ref().map_or(1.0, |w| w[i]);
        let d = levels.n_numeric();
        let (shift, mass) = means(&numbers, d, &weight);
        let (norms, spread) = spread(&numbers, &shift, &weight);
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
        let grid = Grid::new(n_rows, &spread.largest, heaviest, &levels.sizes());
        let view = ArrayView2::from_shape((n_rows, d), &numbers);
        let packed = Packed::new(&view.expect("invariant: n rows of d numbers"), &shift)?;
        let mut packed_codes = PackedCodes::zeros(n_rows, levels.n_categorical());
        if levels.n_categorical() > 0 {
            let rows = codes.chunks_exact(levels.n_categorical()).enumerate();
            rows.for_each(|(i, codes)| packed_codes.set_row(i, codes));
        }
        Ok(Self {
            n_rows,
            variance: total / mass / levels.numeric.len().max(1) as f64,
            levels,
            numbers,
            codes,
            packed,
            packed_codes,
            weights,
            shift,
            norms,
            total,
            gamma: F::from_f64(gamma),
            grid,
        })
    }

    #[inline(always)]
    pub(super) fn numbers(&self, i: usize) -> &[F] {
        let d = self.levels.n_numeric();
        &self.numbers[i * d..][..d]
    }

    #[inline(always)]
    pub(super) fn codes(&self, i: usize) -> &[u16] {
        let c = self.levels.n_categorical();
        &self.codes[i * c..][..c]
    }

    #[inline(always)]
    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// A row as the sums take it.
    #[inline(always)]
    pub(super) fn part(&self, i: usize) -> Part<'_, F> {
        Part {
            numbers: self.numbers(i),
            shift: &self.shift,
            levels: self.codes(i),
            weight: self.weight(i),
        }
    }
}

/// Weighted means of the columns, and the sum of the weights.
fn means<F: Scalar>(
    numbers: &[F],
    d: usize,
    weight: &(impl Fn(usize) -> f64 + Sync),
) -> (Vec<F>, f64) {
    let parts = par::map(numbers.len() / d, CHUNK, |rows| {
        let (mut sums, mut mass) = (vec![0.0; d], 0.0);
        for i in rows {
            let w = weight(i);
            mass += w;
            let cells = sums.iter_mut().zip(&numbers[i * d..][..d]);
            cells.for_each(|(s, v)| *s += w * v.into_f64());
        }
        (sums, mass)
    });
    let (mut sums, mut mass) = (vec![0.0; d], 0.0);
    for (part, m) in parts {
        sums.iter_mut().zip(part).for_each(|(a, b)| *a += b);
        mass += m;
    }
    let means = sums.iter().map(|s| F::from_f64(s / mass)).collect();
    (means, mass)
}

/// Squared length of every row about the means, and of every column the largest distance and the weighted squares.
fn spread<F: Scalar>(
    numbers: &[F],
    shift: &[F],
    weight: &(impl Fn(usize) -> f64 + Sync),
) -> (Vec<F>, Spread) {
    let d = shift.len();
    let parts = par::map(numbers.len() / d, CHUNK, |rows| {
        let (mut largest, mut squares) = (vec![0.0f64; d], vec![0.0; d]);
        let mut norms = Vec::with_capacity(rows.len());
        for i in rows {
            let (mut norm, w) = (0.0, weight(i));
            for (j, (&v, &s)) in numbers[i * d..][..d].iter().zip(shift).enumerate() {
                let v = (v - s).into_f64();
                largest[j] = largest[j].max(v.abs());
                squares[j] += w * v * v;
                norm += v * v;
            }
            norms.push(F::from_f64(norm));
        }
        (norms, largest, squares)
    });
    let (mut largest, mut squares) = (vec![0.0f64; d], vec![0.0; d]);
    let mut norms = Vec::with_capacity(numbers.len() / d);
    for (part, l, s) in parts {
        norms.extend(part);
        largest.iter_mut().zip(l).for_each(|(a, b)| *a = a.max(b));
        squares.iter_mut().zip(s).for_each(|(a, b)| *a += b);
    }
    (norms, Spread { largest, squares })
}

/// Half the mean standard deviation of the numeric columns (Huang 1997); 1 where nothing varies.
fn huang(spread: &Spread, mass: f64, levels: &Levels) -> f64 {
    let deviations: f64 = spread.squares.iter().map(|s| (s / mass).sqrt()).sum();
    match deviations > 0.0 {
        true => 0.5 * deviations / levels.numeric.len() as f64,
        false => 1.0,
    }
}
