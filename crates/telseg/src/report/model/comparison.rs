//! Other methods on the same table.

use serde::{Deserialize, Serialize};
use telseg_cluster::compare::Comparison;

use super::number::{Interval, or_nan};

/// Methods that were judged side by side; made of what [`Pipeline::compare`](crate::Pipeline::compare) gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MethodComparison {
    /// Why one is recommended, or none, in a sentence or two.
    pub reason: String,
    /// Subscribers that they were judged on.
    pub n_rows: u64,
    /// One row a method and number of segments.
    pub rows: Vec<ComparedMethod>,
}

/// One row of a [`MethodComparison`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComparedMethod {
    /// The method.
    pub method: String,
    /// Segments that it found.
    pub k: u32,
    /// How much nearer a subscriber is to its own segment than to the next, -1 to 1.
    pub silhouette: Option<Interval>,
    /// How well bootstrap samples confirm the segment that they confirm least, 0 to 1.
    #[serde(deserialize_with = "or_nan")]
    pub weakest: f64,
    /// Share of subscribers in no segment.
    #[serde(deserialize_with = "or_nan")]
    pub noise: f64,
    /// Whether it is the one that is recommended.
    pub recommended: bool,
    /// Why it could not be judged; empty when it could.
    pub problem: String,
}

impl From<&Comparison> for MethodComparison {
    fn from(found: &Comparison) -> Self {
        let rows = found
            .judged
            .iter()
            .enumerate()
            .map(|(at, judged)| ComparedMethod {
                method: judged.method.clone(),
                k: judged.n_clusters as u32,
                silhouette: judged
                    .silhouette
                    .map(|s| Interval::new(s.estimate, s.low, s.high)),
                weakest: judged.weakest(),
                noise: judged.noise,
                recommended: found.recommended == Some(at),
                problem: judged.problem.clone().unwrap_or_default(),
            });
        Self {
            reason: found.reason.clone(),
            n_rows: found.n_rows as u64,
            rows: rows.collect(),
        }
    }
}
