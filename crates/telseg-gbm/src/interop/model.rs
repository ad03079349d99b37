//! What the models of all libraries have in common.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::trees::{TreeEnsemble, row_slice};
use telseg_core::{Error, Predict, Result};

use super::Link;
use crate::{Gbm, Objective};

/// Trees, the link from their scores to predictions, and the names of the columns.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2, array};
/// use telseg_gbm::{Gbm, Objective, interop::{TreeModel, lightgbm}};
/// let x = Array2::from_shape_fn((200, 1), |(i, _)| (i % 40) as f32);
/// let y = Array1::from_shape_fn(200, |i| (i % 40 < 12) as u8 as f32);
/// let churn = Gbm::params(Objective::Binary).with_n_trees(5).fit(&x, &y)?;
/// let model = TreeModel::from(&churn).with_feature_names(["months"])?;
/// let text = lightgbm::to_text(&model)?; // LightGBM reads this
/// let again = lightgbm::from_text(&text)?;
/// assert_eq!(again.predict(&x)?, model.predict(&x)?);
/// assert_eq!(again.feature_names(), ["months"]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeModel {
    trees: TreeEnsemble,
    link: Link,
    feature_names: Vec<String>,
}

impl TreeModel {
    /// Trees with the link of their scores; the columns have no names yet.
    ///
    /// # Errors
    /// When the slope of a logistic link is not above 0.
    pub fn new(trees: TreeEnsemble, link: Link) -> Result<Self> {
        link.validate()?;
        Ok(Self::unnamed(trees, link))
    }

    pub(crate) fn unnamed(trees: TreeEnsemble, link: Link) -> Self {
        let feature_names = Vec::new();
        Self {
            trees,
            link,
            feature_names,
        }
    }

    /// Names the columns, in order.
    ///
    /// # Errors
    /// When there are not as many names as columns.
    pub fn with_feature_names(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self> {
        self.feature_names = names.into_iter().map(Into::into).collect();
        self.check_names()?;
        Ok(self)
    }

    /// The trees: scores are the sum of their leaves.
    pub fn trees(&self) -> &TreeEnsemble {
        &self.trees
    }

    /// How scores become predictions.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Names of the columns; empty when they have none.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Predictions of all rows.
    ///
    /// # Shapes
    /// `x`: rows by columns, missing values as NaN, levels as whole numbers; returns rows by outputs.
    ///
    /// # Errors
    /// When `x` has another number of columns than the model.
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        let mut out = self.trees.predict(x)?;
        self.link_all(&mut out);
        Ok(out)
    }

    /// The same, written to `out`.
    ///
    /// # Errors
    /// When `x` or `out` has the wrong shape.
    pub fn predict_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef2<f64>) -> Result<()> {
        self.trees.predict_into(x, out)?;
        self.link_all(out);
        Ok(())
    }

    /// Predictions of one row, written to `out`; allocates nothing.
    ///
    /// # Errors
    /// When the row or `out` has the wrong length.
    pub fn predict_row_into(&self, row: &[f32], out: &mut [f64]) -> Result<()> {
        self.trees.predict_row_into(row, out)?;
        self.link.apply(out);
        Ok(())
    }

    fn link_all(&self, scores: &mut ArrayRef2<f64>) {
        let mut buffer = vec![0.0; self.trees.n_outputs()];
        for mut row in scores.rows_mut() {
            buffer.iter_mut().zip(&row).for_each(|(b, s)| *b = *s);
            self.link.apply(&mut buffer);
            row.iter_mut().zip(&buffer).for_each(|(s, b)| *s = *b);
        }
    }

    fn check_names(&self) -> Result<()> {
        let (names, columns) = (self.feature_names.len(), self.trees.n_features());
        if names == 0 || names == columns {
            return Ok(());
        }
        let expected = format!("{columns} names (as columns)");
        Err(Error::shape("feature_names", expected, names.to_string()))
    }
}

impl From<&Gbm> for TreeModel {
    fn from(model: &Gbm) -> Self {
        let link = match model.objective() {
            Objective::Binary => Link::Logistic { slope: 1.0 },
            Objective::Softmax { .. } => Link::Softmax,
            Objective::Poisson
            | Objective::Gamma
            | Objective::Tweedie { .. }
            | Objective::Cox
            | Objective::Aft { .. } => Link::Exp,
            // Quantiles that cross are put in order by `Gbm` alone: no other library's format says so.
            Objective::SquaredError
            | Objective::AbsoluteError
            | Objective::Huber { .. }
            | Objective::Quantile { .. }
            | Objective::Quantiles(_)
            | Objective::Pairwise
            | Objective::LambdaMart { .. }
            | Objective::Custom => Link::Identity,
        };
        Self::unnamed(model.trees().clone(), link)
    }
}

impl Predict<ArrayRef2<f32>> for TreeModel {
    type Output = Array2<f64>;

    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        TreeModel::predict(self, x)
    }
}

impl Predict<ArrayRef1<f32>> for TreeModel {
    type Output = Vec<f64>;

    fn predict(&self, row: &ArrayRef1<f32>) -> Result<Vec<f64>> {
        let mut out = vec![0.0; self.trees.n_outputs()];
        self.predict_row_into(row_slice(row, &mut Vec::new()), &mut out)?;
        Ok(out)
    }
}

impl Artefact for TreeModel {
    const KIND: &'static str = "tree_model";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.trees.validate()?;
        self.link.validate()?;
        self.check_names()
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.trees.n_features())
    }
}
