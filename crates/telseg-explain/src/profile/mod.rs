//! What sets each segment apart from the rest of the base, column by column, with its uncertainty.
//!
//! Numeric columns: `d = (m_s - m_r) / sqrt((v_s + v_r) / 2)`, the standardised difference of the segment's and the
//! rest's weighted means (1), with Welch's test. Levels and missing values: Cohen's `h = 2 asin(sqrt(p_s)) - 2
//! asin(sqrt(p_r))` (2), with the pooled test of two shares (its square is chi-squared with one degree of freedom), and
//! the lift `p_s / p_base`. Both effects are small at 0.2, medium at 0.5, large at 0.8. All p-values of a profile are
//! adjusted together (Benjamini-Hochberg).
//!
//! # Rules
//! - Rows labelled [`MISSING`] belong to the base but to no segment; rows of weight 0 count nowhere.
//! - Missing values are left out of a column's means and shares, and make a statement of their own where there are any.
//! - A column without values, and a segment without any in it, say nothing. A constant column differs nowhere.
//! - With one segment there is no rest: it is measured, its effects are 0 and its p-values 1.
//! - Where both groups are constant the spread of the base takes the place of theirs in (1).
//! - Tests and intervals use Kish's effective number of rows, `(sum w)^2 / sum w^2`: weights say whom a row stands for,
//!   not how often it was seen.
//!
//! # References
//! P. Austin (2009), "Using the standardized difference"; J. Cohen (1988), "Statistical power analysis"; E. Wilson (1927),
//! "Probable inference"; Y. Benjamini, Y. Hochberg (1995), "Controlling the false discovery rate".

mod categorical;
mod column;
mod numeric;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::stats::benjamini_hochberg;
use telseg_core::{Error, Result};

pub use column::{Column, ColumnValues, MISSING, Role};

use crate::persona;
use crate::stats::checked_weights;

/// What counts as worth saying, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfileParams {
    /// Largest false discovery rate of a statement that is used in a text.
    pub max_q: f64,
    /// Smallest |effect| of such a statement.
    pub min_effect: f64,
    /// Fewest rows that it rests on: below, the tests' normal distribution is a poor guide.
    pub min_rows: usize,
    /// Columns that correlate more than this with one already used are not used next to it.
    pub max_correlation: f64,
    /// Levels of a column that are stated, the most frequent ones first.
    pub max_levels: usize,
    /// What a row is, in the plural.
    pub noun: String,
}

impl Default for ProfileParams {
    fn default() -> Self {
        Self {
            max_q: 0.05,
            min_effect: 0.2,
            min_rows: 20,
            max_correlation: 0.7,
            max_levels: 30,
            noun: "subscribers".into(),
        }
    }
}

impl ProfileParams {
    /// Sets [`max_q`](Self::max_q).
    pub fn with_max_q(self, max_q: f64) -> Self {
        Self { max_q, ..self }
    }

    /// Sets [`min_effect`](Self::min_effect).
    pub fn with_min_effect(self, min_effect: f64) -> Self {
        Self { min_effect, ..self }
    }

    /// Sets [`min_rows`](Self::min_rows).
    pub fn with_min_rows(self, min_rows: usize) -> Self {
        Self { min_rows, ..self }
    }

    /// Sets [`max_correlation`](Self::max_correlation).
    pub fn with_max_correlation(self, max_correlation: f64) -> Self {
        Self {
            max_correlation,
            ..self
        }
    }

    /// Sets [`max_levels`](Self::max_levels).
    pub fn with_max_levels(self, max_levels: usize) -> Self {
        Self { max_levels, ..self }
    }

    /// Sets [`noun`](Self::noun).
    pub fn with_noun(self, noun: impl Into<String>) -> Self {
        Self {
            noun: noun.into(),
            ..self
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The first that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        for (name, value) in [
            ("max_q", self.max_q),
            ("max_correlation", self.max_correlation),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::param(
                    name,
                    format!("must be between 0 and 1, found {value}"),
                ));
            }
        }
        if !(self.min_effect >= 0.0 && self.min_effect.is_finite()) {
            return Err(Error::param(
                "min_effect",
                format!("must be at least 0, found {}", self.min_effect),
            ));
        }
        if self.noun.trim().is_empty() {
            return Err(Error::param("noun", "must not be empty"));
        }
        Ok(())
    }
}

/// One measured difference between a segment and the rest of the base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Name of the column.
    pub column: String,
    /// What the column is for.
    pub role: Role,
    /// What its numbers are counted in, where that is known.
    pub unit: Option<String>,
    /// The numbers.
    pub fact: Fact,
    /// Rows of the segment that they rest on.
    pub n: usize,
    /// Standardised difference of means, or Cohen's h of shares; positive when the segment has more.
    pub effect: f64,
    /// Two-sided p-value of the difference.
    pub p_value: f64,
    /// The p-value adjusted for all statements of the profile.
    pub q_value: f64,
}

/// The numbers of a statement; intervals are 95 %.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// Weighted means and medians of a numeric column.
    Mean {
        /// The segment's mean.
        mean: f64,
        /// Its interval.
        interval: [f64; 2],
        /// The segment's median.
        median: f64,
        /// Mean of all others.
        rest_mean: f64,
        /// Median of all others.
        rest_median: f64,
        /// Mean of the whole base.
        base_mean: f64,
        /// Standard deviation of the whole base.
        base_sd: f64,
    },
    /// How many have a level, among those whose value is known.
    Share {
        /// The level; "Yes" for a numeric flag.
        level: String,
        /// The segment's share, 0 to 1.
        share: f64,
        /// Its interval (Wilson).
        interval: [f64; 2],
        /// Share of all others.
        rest_share: f64,
        /// Share of the whole base.
        base_share: f64,
        /// `share / base_share`.
        lift: f64,
    },
    /// How many have no value.
    Missing {
        /// The segment's share, 0 to 1.
        share: f64,
        /// Its interval (Wilson).
        interval: [f64; 2],
        /// Share of all others.
        rest_share: f64,
        /// Share of the whole base.
        base_share: f64,
        /// `share / base_share`.
        lift: f64,
    },
}

/// A segment: how big it is, what to call it, and the numbers behind that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentProfile {
    /// Its label.
    pub id: u32,
    /// Its rows.
    pub n: usize,
    /// Its part of the base's weight.
    pub share: f64,
    /// A name that no other segment has.
    pub name: String,
    /// Size and what the name says in numbers; then outcomes and what else sets it apart.
    pub description: [String; 2],
    /// All statements: those that hold (`q <= max_q`) before the others, the strongest first.
    pub statements: Vec<Statement>,
    /// Places in `statements` of those that speak for the segment: they hold and do not repeat each other.
    pub key: Vec<usize>,
}

impl std::fmt::Display for SegmentProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, second] = &self.description;
        write!(f, "{}\n  {first}\n  {second}", self.name)
    }
}

/// Which rows are in which segment; group `n_segments` holds the rows of none.
pub(crate) struct Groups<'a> {
    pub(crate) of: Vec<usize>,
    pub(crate) n_segments: usize,
    pub(crate) weights: &'a [f64],
}

/// A statement before its q-value is known.
#[derive(Clone, Debug)]
struct Measured {
    segment: usize,
    level: Option<usize>,
    n: usize,
    effect: f64,
    p: f64,
    fact: Fact,
}

/// A statement and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Sourced {
    pub(crate) column: usize,
    pub(crate) level: Option<usize>,
    pub(crate) statement: Statement,
}

/// Profiles, names and describes the segments of a base, each row counting once.
///
/// # Errors
/// See [`profile_weighted`].
///
/// # Examples
/// ```
/// use telseg_explain::{Column, ProfileParams, profile};
/// let labels: Vec<u32> = (0..400).map(|i| u32::from(i >= 100)).collect();
/// let gb: Vec<f64> = (0..400).map(|i| if i < 100 { 17.0 } else { 5.0 } + f64::from(i % 5)).collect();
/// let segments = profile(&[Column::numeric("data_gb_mean", &gb)], &labels, 2, &ProfileParams::default())?;
/// assert_eq!(segments[0].name, "Heavy data");
/// assert_eq!(
///     segments[0].description[0],
///     "25% of base (100 subscribers). Data 19 GB, 1.9 times the base."
/// );
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn profile(
    columns: &[Column<'_>],
    labels: &[u32],
    n_segments: usize,
    params: &ProfileParams,
) -> Result<Vec<SegmentProfile>> {
    profile_weighted(columns, labels, n_segments, None, params)
}

/// Profiles, names and describes the segments of a base, with sample weights.
///
/// # Shapes
/// `labels` and `weights`: one for each row; labels are below `n_segments`, or [`MISSING`].
///
/// # Cost
/// `O(rows log rows)` for each numeric column, `O(rows)` for each other, in parallel over columns.
///
/// # Errors
/// When a parameter cannot have its value, lengths differ, there are no rows, a label, level code, number or weight is
/// out of range.
pub fn profile_weighted(
    columns: &[Column<'_>],
    labels: &[u32],
    n_segments: usize,
    weights: Option<&[f64]>,
    params: &ProfileParams,
) -> Result<Vec<SegmentProfile>> {
    params.validate()?;
    check_rows(columns, labels, n_segments)?;
    let weights = checked_weights(weights, labels.len())?;
    let groups = Groups {
        of: labels
            .iter()
            .map(|&l| (l as usize).min(n_segments))
            .collect(),
        n_segments,
        weights: &weights,
    };
    let statements = state(columns, &groups, params);
    let sizes = sizes(&groups);
    Ok(persona::describe(
        columns, &groups, &sizes, statements, params,
    ))
}

/// Refuses columns and labels that do not go together.
pub(crate) fn check_rows(columns: &[Column<'_>], labels: &[u32], n_segments: usize) -> Result<()> {
    if n_segments == 0 {
        return Err(Error::param("n_segments", "must be at least 1, found 0"));
    }
    if labels.is_empty() {
        return Err(Error::data("labels", "has no rows"));
    }
    for (index, column) in columns.iter().enumerate() {
        column.validate(index, labels.len())?;
    }
    let known = |l: &u32| *l == MISSING || (*l as usize) < n_segments;
    if let Some(row) = labels.iter().position(|l| !known(l)) {
        return Err(Error::data(
            "labels",
            format!(
                "segment {} in row {row} where there are {n_segments} segments (counted from 0)",
                labels[row]
            ),
        ));
    }
    Ok(())
}

/// Rows and share of the weight of each segment.
fn sizes(groups: &Groups<'_>) -> Vec<(usize, f64)> {
    let total: f64 = groups.weights.iter().sum();
    let mut sizes = vec![(0, 0.0); groups.n_segments + 1];
    for (&g, w) in groups.of.iter().zip(groups.weights) {
        sizes[g].0 += usize::from(*w > 0.0);
        sizes[g].1 += w;
    }
    sizes.truncate(groups.n_segments);
    sizes.iter().map(|&(n, w)| (n, w / total)).collect()
}

/// All statements about all segments, sorted as [`SegmentProfile::statements`].
fn state(columns: &[Column<'_>], groups: &Groups<'_>, params: &ProfileParams) -> Vec<Vec<Sourced>> {
    let measured: Vec<(usize, Measured)> = columns
        .par_iter()
        .enumerate()
        .map(|(index, column)| {
            let found = measure(column, groups, params);
            found.into_iter().map(move |m| (index, m)).collect()
        })
        .collect::<Vec<Vec<_>>>()
        .into_iter()
        .flatten()
        .collect();
    let p: Vec<f64> = measured.iter().map(|(_, m)| m.p).collect();
    let q = benjamini_hochberg(&p);
    let mut of_segment = vec![Vec::new(); groups.n_segments];
    for ((index, m), q_value) in measured.into_iter().zip(q) {
        of_segment[m.segment].push(Sourced {
            column: index,
            level: m.level,
            statement: Statement {
                column: columns[index].name.to_string(),
                role: columns[index].role,
                unit: columns[index].unit.map(str::to_string),
                fact: m.fact,
                n: m.n,
                effect: m.effect,
                p_value: m.p,
                q_value,
            },
        });
    }
    for statements in &mut of_segment {
        let holds = |s: &Sourced| s.statement.q_value <= params.max_q;
        statements.sort_by(|a, b| {
            let strength = |s: &Sourced| s.statement.effect.abs();
            let order = holds(b).cmp(&holds(a));
            order.then(strength(b).total_cmp(&strength(a)))
        });
    }
    of_segment
}

fn measure(column: &Column<'_>, groups: &Groups<'_>, params: &ProfileParams) -> Vec<Measured> {
    match column.values {
        ColumnValues::Numeric(values) => {
            let mut found = if column.is_flag() {
                let yes = |row: usize| match values[row] {
                    1.0 => Some(0),
                    v if v.is_nan() => None,
                    _ => Some(1),
                };
                let levels = ["Yes".to_string(), "No".to_string()];
                categorical::measure(groups, &levels, 2, yes)
            } else {
                numeric::measure(values, groups)
            };
            found.extend(categorical::missing(groups, |row| values[row].is_nan()));
            found
        }
        ColumnValues::Categorical { codes, levels } => {
            let level = |row: usize| (codes[row] != MISSING).then_some(codes[row] as usize);
            let mut found = categorical::measure(groups, levels, params.max_levels, level);
            found.extend(categorical::missing(groups, |row| codes[row] == MISSING));
            found
        }
    }
}
