//! What a fit may be given besides rows and targets, and whether it fits them.

use std::ops::ControlFlow;
use std::time::Duration;

use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, ArrayView2, Axis};
use telseg_core::{Error, Progress, Result};

use crate::metric::UserMetric;
use crate::objective::UserLoss;
use crate::{Better, Gbm, LossAt, MetricRows};

/// What a fit may be given besides rows and targets.
#[derive(Clone, Copy, Default)]
pub struct FitOptions<'a> {
    pub(crate) weights: Option<ArrayView1<'a, f32>>,
    pub(crate) validation: Option<(ArrayView2<'a, f32>, ArrayView1<'a, f32>)>,
    pub(crate) known: Known<'a>,
    pub(crate) validation_known: Known<'a>,
    pub(crate) loss: Option<&'a UserLoss<'a>>,
    pub(crate) metric: Option<(Better, &'a UserMetric<'a>)>,
    pub(crate) base_scores: Option<ArrayView2<'a, f64>>,
    pub(crate) validation_base_scores: Option<ArrayView2<'a, f64>>,
    pub(crate) start: Option<&'a Gbm>,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) callback: Option<&'a Callback<'a>>,
    pub(crate) progress: Option<&'a dyn Progress>,
}

/// What is known of rows besides columns, targets and weights.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known<'a> {
    groups: Option<ArrayView1<'a, u32>>,
    events: Option<ArrayView1<'a, bool>>,
}

impl Known<'_> {
    pub(crate) fn groups(&self, what: &'static str, rows: usize) -> Result<Option<Vec<u32>>> {
        let groups = self.groups.as_ref();
        groups.map(|ids| one_a_row(what, ids, rows)).transpose()
    }

    pub(crate) fn events(&self, what: &'static str, rows: usize) -> Result<Option<Vec<bool>>> {
        let events = self.events.as_ref();
        events.map(|ended| one_a_row(what, ended, rows)).transpose()
    }
}

fn one_a_row<T: Clone>(what: &'static str, given: &ArrayRef1<T>, rows: usize) -> Result<Vec<T>> {
    if given.len() == rows {
        return Ok(given.to_vec());
    }
    let expected = format!("{rows} (as rows of x)");
    Err(Error::shape(what, expected, given.len().to_string()))
}

/// What is asked after every round.
pub(crate) type Callback<'a> = dyn Fn(&Round) -> ControlFlow<()> + Sync + 'a;

/// A round of boosting that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Round {
    /// Rounds of the model so far, those of an earlier model included.
    pub n_rounds: usize,
    /// Metric of the judging rows (by default their mean loss), where there are any.
    pub valid_loss: Option<f64>,
    /// Time since the fit began.
    pub elapsed: Duration,
}

impl std::fmt::Debug for FitOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FitOptions")
            .field("weights", &self.weights)
            .field("validation", &self.validation)
            .field("known", &self.known)
            .field("validation_known", &self.validation_known)
            .field("loss", &self.loss.is_some())
            .field("metric", &self.metric.map(|m| m.0))
            .field("base_scores", &self.base_scores)
            .field("validation_base_scores", &self.validation_base_scores)
            .field("start", &self.start.map(|model| model.trees().n_trees()))
            .field("time_limit", &self.time_limit)
            .field("callback", &self.callback.is_some())
            .field("progress", &self.progress.is_some())
            .finish()
    }
}

impl<'a> FitOptions<'a> {
    /// Weights of the training rows.
    #[must_use]
    pub fn with_weights(mut self, weights: &'a ArrayRef1<f32>) -> Self {
        self.weights = Some(weights.view());
        self
    }

    /// Rows whose loss is traced and that early stopping looks at.
    #[must_use]
    pub fn with_validation(mut self, x: &'a ArrayRef2<f32>, y: &'a ArrayRef1<f32>) -> Self {
        self.validation = Some((x.view(), y.view()));
        self
    }

    /// The group of each row, for objectives and metrics that order rows within groups; groups need not lie together.
    #[must_use]
    pub fn with_groups(mut self, groups: &'a ArrayRef1<u32>) -> Self {
        self.known.groups = Some(groups.view());
        self
    }

    /// The group of each validation row.
    #[must_use]
    pub fn with_validation_groups(mut self, groups: &'a ArrayRef1<u32>) -> Self {
        self.validation_known.groups = Some(groups.view());
        self
    }

    /// Whether each row's time ended (true) or was still running when it was last seen, for objectives of times.
    #[must_use]
    pub fn with_events(mut self, events: &'a ArrayRef1<bool>) -> Self {
        self.known.events = Some(events.view());
        self
    }

    /// Whether each validation row's time ended.
    #[must_use]
    pub fn with_validation_events(mut self, events: &'a ArrayRef1<bool>) -> Self {
        self.validation_known.events = Some(events.view());
        self
    }

    /// The loss of [`Objective::Custom`](crate::Objective::Custom): of a score and a target. Its derivatives must be
    /// finite, and its second one not negative; where it is not convex, give a bound.
    #[must_use]
    pub fn with_loss(mut self, loss: &'a (dyn Fn(f64, f32) -> LossAt + Sync)) -> Self {
        self.loss = Some(loss);
        self
    }

    /// A metric of the user's own, which early stopping looks at and the report traces.
    #[must_use]
    pub fn with_metric(
        mut self,
        better: Better,
        metric: &'a (dyn Fn(&MetricRows<'_>) -> f64 + Sync),
    ) -> Self {
        self.metric = Some((better, metric));
        self
    }

    /// A score of each row that the trees add to: the logarithm of an exposure, the score of another model.
    ///
    /// The model's own scores leave it out: add it again before the link. One base score, the best constant on top of
    /// these, is still fitted.
    #[must_use]
    pub fn with_base_scores(mut self, scores: &'a ArrayRef1<f64>) -> Self {
        self.base_scores = Some(scores.view().insert_axis(Axis(1)));
        self
    }

    /// The same for several outputs: rows by outputs.
    #[must_use]
    pub fn with_base_scores_of_outputs(mut self, scores: &'a ArrayRef2<f64>) -> Self {
        self.base_scores = Some(scores.view());
        self
    }

    /// The base scores of the validation rows, one a row.
    #[must_use]
    pub fn with_validation_base_scores(mut self, scores: &'a ArrayRef1<f64>) -> Self {
        self.validation_base_scores = Some(scores.view().insert_axis(Axis(1)));
        self
    }

    /// The same for several outputs: rows by outputs.
    #[must_use]
    pub fn with_validation_base_scores_of_outputs(mut self, scores: &'a ArrayRef2<f64>) -> Self {
        self.validation_base_scores = Some(scores.view());
        self
    }

    /// An earlier model of the same objective and columns: its trees stay, and the rounds of this fit follow them.
    ///
    /// For [`GbmParams::fit_with`](crate::GbmParams::fit_with), which has the rows that the earlier model scores.
    #[must_use]
    pub fn with_start(mut self, model: &'a Gbm) -> Self {
        self.start = Some(model);
        self
    }

    /// Most time that the fit may take; it ends before a round that would not fit, with the trees that it has.
    ///
    /// Binning counts, and cannot be cut short. How many trees there are then depends on the machine: the same bits are
    /// no longer promised.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Asked after every round whether to go on.
    #[must_use]
    pub fn with_callback(
        mut self,
        callback: &'a (dyn Fn(&Round) -> ControlFlow<()> + Sync),
    ) -> Self {
        self.callback = Some(callback);
        self
    }

    /// Who hears of every round.
    #[must_use]
    pub fn with_progress(mut self, progress: &'a dyn Progress) -> Self {
        self.progress = Some(progress);
        self
    }
}

/// Scores of rows by outputs as one list, output after output.
pub(crate) fn by_output(
    what: &'static str,
    scores: &ArrayRef2<f64>,
    (rows, outputs): (usize, usize),
) -> Result<Vec<f64>> {
    if scores.dim() != (rows, outputs) {
        let expected = format!("{rows} rows by {outputs} outputs");
        let found = format!("{} by {}", scores.nrows(), scores.ncols());
        return Err(Error::shape(what, expected, found));
    }
    if let Some(((row, _), v)) = scores.indexed_iter().find(|(_, v)| !v.is_finite()) {
        let problem = format!("must be finite, found {v} in row {row}");
        return Err(Error::data(what, problem));
    }
    Ok(scores.t().iter().copied().collect())
}

pub(crate) fn check_rows(rows: usize, targets: usize) -> Result<()> {
    if rows == targets {
        return Ok(());
    }
    Err(Error::shape(
        "y",
        format!("{rows} targets (as rows of x)"),
        targets.to_string(),
    ))
}

/// Weights as a plain list: one a row, finite, not negative, not all 0.
pub(crate) fn checked_weights(weights: &ArrayRef1<f32>, rows: usize) -> Result<Vec<f32>> {
    if weights.len() != rows {
        return Err(Error::shape(
            "weights",
            format!("{rows} weights (as rows of x)"),
            weights.len().to_string(),
        ));
    }
    if let Some((row, w)) = weights
        .iter()
        .enumerate()
        .find(|(_, w)| !(**w >= 0.0 && w.is_finite()))
    {
        return Err(Error::data(
            "weights",
            format!("must be 0 or more, found {w} in row {row}"),
        ));
    }
    if weights.iter().all(|&w| w == 0.0) {
        return Err(Error::data("weights", "all are 0"));
    }
    Ok(weights.to_vec())
}
