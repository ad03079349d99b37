//! What a run found, in the few numbers that scripts ask for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::Report;

/// What a run found, for scripts; the report's JSON holds everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Rows of the table.
    pub rows: u64,
    /// Columns of the table.
    pub columns: u64,
    /// The segments.
    pub segments: Vec<SegmentSummary>,
    /// Area under the ROC curve of the out-of-fold scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub churn_auc: Option<f64>,
    /// The mean of that area over the folds, each alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub churn_auc_of_folds: Option<f64>,
    /// Wall time of each stage.
    pub seconds: BTreeMap<String, f64>,
    /// Adjusted Rand index of the segments against the planted ones, on a simulated table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ari: Option<f64>,
    /// AUC of the world's own probabilities, on a simulated table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_auc: Option<f64>,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SegmentSummary {
    /// Label, as in scored tables.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Rows.
    pub n: u64,
    /// Share of all rows, 0 to 1.
    pub share: f64,
    /// Money per subscriber and month, where a column holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arpu: Option<f64>,
    /// Share of those with the event, where there is a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub churn_rate: Option<f64>,
}

impl Summary {
    pub(super) fn new(report: &Report) -> Self {
        let segments = report
            .segmentation
            .segments
            .iter()
            .map(|card| SegmentSummary {
                id: card.id,
                name: card.name.clone(),
                n: card.n,
                share: card.share,
                arpu: card.arpu.map(|v| v.estimate),
                churn_rate: card.churn_rate.map(|v| v.estimate),
            });
        Self {
            rows: report.rows,
            columns: report.columns,
            segments: segments.collect(),
            churn_auc: report.prediction.as_ref().map(|p| p.auc.estimate),
            churn_auc_of_folds: report
                .prediction
                .as_ref()
                .filter(|p| !p.auc_of_folds.is_empty())
                .map(|p| p.auc_of_folds.iter().sum::<f64>() / p.auc_of_folds.len() as f64),
            seconds: report.making.seconds.iter().cloned().collect(),
            ari: report.world.as_ref().and_then(|w| w.ari),
            best_auc: report.world.as_ref().and_then(|w| w.best_auc),
        }
    }
}
