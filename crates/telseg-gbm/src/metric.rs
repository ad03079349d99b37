//! What early stopping looks at.

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};
use telseg_core::metrics::{binary, regression};
use telseg_core::{Error, Result};

use crate::measure;
use crate::objective::Loss;

/// What the judging rows are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Metric {
    /// The mean loss of the objective; lower is better.
    Loss,
    /// Area under the ROC curve, for [`Objective::Binary`](crate::Objective::Binary); higher is better.
    Auc,
    /// Share of rows whose class is the most likely one; higher is better.
    Accuracy,
    /// Mean absolute gap of prediction and target; lower is better.
    AbsoluteError,
    /// Root of the mean squared gap of prediction and target; lower is better.
    RootSquaredError,
    /// Mean normalised discounted cumulative gain of the groups' first places; higher is better.
    Ndcg {
        /// How many places.
        at: u32,
    },
    /// Share of pairs whose order in time the predictions have right (Harrell's C); higher is better.
    Concordance,
}

/// Which way a metric gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Towards smaller values.
    Lower,
    /// Towards larger values.
    Higher,
}

/// What a metric of the user's own sees.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MetricRows<'a> {
    /// Predictions of the judging rows by outputs.
    pub predictions: ArrayView2<'a, f64>,
    /// Their targets.
    pub y: ArrayView1<'a, f32>,
    /// Their weights.
    pub weights: Option<ArrayView1<'a, f32>>,
    /// Their groups.
    pub groups: Option<ArrayView1<'a, u32>>,
    /// Whether their times ended.
    pub events: Option<ArrayView1<'a, bool>>,
}

/// A metric of the user's own.
pub(crate) type UserMetric<'a> = dyn Fn(&MetricRows<'_>) -> f64 + Sync + 'a;

/// The metric of a fit.
#[derive(Clone, Copy)]
pub(crate) enum Gauge<'a> {
    Known(Metric),
    Own(Better, &'a UserMetric<'a>),
}

impl Gauge<'_> {
    pub(crate) fn better(self) -> Better {
        match self {
            Self::Own(better, _) => better,
            Self::Known(metric) => match metric {
                Metric::Loss | Metric::AbsoluteError | Metric::RootSquaredError => Better::Lower,
                Metric::Auc | Metric::Accuracy | Metric::Ndcg { .. } | Metric::Concordance => {
                    Better::Higher
                }
            },
        }
    }

    /// The metric of rows at their scores.
    pub(crate) fn read(self, loss: &Loss<'_>, scores: &[f64]) -> Result<f64> {
        let metric = match self {
            Self::Known(Metric::Loss) => return loss.mean(scores),
            Self::Known(metric) => Some(metric),
            Self::Own(..) => None,
        };
        let (n, k, targets) = (loss.n_rows(), loss.n_outputs(), loss.targets());
        let mut rows = vec![0.0; n * k];
        for (i, row) in rows.chunks_mut(k).enumerate() {
            row.iter_mut()
                .enumerate()
                .for_each(|(j, p)| *p = scores[j * n + i]);
            loss.objective().link_row(row);
        }
        let value = match (metric, self) {
            (Some(metric), _) => known(metric, loss, &rows)?,
            (None, Self::Own(_, read)) => {
                let predictions = ArrayView2::from_shape((n, k), &rows).map_err(|e| {
                    Error::shape("predictions", format!("{n} by {k}"), e.to_string())
                })?;
                read(&MetricRows {
                    predictions,
                    y: ArrayView1::from(&targets.y[..]),
                    weights: targets.weights.as_deref().map(ArrayView1::from),
                    groups: targets.groups.as_deref().map(ArrayView1::from),
                    events: targets.events.as_deref().map(ArrayView1::from),
                })
            }
            (None, Self::Known(_)) => return loss.mean(scores), // never: it was answered above
        };
        if value.is_nan() {
            return Err(Error::data(
                "metric",
                "the judging rows have none: found NaN",
            ));
        }
        Ok(value)
    }
}

/// A metric of linked predictions, rows by outputs.
fn known(metric: Metric, loss: &Loss<'_>, rows: &[f64]) -> Result<f64> {
    let (k, targets) = (loss.n_outputs(), loss.targets());
    let y: Vec<f64> = targets.y.iter().map(|&y| f64::from(y)).collect();
    let weights = targets.weights.as_ref();
    let weights: Option<Vec<f64>> = weights.map(|w| w.iter().map(|&w| f64::from(w)).collect());
    let weights = weights.as_deref();
    match metric {
        Metric::Auc => binary::auc(&binary::outcomes(&y)?, rows, weights),
        Metric::AbsoluteError => regression::mae(&y, rows, weights),
        Metric::RootSquaredError => regression::rmse(&y, rows, weights),
        Metric::Accuracy => {
            let hit = |(row, &y): (&[f64], &f64)| match row {
                [p] => (*p > 0.5) == (y > 0.5),
                row => {
                    let own = row[y as usize];
                    row.iter().all(|&p| p <= own)
                }
            };
            let hits = rows.chunks(k).zip(&y).map(hit);
            let sum = hits.enumerate().fold([0.0; 2], |[all, right], (i, hit)| {
                let w = weights.map_or(1.0, |w| w[i]);
                [all + w, right + if hit { w } else { 0.0 }]
            });
            Ok(sum[1] / sum[0])
        }
        Metric::Ndcg { at } => loss.mean_of_groups(|group| {
            let pick = |from: &[f64]| group.iter().map(|&i| from[i as usize]).collect::<Vec<_>>();
            measure::ndcg(&pick(rows), &pick(&y), at as usize)
        }),
        Metric::Concordance => {
            let events = targets.events.clone();
            let events = events.unwrap_or_else(|| vec![true; y.len()]);
            // Whoever leaves first has the shortest predicted time, or the highest predicted risk.
            let risk: Vec<f64> = if loss.objective().predicts_time() {
                rows.iter().map(|p| -p).collect()
            } else {
                rows.to_vec()
            };
            measure::concordance(&y, &events, &risk, weights)
        }
        Metric::Loss => Ok(f64::NAN), // never: the loss knows its own mean
    }
}
