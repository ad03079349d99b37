//! The segments and how they were found.

use serde::{Deserialize, Serialize};

use super::comparison::MethodComparison;
use super::number::{Interval, lists, or_nan};

/// The segments of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Segmentation {
    /// One sentence: what was grouped, on which columns, by which method.
    pub method: String,
    /// How many segments there are.
    pub k: u32,
    /// The numbers of segments that were tried, ascending; empty when `k` was given.
    pub candidates: Vec<KCandidate>,
    /// One sentence on why `k` is what it is; empty for the page's own wording.
    pub choice: String,
    /// The segments, in the order in which the page shows them.
    pub segments: Vec<SegmentCard>,
    /// Other methods on the same table; none when they were not asked.
    pub comparison: Option<MethodComparison>,
    /// Standardised differences of columns by segments.
    pub heatmap: Option<Heatmap>,
    /// A picture of the subscribers on a plane.
    pub map: Option<Map>,
}

/// A number of segments that was tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KCandidate {
    /// The number.
    pub k: u32,
    /// Sum of squared distances to the means: always falls with `k`. Not a number where the method has another measure.
    #[serde(deserialize_with = "or_nan")]
    pub inertia: f64,
    /// How much nearer a subscriber is to its own segment than to the next, -1 to 1.
    pub silhouette: Option<Interval>,
    /// Agreement of segmentations of resampled data, as the adjusted Rand index.
    pub stability: Option<Interval>,
    /// Integrated completed likelihood of a mixture: smaller is better.
    pub icl: Option<f64>,
    /// Whether it was taken.
    pub chosen: bool,
}

/// One segment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SegmentCard {
    /// Its label, as in the scored table.
    pub id: u32,
    /// Its name: three or four words.
    pub name: String,
    /// Who they are, and what that means; a sentence or two each.
    pub description: [String; 2],
    /// The same told in sentences.
    pub persona: Option<Persona>,
    /// How many subscribers are in it.
    pub n: u64,
    /// Their share of all, 0 to 1.
    #[serde(deserialize_with = "or_nan")]
    pub share: f64,
    /// Money per subscriber and month.
    pub arpu: Option<Interval>,
    /// Share of those with the positive outcome, 0 to 1.
    pub churn_rate: Option<Interval>,
    /// What sets it apart, strongest first.
    pub statements: Vec<Statement>,
    /// Conditions by which it can be told, the rule that covers most first.
    pub rules: Vec<Rule>,
    /// How well rules and columns tell it from the rest.
    pub told: Option<Told>,
}

/// Conditions that most of a segment fulfil and others mostly do not, measured on held-out subscribers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// The conditions in words; all of them hold.
    pub text: String,
    /// Share of those with the conditions that are in the segment, 0 to 1.
    pub precision: Interval,
    /// Share of the segment that has the conditions, 0 to 1.
    #[serde(deserialize_with = "or_nan")]
    pub coverage: f64,
}

/// How well a segment is told from the rest, as the mean of the shares told rightly inside and outside; 0.5 is chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// By a tree of at most three questions: the rules.
    #[serde(deserialize_with = "or_nan")]
    pub by_rules: f64,
    /// By a forest on the same columns.
    #[serde(deserialize_with = "or_nan")]
    pub by_forest: f64,
}

/// A segment told in sentences that were held against its facts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Persona {
    /// The sentences.
    pub sentences: Vec<String>,
    /// Share of the sentences written that said what their facts say, 0 to 1; the others were left out.
    #[serde(deserialize_with = "or_nan")]
    pub faithfulness: f64,
}

/// One thing that sets a segment apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statement {
    /// The column it is about.
    pub column: String,
    /// The whole statement in words: "Stays on a month-to-month contract".
    pub text: String,
    /// The mean (or the share, for [`StatementKind::Lift`]) in the segment.
    #[serde(deserialize_with = "or_nan")]
    pub segment_value: f64,
    /// The same outside the segment.
    #[serde(deserialize_with = "or_nan")]
    pub rest_value: f64,
    /// How strong it is, in the unit that `kind` says.
    #[serde(deserialize_with = "or_nan")]
    pub strength: f64,
    /// What the numbers are.
    pub kind: StatementKind,
}

/// What the numbers of a [`Statement`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementKind {
    /// Values are means; the strength is their difference in standard deviations (signed).
    #[default]
    Difference,
    /// Values are shares of a level, 0 to 1; the strength is their ratio (1 is no difference).
    Lift,
}

/// Standardised differences between each segment and all subscribers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heatmap {
    /// Names of the columns, most telling first.
    pub columns: Vec<String>,
    /// Segment ids.
    pub segments: Vec<u32>,
    /// `values[column][segment]`: difference in standard deviations.
    #[serde(deserialize_with = "lists")]
    pub values: Vec<Vec<f64>>,
}

/// Subscribers on a plane, near each other when they are alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Map {
    /// One sentence: which projection, and how much of the variance it shows.
    pub method: String,
    /// A sample of subscribers; the page draws the first 1000.
    pub points: Vec<MapPoint>,
    /// The centre of each segment.
    pub centres: Vec<MapPoint>,
}

/// A point of a [`Map`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MapPoint {
    /// First coordinate.
    #[serde(deserialize_with = "or_nan")]
    pub x: f64,
    /// Second coordinate.
    #[serde(deserialize_with = "or_nan")]
    pub y: f64,
    /// Segment id.
    pub segment: u32,
}
