//! Labelling all rows with the nearest centre, every distance computed.

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::TILE;

use super::data::{CHUNK, Data};
use super::prototypes::{Layout, Room};
use super::rounds::{NONE, Round};
use super::sums::Sums;

/// Labels every row and moves rows that changed from sum to sum; returns how many changed.
pub(super) fn full<F: Scalar>(
    data: &Data<F>,
    round: &Round<F>,
    labels: &mut [u32],
    sums: &mut Sums,
) -> usize {
    let k = round.prototypes.n_clusters();
    let empty = || (Sums::zeros(k, &data.grid), 0, Room::new(&data.levels, k));
    let chunks = labels.par_chunks_mut(CHUNK).enumerate();
    let (moves, changed, _) = chunks
        .fold(empty, |(mut sums, mut changed, mut room), (c, labels)| {
            for (t, labels) in labels.chunks_mut(TILE).enumerate() {
                let tile = c * (CHUNK / TILE) + t;
                search_tile(data, &round.layout, tile, &mut room);
                let found = labels.iter_mut().zip(&room.nearest.label);
                for (l, (label, &found)) in found.enumerate() {
                    if *label != found {
                        changed += 1;
                        shift_row(data, &mut sums, tile * TILE + l, label, found);
                    }
                }
            }
            (sums, changed, room)
        })
        .reduce(empty, |(mut a, na, room), (b, nb, _)| {
            a.add(&b);
            (a, na + nb, room)
        });
    sums.add(&moves);
    changed
}

/// The nearest centres of the rows of a tile as it is packed.
#[inline]
pub(super) fn search_tile<F: Scalar>(
    data: &Data<F>,
    layout: &Layout<F>,
    tile: usize,
    room: &mut Room<F>,
) {
    let rows = (data.packed.tile(tile).0, data.packed_codes.tile(tile));
    let (scores, nearest) = (&mut room.scores, &mut room.nearest);
    layout
        .centers
        .nearest_mixed(rows, &layout.modes, scores, nearest);
}

/// Gives a row its new label and moves it from sum to sum.
#[inline]
pub(super) fn shift_row<F: Scalar>(
    data: &Data<F>,
    sums: &mut Sums,
    i: usize,
    label: &mut u32,
    found: u32,
) {
    let from = (*label != NONE).then_some(*label);
    sums.move_row(&data.grid, data.part(i), (from, found));
    *label = found;
}
