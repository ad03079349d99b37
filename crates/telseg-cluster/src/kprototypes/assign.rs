//! Labelling all rows with the nearest centre, every distance computed.

use std::ops::Range;

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{Move, Packed, TILE};

use super::data::{CHUNK, Data};
use super::prototypes::Found;
use super::rounds::Round;
use super::sums::Sums;

/// What a task that labels rows works with.
pub(super) struct Work<F> {
    pub(super) sums: Sums,
    pub(super) changed: usize,
    /// Moves of rows of the chunk that are not carried out yet.
    moves: Vec<Move>,
    pub(super) tile: Packed<F>,
    pub(super) found: Found<F>,
}

impl<F: Scalar> Work<F> {
    pub(super) fn new(data: &Data<F>, round: &Round<F>) -> Self {
        let k = round.layout.n_clusters();
        Self {
            sums: Sums::zeros(k, &data.grid),
            changed: 0,
            moves: Vec::with_capacity(TILE),
            tile: Packed::zeros(TILE, data.levels.n_numeric()),
            found: Found::new(k),
        }
    }

    /// Finds the nearest centres of a tile of rows.
    #[inline]
    pub(super) fn search(&mut self, data: &Data<F>, round: &Round<F>, rows: Range<usize>) {
        let codes = data.code_tile(rows.start);
        self.tile.load(0, data.numbers(rows), &data.shift);
        self.found
            .search(&round.layout, (self.tile.tile(0).0, codes));
    }

    /// Gives row `l` of its chunk the label that was found.
    #[inline(always)]
    pub(super) fn relabel(&mut self, l: usize, label: &mut u32, to: u32) {
        if *label != to {
            self.moves.push(Move {
                row: l as u32,
                from: *label,
                to,
            });
            *label = to;
        }
    }

    /// Carries out the moves so far.
    #[inline]
    pub(super) fn flush(&mut self, data: &Data<F>, chunk: usize) {
        self.sums
            .move_rows(&data.grid, data.on_grid(chunk), &self.moves);
        self.changed += self.moves.len();
        self.moves.clear();
    }
}

/// Labels every row and moves rows that changed from sum to sum; returns how many changed.
pub(super) fn full<F: Scalar>(
    data: &Data<F>,
    round: &Round<F>,
    labels: &mut [u32],
    sums: &mut Sums,
) -> usize {
    let chunks = labels.par_chunks_mut(CHUNK).enumerate();
    let work = chunks.fold(
        || Work::new(data, round),
        |mut work, (chunk, labels)| {
            for (t, labels) in labels.chunks_mut(TILE).enumerate() {
                let first = chunk * CHUNK + t * TILE;
                work.search(data, round, first..first + labels.len());
                for (l, label) in labels.iter_mut().enumerate() {
                    let found = work.found.nearest.label[l];
                    work.relabel(t * TILE + l, label, found);
                }
                work.flush(data, chunk);
            }
            work
        },
    );
    gather(work, data, round, sums)
}

/// Adds up what the tasks did; returns how many labels changed.
pub(super) fn gather<F: Scalar>(
    work: impl ParallelIterator<Item = Work<F>>,
    data: &Data<F>,
    round: &Round<F>,
    sums: &mut Sums,
) -> usize {
    let nothing = || (Sums::zeros(round.layout.n_clusters(), &data.grid), 0);
    let (moves, changed) =
        work.map(|work| (work.sums, work.changed))
            .reduce(nothing, |(mut a, na), (b, nb)| {
                a.add(&b);
                (a, na + nb)
            });
    sums.add(&moves);
    changed
}
