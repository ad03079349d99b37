//! Hamerly's bounds: an upper bound on the distance to the own centre and a lower bound on the distance to any other.
//!
//! While the first stays below the second, the label cannot change and the row is left alone. A tile with many rows in
//! doubt goes through the kernel as it is packed, as in [`lloyd`](super::lloyd); from others the rows in doubt are
//! gathered into tiles first. All see the same kernel, so that both algorithms find the same labels: a row is only left
//! alone when the gap exceeds what rounding can move the kernel's scores by.
//!
//! # References
//! G. Hamerly (2010), "Making k-means even faster" (bounds: section 3); the margin for rounding follows N. Higham (2002),
//! "Accuracy and stability of numerical algorithms", section 3.1 (an inner product of length d errs by at most
//! `d u |x| |y|`).

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{NearestTile, Packed, TILE, squared_distance};

use super::data::{CHUNK, Data};
use super::lloyd::{Round, distance, shift_row};
use super::sums::Sums;

/// Both bounds of every row, in the data's precision.
pub(super) struct Bounds<F> {
    upper: Vec<F>,
    lower: Vec<F>,
    /// How far each centre moved in the last update, rounded up; empty before the first round.
    drift: Vec<F>,
}

/// Widens a bound by more than its own arithmetic can round.
const UP: f64 = 1.0 + 1e-6;
const DOWN: f64 = 1.0 - 1e-6;

/// What the bounds need to know of one centre.
#[derive(Clone, Copy)]
struct Near<F> {
    /// How far it moved, and how far the farthest of the others did; rounded up.
    drift: F,
    others: F,
    /// Half its distance to the nearest other one, rounded down.
    half_gap: F,
    /// Its length relative to the shift plus the greatest length of all, rounded up.
    reach: F,
}

/// What one round's assignment needs to know.
struct Context<'a, F: Scalar> {
    data: &'a Data<'a, F>,
    packed: &'a Packed<F>,
    round: &'a Round<F>,
    centers: Vec<Near<F>>,
    /// `4 (d + 8) u`: twice what two scores can err by, relative to their reach.
    unit: F,
    /// Eight times the square of the greatest length.
    loose: F,
    /// Rows in doubt from which on a tile is searched as a whole.
    dense: u32,
    up: F,
    down: F,
}

impl<F: Scalar> Bounds<F> {
    /// Bounds that leave every row in doubt.
    pub(super) fn new(n_rows: usize) -> Self {
        Self {
            upper: vec![F::infinity(); n_rows],
            lower: vec![F::zero(); n_rows],
            drift: Vec::new(),
        }
    }

    /// Tells the bounds how far each centre moved.
    pub(super) fn drift(&mut self, drift: &[f64]) {
        self.drift = drift.iter().map(|d| F::from_f64(d * UP)).collect();
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
        packed: &Packed<F>,
        round: &Round<F>,
        labels: &mut [u32],
        sums: &mut Sums,
    ) -> usize {
        let context = Context::new(data, packed, round, &self.drift);
        let (k, d) = (round.layout.n(), data.n_columns);
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
                    changed += part.assign(&context, &mut doubt, &mut sums);
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
}

impl<'a, F: Scalar> Context<'a, F> {
    fn new(data: &'a Data<'a, F>, packed: &'a Packed<F>, round: &'a Round<F>, drift: &[F]) -> Self {
        let (k, d) = (round.layout.n(), data.n_columns);
        let zero = vec![F::zero(); d];
        let lengths: Vec<f64> = (0..k)
            .map(|j| distance(round.shifted(j, d), &zero) * UP)
            .collect();
        let longest = lengths.iter().copied().fold(0.0, f64::max);
        let farthest = |except: usize| {
            let others = drift.iter().enumerate().filter(|(j, _)| *j != except);
            others.map(|(_, &d)| d).fold(F::zero(), F::max)
        };
        let gap = |i: usize| {
            (0..k)
                .filter(|&j| j != i)
                .map(|j| distance(round.shifted(i, d), round.shifted(j, d)))
                .fold(f64::INFINITY, f64::min)
        };
        // Before the first round every row is in doubt and nothing else matters.
        let centers = (0..drift.len())
            .into_par_iter()
            .map(|j| Near {
                drift: drift[j],
                others: farthest(j),
                half_gap: F::from_f64(gap(j) / 2.0 * DOWN),
                reach: F::from_f64((lengths[j] + longest) * UP),
            })
            .collect();
        // Full search of 64 rows against checking, gathering and searching some of them: an estimate.
        let (search, extra) = (k * d, 16 * d + 300);
        Self {
            data,
            packed,
            round,
            centers,
            unit: F::from_f64(2.0 * (d + 8) as f64 * F::epsilon().into_f64() * UP),
            loose: F::from_f64(8.0 * longest * longest * UP),
            dense: (TILE * search / (search + extra)).max(1) as u32,
            up: F::from_f64(UP),
            down: F::from_f64(DOWN),
        }
    }

    /// Whether bounds leave it open which centre the kernel would find nearest. `unit reach^2` is more than two squared
    /// distances, computed from scores, can err by together; the smallest normal number stands in for what underflows.
    #[inline(always)]
    fn in_doubt(&self, upper: F, lower: F, center: &Near<F>) -> bool {
        let far = lower.max(center.half_gap);
        let reach = upper + center.reach;
        let near = (upper * upper + self.unit * reach * reach) * self.up;
        // Not `>=`: what is infinite or not a number is in doubt.
        let settled = near + F::min_positive_value() < far * far * self.down;
        !settled
    }

    /// Bounds of a row of a squared length from the scores of its nearest and second nearest centre.
    #[inline(always)]
    fn renewed(&self, norm: F, best: F, second: F) -> (F, F) {
        let two = F::one() + F::one();
        let margin = self.unit * (two * norm + self.loose) * self.up + F::min_positive_value();
        let (near, far) = (norm + two * best, norm + two * second - margin);
        let positive = |v: F| if v > F::zero() { v } else { F::zero() };
        (
            (positive(near) + margin).sqrt() * self.up,
            positive(far).sqrt() * self.down,
        )
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
    fn assign(&mut self, context: &Context<'_, F>, doubt: &mut Doubt<F>, sums: &mut Sums) -> usize {
        let mut changed = 0;
        for first in (0..self.labels.len()).step_by(TILE) {
            let mut open = self.open(context, first);
            if open.count_ones() >= context.dense {
                changed += doubt.search(context, self, first, sums);
                continue;
            }
            while open != 0 {
                let l = first + open.trailing_zeros() as usize;
                open &= open - 1;
                if self.tighten(context, l) {
                    doubt.push(context, self.start + l);
                    if doubt.rows.len() == TILE {
                        changed += doubt.settle(context, self, sums);
                    }
                }
            }
        }
        changed + doubt.settle(context, self, sums)
    }

    /// Brings the bounds of a tile up to date with the drift; the bits of the rows that they leave in doubt.
    #[inline]
    fn open(&mut self, context: &Context<'_, F>, first: usize) -> u64 {
        let end = self.labels.len().min(first + TILE);
        if context.centers.is_empty() {
            return u64::MAX;
        }
        let mut open = 0;
        let bounds = self.upper[first..end]
            .iter_mut()
            .zip(&mut self.lower[first..end]);
        for (l, (&label, (upper, lower))) in self.labels[first..end].iter().zip(bounds).enumerate()
        {
            let center = &context.centers[label as usize];
            *upper = (*upper + center.drift) * context.up;
            *lower = ((*lower - center.others) * context.down).max(F::zero());
            open |= u64::from(context.in_doubt(*upper, *lower, center)) << l;
        }
        open
    }

    /// Replaces the upper bound by the distance itself; true when that does not help.
    #[inline]
    fn tighten(&mut self, context: &Context<'_, F>, l: usize) -> bool {
        let (label, d) = (self.labels[l] as usize, context.data.n_columns);
        let center = &context.round.centers[label * d..][..d];
        let near = squared_distance(context.data.row(self.start + l), center);
        self.upper[l] = near.sqrt() * context.up;
        context.in_doubt(self.upper[l], self.lower[l], &context.centers[label])
    }

    /// Gives a row what a search found; 1 if its label changed.
    #[inline(always)]
    fn take(
        &mut self,
        context: &Context<'_, F>,
        (l, found): (usize, u32),
        (best, second): (F, F),
        sums: &mut Sums,
    ) -> usize {
        let i = self.start + l;
        (self.upper[l], self.lower[l]) = context.renewed(context.data.norms[i], best, second);
        if self.labels[l] == found {
            return 0;
        }
        shift_row(context.data, sums, i, &mut self.labels[l], found);
        1
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

    /// Searches a whole tile as it is packed; returns how many labels changed.
    fn search(
        &mut self,
        context: &Context<'_, F>,
        part: &mut Part<'_, F>,
        first: usize,
        sums: &mut Sums,
    ) -> usize {
        let (tile, n_rows) = context.packed.tile((part.start + first) / TILE);
        context.round.layout.nearest(tile, &mut self.nearest);
        let found = &self.nearest;
        (0..n_rows)
            .map(|l| {
                let scores = (found.best[l], found.second[l]);
                part.take(context, (first + l, found.label[l]), scores, sums)
            })
            .sum()
    }

    /// Searches the gathered rows; returns how many labels changed.
    fn settle(
        &mut self,
        context: &Context<'_, F>,
        part: &mut Part<'_, F>,
        sums: &mut Sums,
    ) -> usize {
        if self.rows.is_empty() {
            return 0;
        }
        let found = &mut self.nearest;
        context.round.layout.nearest(self.packed.tile(0).0, found);
        self.rows
            .drain(..)
            .enumerate()
            .map(|(l, i)| {
                let scores = (found.best[l], found.second[l]);
                part.take(context, (i - part.start, found.label[l]), scores, sums)
            })
            .sum()
    }
}
