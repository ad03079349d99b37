//! Intervals for a number.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result};

use super::threshold::{Sparse, Threshold, Thresholds, check_coverage};

/// Parameters of conformal intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IntervalParams {
    /// Share of the truths that the intervals shall hold, between 0 and 1.
    pub coverage: f64,
    /// What is said in groups of too few rows. Default [`Sparse::Everything`].
    pub sparse: Sparse,
}

/// A margin around predictions, learnt on rows that the model has not seen.
///
/// Of rows to come, exchangeable with those, the truth lies within with at least the coverage asked, and at most one over
/// the number of rows more where no two rows miss by the same; with groups, within each group.
///
/// # Examples
/// ```
/// use ndarray::Array1;
/// use telseg_gbm::ConformalIntervals;
/// // Spend was missed by 1 to 99.
/// let said = Array1::from_elem(99, 100.0);
/// let spent = Array1::from_shape_fn(99, |i| 101.0 + i as f32);
/// let margins = ConformalIntervals::params(0.9).fit((&said, &said), &spent)?;
/// assert_eq!(margins.interval([100.0, 100.0]), [10.0, 190.0]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConformalIntervals {
    coverage: f64,
    thresholds: Thresholds,
}

impl ConformalIntervals {
    /// Parameters for a coverage.
    pub fn params(coverage: f64) -> IntervalParams {
        IntervalParams {
            coverage,
            sparse: Sparse::Everything,
        }
    }

    /// The interval for a row, from the low and the high prediction for it (twice the same for a plain prediction).
    pub fn interval(&self, predicted: [f64; 2]) -> [f64; 2] {
        widen(predicted, self.thresholds.of(None))
    }

    /// The interval for a row of a group.
    pub fn interval_in(&self, group: u32, predicted: [f64; 2]) -> [f64; 2] {
        widen(predicted, self.thresholds.of(Some(group)))
    }

    /// Share of the truths that the intervals shall hold.
    pub fn coverage(&self) -> f64 {
        self.coverage
    }

    /// What is added on both sides, for all rows together; below 0 where quantiles lay too far apart.
    pub fn margin(&self) -> Threshold {
        self.thresholds.all
    }

    /// The same for each group.
    pub fn group_margins(&self) -> &[Threshold] {
        &self.thresholds.groups
    }
}

/// An interval whose ends would pass each other is the point between them.
fn widen([low, high]: [f64; 2], margin: f64) -> [f64; 2] {
    let (a, b) = (low - margin, high + margin);
    if a <= b {
        [a, b]
    } else {
        [0.5 * (low + high); 2]
    }
}

impl IntervalParams {
    /// Sets [`sparse`](Self::sparse).
    #[must_use]
    pub fn with_sparse(mut self, sparse: Sparse) -> Self {
        self.sparse = sparse;
        self
    }

    /// Checks every parameter; every fit does this first.
    ///
    /// # Errors
    /// When the coverage does not lie between 0 and 1.
    pub fn validate(&self) -> Result<()> {
        check_coverage(self.coverage)
    }

    /// Learns the margin.
    ///
    /// A row's score is `max(low - y, y - high)`: for a plain prediction, given twice, how far it is off (split conformal);
    /// for two quantiles, how far outside of them the truth lies (conformalised quantile regression).
    ///
    /// # Shapes
    /// `predicted`: the low and the high prediction of each row, by a model that has not seen it; `y`: the truth.
    ///
    /// # Errors
    /// When the coverage is wrong, lengths differ, there are no rows, or something is not finite.
    pub fn fit(
        &self,
        predicted: (&ArrayRef1<f64>, &ArrayRef1<f64>),
        y: &ArrayRef1<f32>,
    ) -> Result<ConformalIntervals> {
        self.fit_with(predicted, y, None, None)
    }

    /// Learns a margin for each group of rows, too (Mondrian).
    ///
    /// # Errors
    /// As [`fit`](Self::fit), or when there is not a group a row.
    pub fn fit_grouped(
        &self,
        predicted: (&ArrayRef1<f64>, &ArrayRef1<f64>),
        y: &ArrayRef1<f32>,
        groups: &ArrayRef1<u32>,
    ) -> Result<ConformalIntervals> {
        self.fit_with(predicted, y, Some(groups), None)
    }

    /// Learns margins with weighted rows, for all rows and for groups where they are given.
    ///
    /// # Errors
    /// As [`fit_grouped`](Self::fit_grouped), or when a weight is negative or not finite.
    pub fn fit_with(
        &self,
        (low, high): (&ArrayRef1<f64>, &ArrayRef1<f64>),
        y: &ArrayRef1<f32>,
        groups: Option<&ArrayRef1<u32>>,
        weights: Option<&ArrayRef1<f32>>,
    ) -> Result<ConformalIntervals> {
        self.validate()?;
        for (what, list) in [("low", low), ("high", high)] {
            if list.len() != y.len() {
                let expected = format!("{} predictions (as targets)", y.len());
                return Err(Error::shape(what, expected, list.len().to_string()));
            }
            if let Some(row) = list.iter().position(|v| !v.is_finite()) {
                return Err(Error::data(
                    what,
                    format!("must be finite, found {} in row {row}", list[row]),
                ));
            }
        }
        crate::Objective::SquaredError.check(&y.to_vec())?;
        let score = |i: usize| (low[i] - f64::from(y[i])).max(f64::from(y[i]) - high[i]);
        let scores: Vec<f64> = (0..y.len()).map(score).collect();
        let thresholds = Thresholds::new(&scores, (weights, groups), (self.coverage, self.sparse))?;
        Ok(ConformalIntervals {
            coverage: self.coverage,
            thresholds,
        })
    }
}

impl Artefact for ConformalIntervals {
    const KIND: &'static str = "conformal_intervals";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        check_coverage(self.coverage)?;
        self.thresholds.validate(Self::KIND)
    }
}
