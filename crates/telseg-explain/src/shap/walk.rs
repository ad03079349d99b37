//! Values by covers in one walk through each tree: linear in its nodes, however deep it is.
//!
//! At a quadrature node `t`, the product of (2) over all features of a path is carried down the tree, and sums
//! `H_u(t) = sum over leaves below u of v * prod_j F_j(t)`, with `F_j = o_j t + z_j (1 - t)`, are carried up. A leaf's part of
//! `phi_i` is its part of `H` divided by `F_i` and multiplied by `o_i - z_i`, both as they stand at the last split on `i` above
//! it. So each edge `u` adds
//!
//! `(E_u - E_a) H_u`, `E = w (o - z) / F` (5)
//!
//! to its feature, `w` being the weight of the node and `a` the edge above that last asked the feature (`E_a = 0` where there
//! is none). `E` is `-w / (1 - t)` where the row does not follow and else a constant of the edge: nothing is divided while
//! rows are explained. This is Linear TreeSHAP (Yu et al. 2022) at the nodes of a quadrature instead of with the coefficients
//! of polynomials.
//!
//! Vectors run across eight rows of a block, or across eight quadrature nodes of a row alone: the same operations in the same
//! order, so both give the same bits, with any instructions (none of them fused).

use telseg_core::kernel::{Level, dispatch};
use telseg_core::trees::{NodeView, TreeEnsemble};

use super::game::Game;
use super::kernel::{Answers, ask_alone};
use super::paths::{Split, left_share};

/// Rows, or quadrature nodes, in a vector.
const W: usize = 8;
/// Vectors that a row alone is worked out in; only trees that need more allocate.
pub(crate) const SCRATCH: usize = 768;
/// Words of answers that need no allocation: trees of up to 4096 splits.
const WORDS: usize = 64;

pub(crate) type Vector = [f64; W];

/// One tree, ready for rows. Features are those that the ensemble uses, renumbered.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) splits: Vec<Split>,
    /// Ways from a split to a child, in the order of the walk.
    edges: Vec<Edge>,
    /// Edges that end at a leaf, the lowest first, leaf after leaf.
    ends: Vec<u32>,
    /// Leaf values, `outputs` of each leaf.
    values: Vec<f64>,
    /// Slots of the row's attributions: features of the tree by outputs.
    slots: Vec<u32>,
    outputs: usize,
    depth: usize,
    /// Quadrature nodes; the arrays of them are padded to whole vectors.
    n_nodes: usize,
    t: Vec<f64>,
    rest: Vec<f64>,
    /// `E` of an edge that the row does not follow.
    bars: Vec<f64>,
    /// `E` of each edge where the row follows.
    gains: Vec<f64>,
    /// `1 / F` of each edge where the row follows.
    inverse: Vec<f64>,
}

/// The way to a child.
#[derive(Clone, Copy, Debug)]
struct Edge {
    /// The part of the cover that goes this way at all splits on the feature so far, and at this one.
    follows: f64,
    part: f64,
    split: u32,
    left: bool,
    depth: u32,
    /// Feature, counted within the tree.
    feature: u32,
    /// The edge above that last asked the feature.
    before: Option<u32>,
    /// Ends of the leaf below, if there is one: range of `ends`, and its place among the leaves.
    leaf: Option<(u32, u32, u32)>,
}

impl Walk {
    /// `local` numbers a feature among those that are used, `slot` names the place of (feature, output).
    pub(crate) fn new(
        ensemble: &TreeEnsemble,
        tree: usize,
        game: &Game,
        outputs: &[usize],
        local: impl Fn(usize) -> usize,
        slot: impl Fn(usize, usize) -> u32,
    ) -> Self {
        let mut shape = Shape::default();
        shape.enter(ensemble, tree);
        let mut features: Vec<usize> = shape.splits.iter().map(|s| s.feature).collect();
        features.sort_unstable();
        features.dedup();
        let rule = game.rule(shape.longest);
        let padded = rule.len().next_multiple_of(W);
        let pad = |of: &dyn Fn(usize) -> f64, idle: f64| -> Vec<f64> {
            (0..padded)
                .map(|q| if q < rule.len() { of(q) } else { idle })
                .collect()
        };
        let factor = |z: f64, q: usize| rule[q].t + z * (1.0 - rule[q].t);
        let (mut gains, mut inverse) = (Vec::new(), Vec::new());
        for edge in &mut shape.edges {
            let feature = shape.splits[edge.split as usize].feature;
            edge.feature = features.partition_point(|&f| f < feature) as u32;
            let z = edge.follows;
            gains.extend(pad(&|q| rule[q].weight * (1.0 - z) / factor(z, q), 0.0));
            inverse.extend(pad(&|q| 1.0 / factor(z, q), 0.0));
        }
        for split in &mut shape.splits {
            split.feature = local(split.feature);
        }
        let slots = features
            .iter()
            .flat_map(|&f| outputs.iter().map(move |&o| (f, o)))
            .map(|(f, o)| slot(local(f), o))
            .collect();
        Self {
            splits: shape.splits,
            edges: shape.edges,
            ends: shape.ends,
            values: shape.values,
            slots,
            outputs: outputs.len(),
            depth: shape.depth,
            n_nodes: rule.len(),
            t: pad(&|q| rule[q].t, 0.0),
            rest: pad(&|q| 1.0 - rule[q].t, 0.0),
            bars: pad(&|q| -rule[q].weight / (1.0 - rule[q].t), 0.0),
            gains,
            inverse,
        }
    }

    /// Adds the attributions of a block of rows to `sums`, slots by rows.
    pub(crate) fn add_block(
        &self,
        answers: &Answers,
        rows: usize,
        sums: &mut [f64],
        scratch: &mut Vec<Vector>,
    ) {
        let (walk, n) = (self, self.n_nodes);
        let needed = self.scratch(n);
        if scratch.len() < needed {
            scratch.resize(needed, [0.0; W]);
        }
        for start in (0..rows).step_by(W) {
            let (shape, scratch) = (
                Across {
                    left: &answers.left,
                    rows,
                    start,
                },
                &mut scratch[..needed],
            );
            dispatch!(Level::best(), across, across, across;
                (walk: &Walk, shape: Across<'_>, scratch: &mut [Vector]) -> ());
            let found = &scratch[needed - n * self.slots.len()..];
            for (s, &slot) in self.slots.iter().enumerate() {
                let sums = &mut sums[slot as usize * rows..][..rows];
                for (lane, sum) in sums[start..].iter_mut().take(W).enumerate() {
                    *sum += (0..n).fold(0.0, |sum, q| sum + found[s * n + q][lane]);
                }
            }
        }
    }

    /// Adds the attributions of one row.
    pub(crate) fn add_row(
        &self,
        value: impl Fn(usize) -> f32,
        scratch: &mut [Vector],
        mut add: impl FnMut(usize, f64),
    ) {
        let n_words = self.splits.len().div_ceil(64);
        let (mut short, mut long) = ([0u64; WORDS], Vec::new());
        let words = if n_words <= WORDS {
            &mut short[..n_words]
        } else {
            long.resize(n_words, 0);
            &mut long[..]
        };
        ask_alone(&self.splits, value, words);
        let n = self.t.len() / W;
        let needed = self.scratch(n);
        let mut long = Vec::new();
        let scratch = if needed <= scratch.len() {
            &mut scratch[..needed]
        } else {
            long.resize(needed, [0.0; W]);
            &mut long[..]
        };
        let (walk, shape) = (self, Along { words });
        {
            let scratch = &mut *scratch;
            dispatch!(Level::best(), along, along, along;
                (walk: &Walk, shape: Along<'_>, scratch: &mut [Vector]) -> ());
        }
        let found = scratch[needed - n * self.slots.len()..].as_flattened();
        for (s, &slot) in self.slots.iter().enumerate() {
            let nodes = &found[s * n * W..][..self.n_nodes];
            add(
                slot as usize,
                nodes.iter().fold(0.0, |sum, part| sum + part),
            );
        }
    }

    /// Vectors that the walk works with, where it takes `n` to hold the quadrature nodes.
    fn scratch(&self, n: usize) -> usize {
        (self.depth + 1) * (1 + n + n * self.outputs) + self.slots.len() * n
    }
}

/// What a vector's lanes are.
trait Lanes {
    /// The `j`-th vector of numbers that belong to the quadrature nodes.
    fn at(&self, nodes: &[f64], j: usize) -> Vector;
    /// 1 where the row goes this way, else 0.
    fn follows(&self, split: u32, left: bool) -> Vector;
}

/// Eight rows, at one quadrature node.
struct Across<'a> {
    left: &'a [u8],
    rows: usize,
    start: usize,
}

impl Lanes for Across<'_> {
    #[inline(always)]
    fn at(&self, nodes: &[f64], j: usize) -> Vector {
        [nodes[j]; W]
    }

    #[inline(always)]
    fn follows(&self, split: u32, left: bool) -> Vector {
        let answers = &self.left[split as usize * self.rows..][..self.rows];
        let flip = u8::from(!left);
        match answers[self.start..].first_chunk::<W>() {
            Some(chunk) => chunk.map(|answer| f64::from(answer ^ flip)),
            // The last rows of the block, and lanes that nobody reads.
            None => std::array::from_fn(|lane| {
                f64::from(answers.get(self.start + lane).copied().unwrap_or(0) ^ flip)
            }),
        }
    }
}

/// One row, at eight quadrature nodes.
struct Along<'a> {
    words: &'a [u64],
}

impl Lanes for Along<'_> {
    #[inline(always)]
    fn at(&self, nodes: &[f64], j: usize) -> Vector {
        let chunk = nodes[j * W..].first_chunk::<W>();
        *chunk.expect("invariant: numbers of nodes are padded to whole vectors")
    }

    #[inline(always)]
    fn follows(&self, split: u32, left: bool) -> Vector {
        let answer = self.words[split as usize / 64] >> (split % 64) & 1 == 1;
        [f64::from(u8::from(answer == left)); W]
    }
}

#[inline(always)]
fn across(walk: &Walk, shape: Across<'_>, scratch: &mut [Vector]) {
    run(walk, shape, walk.n_nodes, scratch);
}

#[inline(always)]
fn along(walk: &Walk, shape: Along<'_>, scratch: &mut [Vector]) {
    run(walk, shape, walk.t.len() / W, scratch);
}

/// Walks down and up; the last part of `scratch` holds the sums of the features by vectors afterwards.
#[inline(always)]
fn run<S: Lanes>(walk: &Walk, shape: S, n: usize, scratch: &mut [Vector]) {
    let (levels, outputs) = (walk.depth + 1, walk.outputs);
    let (own, rest) = scratch.split_at_mut(levels);
    let (down, rest) = rest.split_at_mut(levels * n);
    let (up, sums) = rest.split_at_mut(levels * n * outputs);
    let stride = walk.t.len();
    down[..n].fill([1.0; W]);
    sums.fill([0.0; W]);
    for edge in &walk.edges {
        let d = edge.depth as usize;
        let (above, here) = down.split_at_mut(d * n);
        let (above, here) = (&above[(d - 1) * n..], &mut here[..n]);
        let answers = shape.follows(edge.split, edge.left);
        own[d] = match edge.before {
            None => {
                for (j, (above, here)) in above.iter().zip(&mut *here).enumerate() {
                    let (t, rest) = (shape.at(&walk.t, j), shape.at(&walk.rest, j));
                    for l in 0..W {
                        here[l] = above[l] * (edge.follows * rest[l] + answers[l] * t[l]);
                    }
                }
                answers
            }
            Some(before) => {
                let inverse = &walk.inverse[before as usize * stride..][..stride];
                let old = own[walk.edges[before as usize].depth as usize];
                let now: Vector = std::array::from_fn(|l| old[l] * answers[l]);
                for (j, (above, here)) in above.iter().zip(&mut *here).enumerate() {
                    let (t, rest) = (shape.at(&walk.t, j), shape.at(&walk.rest, j));
                    let inverse = shape.at(inverse, j);
                    for l in 0..W {
                        let followed = (edge.follows * rest[l] + now[l] * t[l]) * inverse[l];
                        here[l] = above[l] * if old[l] != 0.0 { followed } else { edge.part };
                    }
                }
                now
            }
        };
        let Some((from, to, leaf)) = edge.leaf else {
            continue;
        };
        let values = &walk.values[leaf as usize * outputs..][..outputs];
        for (&value, up) in values.iter().zip(up[d * n * outputs..].chunks_exact_mut(n)) {
            for (up, here) in up.iter_mut().zip(&*here) {
                for l in 0..W {
                    up[l] = value * here[l];
                }
            }
        }
        for &end in &walk.ends[from as usize..to as usize] {
            close(walk, &shape, n, end, own, up, sums);
        }
    }
}

/// Adds an edge's part to its feature (5), and what lies below it to what lies below the edge above.
#[inline(always)]
fn close<S: Lanes>(
    walk: &Walk,
    shape: &S,
    n: usize,
    end: u32,
    own: &[Vector],
    up: &mut [Vector],
    sums: &mut [Vector],
) {
    let (edge, outputs, stride) = (&walk.edges[end as usize], walk.outputs, walk.t.len());
    let d = edge.depth as usize;
    let gains = |edge: u32| &walk.gains[edge as usize * stride..][..stride];
    let (above, here) = up.split_at_mut(d * n * outputs);
    let (above, here) = (&mut above[(d - 1) * n * outputs..], &here[..n * outputs]);
    let sums = &mut sums[edge.feature as usize * outputs * n..][..outputs * n];
    let old = edge.before.map(|before| {
        let depth = walk.edges[before as usize].depth as usize;
        (own[depth], gains(before))
    });
    let (own, gains) = (own[d], gains(end));
    for j in 0..n {
        let (gain, bar) = (shape.at(gains, j), shape.at(&walk.bars, j));
        let mut e: Vector = std::array::from_fn(|l| if own[l] != 0.0 { gain[l] } else { bar[l] });
        if let Some((old, gains)) = old {
            let gain = shape.at(gains, j);
            for l in 0..W {
                e[l] -= if old[l] != 0.0 { gain[l] } else { bar[l] };
            }
        }
        for k in 0..outputs {
            let (sum, here) = (&mut sums[k * n + j], &here[k * n + j]);
            for l in 0..W {
                sum[l] += e[l] * here[l];
            }
            let above = &mut above[k * n + j];
            for l in 0..W {
                above[l] = if edge.left {
                    here[l]
                } else {
                    above[l] + here[l]
                };
            }
        }
    }
}

/// A tree on its way to a [`Walk`].
#[derive(Default)]
struct Shape {
    splits: Vec<Split>,
    edges: Vec<Edge>,
    ends: Vec<u32>,
    values: Vec<f64>,
    n_leaves: u32,
    depth: usize,
    /// Different features on a path, at most.
    longest: usize,
}

impl Shape {
    /// Goes through a tree depth first, left before right.
    fn enter(&mut self, ensemble: &TreeEnsemble, tree: usize) {
        let root = ensemble.tree_nodes(tree).start;
        let mut stack: Vec<(usize, Option<Edge>)> = vec![(root, None)];
        // The edges above, by depth.
        let mut path: Vec<u32> = Vec::new();
        while let Some((node, edge)) = stack.pop() {
            if let Some(mut edge) = edge {
                path.truncate(edge.depth as usize - 1);
                let feature =
                    |edge: u32| self.splits[self.edges[edge as usize].split as usize].feature;
                let asked = self.splits[edge.split as usize].feature;
                edge.before = path
                    .iter()
                    .rev()
                    .copied()
                    .find(|&above| feature(above) == asked);
                let so_far = edge
                    .before
                    .map_or(1.0, |before| self.edges[before as usize].follows);
                edge.follows = so_far * edge.part;
                path.push(self.edges.len() as u32);
                self.edges.push(edge);
                self.depth = self.depth.max(path.len());
            }
            match ensemble.node(tree, node) {
                NodeView::Leaf(values) => {
                    self.values.extend(values);
                    self.end(&path);
                }
                NodeView::Split { left, right, .. } => {
                    let split = self.splits.len() as u32;
                    self.splits.extend(Split::of(ensemble.node(tree, node)));
                    let share = left_share(ensemble.cover(left), ensemble.cover(right));
                    let way = |goes_left: bool, part: f64| Edge {
                        follows: 1.0,
                        part,
                        split,
                        left: goes_left,
                        depth: path.len() as u32 + 1,
                        feature: 0,
                        before: None,
                        leaf: None,
                    };
                    stack.push((right, Some(way(false, 1.0 - share))));
                    stack.push((left, Some(way(true, share))));
                }
            }
        }
    }

    /// Notes a leaf at the end of a path, and which edges are done with it.
    fn end(&mut self, path: &[u32]) {
        let Some(&last) = path.last() else {
            return; // a tree without splits
        };
        let from = self.ends.len() as u32;
        for &edge in path.iter().rev() {
            self.ends.push(edge);
            if self.edges[edge as usize].left {
                break; // its sister is still to come
            }
        }
        self.edges[last as usize].leaf = Some((from, self.ends.len() as u32, self.n_leaves));
        self.n_leaves += 1;
        let first_asks = path
            .iter()
            .filter(|&&e| self.edges[e as usize].before.is_none());
        self.longest = self.longest.max(first_asks.count());
    }
}
