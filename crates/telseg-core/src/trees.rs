//! The one form of a tree ensemble that all crates share: boosting and forests produce it, explanations read it,
//! devices compile it, and model files of other libraries are read into it.
//!
//! A score is `base + sum over trees of the leaf that the row falls into`. Nodes of all trees lie in one flat array of
//! 16-byte cells, each tree's root first and children after their parents, so that every walk ends.
//!
//! # Rules of a walk
//! - Numeric split: left when `x <= threshold`. Missing (NaN) goes in the default direction.
//! - Categorical split: `x` is a level code; left when the code is in the set, else right: a code that is negative,
//!   fractional or not in the set goes right. Missing (NaN) goes in the default direction.

use ndarray::{ArrayRef1, ArrayRef2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

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
    /// Is the level one of these codes? Ascending, without repeats.
    OneOf(Vec<u32>),
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

/// One node, 16 bytes: `left == 0` marks a leaf (no child is node 0), whose values start at `right`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Cell {
    /// Column, with two flag bits on top.
    feature: u32,
    /// Bits of the `f32` threshold, or index of the set.
    split: u32,
    left: u32,
    right: u32,
}

const MISSING_LEFT: u32 = 1 << 31;
const CATEGORICAL: u32 = 1 << 30;
const FEATURE: u32 = CATEGORICAL - 1;

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
    /// Is the level's bit set? Bit `code % 64` of word `code / 64`.
    OneOf(&'a [u64]),
}

impl RuleView<'_> {
    /// The answer for one value, which is not missing: true goes left.
    #[inline(always)]
    pub fn holds(&self, x: f32) -> bool {
        match self {
            Self::AtMost(threshold) => x <= *threshold,
            Self::OneOf(bits) => in_set(bits, x),
        }
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

/// Rows that are walked through one tree before the next is taken: the tree stays in L1.
const BLOCK: usize = 256;

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
                continue;
            }
            if (cell.feature & FEATURE) as usize >= self.n_features {
                return broken(node, "it asks a column that does not exist");
            }
            if cell.feature & CATEGORICAL != 0 {
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

    /// The index of the node that ends a row's walk through a tree.
    pub fn leaf(&self, tree: usize, row: &[f32]) -> usize {
        let mut node = self.roots[tree] as usize;
        while self.nodes[node].left != 0 {
            node = self.step(self.nodes[node], row) as usize;
        }
        node
    }

    /// Scores of one row, written to `out`; allocates nothing.
    ///
    /// # Errors
    /// When the row or `out` has the wrong length.
    pub fn predict_row_into(&self, row: &[f32], out: &mut [f64]) -> Result<()> {
        self.check_width(row.len())?;
        if out.len() != self.n_outputs() {
            return Err(Error::shape(
                "out",
                format!("{} outputs", self.n_outputs()),
                out.len().to_string(),
            ));
        }
        out.copy_from_slice(&self.base);
        for tree in 0..self.n_trees() {
            self.add_tree(tree, row, out);
        }
        Ok(())
    }

    /// Scores of all rows, in parallel; the same bits as row by row.
    ///
    /// # Shapes
    /// `x`: rows by [`n_features`](Self::n_features); returns rows by [`n_outputs`](Self::n_outputs).
    ///
    /// # Errors
    /// When `x` has the wrong width.
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<ndarray::Array2<f64>> {
        let mut out = ndarray::Array2::zeros((x.nrows(), self.n_outputs()));
        self.predict_into(x, &mut out)?;
        Ok(out)
    }

    /// Scores of all rows, written to `out` (rows by outputs).
    ///
    /// # Errors
    /// When `x` or `out` has the wrong shape.
    pub fn predict_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef2<f64>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.dim() != (x.nrows(), self.n_outputs()) {
            let expected = format!("{} rows by {} outputs", x.nrows(), self.n_outputs());
            return Err(Error::shape("out", expected, format!("{:?}", out.dim())));
        }
        let rows = x.axis_chunks_iter(Axis(0), BLOCK);
        let parts = out.axis_chunks_iter_mut(Axis(0), BLOCK);
        rows.zip(parts)
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(|(x, out)| self.predict_block(&x, out));
        Ok(())
    }

    fn predict_block(&self, x: &ArrayRef2<f32>, mut out: ArrayViewMut2<'_, f64>) {
        let k = self.n_outputs();
        let owned = x.as_standard_layout();
        let rows = owned.as_slice().expect("invariant: standard layout");
        let mut scores = self.base.repeat(x.nrows());
        if self.n_features > 0 {
            for tree in 0..self.n_trees() {
                for (row, score) in rows
                    .chunks_exact(self.n_features)
                    .zip(scores.chunks_exact_mut(k))
                {
                    self.add_tree(tree, row, score);
                }
            }
        } else {
            scores
                .chunks_exact_mut(k)
                .for_each(|s| (0..self.n_trees()).for_each(|t| self.add_tree(t, &[], s)));
        }
        out.iter_mut().zip(scores).for_each(|(o, s)| *o = s);
    }

    #[inline(always)]
    fn add_tree(&self, tree: usize, row: &[f32], out: &mut [f64]) {
        let start = self.nodes[self.leaf(tree, row)].right as usize;
        match self.outputs[tree] {
            Some(output) => out[output as usize] += self.values[start],
            None => out
                .iter_mut()
                .zip(&self.values[start..])
                .for_each(|(o, v)| *o += v),
        }
    }

    #[inline(always)]
    fn step(&self, cell: Cell, row: &[f32]) -> u32 {
        let x = row[(cell.feature & FEATURE) as usize];
        let left = if x.is_nan() {
            cell.feature & MISSING_LEFT != 0
        } else if cell.feature & CATEGORICAL != 0 {
            in_set(self.set(cell.split), x)
        } else {
            x <= f32::from_bits(cell.split)
        };
        if left { cell.left } else { cell.right }
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

impl crate::Predict<ArrayRef2<f32>> for TreeEnsemble {
    type Output = ndarray::Array2<f64>;

    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Self::Output> {
        TreeEnsemble::predict(self, x)
    }
}

/// A row as a slice: borrowed where it is contiguous, copied where it is not.
pub fn row_slice<'a>(row: &'a ArrayRef1<f32>, buffer: &'a mut Vec<f32>) -> &'a [f32] {
    match row.as_slice() {
        Some(slice) => slice,
        None => {
            buffer.clear();
            buffer.extend(row.iter());
            buffer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn leaf(value: f64) -> Node {
        Node::Leaf {
            value: vec![value],
            cover: 1.0,
        }
    }

    fn split(feature: usize, rule: Rule, missing: Side, left: usize, right: usize) -> Node {
        Node::Split {
            feature,
            rule,
            missing,
            left,
            right,
            cover: 2.0,
        }
    }

    fn two_trees() -> TreeEnsemble {
        let numeric = Tree {
            nodes: vec![
                split(0, Rule::AtMost(1.5), Side::Left, 1, 2),
                leaf(1.0),
                leaf(2.0),
            ],
            output: Some(0),
        };
        let categorical = Tree {
            nodes: vec![
                split(1, Rule::OneOf(vec![0, 70]), Side::Right, 1, 2),
                leaf(10.0),
                leaf(20.0),
            ],
            output: Some(0),
        };
        TreeEnsemble::new(2, vec![100.0], vec![numeric, categorical]).unwrap()
    }

    #[test]
    fn walks_follow_the_rules() {
        let nan = f32::NAN;
        let x = array![
            [1.5f32, 0.0],
            [1.6, 70.0],
            [nan, nan],
            [0.0, 5.0],
            [0.0, -1.0],
            [0.0, 0.5],
            [0.0, 1e9]
        ];
        let scores = two_trees().predict(&x).unwrap();
        assert_eq!(
            scores.column(0).to_vec(),
            [111.0, 112.0, 121.0, 121.0, 121.0, 121.0, 121.0]
        );
    }

    #[test]
    fn rows_alone_score_as_in_a_batch_and_strides_do_not_matter() {
        let ensemble = two_trees();
        let x = ndarray::Array2::from_shape_fn((1000, 2), |(i, j)| {
            ((i * 7 + j * 13) % 90) as f32 / 10.0
        });
        let batch = ensemble.predict(&x).unwrap();
        let mut out = [0.0];
        for (row, expected) in x.rows().into_iter().zip(batch.column(0)) {
            ensemble
                .predict_row_into(row.as_slice().unwrap(), &mut out)
                .unwrap();
            assert_eq!(out[0], *expected);
        }
        let turned = x.t().as_standard_layout().into_owned();
        assert_eq!(ensemble.predict(&turned.t()).unwrap(), batch);
    }

    #[test]
    fn vector_leaves_and_truncation() {
        let vector = Tree {
            nodes: vec![Node::Leaf {
                value: vec![1.0, 2.0],
                cover: 3.0,
            }],
            output: None,
        };
        let second = Tree {
            nodes: vec![leaf(5.0)],
            output: Some(1),
        };
        let both = TreeEnsemble::new(1, vec![0.0, 0.5], vec![vector, second]).unwrap();
        assert_eq!(both.predict(&array![[0.0f32]]).unwrap(), array![[1.0, 7.5]]);
        assert_eq!(
            both.truncated(1).predict(&array![[0.0f32]]).unwrap(),
            array![[1.0, 2.5]]
        );
        assert_eq!(
            both.truncated(0).predict(&array![[0.0f32]]).unwrap(),
            array![[0.0, 0.5]]
        );
    }

    #[test]
    fn broken_trees_are_refused() {
        let refuse = |nodes: Vec<Node>, base: Vec<f64>, part: &str| {
            let error = TreeEnsemble::new(
                1,
                base,
                vec![Tree {
                    nodes,
                    output: Some(0),
                }],
            )
            .unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        };
        refuse(vec![], vec![0.0], "at least one node");
        refuse(
            vec![split(0, Rule::AtMost(0.0), Side::Left, 0, 1), leaf(0.0)],
            vec![0.0],
            "after its parent",
        );
        refuse(
            vec![split(0, Rule::AtMost(0.0), Side::Left, 1, 1), leaf(0.0)],
            vec![0.0],
            "more than one",
        );
        refuse(
            vec![
                split(1, Rule::AtMost(0.0), Side::Left, 1, 2),
                leaf(0.0),
                leaf(0.0),
            ],
            vec![0.0],
            "column",
        );
        refuse(vec![leaf(f64::NAN)], vec![0.0], "finite");
        refuse(vec![leaf(0.0), leaf(0.0)], vec![0.0], "no parent");
        refuse(vec![leaf(0.0)], vec![], "output");
        let error = two_trees().predict(&array![[0.0f32]]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x: expected 2 columns (as at fit), found 1"
        );
    }
}
