//! From trees under construction to the flat form, and the invariants of that form.

use serde::{Deserialize, Serialize};

use super::{CATEGORICAL, Cell, FEATURE, MISSING_LEFT, RuleView, TreeEnsemble, ZERO_TURNED};
use crate::{Error, Result};

/// A node of a tree under construction; children are named by their index in the tree's list of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// An end of the walk.
    Leaf {
        /// What it adds: one number, or one for each output.
        value: Vec<f64>,
        /// Training rows (or their weight) that fell here.
        cover: f64,
    },
    /// A question.
    Split {
        /// Column that is asked.
        feature: usize,
        /// What is asked of it.
        rule: Rule,
        /// Where a missing value goes.
        missing: Side,
        /// Child for yes; after this node.
        left: usize,
        /// Child for no; after this node.
        right: usize,
        /// Training rows (or their weight) that came by.
        cover: f64,
    },
}

/// The question of a split: yes goes left.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Is the value at most this?
    AtMost(f32),
    /// Is the value at most this? A zero (within 1e-35) gets the answer that 0 does not have.
    ///
    /// What a LightGBM model that takes zeros for missing asks where missing values go against the comparison.
    ZeroTurned(f32),
    /// Is the level one of these codes? Ascending, without repeats.
    OneOf(Vec<u32>),
}

impl From<RuleView<'_>> for Rule {
    fn from(rule: RuleView<'_>) -> Self {
        match rule {
            RuleView::AtMost(threshold) => Self::AtMost(threshold),
            RuleView::ZeroTurned(threshold) => Self::ZeroTurned(threshold),
            RuleView::OneOf(bits) => Self::OneOf(
                (0..64 * bits.len())
                    .filter(|code| bits[code / 64] >> (code % 64) & 1 == 1)
                    .map(|code| code as u32)
                    .collect(),
            ),
        }
    }
}

/// A child of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The first child.
    Left,
    /// The second child.
    Right,
}

/// One tree under construction: nodes (the root first), and the output that its leaves add to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The nodes, root first, children after parents.
    pub nodes: Vec<Node>,
    /// Which output the one value of each leaf adds to; `None` when leaves hold a value for each output.
    pub output: Option<usize>,
}

impl TreeEnsemble {
    /// Packs trees over `n_features` columns; `base` has one number for each output.
    ///
    /// # Errors
    /// When a child does not come after its parent, a node is reached twice or not at all, a column, output or leaf
    /// width is out of range, or a number that is added is not finite.
    pub fn new(n_features: usize, base: Vec<f64>, trees: Vec<Tree>) -> Result<Self> {
        let mut ensemble = Self {
            n_features,
            base,
            roots: Vec::with_capacity(trees.len()),
            outputs: Vec::with_capacity(trees.len()),
            nodes: Vec::new(),
            cover: Vec::new(),
            values: Vec::new(),
            set_ends: Vec::new(),
            set_bits: Vec::new(),
        };
        for tree in trees {
            ensemble.push(tree)?;
        }
        ensemble.validate()?;
        Ok(ensemble)
    }

    /// These trees, followed by further ones.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn extended(&self, trees: Vec<Tree>) -> Result<Self> {
        let mut longer = self.clone();
        longer.append(trees)?;
        Ok(longer)
    }

    /// Adds trees at the end, for whoever makes more of them than should lie around unpacked.
    ///
    /// # Errors
    /// As [`new`](Self::new); then the trees are no longer of use.
    pub fn append(&mut self, trees: Vec<Tree>) -> Result<()> {
        let (first, values) = (self.n_trees(), self.values.len());
        for tree in trees {
            self.push(tree)?;
        }
        if !self.values[values..].iter().all(|v| v.is_finite()) {
            return Err(Error::data("trees", "leaf values must be finite"));
        }
        (first..self.n_trees()).try_for_each(|tree| self.validate_tree(tree))
    }

    fn push(&mut self, tree: Tree) -> Result<()> {
        let first = self.nodes.len();
        let wide = || Error::data("trees", "more nodes, values or columns than 32 bits count");
        let index = |i: usize| u32::try_from(i).map_err(|_| wide());
        self.roots.push(index(first)?);
        self.outputs.push(tree.output.map(index).transpose()?);
        let width = if tree.output.is_some() {
            1
        } else {
            self.base.len()
        };
        for (i, node) in tree.nodes.into_iter().enumerate() {
            let refuse = |problem: &str| {
                let tree = self.roots.len() - 1;
                Err(Error::data(
                    "trees",
                    format!("tree {tree}, node {i}: {problem}"),
                ))
            };
            let (cell, cover) = match node {
                Node::Leaf { value, .. } if value.len() != width => {
                    return refuse("its leaf has the wrong number of values");
                }
                Node::Split { left, right, .. } if left <= i || right <= i => {
                    return refuse("a child does not come after its parent");
                }
                Node::Leaf { value, cover } => {
                    let start = index(self.values.len())?;
                    self.values.extend(value);
                    (
                        Cell {
                            feature: 0,
                            split: 0,
                            left: 0,
                            right: start,
                        },
                        cover,
                    )
                }
                Node::Split {
                    feature,
                    rule,
                    missing,
                    left,
                    right,
                    cover,
                } => {
                    if feature >= FEATURE as usize {
                        return Err(wide());
                    }
                    let flag = if missing == Side::Left {
                        MISSING_LEFT
                    } else {
                        0
                    };
                    let (kind, split) = match rule {
                        Rule::AtMost(threshold) => (0, threshold.to_bits()),
                        Rule::ZeroTurned(threshold) => (ZERO_TURNED, threshold.to_bits()),
                        Rule::OneOf(codes) => (CATEGORICAL, index(self.push_set(&codes))?),
                    };
                    let feature = feature as u32 | flag | kind;
                    (
                        Cell {
                            feature,
                            split,
                            left: index(first + left)?,
                            right: index(first + right)?,
                        },
                        cover,
                    )
                }
            };
            self.nodes.push(cell);
            self.cover.push(cover);
        }
        Ok(())
    }

    fn push_set(&mut self, codes: &[u32]) -> usize {
        let start = self.set_bits.len();
        let words = codes.iter().max().map_or(0, |&top| top as usize / 64 + 1);
        self.set_bits.resize(start + words, 0);
        for &code in codes {
            self.set_bits[start + code as usize / 64] |= 1 << (code % 64);
        }
        self.set_ends.push(self.set_bits.len() as u32);
        self.set_ends.len() - 1
    }

    /// Checks every invariant; loading a saved ensemble calls it, so that a walk can neither panic nor run in circles.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn validate(&self) -> Result<()> {
        let broken = |problem: String| Err(Error::data("trees", problem));
        if self.base.is_empty() || !self.base.iter().chain(&self.values).all(|v| v.is_finite()) {
            return broken(
                "base scores and leaf values must be finite, and there must be an output".into(),
            );
        }
        if self.cover.len() != self.nodes.len() || self.outputs.len() != self.roots.len() {
            return broken("arrays of nodes or trees differ in length".into());
        }
        if !self.cover.iter().all(|c| c.is_finite() && *c >= 0.0) {
            return broken("covers must be finite and not negative".into());
        }
        if !self.set_ends.is_sorted()
            || self
                .set_ends
                .last()
                .is_some_and(|&e| e as usize != self.set_bits.len())
        {
            return broken("category sets are out of range".into());
        }
        if self.roots.first().is_some_and(|&r| r != 0)
            || (self.roots.is_empty() && !self.nodes.is_empty())
        {
            return broken("the first tree must start at node 0".into());
        }
        for tree in 0..self.n_trees() {
            self.validate_tree(tree)?;
        }
        Ok(())
    }

    fn validate_tree(&self, tree: usize) -> Result<()> {
        let broken = |node: usize, problem: &str| {
            Err(Error::data(
                "trees",
                format!("tree {tree}, node {node}: {problem}"),
            ))
        };
        let (start, end) = (self.roots[tree] as usize, self.end(tree));
        if start >= end || end > self.nodes.len() {
            return broken(start, "a tree needs at least one node");
        }
        if self.outputs[tree].is_some_and(|o| o as usize >= self.base.len()) {
            return broken(start, "its output does not exist");
        }
        let width = self.leaf_width(tree);
        let mut parents = vec![0u8; end - start];
        for (node, cell) in self.nodes[start..end]
            .iter()
            .enumerate()
            .map(|(i, c)| (i + start, c))
        {
            if cell.left == 0 {
                if cell.right as usize + width > self.values.len() {
                    return broken(node, "its leaf value is out of range");
                }
                if cell.feature != 0 {
                    return broken(node, "a leaf asks a column");
                }
                continue;
            }
            if (cell.feature & FEATURE) as usize >= self.n_features {
                return broken(node, "it asks a column that does not exist");
            }
            if cell.feature & CATEGORICAL != 0 {
                if cell.feature & ZERO_TURNED != 0 {
                    return broken(node, "it asks for a level and for zero at once");
                }
                if cell.split as usize >= self.set_ends.len() {
                    return broken(node, "its category set does not exist");
                }
            } else if f32::from_bits(cell.split).is_nan() {
                return broken(node, "its threshold is not a number");
            }
            for child in [cell.left as usize, cell.right as usize] {
                if child <= node || child >= end {
                    return broken(
                        node,
                        "a child does not come after its parent within the tree",
                    );
                }
                parents[child - start] = parents[child - start].saturating_add(1);
            }
        }
        match parents.iter().skip(1).position(|&p| p != 1) {
            Some(i) => broken(start + i + 1, "it has no parent, or more than one"),
            None => Ok(()),
        }
    }
}
