//! The model of the target, judged on rows that it had not seen.

use serde::{Deserialize, Serialize};

use super::number::{Interval, curve, list, or_nan};

/// How well the target can be predicted, and from what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prediction {
    /// Column that is predicted.
    pub target: String,
    /// Its level that counts as the event.
    pub positive: String,
    /// One sentence: which model, how it was fitted and how it was judged.
    pub method: String,
    /// Rows that the quality was measured on.
    pub n: u64,
    /// Rows among them with the event.
    pub positives: u64,
    /// Folds of the cross-validation; 0 when a part was held out instead.
    pub folds: u32,
    /// Area under the ROC curve, over the scores of all folds together.
    pub auc: Interval,
    /// The same of each fold alone; their mean is what others mostly print. Empty without folds.
    #[serde(deserialize_with = "list")]
    pub auc_of_folds: Vec<f64>,
    /// Average precision (area under the precision-recall curve).
    pub average_precision: Interval,
    /// Mean negative log-likelihood, in nats.
    #[serde(deserialize_with = "or_nan")]
    pub log_loss: f64,
    /// Mean squared error of the probabilities.
    #[serde(deserialize_with = "or_nan")]
    pub brier: f64,
    /// Rate among the 10% scored highest over the rate among all.
    pub lift_at_10: Interval,
    /// False positive rate, true positive rate.
    #[serde(deserialize_with = "curve")]
    pub roc: Vec<(f64, f64)>,
    /// Recall, precision.
    #[serde(deserialize_with = "curve")]
    pub precision_recall: Vec<(f64, f64)>,
    /// Predicted against observed rates, by bins of the prediction.
    pub calibration: Vec<Calibration>,
    /// Cumulative gains: share of subscribers contacted (highest score first), share of all
    /// events among them.
    #[serde(deserialize_with = "curve")]
    pub gains: Vec<(f64, f64)>,
    /// What the score rests on, strongest first.
    pub importances: Vec<Importance>,
    /// Quality by segment.
    pub by_segment: Vec<SegmentScore>,
}

/// A bin of predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calibration {
    /// Mean predicted probability.
    #[serde(deserialize_with = "or_nan")]
    pub predicted: f64,
    /// Share with the event.
    #[serde(deserialize_with = "or_nan")]
    pub observed: f64,
    /// Number (or share) of rows in the bin.
    #[serde(deserialize_with = "or_nan")]
    pub weight: f64,
}

/// What one feature adds to the score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Importance {
    /// Its name.
    pub feature: String,
    /// Mean absolute SHAP value, in log-odds.
    #[serde(deserialize_with = "or_nan")]
    pub mean_abs_shap: f64,
    /// Which way it pushes.
    pub direction: Direction,
    /// Its effect by value.
    pub dependence: Dependence,
}

/// Which way a higher value of a feature pushes the score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Up.
    Raises,
    /// Down.
    Lowers,
    /// Now up, now down, or it has levels rather than an order.
    #[default]
    Mixed,
}

/// The effect of a feature by its value, in log-odds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dependence {
    /// Not computed.
    #[default]
    Unknown,
    /// Along the values, ascending; aggregated (20 to 40 points read well).
    Numeric(Vec<DependencePoint>),
    /// By level.
    Levels(Vec<LevelEffect>),
}

/// A point of [`Dependence::Numeric`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DependencePoint {
    /// The feature's value.
    #[serde(deserialize_with = "or_nan")]
    pub x: f64,
    /// Mean SHAP value there, and the range of the middle 80% around it.
    pub effect: Interval,
}

/// A bar of [`Dependence::Levels`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LevelEffect {
    /// The level.
    pub level: String,
    /// Its share of the rows, 0 to 1.
    #[serde(deserialize_with = "or_nan")]
    pub share: f64,
    /// Mean SHAP value of its rows.
    #[serde(deserialize_with = "or_nan")]
    pub effect: f64,
}

/// How the model does inside one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SegmentScore {
    /// Segment id.
    pub segment: u32,
    /// Rows of the segment that the quality was measured on.
    pub n: u64,
    /// Observed rate of the event.
    #[serde(deserialize_with = "or_nan")]
    pub churn_rate: f64,
    /// Mean predicted probability.
    #[serde(deserialize_with = "or_nan")]
    pub mean_score: f64,
    /// Area under the ROC curve within the segment; none when all or none have the event.
    pub auc: Option<f64>,
}
