//! Whether the numbers of a clause are those of its fact, each in its place.

use super::Violation;
use super::lexicon::{self, Way, Whom};
use super::reading::{Clause, Side, stem};
use super::text::{self, Number};
use crate::persona::sheet::{FactSheet, Measure, SheetFact};

/// How far a number may be from the truth after "about".
const ABOUT: f64 = 0.05;
/// How far the truth may lie beyond a bound: "over 18 GB" is not said of 40.
const BEYOND: f64 = 0.25;
/// Half of what separates fractions in words, in percent.
const FRACTION: f64 = 2.0;

/// A number of a clause: where it begins, the piece after it, and what it says.
#[derive(Clone, Copy, Debug)]
struct Written {
    at: usize,
    after: usize,
    number: Number,
    /// "3.1 times", "twice".
    factor: bool,
}

/// Says of every number that fits nothing that it does.
pub(super) fn check(clause: &Clause<'_>, sheet: &FactSheet, found: &mut Vec<Violation>) {
    let mut at = 0;
    while at < clause.pieces.len() {
        let Some(written) = written(clause, at) else {
            at += 1;
            continue;
        };
        at = written.after;
        let shown = clause.pieces[written.at].token.text.clone();
        match clause.facts.as_slice() {
            [] => found.push(Violation::NotNamed { word: shown }),
            [fact] => {
                let reader = Reader {
                    clause,
                    sheet,
                    fact,
                };
                match reader.fits(&written) {
                    Some(after) => at = after,
                    None => found.push(Violation::WrongNumber {
                        number: shown,
                        fact: fact.id.clone(),
                    }),
                }
            }
            _ => found.push(Violation::Ambiguous { word: shown }),
        }
    }
}

/// The number that begins at a place.
fn written(clause: &Clause<'_>, at: usize) -> Option<Written> {
    let plain = |value: f64| Number {
        value,
        half_step: 0.5,
        percent: false,
    };
    let part = |value: f64| Number {
        value: 100.0 * value,
        half_step: FRACTION,
        percent: true,
    };
    let new = |after: usize, number: Number, factor: bool| {
        Some(Written {
            at,
            after,
            number,
            factor,
        })
    };
    let times = |after: usize| clause.word(after) == Some("times");
    if let Some(number) = clause.pieces[at].number() {
        return new(at + 1, number, times(at + 1));
    }
    let word = clause.word(at)?;
    if let Some(factor) = lexicon::factor(word) {
        let number = Number {
            half_step: 0.05,
            ..plain(factor)
        };
        return new(at + 1, number, true);
    }
    if let Some(value) = lexicon::fraction(word) {
        return new(at + 1, part(value), false);
    }
    let small = lexicon::number(word)?;
    // "two thirds".
    if let Some(of) = clause
        .word(at + 1)
        .and_then(|w| lexicon::fraction(&stem(w)))
    {
        return new(at + 2, part(small * of), false);
    }
    let number = plain(small);
    let number = if times(at + 1) {
        Number {
            half_step: 0.05,
            ..number
        }
    } else {
        number
    };
    new(at + 1, number, times(at + 1))
}

struct Reader<'a> {
    clause: &'a Clause<'a>,
    sheet: &'a FactSheet,
    fact: &'a SheetFact,
}

impl Reader<'_> {
    /// Where reading goes on after a number that is true; nothing when it is not.
    fn fits(&self, w: &Written) -> Option<usize> {
        if w.factor {
            return self.is_factor(w).then_some(w.after);
        }
        if let Some(end) = self.second_of(w, &["in", "out"]) {
            return self.is_one_in(w, &end).then_some(end.after);
        }
        if let Some(end) = self.second_of(w, &["to", "and", "\u{2013}"]) {
            return self.is_interval(w, &end).then_some(end.after);
        }
        if self.counts_rows(w) {
            let n = if self.fact.measure == Measure::Size {
                self.sheet.n
            } else {
                self.fact.n
            };
            let counted = |n: usize| self.near(n as f64, w, w.number);
            return (counted(n) || counted(self.sheet.n)).then_some(w.after);
        }
        if let Some(points) = self.is_difference(w) {
            return self.difference_fits(w, points).then_some(w.after);
        }
        self.value_fits(w).then_some(w.after)
    }

    fn word(&self, at: usize) -> Option<&str> {
        self.clause.word(at)
    }

    /// The number that a second one belongs to: "one in five", "41 to 45".
    fn second_of(&self, w: &Written, links: &[&str]) -> Option<Written> {
        let mut at = self.after_unit(w.after);
        let link = &self.clause.pieces.get(at)?.token.text;
        if !links.contains(&link.as_str()) {
            return None;
        }
        at += 1;
        if link == "out" {
            at += usize::from(self.word(at) == Some("of"));
        }
        self.clause.pieces.get(at)?;
        written(self.clause, at).filter(|second| !second.factor)
    }

    /// The place after the fact's unit, where it stands.
    fn after_unit(&self, at: usize) -> usize {
        let unit = self
            .fact
            .unit
            .as_deref()
            .map(text::tokens)
            .unwrap_or_default();
        let stands = |(i, t): (usize, &text::Token)| {
            self.clause
                .pieces
                .get(at + i)
                .is_some_and(|p| stem(&p.token.text) == stem(&t.text))
        };
        if !unit.is_empty() && unit.iter().enumerate().all(stands) {
            at + unit.len()
        } else {
            at
        }
    }

    fn of(&self, whom: Whom) -> Option<f64> {
        match whom {
            Whom::Base => self.fact.base,
            Whom::Rest => self.fact.rest,
        }
    }

    fn way_after(&self, at: usize) -> Option<Way> {
        (at..at + 3).find_map(|i| self.word(i).and_then(lexicon::way))
    }

    fn is_factor(&self, w: &Written) -> bool {
        let Some(other) = self.of(self.clause.whom()) else {
            return false;
        };
        let own = self.fact.value;
        let ratio = match self.way_after(w.after) {
            Some(Way::Down) => other / own,
            _ => own / other,
        };
        ratio.is_finite() && ratio > 0.0 && !w.number.percent && self.near(ratio, w, w.number)
    }

    fn is_one_in(&self, w: &Written, end: &Written) -> bool {
        let share = w.number.value / end.number.value;
        let Some(truth) = self.value_at(w.at) else {
            return false;
        };
        self.fact.is_share() && share.is_finite() && (truth - share).abs() <= 0.1 * share
    }

    fn is_interval(&self, w: &Written, end: &Written) -> bool {
        let Some([low, high]) = self.fact.interval else {
            return false;
        };
        let percent = w.number.percent || end.number.percent;
        let own = self.clause.sides[w.at] == Side::Own;
        own && self.is_of_kind(percent)
            && self.exact(low, w.number, percent)
            && self.exact(high, end.number, percent)
    }

    /// Whether the noun follows: "1,234 subscribers".
    fn counts_rows(&self, w: &Written) -> bool {
        let noun = text::tokens(&self.sheet.noun);
        let noun = noun.last().map(|t| stem(&t.text)).unwrap_or_default();
        let people = ["customer", "subscriber", "people", "person", "member"];
        !w.number.percent
            && self
                .word(w.after)
                .map(stem)
                .is_some_and(|w| w == noun || people.contains(&w.as_str()))
    }

    /// Whether a number says how much more or less, and whether in percentage points.
    fn is_difference(&self, w: &Written) -> Option<bool> {
        let mut at = self.after_unit(w.after);
        let mut points = false;
        while self
            .word(at)
            .is_some_and(|w| ["percentage", "points", "point"].contains(&w))
        {
            points = true;
            at += 1;
        }
        let ahead = self.word(at).and_then(lexicon::way).is_some();
        (points || ahead).then_some(points)
    }

    fn difference_fits(&self, w: &Written, points: bool) -> bool {
        let Some(other) = self.of(self.clause.whom()) else {
            return false;
        };
        let gap = (self.fact.value - other).abs();
        let truth = match (points, w.number.percent) {
            (true, _) if self.fact.is_share() => 100.0 * gap,
            (true, _) => return false,
            (false, true) => 100.0 * gap / other,
            (false, false) if !self.fact.is_share() => gap,
            (false, false) => return false,
        };
        self.near(truth, w, w.number)
    }

    fn value_fits(&self, w: &Written) -> bool {
        if !self.is_of_kind(w.number.percent) {
            return false;
        }
        let scale = if self.fact.is_share() { 100.0 } else { 1.0 };
        let before = w.at.checked_sub(1).and_then(|i| self.word(i));
        let truth = self.value_at(w.at).map(|v| scale * v);
        // "under 0.1%": the smallest share that is written.
        if before == Some("under")
            && w.number.percent
            && truth.is_some_and(|t| t > 0.0 && t < w.number.value)
        {
            return w.number.value <= 0.1;
        }
        let bounded = before.is_some_and(lexicon::is_bound) && !self.clause.names_others;
        if bounded {
            let up = (0..w.at)
                .rev()
                .take(2)
                .find_map(|i| self.word(i).and_then(lexicon::way));
            let (truth, bound) = (scale * self.fact.value, w.number.value);
            let beyond = match up {
                Some(Way::Up) => truth - bound,
                Some(Way::Down) => bound - truth,
                None => return false,
            };
            return beyond > 0.0 && beyond <= BEYOND * bound.abs();
        }
        truth.is_some_and(|truth| self.near(truth, w, w.number))
    }

    /// The fact's number for those whom a place of the clause is about.
    fn value_at(&self, at: usize) -> Option<f64> {
        match self.clause.sides[at] {
            Side::Own => Some(self.fact.value),
            Side::Other(whom) => self.of(whom),
        }
    }

    /// Whether shares stand in percent and other numbers do not.
    fn is_of_kind(&self, percent: bool) -> bool {
        let counted_in_percent = self
            .fact
            .unit
            .as_deref()
            .is_some_and(|u| u == "%" || u == "percent");
        percent == self.fact.is_share() || (percent && counted_in_percent)
    }

    fn exact(&self, truth: f64, number: Number, percent: bool) -> bool {
        let scale = if percent && self.fact.is_share() {
            100.0
        } else {
            1.0
        };
        (scale * truth - number.value).abs() <= number.half_step * (1.0 + 1e-6)
    }

    /// Whether a number says the truth to its last digit, or nearly where it stands after "about".
    fn near(&self, truth: f64, w: &Written, number: Number) -> bool {
        let before = w.at.checked_sub(1).and_then(|i| self.word(i));
        let gap = (truth - number.value).abs();
        let exact = gap <= number.half_step * (1.0 + 1e-6);
        exact || (before.is_some_and(lexicon::is_about) && gap <= ABOUT * truth.abs())
    }
}
