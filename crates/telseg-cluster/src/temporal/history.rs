//! What is remembered from month to month.

use std::fmt;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result, Scalar};

use super::hysteresis::Waiting;
use super::month::{Checked, Month, NO_SEGMENT};
use super::params::HistoryParams;
use super::stats::{Cuts, Stats};
use super::step::{Next, step};
use super::transition::{SegmentId, Transition};
use crate::kmeans::Init;

/// Segments that keep their number as long as they are the same, and what happened to them.
///
/// # Personal data
/// A history holds the id of every subscriber of the last month with the number of their segment, because without them
/// nobody can say who moved; of earlier months and of the rows it holds statistics of segments alone.
/// [`forget_subscribers`](Self::forget_subscribers) drops the ids; [`subscriber_key`](super::subscriber_key) makes numbers
/// of them that do not name anybody.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::temporal::{Month, SegmentHistory, SegmentId};
/// let ids = [11, 12, 13, 14, 15, 16];
/// let mut history = SegmentHistory::params().start()?;
/// history.update(&Month::without_rows(&ids, [0, 0, 0, 1, 1, 1]).with_name("January"))?;
/// // February's clustering numbers its clusters the other way round, and subscriber 13 has moved.
/// let change = history.update(&Month::without_rows(&ids, [1, 1, 0, 0, 0, 0]).with_name("February"))?;
/// assert_eq!(change.segment_of(1), Some(SegmentId(0)));
/// assert_eq!(change.segments()[2], Some(SegmentId(1)));
/// assert_eq!(change.migration.as_ref().map(|m| m.counts[[0, 1]]), Some(1));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentHistory {
    pub(super) params: HistoryParams,
    columns: Vec<String>,
    pub(super) cuts: Option<Cuts>,
    /// Of every segment that there ever was, by number.
    pub(super) records: Vec<SegmentRecord>,
    pub(super) transitions: Vec<Transition>,
    /// Last month's segments, ascending.
    pub(super) alive: Vec<SegmentId>,
    /// Statistics of each, and of no segment at the end.
    pub(super) stats: Vec<Stats>,
    /// Where the drift of each is measured from.
    origins: Vec<Origin>,
    /// The base in the first month with rows.
    pub(super) first: Option<Stats>,
    pub(super) members: Members,
    pub(super) waiting: Vec<Waiting>,
}

/// The life of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SegmentRecord {
    /// Its number.
    pub segment: SegmentId,
    /// What people call it.
    pub name: Option<String>,
    /// The month in which it was born, counted from 0.
    pub born: usize,
    /// The month in which it was no more.
    pub died: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    stats: Stats,
    month: usize,
}

/// Last month's subscribers, ascending.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Members {
    pub(super) ids: Vec<u64>,
    /// Index among last month's segments, or [`NO_SEGMENT`].
    pub(super) segment: Vec<u32>,
    weights: Option<Vec<f64>>,
}

impl Members {
    pub(super) fn new<F: Scalar>(month: &Checked<'_, F>, of: &[u32]) -> Self {
        let rows = || month.order.iter().map(|&row| row as usize);
        Self {
            ids: rows().map(|row| month.ids[row]).collect(),
            segment: rows().map(|row| of[row]).collect(),
            weights: month
                .weights
                .as_ref()
                .map(|w| rows().map(|row| w[row]).collect()),
        }
    }

    pub(super) fn weight(&self, at: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[at])
    }
}

impl SegmentHistory {
    /// What to ask for: everything by default.
    pub fn params() -> HistoryParams {
        HistoryParams::default()
    }

    pub(super) fn empty(params: HistoryParams) -> Self {
        Self {
            params,
            columns: Vec::new(),
            cuts: None,
            records: Vec::new(),
            transitions: Vec::new(),
            alive: Vec::new(),
            stats: vec![Stats::empty(0)],
            origins: Vec::new(),
            first: None,
            members: Members::default(),
            waiting: Vec::new(),
        }
    }

    /// Takes in the next month, and says what it changed.
    ///
    /// The first month starts the history: its segments are numbered in the order of their labels.
    ///
    /// # Errors
    /// When lengths differ, an id comes twice, a value is infinite, the columns are not those of the months before, or
    /// hysteresis asks for a margin and there are no rows. The history is then unchanged.
    ///
    /// # Cost
    /// O(n log n + n d) for `n` subscribers and `d` columns, mostly in parallel; a few times O(k^2 m) for `k` and `m`
    /// segments. A history takes 12 bytes a subscriber (20 with weights), and some 150 bytes a segment and column.
    pub fn update<F: Scalar>(&mut self, month: &Month<'_, F>) -> Result<Transition> {
        let month = month.check()?;
        self.check_columns(&month)?;
        let names = self.names(&month);
        let next = step(self, &month)?;
        if month.x.is_some() {
            self.columns = names;
        }
        Ok(self.commit(next))
    }

    fn check_columns<F: Scalar>(&self, month: &Checked<'_, F>) -> Result<()> {
        let Some(x) = month.x.as_ref().filter(|_| self.cuts.is_some()) else {
            return Ok(());
        };
        if x.ncols() != self.columns.len() {
            let expected = format!("{} columns (as in the months before)", self.columns.len());
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        let mut pairs = self.columns.iter().zip(&month.columns);
        match pairs.find(|(a, b)| a != b) {
            None => Ok(()),
            Some((a, b)) => {
                let problem = format!("expected {a:?} (as in the months before), found {b:?}");
                Err(Error::data("columns", problem))
            }
        }
    }

    /// Names of the columns: the month's, those of before, or made up.
    pub(super) fn names<F: Scalar>(&self, month: &Checked<'_, F>) -> Vec<String> {
        let n = month.x.as_ref().map_or(0, |x| x.ncols());
        match (month.columns.len() == n, self.columns.len() == n) {
            (true, _) => month.columns.clone(),
            (false, true) => self.columns.clone(),
            (false, false) => (0..n).map(|j| format!("column {j}")).collect(),
        }
    }

    fn commit(&mut self, next: Next) -> Transition {
        let now = self.transitions.len();
        for &gone in self.alive.iter().filter(|s| !next.alive.contains(s)) {
            self.records[gone.0 as usize].died = Some(now);
        }
        let origin = |(i, &segment): (usize, &SegmentId)| {
            let known = self
                .alive
                .binary_search(&segment)
                .ok()
                .map(|at| self.origins[at].clone());
            let columns = next.stats[i].moments.n_columns();
            known
                .filter(|o| o.stats.moments.n_columns() >= columns)
                .unwrap_or_else(|| Origin {
                    stats: next.stats[i].clone(),
                    month: now,
                })
        };
        self.origins = next.alive.iter().enumerate().map(origin).collect();
        let first = self.records.len() as u32;
        self.records
            .extend(
                next.alive
                    .iter()
                    .filter(|s| s.0 >= first)
                    .map(|&segment| SegmentRecord {
                        segment,
                        name: None,
                        born: now,
                        died: None,
                    }),
            );
        if self.first.is_none() && next.cuts.is_some() {
            self.first = Stats::whole(&next.stats).ok();
        }
        self.cuts = next.cuts;
        (self.alive, self.stats) = (next.alive, next.stats);
        (self.members, self.waiting) = (next.members, next.waiting);
        let mut kept = next.transition.clone();
        kept.segments = Vec::new();
        let params = &self.params;
        kept.drift
            .retain(|d| d.mean_moved(params) || d.distribution_changed(params));
        self.transitions.push(kept);
        next.transition
    }

    /// What was asked for.
    pub fn asked(&self) -> &HistoryParams {
        &self.params
    }

    /// What each month changed, the first month first. Of drift only what is alarming is kept, of subscribers nothing.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// Every segment that there ever was, by number.
    pub fn records(&self) -> &[SegmentRecord] {
        &self.records
    }

    /// The last month's segments, ascending.
    pub fn segments(&self) -> &[SegmentId] {
        &self.alive
    }

    /// Subscribers of the last month whose segment is remembered.
    pub fn n_subscribers(&self) -> usize {
        self.members.ids.len()
    }

    /// Means of the last month's segments, one a row, in the order of [`segments`](Self::segments); `None` without rows.
    pub fn centers(&self) -> Option<Array2<f64>> {
        let (k, d) = (self.alive.len(), self.stats[0].moments.n_columns());
        let means = self.stats[..k].iter().flat_map(Stats::center).collect();
        let centers = Array2::from_shape_vec((k, d), means).expect("invariant: a mean a column");
        (k > 0 && d > 0 && centers.iter().all(|c| c.is_finite())).then_some(centers)
    }

    /// Where k-means on the next month's rows may start, so that segments go on rather than being found anew: last month's
    /// means. Needs `with_n_init(1)`.
    ///
    /// # Examples
    /// ```
    /// use ndarray::array;
    /// use telseg_cluster::{KMeans, temporal::{Month, SegmentHistory}};
    /// let january = array![[0.1f32, 9.0], [0.2, 8.0], [7.0, 0.3], [6.0, 0.4]];
    /// let february = array![[6.5f32, 0.2], [6.1, 0.4], [0.3, 8.5], [0.1, 9.0]];
    /// let mut history = SegmentHistory::params().start()?;
    /// let model = KMeans::params(2).fit(&january)?;
    /// history.update(&Month::new(&[1, 2, 3, 4], model.labels().iter().copied(), &january))?;
    ///
    /// let start = history.warm_start().expect("January had rows");
    /// let model = KMeans::params(2).with_init(start).with_n_init(1).fit(&february)?;
    /// let change = history.update(&Month::new(&[3, 4, 1, 2], model.labels().iter().copied(), &february))?;
    /// assert!(change.events.is_empty());
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn warm_start(&self) -> Option<Init> {
        self.centers().map(Init::Centers)
    }

    /// What a segment is called; `None` when it has no name.
    pub fn name(&self, segment: SegmentId) -> Option<&str> {
        self.records.get(segment.0 as usize)?.name.as_deref()
    }

    /// Gives a segment a name, which later alarms say.
    ///
    /// # Errors
    /// When there never was such a segment.
    pub fn set_name(&mut self, segment: SegmentId, name: impl Into<String>) -> Result<()> {
        let n = self.records.len();
        let record = self.records.get_mut(segment.0 as usize).ok_or_else(|| {
            Error::param(
                "segment",
                format!("expected a number below {n}, found {}", segment.0),
            )
        })?;
        record.name = Some(name.into());
        Ok(())
    }

    /// Takes a segment as it is now for what it should be: drift since birth is measured from here on.
    ///
    /// # Errors
    /// When it is none of the last month's segments.
    pub fn accept_drift(&mut self, segment: SegmentId) -> Result<()> {
        let at = self.alive.binary_search(&segment);
        let at = at.map_err(|_| Error::param("segment", format!("{} is not alive", segment.0)))?;
        self.origins[at] = Origin {
            stats: self.stats[at].clone(),
            month: self.transitions.len() - 1,
        };
        Ok(())
    }

    /// Drops the ids of all subscribers. The next month's clusters are then matched by their centres alone, nobody is held
    /// back, and who moved cannot be said.
    pub fn forget_subscribers(&mut self) {
        self.members = Members::default();
        self.waiting = Vec::new();
    }

    pub(super) fn say(&self, segment: SegmentId) -> String {
        match self.name(segment) {
            Some(name) => format!("{segment} \"{name}\""),
            None => segment.to_string(),
        }
    }

    pub(super) fn stats_of(&self, segment: SegmentId) -> Option<&Stats> {
        self.alive
            .binary_search(&segment)
            .ok()
            .map(|at| &self.stats[at])
    }

    /// Where the drift of a segment is measured from, unless that is last month.
    pub(super) fn origin_of(&self, segment: SegmentId) -> Option<&Stats> {
        let origin = &self.origins[self.alive.binary_search(&segment).ok()?];
        (origin.month + 1 < self.transitions.len()).then_some(&origin.stats)
    }
}

/// Subscribers of each segment, month by month.
impl fmt::Display for SegmentHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .records
            .iter()
            .map(|r| self.say(r.segment).chars().count())
            .max();
        let width = width.unwrap_or(0).max(8);
        write!(f, "{:width$}", "")?;
        for transition in &self.transitions {
            write!(f, " {:>10}", transition.month)?;
        }
        writeln!(f)?;
        for record in &self.records {
            write!(f, "{:width$}", self.say(record.segment))?;
            for transition in &self.transitions {
                let size = transition
                    .sizes
                    .iter()
                    .find(|s| s.segment == record.segment);
                match size {
                    Some(size) => write!(f, " {:>10}", size.n)?,
                    None => write!(f, " {:>10}", "-")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Artefact for SegmentHistory {
    const KIND: &'static str = "segment_history";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::artefact("segment history", problem.to_owned()));
        self.params.validate()?;
        let (n, k) = (self.records.len(), self.alive.len());
        let numbered = self
            .records
            .iter()
            .enumerate()
            .all(|(i, r)| r.segment.0 as usize == i);
        let ascending = self.alive.windows(2).all(|w| w[0] < w[1]);
        if !numbered || !ascending || self.alive.iter().any(|s| s.0 as usize >= n) {
            return broken("segments are not in the order of their numbers");
        }
        if self.stats.len() != k + 1
            || self.origins.len() != k
            || (k > 0 && self.transitions.is_empty())
        {
            return broken("segments and their statistics differ in number");
        }
        let columns = self.stats[0].moments.n_columns();
        if columns != 0 && columns != self.columns.len() {
            return broken("columns and statistics differ in number");
        }
        self.stats.iter().try_for_each(|s| s.validate(columns))?;
        for stats in self.origins.iter().map(|o| &o.stats).chain(&self.first) {
            let columns = if stats.moments.n_columns() == 0 {
                0
            } else {
                self.columns.len()
            };
            stats.validate(columns)?;
        }
        if let Some(cuts) = &self.cuts {
            cuts.validate(self.columns.len())?;
        }
        let members = &self.members;
        let known = |s: &u32| *s == NO_SEGMENT || (*s as usize) < k;
        let weighed = members.weights.as_ref().is_none_or(|w| {
            w.len() == members.ids.len() && w.iter().all(|w| w.is_finite() && *w >= 0.0)
        });
        let sorted = members.ids.windows(2).all(|w| w[0] < w[1]);
        if members.segment.len() != members.ids.len()
            || !sorted
            || !weighed
            || !members.segment.iter().all(known)
        {
            return broken("subscribers and their segments contradict each other");
        }
        if !self.waiting.windows(2).all(|w| w[0].id < w[1].id) {
            return broken("those held back are not in the order of their ids");
        }
        self.transitions
            .iter()
            .filter_map(|t| t.migration.as_ref())
            .try_for_each(|m| m.validate())
    }
}
