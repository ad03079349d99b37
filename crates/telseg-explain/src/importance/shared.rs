//! Columns that say the same share their credit, and how is a matter of choice: where that is so, it is pointed out.

use std::fmt;

use ndarray::ArrayRef2;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::stats::correlation;

/// Columns so correlated that no method can say what part of the credit is whose.
///
/// By the covers of the trees, a column earns what it tells about the columns that are unknown; against background rows,
/// only what the model itself does with it. Where the two differ, neither is wrong: the question is not settled by the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SharedCredit {
    /// The columns, ascending.
    pub features: Vec<usize>,
    /// The strongest correlation between two of them, with its sign.
    pub correlation: f64,
    /// Mean absolute attribution of each, the first way.
    pub first: Vec<f64>,
    /// And the second way.
    pub second: Vec<f64>,
    /// Mean absolute attribution of the columns together (the absolute value of their sum), each way: what can be said.
    pub together: [f64; 2],
    /// How much credit moves between the two ways: the sum of the mean absolute differences, as a share of the sum of the
    /// mean absolute attributions of both. 0: both say the same; 1: they share no credit.
    pub moved: f64,
}

impl fmt::Display for SharedCredit {
    /// A sentence; columns are numbered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.features.iter().map(usize::to_string).collect();
        write!(f, "{}", self.sentence(&names))
    }
}

impl SharedCredit {
    /// The statement in words, with the names of the columns of this group.
    pub fn sentence(&self, names: &[impl AsRef<str>]) -> String {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        format!(
            "{} move together (correlation up to {:.2}): credit between them is a matter of the question that is asked \
             ({:.0} % of it moves); together they move the score by {:.3} to {:.3} on average.",
            names.join(", "),
            self.correlation,
            100.0 * self.moved,
            self.together[0].min(self.together[1]),
            self.together[0].max(self.together[1]),
        )
    }
}

/// Finds groups of columns whose correlation is at least `threshold` (in absolute value, in a chain), and says how much
/// their attributions differ between two ways of attributing: by covers and against background rows, say.
///
/// Columns that neither way gives anything are left out. Groups come with those first that carry most.
///
/// # Shapes
/// `x`, `first`, `second`: rows by features.
///
/// # Errors
/// When shapes differ, there are no rows, or `threshold` is not above 0 and at most 1.
///
/// # Cost
/// Rows × features².
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_explain::shared_credit;
/// let x = array![[1.0f32, 1.1, 0.0], [2.0, 1.9, 1.0], [3.0, 3.2, 1.0], [4.0, 3.9, 0.0]];
/// let by_covers = array![[-1.0, -0.5, 0.1], [-0.3, -0.2, -0.1], [0.3, 0.2, -0.1], [1.0, 0.5, 0.1]];
/// let against = array![[-1.5, 0.0, 0.1], [-0.5, 0.0, -0.1], [0.5, 0.0, -0.1], [1.5, 0.0, 0.1]];
/// let shared = shared_credit(&x, &by_covers, &against, 0.7)?;
/// assert_eq!(shared[0].features, [0, 1]);
/// assert!((shared[0].together[0] - 1.0).abs() < 1e-12 && (shared[0].together[1] - 1.0).abs() < 1e-12);
/// assert!((shared[0].moved - 0.35).abs() < 1e-12);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn shared_credit(
    x: &ArrayRef2<f32>,
    first: &ArrayRef2<f64>,
    second: &ArrayRef2<f64>,
    threshold: f64,
) -> Result<Vec<SharedCredit>> {
    for (what, found) in [("first", first), ("second", second)] {
        if found.dim() != x.dim() {
            let (rows, columns) = x.dim();
            let expected = format!("{rows} rows by {columns} columns (as x)");
            let found = format!("{} by {}", found.nrows(), found.ncols());
            return Err(Error::shape(what, expected, found));
        }
    }
    if x.nrows() == 0 {
        return Err(Error::data("x", "has no rows"));
    }
    if !(threshold > 0.0 && threshold <= 1.0) {
        let problem = format!("must be above 0 and at most 1, found {threshold}");
        return Err(Error::param("threshold", problem));
    }
    let counts = |j: usize| {
        first
            .column(j)
            .iter()
            .chain(second.column(j))
            .any(|v| *v != 0.0)
    };
    let used: Vec<usize> = (0..x.ncols()).filter(|&j| counts(j)).collect();
    // Each column starts in a group of its own; a correlated pair merges two.
    let mut group: Vec<usize> = (0..used.len()).collect();
    let mut strongest = vec![0.0f64; used.len()];
    for b in 0..used.len() {
        for a in 0..b {
            let pairs = x.column(used[a]).into_iter().zip(x.column(used[b]));
            let known = pairs.filter(|(_, v)| v.is_finite());
            let r = correlation(known.map(|(u, v)| (f64::from(*u), f64::from(*v), 1.0)));
            let Some(r) = r.filter(|r| r.abs() >= threshold) else {
                continue;
            };
            let (into, from) = (group[a].min(group[b]), group[a].max(group[b]));
            let all = [strongest[into], strongest[from], r];
            strongest[into] = all
                .into_iter()
                .fold(0.0, |m, r| if r.abs() > f64::abs(m) { r } else { m });
            group
                .iter_mut()
                .filter(|g| **g == from)
                .for_each(|g| *g = into);
        }
    }
    let mut found: Vec<SharedCredit> = (0..used.len())
        .filter_map(|g| {
            let members = used.iter().zip(&group).filter(|(_, of)| **of == g);
            let features: Vec<usize> = members.map(|(&j, _)| j).collect();
            (features.len() > 1).then(|| credit(features, strongest[g], first, second))
        })
        .collect();
    let carries = |c: &SharedCredit| c.together[0].max(c.together[1]);
    found.sort_by(|a, b| carries(b).total_cmp(&carries(a)));
    Ok(found)
}

fn credit(
    features: Vec<usize>,
    correlation: f64,
    first: &ArrayRef2<f64>,
    second: &ArrayRef2<f64>,
) -> SharedCredit {
    let rows = first.nrows() as f64;
    let size = |of: &ArrayRef2<f64>| -> Vec<f64> {
        let mean = |&j: &usize| of.column(j).iter().map(|v| v.abs()).sum::<f64>() / rows;
        features.iter().map(mean).collect()
    };
    let together = |of: &ArrayRef2<f64>| {
        let sum =
            |row: ndarray::ArrayView1<'_, f64>| features.iter().map(|&j| row[j]).sum::<f64>().abs();
        of.outer_iter().map(sum).sum::<f64>() / rows
    };
    let apart = |&j: &usize| {
        let both = first.column(j).into_iter().zip(second.column(j));
        both.map(|(a, b)| (a - b).abs()).sum::<f64>() / rows
    };
    let (one, other) = (size(first), size(second));
    let both: f64 = one.iter().chain(&other).sum();
    SharedCredit {
        moved: features.iter().map(apart).sum::<f64>() / both,
        together: [together(first), together(second)],
        features,
        correlation,
        first: one,
        second: other,
    }
}
