//! Attributions to pairs of features.

use ndarray::{Array1, Array2, Array3, Array4, ArrayRef2, ArrayViewMut2, ArrayViewMut3, Axis};
use rayon::prelude::*;
use telseg_core::{Error, Result};

use super::engine::Engine;
use super::game::Index;

/// Explains an ensemble by pairs: how much of a score two features move together, beyond what each moves alone.
///
/// For each row and output a symmetric matrix. With the Shapley index an effect of a pair is shared between its two
/// places, and the diagonal holds what a feature moves alone, so that a row of the matrix adds up to the feature's
/// [`TreeShap`](super::TreeShap) value and the whole to `prediction - expected value` (Lundberg et al. 2018, eq. 4 to
/// 6). With the Banzhaf index a place off the diagonal holds the pair's whole effect and the diagonal the feature's
/// Banzhaf value.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
/// use telseg_explain::{TreeShap, Unknown};
/// let leaf = |value: f64| Node::Leaf { value: vec![value], cover: 2.0 };
/// let ask = |feature, threshold: f32, left, right, cover| Node::Split {
///     feature, rule: Rule::AtMost(threshold), missing: Side::Right, left, right, cover,
/// };
/// // Only a short tenure with a high bill is a risk.
/// let tree = Tree {
///     nodes: vec![ask(0, 12.0, 1, 2, 8.0), ask(1, 60.0, 3, 4, 4.0), Node::Leaf { value: vec![0.0], cover: 4.0 },
///         leaf(0.0), leaf(1.0)],
///     output: Some(0),
/// };
/// let model = TreeEnsemble::new(2, vec![0.0], vec![tree])?;
/// let pairs = TreeShap::params().fit_interactions(&model, Unknown::Covers)?;
/// let effects = pairs.interaction_values_for(&array![[3.0f32, 90.0]], 0)?;
/// assert_eq!(effects.index_axis(ndarray::Axis(0), 0), array![[0.25, 0.125], [0.125, 0.25]]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TreeInteractions {
    engine: Engine,
    index: Index,
}

impl TreeInteractions {
    pub(super) fn of(engine: Engine, index: Index) -> Self {
        Self { engine, index }
    }

    /// The expected score of each output, as [`TreeShap::expected_value`](super::TreeShap::expected_value).
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

    /// The matrices of all rows for all outputs.
    ///
    /// # Shapes
    /// `x`: rows by features; returns rows by features by features by outputs.
    ///
    /// # Errors
    /// When `x` has the wrong width.
    pub fn interaction_values(&self, x: &ArrayRef2<f32>) -> Result<Array4<f64>> {
        self.engine.check_width(x.ncols())?;
        let (n, k) = (self.n_features(), self.n_outputs());
        let mut out = Array4::zeros((x.nrows(), n, n, k));
        x.axis_chunks_iter(Axis(0), self.engine.block())
            .zip(out.axis_chunks_iter_mut(Axis(0), self.engine.block()))
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(|(x, mut out)| {
                let (rows, sums) = (x.nrows(), self.engine.sums(x));
                for (row, mut out) in out.axis_iter_mut(Axis(0)).enumerate() {
                    for output in 0..k {
                        let at = |term: usize| sums[(term * k + output) * rows + row];
                        self.place(at, out.index_axis_mut(Axis(2), output));
                    }
                }
            });
        Ok(out)
    }

    /// The matrices of all rows for one output.
    ///
    /// # Shapes
    /// `x`: rows by features; returns rows by features by features.
    ///
    /// # Errors
    /// When `x` has the wrong width or there is no such output.
    pub fn interaction_values_for(&self, x: &ArrayRef2<f32>, output: usize) -> Result<Array3<f64>> {
        self.engine.check_output(output)?;
        let values = self.interaction_values(x)?;
        if self.n_outputs() > 1 {
            return Ok(values.index_axis(Axis(3), output).to_owned());
        }
        Ok(values.index_axis_move(Axis(3), 0))
    }

    /// The matrix of one row, written to `out` (features by features by outputs); the same bits as in a batch.
    ///
    /// # Errors
    /// When the row or `out` has the wrong shape.
    pub fn interaction_row_into(&self, row: &[f32], mut out: ArrayViewMut3<'_, f64>) -> Result<()> {
        self.engine.check_width(row.len())?;
        let (n, k) = (self.n_features(), self.n_outputs());
        if out.dim() != (n, n, k) {
            let expected = format!("{n} by {n} by {k} (features, features, outputs)");
            return Err(Error::shape("out", expected, format!("{:?}", out.dim())));
        }
        let mut sums = vec![0.0; self.engine.terms().len() * k];
        self.engine.add_row(row, |slot, part| sums[slot] += part);
        for output in 0..k {
            let at = |term: usize| sums[term * k + output];
            self.place(at, out.index_axis_mut(Axis(2), output));
        }
        Ok(())
    }

    /// How strong each pair is over all rows: the mean absolute effect, for one output. Holds no matrix of a row, so
    /// that any number of rows fits.
    ///
    /// # Shapes
    /// `x`: rows by features, at least one row; returns features by features.
    ///
    /// # Errors
    /// When `x` has the wrong width or no row, or there is no such output.
    pub fn strengths(&self, x: &ArrayRef2<f32>, output: usize) -> Result<Array2<f64>> {
        self.engine.check_width(x.ncols())?;
        self.engine.check_output(output)?;
        if x.nrows() == 0 {
            return Err(Error::shape("x", "at least 1 row", "0"));
        }
        let (n, k) = (self.n_features(), self.n_outputs());
        let blocks: Vec<_> = x.axis_chunks_iter(Axis(0), self.engine.block()).collect();
        let parts: Vec<Array2<f64>> = blocks
            .into_par_iter()
            .map(|x| {
                let (rows, sums) = (x.nrows(), self.engine.sums(x));
                let (mut all, mut one) = (Array2::zeros((n, n)), Array2::zeros((n, n)));
                for row in 0..rows {
                    one.fill(0.0);
                    let at = |term: usize| sums[(term * k + output) * rows + row];
                    self.place(at, one.view_mut());
                    all.zip_mut_with(&one, |a, b: &f64| *a += b.abs());
                }
                all
            })
            .collect();
        let sum = parts
            .into_iter()
            .fold(Array2::zeros((n, n)), |sum, part| sum + part);
        Ok(sum / x.nrows() as f64)
    }

    /// Lays the sums of one row out as a matrix of zeros.
    fn place(&self, at: impl Fn(usize) -> f64, mut out: ArrayViewMut2<'_, f64>) {
        for (term, &(a, b)) in self.engine.terms().iter().enumerate() {
            let value = at(term);
            out[[a, b]] += value;
            if a != b {
                out[[b, a]] += value;
                if self.index == Index::Shapley {
                    out[[a, a]] -= value;
                    out[[b, b]] -= value;
                }
            }
        }
    }
}
