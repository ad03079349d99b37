//! Attributions to features.

use ndarray::{Array1, Array2, Array3, ArrayRef2, ArrayViewMut3, Axis};
use rayon::prelude::*;
use telseg_core::trees::TreeEnsemble;
use telseg_core::{Error, Result};

use super::engine::{Engine, Unknown};
use super::params::TreeShapParams;

/// Explains an ensemble: how much each feature moved each score of a row away from the expected score.
///
/// `sum of attributions + expected value = prediction`, for each row and output (with the Shapley index).
///
/// Missing values are answers like any other: they go their default way. Categorical splits and features that repeat on
/// a path are exact too. Where a node's children have no cover at all, they count half each.
///
/// # Cost
/// Rows: a handful of additions for each leaf, in parallel over blocks of rows, however many rows the background has;
/// the same bits for any number of threads.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
/// use telseg_explain::{TreeShap, Unknown};
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
///
/// // Why is this subscriber's score not that of those who are long with us? All of the 1.0 is tenure.
/// let loyal = array![[60.0f32, 7.0], [48.0, 2.0]];
/// let against = TreeShap::params().fit(&model, Unknown::Rows(&loyal))?;
/// assert_eq!(against.shap_values_for(&array![[3.0f32, 7.0]], 0)?[[0, 0]], 1.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TreeShap {
    engine: Engine,
    /// Where in a row's attributions (features by outputs) each slot of its sums lies.
    places: Vec<u32>,
}

impl TreeShap {
    /// What to ask for: Shapley values, everything by default.
    pub fn params() -> TreeShapParams {
        TreeShapParams::default()
    }

    /// Path-dependent Shapley values: `TreeShap::params().fit(ensemble, Unknown::Covers)`.
    ///
    /// # Errors
    /// When the ensemble breaks one of its invariants.
    pub fn new(ensemble: &TreeEnsemble) -> Result<Self> {
        Self::params().fit(ensemble, Unknown::Covers)
    }

    pub(super) fn of(engine: Engine) -> Self {
        let k = engine.n_outputs();
        let places = engine
            .terms()
            .iter()
            .flat_map(|&(feature, _)| (0..k).map(move |output| (feature * k + output) as u32))
            .collect();
        Self { engine, places }
    }

    /// The expected score of each output: base plus leaves weighted by cover, or the mean score of the background.
    pub fn expected_value(&self) -> &Array1<f64> {
        self.engine.expected()
    }

    /// Number of columns of a row.
    pub fn n_features(&self) -> usize {
        self.engine.n_features()
    }

    /// Number of scores of a row.
    pub fn n_outputs(&self) -> usize {
        self.engine.n_outputs()
    }

    /// Attributions of all rows to all outputs.
    ///
    /// # Shapes
    /// `x`: rows by features; returns rows by features by outputs.
    ///
    /// # Errors
    /// When `x` has the wrong width.
    pub fn shap_values(&self, x: &ArrayRef2<f32>) -> Result<Array3<f64>> {
        self.engine.check_width(x.ncols())?;
        let mut out = Array3::zeros((x.nrows(), self.n_features(), self.n_outputs()));
        x.axis_chunks_iter(Axis(0), self.engine.block())
            .zip(out.axis_chunks_iter_mut(Axis(0), self.engine.block()))
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(|(x, out)| self.place(x.nrows(), &self.engine.sums(x), out));
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
        self.engine.check_output(output)?;
        let values = self.shap_values(x)?;
        if self.n_outputs() > 1 {
            return Ok(values.index_axis(Axis(2), output).to_owned());
        }
        Ok(values.index_axis_move(Axis(2), 0))
    }

    /// Attributions of one row, written to `out` (features by outputs, row-major); the same bits as in a batch.
    ///
    /// # Cost
    /// One look-up for each group of leaves, some 5 to 20 microseconds for every thousand leaves. Allocates nothing,
    /// unless a path asks more than 96 different features or a tree has more than 4096 splits.
    ///
    /// # Errors
    /// When the row or `out` has the wrong length.
    pub fn shap_row_into(&self, row: &[f32], out: &mut [f64]) -> Result<()> {
        self.engine.check_width(row.len())?;
        let k = self.n_outputs();
        if out.len() != self.n_features() * k {
            let expected = format!("{} numbers (features times outputs)", self.n_features() * k);
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        out.fill(0.0);
        self.engine
            .add_row(row, |slot, part| out[self.places[slot] as usize] += part);
        Ok(())
    }

    fn place(&self, rows: usize, sums: &[f64], mut out: ArrayViewMut3<'_, f64>) {
        let k = self.n_outputs();
        for (&place, sums) in self.places.iter().zip(sums.chunks_exact(rows)) {
            let mut lane = out.index_axis_mut(Axis(1), place as usize / k);
            let mut lane = lane.index_axis_mut(Axis(1), place as usize % k);
            lane.iter_mut().zip(sums).for_each(|(to, from)| *to = *from);
        }
    }
}
