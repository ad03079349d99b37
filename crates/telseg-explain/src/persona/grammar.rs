//! Plain sentences from a grammar: for each kind of fact a few ways to say it, chosen by seed, none twice in a row.

use rand::Rng as _;
use telseg_core::seed::Rng;

use super::numbers;
use super::sheet::{FactSheet, Measure, SheetFact};
use super::words;

/// From here a ratio says more than two numbers.
const RATIO: f64 = 1.6;

/// The ways to say a fact; which one was used last is kept, so that neighbours differ.
pub(super) struct Grammar<'a> {
    sheet: &'a FactSheet,
    stream: Rng,
    last: Option<usize>,
}

impl<'a> Grammar<'a> {
    pub(super) fn new(sheet: &'a FactSheet, stream: Rng) -> Self {
        Self {
            sheet,
            stream,
            last: None,
        }
    }

    /// A sentence that says one fact.
    pub(super) fn sentence(&mut self, fact: &SheetFact) -> String {
        let ways = match &fact.measure {
            Measure::Size => size(self.sheet),
            Measure::Mean => mean(fact),
            Measure::Share { level } => share(fact, level),
            Measure::Missing => missing(fact),
        };
        // One draw a sentence, whatever the number of ways: the next sentence does not depend on it.
        let drawn = self.stream.random_range(0..60usize);
        let mut way = drawn % ways.len();
        if ways.len() > 1 && self.last == Some(way) {
            way = (way + 1) % ways.len();
        }
        self.last = Some(way);
        words::upper_first(&ways[way])
    }
}

fn size(sheet: &FactSheet) -> Vec<String> {
    let (name, noun) = (&sheet.name, &sheet.noun);
    let n = numbers::count(sheet.n);
    let share = numbers::share(sheet.facts[0].value);
    vec![
        format!("\u{201c}{name}\u{201d} counts {n} {noun}, {share} of the base."),
        format!("the segment \u{201c}{name}\u{201d} holds {n} {noun}, {share} of the base."),
        format!("{n} {noun}, {share} of the base, make up \u{201c}{name}\u{201d}."),
    ]
}

fn mean(fact: &SheetFact) -> Vec<String> {
    let subject = &fact.subject;
    let unit = fact
        .unit
        .as_ref()
        .map_or(String::new(), |u| format!(" {u}"));
    let value = format!("{}{unit}", numbers::amount(fact.value));
    let base = fact.base.unwrap_or(f64::NAN);
    let plural = subject.ends_with('s') && !subject.ends_with("ss");
    let (averages, is) = if plural {
        ("average", "are")
    } else {
        ("averages", "is")
    };
    let against = format!("against {} in the base", numbers::amount(base));
    if fact.outcome {
        let interval = fact.interval.map_or(String::new(), |[low, high]| {
            format!(" ({} to {})", numbers::amount(low), numbers::amount(high))
        });
        return vec![
            format!("{subject} {averages} {value}{interval}, {against}."),
            format!("their {subject} {averages} {value}{interval}, {against}."),
        ];
    }
    let mut ways = vec![
        format!("their {subject} {averages} {value}, {against}."),
        format!(
            "{subject} {averages} {value}, where the base has {}.",
            numbers::amount(base)
        ),
    ];
    if fact.differs {
        let way = if fact.is_more() { "higher" } else { "lower" };
        let base = numbers::amount(base);
        ways.push(format!(
            "their {subject} {is} {way} than in the base: {value} on average, against {base}."
        ));
    }
    let ratio = fact.value / base;
    if fact.value > 0.0 && base > 0.0 && (RATIO..100.0).contains(&ratio) {
        let ratio = numbers::amount(ratio);
        ways.push(format!(
            "their {subject} {averages} {value}, {ratio} times the base."
        ));
    }
    ways
}

fn share(fact: &SheetFact, level: &str) -> Vec<String> {
    let value = numbers::percent(fact.value);
    let base = numbers::percent(fact.base.unwrap_or(f64::NAN));
    if fact.outcome && fact.flag() == Some(true) {
        let interval = fact.interval.map_or(String::new(), |[low, high]| {
            format!(" ({} to {})", numbers::percent(low), numbers::percent(high))
        });
        let subject = &fact.subject;
        return vec![
            format!("{subject} stands at {value}{interval}, against {base} in the base."),
            format!("their {subject} stands at {value}{interval}, where the base has {base}."),
        ];
    }
    let predicate = words::predicate(&fact.column, level);
    let mut ways = vec![
        format!("{value} {predicate}, against {base} in the base."),
        format!("{value} of them {predicate}, where the base has {base}."),
    ];
    if fact.differs {
        let way = if fact.is_more() { "more" } else { "fewer" };
        ways.push(format!(
            "{way} of them than in the base {predicate}: {value} against {base}."
        ));
    }
    ways
}

fn missing(fact: &SheetFact) -> Vec<String> {
    let subject = &fact.subject;
    let plural = subject.ends_with('s') && !subject.ends_with("ss");
    let is = if plural { "are" } else { "is" };
    let value = numbers::percent(fact.value);
    let base = numbers::percent(fact.base.unwrap_or(f64::NAN));
    vec![
        format!("for {value} of them {subject} {is} unknown, against {base} in the base."),
        format!("{subject} {is} unknown for {value} of them, where the base has {base}."),
    ]
}
