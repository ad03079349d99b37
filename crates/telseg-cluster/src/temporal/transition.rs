//! What one month changed.

use std::fmt;

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::{Alarm, Drift, Event, Held, Migration};

/// The number of a segment: the same as long as it is the same segment, and never given to another.
///
/// The first month's segments are numbered in the order of their labels, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[allow(clippy::exhaustive_structs)]
pub struct SegmentId(pub u32);

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}", self.0)
    }
}

/// Which segment a cluster is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Match {
    /// The cluster's label in this month.
    pub label: u32,
    /// The segment that it is.
    pub segment: SegmentId,
    /// Whether the segment is a new one.
    pub is_new: bool,
    /// Similarity to last month's segment (1); of a new one, to the segment most like it. 0 in the first month.
    pub similarity: f64,
    /// The part of it that shared subscribers make, where there are any: Jaccard index.
    pub shared: Option<f64>,
    /// Distance of the centres in standard deviations of the base (root mean square over columns), where rows are known.
    pub distance: Option<f64>,
}

/// How large a segment is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Size {
    /// The segment.
    pub segment: SegmentId,
    /// Its subscribers.
    pub n: u64,
    /// Their weight.
    pub weight: f64,
    /// Its share of the base's weight.
    pub share: f64,
    /// Change of its weight since last month, relative to it; `None` for a new segment.
    pub change: Option<f64>,
}

/// What one month changed; [`SegmentHistory::update`](super::SegmentHistory::update) gives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transition {
    /// The month's name.
    pub month: String,
    /// Subscribers of last month that are found again.
    pub n_shared: u64,
    /// Weight of ids in the similarity (1), from 0 to 1.
    pub id_weight: f64,
    /// Which segment each label is, by label.
    pub matches: Vec<Match>,
    /// The segments in ascending order of their numbers.
    pub sizes: Vec<Size>,
    /// Who moved where; `None` in the first month.
    pub migration: Option<Migration>,
    /// Births, deaths, splits and merges.
    pub events: Vec<Event>,
    /// How the columns of each segment and of the whole base moved.
    pub drift: Vec<Drift>,
    /// What somebody should look at, the gravest first.
    pub alarms: Vec<Alarm>,
    /// What hysteresis held back, where it was asked for and there was a month before.
    pub held: Option<Held>,
    #[serde(skip)]
    pub(super) segments: Vec<Option<SegmentId>>,
}

/// The subscribers' own segments are no part of what is saved: a loaded transition equals the one that was saved.
impl PartialEq for Transition {
    fn eq(&self, other: &Self) -> bool {
        (&self.month, self.n_shared, self.id_weight, &self.matches)
            == (
                &other.month,
                other.n_shared,
                other.id_weight,
                &other.matches,
            )
            && (&self.sizes, &self.migration, &self.events)
                == (&other.sizes, &other.migration, &other.events)
            && (&self.drift, &self.alarms, &self.held) == (&other.drift, &other.alarms, &other.held)
    }
}

impl Transition {
    /// The segment of each subscriber, in the order of the month's ids, hysteresis included; `None` for those in none. Not
    /// saved: empty in a transition that a history keeps.
    pub fn segments(&self) -> &[Option<SegmentId>] {
        &self.segments
    }

    /// The segment that a label of this month's clustering is; `None` for a label that no subscriber had.
    pub fn segment_of(&self, label: u32) -> Option<SegmentId> {
        let at = self.matches.binary_search_by_key(&label, |m| m.label);
        at.ok().map(|i| self.matches[i].segment)
    }

    /// The segment numbers of labels that this month's model gives to other rows (without hysteresis).
    ///
    /// # Errors
    /// When a label is not one of this month's.
    pub fn relabel(&self, labels: &ArrayRef1<u32>) -> Result<Array1<u32>> {
        let number = |(row, &label): (usize, &u32)| {
            self.segment_of(label).map(|s| s.0).ok_or_else(|| {
                let problem = format!("{label} in row {row} is no label of {}", self.month);
                Error::data("labels", problem)
            })
        };
        labels.iter().enumerate().map(number).collect()
    }
}
