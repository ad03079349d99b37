//! The stage that predicts the target and judges the prediction on rows that the model has not seen.

use ndarray::{Array1, Array2, Axis};
use telseg_core::metrics::binary::{self, Bins, Ranking};
use telseg_core::metrics::{Bootstrap, Interval};
use telseg_core::{Progress, Result, Seed};
use telseg_explain::{TreeShap, dependence, importance};
use telseg_features::{TableEncoder, TargetColumn};
use telseg_gbm::{Gbm, GbmParams, cross_predict};

use super::Pipeline;
use crate::report;

/// Points of a curve that are kept for the report.
const CURVE: usize = 200;
/// Bins of the calibration plot.
const CALIBRATION_BINS: usize = 10;
/// Rows that attributions are averaged over.
const SHAP_ROWS: usize = 2000;
/// Bins of a dependence plot.
const DEPENDENCE_BINS: usize = 30;
/// Resamples behind the intervals.
const RESAMPLES: usize = 200;

pub(super) fn default_params() -> GbmParams {
    Gbm::params(telseg_gbm::Objective::Binary).with_small_data()
}

/// What the stage found.
pub(super) struct Predicted {
    pub(super) model: Gbm,
    /// Out-of-fold probability of every row of the table; NaN where the target is missing.
    pub(super) out_of_fold: Array1<f64>,
    pub(super) report: report::Prediction,
}

/// Rows with a known target, and what is known of them.
pub(super) struct Training {
    rows: Vec<usize>,
    x: Array2<f32>,
    y: Array1<f32>,
    events: Vec<bool>,
}

impl Training {
    pub(super) fn new(x: &Array2<f32>, target: &TargetColumn) -> Self {
        let rows: Vec<usize> = target
            .known_rows()
            .into_iter()
            .map(|r| r as usize)
            .collect();
        let events: Vec<bool> = rows.iter().map(|&i| target.y[i] == 1.0).collect();
        let y = events.iter().map(|&e| f32::from(u8::from(e))).collect();
        let x = if rows.len() == x.nrows() {
            x.clone()
        } else {
            x.select(Axis(0), &rows)
        };
        Self { rows, x, y, events }
    }
}

pub(super) fn predict(
    pipeline: &Pipeline,
    encoder: &TableEncoder,
    training: &Training,
    target: &TargetColumn,
    progress: &dyn Progress,
) -> Result<Predicted> {
    let categorical = encoder
        .categorical_features()
        .into_iter()
        .map(|(feature, _)| feature)
        .collect();
    let params = pipeline.predictor_for(categorical);
    progress.start("Judge the model", None);
    let cross = cross_predict(
        &params,
        &training.x,
        &training.y,
        pipeline.n_folds,
        pipeline.seed,
    )?;
    progress.finish();
    progress.start("Train the model", None);
    let model = params.fit(&training.x, &training.y)?;
    progress.finish();
    let scores = cross.predictions.to_vec();
    let mut report = judge(&training.events, &scores, pipeline.seed)?;
    report.target.clone_from(&target.name);
    report.positive.clone_from(&target.positive);
    report.folds = pipeline.n_folds as u32;
    report.auc_of_folds = auc_of_folds(&training.events, &scores, &cross.folds)?;
    report.method = format!(
        "Gradient boosted trees ({} trees of at most {} leaves), judged on {} folds that each model had not seen{}.",
        model.trees().n_trees(),
        params.max_leaves,
        pipeline.n_folds,
        spread(&report.auc_of_folds),
    );
    let mut out_of_fold = Array1::from_elem(target.y.len(), f64::NAN);
    training
        .rows
        .iter()
        .zip(&scores)
        .for_each(|(&row, &score)| out_of_fold[row] = score);
    Ok(Predicted {
        model,
        out_of_fold,
        report,
    })
}

/// How the folds differ, to end a sentence.
fn spread(auc_of_folds: &[f64]) -> String {
    let mean = auc_of_folds.iter().sum::<f64>() / auc_of_folds.len() as f64;
    let low = auc_of_folds.iter().copied().fold(1.0, f64::min);
    let high = auc_of_folds.iter().copied().fold(0.0, f64::max);
    match auc_of_folds.len() {
        0 => String::new(),
        _ => format!(" (AUC {low:.3} to {high:.3} in a fold, {mean:.3} on average)"),
    }
}

/// The AUC of each fold that has rows of both classes.
fn auc_of_folds(events: &[bool], scores: &[f64], folds: &Array1<u32>) -> Result<Vec<f64>> {
    let n_folds = folds.iter().max().map_or(0, |last| last + 1);
    let of = |fold: u32| -> (Vec<bool>, Vec<f64>) {
        let rows = (0..folds.len()).filter(|&i| folds[i] == fold);
        rows.map(|i| (events[i], scores[i])).unzip()
    };
    (0..n_folds)
        .map(of)
        .filter(|(events, _)| events.contains(&true) && events.contains(&false))
        .map(|(events, scores)| binary::auc(&events, &scores, None))
        .collect()
}

/// Every measure of the scores, with intervals where they are cheap.
fn judge(events: &[bool], scores: &[f64], seed: u64) -> Result<report::Prediction> {
    let ranking = Ranking::new(events, scores)?;
    let bootstrap = Bootstrap::default()
        .with_n_resamples(RESAMPLES)
        .with_seed(seed);
    let interval =
        |metric: &(dyn Fn(Option<&[f64]>) -> Result<f64> + Sync)| -> Result<report::Interval> {
            let found = bootstrap.interval(events.len(), |weights| metric(Some(weights)))?;
            Ok(shown(&found))
        };
    Ok(report::Prediction {
        n: events.len() as u64,
        positives: events.iter().filter(|&&e| e).count() as u64,
        auc: interval(&|w| ranking.auc(w))?,
        average_precision: interval(&|w| ranking.average_precision(w))?,
        lift_at_10: interval(&|w| ranking.lift_at(0.1, w))?,
        log_loss: binary::log_loss(events, scores, None)?,
        brier: binary::brier(events, scores, None)?,
        roc: ranking
            .roc_curve(None, CURVE)?
            .iter()
            .map(|p| (p.false_positive_rate, p.true_positive_rate))
            .collect(),
        precision_recall: ranking
            .precision_recall(None, CURVE)?
            .iter()
            .map(|p| (p.recall, p.precision))
            .collect(),
        gains: ranking
            .lift_curve(None, CURVE)?
            .iter()
            .map(|p| (p.share, p.gain))
            .collect(),
        calibration: binary::calibration(events, scores, None, Bins::Quantile(CALIBRATION_BINS))?
            .bins
            .iter()
            .map(|bin| report::Calibration {
                predicted: bin.mean_predicted,
                observed: bin.observed_rate,
                weight: bin.weight,
            })
            .collect(),
        ..report::Prediction::default()
    })
}

/// What the score rests on: attributions of a sample of rows.
pub(super) fn explain(
    model: &Gbm,
    encoder: &TableEncoder,
    training: &Training,
    seed: u64,
) -> Result<Vec<report::Importance>> {
    let stream = Seed::new(seed).stream("pipeline.shap");
    let mut rows: Vec<usize> = (0..training.x.nrows()).collect();
    rows.sort_by_key(|&i| stream.bits(i as u64));
    rows.truncate(SHAP_ROWS);
    let sample = training.x.select(Axis(0), &rows);
    let shap = TreeShap::new(model.trees())?.shap_values_for(&sample, 0)?;
    let names = encoder.feature_names();
    let ranked = importance(&shap, &sample, None)?;
    ranked
        .into_iter()
        .filter(|feature| feature.mean_abs > 0.0)
        .map(|feature| {
            let j = feature.feature;
            let (values, effects) = (sample.column(j).to_vec(), shap.column(j).to_vec());
            let levels = encoder.feature_kinds()[j].levels();
            Ok(report::Importance {
                feature: names[j].clone(),
                mean_abs_shap: feature.mean_abs,
                direction: match (levels, feature.direction) {
                    (None, Some(r)) if r > CLEAR => report::Direction::Raises,
                    (None, Some(r)) if r < -CLEAR => report::Direction::Lowers,
                    _ => report::Direction::Mixed,
                },
                dependence: match levels {
                    Some(levels) => by_level(&values, &effects, levels),
                    None => by_value(&values, &effects)?,
                },
            })
        })
        .collect()
}

/// Correlation of value and effect from which on a direction is named.
const CLEAR: f64 = 0.3;

/// Levels shown in a dependence plot.
const LEVELS: usize = 12;

fn by_level(values: &[f32], effects: &[f64], levels: &[String]) -> report::Dependence {
    let mut sums = vec![(0usize, 0.0); levels.len()];
    for (&value, &effect) in values.iter().zip(effects) {
        if let Some(sum) = (!value.is_nan())
            .then(|| sums.get_mut(value as usize))
            .flatten()
        {
            *sum = (sum.0 + 1, sum.1 + effect);
        }
    }
    let mut found: Vec<report::LevelEffect> = sums
        .into_iter()
        .zip(levels)
        .filter(|((n, _), _)| *n > 0)
        .map(|((n, sum), level)| report::LevelEffect {
            level: level.clone(),
            share: n as f64 / values.len() as f64,
            effect: sum / n as f64,
        })
        .collect();
    found.sort_by(|a, b| b.share.total_cmp(&a.share));
    found.truncate(LEVELS);
    found.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    report::Dependence::Levels(found)
}

fn by_value(values: &[f32], effects: &[f64]) -> Result<report::Dependence> {
    let found = dependence(values, effects, None, DEPENDENCE_BINS)?;
    let point = |bin: &telseg_explain::DependenceBin| report::DependencePoint {
        x: bin.mean_value,
        effect: report::Interval::new(
            bin.mean_shap,
            bin.mean_shap - 1.96 * bin.std_error,
            bin.mean_shap + 1.96 * bin.std_error,
        ),
    };
    Ok(report::Dependence::Numeric(
        found.bins.iter().map(point).collect(),
    ))
}

/// Quality within each segment.
pub(super) fn by_segment(
    events: &TargetColumn,
    out_of_fold: &Array1<f64>,
    labels: &Array1<u32>,
    n_segments: usize,
) -> Vec<report::SegmentScore> {
    let rows_of = |segment: usize| -> Vec<usize> {
        (0..labels.len())
            .filter(|&i| labels[i] as usize == segment && !out_of_fold[i].is_nan())
            .collect()
    };
    (0..n_segments)
        .map(|segment| {
            let rows = rows_of(segment);
            let happened: Vec<bool> = rows.iter().map(|&i| events.y[i] == 1.0).collect();
            let scores: Vec<f64> = rows.iter().map(|&i| out_of_fold[i]).collect();
            let n = rows.len() as f64;
            report::SegmentScore {
                segment: segment as u32,
                n: rows.len() as u64,
                churn_rate: happened.iter().filter(|&&e| e).count() as f64 / n,
                mean_score: scores.iter().sum::<f64>() / n,
                // Without both outcomes there is nothing to rank.
                auc: binary::auc(&happened, &scores, None).ok(),
            }
        })
        .collect()
}

fn shown(interval: &Interval) -> report::Interval {
    report::Interval::new(interval.estimate, interval.low, interval.high)
}
