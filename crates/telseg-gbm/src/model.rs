//! The trained model.

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::trees::{TreeEnsemble, row_slice};
use telseg_core::{Error, Fit, Predict, Progress, Result};

use crate::{BinnedData, FitOptions, FitReport, GbmParams, Objective, boost, options};

/// A trained gradient boosting model.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::{Gbm, Objective};
/// // Subscribers who called support often leave, unless their contract is long.
/// let x = Array2::from_shape_fn((400, 2), |(i, j)| if j == 0 { (i % 8) as f32 } else { (i / 8 % 25) as f32 });
/// let left = Array1::from_shape_fn(400, |i| (x[(i, 0)] >= 5.0 && x[(i, 1)] < 12.0) as u8 as f32);
/// let model = Gbm::params(Objective::Binary).with_n_trees(50).fit(&x, &left)?;
/// assert!(model.predict_row(&[7.0, 3.0])? > 0.95);
/// assert!(model.predict_row(&[7.0, 20.0])? < 0.05);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gbm {
    trees: TreeEnsemble,
    objective: Objective,
    importance: Importance,
    report: FitReport,
}

/// What each column contributed to the trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Importance {
    /// Sum of the gains of the column's splits.
    pub gain: Vec<f64>,
    /// Number of the column's splits.
    pub splits: Vec<u64>,
}

impl Gbm {
    /// Default parameters for an objective.
    pub fn params(objective: Objective) -> GbmParams {
        GbmParams::new(objective)
    }

    pub(crate) fn new(
        trees: TreeEnsemble,
        objective: Objective,
        importance: Importance,
        report: FitReport,
    ) -> Self {
        Self {
            trees,
            objective,
            importance,
            report,
        }
    }

    /// Prediction for each row: the probability of class 1, or the value.
    ///
    /// # Shapes
    /// `x`: rows by the columns at fit, missing values as NaN.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    ///
    /// # Cost
    /// A walk per row and tree, rows in parallel; the same bits as [`predict_row`](Self::predict_row).
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.predict_into(x, &mut out)?;
        Ok(out)
    }

    /// The same, written to `out`.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit or `out` another length than `x` has rows.
    pub fn predict_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef1<f64>) -> Result<()> {
        self.raw_into(x, out)?;
        out.mapv_inplace(|score| self.objective.link(score));
        Ok(())
    }

    /// Scores before the link: log-odds for a binary objective.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    pub fn predict_raw(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.raw_into(x, &mut out)?;
        Ok(out)
    }

    fn raw_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef1<f64>) -> Result<()> {
        if out.len() != x.nrows() {
            return Err(Error::shape(
                "out",
                format!("{} rows (as x)", x.nrows()),
                out.len().to_string(),
            ));
        }
        let mut column = out.view_mut().insert_axis(Axis(1));
        self.trees.predict_into(x, &mut column)
    }

    /// Prediction for one row, without allocation.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit.
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        let mut score = [0.0];
        self.trees.predict_row_into(row, &mut score)?;
        Ok(self.objective.link(score[0]))
    }

    /// The trees: scores before the link are their sum.
    pub fn trees(&self) -> &TreeEnsemble {
        &self.trees
    }

    /// What the model was trained for.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// What each column contributed.
    pub fn importance(&self) -> &Importance {
        &self.importance
    }

    /// How the fit went.
    pub fn report(&self) -> &FitReport {
        &self.report
    }
}

impl GbmParams {
    /// Trains a model.
    ///
    /// # Shapes
    /// `x`: a subscriber a row, missing values as NaN, infinite values in the outermost bins; `y`: a target a row, 0 or 1
    /// for [`Objective::Binary`].
    ///
    /// # Errors
    /// When a parameter is wrong or contradicts another, shapes differ, `y` holds something the objective cannot fit
    /// (NaN included), or a categorical column something that is no level code.
    ///
    /// # Cost
    /// About 3 histogram updates per row, column and tree with 63 leaves; memory two bytes a cell of `x` and about
    /// 60 bytes a row, beside up to 256 MiB of histograms. Rows and columns are worked on in parallel.
    pub fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<Gbm> {
        self.fit_with(x, y, FitOptions::default())
    }

    /// Trains a model on weighted rows; a row of weight 0 is as good as absent.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), or when a weight is negative or not finite.
    pub fn fit_weighted(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: &ArrayRef1<f32>,
    ) -> Result<Gbm> {
        self.fit_with(x, y, FitOptions::default().with_weights(weights))
    }

    /// Trains a model and tells an observer of every round.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_observed(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        progress: &dyn Progress,
    ) -> Result<Gbm> {
        self.fit_with(x, y, FitOptions::default().with_progress(progress))
    }

    /// Trains a model with weights, a validation set or an observer.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), for the options too.
    pub fn fit_with(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        options: FitOptions<'_>,
    ) -> Result<Gbm> {
        self.validate()?;
        options::check_rows(x.nrows(), y.len())?;
        let data = match &options.weights {
            Some(weights) => BinnedData::weighted(x, weights, self)?,
            None => BinnedData::new(x, self)?,
        };
        self.fit_binned(&data, y, options)
    }

    /// Trains a model on data that has been binned before, by the same `max_bins` and `categorical`.
    ///
    /// # Errors
    /// As [`fit_with`](Self::fit_with), or when the data was binned by other parameters.
    pub fn fit_binned(
        &self,
        data: &BinnedData,
        y: &ArrayRef1<f32>,
        options: FitOptions<'_>,
    ) -> Result<Gbm> {
        self.validate()?;
        data.check(self)?;
        boost::fit(self, data, y, &options)
    }
}

impl Fit<ArrayRef2<f32>, ArrayRef1<f32>> for GbmParams {
    type Model = Gbm;

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<Gbm> {
        GbmParams::fit(self, x, y)
    }
}

impl Predict<ArrayRef2<f32>> for Gbm {
    type Output = Array1<f64>;

    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        Gbm::predict(self, x)
    }
}

impl Predict<ArrayRef1<f32>> for Gbm {
    type Output = f64;

    fn predict(&self, row: &ArrayRef1<f32>) -> Result<f64> {
        self.predict_row(row_slice(row, &mut Vec::new()))
    }
}

impl Artefact for Gbm {
    const KIND: &'static str = "gbm";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.trees.validate()?;
        let width = self.trees.n_features();
        if self.trees.n_outputs() != 1
            || (0..self.trees.n_trees()).any(|t| self.trees.tree_output(t) != Some(0))
        {
            return Err(Error::data("gbm", "trees must add to one score"));
        }
        let Importance { gain, splits } = &self.importance;
        if [gain.len(), splits.len(), self.report.n_bins.len()] != [width; 3]
            || !gain.iter().all(|g| g.is_finite())
        {
            return Err(Error::data(
                "gbm",
                "importances and bins must be one a column, and finite",
            ));
        }
        if self.report.n_trees != self.trees.n_trees() {
            return Err(Error::data(
                "gbm",
                "report and trees disagree on the number of trees",
            ));
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.trees.n_features())
    }
}
