//! What somebody should look at, in plain sentences.

use std::fmt;

use serde::{Deserialize, Serialize};
use telseg_core::stats::two_sided_p;

use super::drift::{Drift, Since};
use super::event::{Event, Flow};
use super::migration::{Migration, Place};
use super::params::HistoryParams;
use super::transition::{SegmentId, Size};

/// What an alarm is about, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AlarmKind {
    /// A segment became several.
    Split,
    /// Several became one.
    Merged,
    /// A segment is gone.
    Died,
    /// A segment is new.
    Born,
    /// A segment grew or shrank.
    Size,
    /// A segment loses subscribers faster than the others.
    Leaving,
    /// A mean moved.
    Drift,
    /// A distribution changed.
    Distribution,
}

/// Something to look at: large and, where a test says so, no accident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alarm {
    /// What it is about.
    pub kind: AlarmKind,
    /// The segment; `None`: the whole base.
    pub segment: Option<SegmentId>,
    /// How large, in the unit of the kind's threshold (relative change, ratio, standard deviations, index); of events, the
    /// largest share.
    pub effect: f64,
    /// p-value adjusted for all tests of the month; `None` for events, which are no tests.
    pub q_value: Option<f64>,
    /// The sentence.
    pub text: String,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A test whose p-value is adjusted together with all others of the month.
pub(super) struct Test {
    alarm: Alarm,
    large: bool,
}

/// How a segment is spoken of.
pub(super) type Say<'a> = &'a dyn Fn(SegmentId) -> String;

/// One alarm an event.
pub(super) fn of_events(events: &[Event], sizes: &[Size], say: Say<'_>) -> Vec<Alarm> {
    let alarm = |event: &Event| {
        let (kind, segment, flows, text) = match event {
            Event::Split { segment, into } => {
                let text = format!(
                    "{} split into {}",
                    say(*segment),
                    list(into, "outside", say)
                );
                (AlarmKind::Split, segment, into, text)
            }
            Event::Merged { into, from } => {
                let text = format!("{} merged into {}", list(from, "outside", say), say(*into));
                (AlarmKind::Merged, into, from, text)
            }
            Event::Died { segment, into } => {
                let text = format!(
                    "{} is gone: {}",
                    say(*segment),
                    list(into, "left the base", say)
                );
                (AlarmKind::Died, segment, into, text)
            }
            Event::Born { segment, from } => {
                let n = sizes
                    .iter()
                    .find(|s| s.segment == *segment)
                    .map_or(0, |s| s.n);
                let (n, from_text) = (count(n), list(from, "joined the base", say));
                let text = format!(
                    "{} is new, with {n} subscribers: {from_text}",
                    say(*segment)
                );
                (AlarmKind::Born, segment, from, text)
            }
        };
        Alarm {
            kind,
            segment: Some(*segment),
            effect: flows.first().map_or(0.0, |flow| flow.share),
            q_value: None,
            text: sentence(&text),
        }
    };
    events.iter().map(alarm).collect()
}

/// Parts of a segment, as a list: "segment 1 (55 %) and segment 4 (40 %)".
fn list(flows: &[Flow], outside: &str, say: Say<'_>) -> String {
    let part = |flow: &Flow| {
        let place = match flow.place {
            Place::Segment(segment) => say(segment),
            Place::NoSegment => "no segment".into(),
            Place::Outside => outside.to_owned(),
        };
        format!("{place} ({})", percent(flow.share))
    };
    join(flows.iter().map(part).collect())
}

fn join(mut parts: Vec<String>) -> String {
    match parts.pop() {
        None => "nothing of note".into(),
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
    }
}

/// Whether a segment grew or shrank: who came against who went, `z = (in - out) / sqrt(in + out)`.
pub(super) fn of_sizes(
    migration: &Migration,
    sizes: &[&Size],
    params: &HistoryParams,
    say: Say<'_>,
) -> Vec<Test> {
    let mut tests = Vec::new();
    for size in sizes {
        let (Some(change), Some((i, j))) = (size.change, places(migration, size.segment)) else {
            continue;
        };
        let stayed = migration.counts[[i, j]];
        let before: u64 = migration.counts.row(i).iter().sum();
        let (went, came) = (before - stayed, size.n - stayed);
        if (before.min(size.n) as usize) < params.min_rows {
            continue;
        }
        let left = *migration
            .counts
            .row(i)
            .last()
            .expect("invariant: outside is a place");
        let joined = *migration
            .counts
            .column(j)
            .last()
            .expect("invariant: outside is a place");
        let (net, all) = (came as f64 - went as f64, (came + went) as f64);
        let p = if all > 0.0 {
            two_sided_p(net / all.sqrt())
        } else {
            1.0
        };
        let verb = if change < 0.0 { "shrank" } else { "grew" };
        let text = format!(
            "{} {verb} by {}, from {} to {} subscribers: {} joined and {} left the base, {} came from other segments and {} went to others",
            say(size.segment),
            percent(change.abs()),
            count(before),
            count(size.n),
            count(joined),
            count(left),
            count(came - joined),
            count(went - left),
        );
        tests.push(Test::new(
            AlarmKind::Size,
            Some(size.segment),
            (change, p),
            change.abs() >= params.size_alarm,
            &text,
        ));
    }
    tests
}

/// Whether a segment is left faster than the rest of the base: the pooled test of two shares.
pub(super) fn of_leaving(migration: &Migration, params: &HistoryParams, say: Say<'_>) -> Vec<Test> {
    let outside = migration.to.len() - 1;
    let n_places = migration.from.len() - 1;
    let row = |i: usize| {
        (
            migration.weights[[i, outside]],
            migration.weights.row(i).iter().sum::<f64>(),
            migration.effective(i),
        )
    };
    let all: Vec<_> = (0..n_places).map(row).collect();
    let sum = |f: fn(&(f64, f64, f64)) -> f64| all.iter().map(f).sum::<f64>();
    let (left, weight, n) = (sum(|r| r.0), sum(|r| r.1), sum(|r| r.2));
    let mut tests = Vec::new();
    for (i, &(l, w, m)) in all.iter().enumerate() {
        let (Place::Segment(segment), rest) = (migration.from[i], weight - w) else {
            continue;
        };
        if m < params.min_rows as f64
            || n - m < params.min_rows as f64
            || left - l <= 0.0
            || l <= 0.0
        {
            continue;
        }
        let (rate, others, pooled) = (l / w, (left - l) / rest, left / weight);
        let error = (pooled * (1.0 - pooled) * (1.0 / m + 1.0 / (n - m))).sqrt();
        let p = if error > 0.0 {
            two_sided_p((rate - others) / error)
        } else {
            1.0
        };
        let ratio = rate / others;
        let text = format!(
            "{} loses subscribers {ratio:.1} times as fast as the rest: {} left the base this month, of the others {}",
            say(segment),
            percent(rate),
            percent(others),
        );
        tests.push(Test::new(
            AlarmKind::Leaving,
            Some(segment),
            (ratio, p),
            ratio >= params.leaving_alarm && ratio > 1.0,
            &text,
        ));
    }
    tests
}

impl Test {
    fn new(
        kind: AlarmKind,
        segment: Option<SegmentId>,
        (effect, p): (f64, f64),
        large: bool,
        text: &str,
    ) -> Self {
        let alarm = Alarm {
            kind,
            segment,
            effect,
            q_value: Some(p),
            text: sentence(text),
        };
        Self { alarm, large }
    }

    pub(super) fn p(&self) -> f64 {
        self.alarm.q_value.unwrap_or(1.0)
    }

    /// The alarm, when it is large and its adjusted p-value small.
    pub(super) fn judge(mut self, q: f64, max_q: f64) -> Option<Alarm> {
        self.alarm.q_value = Some(q);
        (self.large && q <= max_q).then_some(self.alarm)
    }
}

/// One alarm for the means and one for the distributions of a segment since a month: the column that moved most, and how
/// many others did. Of a column whose mean moved enough the distribution is not spoken of again; nor is a segment that
/// moved as the whole base did.
pub(super) fn of_drift(drift: &[Drift], params: &HistoryParams, say: Say<'_>) -> Vec<Alarm> {
    let with_base = |d: &Drift| {
        let base = drift.iter().find(|b| {
            (b.segment, b.since, b.column) == (None, d.since, d.column) && b.mean_moved(params)
        });
        base.filter(|_| d.segment.is_some()).map(|base| base.shift)
    };
    let moved = |d: &Drift| {
        let own = d.shift - with_base(d).unwrap_or(0.0);
        d.mean_moved(params) && own.abs() >= params.drift_alarm
    };
    let changed = |d: &Drift| d.distribution_changed(params) && !moved(d) && with_base(d).is_none();
    let mut alarms = Vec::new();
    for of_one in drift.chunk_by(|a, b| (a.segment, a.since) == (b.segment, b.since)) {
        if let Some((d, others)) = most(of_one, moved, |d| d.shift.abs()) {
            let decimals = decimals(d.before.abs().max(d.after.abs()));
            let text = format!(
                "{} drifted by {:.2} standard deviations in {} {}: its mean went from {:.*} to {:.*}{}",
                subject(d, say),
                d.shift.abs(),
                d.name,
                when(d.since),
                decimals,
                d.before,
                decimals,
                d.after,
                and_others(others),
            );
            alarms.push(Alarm {
                kind: AlarmKind::Drift,
                segment: d.segment,
                effect: d.shift,
                q_value: Some(d.q_value),
                text: sentence(&text),
            });
        }
        if let Some((d, others)) = most(of_one, changed, |d| d.psi) {
            let text = format!(
                "The distribution of {} in {} changed {}: its stability index is {:.2}{}",
                d.name,
                subject(d, say),
                when(d.since),
                d.psi,
                and_others(others),
            );
            alarms.push(Alarm {
                kind: AlarmKind::Distribution,
                segment: d.segment,
                effect: d.psi,
                q_value: Some(d.psi_q_value),
                text: sentence(&text),
            });
        }
    }
    alarms
}

/// The entry of which `by` is largest among those that are `is`, and how many others are.
fn most(
    drift: &[Drift],
    is: impl Fn(&Drift) -> bool,
    by: fn(&Drift) -> f64,
) -> Option<(&Drift, usize)> {
    let found: Vec<&Drift> = drift.iter().filter(|d| is(d)).collect();
    let n = found.len();
    let first = found
        .into_iter()
        .reduce(|a, b| if by(b) > by(a) { b } else { a });
    first.map(|d| (d, n - 1))
}

fn subject(d: &Drift, say: Say<'_>) -> String {
    d.segment.map_or_else(|| "the whole base".into(), say)
}

fn when(since: Since) -> &'static str {
    match since {
        Since::LastMonth => "since last month",
        Since::Birth => "since its first month",
    }
}

fn and_others(n: usize) -> String {
    match n {
        0 => String::new(),
        1 => "; so did another column, less".into(),
        n => format!("; so did {n} other columns, less"),
    }
}

/// Where a segment is in the rows and in the columns.
fn places(migration: &Migration, segment: SegmentId) -> Option<(usize, usize)> {
    let find = |places: &[Place]| places.iter().position(|&p| p == Place::Segment(segment));
    Some((find(&migration.from)?, find(&migration.to)?))
}

/// With a capital letter in front and a full stop at the end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        p if p >= 9.95 => format!("{p:.0} %"),
        p => format!("{p:.1} %"),
    }
}

/// With commas between thousands.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Decimals that leave three digits that count.
fn decimals(largest: f64) -> usize {
    let size = if largest > 0.0 {
        largest.log10().floor()
    } else {
        0.0
    };
    (2.0 - size).clamp(0.0, 9.0) as usize
}

#[cfg(test)]
mod tests {
    use super::{count, decimals, join, percent, sentence};

    #[test]
    fn words_and_numbers() {
        assert_eq!(
            [count(7), count(1234), count(1_234_567)],
            ["7", "1,234", "1,234,567"]
        );
        assert_eq!([0.0, 3.25, 12345.6, 0.0123].map(decimals), [2, 2, 0, 4]);
        assert_eq!([percent(0.031), percent(0.256)], ["3.1 %", "26 %"]);
        assert_eq!(sentence("segment 3 is gone"), "Segment 3 is gone.");
        assert_eq!(join(vec!["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
