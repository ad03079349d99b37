//! What changed since the run before.

use serde::{Deserialize, Serialize};
use telseg_cluster::temporal::Alluvial;

/// What changed since the run that this one follows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// This month, by name.
    pub month: String,
    /// The month before.
    pub before: String,
    /// Subscribers of the month before that are found again; 0 when the run before did not remember them.
    pub n_shared: u64,
    /// Subscribers who were not in the base before.
    pub joined: u64,
    /// Subscribers who are not in the base any more.
    pub left: u64,
    /// Share of those in both months who are in the same segment, 0 to 1.
    pub stayed: Option<f64>,
    /// What somebody should look at, the gravest first; a sentence each.
    pub alarms: Vec<String>,
    /// Where subscribers were: segments, no segment, and those who joined.
    pub from: Vec<FlowPlace>,
    /// Where they are: segments, no segment, and those who left.
    pub to: Vec<FlowPlace>,
    /// `counts[from][to]`: subscribers.
    pub counts: Vec<Vec<u64>>,
    /// The flow over all months that were followed.
    pub picture: Alluvial,
}

/// A row or a column of the flows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowPlace {
    /// The segment's number; none for the others.
    pub segment: Option<u32>,
    /// What it is called.
    pub name: String,
}

impl FlowPlace {
    /// A place that is no segment.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            segment: None,
            name: name.into(),
        }
    }
}
