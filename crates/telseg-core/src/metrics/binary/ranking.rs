//! Scores sorted once, and what is counted along that order.

use crate::metrics::check;
use crate::{Error, Result};

/// Outcomes in descending order of their scores: sorted once, then measured under any number of weightings.
///
/// # Cost
/// `new` is O(n log n); each metric is one O(n) pass without allocation. About 22 bytes a row.
///
/// # Examples
/// ```
/// use telseg_core::metrics::binary::Ranking;
/// let ranking = Ranking::new(&[true, false, true, false], &[0.9, 0.8, 0.7, 0.1])?;
/// assert_eq!(ranking.auc(None)?, 0.75);
/// assert_eq!(ranking.auc(Some(&[1.0, 0.0, 1.0, 1.0]))?, 1.0);
/// assert_eq!(ranking.lift_at(0.25, None)?, 2.0); // the first quarter holds half of the positives
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Row numbers by descending score.
    order: Vec<u32>,
    /// The outcome of each row of `order`.
    positive: Vec<bool>,
    /// Where in `order` each group of equal scores ends.
    ends: Vec<u32>,
    /// The score of each group.
    scores: Vec<f64>,
}

/// The rows of one score.
pub(super) struct Group {
    pub(super) score: f64,
    pub(super) positive: f64,
    pub(super) negative: f64,
}

impl Ranking {
    /// Sorts outcomes by descending score.
    ///
    /// # Errors
    /// When lengths differ, there are no rows (or more than `u32` counts), or a score is NaN. Infinite scores rank.
    pub fn new(y: &[bool], score: &[f64]) -> Result<Self> {
        check::not_empty("y", y.len())?;
        check::same_len("score", score.len(), "y", y.len())?;
        check::all("score", score, "a number", |s| !s.is_nan())?;
        let n = u32::try_from(y.len()).map_err(|_| {
            Error::shape(
                "y",
                format!("at most {} rows", u32::MAX),
                y.len().to_string(),
            )
        })?;
        let mut order: Vec<u32> = (0..n).collect();
        // Ties by row number: sums are then taken in one order, whatever the sort does.
        order.sort_unstable_by(|&a, &b| {
            score[b as usize]
                .partial_cmp(&score[a as usize])
                .expect("invariant: no NaN")
                .then(a.cmp(&b))
        });
        let at = |i: usize| score[order[i] as usize];
        let mut ends: Vec<u32> = (1..y.len())
            .filter(|&i| at(i) != at(i - 1))
            .map(|i| i as u32)
            .collect();
        ends.push(n);
        let scores = ends.iter().map(|&end| at(end as usize - 1)).collect();
        let positive = order.iter().map(|&row| y[row as usize]).collect();
        Ok(Self {
            order,
            positive,
            ends,
            scores,
        })
    }

    /// Area under the ROC curve; see [`auc`].
    ///
    /// # Errors
    /// As [`auc`].
    pub fn auc(&self, weights: Option<&[f64]>) -> Result<f64> {
        self.check(weights)?;
        let (mut tp, mut fp, mut area) = (0.0, 0.0, 0.0);
        for group in self.groups(weights) {
            area += group.negative * (tp + 0.5 * group.positive);
            tp += group.positive;
            fp += group.negative;
        }
        both_classes(tp, fp)?;
        Ok((area / (tp * fp)).min(1.0))
    }

    /// Average precision; see [`average_precision`].
    ///
    /// # Errors
    /// As [`average_precision`].
    pub fn average_precision(&self, weights: Option<&[f64]>) -> Result<f64> {
        self.check(weights)?;
        let (mut tp, mut fp, mut sum) = (0.0, 0.0, 0.0);
        for group in self.groups(weights) {
            tp += group.positive;
            fp += group.negative;
            if group.positive > 0.0 {
                sum += group.positive * (tp / (tp + fp));
            }
        }
        some_positive(tp)?;
        Ok((sum / tp).min(1.0))
    }

    /// The share of positives among the first `share` of rows; see [`gain_at`].
    ///
    /// # Errors
    /// As [`gain_at`].
    pub fn gain_at(&self, share: f64, weights: Option<&[f64]>) -> Result<f64> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(Error::param(
                "share",
                format!("must be above 0 and at most 1, is {share}"),
            ));
        }
        self.check(weights)?;
        let (positives, rows) = self.groups(weights).fold((0.0, 0.0), |(p, all), g| {
            (p + g.positive, all + g.positive + g.negative)
        });
        some_positive(positives)?;
        let (mut left, mut captured) = (share * rows, 0.0);
        for group in self.groups(weights) {
            let rows = group.positive + group.negative;
            if rows >= left {
                // The cut falls into this group: any `left` of its tied rows, on average.
                if rows > 0.0 {
                    captured += group.positive * (left / rows);
                }
                break;
            }
            captured += group.positive;
            left -= rows;
        }
        Ok((captured / positives).min(1.0))
    }

    /// How many times more positives the first `share` of rows holds than a random choice; see [`lift_at`].
    ///
    /// # Errors
    /// As [`lift_at`].
    pub fn lift_at(&self, share: f64, weights: Option<&[f64]>) -> Result<f64> {
        Ok(self.gain_at(share, weights)? / share)
    }

    /// Checks weights against the rows.
    pub(super) fn check(&self, weights: Option<&[f64]>) -> Result<()> {
        check::weights(weights, "y", self.order.len())
    }

    /// The groups of equal score, best first, with the weight of either class.
    pub(super) fn groups(&self, weights: Option<&[f64]>) -> impl Iterator<Item = Group> {
        let mut start = 0;
        self.ends
            .iter()
            .zip(&self.scores)
            .map(move |(&end, &score)| {
                let rows = start..end as usize;
                start = rows.end;
                let (mut positive, mut negative) = (0.0, 0.0);
                for (&row, &is_positive) in
                    self.order[rows.clone()].iter().zip(&self.positive[rows])
                {
                    let w = check::weight(weights, row as usize);
                    let p = if is_positive { w } else { 0.0 };
                    positive += p;
                    negative += w - p;
                }
                Group {
                    score,
                    positive,
                    negative,
                }
            })
    }
}

/// Refuses outcomes of one class.
pub(super) fn both_classes(positives: f64, negatives: f64) -> Result<()> {
    some_positive(positives)?;
    if negatives > 0.0 {
        return Ok(());
    }
    Err(Error::data(
        "y",
        "has one class only: no row (of any weight) is negative",
    ))
}

/// Refuses outcomes without a positive.
pub(super) fn some_positive(positives: f64) -> Result<()> {
    if positives > 0.0 {
        return Ok(());
    }
    Err(Error::data(
        "y",
        "has one class only: no row (of any weight) is positive",
    ))
}

/// Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half.
///
/// `AUC = Σ_{i∈P, j∈N} w_i w_j ([s_i > s_j] + ½[s_i = s_j]) / (Σ_P w · Σ_N w)`, the Mann-Whitney statistic with
/// midranks.
///
/// # Shapes
/// `y`, `score` and `weights`: one element a row.
/// # Errors
/// When lengths differ, there are no rows, a score is NaN, a weight is negative or not finite, or only one class has
/// weight.
/// # Cost
/// O(n log n); with a [`Ranking`] O(n).
/// # References
/// J. A. Hanley, B. J. McNeil (1982), "The meaning and use of the area under a receiver operating characteristic (ROC)
/// curve".
/// # Examples
/// ```
/// use telseg_core::metrics::binary::auc;
/// // Pairs: (0.8, 0.8) is a tie, (0.8, 0.2) is in order.
/// assert_eq!(auc(&[true, false, false], &[0.8, 0.8, 0.2], None)?, 0.75);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn auc(y: &[bool], score: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    Ranking::new(y, score)?.auc(weights)
}

/// Average precision: precision at each distinct score, weighted by the recall it adds.
///
/// `AP = Σ_g (R_g − R_{g−1}) P_g` over groups of equal score, best first: a step function, not the trapezoids under the
/// precision-recall curve, which are too hopeful.
///
/// # Errors
/// As [`auc`], but one class only is refused when no *positive* row has weight.
/// # Cost
/// O(n log n); with a [`Ranking`] O(n).
/// # References
/// scikit-learn, `average_precision_score`; J. Davis, M. Goadrich (2006), "The relationship between precision-recall and
/// ROC curves".
/// # Examples
/// ```
/// use telseg_core::metrics::binary::average_precision;
/// let ap = average_precision(&[true, false, true], &[0.9, 0.5, 0.4], None)?;
/// assert!((ap - (0.5 * 1.0 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn average_precision(y: &[bool], score: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    Ranking::new(y, score)?.average_precision(weights)
}

/// The share of all positives that a campaign reaches which addresses the best `share` of rows.
///
/// `gain(k) = Σ_P w_i [i among the first k·W] / Σ_P w`. Rows are divisible: a row, or a group of tied rows, that
/// straddles the cut gives the part of its positives that lies before the cut (the mean over all orders of tied rows).
/// So the gain is the linear interpolation of the gain curve and a useless score gains exactly `share`.
///
/// # Errors
/// As [`average_precision`]; `share` must lie in (0, 1].
/// # References
/// D. S. Coppock (2002), "Why lift?"; H. Vuk, T. Curk (2006), "ROC curve, lift chart and calibration plot".
/// # Examples
/// ```
/// use telseg_core::metrics::binary::gain_at;
/// let churned = [true, true, false, false, false, false, false, true, false, false];
/// let score = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0];
/// assert_eq!(gain_at(&churned, &score, 0.2, None)?, 2.0 / 3.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn gain_at(y: &[bool], score: &[f64], share: f64, weights: Option<&[f64]>) -> Result<f64> {
    Ranking::new(y, score)?.gain_at(share, weights)
}

/// How many times more positives the best `share` of rows holds than as many rows drawn at random.
///
/// `lift(k) = gain(k) / k`; see [`gain_at`] for ties.
///
/// # Errors
/// As [`gain_at`].
/// # References
/// As [`gain_at`].
/// # Examples
/// ```
/// use telseg_core::metrics::binary::lift_at;
/// let lift = lift_at(&[true, false, false, false], &[4.0, 3.0, 2.0, 1.0], 0.25, None)?;
/// assert_eq!(lift, 4.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn lift_at(y: &[bool], score: &[f64], share: f64, weights: Option<&[f64]>) -> Result<f64> {
    Ranking::new(y, score)?.lift_at(share, weights)
}
