//! Predictions for each row by a model that has not seen it.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use rayon::prelude::*;
use telseg_core::{Error, Result, Seed};

use crate::{FitReport, GbmParams, Objective, options};

/// Out-of-fold predictions of an objective with one output.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CrossPrediction {
    /// Prediction of each row by the model of its fold.
    pub predictions: Array1<f64>,
    /// Fold of each row, from 0.
    pub folds: Array1<u32>,
    /// How the fit of each fold went.
    pub reports: Vec<FitReport>,
}

/// Out-of-fold predictions of any objective.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CrossOutputs {
    /// Predictions of each row by the model of its fold: rows by outputs.
    pub outputs: Array2<f64>,
    /// Fold of each row, from 0.
    pub folds: Array1<u32>,
    /// How the fit of each fold went.
    pub reports: Vec<FitReport>,
}

/// Predicts each row by a model trained on the other folds.
///
/// Rows are dealt to folds in a random order of the seed, class by class where the target is a class, so that every fold has the
/// same share of each class (to one row). Bins are cut anew on each fold's training rows: cuts of the whole table know no
/// targets, but they know where the judged rows lie, and the cost of cutting is small beside that of boosting.
///
/// # Shapes
/// `x`: a subscriber a row; `y`: a target a row.
///
/// # Errors
/// As [`GbmParams::fit`], or when there are fewer than two folds or fewer rows than folds, or several outputs (for which
/// [`cross_predict_outputs`] is there).
///
/// # Cost
/// `n_folds` fits, in parallel; each holds a copy of its training rows.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::{Gbm, Objective, cross_predict};
/// let x = Array2::from_shape_fn((200, 1), |(i, _)| i as f32);
/// let y = Array1::from_shape_fn(200, |i| (i >= 100) as u8 as f32);
/// let out = cross_predict(&Gbm::params(Objective::Binary), &x, &y, 5, 0)?;
/// let right = out.predictions.iter().zip(&y).filter(|(p, y)| (**p > 0.5) == (**y > 0.5)).count();
/// assert!(right >= 195);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn cross_predict(
    params: &GbmParams,
    x: &ArrayRef2<f32>,
    y: &ArrayRef1<f32>,
    n_folds: usize,
    seed: u64,
) -> Result<CrossPrediction> {
    params.validate()?;
    if params.objective.n_outputs() != 1 {
        let problem = "has several outputs a row: use cross_predict_outputs";
        return Err(Error::param("objective", problem));
    }
    let out = cross_predict_outputs(params, x, y, n_folds, seed)?;
    Ok(CrossPrediction {
        predictions: out.outputs.column(0).to_owned(),
        folds: out.folds,
        reports: out.reports,
    })
}

/// The same for an objective with several outputs: the probability of each class, or each quantile.
///
/// # Errors
/// As [`GbmParams::fit`], or when there are fewer than two folds or fewer rows than folds.
///
/// # Cost
/// As [`cross_predict`].
pub fn cross_predict_outputs(
    params: &GbmParams,
    x: &ArrayRef2<f32>,
    y: &ArrayRef1<f32>,
    n_folds: usize,
    seed: u64,
) -> Result<CrossOutputs> {
    params.validate()?;
    options::check_rows(x.nrows(), y.len())?;
    params.objective.check(&y.to_vec())?;
    let folds = folds(params.objective, y, n_folds, seed)?;
    let fitted = (0..n_folds as u32).into_par_iter().map(|fold| {
        let rows = |inside: bool| -> Vec<usize> {
            (0..y.len())
                .filter(|&i| (folds[i] == fold) == inside)
                .collect()
        };
        let (train, test) = (rows(false), rows(true));
        let model = params.fit(&x.select(Axis(0), &train), &y.select(Axis(0), &train))?;
        let predictions = model.predict_outputs(&x.select(Axis(0), &test))?;
        Ok((test, predictions, model.report().clone()))
    });
    let mut outputs = Array2::zeros((y.len(), params.objective.n_outputs()));
    let mut reports = Vec::with_capacity(n_folds);
    for fold in fitted.collect::<Vec<Result<_>>>() {
        let (rows, values, report) = fold?;
        for (row, values) in rows.into_iter().zip(values.rows()) {
            outputs.row_mut(row).assign(&values);
        }
        reports.push(report);
    }
    Ok(CrossOutputs {
        outputs,
        folds: folds.into(),
        reports,
    })
}

/// Fold of each row.
pub(crate) fn folds(
    objective: Objective,
    y: &ArrayRef1<f32>,
    n_folds: usize,
    seed: u64,
) -> Result<Vec<u32>> {
    if n_folds < 2 || n_folds > y.len() {
        let problem = format!(
            "must be 2 to the number of rows ({}), found {n_folds}",
            y.len()
        );
        return Err(Error::param("n_folds", problem));
    }
    Ok(deal(objective, y, n_folds, seed))
}

/// Fold of each row: the rows of a class in random order are dealt like cards, the next class going on where the last
/// one ended.
fn deal(objective: Objective, y: &ArrayRef1<f32>, n_folds: usize, seed: u64) -> Vec<u32> {
    let stream = Seed::new(seed).stream("gbm.folds");
    let classes = objective.n_classes().is_some();
    let class = |i: usize| if classes { y[i] as u32 } else { 0 };
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by_key(|&i| (class(i), stream.bits(i as u64)));
    let mut folds = vec![0; y.len()];
    for (place, row) in order.into_iter().enumerate() {
        folds[row] = (place % n_folds) as u32;
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_have_equal_sizes_and_shares() {
        let y = Array1::from_shape_fn(103, |i| (i % 4 == 0) as u8 as f32);
        let folds = deal(Objective::Binary, &y, 5, 0);
        for fold in 0..5 {
            let rows: Vec<usize> = (0..103).filter(|&i| folds[i] == fold).collect();
            let ones = rows.iter().filter(|&&i| y[i] == 1.0).count();
            // 103 rows and 26 ones over 5 folds.
            assert!(
                [20, 21].contains(&rows.len()) && [5, 6].contains(&ones),
                "{rows:?}"
            );
        }
        assert_ne!(folds, deal(Objective::Binary, &y, 5, 1));
    }
}
