//! The trained model.

use std::time::Instant;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1, Axis};
use rayon::prelude::*;
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
    /// When `x` has another number of columns than at fit, or the model several outputs: then
    /// [`predict_outputs`](Self::predict_outputs) has them all.
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
    /// As [`predict`](Self::predict), or when `out` has another length than `x` has rows.
    pub fn predict_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef1<f64>) -> Result<()> {
        self.raw_into(x, out)?;
        out.mapv_inplace(|score| self.objective.link(score));
        Ok(())
    }

    /// Scores before the link: log-odds for a binary objective, logarithms of means for counts and amounts.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); scores of several outputs are [`trees`](Self::trees)`().predict(x)`.
    pub fn predict_raw(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.raw_into(x, &mut out)?;
        Ok(out)
    }

    fn raw_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef1<f64>) -> Result<()> {
        self.check_single()?;
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

    fn check_single(&self) -> Result<()> {
        match self.n_outputs() {
            1 => Ok(()),
            n => Err(Error::param(
                "objective",
                format!("this model has {n} outputs a row: use predict_outputs"),
            )),
        }
    }

    /// Predictions of a row: one, or one a class or quantile level.
    pub fn n_outputs(&self) -> usize {
        self.trees.n_outputs()
    }

    /// All predictions of each row: the probability of each class, each quantile, or the one value.
    ///
    /// # Shapes
    /// `x`: rows by the columns at fit; returns rows by [`n_outputs`](Self::n_outputs).
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    ///
    /// # Cost
    /// A walk per row and tree, rows in parallel; the same bits as [`predict_row_into`](Self::predict_row_into).
    pub fn predict_outputs(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        let mut out = Array2::zeros((x.nrows(), self.n_outputs()));
        self.predict_outputs_into(x, &mut out)?;
        Ok(out)
    }

    /// The same, written to `out`.
    ///
    /// # Errors
    /// As [`predict_outputs`](Self::predict_outputs), or when `out` has another shape than what that returns.
    pub fn predict_outputs_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef2<f64>) -> Result<()> {
        self.trees.predict_into(x, out)?;
        let blocks: Vec<_> = out.axis_chunks_iter_mut(Axis(0), 1024).collect();
        blocks.into_par_iter().for_each(|mut block| {
            for mut row in block.rows_mut() {
                match row.as_slice_mut() {
                    Some(row) => self.objective.link_row(row),
                    None => {
                        let mut own = row.to_vec();
                        self.objective.link_row(&mut own);
                        row.iter_mut().zip(own).for_each(|(to, value)| *to = value);
                    }
                }
            }
        });
        Ok(())
    }

    /// The most likely class of each row, the first among equals.
    ///
    /// # Errors
    /// As [`predict_outputs`](Self::predict_outputs), or when the objective has no classes.
    pub fn predict_class(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>> {
        if self.objective.n_classes().is_none() {
            let problem = format!("{:?} has no classes", self.objective);
            return Err(Error::param("objective", problem));
        }
        let outputs = self.predict_outputs(x)?;
        let class = |row: ArrayView1<'_, f64>| {
            if row.len() == 1 {
                return u32::from(row[0] > 0.5);
            }
            let better = |best: usize, k: usize| if row[k] > row[best] { k } else { best };
            (1..row.len()).fold(0, better) as u32
        };
        Ok(outputs.rows().into_iter().map(class).collect())
    }

    /// Prediction for one row, without allocation.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit, or the model several outputs.
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        self.check_single()?;
        let mut score = [0.0];
        self.trees.predict_row_into(row, &mut score)?;
        Ok(self.objective.link(score[0]))
    }

    /// All predictions for one row, without allocation.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit, or `out` than [`n_outputs`](Self::n_outputs).
    pub fn predict_row_into(&self, row: &[f32], out: &mut [f64]) -> Result<()> {
        self.trees.predict_row_into(row, out)?;
        self.objective.link_row(out);
        Ok(())
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
    /// `x`: a subscriber a row, missing values as NaN, infinite values in the outermost bins; `y`: a target a row: 0 or 1
    /// for [`Objective::Binary`], a class code for [`Objective::Softmax`].
    ///
    /// # Errors
    /// When a parameter is wrong or contradicts another, shapes differ, `y` holds something the objective cannot fit
    /// (NaN included), or a categorical column something that is no level code.
    ///
    /// # Cost
    /// About 3 histogram updates per row, column and tree with 63 leaves; memory two bytes a cell of `x` and about
    /// 60 bytes a row (40 more for each further output), beside up to 256 MiB of histograms an output. Rows, outputs and columns are worked on in parallel.
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

    /// Trains a model with weights, a validation set, base scores, an earlier model, limits or an observer.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), for the options too.
    pub fn fit_with(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        options: FitOptions<'_>,
    ) -> Result<Gbm> {
        let began = Instant::now();
        self.validate()?;
        options::check_rows(x.nrows(), y.len())?;
        let data = match &options.weights {
            Some(weights) => BinnedData::weighted(x, weights, self)?,
            None => BinnedData::new(x, self)?,
        };
        boost::fit(self, (&data, Some(x)), y, &options, began)
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
        boost::fit(self, (data, None), y, &options, Instant::now())
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
        self.objective.validate()?;
        if self.trees.n_outputs() != self.objective.n_outputs() {
            let problem = format!(
                "trees add to {} scores, the objective has {}",
                self.trees.n_outputs(),
                self.objective.n_outputs()
            );
            return Err(Error::data("gbm", problem));
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
