//! Whether two statements about a segment say the same thing.
//!
//! They do when their columns correlate or share their words, and they do when one follows from the other: of subscribers with a plan of the
//! prepaid kind it need not be said that they are prepaid, although plan and kind of contract hardly correlate when
//! there are many plans. What follows is found out from others: statement B follows from A when the rows *outside* the
//! segment that A is true of are, on average, most of the way from the rest to the segment in what B is about.

use super::words;
use crate::profile::{Column, ColumnValues, Fact, Groups, MISSING, Sourced};

/// Rows that statements are compared on, about.
const SAMPLE: usize = 100_000;

/// The level of a numeric flag that stands for its zeros.
const NO: usize = 1;

/// The statements of one segment, to be compared with each other.
pub(super) struct Overlap<'a> {
    pub(super) columns: &'a [Column<'a>],
    pub(super) groups: &'a Groups<'a>,
    pub(super) segment: usize,
    /// Fewest others from whom it is found out what follows.
    pub(super) min_rows: usize,
}

impl Overlap<'_> {
    /// Weighted correlation of what two statements are about, over rows where both are known.
    pub(super) fn correlation(&self, a: &Sourced, b: &Sourced) -> f64 {
        let pairs: Vec<(f64, f64, f64)> = self
            .rows()
            .filter_map(|row| Some((self.value(a, row)?, self.value(b, row)?, self.weight(row))))
            .collect();
        crate::stats::correlation(pairs.iter().copied()).unwrap_or(0.0)
    }

    /// How far towards the segment, in what a second statement is about, a first one alone brings others: 0 when they
    /// are as the rest, 1 when they are as the segment; 0 also when too few are known.
    pub(super) fn along(&self, second: &Sourced, first: &Sourced) -> f64 {
        let (mut own, mut rest, mut alike) = (Mean::default(), Mean::default(), Mean::default());
        let mut n_alike = 0;
        for row in self.rows() {
            let (Some(value), w) = (self.value(second, row), self.weight(row)) else {
                continue;
            };
            if self.groups.of[row] == self.segment {
                own.add(value, w);
                continue;
            }
            rest.add(value, w);
            if self.holds(first, row) {
                alike.add(value, w);
                n_alike += usize::from(w > 0.0);
            }
        }
        let (own, rest, alike) = (own.get(), rest.get(), alike.get());
        let along = (alike - rest) / (own - rest);
        if n_alike >= self.min_rows && along.is_finite() {
            along
        } else {
            0.0
        }
    }

    /// Whether the words of one column are all among those of the other: "care contacts", "recent care contacts".
    pub(super) fn shares_words(&self, a: &Sourced, b: &Sourced) -> bool {
        let words = |s: &Sourced| words::readable(self.columns[s.column].name);
        let (a, b) = (words(a), words(b));
        let within = |a: &str, b: &str| a.split(' ').all(|w| b.split(' ').any(|v| v == w));
        within(&a, &b) || within(&b, &a)
    }

    fn rows(&self) -> impl Iterator<Item = usize> {
        let n = self.groups.of.len();
        (0..n).step_by(n.div_ceil(SAMPLE).max(1))
    }

    fn weight(&self, row: usize) -> f64 {
        self.groups.weights[row]
    }

    /// What a statement is about: a number, or 1 for having the level.
    fn value(&self, s: &Sourced, row: usize) -> Option<f64> {
        let missing = matches!(s.statement.fact, Fact::Missing { .. });
        let flag = |yes: bool| f64::from(u8::from(yes));
        match self.columns[s.column].values {
            ColumnValues::Numeric(values) if missing => Some(flag(values[row].is_nan())),
            ColumnValues::Numeric(values) => (!values[row].is_nan()).then(|| match s.level {
                Some(NO) => 1.0 - values[row],
                _ => values[row],
            }),
            ColumnValues::Categorical { codes, .. } if missing => Some(flag(codes[row] == MISSING)),
            ColumnValues::Categorical { codes, .. } => {
                (codes[row] != MISSING).then(|| flag(Some(codes[row] as usize) == s.level))
            }
        }
    }

    /// Whether a statement is true of a row: it has the level, or is on the segment's side of the middle between the
    /// two means.
    fn holds(&self, s: &Sourced, row: usize) -> bool {
        let Some(value) = self.value(s, row) else {
            return false;
        };
        let (own, rest) = match s.statement.fact {
            Fact::Mean {
                mean, rest_mean, ..
            } => (mean, rest_mean),
            _ => return (value > 0.5) == (s.statement.effect > 0.0),
        };
        let middle = 0.5 * (own + rest);
        if own > rest {
            value >= middle
        } else {
            value <= middle
        }
    }
}

/// A running weighted mean.
#[derive(Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += weight * value;
        self.weight += weight;
    }

    /// NaN when there is nothing.
    fn get(&self) -> f64 {
        self.sum / self.weight
    }
}
