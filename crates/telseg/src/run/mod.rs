//! What a pipeline found, and what it needs to score new rows.

mod export;
mod saved;
mod score;
mod segment_model;
mod segments;
mod summary;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use telseg_cluster::temporal::SegmentHistory;
use telseg_features::TableEncoder;
use telseg_gbm::Gbm;

use crate::report::Report;

pub use score::{RowScore, Scored};
pub(crate) use segment_model::SegmentModel;
pub use segments::Segments;
pub use summary::{SegmentSummary, Summary};

/// A fitted pipeline: segments, scores, and the report of how they came about.
#[derive(Clone, Debug)]
pub struct Run {
    model: Model,
    report: Report,
    labels: Array1<u32>,
    out_of_fold: Option<Array1<f64>>,
}

/// All that scoring needs; holds no training row.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) id: Option<String>,
    pub(crate) distances: TableEncoder,
    /// What makes the rows of the segments' model, where they are not those of `distances`.
    pub(crate) columns: Option<TableEncoder>,
    pub(crate) segment: SegmentModel,
    /// By group, as the segments' model gives them.
    pub(crate) segments: Vec<SegmentName>,
    pub(crate) predictor: Option<Predictor>,
    /// What a run that follows needs.
    pub(crate) history: Option<SegmentHistory>,
}

impl Model {
    /// What makes the rows of the segments' model.
    pub(crate) fn encoder(&self) -> &TableEncoder {
        self.columns.as_ref().unwrap_or(&self.distances)
    }

    /// The number of the segment that a group is.
    pub(crate) fn number(&self, group: u32) -> u32 {
        self.segments.get(group as usize).map_or(group, |s| s.id)
    }

    /// Its name.
    pub(crate) fn name(&self, group: u32) -> &str {
        self.segments.get(group as usize).map_or("", |s| &s.name)
    }
}

/// What a segment is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SegmentName {
    /// Its number: the same in all runs that follow each other.
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) description: [String; 2],
}

/// The model of the target and the encoder of its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Predictor {
    pub(crate) target: String,
    pub(crate) encoder: TableEncoder,
    pub(crate) model: Gbm,
}

impl Run {
    pub(crate) fn new(
        model: Model,
        report: Report,
        labels: Array1<u32>,
        out_of_fold: Option<Array1<f64>>,
    ) -> Self {
        Self {
            model,
            report,
            labels,
            out_of_fold,
        }
    }

    /// All that was found, ready to be written as a page.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The report, to add what only the caller knows: a title, currency, or the truth of a simulated table.
    pub fn report_mut(&mut self) -> &mut Report {
        &mut self.report
    }

    /// The segments as a table for a terminal.
    pub fn segments(&self) -> Segments<'_> {
        Segments::new(&self.report)
    }

    /// What was found, for scripts.
    pub fn summary(&self) -> Summary {
        Summary::new(&self.report)
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// The segments over the months that were followed so far, this one included; `None` when a segment has no
    /// subscriber.
    pub fn history(&self) -> Option<&SegmentHistory> {
        self.model.history.as_ref()
    }

    /// Segment of each row of the table that was fitted; empty in a run that was loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// Probability of the event for each row of the table that was fitted, by a model that had not seen it; NaN where
    /// the target is missing. `None` without a target, and in a run that was loaded.
    pub fn out_of_fold(&self) -> Option<&Array1<f64>> {
        self.out_of_fold.as_ref()
    }
}
