//! Lookup tables: the attributions of a group of leaves for every code that a row can have.

use super::game::Game;
use super::kernel::Bits;
use super::paths::{Group, Path, Pieces};

/// A group of leaves, ready for rows.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Bit `b` of a row's code is set when all asks of bit `b` hold.
    pub(crate) bits: Bits,
    /// Slots of the row's attributions that the columns of `sums` add to.
    pub(crate) slots: Vec<u32>,
    /// For each code, a number for each slot: what one row needs lies together.
    pub(crate) sums: Vec<f64>,
}

/// For a leaf of a group and one step of its path: the row goes the leaf's way when `code & mask == want`.
struct Mask {
    mask: usize,
    want: usize,
}

/// Works out the table of one group.
///
/// `background`: the share of background rows by their code, where they stand for what is unknown. `slot` names the
/// place of (pair of features, output) in a row's attributions; `outputs` are those that the leaf values add to.
pub(crate) fn build(
    pieces: &Pieces,
    group: &Group,
    game: &Game,
    background: Option<&[f64]>,
    outputs: &[usize],
    slot: impl Fn((usize, usize), usize) -> u32,
) -> Table {
    let codes = 1usize << group.bits.len();
    let leaves = &pieces.leaves[group.leaves.clone()];
    let mut terms: Vec<(usize, usize)> = Vec::new();
    for term in leaves.iter().flat_map(|leaf| game.terms(leaf)) {
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    let width = outputs.len();
    let columns = terms.len() * width;
    let mut sums = vec![0.0; columns * codes];
    for leaf in leaves {
        let masks = masks(leaf, group);
        let patterns: Vec<usize> = (0..codes)
            .map(|code| {
                masks.iter().enumerate().fold(0, |pattern, (j, mask)| {
                    pattern | usize::from(code & mask.mask == mask.want) << j
                })
            })
            .collect();
        let alone = leaf_table(leaf, game, background.map(|shares| (shares, &patterns[..])));
        let entries = game.entries(leaf.steps.len());
        for (e, term) in game.terms(leaf).enumerate() {
            let column = terms
                .iter()
                .position(|&t| t == term)
                .expect("invariant: collected above");
            for (code, &pattern) in patterns.iter().enumerate() {
                let part = alone[pattern * entries + e];
                let sums = &mut sums[code * columns + column * width..][..width];
                for (sum, &value) in sums.iter_mut().zip(&leaf.value) {
                    *sum += value * part;
                }
            }
        }
    }
    let slots = terms
        .iter()
        .flat_map(|&t| outputs.iter().map(move |&o| (t, o)))
        .map(|(t, o)| slot(t, o))
        .collect();
    Table {
        bits: Bits::new(&group.bits),
        slots,
        sums,
    }
}

fn masks(leaf: &Path, group: &Group) -> Vec<Mask> {
    leaf.steps
        .iter()
        .map(|step| {
            let mut need = Mask { mask: 0, want: 0 };
            for (b, bit) in group.bits.iter().enumerate() {
                // A bit above the group holds several asks of one feature, all of which this path needs; a bit
                // within it is one split, and the path may need its answer to be no.
                let between = bit.len() == 1;
                if bit.iter().all(|ask| step.asks.contains(ask)) {
                    need.mask |= 1 << b;
                    need.want |= 1 << b;
                } else if between && step.asks.iter().any(|ask| ask.split == bit[0].split) {
                    need.mask |= 1 << b;
                }
            }
            need
        })
        .collect()
}

/// The attributions of a leaf of value 1 for every pattern of steps that hold: `patterns x entries`.
///
/// `background`: shares by code of the group, and the pattern of each code.
fn leaf_table(leaf: &Path, game: &Game, background: Option<(&[f64], &[usize])>) -> Vec<f64> {
    let m = leaf.steps.len();
    let entries = game.entries(m);
    let mut table = vec![0.0; entries << m];
    if entries == 0 {
        return table;
    }
    let rows = table.chunks_exact_mut(entries).enumerate();
    match background {
        None => rows.for_each(|(pattern, out)| game.by_covers(leaf, pattern as u64, out)),
        Some((shares, patterns)) => {
            let mut by_pattern = vec![0.0; 1 << m];
            for (&share, &pattern) in shares.iter().zip(patterns) {
                by_pattern[pattern] += share;
            }
            let all = (1usize << m) - 1;
            for (pattern, out) in rows {
                // Only those that follow where this row does not can meet it: supersets of the rest.
                let others = subsets(pattern)
                    .map(|part| (all & !pattern) | part)
                    .map(|other| (other as u64, by_pattern[other]))
                    .filter(|&(_, share)| share != 0.0);
                game.by_rows(m, others, pattern as u64, out);
            }
        }
    }
    table
}

/// All subsets of a set of bits, the set itself first.
fn subsets(set: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(set), move |&part| {
        (part != 0).then(|| (part - 1) & set)
    })
}
