//! How a fit went.

use serde::{Deserialize, Serialize};

/// Why boosting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Stop {
    /// All rounds were run.
    Rounds,
    /// The validation metric had not improved for as many rounds as asked.
    Early,
    /// No split gained anything.
    NoGain,
    /// A further round would not have fitted into the time limit.
    Time,
    /// The callback asked for it.
    Asked,
}

/// How a fit went (of a continued training, its own rounds); says nothing about time, so that equal fits have equal reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FitReport {
    /// Trees of the model: one a round and output.
    pub n_trees: usize,
    /// Rounds at the best validation metric, counted from 1 (those of an earlier model included); `None` without
    /// validation rows.
    pub best_iteration: Option<usize>,
    /// Why boosting ended.
    pub stop: Stop,
    /// Mean loss of the training rows after each round (those drawn and those not).
    pub train_loss: Vec<f64>,
    /// Metric of the validation rows (by default their mean loss) after each round; empty without them.
    pub valid_loss: Vec<f64>,
    /// Value bins of each column.
    pub n_bins: Vec<usize>,
}
