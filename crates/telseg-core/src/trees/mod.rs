//! The one form of a tree ensemble that all crates share: boosting and forests produce it, explanations read it,
//! devices compile it, and model files of other libraries are read into it.
//!
//! A score is `base + sum over trees of the leaf that the row falls into`. Nodes of all trees lie in one flat array of
//! 16-byte cells, each tree's root first and children after their parents, so that every walk ends.
//!
//! # Rules of a walk
//! - Numeric split: left when `x <= threshold`. Missing (NaN) goes in the default direction.
//! - Numeric split with zero turned: the same, but a zero (within 1e-35) goes where 0 would not.
//! - Categorical split: `x` is a level code; left when the code is in the set, else right: a code that is negative,
//!   fractional or not in the set goes right. Missing (NaN) goes in the default direction.

mod build;
mod score;
#[cfg(test)]
mod tests;
mod walk;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

pub use build::{Node, Rule, Side, Tree};
pub use walk::row_slice;

/// A trained ensemble of decision trees as flat arrays.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
/// let leaf = |value: f64, cover| Node::Leaf { value: vec![value], cover };
/// let tree = Tree {
///     nodes: vec![
///         Node::Split {
///             feature: 0, rule: Rule::AtMost(12.0), missing: Side::Right, left: 1, right: 2, cover: 10.0,
///         },
///         leaf(0.5, 4.0),
///         leaf(-0.25, 6.0),
///     ],
///     output: Some(0),
/// };
/// let short_tenure_churns = TreeEnsemble::new(1, vec![-1.0], vec![tree])?;
/// let scores = short_tenure_churns.predict(&array![[3.0f32], [40.0], [f32::NAN]])?;
/// assert_eq!(scores, array![[-0.5], [-1.25], [-1.25]]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeEnsemble {
    n_features: usize,
    base: Vec<f64>,
    roots: Vec<u32>,
    outputs: Vec<Option<u32>>,
    nodes: Vec<Cell>,
    cover: Vec<f64>,
    values: Vec<f64>,
    /// Bit sets of level codes; a categorical cell holds the index of its range.
    set_ends: Vec<u32>,
    set_bits: Vec<u64>,
}

/// One node, 16 bytes: `left == 0` marks a leaf (no child is node 0), whose values start at `right` and whose `feature`
/// is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Cell {
    /// Column, with three flag bits on top.
    feature: u32,
    /// Bits of the `f32` threshold, or index of the set.
    split: u32,
    left: u32,
    right: u32,
}

const MISSING_LEFT: u32 = 1 << 31;
const CATEGORICAL: u32 = 1 << 30;
const ZERO_TURNED: u32 = 1 << 29;
const FEATURE: u32 = ZERO_TURNED - 1;
/// How far from 0 a value still counts as zero: LightGBM's constant.
const ZERO: f32 = 1e-35;

/// One node as it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NodeView<'a> {
    /// An end of the walk, with what it adds.
    Leaf(&'a [f64]),
    /// A question; children are global node indices.
    Split {
        /// Column that is asked.
        feature: usize,
        /// What is asked of it.
        rule: RuleView<'a>,
        /// Where a missing value goes.
        missing: Side,
        /// Child for yes.
        left: usize,
        /// Child for no.
        right: usize,
    },
}

/// The question of a split as it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleView<'a> {
    /// Is the value at most this?
    AtMost(f32),
    /// Is the value at most this? A zero (within 1e-35) gets the answer that 0 does not have.
    ZeroTurned(f32),
    /// Is the level's bit set? Bit `code % 64` of word `code / 64`.
    OneOf(&'a [u64]),
}

impl RuleView<'_> {
    /// The answer for one value, which is not missing: true goes left.
    #[inline(always)]
    pub fn holds(&self, x: f32) -> bool {
        match self {
            Self::AtMost(threshold) => x <= *threshold,
            Self::ZeroTurned(threshold) => zero_turned(*threshold, x),
            Self::OneOf(bits) => in_set(bits, x),
        }
    }
}

#[inline(always)]
fn zero_turned(threshold: f32, x: f32) -> bool {
    if x.abs() <= ZERO {
        threshold < 0.0
    } else {
        x <= threshold
    }
}

#[inline(always)]
fn in_set(bits: &[u64], x: f32) -> bool {
    let code = x as usize; // saturates: negative is 0, caught by the comparison
    code as f32 == x
        && bits
            .get(code / 64)
            .is_some_and(|word| word >> (code % 64) & 1 == 1)
}

impl TreeEnsemble {
    /// Number of columns of a row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Number of scores of a row.
    pub fn n_outputs(&self) -> usize {
        self.base.len()
    }

    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.roots.len()
    }

    /// Number of nodes of all trees.
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// What every row starts from, one number for each output.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// The global indices of a tree's nodes; the first is its root.
    pub fn tree_nodes(&self, tree: usize) -> std::ops::Range<usize> {
        self.roots[tree] as usize..self.end(tree)
    }

    /// The output that a tree's leaves add to; `None` when they hold a value for each output.
    pub fn tree_output(&self, tree: usize) -> Option<usize> {
        self.outputs[tree].map(|o| o as usize)
    }

    /// One node of a tree, by its global index.
    pub fn node(&self, tree: usize, node: usize) -> NodeView<'_> {
        let cell = self.nodes[node];
        if cell.left == 0 {
            return NodeView::Leaf(&self.values[cell.right as usize..][..self.leaf_width(tree)]);
        }
        NodeView::Split {
            feature: (cell.feature & FEATURE) as usize,
            rule: if cell.feature & CATEGORICAL != 0 {
                RuleView::OneOf(self.set(cell.split))
            } else if cell.feature & ZERO_TURNED != 0 {
                RuleView::ZeroTurned(f32::from_bits(cell.split))
            } else {
                RuleView::AtMost(f32::from_bits(cell.split))
            },
            missing: if cell.feature & MISSING_LEFT != 0 {
                Side::Left
            } else {
                Side::Right
            },
            left: cell.left as usize,
            right: cell.right as usize,
        }
    }

    /// Training rows (or their weight) that came by a node.
    pub fn cover(&self, node: usize) -> f64 {
        self.cover[node]
    }

    /// The first `n_trees` trees alone, as early stopping leaves them.
    pub fn truncated(&self, n_trees: usize) -> Self {
        let mut short = self.clone();
        let end = if n_trees < self.n_trees() {
            self.roots[n_trees] as usize
        } else {
            self.nodes.len()
        };
        short.roots.truncate(n_trees);
        short.outputs.truncate(n_trees);
        short.nodes.truncate(end);
        short.cover.truncate(end);
        short
    }

    fn set(&self, index: u32) -> &[u64] {
        let start = if index == 0 {
            0
        } else {
            self.set_ends[index as usize - 1] as usize
        };
        &self.set_bits[start..self.set_ends[index as usize] as usize]
    }

    fn end(&self, tree: usize) -> usize {
        self.roots
            .get(tree + 1)
            .map_or(self.nodes.len(), |&r| r as usize)
    }

    fn leaf_width(&self, tree: usize) -> usize {
        if self.outputs[tree].is_some() {
            1
        } else {
            self.base.len()
        }
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features {
            return Ok(());
        }
        Err(Error::shape(
            "x",
            format!("{} columns (as at fit)", self.n_features),
            found.to_string(),
        ))
    }
}
