//! A leaf as a rule in words.

use serde::{Deserialize, Serialize};

use super::bins::{Binned, Kind};
use super::tree::{Node, Test, Tree};
use crate::persona::readable;

/// One condition of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Condition {
    /// A number is above `above` and at most `at_most`, where these are given.
    Between {
        /// Name of the column.
        column: String,
        /// It is larger than this.
        above: Option<f64>,
        /// It is no larger than this.
        at_most: Option<f64>,
        /// Rows without a value fulfil it too.
        or_unknown: bool,
    },
    /// The row has a level.
    Is {
        /// Name of the column.
        column: String,
        /// The level.
        level: String,
    },
    /// The row has none of these levels.
    IsNot {
        /// Name of the column.
        column: String,
        /// The levels.
        levels: Vec<String>,
    },
    /// Whether the value is known.
    Known {
        /// Name of the column.
        column: String,
        /// It is, or it is not.
        known: bool,
    },
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Between {
                column,
                above,
                at_most,
                or_unknown,
            } => {
                let column = readable(column);
                match (above, at_most) {
                    (Some(a), Some(b)) => write!(f, "{column} above {a} and at most {b}")?,
                    (Some(a), None) => write!(f, "{column} above {a}")?,
                    (None, Some(b)) => write!(f, "{column} at most {b}")?,
                    (None, None) => write!(f, "{column} any")?,
                }
                if *or_unknown {
                    write!(f, " or unknown")?;
                }
                Ok(())
            }
            Self::Is { column, level } => write!(f, "{} is {level}", readable(column)),
            Self::IsNot { column, levels } => {
                write!(f, "{} is not {}", readable(column), levels.join(" or "))
            }
            Self::Known { column, known } => {
                let known = if *known { "known" } else { "unknown" };
                write!(f, "{} is {known}", readable(column))
            }
        }
    }
}

/// Conditions that a segment's rows fulfil and others mostly do not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRule {
    /// All of these, three at the most.
    pub conditions: Vec<Condition>,
    /// Share of the held-out rows with these conditions that are in the segment.
    pub precision: f64,
    /// Its 95 % interval (Wilson).
    pub interval: [f64; 2],
    /// Share of the segment's held-out rows that fulfil them.
    pub coverage: f64,
    /// `precision` over the segment's share of all held-out rows.
    pub lift: f64,
    /// Held-out rows that fulfil them.
    pub n: usize,
}

impl std::fmt::Display for SegmentRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, condition) in self.conditions.iter().enumerate() {
            let and = if i == 0 { "" } else { ", " };
            write!(f, "{and}{condition}")?;
        }
        Ok(())
    }
}

/// The conditions of each leaf, by its place among the nodes.
pub(super) fn conditions(
    tree: &Tree,
    columns: &[Binned<'_>],
    unnamed: &[bool],
) -> Vec<(usize, Vec<Condition>)> {
    let mut leaves = Vec::new();
    let mut open = vec![(0usize, Vec::<(usize, Test, bool)>::new())];
    while let Some((at, path)) = open.pop() {
        match tree.nodes[at] {
            Node::Leaf(_) => leaves.push((at, merged(&path, columns, unnamed))),
            Node::Split {
                column,
                test,
                left,
                right,
            } => {
                let with = |holds| [path.as_slice(), &[(column, test, holds)]].concat();
                open.push((right, with(false)));
                open.push((left, with(true)));
            }
        }
    }
    leaves
}

/// A path as conditions, those about one column joined.
fn merged(
    path: &[(usize, Test, bool)],
    columns: &[Binned<'_>],
    unnamed: &[bool],
) -> Vec<Condition> {
    let mut order: Vec<usize> = Vec::new();
    for (column, ..) in path {
        if !order.contains(column) {
            order.push(*column);
        }
    }
    let of_column = |&column: &usize| {
        let tests: Vec<(Test, bool)> = path
            .iter()
            .filter(|(c, ..)| *c == column)
            .map(|(_, t, h)| (*t, *h))
            .collect();
        one_column(&columns[column], &tests, unnamed[column])
    };
    order.iter().flat_map(of_column).collect()
}

fn one_column(binned: &Binned<'_>, tests: &[(Test, bool)], has_unnamed: bool) -> Vec<Condition> {
    let column = || binned.name.to_string();
    let known = tests
        .iter()
        .find(|(t, _)| *t == Test::Unknown)
        .map(|(_, holds)| !holds);
    match &binned.kind {
        Kind::Numeric { cuts } => {
            let bound = |below: bool| {
                let codes = tests.iter().filter_map(move |(t, holds)| match t {
                    Test::AtMost(code) if *holds == below => Some(cuts[usize::from(*code)]),
                    _ => None,
                });
                if below {
                    codes.reduce(f64::min)
                } else {
                    codes.reduce(f64::max)
                }
            };
            let (above, at_most) = (bound(false), bound(true));
            let mut all = Vec::new();
            if above.is_some() || at_most.is_some() {
                all.push(Condition::Between {
                    column: column(),
                    above,
                    at_most,
                    or_unknown: has_unnamed && at_most.is_none() && known.is_none(),
                });
            }
            // "At most" is known already.
            if let Some(known) = known
                && at_most.is_none()
            {
                all.push(Condition::Known {
                    column: column(),
                    known,
                });
            }
            all
        }
        Kind::Levels { names } => {
            let is = tests.iter().find_map(|(t, holds)| match t {
                Test::Is(code) if *holds => Some(names[usize::from(*code)]),
                _ => None,
            });
            if let Some(level) = is {
                let level = level.to_string();
                return vec![Condition::Is {
                    column: column(),
                    level,
                }];
            }
            let levels: Vec<String> = tests
                .iter()
                .filter_map(|(t, _)| match t {
                    Test::Is(code) => Some(names[usize::from(*code)].to_string()),
                    _ => None,
                })
                .collect();
            // All levels but one are ruled out, and there is nothing else: it is that one.
            let mut left = names.iter().filter(|n| !levels.iter().any(|l| l == *n));
            if let (Some(only), None, false) = (left.next(), left.next(), has_unnamed) {
                let level = only.to_string();
                return vec![Condition::Is {
                    column: column(),
                    level,
                }];
            }
            let mut all = Vec::new();
            if !levels.is_empty() && known != Some(false) {
                all.push(Condition::IsNot {
                    column: column(),
                    levels,
                });
            }
            all.extend(known.map(|known| Condition::Known {
                column: column(),
                known,
            }));
            all
        }
    }
}
