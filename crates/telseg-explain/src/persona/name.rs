//! Which statements may speak for a segment, and which of them make its name.

use std::collections::BTreeSet;

use super::words;
use crate::profile::{Column, ColumnValues, Fact, Groups, MISSING, ProfileParams, Role, Sourced};

/// Statements that may speak for a segment, at most.
const CHOSEN: usize = 6;
/// A second statement joins the name when it is at least this much of the first one's effect.
const SECOND: f64 = 0.35;
/// Below this effect a name says "somewhat".
const SLIGHT: f64 = 0.5;
/// A level that this much of the base has makes a poor name.
const EVERYBODY: f64 = 0.7;
/// Rows that correlations are worked out on, about.
const SAMPLE: usize = 100_000;

/// A statement that may speak for a segment.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// Index into the segment's statements.
    pub(super) statement: usize,
    pub(super) phrase: String,
    pub(super) strength: f64,
}

/// A name and the statements (indices into the chosen ones) that it is made of.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) used: Vec<usize>,
}

/// The strongest statements that hold and do not say the same thing twice.
pub(super) fn choose(
    columns: &[Column<'_>],
    groups: &Groups<'_>,
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
        let says_new = chosen.iter().all(|used| {
            let (a, b) = (&statements[used.statement], &statements[next.statement]);
            a.column != b.column
                && used.phrase != next.phrase
                && correlation(columns, groups, a, b).abs() <= params.max_correlation
        });
        if says_new {
            chosen.push(next);
        }
    }
    chosen
}

fn candidate(statement: usize, sourced: &Sourced) -> Option<Chosen> {
    let s = &sourced.statement;
    let more = s.effect > 0.0;
    let (phrase, worth) = match &s.fact {
        Fact::Mean { .. } => (words::amount(&s.column, more), 1.0),
        // What most of the segment has is typical of it; what it merely has more often than others is said less
        // gladly, and what it lacks only when others mostly have it.
        Fact::Share {
            level,
            share,
            base_share,
            ..
        } if more && *share >= 0.5 => {
            let everybody = *base_share >= EVERYBODY;
            (
                words::level(&s.column, level),
                if everybody { 0.4 } else { 1.0 },
            )
        }
        Fact::Share { level, share, .. } if more && *share >= 0.2 => {
            (format!("often {}", words::level(&s.column, level)), 0.6)
        }
        Fact::Missing { share, .. } if more && *share >= 0.5 => {
            (format!("{} unknown", words::readable(&s.column)), 0.6)
        }
        _ => return None,
    };
    let slight = s.effect.abs() < SLIGHT && matches!(s.fact, Fact::Mean { .. });
    Some(Chosen {
        statement,
        phrase: if slight {
            format!("somewhat {phrase}")
        } else {
            phrase
        },
        strength: s.effect.abs() * worth,
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

/// Weighted correlation of what two statements are about, over rows where both are known.
fn correlation(columns: &[Column<'_>], groups: &Groups<'_>, a: &Sourced, b: &Sourced) -> f64 {
    let step = groups.of.len().div_ceil(SAMPLE);
    let value = |s: &Sourced, row: usize| -> Option<f64> {
        let missing = matches!(s.statement.fact, Fact::Missing { .. });
        match columns[s.column].values {
            ColumnValues::Numeric(values) if missing => {
                Some(f64::from(u8::from(values[row].is_nan())))
            }
            ColumnValues::Numeric(values) => (!values[row].is_nan()).then_some(values[row]),
            ColumnValues::Categorical { codes, .. } if missing => {
                Some(f64::from(u8::from(codes[row] == MISSING)))
            }
            ColumnValues::Categorical { codes, .. } => (codes[row] != MISSING)
                .then(|| f64::from(u8::from(Some(codes[row] as usize) == s.level))),
        }
    };
    let pairs: Vec<(f64, f64, f64)> = (0..groups.of.len())
        .step_by(step)
        .filter_map(|row| Some((value(a, row)?, value(b, row)?, groups.weights[row])))
        .collect();
    crate::stats::correlation(pairs.iter().copied()).unwrap_or(0.0)
}
