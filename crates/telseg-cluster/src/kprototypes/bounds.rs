//! Hamerly's bounds in the mixed distance: an upper bound on the distance to the own centre, a lower bound on the
//! distance to any other.
//!
//! While the first stays below the second, the label cannot change and the row is left alone. All other rows see the
//! same kernels as in [`assign`](super::assign), and a row is only left alone when the gap exceeds what rounding can move
//! their scores by, so both ways find the same labels. What a row and a centre are long counts `gamma / 2` for each
//! column of codes, as the one-hot vectors that are never made would.
//!
//! # References
//! G. Hamerly (2010), "Making k-means even faster" (bounds: section 3); the margin for rounding follows N. Higham (2002),
//! "Accuracy and stability of numerical algorithms", section 3.1.

use std::ops::Range;

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{PackedCodes, TILE};

use super::assign::{Work, gather};
use super::data::{CHUNK, Data};
use super::rounds::Round;
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
    /// Its length plus the greatest length of all, rounded up.
    reach: F,
}

/// What one round's assignment needs to know.
struct Context<'a, F: Scalar> {
    data: &'a Data<F>,
    round: &'a Round<'a, F>,
    centers: Vec<Near<F>>,
    /// Twice what two scores can err by, relative to their reach squared.
    unit: F,
    /// Eight times the square of the greatest length.
    loose: F,
    /// What the codes of a row add to its squared length.
    coded: F,
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
    pub(super) fn drift(&mut self, drift: impl Iterator<Item = f64>) {
        self.drift = drift.map(|d| F::from_f64(d * UP)).collect();
    }

    /// Leaves a row in doubt, after it was given another label.
    pub(super) fn forget(&mut self, i: usize) {
        self.upper[i] = F::infinity();
        self.lower[i] = F::zero();
    }

    /// Labels the rows in doubt and moves those that changed from sum to sum; returns how many changed.
    pub(super) fn assign(
        &mut self,
        data: &Data<F>,
        round: &Round<'_, F>,
        labels: &mut [u32],
        sums: &mut Sums,
    ) -> usize {
        let context = Context::new(data, round, &self.drift);
        let chunks = labels
            .par_chunks_mut(CHUNK)
            .zip(self.upper.par_chunks_mut(CHUNK))
            .zip(self.lower.par_chunks_mut(CHUNK))
            .enumerate();
        let doubt = chunks.fold(
            || Doubt::new(data, round),
            |mut doubt, (chunk, ((labels, upper), lower))| {
                let mut part = Part {
                    chunk,
                    labels,
                    upper,
                    lower,
                };
                part.assign(&context, &mut doubt);
                doubt
            },
        );
        gather(doubt.map(|doubt| doubt.work), data, round, sums)
    }
}

impl<'a, F: Scalar> Context<'a, F> {
    fn new(data: &'a Data<F>, round: &'a Round<'a, F>, drift: &[F]) -> Self {
        let k = round.layout.n_clusters();
        let (d, c) = (data.levels.n_numeric(), data.levels.n_categorical());
        let coded = data.gamma.into_f64() / 2.0 * c as f64;
        let length = |j: usize| {
            let squares = round.shifted(j).iter().map(|v| v.into_f64().powi(2));
            (squares.sum::<f64>() + coded).sqrt() * UP
        };
        let lengths: Vec<f64> = (0..k).map(length).collect();
        let longest = lengths.iter().copied().fold(0.0, f64::max);
        let farthest = |except: usize| {
            let others = drift.iter().enumerate().filter(|(j, _)| *j != except);
            others.map(|(_, &d)| d).fold(F::zero(), F::max)
        };
        let gap = |i: usize| {
            let others = (0..k).filter(|&j| j != i);
            others
                .map(|j| round.distance(i, round, j))
                .fold(f64::INFINITY, f64::min)
        };
        let near = |j: usize| Near {
            drift: drift[j],
            others: farthest(j),
            half_gap: F::from_f64(gap(j) / 2.0 * DOWN),
            reach: F::from_f64((lengths[j] + longest) * UP),
        };
        // Full search of 64 rows against checking, gathering and searching some of them: an estimate.
        let (search, extra) = (k * (d + c), 16 * (d + c) + 300);
        Self {
            data,
            round,
            // Before the first round every row is in doubt and nothing else matters.
            centers: (0..drift.len()).into_par_iter().map(near).collect(),
            unit: F::from_f64(2.0 * (d + c + 8) as f64 * F::epsilon().into_f64() * UP),
            loose: F::from_f64(8.0 * longest * longest * UP),
            coded: F::from_f64(coded * UP),
            dense: (TILE * search / (search + extra)).max(1) as u32,
            up: F::from_f64(UP),
            down: F::from_f64(DOWN),
        }
    }

    /// Whether bounds leave it open which centre the kernels would find nearest. `unit reach^2` is more than two squared
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

    /// Bounds of a row from its squared length and the scores of its nearest and second nearest centre.
    #[inline(always)]
    fn renewed(&self, norm: F, best: F, second: F) -> (F, F) {
        let two = F::one() + F::one();
        let length = two * (norm + self.coded) + self.loose;
        let margin = self.unit * length * self.up + F::min_positive_value();
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
    chunk: usize,
    labels: &'a mut [u32],
    upper: &'a mut [F],
    lower: &'a mut [F],
}

impl<F: Scalar> Part<'_, F> {
    fn assign(&mut self, context: &Context<'_, F>, doubt: &mut Doubt<F>) {
        let (data, start) = (context.data, self.chunk * CHUNK);
        for first in (0..self.labels.len()).step_by(TILE) {
            let end = self.labels.len().min(first + TILE);
            let mut open = self.open(context, first..end);
            if open.count_ones() >= context.dense {
                let rows = start + first..start + end;
                doubt.work.search(data, context.round, rows);
                self.take(context, first..end, &mut doubt.work);
                continue;
            }
            while open != 0 {
                doubt.rows.push(first + open.trailing_zeros() as usize);
                open &= open - 1;
                if doubt.rows.len() == TILE {
                    doubt.tighten(context, self);
                }
            }
        }
        doubt.tighten(context, self);
        doubt.settle(context, self);
    }

    /// Brings the bounds of a tile up to date with the drift; the bits of the rows that they leave in doubt.
    #[inline]
    fn open(&mut self, context: &Context<'_, F>, rows: Range<usize>) -> u64 {
        if context.centers.is_empty() {
            return u64::MAX;
        }
        let mut open = 0;
        for (at, l) in rows.enumerate() {
            let center = &context.centers[self.labels[l] as usize];
            let (upper, lower) = (self.upper[l] + center.drift, self.lower[l] - center.others);
            self.upper[l] = upper * context.up;
            self.lower[l] = (lower * context.down).max(F::zero());
            let doubt = context.in_doubt(self.upper[l], self.lower[l], center);
            open |= u64::from(doubt) << at;
        }
        open
    }

    /// Gives rows of this chunk what a search found.
    #[inline(always)]
    fn take(
        &mut self,
        context: &Context<'_, F>,
        rows: impl Iterator<Item = usize>,
        work: &mut Work<F>,
    ) {
        let mut lengths = [F::zero(); TILE];
        work.tile.tile(0).0.squared_lengths(&mut lengths);
        for (at, l) in rows.enumerate() {
            let found = &work.found.nearest;
            let bounds = context.renewed(lengths[at], found.best[at], found.second[at]);
            (self.upper[l], self.lower[l]) = bounds;
            work.relabel(l, &mut self.labels[l], found.label[at]);
        }
        work.flush(context.data, self.chunk);
    }
}

/// Rows in doubt, by their place in the chunk, gathered until they fill a tile.
struct Doubt<F> {
    work: Work<F>,
    /// Rows whose bounds leave a doubt.
    rows: Vec<usize>,
    /// Rows whose own distance leaves one too, and their codes.
    gathered: Vec<usize>,
    codes: PackedCodes,
    numbers: Vec<F>,
}

impl<F: Scalar> Doubt<F> {
    fn new(data: &Data<F>, round: &Round<'_, F>) -> Self {
        Self {
            work: Work::new(data, round),
            rows: Vec::with_capacity(TILE),
            gathered: Vec::with_capacity(TILE),
            codes: PackedCodes::zeros(TILE, data.levels.n_categorical()),
            numbers: Vec::with_capacity(TILE * data.levels.n_numeric()),
        }
    }

    /// Replaces the upper bounds by the distances themselves, and gathers the rows which that does not help.
    fn tighten(&mut self, context: &Context<'_, F>, part: &mut Part<'_, F>) {
        let (start, mut squares) = (part.chunk * CHUNK, [F::zero(); TILE]);
        let rows = self.rows.iter().map(|&l| (start + l, part.labels[l]));
        context.round.own(rows, &mut squares);
        let rows = std::mem::take(&mut self.rows);
        for (&l, square) in rows.iter().zip(squares) {
            part.upper[l] = square.sqrt() * context.up;
            let center = &context.centers[part.labels[l] as usize];
            if context.in_doubt(part.upper[l], part.lower[l], center) {
                let i = start + l;
                let codes = context.data.codes(i);
                self.codes.set_row(self.gathered.len(), codes);
                self.numbers.extend(context.data.numbers(i..i + 1));
                self.gathered.push(l);
                if self.gathered.len() == TILE {
                    self.settle(context, part);
                }
            }
        }
        self.rows = rows;
        self.rows.clear();
    }

    /// Searches the gathered rows.
    fn settle(&mut self, context: &Context<'_, F>, part: &mut Part<'_, F>) {
        if self.gathered.is_empty() {
            return;
        }
        let work = &mut self.work;
        work.tile.load(0, &self.numbers, &context.data.shift);
        let rows = (work.tile.tile(0).0, self.codes.tile(0));
        work.found.search(&context.round.layout, rows);
        part.take(context, self.gathered.drain(..), work);
        self.numbers.clear();
    }
}
