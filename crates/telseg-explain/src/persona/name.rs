//! Which statements may speak for a segment, and which of them make its name.

use std::collections::BTreeSet;

use super::overlap::Overlap;
use super::words;
use crate::profile::{Fact, ProfileParams, Role, Sourced};

/// Statements that may speak for a segment, at most.
const CHOSEN: usize = 6;
/// A second statement joins the name when it is at least this much of the first one's effect.
const SECOND: f64 = 0.35;
/// Below this effect a name compares: "lower fee", not "low fee".
const SLIGHT: f64 = 0.5;
/// A statement is left out when one already used brings others this far towards the segment: most of the way.
const FOLLOWS: f64 = 0.6;
/// It follows for certain, or as good as.
const CERTAIN: f64 = 0.9;
/// A level may stand for a more general one that follows from it when at least this much of the segment has it.
const TYPICAL: f64 = 0.66;

/// A statement that may speak for a segment.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// Index into the segment's statements.
    pub(super) statement: usize,
    pub(super) phrase: String,
    pub(super) strength: f64,
    /// Whether nearly all of the segment is meant.
    typical: bool,
}

/// A name and the statements (indices into the chosen ones) that it is made of.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) used: Vec<usize>,
}

/// The strongest statements that hold and do not say the same thing twice.
pub(super) fn choose(
    overlap: &Overlap<'_>,
    statements: &[Sourced],
    params: &ProfileParams,
) -> Vec<Chosen> {
    let mut candidates: Vec<Chosen> = statements
        .iter()
        .enumerate()
        .filter(|(_, s)| {
            let s = &s.statement;
            s.role == Role::Describes
                && s.q_value <= params.max_q
                && s.effect.abs() >= params.min_effect
                && s.n >= params.min_rows
        })
        .filter_map(|(i, s)| candidate(i, s))
        .collect();
    candidates.sort_by(|a, b| b.strength.total_cmp(&a.strength)); // stable
    let mut chosen: Vec<Chosen> = Vec::new();
    for next in candidates {
        if chosen.len() == CHOSEN {
            break;
        }
        let of = |c: &Chosen| &statements[c.statement];
        let repeats = |used: &Chosen| {
            of(used).column == of(&next).column
                || used.phrase == next.phrase
                || overlap.shares_words(of(used), of(&next))
                || overlap.correlation(of(used), of(&next)).abs() > params.max_correlation
                || overlap.along(of(&next), of(used)) >= FOLLOWS
        };
        if chosen.iter().any(repeats) {
            continue;
        }
        // "Prepaid Basic" says "prepaid" too, and more: it takes its place, or is left out when it is true of too few.
        let general = |used: &Chosen| overlap.along(of(used), of(&next)) >= CERTAIN;
        match chosen.iter().position(general) {
            None => chosen.push(next),
            Some(at) => {
                let strength = chosen[at].strength;
                if next.typical && next.strength >= SECOND * strength {
                    let generals: Vec<bool> = chosen.iter().map(general).collect();
                    let mut generals = generals.into_iter();
                    chosen.retain(|_| !generals.next().unwrap_or(false));
                    chosen.insert(at, Chosen { strength, ..next });
                }
            }
        }
    }
    chosen
}

fn candidate(statement: usize, sourced: &Sourced) -> Option<Chosen> {
    let s = &sourced.statement;
    let more = s.effect > 0.0;
    let mut typical = true;
    // What most of the segment has is typical of it; what it merely has more often than others is said less gladly,
    // and so is what most of the base has.
    let rare = |base_share: f64| (2.0 * (1.0 - base_share)).min(1.0);
    let (phrase, worth) = match &s.fact {
        Fact::Mean { .. } if s.effect.abs() < SLIGHT => (words::comparison(&s.column, more), 1.0),
        Fact::Mean { .. } => (words::amount(&s.column, more), 1.0),
        Fact::Share {
            level,
            share,
            base_share,
            ..
        } if more && *share >= 0.5 => {
            typical = *share >= TYPICAL;
            (words::level(&s.column, level), rare(*base_share))
        }
        Fact::Share { level, share, .. } if more && *share >= 0.2 => {
            typical = false;
            (format!("often {}", words::level(&s.column, level)), 0.6)
        }
        Fact::Missing { share, .. } if more && *share >= 0.5 => {
            (format!("{} unknown", words::readable(&s.column)), 0.6)
        }
        _ => return None,
    };
    Some(Chosen {
        statement,
        phrase,
        strength: s.effect.abs() * worth,
        typical,
    })
}

/// A name for each segment, no two alike.
pub(super) fn assign(sizes: &[(usize, f64)], chosen: &[Vec<Chosen>]) -> Vec<Name> {
    let strongest = |s: usize| chosen[s].first().map_or(0.0, |c| c.strength);
    let mut order: Vec<usize> = (0..chosen.len()).collect();
    order.sort_by(|&a, &b| strongest(b).total_cmp(&strongest(a))); // stable
    let mut taken = BTreeSet::new();
    let mut names = vec![None; chosen.len()];
    for segment in order {
        let of = &chosen[segment];
        let plain = if sizes[segment].0 == 0 {
            "Empty segment"
        } else if chosen.len() == 1 {
            "Whole base"
        } else {
            "Close to average"
        };
        let mut options: Vec<Vec<usize>> = combinations(of);
        options.retain(|used| !taken.contains(&key(of, used)));
        let used = options
            .into_iter()
            .next()
            .unwrap_or_else(|| combinations(of).into_iter().next().unwrap_or_default());
        let mut text = if used.is_empty() {
            plain.to_string()
        } else {
            let phrases: Vec<&str> = used.iter().map(|&i| of[i].phrase.as_str()).collect();
            words::upper_first(&phrases.join(", "))
        };
        let unnumbered = text.clone();
        let (mut wanted, mut number) = (key(of, &used), 1);
        if used.is_empty() {
            wanted = vec![plain.to_string()];
        }
        while !taken.insert(wanted.clone()) {
            number += 1;
            text = format!("{unnumbered} {number}");
            wanted = vec![text.clone()];
        }
        names[segment] = Some(Name { text, used });
    }
    names.into_iter().flatten().collect()
}

/// What makes a name: its phrases in any order.
fn key(of: &[Chosen], used: &[usize]) -> Vec<String> {
    let mut phrases: Vec<String> = used.iter().map(|&i| of[i].phrase.clone()).collect();
    phrases.sort();
    phrases
}

/// Which chosen statements may make a name, the best combination first.
fn combinations(of: &[Chosen]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return Vec::new();
    }
    let joins = |i: usize| of[i].strength >= SECOND * of[0].strength;
    let mut all: Vec<Vec<usize>> = (1..of.len())
        .filter(|&i| joins(i))
        .map(|i| vec![0, i])
        .collect();
    all.push(vec![0]);
    all.extend((1..of.len()).map(|i| vec![0, i]));
    all.extend((2..of.len()).map(|i| vec![0, 1, i]));
    all
}
