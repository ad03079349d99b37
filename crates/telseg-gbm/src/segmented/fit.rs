//! The stages of a fit: the global model by folds, corrections by folds, the choice, and the models that are kept.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use rayon::prelude::*;
use telseg_core::stats::two_sided_p;
use telseg_core::{Error, Result};

use super::{Choice, Gain, Judged, SegmentReport, Segmented, SegmentedParams};
use crate::options::{check_rows, checked_weights};
use crate::{Ebm, cv};

/// More segments than this are taken for a mistake.
const MAX_SEGMENTS: usize = 1 << 16;

impl SegmentedParams {
    /// Trains a global model, and a correction for each segment where one is sure to help.
    ///
    /// Corrections are judged on rows that neither they nor their global model have seen: the mean difference of the rows'
    /// losses must lie above 0 so clearly that chance alone would do that in a share of `1 - level` of all cases at most. They start from out-of-fold scores of the
    /// global model, so that what it has learnt by heart is not taken for knowledge.
    ///
    /// # Shapes
    /// `x`: a subscriber a row; `y`: a target a row; `segments`: a number from 0 a row.
    ///
    /// # Errors
    /// When a parameter is wrong, shapes differ, or the fit of the global model or of a correction fails.
    ///
    /// # Cost
    /// `n_folds + 1` fits of the global model and of each correction that is tried, in parallel.
    pub fn fit(
        &self,
        data: (&ArrayRef2<f32>, &ArrayRef1<f32>),
        segments: &ArrayRef1<u32>,
    ) -> Result<Segmented> {
        Ok(self.judged(data, segments, None)?.0)
    }

    /// The same with weighted rows; a row of weight 0 is as good as absent.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), or when a weight is negative or not finite.
    pub fn fit_weighted(
        &self,
        data: (&ArrayRef2<f32>, &ArrayRef1<f32>),
        segments: &ArrayRef1<u32>,
        weights: &ArrayRef1<f32>,
    ) -> Result<Segmented> {
        Ok(self.judged(data, segments, Some(weights))?.0)
    }

    /// Trains as [`fit`](Self::fit), and keeps what was said of each row by models that had not seen it.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_judged(
        &self,
        data: (&ArrayRef2<f32>, &ArrayRef1<f32>),
        segments: &ArrayRef1<u32>,
    ) -> Result<Judged> {
        let (model, scores, folds) = self.judged(data, segments, None)?;
        Ok(Judged {
            model,
            predictions: scores.mapv(|score| self.global.objective.link(score)),
            folds: folds.into(),
        })
    }

    /// The model, and score and fold of each row of weight above 0.
    fn judged(
        &self,
        (x, y): (&ArrayRef2<f32>, &ArrayRef1<f32>),
        segments: &ArrayRef1<u32>,
        weights: Option<&ArrayRef1<f32>>,
    ) -> Result<(Segmented, Array1<f64>, Vec<u32>)> {
        self.validate()?;
        check_rows(x.nrows(), y.len())?;
        if segments.len() != x.nrows() {
            let expected = format!("{} segments (as rows of x)", x.nrows());
            return Err(Error::shape(
                "segments",
                expected,
                segments.len().to_string(),
            ));
        }
        let weights = match weights {
            Some(weights) => checked_weights(weights, x.nrows())?,
            None => vec![1.0; x.nrows()],
        };
        let kept: Vec<usize> = (0..y.len()).filter(|&i| weights[i] > 0.0).collect();
        let rows = Rows {
            x: x.select(Axis(0), &kept),
            y: y.select(Axis(0), &kept),
            segments: kept.iter().map(|&i| segments[i]).collect(),
            weights: kept.iter().map(|&i| weights[i]).collect(),
        };
        rows.fit(self)
    }
}

/// The rows that count.
struct Rows {
    x: Array2<f32>,
    y: Array1<f32>,
    segments: Vec<u32>,
    weights: Array1<f32>,
}

/// A segment under way: its rows, and what was found of it.
struct Found {
    report: SegmentReport,
    special: Option<Ebm>,
    /// Out-of-fold scores of the corrected model, in the order of the segment's rows.
    scores: Vec<f64>,
}

impl Rows {
    fn fit(&self, params: &SegmentedParams) -> Result<(Segmented, Array1<f64>, Vec<u32>)> {
        let n_segments = self
            .segments
            .iter()
            .max()
            .map_or(0, |&last| last as usize + 1);
        if n_segments > MAX_SEGMENTS {
            let problem = format!("must be below {MAX_SEGMENTS}, found {}", n_segments - 1);
            return Err(Error::data("segments", problem));
        }
        let folds = cv::folds(
            params.global.objective,
            &self.y,
            params.n_folds,
            params.seed,
        )?;
        let mut scores = self.global_scores(params, &folds)?;
        let mut of_segment = vec![Vec::new(); n_segments];
        for (row, &segment) in self.segments.iter().enumerate() {
            of_segment[segment as usize].push(row);
        }
        let found = of_segment
            .par_iter()
            .enumerate()
            .map(|(segment, rows)| self.judge(params, (segment as u32, rows), (&folds, &scores)))
            .collect::<Vec<Result<Found>>>();
        let global = params
            .global
            .fit_weighted(&self.x, &self.y, &self.weights)?;
        let mut model = Segmented {
            global,
            special: Vec::new(),
            report: Vec::new(),
        };
        for (found, rows) in found.into_iter().zip(&of_segment) {
            let found = found?;
            if found.special.is_some() {
                rows.iter()
                    .zip(&found.scores)
                    .for_each(|(&i, &score)| scores[i] = score);
            }
            model.special.push(found.special);
            model.report.push(found.report);
        }
        Ok((model, scores, folds))
    }

    /// The score of each row by a global model that has not seen it.
    fn global_scores(&self, params: &SegmentedParams, folds: &[u32]) -> Result<Array1<f64>> {
        let fitted = (0..params.n_folds as u32).into_par_iter().map(|fold| {
            let (test, train): (Vec<usize>, Vec<usize>) =
                (0..folds.len()).partition(|&i| folds[i] == fold);
            let part = self.select(&train);
            let model = params
                .global
                .fit_weighted(&part.x, &part.y, &part.weights)?;
            Ok((model.predict_raw(&self.x.select(Axis(0), &test))?, test))
        });
        let mut scores = Array1::zeros(folds.len());
        for fold in fitted.collect::<Vec<Result<_>>>() {
            let (values, rows) = fold?;
            rows.into_iter()
                .zip(values)
                .for_each(|(i, value)| scores[i] = value);
        }
        Ok(scores)
    }

    fn select(&self, rows: &[usize]) -> Rows {
        Rows {
            x: self.x.select(Axis(0), rows),
            y: self.y.select(Axis(0), rows),
            segments: rows.iter().map(|&i| self.segments[i]).collect(),
            weights: self.weights.select(Axis(0), rows),
        }
    }

    /// Tries a correction for one segment.
    fn judge(
        &self,
        params: &SegmentedParams,
        (segment, rows): (u32, &[usize]),
        (folds, scores): (&[u32], &Array1<f64>),
    ) -> Result<Found> {
        let part = self.select(rows);
        let start: Array1<f64> = rows.iter().map(|&i| scores[i]).collect();
        let loss = |i: usize, score: f64| params.global.objective.loss(score, part.y[i]);
        let global: Vec<f64> = (0..rows.len()).map(|i| loss(i, start[i])).collect();
        let mut report = SegmentReport {
            segment,
            rows: rows.len(),
            choice: Choice::TooFewRows,
            global_loss: mean(&global, &part.weights),
            special_loss: None,
            gain: None,
        };
        if rows.len() < params.min_rows {
            return Ok(Found {
                report,
                special: None,
                scores: Vec::new(),
            });
        }
        let mut corrected = start.to_vec();
        for fold in 0..params.n_folds as u32 {
            let (test, train): (Vec<usize>, Vec<usize>) =
                (0..rows.len()).partition(|&i| folds[rows[i]] == fold);
            if test.is_empty() || train.is_empty() {
                continue;
            }
            let rest = part.select(&train);
            let special = rest.correction(params, &start.select(Axis(0), &train))?;
            let more = special.predict_raw(&part.x.select(Axis(0), &test))?;
            test.into_iter()
                .zip(more)
                .for_each(|(i, more)| corrected[i] += more);
        }
        let special: Vec<f64> = (0..rows.len()).map(|i| loss(i, corrected[i])).collect();
        let gains: Vec<f64> = global.iter().zip(&special).map(|(g, s)| g - s).collect();
        let gain = gain(&gains, &part.weights);
        let chance = 0.5 * two_sided_p(gain.estimate / gain.standard_error);
        let sure = gain.estimate > 0.0 && chance <= 1.0 - params.level;
        report.choice = if sure {
            Choice::Special
        } else {
            Choice::Global
        };
        report.special_loss = Some(mean(&special, &part.weights));
        report.gain = Some(gain);
        let kept = report.choice == Choice::Special;
        let special = kept.then(|| part.correction(params, &start)).transpose()?;
        Ok(Found {
            report,
            special,
            scores: corrected,
        })
    }

    /// Curves to be added to the scores that the rows start from.
    fn correction(&self, params: &SegmentedParams, start: &Array1<f64>) -> Result<Ebm> {
        params
            .special
            .fit_from(&self.x, &self.y, Some(&self.weights), start)
    }
}

fn mean(values: &[f64], weights: &Array1<f32>) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (v, &w) in values.iter().zip(weights) {
        sum += v * f64::from(w);
        total += f64::from(w);
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

/// The weighted mean of the rows' differences, and its standard error.
fn gain(values: &[f64], weights: &Array1<f32>) -> Gain {
    let estimate = mean(values, weights);
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    // Each row's pull on a weighted mean is its share of the weight times how far it is off.
    let pull = |(v, &w): (&f64, &f32)| (f64::from(w) / total * (v - estimate)).powi(2);
    let n = values.len() as f64;
    let pulls: f64 = values.iter().zip(weights).map(pull).sum();
    Gain {
        estimate,
        standard_error: (pulls * n / (n - 1.0).max(1.0)).sqrt(),
    }
}
