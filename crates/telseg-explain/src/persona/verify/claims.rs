//! Whether what a clause claims in words is true: more or less, most or half, not, unknown; and that it uses no word of
//! its own.

use super::Violation;
use super::lexicon::{self, Way, Whom};
use super::reading::{Clause, Side, stem};
use super::text::{self, Kind};
use crate::persona::sheet::{FactSheet, Measure, SheetFact};

/// Marks that claim nothing.
const MARKS: [&str; 17] = [
    ".", ",", ";", ":", "(", ")", "!", "?", "-", "\u{2013}", "\u{2014}", "'", "\"", "\u{201c}",
    "\u{201d}", "\u{2018}", "/",
];

pub(super) fn check(
    clause: &Clause<'_>,
    sheet: &FactSheet,
    cited: &[&SheetFact],
    found: &mut Vec<Violation>,
) {
    directions(clause, found);
    amounts(clause, found);
    denials(clause, found);
    vocabulary(clause, sheet, cited, found);
}

/// Comparatives point where the numbers point.
fn directions(clause: &Clause<'_>, found: &mut Vec<Violation>) {
    let mut at = 0;
    while at < clause.pieces.len() {
        let start = at;
        at += 1;
        let Some(word) = clause.word(start) else {
            continue;
        };
        let Some(mut way) = lexicon::way(word) else {
            continue;
        };
        // "less often" is down, "more rarely" too.
        if let Some(second) = clause.word(at).and_then(lexicon::way) {
            way = match way {
                Way::Up => second,
                Way::Down => opposite(second),
            };
            at += 1;
        }
        if is_bound(clause, start, at) {
            continue;
        }
        let way = match clause.sides[start] {
            Side::Own => way,
            Side::Other(_) => opposite(way),
        };
        if clause.facts.is_empty() {
            found.push(Violation::NotNamed { word: word.into() });
        }
        for fact in &clause.facts {
            if !points(fact, way, clause.whom()) || !suits(word, fact) {
                found.push(Violation::WrongDirection {
                    word: word.into(),
                    fact: fact.id.clone(),
                });
            }
        }
    }
}

fn opposite(way: Way) -> Way {
    match way {
        Way::Up => Way::Down,
        Way::Down => Way::Up,
    }
}

/// Whether a word only bounds the number after it: "over 18 GB", "more than half".
fn is_bound(clause: &Clause<'_>, start: usize, after: usize) -> bool {
    let numeric = |at: usize| {
        let word = |w: &str| lexicon::number(w).or(lexicon::fraction(w)).is_some();
        clause
            .pieces
            .get(at)
            .is_some_and(|p| p.number().is_some() || p.word().is_some_and(word))
    };
    let bounds = clause.word(start).is_some_and(lexicon::is_bound) && numeric(after);
    let than = clause.word(after) == Some("than") && numeric(after + 1);
    let tiny = clause.word(start) == Some("under") && numeric(after);
    tiny || ((bounds || than) && !clause.names_others)
}

/// Whether a fact differs, and that way.
fn points(fact: &SheetFact, way: Way, whom: Whom) -> bool {
    let other = match whom {
        Whom::Base => fact.base,
        Whom::Rest => fact.rest,
    };
    fact.differs
        && other.is_some_and(|other| match way {
            Way::Up => fact.value > other,
            Way::Down => fact.value < other,
        })
}

/// Whether a comparative can be said of a fact: "older" of an age.
fn suits(word: &str, fact: &SheetFact) -> bool {
    match lexicon::implied_subject(word) {
        // A handset may be old too.
        Some(subject) => fact
            .subject
            .split(' ')
            .any(|w| [subject, "handset", "device", "equipment"].contains(&w)),
        None => true,
    }
}

/// "Most" and "the same".
fn amounts(clause: &Clause<'_>, found: &mut Vec<Violation>) {
    for (at, side) in clause.sides.iter().enumerate() {
        let Some(word) = clause.word(at) else {
            continue;
        };
        for fact in &clause.facts {
            let value = match side {
                Side::Own => Some(fact.value),
                Side::Other(Whom::Base) => fact.base,
                Side::Other(Whom::Rest) => fact.rest,
            };
            let majority = fact.is_share() && value.is_some_and(|v| v > 0.5);
            let same = !fact.differs && fact.measure != Measure::Size;
            if (lexicon::is_majority(word) && !majority) || (lexicon::is_same(word) && !same) {
                found.push(Violation::WrongClaim {
                    word: word.into(),
                    fact: fact.id.clone(),
                });
            }
        }
    }
}

/// "Not", "without", "unknown" stand where the fact says so, and nowhere else.
fn denials(clause: &Clause<'_>, found: &mut Vec<Violation>) {
    let words = || clause.pieces.iter().filter_map(|p| p.word());
    let denial = words().find(|w| lexicon::is_negation(w));
    let denials = words().filter(|w| lexicon::is_negation(w)).count();
    let unknown = words().find(|w| lexicon::is_unknown(w));
    let known = words().any(|w| w == "known");
    for fact in &clause.named {
        let says_unknown = (unknown.is_some() && denials == 0) || (known && denials == 1);
        let right = match fact.measure {
            Measure::Missing => says_unknown,
            _ if unknown.is_some() => false,
            _ => denials == usize::from(fact.flag() == Some(false)),
        };
        if !right {
            found.push(Violation::WrongClaim {
                word: denial.or(unknown).unwrap_or(&fact.subject).into(),
                fact: fact.id.clone(),
            });
        }
    }
    if clause.named.is_empty()
        && let Some(word) = denial.or(unknown)
    {
        found.push(Violation::NotNamed { word: word.into() });
    }
}

/// Every word is one of a fact's, or claims nothing, or was checked.
fn vocabulary(
    clause: &Clause<'_>,
    sheet: &FactSheet,
    cited: &[&SheetFact],
    found: &mut Vec<Violation>,
) {
    let mut own: Vec<String> = text::tokens(&sheet.noun)
        .iter()
        .map(|t| stem(&t.text))
        .collect();
    let mut add = |words: &str| own.extend(text::tokens(words).iter().map(|t| stem(&t.text)));
    for fact in cited {
        add(&fact.subject);
        if let Measure::Share { level } = &fact.measure
            && fact.flag().is_none()
        {
            add(&level.replace('_', " "));
        }
    }
    for fact in &clause.facts {
        fact.unit.iter().for_each(|unit| add(unit));
    }
    for (at, piece) in clause.pieces.iter().enumerate().filter(|(_, p)| !p.taken) {
        let text = piece.token.text.as_str();
        let good = match piece.token.kind {
            Kind::Number(_) => true,
            Kind::Mark => MARKS.contains(&text),
            // "As much as" claims nothing, "much more" does.
            Kind::Word if text == "much" => at > 0 && clause.word(at - 1) == Some("as"),
            Kind::Word => is_harmless(text),
        };
        if !good && !own.contains(&stem(text)) {
            found.push(Violation::UnknownWord { word: text.into() });
        }
    }
}

fn is_harmless(word: &str) -> bool {
    let checked = [
        lexicon::is_comparator(word),
        lexicon::is_majority(word),
        lexicon::is_negation(word),
        lexicon::is_unknown(word),
        lexicon::is_same(word),
        lexicon::is_about(word),
        lexicon::way(word).is_some(),
        lexicon::whom(word).is_some(),
        lexicon::factor(word).is_some(),
        lexicon::fraction(&stem(word)).is_some(),
        lexicon::number(word).is_some(),
    ];
    lexicon::is_neutral(word) || checked.contains(&true)
}
