//! What a pipeline found, and what it needs to score new rows.

mod saved;
mod score;
mod segments;
mod summary;

use std::sync::Arc;

use ndarray::{Array1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_cluster::KMeans;
use telseg_core::Result;
use telseg_features::TableEncoder;
use telseg_gbm::Gbm;

use crate::pipeline::Segmenter;
use crate::report::Report;

pub use score::{RowScore, Scored};
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
    pub(crate) segment: SegmentModel,
    pub(crate) segments: Vec<SegmentName>,
    pub(crate) predictor: Option<Predictor>,
}

/// The model behind the segments.
#[derive(Clone)]
pub(crate) enum SegmentModel {
    KMeans(Box<KMeans<f32>>),
    Own(Arc<Segmenter>),
}

impl std::fmt::Debug for SegmentModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KMeans(model) => f.debug_tuple("KMeans").field(model).finish(),
            Self::Own(_) => f.write_str("Own"),
        }
    }
}

impl SegmentModel {
    pub(crate) fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>> {
        match self {
            Self::KMeans(model) => model.predict(x),
            Self::Own(model) => model.predict(x),
        }
    }
}

/// What a segment is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SegmentName {
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
