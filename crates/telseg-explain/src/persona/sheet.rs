//! The fact sheet of a segment: everything that a persona may say, each fact with an identifier to cite.

use serde::{Deserialize, Serialize};

use super::sensitive::is_sensitive;
use super::words;
use crate::profile::{Fact, ProfileParams, Role, SegmentProfile, Statement};

/// Facts about columns on a sheet, at most; outcomes come on top.
const DESCRIBING: usize = 12;
/// Outcomes on a sheet, at most.
const OUTCOMES: usize = 4;

/// What a persona may say about one segment.
///
/// # Examples
/// ```
/// use telseg_explain::{Column, FactSheet, ProfileParams, profile};
/// let labels: Vec<u32> = (0..400).map(|i| u32::from(i >= 100)).collect();
/// let gb: Vec<f64> = (0..400).map(|i| if i < 100 { 17.0 } else { 5.0 } + f64::from(i % 5)).collect();
/// let params = ProfileParams::default();
/// let segments = profile(&[Column::numeric("data_gb_mean", &gb)], &labels, 2, &params)?;
/// let sheet = FactSheet::new(&segments[0], &params);
/// assert_eq!(sheet.facts[1].subject, "data");
/// assert_eq!((sheet.facts[1].value, sheet.facts[1].base), (19.0, Some(10.0)));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactSheet {
    /// Label of the segment.
    pub segment: u32,
    /// Its name; "Segment 3" where the profile's name says something sensitive.
    pub name: String,
    /// Its rows.
    pub n: usize,
    /// What a row is, in the plural.
    pub noun: String,
    /// The facts, the most telling first; the first is the segment's size.
    pub facts: Vec<SheetFact>,
}

/// One fact that a sentence may cite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SheetFact {
    /// What a sentence cites it by: "f1".
    pub id: String,
    /// Name of the column; empty for the segment's size.
    pub column: String,
    /// What is measured, in words.
    pub subject: String,
    /// What kind of number it is.
    pub measure: Measure,
    /// What the number is counted in; nothing for shares.
    pub unit: Option<String>,
    /// The segment's number; shares from 0 to 1.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// The same number for the whole base.
    pub base: Option<f64>,
    /// The same number for all others.
    pub rest: Option<f64>,
    /// Rows of the segment that it rests on.
    pub n: usize,
    /// Whether the segment differs from the rest in it (by the profile's false discovery rate).
    pub differs: bool,
    /// Whether it is an outcome rather than something that describes.
    pub outcome: bool,
}

/// What kind of number a fact holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Measure {
    /// The segment's share of the base; its `n` is the number of rows.
    Size,
    /// A mean.
    Mean,
    /// The share that has a level, among those whose level is known.
    Share {
        /// The level as it stands in the data.
        level: String,
    },
    /// The share whose value is not known.
    Missing,
}

impl SheetFact {
    /// Whether the number is a share, which a sentence states in percent.
    pub fn is_share(&self) -> bool {
        self.measure != Measure::Mean
    }

    /// Whether the segment has more than the base.
    pub(super) fn is_more(&self) -> bool {
        self.value > self.base.unwrap_or(self.value)
    }

    /// For yes-or-no columns, whether it is the yes; nothing for other levels.
    pub(super) fn flag(&self) -> Option<bool> {
        match &self.measure {
            Measure::Share { level } => words::answer(level),
            _ => None,
        }
    }
}

impl FactSheet {
    /// The facts of a profile that may be told: its size, what speaks for it, what else holds, and its outcomes.
    ///
    /// Left out is what rests on too few rows, what is no more than chance or tiny (by the same parameters as the
    /// profile), and every column or level that names something sensitive (ethnicity, health, religion, politics).
    pub fn new(profile: &SegmentProfile, params: &ProfileParams) -> Self {
        let size = SheetFact {
            id: "f1".into(),
            column: String::new(),
            subject: "share of the base".into(),
            measure: Measure::Size,
            unit: None,
            value: profile.share,
            interval: None,
            base: None,
            rest: None,
            n: profile.n,
            differs: false,
            outcome: false,
        };
        let private = words::tokens(&profile.name).iter().any(|w| is_sensitive(w));
        let mut sheet = Self {
            segment: profile.id,
            name: if private {
                format!("Segment {}", profile.id)
            } else {
                profile.name.clone()
            },
            n: profile.n,
            noun: params.noun.clone(),
            facts: vec![size],
        };
        for statement in tellable(profile, params) {
            if let Some(fact) = sheet_fact(statement, sheet.facts.len() + 1, params) {
                sheet.facts.push(fact);
            }
        }
        sheet
    }

    /// The fact with an identifier.
    pub fn fact(&self, id: &str) -> Option<&SheetFact> {
        self.facts.iter().find(|f| f.id == id)
    }
}

/// Statements in the order of the sheet: the key ones, the strongest others, the outcomes.
fn tellable<'a>(profile: &'a SegmentProfile, params: &ProfileParams) -> Vec<&'a Statement> {
    let holds = |s: &Statement| {
        s.q_value <= params.max_q && s.effect.abs() >= params.min_effect && s.n >= params.min_rows
    };
    let all = &profile.statements;
    let mut order: Vec<usize> = profile.key.clone();
    for (i, s) in all.iter().enumerate() {
        let told = order.iter().any(|&j| all[j].column == s.column);
        if order.len() < DESCRIBING && s.role == Role::Describes && holds(s) && !told {
            order.push(i);
        }
    }
    let outcomes = all.iter().enumerate().filter(|(_, s)| {
        s.role == Role::Outcome && s.n >= params.min_rows && !matches!(s.fact, Fact::Missing { .. })
    });
    // Of a yes-or-no outcome the yes is told.
    let told = outcomes.filter(|(_, s)| match &s.fact {
        Fact::Share { level, .. } => words::answer(level) != Some(false),
        _ => true,
    });
    order.extend(told.map(|(i, _)| i).take(OUTCOMES));
    order.into_iter().map(|i| &all[i]).collect()
}

fn sheet_fact(s: &Statement, number: usize, params: &ProfileParams) -> Option<SheetFact> {
    let (measure, value, interval, base, rest) = match &s.fact {
        Fact::Mean {
            mean,
            interval,
            base_mean,
            rest_mean,
            ..
        } => (Measure::Mean, *mean, *interval, *base_mean, *rest_mean),
        Fact::Share {
            level,
            share,
            interval,
            base_share,
            rest_share,
            ..
        } => {
            let measure = Measure::Share {
                level: level.clone(),
            };
            (measure, *share, *interval, *base_share, *rest_share)
        }
        Fact::Missing {
            share,
            interval,
            base_share,
            rest_share,
            ..
        } => (
            Measure::Missing,
            *share,
            *interval,
            *base_share,
            *rest_share,
        ),
    };
    let level = match &measure {
        Measure::Share { level } => level.as_str(),
        _ => "",
    };
    let spoken = [words::tokens(&s.column), words::tokens(level)].concat();
    if spoken.iter().any(|w| is_sensitive(w)) {
        return None;
    }
    let (subject, unit) = if measure == Measure::Mean {
        let (subject, own) = words::subject_and_unit(&s.column);
        match s.unit.clone().or(own) {
            Some(unit) => (subject, Some(unit)),
            None => (words::readable(&s.column), None),
        }
    } else {
        (words::readable(&s.column), None)
    };
    Some(SheetFact {
        id: format!("f{number}"),
        column: s.column.clone(),
        subject,
        measure,
        unit,
        value,
        interval: interval.iter().all(|v| v.is_finite()).then_some(interval),
        base: Some(base),
        rest: rest.is_finite().then_some(rest),
        n: s.n,
        differs: s.q_value <= params.max_q,
        outcome: s.role == Role::Outcome,
    })
}
