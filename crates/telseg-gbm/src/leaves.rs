//! After a tree is grown: which leaf each row is in, what the leaves add, and the tree in the form that all crates share.

use rayon::prelude::*;
use telseg_core::par;
use telseg_core::trees::{Node, Rule, Tree};

use crate::GbmParams;
use crate::bins::{BinnedData, ColumnBins};
use crate::grow::{BinNode, BinTree, Buffers, Leaf};
use crate::kernel::Shared;
use crate::objective::{LeafRule, Slope, Targets, quantile, weighted_quantile};
use crate::split::BinSet;

/// Rows of one task; sums over rows are folded chunk by chunk, so it is part of the results.
pub(crate) const CHUNK: usize = 8192;
/// Marks the leaf of a row that a tree was not grown on.
pub(crate) const OUTSIDE: u32 = 1 << 31;

/// Writes the leaf of every row: [`OUTSIDE`] is added for rows that the tree was not grown on.
pub(crate) fn place(
    data: &BinnedData,
    (tree, leaves): (&BinTree, &[Leaf]),
    buffers: &Buffers,
    places: &mut [u32],
) {
    let inside: usize = leaves.iter().map(Leaf::n_rows).sum();
    if inside < places.len() {
        places.par_chunks_mut(CHUNK).for_each(|p| p.fill(OUTSIDE));
    }
    let shared = Shared::new(places);
    let parts: Vec<(usize, &[u32])> = leaves
        .iter()
        .enumerate()
        .flat_map(|(i, leaf)| buffers.rows(leaf).chunks(CHUNK).map(move |rows| (i, rows)))
        .collect();
    #[allow(unsafe_code)]
    parts.par_iter().for_each(|&(leaf, rows)| {
        // SAFETY: `places` is borrowed for this function, has an element for every row, and each row is in one leaf.
        unsafe { shared.set_all(rows, leaf as u32) }
    });
    if inside == places.len() {
        return;
    }
    let mut leaf_of = vec![0u32; tree.nodes.len()];
    (0..)
        .zip(leaves)
        .for_each(|(i, leaf)| leaf_of[leaf.node] = i);
    par::fill(places, CHUNK, |range, places| {
        for (row, place) in range.zip(places) {
            if *place == OUTSIDE {
                *place = OUTSIDE | leaf_of[tree.leaf(data.rows(), row)];
            }
        }
    });
}

/// What the rows of each leaf sum up to, by place.
#[derive(Debug)]
pub(crate) struct LeafSums {
    /// Exact sums of gradients and hessians.
    pub(crate) slopes: Vec<[f64; 2]>,
    /// Weights of the rows (their number, without weights).
    pub(crate) covers: Vec<f64>,
}

/// Sums the exact slopes of the rows that each leaf was grown on.
pub(crate) fn sum(
    leaves: &[Leaf],
    places: &[u32],
    slopes: &[Slope],
    weights: Option<&[f32]>,
) -> LeafSums {
    let n_leaves = leaves.len();
    // Chunks grow with the number of leaves, so that the sums of all chunks stay small beside the rows.
    let chunk = CHUNK.max(64 * n_leaves);
    let sums = par::map(places.len(), chunk, |range| {
        let rows = places[range.clone()].iter().zip(&slopes[range.clone()]);
        let mut sums = sum_by_place(rows.map(|(&p, [g, h])| (p, [*g, *h])), n_leaves);
        let covers = weights.map(|w| {
            let rows = places[range.clone()].iter().zip(&w[range]);
            sum_by_place(rows.map(|(&p, &w)| (p, [w, 0.0])), n_leaves)
        });
        sums.extend(covers.into_iter().flatten());
        sums
    });
    let total = |place: usize| {
        sums.iter().fold([0.0; 2], |[a, b], chunk| {
            [a + chunk[place][0], b + chunk[place][1]]
        })
    };
    let cover = |(i, leaf): (usize, &Leaf)| match weights {
        Some(_) => total(n_leaves + i)[0],
        None => leaf.n_rows() as f64,
    };
    LeafSums {
        slopes: (0..n_leaves).map(total).collect(),
        covers: leaves.iter().enumerate().map(cover).collect(),
    }
}

/// The step of each leaf by its sums, times the learning rate: with `T` the soft threshold of the L1 penalty, `T(G)` is
/// the gradient of the [`LeafRule`].
pub(crate) fn steps(
    sums: &LeafSums,
    leaves: &[Leaf],
    params: &GbmParams,
    rule: LeafRule,
) -> Vec<f64> {
    let value = |(&[g, h], leaf): (&[f64; 2], &Leaf)| {
        let slope = (g.abs() - params.l1).max(0.0).copysign(g);
        bounded(leaf, rule.step([slope, h], leaf.l2)) * params.learning_rate
    };
    sums.slopes.iter().zip(leaves).map(value).collect()
}

/// The quantile of what the scores leave of the targets of each leaf's rows, times the learning rate.
pub(crate) fn residuals(
    leaves: &[Leaf],
    buffers: &Buffers,
    (targets, scores): (&Targets, &[f64]),
    (level, learning_rate): (f64, f64),
) -> Vec<f64> {
    let value = |leaf: &Leaf| {
        let rows = buffers.rows(leaf).iter().map(|&row| row as usize);
        let gap = |row: usize| f64::from(targets.y[row]) - scores[row];
        let value = match &targets.weights {
            None => quantile(&mut rows.map(gap).collect::<Vec<_>>(), level),
            Some(w) => {
                let rows = rows.map(|row| (gap(row), w[row]));
                weighted_quantile(&mut rows.collect::<Vec<_>>(), level)
            }
        };
        bounded(leaf, value) * learning_rate
    };
    leaves.par_iter().map(value).collect()
}

/// A value within the bounds of its leaf.
fn bounded(leaf: &Leaf, value: f64) -> f64 {
    // As `clamp`, which panics on bounds that are not in order.
    value.max(leaf.bounds[0]).min(leaf.bounds[1])
}

/// Gives the leaves of a tree their values.
pub(crate) fn set(tree: &mut BinTree, leaves: &[Leaf], values: &[f64]) {
    for (leaf, &value) in leaves.iter().zip(values) {
        tree.nodes[leaf.node].value = value;
    }
}

/// A question about bins as one about values.
pub(crate) fn rule(column: &ColumnBins, left: &BinSet, last_bin: Option<usize>) -> Rule {
    match (column, last_bin) {
        (ColumnBins::Numeric(cuts), Some(bin)) => {
            Rule::AtMost(cuts.get(bin - 1).copied().unwrap_or(f32::INFINITY))
        }
        (ColumnBins::Categorical(levels), _) => {
            let named = (1..levels.other_bin()).filter(|&bin| left.contains(bin as u8));
            let mut codes: Vec<u32> = named.map(|bin| levels.code(bin)).collect();
            codes.sort_unstable();
            Rule::OneOf(codes)
        }
        (ColumnBins::Numeric(_), None) => {
            unreachable!("numeric columns are cut, not split by subset")
        }
    }
}

/// Sums of pairs by place; pairs of places beyond `n_places` are left out.
///
/// Four tables take turns: a row would often have to wait for the sum that the row before it writes.
fn sum_by_place(rows: impl Iterator<Item = (u32, [f32; 2])>, n_places: usize) -> Vec<[f64; 2]> {
    let mut tables = vec![[[0.0f64; 2]; 4]; n_places];
    for (i, (place, pair)) in rows.enumerate() {
        if let Some(table) = tables.get_mut(place as usize) {
            let sum = &mut table[i % 4];
            *sum = [sum[0] + f64::from(pair[0]), sum[1] + f64::from(pair[1])];
        }
    }
    let total =
        |[a, b, c, d]: [[f64; 2]; 4]| [a[0] + b[0] + (c[0] + d[0]), a[1] + b[1] + (c[1] + d[1])];
    tables.into_iter().map(total).collect()
}

/// Adds each row's leaf value to its score.
pub(crate) fn add(values: &[f64], places: &[u32], scores: &mut [f64]) {
    par::fill(scores, CHUNK, |range, scores| {
        for (score, place) in scores.iter_mut().zip(&places[range]) {
            *score += values[(place & !OUTSIDE) as usize];
        }
    });
}

/// The tree with questions about values instead of bins; `covers` are those of the leaves.
pub(crate) fn plain(
    data: &BinnedData,
    (tree, leaves): (&BinTree, &[Leaf]),
    leaf_covers: &[f64],
    output: usize,
) -> Tree {
    let mut covers = vec![0.0; tree.nodes.len()];
    for (leaf, &cover) in leaves.iter().zip(leaf_covers) {
        covers[leaf.node] = cover;
    }
    for (i, node) in tree.nodes.iter().enumerate().rev() {
        if let Some((_, [left, right])) = node.split {
            covers[i] = covers[left] + covers[right];
        }
    }
    let plain = |(i, node): (usize, &BinNode)| match &node.split {
        None => Node::Leaf {
            value: vec![node.value],
            cover: covers[i],
        },
        Some((split, [left, right])) => {
            let rule = rule(&data.columns()[split.feature], &split.left, split.last_bin);
            let (feature, missing) = (split.feature, split.missing);
            Node::Split {
                feature,
                rule,
                missing,
                left: *left,
                right: *right,
                cover: covers[i],
            }
        }
    };
    Tree {
        nodes: tree.nodes.iter().enumerate().map(plain).collect(),
        output: Some(output),
    }
}
