//! Curves along a ranking, thinned for plotting.

use serde::{Deserialize, Serialize};

use super::ranking::{Group, Ranking, both_classes, some_positive};
use crate::{Error, Result};

/// A point of a ROC curve: what happens when rows that score at least `threshold` are called positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// Rows that score at least this are called positive; infinite at the first point.
    pub threshold: f64,
    /// The share of negatives called positive.
    pub false_positive_rate: f64,
    /// The share of positives called positive.
    pub true_positive_rate: f64,
}

/// A point of a precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecallPoint {
    /// Rows that score at least this are called positive; infinite at the first point.
    pub threshold: f64,
    /// The share of positives called positive.
    pub recall: f64,
    /// The share of positives among rows called positive; 1 by convention where there are none.
    pub precision: f64,
}

/// A point of a gain and lift curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiftPoint {
    /// The share of rows addressed, best first.
    pub share: f64,
    /// The share of positives among them.
    pub gain: f64,
    /// `gain / share`; at share 0 its limit, the lift of the best group.
    pub lift: f64,
}

/// The weights of both classes at and above a group, and the group itself.
struct Step {
    tp: f64,
    fp: f64,
    group: Group,
}

impl Ranking {
    /// The ROC curve; see [`roc_curve`].
    ///
    /// # Errors
    /// As [`roc_curve`].
    pub fn roc_curve(&self, weights: Option<&[f64]>, max_points: usize) -> Result<Vec<RocPoint>> {
        let (steps, positives, negatives) = self.steps(weights, max_points)?;
        both_classes(positives, negatives)?;
        let start = RocPoint {
            threshold: f64::INFINITY,
            false_positive_rate: 0.0,
            true_positive_rate: 0.0,
        };
        Ok(thin(start, &steps, max_points, |step| RocPoint {
            threshold: step.group.score,
            false_positive_rate: step.fp / negatives,
            true_positive_rate: step.tp / positives,
        }))
    }

    /// The precision-recall curve; see [`precision_recall`].
    ///
    /// # Errors
    /// As [`precision_recall`].
    pub fn precision_recall(
        &self,
        weights: Option<&[f64]>,
        max_points: usize,
    ) -> Result<Vec<PrecisionRecallPoint>> {
        let (steps, positives, _) = self.steps(weights, max_points)?;
        some_positive(positives)?;
        let start = PrecisionRecallPoint {
            threshold: f64::INFINITY,
            recall: 0.0,
            precision: 1.0,
        };
        Ok(thin(start, &steps, max_points, |step| {
            PrecisionRecallPoint {
                threshold: step.group.score,
                recall: step.tp / positives,
                precision: step.tp / (step.tp + step.fp),
            }
        }))
    }

    /// The gain and lift curve; see [`lift_curve`].
    ///
    /// # Errors
    /// As [`lift_curve`].
    pub fn lift_curve(&self, weights: Option<&[f64]>, max_points: usize) -> Result<Vec<LiftPoint>> {
        let (steps, positives, negatives) = self.steps(weights, max_points)?;
        some_positive(positives)?;
        let point = |step: &Step| {
            let share = (step.tp + step.fp) / (positives + negatives);
            let gain = step.tp / positives;
            LiftPoint {
                share,
                gain,
                lift: gain / share,
            }
        };
        let start = LiftPoint {
            share: 0.0,
            gain: 0.0,
            lift: point(&steps[0]).lift,
        };
        Ok(thin(start, &steps, max_points, point))
    }

    /// Cumulative weights by group of equal score (groups without weight left out), and the weight of either class.
    fn steps(&self, weights: Option<&[f64]>, max_points: usize) -> Result<(Vec<Step>, f64, f64)> {
        if max_points < 2 {
            return Err(Error::param(
                "max_points",
                format!("must be at least 2, is {max_points}"),
            ));
        }
        self.check(weights)?;
        let (mut tp, mut fp) = (0.0, 0.0);
        let steps = self
            .groups(weights)
            .filter(|group| group.positive + group.negative > 0.0)
            .map(|group| {
                tp += group.positive;
                fp += group.negative;
                Step { tp, fp, group }
            })
            .collect();
        Ok((steps, tp, fp))
    }
}

/// The start and the steps as points: all of them, or `max_points` evenly spaced ones with both ends among them.
fn thin<T>(start: T, steps: &[Step], max_points: usize, point: impl Fn(&Step) -> T) -> Vec<T> {
    let n = max_points.min(steps.len() + 1);
    // Point 0 is the start; point i > 0 is step `i·steps/(n−1) − 1`, so that the last is the last step.
    std::iter::once(start)
        .chain((1..n).map(|i| point(&steps[i * steps.len() / (n - 1) - 1])))
        .collect()
}

/// The ROC curve: false against true positive rate at each distinct score, from (0, 0) to (1, 1).
///
/// At most `max_points` points come back (`usize::MAX` for all): those kept are evenly spaced among the distinct scores,
/// both ends included. Collinear points are not dropped.
///
/// # Errors
/// As [`auc`](super::auc); `max_points` must be at least 2.
/// # Cost
/// O(n log n); with a [`Ranking`] O(n).
/// # References
/// T. Fawcett (2006), "An introduction to ROC analysis".
/// # Examples
/// ```
/// use telseg_core::metrics::binary::roc_curve;
/// let curve = roc_curve(&[true, false, true], &[0.9, 0.5, 0.4], None, 100)?;
/// let points: Vec<_> = curve.iter().map(|p| (p.false_positive_rate, p.true_positive_rate)).collect();
/// assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (1.0, 0.5), (1.0, 1.0)]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn roc_curve(
    y: &[bool],
    score: &[f64],
    weights: Option<&[f64]>,
    max_points: usize,
) -> Result<Vec<RocPoint>> {
    Ranking::new(y, score)?.roc_curve(weights, max_points)
}

/// Precision and recall at each distinct score, from recall 0 (precision 1 by convention) to recall 1.
///
/// Thinned as [`roc_curve`]. scikit-learn lists the same points from the other end.
///
/// # Errors
/// As [`average_precision`](super::average_precision); `max_points` must be at least 2.
/// # Cost
/// O(n log n); with a [`Ranking`] O(n).
/// # References
/// J. Davis, M. Goadrich (2006), "The relationship between precision-recall and ROC curves".
/// # Examples
/// ```
/// use telseg_core::metrics::binary::precision_recall;
/// let curve = precision_recall(&[true, false], &[0.9, 0.5], None, 100)?;
/// let points: Vec<_> = curve.iter().map(|p| (p.recall, p.precision)).collect();
/// assert_eq!(points, [(0.0, 1.0), (1.0, 1.0), (1.0, 0.5)]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn precision_recall(
    y: &[bool],
    score: &[f64],
    weights: Option<&[f64]>,
    max_points: usize,
) -> Result<Vec<PrecisionRecallPoint>> {
    Ranking::new(y, score)?.precision_recall(weights, max_points)
}

/// Gain and lift against the share of rows addressed, best first, from share 0 to 1.
///
/// Thinned as [`roc_curve`]; between points the gain is linear, as in [`gain_at`](super::gain_at).
///
/// # Errors
/// As [`average_precision`](super::average_precision); `max_points` must be at least 2.
/// # Cost
/// O(n log n); with a [`Ranking`] O(n).
/// # References
/// H. Vuk, T. Curk (2006), "ROC curve, lift chart and calibration plot".
/// # Examples
/// ```
/// use telseg_core::metrics::binary::lift_curve;
/// let curve = lift_curve(&[true, false], &[0.9, 0.5], None, 100)?;
/// let points: Vec<_> = curve.iter().map(|p| (p.share, p.gain, p.lift)).collect();
/// assert_eq!(points, [(0.0, 0.0, 2.0), (0.5, 1.0, 2.0), (1.0, 1.0, 1.0)]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn lift_curve(
    y: &[bool],
    score: &[f64],
    weights: Option<&[f64]>,
    max_points: usize,
) -> Result<Vec<LiftPoint>> {
    Ranking::new(y, score)?.lift_curve(weights, max_points)
}
