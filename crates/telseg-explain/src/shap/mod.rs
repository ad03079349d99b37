//! Exact path-dependent Shapley values of tree ensembles.
//!
//! The game: `v(S)` is what the ensemble is expected to say when only the features in `S` are known; at a split on an
//! unknown feature both ways are taken, weighted by their covers (Algorithm 1 of Lundberg et al. 2018). It is a sum over
//! leaves, and for one leaf of value `v` whose path asks the distinct features `1..m`
//!
//! `v(S) = v * prod_{j in S} o_j * prod_{j not in S} z_j` (1)
//!
//! where `o_j` is 1 when the row goes the leaf's way at all splits on feature `j`, else 0, and `z_j` is the product of
//! the parts of the cover that go the leaf's way there. Because `|S|! (m - |S| - 1)! / m!` is the integral of
//! `t^|S| (1 - t)^(m - |S| - 1)` over [0, 1], the Shapley value of feature `i` is
//!
//! `phi_i = v * (o_i - z_i) * integral over t of prod_{j != i} (o_j t + z_j (1 - t))` (2)
//!
//! The integrand is a polynomial of degree `m - 1`, for which Gauss-Legendre quadrature with `ceil(m / 2)` nodes is
//! exact; all factors are positive, so nothing cancels and no division is needed (the recursive form divides by `z_j`).
//!
//! `phi` depends on the row only through the bits `o`. So it is tabulated: leaves that lie together share a code of a few
//! bits, and a row costs one look-up for each group and feature. Paths with too many features for one table are cut into
//! parts with a table each, and (2) is summed up row by row.
//!
//! # References
//! S. Lundberg, G. Erion, S.-I. Lee (2018), "Consistent individualized feature attribution for tree ensembles";
//! J. Yang (2021), "Fast TreeSHAP" (tables of subsets, v2); P. Yu et al. (2022), "Linear TreeShap" (the polynomial);
//! R. Mitchell, E. Frank, G. Holmes (2022), "GPUTreeShap" (paths with merged features);
//! A. Nadel, R. Wettenstein (2026), "WOODELF" (decision patterns). The quadrature and the shared codes are our own.

mod deep;
mod importance;
mod kernel;
mod paths;
mod quadrature;
mod table;

use ndarray::{Array1, Array2, Array3, ArrayRef2, ArrayViewMut3, Axis};
use rayon::prelude::*;
use telseg_core::trees::TreeEnsemble;
use telseg_core::{Error, Result};

pub use importance::{Dependence, DependenceBin, FeatureImportance, dependence, importance};

use deep::Deep;
use kernel::{Block, Compiled};
use paths::{Pieces, cut};
use quadrature::{Node, gauss_legendre};

/// Rows that a thread takes at a time: the tables stream through the cache once for each.
const ROWS: usize = 1024;
/// Bits of a code that several leaves share, at most.
const GROUP_BITS: usize = 8;
/// Bits of the code of a leaf alone, at most.
const LEAF_BITS: usize = 10;
/// What all tables may take, in numbers; codes get shorter until they fit.
const TABLE_NUMBERS: usize = 16 << 20;

/// Explains an ensemble: how much each feature moved each score of a row away from the expected score.
///
/// `sum of attributions + expected value = prediction`, for each row and output.
///
/// Missing values are answers like any other: they go their default way. Categorical splits and features that repeat on
/// a path are exact too. Where a node's children have no cover at all, they count half each.
///
/// # Cost
/// `new`: about 2^8 times the number of leaves, in parallel over trees; the tables take at most 128 MB. Rows: a handful
/// of additions for each leaf, in parallel over blocks of rows; the same bits for any number of threads.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
/// use telseg_explain::TreeShap;
/// let leaf = |value: f64, cover| Node::Leaf { value: vec![value], cover };
/// let stump = Tree {
///     nodes: vec![
///         Node::Split {
///             feature: 0, rule: Rule::AtMost(12.0), missing: Side::Right, left: 1, right: 2, cover: 10.0,
///         },
///         leaf(1.0, 4.0),
///         leaf(0.0, 6.0),
///     ],
///     output: Some(0),
/// };
/// let model = TreeEnsemble::new(2, vec![-1.0], vec![stump])?;
/// let shap = TreeShap::new(&model)?;
/// assert!((shap.expected_value()[0] + 0.6).abs() < 1e-12); // -1 + 0.4
/// let values = shap.shap_values_for(&array![[3.0f32, 7.0]], 0)?;
/// assert!((values[[0, 0]] - 0.6).abs() < 1e-12); // short tenure: 0.6 above expectation
/// assert_eq!(values[[0, 1]], 0.0); // a column that no tree asks about
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TreeShap {
    n_features: usize,
    expected: Array1<f64>,
    /// The features that some tree asks about, ascending.
    used: Vec<usize>,
    trees: Vec<Compiled>,
}

impl TreeShap {
    /// Works out from the trees what can be known before rows are seen.
    ///
    /// # Errors
    /// When the ensemble breaks one of its invariants.
    pub fn new(ensemble: &TreeEnsemble) -> Result<Self> {
        ensemble.validate()?;
        let (mut group_bits, mut leaf_bits) = (GROUP_BITS, LEAF_BITS);
        let pieces = loop {
            let pieces: Vec<Pieces> = (0..ensemble.n_trees())
                .into_par_iter()
                .map(|tree| cut(ensemble, tree, group_bits, leaf_bits))
                .collect();
            let numbers: usize = pieces.iter().map(table_numbers).sum();
            if numbers <= TABLE_NUMBERS || leaf_bits == 0 {
                break pieces;
            }
            leaf_bits -= 1;
            group_bits = group_bits.min(leaf_bits);
        };
        let mut used: Vec<usize> = pieces
            .iter()
            .flat_map(|p| p.splits.iter().map(|s| s.feature))
            .collect();
        used.sort_unstable();
        used.dedup();
        let longest = pieces
            .iter()
            .flat_map(|p| p.leaves.iter().map(|leaf| leaf.steps.len()))
            .max()
            .unwrap_or(0);
        let rules: Vec<_> = (0..=longest)
            .map(|m| gauss_legendre(m.div_ceil(2)))
            .collect();
        let n_outputs = ensemble.n_outputs();
        let trees = pieces
            .into_par_iter()
            .enumerate()
            .map(|(tree, pieces)| {
                let outputs = match ensemble.tree_output(tree) {
                    Some(output) => vec![output],
                    None => (0..n_outputs).collect(),
                };
                compile(pieces, &outputs, n_outputs, &used, &rules)
            })
            .collect();
        Ok(Self {
            n_features: ensemble.n_features(),
            expected: expected_value(ensemble),
            used,
            trees,
        })
    }

    /// The expected score of each output: base plus leaves weighted by cover.
    pub fn expected_value(&self) -> &Array1<f64> {
        &self.expected
    }

    /// Number of columns of a row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Number of scores of a row.
    pub fn n_outputs(&self) -> usize {
        self.expected.len()
    }

    /// Attributions of all rows to all outputs.
    ///
    /// # Shapes
    /// `x`: rows by features; returns rows by features by outputs.
    ///
    /// # Errors
    /// When `x` has the wrong width.
    pub fn shap_values(&self, x: &ArrayRef2<f32>) -> Result<Array3<f64>> {
        self.check_width(x.ncols())?;
        let mut out = Array3::zeros((x.nrows(), self.n_features, self.n_outputs()));
        x.axis_chunks_iter(Axis(0), ROWS)
            .zip(out.axis_chunks_iter_mut(Axis(0), ROWS))
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(|(x, out)| self.explain_block(&x, out));
        Ok(out)
    }

    /// Attributions of all rows to one output.
    ///
    /// # Shapes
    /// `x`: rows by features; returns rows by features.
    ///
    /// # Errors
    /// When `x` has the wrong width or there is no such output.
    pub fn shap_values_for(&self, x: &ArrayRef2<f32>, output: usize) -> Result<Array2<f64>> {
        if output >= self.n_outputs() {
            let outputs = self.n_outputs();
            return Err(Error::param(
                "output",
                format!("{output} does not exist, the model has {outputs} (counted from 0)"),
            ));
        }
        let values = self.shap_values(x)?;
        if self.n_outputs() > 1 {
            return Ok(values.index_axis(Axis(2), output).to_owned());
        }
        Ok(values.index_axis_move(Axis(2), 0))
    }

    /// Attributions of one row, written to `out` (features by outputs, row-major); the same bits as in a batch.
    ///
    /// # Cost
    /// Allocates nothing, unless a path asks more than 96 distinct features.
    ///
    /// # Errors
    /// When the row or `out` has the wrong length.
    pub fn shap_row_into(&self, row: &[f32], out: &mut [f64]) -> Result<()> {
        self.check_width(row.len())?;
        let k = self.n_outputs();
        if out.len() != self.n_features * k {
            return Err(Error::shape(
                "out",
                format!("{} numbers (features times outputs)", self.n_features * k),
                out.len().to_string(),
            ));
        }
        out.fill(0.0);
        for tree in &self.trees {
            let value = |feature: usize| row[self.used[feature]];
            kernel::add_row(tree, value, |slot, part| {
                out[self.used[slot / k] * k + slot % k] += part;
            });
        }
        Ok(())
    }

    fn explain_block(&self, x: &ArrayRef2<f32>, mut out: ArrayViewMut3<'_, f64>) {
        let (rows, k) = (x.nrows(), self.n_outputs());
        let mut block = Block::new(rows, self.used.len(), self.used.len() * k);
        for (column, &feature) in block.columns.chunks_exact_mut(rows).zip(&self.used) {
            column
                .iter_mut()
                .zip(x.column(feature))
                .for_each(|(to, from)| *to = *from);
        }
        for tree in &self.trees {
            block.add(tree);
        }
        for (slot, sums) in block.sums.chunks_exact(rows).enumerate() {
            let mut lane = out.index_axis_mut(Axis(1), self.used[slot / k]);
            lane.index_axis_mut(Axis(1), slot % k)
                .iter_mut()
                .zip(sums)
                .for_each(|(to, from)| *to = *from);
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

/// How many numbers the tables of a tree would hold, at most.
fn table_numbers(pieces: &Pieces) -> usize {
    let width = pieces.leaves.first().map_or(1, |leaf| leaf.value.len());
    pieces
        .groups
        .iter()
        .map(|g| (g.bits.len() * width) << g.bits.len())
        .sum()
}

fn compile(
    mut pieces: Pieces,
    outputs: &[usize],
    n_outputs: usize,
    used: &[usize],
    rules: &[Vec<Node>],
) -> Compiled {
    let local = |feature: usize| {
        used.binary_search(&feature)
            .expect("invariant: `used` holds all features of all splits")
    };
    for split in &mut pieces.splits {
        split.feature = local(split.feature);
    }
    for step in pieces.leaves.iter_mut().flat_map(|leaf| &mut leaf.steps) {
        step.feature = local(step.feature);
    }
    let slot = |feature: usize, output: usize| (feature * n_outputs + output) as u32;
    let tables = pieces
        .groups
        .iter()
        .map(|group| table::build(&pieces, group, outputs, rules, slot))
        .collect();
    let deep = pieces
        .deep
        .iter()
        .map(|&leaf| {
            let path = &pieces.leaves[leaf];
            let of = |f: usize| outputs.iter().map(move |&o| slot(f, o));
            let slots = path.steps.iter().flat_map(|s| of(s.feature)).collect();
            Deep::new(path, slots, &rules[path.steps.len()])
        })
        .collect();
    Compiled {
        splits: pieces.splits,
        tables,
        deep,
    }
}

fn expected_value(ensemble: &TreeEnsemble) -> Array1<f64> {
    use telseg_core::trees::NodeView;
    let mut expected = Array1::from(ensemble.base().to_vec());
    for tree in 0..ensemble.n_trees() {
        let nodes = ensemble.tree_nodes(tree);
        let mut reach = vec![0.0; nodes.len()];
        reach[0] = 1.0;
        for node in nodes.clone() {
            let here = reach[node - nodes.start];
            match ensemble.node(tree, node) {
                NodeView::Split { left, right, .. } => {
                    let share = paths::left_share(ensemble.cover(left), ensemble.cover(right));
                    reach[left - nodes.start] = here * share;
                    reach[right - nodes.start] = here * (1.0 - share);
                }
                NodeView::Leaf(values) => match ensemble.tree_output(tree) {
                    Some(output) => expected[output] += here * values[0],
                    None => expected
                        .iter_mut()
                        .zip(values)
                        .for_each(|(e, v)| *e += here * v),
                },
            }
        }
    }
    expected
}
