//! From one month to the next.

use telseg_core::stats::benjamini_hochberg;
use telseg_core::{Result, Scalar};

use super::alarm;
use super::align::{Likeness, spread};
use super::drift::{Drift, Pair, Since};
use super::event;
use super::history::{Members, SegmentHistory};
use super::hysteresis::{Held, Situation, Waited, Waiting};
use super::migration::Migration;
use super::month::{Checked, NO_SEGMENT};
use super::stats::{Cuts, Stats};
use super::transition::{Match, SegmentId, Size, Transition};

/// Stands for a subscriber who was not in the base.
const ABSENT: u32 = u32::MAX;

/// What the history becomes: nothing has changed in it yet.
pub(super) struct Next {
    pub(super) transition: Transition,
    pub(super) cuts: Option<Cuts>,
    /// Segments by ascending number, and their statistics with those of no segment at the end.
    pub(super) alive: Vec<SegmentId>,
    pub(super) stats: Vec<Stats>,
    pub(super) members: Members,
    pub(super) waiting: Vec<Waiting>,
}

/// The months before and this one.
struct Step<'a, 'x, F: Scalar> {
    history: &'a SegmentHistory,
    month: &'a Checked<'x, F>,
    cuts: Option<Cuts>,
    /// By row: index among last month's segments, [`NO_SEGMENT`] or [`ABSENT`].
    before: Vec<u32>,
    waited: Vec<Option<Waiting>>,
    /// Last month's subscribers that are not found, by index.
    left: Vec<usize>,
}

/// The step from the history's last month to `month`.
pub(super) fn step<F: Scalar>(history: &SegmentHistory, month: &Checked<'_, F>) -> Result<Next> {
    let cuts = match (&history.cuts, &month.x) {
        (_, None) => None,
        (Some(cuts), Some(_)) => Some(cuts.clone()),
        (None, Some(x)) => Some(Cuts::of(month, x)?),
    };
    let mut step = Step {
        history,
        month,
        cuts,
        before: vec![ABSENT; month.ids.len()],
        waited: vec![None; month.ids.len()],
        left: Vec::new(),
    };
    step.find_again();
    step.run()
}

impl<F: Scalar> Step<'_, '_, F> {
    /// Walks through the ids of both months in ascending order.
    fn find_again(&mut self) {
        let members = &self.history.members;
        let (mut at, mut waiting) = (0, self.history.waiting.iter().peekable());
        for &row in &self.month.order {
            let id = self.month.ids[row as usize];
            while members.ids.get(at).is_some_and(|&old| old < id) {
                self.left.push(at);
                at += 1;
            }
            if members.ids.get(at) == Some(&id) {
                self.before[row as usize] = members.segment[at];
                at += 1;
            }
            while waiting.next_if(|w| w.id < id).is_some() {}
            self.waited[row as usize] = waiting.next_if(|w| w.id == id).copied();
        }
        self.left.extend(at..members.ids.len());
    }

    fn run(self) -> Result<Next> {
        let (history, month, k) = (self.history, self.month, self.month.labels.len());
        let raw = Stats::of_groups(month, &month.of, k, self.cuts.as_ref())?;
        let is_first = history.transitions.is_empty();
        let (matches, likeness) = self.matches(&raw)?;
        let ids: Vec<SegmentId> = matches.iter().map(|m| m.segment).collect();
        let (of, held) = self.hold(&raw, &matches)?;
        let stats = match &of {
            Some(of) => Stats::of_groups(month, of, k, self.cuts.as_ref())?,
            None => raw,
        };
        let of = of.unwrap_or_else(|| month.of.clone());
        let segments = of
            .iter()
            .map(|&g| (g != NO_SEGMENT).then(|| ids[g as usize]))
            .collect();
        let migration = (!is_first).then(|| self.migration(&of, &ids));
        let waiting = self.waiting(&of, &ids);
        let (alive, stats, of) = by_number(&ids, stats, &of);
        let mut transition = Transition {
            month: month
                .name
                .clone()
                .unwrap_or_else(|| format!("month {}", history.transitions.len() + 1)),
            n_shared: (history.members.ids.len() - self.left.len()) as u64,
            id_weight: likeness.as_ref().map_or(0.0, |l| l.id_weight),
            matches,
            sizes: self.sizes(&alive, &stats),
            migration: migration.map(Migration::sorted),
            events: Vec::new(),
            drift: Vec::new(),
            alarms: Vec::new(),
            held,
            segments,
        };
        self.judge(&mut transition, &alive, &stats);
        let members = Members::new(month, &of);
        Ok(Next {
            transition,
            cuts: self.cuts.or_else(|| history.cuts.clone()),
            alive,
            stats,
            members,
            waiting,
        })
    }

    /// Which segment each cluster is.
    fn matches(&self, raw: &[Stats]) -> Result<(Vec<Match>, Option<Likeness>)> {
        let history = self.history;
        let labels = &self.month.labels;
        let mut fresh = history.records.len() as u32;
        let mut number = || {
            fresh += 1;
            SegmentId(fresh - 1)
        };
        if history.transitions.is_empty() {
            let start = |&label: &u32| Match {
                label,
                segment: number(),
                is_new: true,
                similarity: 0.0,
                shared: None,
                distance: None,
            };
            return Ok((labels.iter().map(start).collect(), None));
        }
        let clusters: Vec<SegmentId> = (0..labels.len() as u32).map(SegmentId).collect();
        let flows = self.migration(&self.month.of, &clusters);
        let likeness = Likeness::new(&flows, &history.stats, raw, &history.params);
        let pairs = likeness.pairs(history.params.same)?;
        let matched = labels
            .iter()
            .zip(pairs)
            .enumerate()
            .map(|(j, (&label, pair))| {
                let at = pair.or_else(|| likeness.nearest(j)).map(|i| [i, j]);
                let of = |table: &ndarray::Array2<f64>| at.map(|at| table[at]);
                Match {
                    label,
                    segment: pair.map_or_else(&mut number, |i| history.alive[i]),
                    is_new: pair.is_none(),
                    similarity: of(&likeness.similarity).unwrap_or(0.0),
                    shared: likeness.shared.as_ref().and_then(of),
                    distance: likeness.distance.as_ref().and_then(of),
                }
            });
        Ok((matched.collect(), Some(likeness)))
    }

    /// Groups after hysteresis; `None` when nothing was held.
    fn hold(&self, raw: &[Stats], matches: &[Match]) -> Result<(Option<Vec<u32>>, Option<Held>)> {
        let history = self.history;
        let Some(rule) = history
            .params
            .hysteresis
            .filter(|_| !history.transitions.is_empty())
        else {
            return Ok((None, None));
        };
        let cluster_of = |segment: SegmentId| {
            matches
                .iter()
                .position(|m| m.segment == segment)
                .map(|g| g as u32)
        };
        let now: Vec<Option<u32>> = history.alive.iter().map(|&s| cluster_of(s)).collect();
        let kept = |&before: &u32| match before {
            ABSENT => None,
            NO_SEGMENT => Some(NO_SEGMENT),
            segment => now[segment as usize],
        };
        let kept: Vec<Option<u32>> = self.before.iter().map(kept).collect();
        let number = |g: u32| {
            if g == NO_SEGMENT {
                NO_SEGMENT
            } else {
                matches[g as usize].segment.0
            }
        };
        let waited = |(waiting, &g): (&Option<Waiting>, &u32)| match waiting {
            None => Waited::default(),
            Some(w) => Waited {
                was_held: true,
                months: if w.to == number(g) { w.months } else { 0 },
            },
        };
        let waited: Vec<Waited> = self.waited.iter().zip(&self.month.of).map(waited).collect();
        let goes_on: Vec<bool> = matches.iter().map(|m| !m.is_new).collect();
        let situation = Situation {
            month: self.month,
            stats: raw,
            goes_on: &goes_on,
            kept: &kept,
            waited: &waited,
        };
        let outcome = situation.hold(&rule)?;
        Ok((
            (outcome.held.n_held > 0).then_some(outcome.of),
            Some(outcome.held),
        ))
    }

    /// Those held, in ascending order of their ids.
    fn waiting(&self, of: &[u32], ids: &[SegmentId]) -> Vec<Waiting> {
        let held = self
            .month
            .order
            .iter()
            .map(|&row| row as usize)
            .filter(|&row| of[row] != self.month.of[row]);
        let waiting = held.map(|row| {
            let raw = self.month.of[row];
            let to = if raw == NO_SEGMENT {
                NO_SEGMENT
            } else {
                ids[raw as usize].0
            };
            let before = self.waited[row]
                .filter(|w| w.to == to)
                .map_or(0, |w| w.months);
            Waiting {
                id: self.month.ids[row],
                to,
                months: before.saturating_add(1),
            }
        });
        waiting.collect()
    }

    /// Who moved from last month's segments to these.
    fn migration(&self, of: &[u32], ids: &[SegmentId]) -> Migration {
        let (history, month) = (self.history, self.month);
        let (k, m) = (history.alive.len(), ids.len());
        let mut migration = Migration::new(&history.alive, ids);
        let place = |code: u32, n: usize| match code {
            ABSENT => n + 1,
            NO_SEGMENT => n,
            segment => segment as usize,
        };
        for (row, (&before, &now)) in self.before.iter().zip(of).enumerate() {
            migration.add(place(before, k), place(now, m), month.weight(row));
        }
        for &at in &self.left {
            migration.add(
                place(history.members.segment[at], k),
                m + 1,
                history.members.weight(at),
            );
        }
        migration
    }

    fn sizes(&self, alive: &[SegmentId], stats: &[Stats]) -> Vec<Size> {
        let total: f64 = stats.iter().map(|s| s.weight).sum();
        let size = |(&segment, s): (&SegmentId, &Stats)| {
            let before = self
                .history
                .stats_of(segment)
                .map(|b| b.weight)
                .filter(|&w| w > 0.0);
            Size {
                segment,
                n: s.n,
                weight: s.weight,
                share: s.weight / total,
                change: before.map(|before| s.weight / before - 1.0),
            }
        };
        alive.iter().zip(stats).map(size).collect()
    }

    /// Events, drift and alarms.
    fn judge(&self, transition: &mut Transition, alive: &[SegmentId], stats: &[Stats]) {
        let (history, params) = (self.history, &self.history.params);
        let Some(migration) = &transition.migration else {
            return;
        };
        let say = |segment: SegmentId| history.say(segment);
        if transition.n_shared > 0 {
            transition.events = event::events(migration, params);
        }
        let mut drift = self.drift(alive, stats);
        let mut tests = Vec::new();
        if transition.n_shared > 0 {
            let events = &transition.events;
            let untold = |size: &&Size| !events.iter().any(|e| e.reshapes(size.segment));
            let sizes: Vec<&Size> = transition.sizes.iter().filter(untold).collect();
            tests.extend(alarm::of_sizes(migration, &sizes, params, &say));
            tests.extend(alarm::of_leaving(migration, params, &say));
        }
        let ps = drift.iter().flat_map(|d| [d.q_value, d.psi_q_value]);
        let ps: Vec<f64> = ps.chain(tests.iter().map(|t| t.p())).collect();
        let q = benjamini_hochberg(&ps);
        let (of_drift, of_tests) = q.split_at(2 * drift.len());
        for (d, q) in drift.iter_mut().zip(of_drift.chunks_exact(2)) {
            (d.q_value, d.psi_q_value) = (q[0], q[1]);
        }
        let mut alarms = alarm::of_events(&transition.events, &transition.sizes, &say);
        let judged = tests.into_iter().zip(of_tests);
        alarms.extend(judged.filter_map(|(test, &q)| test.judge(q, params.max_q)));
        alarms.extend(alarm::of_drift(&drift, params, &say));
        alarms.sort_by(|a, b| {
            a.kind
                .cmp(&b.kind)
                .then(b.effect.abs().total_cmp(&a.effect.abs()))
        });
        (transition.drift, transition.alarms) = (drift, alarms);
    }

    fn drift(&self, alive: &[SegmentId], stats: &[Stats]) -> Vec<Drift> {
        let history = self.history;
        let columns = history.names(self.month);
        let min_rows = history.params.min_rows;
        let (Some(now), Some(scale)) = (Stats::whole(stats).ok(), spread(&history.stats)) else {
            return Vec::new();
        };
        let before = Stats::whole(&history.stats).ok();
        let mut drift = Vec::new();
        let mut compare = |segment, since, before: Option<&Stats>, after: &Stats| {
            if let Some(before) = before {
                let pair = Pair {
                    segment,
                    since,
                    before,
                    after,
                    scale: &scale,
                };
                drift.extend(pair.measure(&columns, min_rows));
            }
        };
        let is_old = history.transitions.len() > 1;
        compare(None, Since::LastMonth, before.as_ref(), &now);
        compare(
            None,
            Since::Birth,
            history.first.as_ref().filter(|_| is_old),
            &now,
        );
        for (&segment, after) in alive.iter().zip(stats) {
            compare(
                Some(segment),
                Since::LastMonth,
                history.stats_of(segment),
                after,
            );
            compare(
                Some(segment),
                Since::Birth,
                history.origin_of(segment),
                after,
            );
        }
        drift
    }
}

/// Segments by ascending number: their statistics (no segment stays last), and the groups of rows by the new order.
fn by_number(
    ids: &[SegmentId],
    mut stats: Vec<Stats>,
    of: &[u32],
) -> (Vec<SegmentId>, Vec<Stats>, Vec<u32>) {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_unstable_by_key(|&g| ids[g]);
    let mut place = vec![0; ids.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(at, &g)| place[g] = at as u32);
    let none = stats.pop();
    let sorted = order
        .iter()
        .map(|&g| stats[g].clone())
        .chain(none)
        .collect();
    let of = of.iter().map(|&g| {
        if g == NO_SEGMENT {
            g
        } else {
            place[g as usize]
        }
    });
    (
        order.iter().map(|&g| ids[g]).collect(),
        sorted,
        of.collect(),
    )
}
