//! The two lines that describe a segment.

use super::name::Chosen;
use super::{numbers, words};
use crate::profile::{Column, Fact, ProfileParams, Role, Sourced};

/// Statements in the second line that the name does not use, at most.
const ALSO: usize = 2;
/// Outcomes in the second line, at most.
const OUTCOMES: usize = 3;

pub(super) fn description(
    columns: &[Column<'_>],
    (n, share): (usize, f64),
    statements: &[Sourced],
    chosen: &[Chosen],
    used: &[usize],
    params: &ProfileParams,
) -> [String; 2] {
    if n == 0 {
        let nobody = format!("0% of base (0 {}).", params.noun);
        return [nobody, "Nothing can be said about it.".into()];
    }
    let size = format!(
        "{} of base ({} {}).",
        numbers::share(share),
        numbers::count(n),
        params.noun
    );
    let fact = |i: &usize| fact(columns, &statements[chosen[*i].statement]);
    let facts: Vec<String> = used.iter().map(fact).collect();
    let first = if facts.is_empty() {
        format!("{size} Nothing sets it clearly apart.")
    } else {
        format!("{size} {}.", words::upper_first(&facts.join("; ")))
    };
    let mut second: Vec<String> = outcomes(columns, statements);
    let rest = (0..chosen.len()).filter(|i| !used.contains(i));
    let also: Vec<String> = rest.take(ALSO).map(|i| fact(&i)).collect();
    if !also.is_empty() {
        second.push(format!("Also: {}.", also.join("; ")));
    }
    if second.is_empty() {
        second.push("Nothing else sets it apart.".into());
    }
    [first, second.join(" ")]
}

/// One sentence for each outcome, in the order of the columns.
fn outcomes(columns: &[Column<'_>], statements: &[Sourced]) -> Vec<String> {
    let mut said: Vec<(usize, String)> = Vec::new();
    for s in statements {
        if s.statement.role != Role::Outcome {
            continue;
        }
        let name = words::upper_first(&words::readable(&s.statement.column));
        let sentence = match &s.statement.fact {
            Fact::Mean {
                mean,
                interval: [low, high],
                base_mean,
                ..
            } => {
                let unit = columns[s.column]
                    .unit
                    .map_or(String::new(), |u| format!(" {u}"));
                let number = numbers::amount;
                format!(
                    "{name} {}{unit} ({} to {}), base {}.",
                    number(*mean),
                    number(*low),
                    number(*high),
                    number(*base_mean)
                )
            }
            Fact::Share {
                level,
                share,
                interval: [low, high],
                base_share,
                ..
            } => {
                let name = match level.trim().to_lowercase().as_str() {
                    "yes" | "true" | "1" | "y" => name,
                    "no" | "false" | "0" | "n" => continue,
                    _ => format!("{name} {level}"),
                };
                let number = numbers::share;
                format!(
                    "{name} {} ({} to {}), base {}.",
                    number(*share),
                    number(*low).trim_end_matches('%'),
                    number(*high),
                    number(*base_share)
                )
            }
            Fact::Missing { .. } => continue,
        };
        said.push((s.column, sentence));
    }
    said.sort_by_key(|(column, _)| *column); // stable
    said.truncate(OUTCOMES);
    said.into_iter().map(|(_, sentence)| sentence).collect()
}

/// "data 18.2 GB, 3.1 times the base"; "age 24 vs 43 in the base"; "78% with partner vs 48% in the base".
fn fact(columns: &[Column<'_>], s: &Sourced) -> String {
    let column = &s.statement.column;
    match &s.statement.fact {
        Fact::Mean {
            mean, base_mean, ..
        } => {
            let (subject, own_unit) = words::subject_and_unit(column);
            let unit = columns[s.column].unit.map(str::to_string).or(own_unit);
            let (subject, unit) = match unit {
                Some(unit) => (subject, format!(" {unit}")),
                None => (words::readable(column), String::new()),
            };
            let value = format!("{subject} {}{unit}", numbers::amount(*mean));
            let ratio = mean / base_mean;
            if *mean > 0.0 && *base_mean > 0.0 && ratio >= 1.6 {
                format!("{value}, {} times the base", numbers::amount(ratio))
            } else {
                format!("{value} vs {} in the base", numbers::amount(*base_mean))
            }
        }
        Fact::Share {
            level,
            share,
            base_share,
            ..
        } => format!(
            "{} {} vs {} in the base",
            numbers::percent(*share),
            words::level(column, level),
            numbers::percent(*base_share)
        ),
        Fact::Missing {
            share, base_share, ..
        } => format!(
            "{} unknown for {} vs {} in the base",
            words::readable(column),
            numbers::percent(*share),
            numbers::percent(*base_share)
        ),
    }
}
