//! A model together with the calibrator that was learnt on its out-of-fold predictions.

use ndarray::{Array1, ArrayRef1, ArrayRef2, ArrayView1, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Fit, Predict, Result};

use super::{Calibration, Calibrator};
use crate::Objective;

/// A model of probabilities, and the map that makes them honest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrated<M> {
    /// The model, trained on all rows.
    pub model: M,
    /// The map, learnt from predictions of each row by a model that had not seen it.
    pub calibrator: Calibrator,
}

/// Trains a model on all rows, and a calibrator on predictions of each row by a model trained on the other folds.
///
/// # Shapes
/// `x`: a subscriber a row; `y`: 0 or 1 a row.
///
/// # Errors
/// As the fit of `params`, or when there are fewer than two folds or fewer rows than folds.
///
/// # Cost
/// One more fit than there are folds; folds in parallel.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::{Calibration, Gbm, Objective, fit_calibrated};
/// // A fifth of those below 100 leave, whatever else: a tree learns more than there is.
/// let x = Array2::from_shape_fn((400, 2), |(i, j)| if j == 0 { i as f32 } else { (i * 37 % 101) as f32 });
/// let y = Array1::from_shape_fn(400, |i| (i < 100 && i * 7919 % 5 == 0) as u8 as f32);
/// let model = fit_calibrated(&Gbm::params(Objective::Binary), Calibration::Platt, (&x, &y), (5, 0))?;
/// assert!(model.predict(&x)?.iter().all(|p| (0.0..=1.0).contains(p)));
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn fit_calibrated<P>(
    params: &P,
    method: Calibration,
    (x, y): (&ArrayRef2<f32>, &ArrayRef1<f32>),
    (n_folds, seed): (usize, u64),
) -> Result<Calibrated<P::Model>>
where
    P: Fit<ArrayRef2<f32>, ArrayRef1<f32>> + Sync,
    P::Model: Predict<ArrayRef2<f32>, Output = Array1<f64>>,
{
    let out_of_fold = out_of_fold(params, Objective::Binary, (x, y), (n_folds, seed))?.0;
    let calibrator = Calibrator::params(method).fit(&out_of_fold, y)?;
    let model = params.fit(x, y)?;
    Ok(Calibrated { model, calibrator })
}

/// Prediction of each row by a model trained on the other folds, and the fold of each row.
pub(crate) fn out_of_fold<P>(
    params: &P,
    objective: Objective,
    (x, y): (&ArrayRef2<f32>, &ArrayRef1<f32>),
    (n_folds, seed): (usize, u64),
) -> Result<(Array1<f64>, Vec<u32>)>
where
    P: Fit<ArrayRef2<f32>, ArrayRef1<f32>> + Sync,
    P::Model: Predict<ArrayRef2<f32>, Output = Array1<f64>>,
{
    crate::options::check_rows(x.nrows(), y.len())?;
    let folds = crate::cv::folds(objective, y, n_folds, seed)?;
    let fitted = (0..n_folds as u32).into_par_iter().map(|fold| {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|&i| folds[i] == fold);
        let model = params.fit(&x.select(Axis(0), &train), &y.select(Axis(0), &train))?;
        let predictions = model.predict(&x.select(Axis(0), &test))?;
        Ok((test, predictions))
    });
    let mut predictions = Array1::zeros(y.len());
    for fold in fitted.collect::<Vec<Result<_>>>() {
        let (rows, values) = fold?;
        rows.into_iter()
            .zip(values)
            .for_each(|(row, value)| predictions[row] = value);
    }
    Ok((predictions, folds))
}

impl<M: Predict<ArrayRef2<f32>, Output = Array1<f64>>> Calibrated<M> {
    /// The honest probability of each row.
    ///
    /// # Errors
    /// As the model's `predict`.
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        self.calibrator.predict(&self.model.predict(x)?)
    }
}

impl<M: Predict<ArrayRef1<f32>, Output = f64>> Calibrated<M> {
    /// The honest probability of one row, without allocation.
    ///
    /// # Errors
    /// As the model's `predict_row`.
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        self.calibrator
            .predict_one(self.model.predict(&ArrayView1::from(row))?)
    }
}

impl<M: Artefact> Artefact for Calibrated<M> {
    const KIND: &'static str = "calibrated";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(M::KIND);

    fn validate(&self) -> Result<()> {
        self.model.validate()?;
        self.calibrator.validate()
    }

    fn n_features(&self) -> Option<usize> {
        self.model.n_features()
    }
}
