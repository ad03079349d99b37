//! Lookup tables: the attributions of a group of leaves for every code that a row can have.

use super::paths::{Ask, Group, Path, Pieces};
use super::quadrature::Node;

/// A group of leaves, ready for rows.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Bit `b` of a row's code is set when all asks of `bits[b]` hold.
    pub(crate) bits: Vec<Vec<Ask>>,
    /// Slots of the row's attributions that the columns of `sums` add to.
    pub(crate) slots: Vec<u32>,
    /// For each slot, a number for each code.
    pub(crate) sums: Vec<f64>,
}

/// For a leaf of a group and one step of its path: the row goes the leaf's way when `code & mask == want`.
struct Mask {
    mask: usize,
    want: usize,
}

/// Works out the table of one group.
///
/// `slot` names the place of (feature, output) in a row's attributions; `outputs` are those that the leaf values add
/// to.
pub(crate) fn build(
    pieces: &Pieces,
    group: &Group,
    outputs: &[usize],
    rules: &[Vec<Node>],
    slot: impl Fn(usize, usize) -> u32,
) -> Table {
    let codes = 1usize << group.bits.len();
    let leaves = &pieces.leaves[group.leaves.clone()];
    let mut features: Vec<usize> = Vec::new();
    for step in leaves.iter().flat_map(|leaf| &leaf.steps) {
        if !features.contains(&step.feature) {
            features.push(step.feature);
        }
    }
    let width = outputs.len();
    let mut sums = vec![0.0; features.len() * width * codes];
    for leaf in leaves {
        let masks = masks(leaf, group);
        let alone = leaf_table(leaf, rules);
        let m = leaf.steps.len();
        let patterns: Vec<usize> = (0..codes)
            .map(|code| {
                masks.iter().enumerate().fold(0, |pattern, (j, mask)| {
                    pattern | usize::from(code & mask.mask == mask.want) << j
                })
            })
            .collect();
        for (j, step) in leaf.steps.iter().enumerate() {
            let column = features
                .iter()
                .position(|&f| f == step.feature)
                .expect("invariant: collected above");
            for (o, &value) in leaf.value.iter().enumerate() {
                let sums = &mut sums[(column * width + o) * codes..][..codes];
                for (sum, &pattern) in sums.iter_mut().zip(&patterns) {
                    *sum += value * alone[pattern * m + j];
                }
            }
        }
    }
    let slots = features
        .iter()
        .flat_map(|&f| outputs.iter().map(move |&o| (f, o)))
        .map(|(f, o)| slot(f, o))
        .collect();
    Table {
        bits: group.bits.clone(),
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

/// The attributions of a leaf of value 1 for every pattern of steps that hold: `patterns x steps`.
fn leaf_table(leaf: &Path, rules: &[Vec<Node>]) -> Vec<f64> {
    let m = leaf.steps.len();
    let mut table = vec![0.0; m << m];
    let mut prefix = vec![0.0; m];
    for (pattern, row) in table.chunks_exact_mut(m.max(1)).enumerate() {
        attribute(leaf, |j| pattern >> j & 1 == 1, &rules[m], &mut prefix, row);
    }
    table
}

/// The attributions of one leaf of value 1 (eq. 2 of the module), written to `out`, one for each step.
fn attribute(
    leaf: &Path,
    holds: impl Fn(usize) -> bool,
    rule: &[Node],
    prefix: &mut [f64],
    out: &mut [f64],
) {
    out.fill(0.0);
    let factor = |j: usize, t: f64| {
        let out_of_set = leaf.steps[j].follows * (1.0 - t);
        if holds(j) { out_of_set + t } else { out_of_set }
    };
    for node in rule {
        let mut product = node.weight;
        for (j, prefix) in prefix.iter_mut().enumerate() {
            *prefix = product;
            product *= factor(j, node.t);
        }
        let mut suffix = 1.0;
        for j in (0..leaf.steps.len()).rev() {
            out[j] += prefix[j] * suffix;
            suffix *= factor(j, node.t);
        }
    }
    for (j, out) in out.iter_mut().enumerate() {
        *out *= f64::from(u8::from(holds(j))) - leaf.steps[j].follows;
    }
}
