//! The column to predict.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::table::{Column, Table};

/// Names that a target is known by.
const NAMES: [&str; 7] = [
    "churn",
    "churned",
    "target",
    "label",
    "y",
    "attrition",
    "exited",
];
/// Values that mean "it happened".
const POSITIVE: [&str; 10] = [
    "yes", "y", "true", "t", "1", "churn", "churned", "left", "exited", "positive",
];
/// Values listed in a message.
const LISTED: usize = 10;

/// The column to predict and its two values, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSpec {
    /// Name of the column.
    pub column: String,
    /// The value that counts as 1.
    pub positive: String,
    /// The value that counts as 0.
    pub negative: String,
}

/// The target of each row.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetColumn {
    /// Name of the column.
    pub name: String,
    /// 1 for the positive value, 0 for the other, NaN where it is missing.
    pub y: Vec<f64>,
    /// Rows (from 0) whose target is missing.
    pub missing_rows: Vec<u32>,
    /// The value that counts as 1.
    pub positive: String,
    /// The value that counts as 0.
    pub negative: String,
}

impl TargetColumn {
    /// Share of positives among the rows whose target is known; NaN when none is.
    pub fn rate(&self) -> f64 {
        let known = self.y.len() - self.missing_rows.len();
        self.y.iter().filter(|y| **y == 1.0).count() as f64 / known as f64
    }

    /// Rows (from 0) whose target is known.
    pub fn known_rows(&self) -> Vec<u32> {
        (0u32..)
            .zip(&self.y)
            .filter(|(_, y)| !y.is_nan())
            .map(|(i, _)| i)
            .collect()
    }
}

/// The different values of a column as text, with their counts, most frequent first.
fn values(column: &Column<'_>) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    match column {
        Column::Text { levels, .. } => {
            for (level, n) in levels.iter().zip(column.level_counts()) {
                if n > 0 {
                    *counts.entry((*level).to_owned()).or_insert(0) += n;
                }
            }
        }
        _ => {
            for text in column.to_texts().into_iter().flatten() {
                *counts.entry(text).or_insert(0) += 1;
            }
        }
    }
    let mut all: Vec<(String, usize)> = counts.into_iter().collect();
    all.sort_by_key(|v| std::cmp::Reverse(v.1));
    all
}

impl TargetSpec {
    /// The declared target, or one known by its name; also a note when it was guessed.
    pub(super) fn find(
        table: &Table,
        name: Option<&str>,
        positive: Option<&str>,
        taken: &[&str],
    ) -> Result<(Option<Self>, Vec<String>)> {
        if let Some(name) = name {
            let (spec, guessed) = Self::of(table, name, positive)?;
            let note = guessed
                .then(|| format!("positive value of {name} taken to be {:?}", spec.positive));
            return Ok((Some(spec), note.into_iter().collect()));
        }
        let names = table.column_names();
        let known = NAMES.iter().find_map(|n| {
            names
                .iter()
                .find(|c| c.eq_ignore_ascii_case(n) && !taken.contains(c))
        });
        match known {
            None if positive.is_some() => Err(Error::param(
                "positive",
                "is given, but no target is declared and none is found by name",
            )),
            None => Ok((None, vec!["no target given or found by name".into()])),
            Some(name) => match Self::of(table, name, positive) {
                Ok((spec, _)) => {
                    let note = format!(
                        "target taken to be {name} by its name, with {:?} as the positive value",
                        spec.positive
                    );
                    Ok((Some(spec), vec![note]))
                }
                Err(e) if positive.is_some() => Err(e),
                Err(e) => Ok((
                    None,
                    vec![format!("{name} is not taken as the target: {e}")],
                )),
            },
        }
    }

    /// The two values of a column; whether the positive one was guessed.
    fn of(table: &Table, name: &str, positive: Option<&str>) -> Result<(Self, bool)> {
        let found = values(&table.column(name)?);
        let what = || format!("{}, target {name}", table.source());
        if found.len() != 2 {
            let mut list: Vec<String> = found
                .iter()
                .take(LISTED)
                .map(|(v, n)| format!("{v:?} ({n} rows)"))
                .collect();
            if found.len() > LISTED {
                list.push(format!("and {} more", found.len() - LISTED));
            }
            let list = if list.is_empty() {
                "missing cells only".to_owned()
            } else {
                list.join(", ")
            };
            let problem = format!("expected two values, found {}: {list}", found.len());
            return Err(Error::data(what(), problem));
        }
        let (a, b) = (&found[0].0, &found[1].0);
        let chosen = match positive {
            Some(p) => match [b, a].into_iter().find(|v| same(v, p)) {
                Some(v) => v,
                None => {
                    return Err(Error::data(
                        what(),
                        format!(
                            "the positive value {p:?} does not occur; the values are {a:?} and {b:?}"
                        ),
                    ));
                }
            },
            // The rarer value comes second.
            None => {
                let known = |v: &&&String| POSITIVE.iter().any(|p| v.eq_ignore_ascii_case(p));
                [b, a].iter().find(known).map_or(b, |v| *v)
            }
        };
        let negative = if chosen == a { b } else { a };
        let spec = Self {
            column: name.to_owned(),
            positive: chosen.clone(),
            negative: negative.clone(),
        };
        Ok((spec, positive.is_none()))
    }

    /// The target of each row of a table.
    pub(super) fn extract(&self, table: &Table) -> Result<TargetColumn> {
        let column = table.column(&self.column)?;
        let value = |text: &str, row: usize| {
            if same(text, &self.positive) {
                Ok(1.0)
            } else if same(text, &self.negative) {
                Ok(0.0)
            } else {
                let what = format!(
                    "{}, row {}, target {}",
                    table.source(),
                    row + 1,
                    self.column
                );
                let (p, n) = (&self.positive, &self.negative);
                let problem = format!("expected {p:?} or {n:?}, found {text:?}");
                Err(Error::data(what, problem))
            }
        };
        let y: Vec<f64> = column
            .to_texts()
            .iter()
            .enumerate()
            .map(|(i, t)| t.as_deref().map_or(Ok(f64::NAN), |t| value(t, i)))
            .collect::<Result<_>>()?;
        let missing = (0u32..).zip(&y).filter(|(_, y)| y.is_nan());
        Ok(TargetColumn {
            name: self.column.clone(),
            missing_rows: missing.map(|(i, _)| i).collect(),
            positive: self.positive.clone(),
            negative: self.negative.clone(),
            y,
        })
    }
}

/// Equal as texts, or as numbers ("1" and "1.0").
fn same(a: &str, b: &str) -> bool {
    a == b
        || matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
        || (a.eq_ignore_ascii_case(b))
}
