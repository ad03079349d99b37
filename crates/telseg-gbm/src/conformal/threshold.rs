//! The score that enough of the known rows do not exceed, for all rows and for each group of them.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// What is said in a group that has too few rows for any finite margin at the coverage asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sparse {
    /// Everything: intervals are infinite, sets hold all classes. The promise is kept.
    Everything,
    /// What is said of all rows together. The promise then holds on average over all rows, not within that group.
    Pooled,
}

/// The threshold of a group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Threshold {
    /// Rows that it was learnt on (sum of weights).
    pub rows: f64,
    /// Largest score that is not surprising; infinite where there are too few rows to say.
    pub value: f64,
}

/// Thresholds of all rows, and of each group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Thresholds {
    pub(super) all: Threshold,
    pub(super) groups: Vec<Threshold>,
    pub(super) sparse: Sparse,
}

/// The smallest score that rows of weight `coverage` times (all weight and one more) do not exceed.
///
/// That one more is the row to come: it may be the worst of all.
pub(super) fn threshold(mut scores: Vec<(f64, f64)>, coverage: f64) -> Threshold {
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rows: f64 = scores.iter().map(|s| s.1).sum();
    // A hair less, so that 0.7 * 10 = 7.000000000000001 asks for seven rows.
    let needed = coverage * (rows + 1.0) * (1.0 - 1e-12);
    let mut sum = 0.0;
    let found = scores.iter().find(|(_, weight)| {
        sum += weight;
        sum >= needed
    });
    let value = found.map_or(f64::INFINITY, |s| s.0);
    Threshold { rows, value }
}

impl Thresholds {
    pub(super) fn new(
        scores: &[f64],
        (weights, groups): (Option<&ArrayRef1<f32>>, Option<&ArrayRef1<u32>>),
        (coverage, sparse): (f64, Sparse),
    ) -> Result<Self> {
        let n = scores.len();
        if n == 0 {
            return Err(Error::shape("y", "at least one row", "0"));
        }
        if let Some(groups) = groups
            && groups.len() != n
        {
            let expected = format!("{n} groups (as rows)");
            return Err(Error::shape("groups", expected, groups.len().to_string()));
        }
        let weights = weights
            .map(|w| crate::options::checked_weights(w, n))
            .transpose()?;
        let row = |i: usize| (scores[i], weights.as_ref().map_or(1.0, |w| f64::from(w[i])));
        let all = threshold((0..n).map(row).collect(), coverage);
        let n_groups = groups
            .and_then(|g| g.iter().max())
            .map_or(0, |&last| last as usize + 1);
        if n_groups > n.saturating_mul(64).max(1 << 16) {
            let problem = format!(
                "must be numbered from 0 without large gaps, found {}",
                n_groups - 1
            );
            return Err(Error::data("groups", problem));
        }
        let mut of_groups = vec![Vec::new(); n_groups];
        for (i, &group) in groups.into_iter().flatten().enumerate() {
            of_groups[group as usize].push(row(i));
        }
        let groups = of_groups
            .into_iter()
            .map(|scores| threshold(scores, coverage))
            .collect();
        Ok(Self {
            all,
            groups,
            sparse,
        })
    }

    /// The threshold for a row of a group; without one, that of all rows.
    pub(super) fn of(&self, group: Option<u32>) -> f64 {
        let Some(group) = group else {
            return self.all.value;
        };
        let found = self
            .groups
            .get(group as usize)
            .map_or(f64::INFINITY, |t| t.value);
        if found.is_infinite() && self.sparse == Sparse::Pooled {
            self.all.value
        } else {
            found
        }
    }

    pub(super) fn validate(&self, what: &'static str) -> Result<()> {
        let sound = |t: &Threshold| {
            t.rows >= 0.0 && t.rows.is_finite() && !t.value.is_nan() && t.value > f64::NEG_INFINITY
        };
        if sound(&self.all) && self.groups.iter().all(sound) {
            return Ok(());
        }
        Err(Error::data(
            what,
            "thresholds must be numbers, and rows 0 or more",
        ))
    }
}

pub(super) fn check_coverage(coverage: f64) -> Result<()> {
    if coverage > 0.0 && coverage < 1.0 {
        return Ok(());
    }
    Err(Error::param(
        "coverage",
        format!("must lie between 0 and 1, found {coverage}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_to_come_counts() {
        let scores = || (1..=9).map(|s| (f64::from(s), 1.0)).collect::<Vec<_>>();
        // ceil(0.9 * 10) = 9 of 9; 0.91 needs a tenth; 0.7 * 10 is 7.
        assert_eq!(threshold(scores(), 0.9).value, 9.0);
        assert_eq!(threshold(scores(), 0.91).value, f64::INFINITY);
        assert_eq!(threshold(scores(), 0.7).value, 7.0);
        // A weight of 2 is two rows.
        let twice = vec![(1.0, 2.0), (2.0, 2.0), (5.0, 1.0)];
        assert_eq!(threshold(twice, 0.5).value, 2.0);
    }
}
