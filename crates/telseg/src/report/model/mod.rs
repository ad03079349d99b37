//! What a report says, as plain data: the HTML page and the JSON file are two views of it.
//!
//! Every struct has a `Default` in which nothing is known; the page leaves out what is not there.
//! A number that could not be computed is `NaN`: the page prints a dash, JSON holds `null`.

mod changes;
mod comparison;
mod number;
mod prediction;
mod quality;
mod segmentation;

use serde::{Deserialize, Serialize};

pub use changes::{Changes, FlowPlace};
pub use comparison::{ComparedMethod, MethodComparison};
pub use number::Interval;
pub use prediction::{
    Calibration, Dependence, DependencePoint, Direction, Importance, LevelEffect, Prediction,
    SegmentScore,
};
pub use quality::{ColumnQuality, DataQuality, LeftOut, LevelShare, Role, Summary};
pub use segmentation::{
    Heatmap, KCandidate, Map, MapPoint, Persona, Rule, SegmentCard, Segmentation, Statement,
    StatementKind, Told,
};

/// All that one run found, ready to be read by people ([`Report::to_html`]) and by scripts
/// ([`Report::to_json`]).
///
/// It holds aggregates only, so its size does not grow with the number of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Heading of the page; empty stands for "Segments and churn".
    pub title: String,
    /// Where the table came from: a file name, a query, a simulation and its seed.
    pub source: String,
    /// Rows of the table, one a subscriber.
    pub rows: u64,
    /// Columns of the table as it was read.
    pub columns: u64,
    /// What a reader must know before the first number; one sentence each, shown on top.
    pub notes: Vec<String>,
    /// How the page names things.
    pub words: Words,
    /// What the columns hold and what was wrong with them.
    pub quality: DataQuality,
    /// The segments and how they were found.
    pub segmentation: Segmentation,
    /// What changed since the run that this one follows; none when it follows none.
    pub changes: Option<Changes>,
    /// The model of the target; none when the table has no target.
    pub prediction: Option<Prediction>,
    /// What is known to be true, when the table was simulated.
    pub world: Option<World>,
    /// How the run was made.
    pub making: Making,
}

/// The words in which the page talks about rows, target and money.
///
/// The defaults suit churn; another target needs other verbs:
///
/// ```
/// use telseg::report::Words;
///
/// let words = Words {
///     happen: "accept".into(),
///     rate: "acceptance rate".into(),
///     ..Words::default()
/// };
/// assert_eq!(words.subscribers, "subscribers");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Words {
    /// What the rows are, in the plural: "subscribers".
    pub subscribers: String,
    /// What those with the positive outcome do, in the plural: "leave" (as in "43% leave").
    pub happen: String,
    /// The share of those who do: "churn rate".
    pub rate: String,
    /// What the model is a model of: "churn" (as in "the churn model").
    pub event: String,
    /// The value of a subscriber: "ARPU".
    pub arpu: String,
    /// Written before amounts of money: "€", or nothing.
    pub currency: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            subscribers: "subscribers".into(),
            happen: "leave".into(),
            rate: "churn rate".into(),
            event: "churn".into(),
            arpu: "ARPU".into(),
            currency: String::new(),
        }
    }
}

/// What is known to be true of a simulated table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct World {
    /// Agreement of the found with the true segments, as the adjusted Rand index: 1 is perfect,
    /// 0 is chance.
    pub ari: Option<f64>,
    /// The AUC of the true probabilities: no model can be expected to do better.
    pub best_auc: Option<f64>,
}

/// How the run was made, for those who want to repeat it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Making {
    /// The seed that every random choice came from.
    pub seed: Option<u64>,
    /// Names and versions of what took part: `("telseg", "0.1.0")`.
    pub versions: Vec<(String, String)>,
    /// One sentence a method, in the order in which they ran.
    pub methods: Vec<String>,
    /// What the numbers do not say; one sentence each.
    pub limits: Vec<String>,
    /// Wall time of each stage, in seconds, in the order in which they ran.
    #[serde(deserialize_with = "number::named")]
    pub seconds: Vec<(String, f64)>,
}
