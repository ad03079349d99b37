//! The trained model.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::stats::Z95;
use telseg_core::{Error, Result};

use super::SegmentedParams;
use crate::{Ebm, Gbm, GbmParams};

/// A model of all subscribers, and for some segments a correction of its score.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::{Choice, Gbm, Objective, Segmented};
/// // Only in segment 1 do many calls mean leaving; in segment 0 they mean staying.
/// let x = Array2::from_shape_fn((1200, 1), |(i, _)| (i / 2 % 10) as f32);
/// let segment = Array1::from_shape_fn(1200, |i| (i % 2) as u32);
/// let left = Array1::from_shape_fn(1200, |i| ((x[(i, 0)] > 4.0) == (i % 2 == 1)) as u8 as f32);
/// let model = Segmented::params(Gbm::params(Objective::Binary).with_n_trees(20)).fit((&x, &left), &segment)?;
/// assert!(model.report().iter().all(|segment| segment.choice == Choice::Special));
/// assert!(model.predict_row(&[9.0], 1)? > 0.9 && model.predict_row(&[9.0], 0)? < 0.1);
/// // A segment that was not there at fit gets the global model.
/// assert!((model.predict_row(&[9.0], 7)? - 0.5).abs() < 0.1);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segmented {
    pub(super) global: Gbm,
    /// The correction of each segment, by its number.
    pub(super) special: Vec<Option<Ebm>>,
    pub(super) report: Vec<SegmentReport>,
}

/// A model by segments, and what was said of each row by models that had not seen it, of the kind that its segment got.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Judged {
    /// The model, trained on all rows.
    pub model: Segmented,
    /// Prediction of each row.
    pub predictions: Array1<f64>,
    /// Fold of each row, from 0.
    pub folds: Array1<u32>,
}

/// The global model alone.
impl From<Gbm> for Segmented {
    fn from(global: Gbm) -> Self {
        Self {
            global,
            special: Vec::new(),
            report: Vec::new(),
        }
    }
}

/// Which model a segment got, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Choice {
    /// The global model, because the segment has too few rows to try another.
    TooFewRows,
    /// The global model, because it is not sure that the corrected one is better.
    Global,
    /// The corrected one.
    Special,
}

/// What was found about one segment, on rows that neither model had seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SegmentReport {
    /// Its number.
    pub segment: u32,
    /// Its rows (of weight above 0).
    pub rows: usize,
    /// Which model it got.
    pub choice: Choice,
    /// Mean loss of the global model.
    pub global_loss: f64,
    /// Mean loss of the corrected one; `None` where it was not tried.
    pub special_loss: Option<f64>,
    /// By how much the correction lowers the mean loss.
    pub gain: Option<Gain>,
}

/// The mean of the differences of the rows' losses, the global model's less the corrected one's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gain {
    /// The mean; above 0, the correction helps.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl Gain {
    /// The 95 % interval of the mean.
    pub fn interval(&self) -> [f64; 2] {
        let reach = Z95 * self.standard_error;
        [self.estimate - reach, self.estimate + reach]
    }
}

impl Segmented {
    /// Parameters around those of the global model.
    pub fn params(global: GbmParams) -> SegmentedParams {
        SegmentedParams::new(global)
    }

    /// Prediction for each row, by the model of its segment.
    ///
    /// # Shapes
    /// `x`: rows by the columns at fit; `segments`: the segment of each row. Segments that were not there at fit get the
    /// global model.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit, or `segments` another length than `x` has rows.
    pub fn predict(&self, x: &ArrayRef2<f32>, segments: &ArrayRef1<u32>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.predict_into(x, segments, &mut out)?;
        Ok(out)
    }

    /// The same, written to `out`.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), or when `out` has another length than `x` has rows.
    pub fn predict_into(
        &self,
        x: &ArrayRef2<f32>,
        segments: &ArrayRef1<u32>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<()> {
        for (what, found) in [("segments", segments.len()), ("out", out.len())] {
            if found != x.nrows() {
                let expected = format!("{} rows (as x)", x.nrows());
                return Err(Error::shape(what, expected, found.to_string()));
            }
        }
        let mut scores = self.global.predict_raw(x)?;
        for (number, special) in self.special.iter().enumerate() {
            let Some(special) = special else { continue };
            let rows: Vec<usize> = (0..segments.len())
                .filter(|&i| segments[i] as usize == number)
                .collect();
            let more = special.predict_raw(&x.select(ndarray::Axis(0), &rows))?;
            rows.into_iter()
                .zip(more)
                .for_each(|(i, more)| scores[i] += more);
        }
        let link = |score| self.global.objective().link(score);
        out.iter_mut()
            .zip(scores)
            .for_each(|(out, score)| *out = link(score));
        Ok(())
    }

    /// Prediction for one row of a segment, without allocation.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit.
    pub fn predict_row(&self, row: &[f32], segment: u32) -> Result<f64> {
        let mut score = [0.0];
        self.global.trees().predict_row_into(row, &mut score)?;
        if let Some(special) = self.special(segment) {
            score[0] += special.score_row(row)?;
        }
        Ok(self.global.objective().link(score[0]))
    }

    /// The model of all rows.
    pub fn global(&self) -> &Gbm {
        &self.global
    }

    /// What is added to the global score in a segment, as curves; `None` where the global model was kept.
    pub fn special(&self, segment: u32) -> Option<&Ebm> {
        self.special.get(segment as usize)?.as_ref()
    }

    /// What was found about each segment, by its number.
    pub fn report(&self) -> &[SegmentReport] {
        &self.report
    }
}

impl Artefact for Segmented {
    const KIND: &'static str = "segmented";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.global.validate()?;
        let width = self.global.trees().n_features();
        for special in self.special.iter().flatten() {
            special.validate()?;
            if special.n_features() != Some(width) {
                return Err(Error::data(
                    "segmented",
                    "a correction takes another number of columns",
                ));
            }
        }
        let names_itself = |(i, r): (usize, &SegmentReport)| {
            let kept = self.special[i].is_some();
            r.segment as usize == i && kept == (r.choice == Choice::Special)
        };
        if self.report.len() != self.special.len()
            || !self.report.iter().enumerate().all(names_itself)
        {
            return Err(Error::data("segmented", "report and corrections disagree"));
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.global.trees().n_features())
    }
}
