//! Bounds that prove that a row's label stays: an upper bound on the distance to the own centre and a lower bound on the
//! distance to any other.
//!
//! While the first stays below the second, the row is left alone. Both loosen by what the centres move; that is added up
//! by centre and compared with the gap that the row had when it was last looked at, so that a row that is left alone is
//! read once a round (its label and one number) and not written. From tiles with few rows in doubt these are taken one by
//! one: first the distance to the own centre, then (Exponion) the few centres around it that can matter, and last, gathered
//! into tiles, all centres. A tile with many goes through the kernel as a whole, as in [`lloyd`](super::lloyd).
//!
//! All algorithms find the labels that the kernel finds: a row is only left alone, or given to a centre by direct
//! distances, when these differ by more than rounding can move the kernel's scores.
//!
//! # References
//! G. Hamerly (2010), "Making k-means even faster" (bounds: section 3); J. Newling, F. Fleuret (2016), "Fast k-means with
//! accurate bounds" (rings around the own centre: section 2.4; movements added up over rounds: section 3); the margin for
//! rounding follows N. Higham (2002), "Accuracy and stability of numerical algorithms", section 3.1 (an inner product of
//! length d errs by at most `d u |x| |y|`).
//!
//! Deviation: movements are added up as lengths, round by round, and not as the distance between where a centre was and
//! where it is.

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{Move, NearestTile, Packed, Pair, TILE, squared_distances};

use super::data::{CHUNK, Data};
use super::lloyd::{NONE, Round};
use super::near::{Drift, Nearby};
use super::sums::Sums;

/// The bounds of every row, in the data's precision.
pub(super) struct Bounds<F> {
    /// Lower bound on the distance to any other centre, plus what its cluster's bounds had lost by then.
    lower: Vec<F>,
    /// Lower bound minus upper bound, plus what its cluster's gaps had lost by then.
    slack: Vec<F>,
    /// By tile, the length of its longest row relative to the shift.
    longest: Vec<F>,
    drift: Drift,
    with_rings: bool,
    fresh: bool,
}

/// What one round's assignment needs to know.
struct Context<'a, F: Scalar> {
    data: &'a Data<'a, F>,
    round: &'a Round<F>,
    near: Nearby<F>,
    /// Rows in doubt from which on a tile is searched as a whole.
    dense: u32,
    /// Centres from which on a row is searched in a tile rather than alone.
    crowd: usize,
    /// Slightly less and more than 1: what sums of movements can round, both ways.
    less: F,
    more: F,
}

impl<F: Scalar> Bounds<F> {
    /// Bounds that leave every row in doubt; with rings of centres for Exponion.
    pub(super) fn new(n_rows: usize, n_clusters: usize, with_rings: bool) -> Self {
        Self {
            lower: vec![F::neg_infinity(); n_rows],
            slack: vec![F::neg_infinity(); n_rows],
            longest: vec![F::zero(); n_rows.div_ceil(TILE)],
            drift: Drift::new(n_clusters),
            with_rings,
            fresh: true,
        }
    }

    /// Tells the bounds how far each centre moved.
    pub(super) fn drift(&mut self, moved: &[f64]) {
        self.drift.add(moved);
    }

    /// Leaves a row in doubt, after it was given another label.
    pub(super) fn forget(&mut self, i: usize) {
        self.lower[i] = F::neg_infinity();
        self.slack[i] = F::neg_infinity();
    }

    /// Labels the rows in doubt and moves those that changed from sum to sum; returns how many changed.
    pub(super) fn assign(
        &mut self,
        data: &Data<'_, F>,
        round: &Round<F>,
        labels: &mut [u32],
        sums: &mut Sums,
    ) -> usize {
        let rings = self.with_rings && !self.fresh;
        let near = Nearby::new(round, &self.drift, data.n_columns, rings);
        let context = Context::new(data, round, near, self.fresh);
        self.fresh = false;
        let empty = || Work::new(&context);
        let done = labels
            .par_chunks_mut(CHUNK)
            .zip(self.lower.par_chunks_mut(CHUNK))
            .zip(self.slack.par_chunks_mut(CHUNK))
            .zip(self.longest.par_chunks_mut(CHUNK / TILE))
            .enumerate()
            .fold(
                empty,
                |mut work, (c, (((labels, lower), slack), longest))| {
                    let start = c * CHUNK;
                    let mut part = Part {
                        start,
                        labels,
                        lower,
                        slack,
                        longest,
                    };
                    work.assign(&context, &mut part);
                    work
                },
            )
            .map(|work| (work.sums, work.changed))
            .reduce(
                || (Sums::zeros(round.layout.n(), data.n_columns), 0),
                |(mut a, na), (b, nb)| {
                    a.add(&b);
                    (a, na + nb)
                },
            );
        sums.add(&done.0);
        done.1
    }
}

impl<'a, F: Scalar> Context<'a, F> {
    fn new(data: &'a Data<'a, F>, round: &'a Round<F>, near: Nearby<F>, fresh: bool) -> Self {
        let (k, d) = (round.layout.n(), data.n_columns);
        // Estimates, in cycles: a row of a tile that is searched as a whole, and a row that is taken from its tile.
        let whole = d * k / 32 + d / 2 + k / 2 + 10;
        let alone = 40 + d / 4 + (whole + d + 20) / 2;
        let four = F::from_f64(4.0) * F::epsilon();
        Self {
            data,
            round,
            near,
            dense: if fresh {
                0
            } else {
                (TILE * whole / alone).clamp(1, TILE) as u32
            },
            crowd: (whole + d + 20) / (12 + d / 8),
            less: F::one() - four,
            more: F::one() + four,
        }
    }
}

/// One chunk of the state.
struct Part<'a, F> {
    start: usize,
    labels: &'a mut [u32],
    lower: &'a mut [F],
    slack: &'a mut [F],
    longest: &'a mut [F],
}

impl<F: Scalar> Part<'_, F> {
    /// The bits of the rows of a tile that their bounds leave in doubt.
    #[inline]
    fn open(&self, context: &Context<'_, F>, first: usize) -> u64 {
        let end = self.labels.len().min(first + TILE);
        let near = &context.near;
        // (l - u)(l + u) must exceed the blur, and l + u is at least the distance between the two centres.
        let blur = near.blur(self.longest[first / TILE] + near.longest);
        let mut open = 0;
        let rows = self.labels[first..end].iter().zip(&self.slack[first..end]);
        for (l, (&label, &slack)) in rows.enumerate() {
            let center = &near.centers[label as usize];
            let settled =
                slack * context.less > center.both * context.more + blur * center.inverse_gap;
            open |= u64::from(!settled) << l;
        }
        open
    }

    /// Keeps the bounds of a row as they are now.
    #[inline(always)]
    fn keep(&mut self, context: &Context<'_, F>, l: usize, upper: F, lower: F) {
        let center = &context.near.centers[self.labels[l] as usize];
        self.lower[l] = lower + center.others;
        self.slack[l] = (lower - upper) + center.both;
    }
}

/// What a task works with.
struct Work<F: Scalar> {
    sums: Sums,
    changed: usize,
    moves: Vec<Move>,
    /// Rows of the chunk in doubt, and their distances to centres.
    doubt: Vec<u32>,
    pairs: Vec<Pair>,
    squares: Vec<F>,
    tile: Packed<F>,
    lengths: [F; TILE],
    nearest: NearestTile<F>,
    /// Rows of the chunk that are gathered for a tile of their own, and their values.
    gathered: Vec<u32>,
    gather: Vec<F>,
}

impl<F: Scalar> Work<F> {
    fn new(context: &Context<'_, F>) -> Self {
        let (k, d) = (context.round.layout.n(), context.data.n_columns);
        Self {
            sums: Sums::zeros(k, d),
            changed: 0,
            moves: Vec::with_capacity(TILE),
            doubt: Vec::with_capacity(2 * TILE),
            pairs: Vec::with_capacity(TILE.max(k)),
            squares: vec![F::zero(); TILE.max(k)],
            tile: Packed::zeros(TILE, d),
            lengths: [F::zero(); TILE],
            nearest: NearestTile::default(),
            gathered: Vec::with_capacity(TILE),
            gather: Vec::with_capacity(TILE * d),
        }
    }

    fn assign(&mut self, context: &Context<'_, F>, part: &mut Part<'_, F>) {
        for first in (0..part.labels.len()).step_by(TILE) {
            let mut open = if context.dense == 0 {
                u64::MAX
            } else {
                part.open(context, first)
            };
            if open.count_ones() >= context.dense {
                self.search(context, part, first);
                continue;
            }
            while open != 0 {
                self.doubt.push((first as u32) + open.trailing_zeros());
                open &= open - 1;
            }
            if self.doubt.len() >= TILE {
                self.look(context, part);
            }
        }
        self.look(context, part);
        self.settle(context, part);
        self.flush(context, part);
    }

    /// Searches a whole tile.
    fn search(&mut self, context: &Context<'_, F>, part: &mut Part<'_, F>, first: usize) {
        let end = part.labels.len().min(first + TILE);
        let rows = context.data.rows(part.start + first..part.start + end);
        self.tile.load(0, rows, &context.data.shift);
        let tile = self.tile.tile(0).0;
        tile.squared_lengths(&mut self.lengths);
        context.round.layout.nearest(tile, &mut self.nearest);
        self.nearest.bounds(&self.lengths, &context.near.margin);
        if context.dense == 0 {
            let squares = self.lengths[..end - first].iter();
            let longest = squares.fold(F::zero(), |a, &b| if b > a { b } else { a });
            part.longest[first / TILE] = longest.sqrt() * context.near.margin.up;
        }
        for l in first..end {
            let found = self.nearest.label[l - first];
            self.relabel(part, l, found);
            part.keep(
                context,
                l,
                self.nearest.best[l - first],
                self.nearest.second[l - first],
            );
        }
        self.flush(context, part);
    }

    /// Takes rows in doubt one by one.
    fn look(&mut self, context: &Context<'_, F>, part: &mut Part<'_, F>) {
        let mut doubt = std::mem::take(&mut self.doubt);
        for rows in doubt.chunks(TILE) {
            let near = context
                .data
                .rows(part.start..part.start + part.labels.len());
            self.pairs.clear();
            let pair = |&l: &u32| Pair {
                row: l,
                other: part.labels[l as usize],
            };
            self.pairs.extend(rows.iter().map(pair));
            let mut squares = [F::zero(); TILE];
            let (data, centers) = (context.data, &context.round.centers);
            squared_distances(near, centers, data.n_columns, &self.pairs, &mut squares);
            for (&l, &square) in rows.iter().zip(&squares) {
                let upper = square.sqrt() * context.near.margin.up;
                if !self.tighten(context, part, l as usize, upper)
                    && !self.look_around(context, part, l as usize, upper)
                {
                    self.gather
                        .extend_from_slice(data.row(part.start + l as usize));
                    self.gathered.push(l);
                    if self.gathered.len() == TILE {
                        self.settle(context, part);
                    }
                }
            }
        }
        doubt.clear();
        self.doubt = doubt;
    }

    /// Whether the distance to the own centre settles it.
    #[inline]
    fn tighten(
        &mut self,
        context: &Context<'_, F>,
        part: &mut Part<'_, F>,
        l: usize,
        upper: F,
    ) -> bool {
        let center = &context.near.centers[part.labels[l] as usize];
        let lower =
            (part.lower[l] * context.less - center.others * context.more).max(center.gap - upper);
        let settled =
            lower > F::zero() && context.near.is_clear(upper, lower, upper + center.reach);
        if settled {
            part.keep(context, l, upper, lower);
        }
        settled
    }

    /// Whether the centres around the own one settle it: none farther from it than `2 upper` can be nearest, and one at
    /// `gap` lies within `upper + gap` of the row.
    #[inline]
    fn look_around(
        &mut self,
        context: &Context<'_, F>,
        part: &mut Part<'_, F>,
        l: usize,
        upper: F,
    ) -> bool {
        let (label, near) = (part.labels[l] as usize, &context.near);
        let center = &near.centers[label];
        let radius = (upper + upper + center.gap) * near.margin.up;
        let Some((around, outside)) = near.within(label, radius, context.crowd) else {
            return false;
        };
        let (data, row) = (context.data, l as u32);
        let rows = data.rows(part.start..part.start + part.labels.len());
        self.pairs.clear();
        self.pairs
            .extend(around.iter().map(|&other| Pair { row, other }));
        squared_distances(
            rows,
            &context.round.centers,
            data.n_columns,
            &self.pairs,
            &mut self.squares,
        );
        let (mut best, mut second, mut found) = (F::infinity(), F::infinity(), 0);
        for (&j, &square) in around.iter().zip(&self.squares) {
            if square < best {
                (best, second, found) = (square, best, j);
            } else if square < second {
                second = square;
            }
        }
        let nearest = best.sqrt() * near.margin.up;
        let other = (second.sqrt() * near.margin.down).min((outside - upper) * near.margin.down);
        let clear = other > F::zero() && near.is_clear(nearest, other, upper + center.reach);
        if clear {
            self.relabel(part, l, found);
            part.keep(context, l, nearest, other);
        }
        clear
    }

    /// Searches the gathered rows.
    fn settle(&mut self, context: &Context<'_, F>, part: &mut Part<'_, F>) {
        if self.gathered.is_empty() {
            return;
        }
        self.tile.load(0, &self.gather, &context.data.shift);
        self.gather.clear();
        let tile = self.tile.tile(0).0;
        tile.squared_lengths(&mut self.lengths);
        context.round.layout.nearest(tile, &mut self.nearest);
        self.nearest.bounds(&self.lengths, &context.near.margin);
        let gathered = std::mem::take(&mut self.gathered);
        for (g, &l) in gathered.iter().enumerate() {
            self.relabel(part, l as usize, self.nearest.label[g]);
            part.keep(
                context,
                l as usize,
                self.nearest.best[g],
                self.nearest.second[g],
            );
        }
        self.gathered = gathered;
        self.gathered.clear();
        self.flush(context, part);
    }

    /// Gives a row the label that was found.
    #[inline(always)]
    fn relabel(&mut self, part: &mut Part<'_, F>, l: usize, found: u32) {
        let from = part.labels[l];
        if from != found {
            part.labels[l] = found;
            self.moves.push(Move {
                row: l as u32,
                from,
                to: found,
            });
        }
    }

    /// Carries out the moves so far.
    fn flush(&mut self, context: &Context<'_, F>, part: &Part<'_, F>) {
        let rows = part.start..part.start + part.labels.len();
        let data = context.data;
        self.sums
            .move_rows(&data.grid, data.on_grid(rows), &self.moves);
        self.changed += self.moves.len();
        self.moves.clear();
    }
}

const _: () = assert!(NONE == u32::MAX, "a move from no group");
