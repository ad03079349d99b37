//! Hamerly's bounds: an upper bound on the distance to the own centre and a lower bound on the distance to any other.
//!
//! While the first stays below the second, the label cannot change and the row is left alone. Rows in doubt are gathered
//! into tiles and go through the same kernel as in [`lloyd`](super::lloyd), so that both find the same labels: a row is
//! only left alone when the gap exceeds what rounding can move the kernel's scores by.
//!
//! # References
//! G. Hamerly (2010), "Making k-means even faster" (bounds: section 3); the margin for rounding follows N. Higham (2002),
//! "Accuracy and stability of numerical algorithms", section 3.1 (an inner product of length d errs by at most
//! `d u |x| |y|`).

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{NearestTile, Packed, TILE};

use super::data::{CHUNK, Data};
use super::lloyd::{Round, distance, shift_row};
use super::sums::Sums;

/// Both bounds of every row, in the data's precision.
pub(super) struct Bounds<F> {
    upper: Vec<F>,
    lower: Vec<F>,
    /// How far each centre moved in the last update, rounded up; the largest, and the largest of the others.
    drift: Vec<F>,
    most: (usize, F, F),
}

/// Widens a bound by more than its own arithmetic can round.
const UP: f64 = 1.0 + 1e-6;
const DOWN: f64 = 1.0 - 1e-6;

/// What one round's assignment needs to know.
struct Context<'a, F: Scalar> {
    data: &'a Data<'a, F>,
    round: &'a Round<F>,
    /// Half the distance of each centre to the nearest other one, rounded down.
    half_gap: Vec<F>,
    /// Length of each centre relative to the shift, and the greatest.
    length: Vec<f64>,
    longest: f64,
    /// `4 (d + 8) u`: four times the relative error of a score.
    unit: f64,
}

impl<F: Scalar> Bounds<F> {
    /// Bounds that leave every row in doubt.
    pub(super) fn new(n_rows: usize) -> Self {
        Self {
            upper: vec![F::infinity(); n_rows],
            lower: vec![F::zero(); n_rows],
            drift: Vec::new(),
            most: (0, F::zero(), F::zero()),
        }
    }

    /// Tells the bounds how far each centre moved.
    pub(super) fn drift(&mut self, drift: &[f64]) {
        self.drift = drift.iter().map(|d| F::from_f64(d * UP)).collect();
        let (mut most, mut next, mut at) = (F::zero(), F::zero(), 0);
        for (j, &d) in self.drift.iter().enumerate() {
            if d > most {
                (next, most, at) = (most, d, j);
            } else if d > next {
                next = d;
            }
        }
        self.most = (at, most, next);
    }

    /// Leaves a row in doubt, after it was given another label.
    pub(super) fn forget(&mut self, i: usize) {
        self.upper[i] = F::infinity();
        self.lower[i] = F::zero();
    }

    /// Labels the rows in doubt and moves those that changed from sum to sum; returns how many changed.
    pub(super) fn assign(
        &mut self,
        data: &Data<'_, F>,
        round: &Round<F>,
        labels: &mut [u32],
        sums: &mut Sums,
    ) -> usize {
        let context = Context::new(data, round);
        let (k, d) = (round.layout.n(), data.n_columns);
        let (drift, most) = (&self.drift, self.most);
        let empty = || (Sums::zeros(k, d), 0, Doubt::new(d));
        let (moves, changed, _) = labels
            .par_chunks_mut(CHUNK)
            .zip(self.upper.par_chunks_mut(CHUNK))
            .zip(self.lower.par_chunks_mut(CHUNK))
            .enumerate()
            .fold(
                empty,
                |(mut sums, mut changed, mut doubt), (c, ((labels, upper), lower))| {
                    let start = c * CHUNK;
                    let mut part = Part {
                        start,
                        labels,
                        upper,
                        lower,
                    };
                    for l in 0..part.labels.len() {
                        if part.in_doubt(&context, drift, most, l) {
                            doubt.push(&context, start + l);
                            if doubt.rows.len() == TILE {
                                changed += doubt.settle(&context, &mut part, &mut sums);
                            }
                        }
                    }
                    changed += doubt.settle(&context, &mut part, &mut sums);
                    (sums, changed, doubt)
                },
            )
            .reduce(empty, |(mut a, na, scratch), (b, nb, _)| {
                a.add(&b);
                (a, na + nb, scratch)
            });
        sums.add(&moves);
        changed
    }

    /// Labels every row, without sums.
    pub(super) fn assign_all(&mut self, data: &Data<'_, F>, round: &Round<F>, labels: &mut [u32]) {
        let mut unused = Sums::zeros(round.layout.n(), data.n_columns);
        self.assign(data, round, labels, &mut unused);
    }
}

impl<'a, F: Scalar> Context<'a, F> {
    fn new(data: &'a Data<'a, F>, round: &'a Round<F>) -> Self {
        let (k, d) = (round.layout.n(), data.n_columns);
        let zero = vec![F::zero(); d];
        let gap = |i: usize| {
            let others = (0..k).filter(|&j| j != i);
            others
                .map(|j| distance(round.shifted(i, d), round.shifted(j, d)))
                .fold(f64::INFINITY, f64::min)
        };
        let half_gap = (0..k)
            .into_par_iter()
            .map(|i| F::from_f64(gap(i) / 2.0 * DOWN))
            .collect();
        let length: Vec<f64> = (0..k)
            .map(|j| distance(round.shifted(j, d), &zero) * UP)
            .collect();
        let longest = length.iter().copied().fold(0.0, f64::max);
        let unit = 4.0 * (d + 8) as f64 * F::epsilon().into_f64() / 2.0;
        Self {
            data,
            round,
            half_gap,
            length,
            longest,
            unit,
        }
    }

    /// What two squared distances must differ by for the kernel to tell them apart, for a row within `upper` of centre
    /// `label`.
    #[inline(always)]
    fn margin(&self, upper: f64, label: u32) -> f64 {
        let reach = upper + self.length[label as usize] + self.longest;
        self.unit * reach * reach
    }
}

/// One chunk of the state.
struct Part<'a, F> {
    start: usize,
    labels: &'a mut [u32],
    upper: &'a mut [F],
    lower: &'a mut [F],
}

impl<F: Scalar> Part<'_, F> {
    /// Brings the bounds up to date; true when they do not prove that the label stays.
    #[inline(always)]
    fn in_doubt(
        &mut self,
        context: &Context<'_, F>,
        drift: &[F],
        most: (usize, F, F),
        l: usize,
    ) -> bool {
        let label = self.labels[l];
        let upper = &mut self.upper[l];
        if upper.is_infinite() {
            return true;
        }
        let others = if most.0 == label as usize {
            most.2
        } else {
            most.1
        };
        *upper = (*upper + drift[label as usize]) * F::from_f64(UP);
        self.lower[l] = ((self.lower[l] - others) * F::from_f64(DOWN)).max(F::zero());
        let far = self.lower[l]
            .max(context.half_gap[label as usize])
            .into_f64();
        let near = upper.into_f64();
        if near * near + context.margin(near, label) < far * far {
            return false;
        }
        let center = context
            .round
            .shifted(label as usize, context.data.n_columns);
        let row = context
            .data
            .row(self.start + l)
            .iter()
            .zip(&context.data.shift);
        let exact: F = row
            .zip(center)
            .map(|((&x, &s), &c)| (x - s - c) * (x - s - c))
            .sum();
        let near = exact.into_f64().sqrt() * UP;
        *upper = F::from_f64(near);
        near * near + context.margin(near, label) >= far * far
    }
}

/// Rows in doubt, gathered until they fill a tile.
struct Doubt<F> {
    rows: Vec<usize>,
    packed: Packed<F>,
    nearest: NearestTile<F>,
}

impl<F: Scalar> Doubt<F> {
    fn new(n_columns: usize) -> Self {
        Self {
            rows: Vec::with_capacity(TILE),
            packed: Packed::zeros(TILE, n_columns),
            nearest: NearestTile::default(),
        }
    }

    fn push(&mut self, context: &Context<'_, F>, i: usize) {
        self.packed
            .set_row(self.rows.len(), context.data.row(i), &context.data.shift);
        self.rows.push(i);
    }

    /// Finds the nearest centres of the gathered rows and renews their bounds; returns how many labels changed.
    fn settle(
        &mut self,
        context: &Context<'_, F>,
        part: &mut Part<'_, F>,
        sums: &mut Sums,
    ) -> usize {
        if self.rows.is_empty() {
            return 0;
        }
        context
            .round
            .layout
            .nearest(self.packed.tile(0).0, &mut self.nearest);
        let mut changed = 0;
        for (l, i) in self.rows.drain(..).enumerate() {
            let (row, found) = (context.data.row(i), self.nearest.label[l]);
            let at = i - part.start;
            if part.labels[at] != found {
                changed += 1;
                shift_row(context.data, sums, i, &mut part.labels[at], found);
            }
            let norm: f64 = row
                .iter()
                .zip(&context.data.shift)
                .map(|(&x, &s)| (x - s).into_f64().powi(2))
                .sum();
            let squared = |score: F| norm + 2.0 * score.into_f64();
            let margin = context.margin(norm.sqrt() * UP, found);
            part.upper[at] =
                F::from_f64((squared(self.nearest.best[l]).max(0.0) + margin).sqrt() * UP);
            part.lower[at] =
                F::from_f64((squared(self.nearest.second[l]) - margin).max(0.0).sqrt() * DOWN);
        }
        changed
    }
}
