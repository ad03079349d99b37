//! Births, deaths, splits and merges of segments.

use serde::{Deserialize, Serialize};
use telseg_core::stats::wilson;

use super::migration::{Migration, Place};
use super::params::HistoryParams;
use super::transition::SegmentId;

/// Flows of less than this share are no part of an event's story.
const WORTH_SAYING: f64 = 0.05;

/// A part of a segment's subscribers, and where it is or was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flow {
    /// Where they came from or went.
    pub place: Place,
    /// Their share of the segment's weight.
    pub share: f64,
    /// Wilson's 95 % interval of the share, for the effective number of subscribers.
    pub interval: [f64; 2],
}

/// Something that happened to a segment as a whole.
///
/// A part of a split or a merge is no birth and no death of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// A segment of several origins that was not there.
    Born {
        /// The new segment.
        segment: SegmentId,
        /// Where its subscribers were last month, the largest flow first.
        from: Vec<Flow>,
    },
    /// A segment that is no more.
    Died {
        /// The segment.
        segment: SegmentId,
        /// Where its subscribers are, the largest flow first.
        into: Vec<Flow>,
    },
    /// A segment became several.
    Split {
        /// The segment; its number goes on with the part most like it, if any is like it enough.
        segment: SegmentId,
        /// Its parts, the largest first; shares of those who are still in the base.
        into: Vec<Flow>,
    },
    /// Several segments became one.
    Merged {
        /// What they became: one of them, or a new number when it is like none of them enough.
        into: SegmentId,
        /// The segments, the largest part first; shares of those who were in the base.
        from: Vec<Flow>,
    },
}

/// Flows between places, as shares of rows or of columns.
struct Flows<'a> {
    migration: &'a Migration,
    n_from: usize,
    n_to: usize,
    /// Weight of each segment that is in both months: by last month's, by this month's.
    both_from: Vec<f64>,
    both_to: Vec<f64>,
}

/// What happened between the segments of `migration` (segments first, then no segment, then outside).
pub(super) fn events(migration: &Migration, params: &HistoryParams) -> Vec<Event> {
    let w = &migration.weights;
    let (n_from, n_to) = (w.nrows() - 2, w.ncols() - 2);
    let flows = Flows {
        migration,
        n_from,
        n_to,
        both_from: (0..n_from)
            .map(|i| w.row(i).iter().take(n_to + 1).sum())
            .collect(),
        both_to: (0..n_to)
            .map(|j| w.column(j).iter().take(n_from + 1).sum())
            .collect(),
    };
    flows.events(params.part)
}

impl Event {
    /// Whether a segment is a part of a split or a merge: its size then tells nothing else.
    pub(super) fn reshapes(&self, segment: SegmentId) -> bool {
        let is_part = |flow: &Flow| flow.place == Place::Segment(segment);
        match self {
            Self::Split { segment: s, into } => *s == segment || into.iter().any(is_part),
            Self::Merged { into, from } => *into == segment || from.iter().any(is_part),
            Self::Born { .. } | Self::Died { .. } => false,
        }
    }
}

impl Flows<'_> {
    fn events(&self, part: f64) -> Vec<Event> {
        let splits = (0..self.n_from).filter_map(|i| self.split(i, part));
        let merges = (0..self.n_to).filter_map(|j| self.merge(j, part));
        let mut events: Vec<Event> = splits.chain(merges).collect();
        self.ends(&mut events);
        events
    }

    fn split(&self, i: usize, part: f64) -> Option<Event> {
        let is_part =
            |j: &usize| self.share_of_row(i, *j) >= part && self.share_of_column(i, *j) >= 0.5;
        let n = self.migration.effective(i);
        let flow = |j: usize| self.flow(self.migration.to[j], self.share_of_row(i, j), n);
        let into: Vec<Flow> = (0..self.n_to).filter(is_part).map(flow).collect();
        (into.len() >= 2).then(|| Event::Split {
            segment: segment(self.migration.from[i]),
            into: largest_first(into),
        })
    }

    fn merge(&self, j: usize, part: f64) -> Option<Event> {
        let is_part =
            |i: &usize| self.share_of_column(*i, j) >= part && self.share_of_row(*i, j) >= 0.5;
        let n = self.n_both_to(j);
        let flow = |i: usize| self.flow(self.migration.from[i], self.share_of_column(i, j), n);
        let from: Vec<Flow> = (0..self.n_from).filter(is_part).map(flow).collect();
        (from.len() >= 2).then(|| Event::Merged {
            into: segment(self.migration.to[j]),
            from: largest_first(from),
        })
    }

    /// Deaths and births that no split and no merge tells of.
    fn ends(&self, events: &mut Vec<Event>) {
        let (from, to) = (&self.migration.from, &self.migration.to);
        let told: Vec<SegmentId> = {
            let all = from[..self.n_from].iter().chain(&to[..self.n_to]);
            let reshaped = |s: &SegmentId| events.iter().any(|e| e.reshapes(*s));
            all.map(|&place| segment(place)).filter(reshaped).collect()
        };
        let ends = |places: &[Place], i: usize, others: &[Place]| {
            !told.contains(&segment(places[i])) && !others.contains(&places[i])
        };
        for i in (0..self.n_from).filter(|&i| ends(from, i, to)) {
            let row = self.migration.weights.row(i);
            let total: f64 = row.iter().sum();
            let flows = (0..to.len())
                .map(|j| self.flow(to[j], share(row[j], total), self.migration.effective(i)));
            events.push(Event::Died {
                segment: segment(from[i]),
                into: largest_first(flows.collect()),
            });
        }
        for j in (0..self.n_to).filter(|&j| ends(to, j, from)) {
            let column = self.migration.weights.column(j);
            let total: f64 = column.iter().sum();
            let n = self.migration.counts.column(j).iter().sum::<u64>() as f64;
            let flows = (0..from.len()).map(|i| self.flow(from[i], share(column[i], total), n));
            events.push(Event::Born {
                segment: segment(to[j]),
                from: largest_first(flows.collect()),
            });
        }
    }

    fn share_of_row(&self, i: usize, j: usize) -> f64 {
        share(self.migration.weights[[i, j]], self.both_from[i])
    }

    fn share_of_column(&self, i: usize, j: usize) -> f64 {
        share(self.migration.weights[[i, j]], self.both_to[j])
    }

    fn n_both_to(&self, j: usize) -> f64 {
        let counts = self.migration.counts.column(j);
        counts.iter().take(self.n_from + 1).sum::<u64>() as f64
    }

    fn flow(&self, place: Place, share: f64, n: f64) -> Flow {
        Flow {
            place,
            share,
            interval: wilson(share, n),
        }
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).min(1.0)
    } else {
        0.0
    }
}

fn segment(place: Place) -> SegmentId {
    match place {
        Place::Segment(segment) => segment,
        Place::NoSegment | Place::Outside => unreachable!("invariant: segments come first"),
    }
}

fn largest_first(mut flows: Vec<Flow>) -> Vec<Flow> {
    flows.retain(|flow| flow.share >= WORTH_SAYING);
    flows.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.place.cmp(&b.place)));
    flows
}
