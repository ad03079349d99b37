//! Permutation importance: how much worse a model gets when a column no longer belongs to its row.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

use crate::agnostic::{ask, check_groups};

/// Whether a metric is better when it is higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Better {
    /// As AUC is.
    Higher,
    /// As a loss is.
    Lower,
}

/// Parameters of [`PermutationImportance`]; start from [`PermutationImportance::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PermutationImportanceParams {
    /// How often each group is shuffled. 10 unless set.
    pub n_repeats: usize,
    /// Columns that are shuffled together, so that what they say of each other stays. Empty: each column on its own. Columns
    /// may be in several groups or in none.
    pub groups: Vec<Vec<usize>>,
    /// The root of all draws.
    pub seed: u64,
}

impl Default for PermutationImportanceParams {
    fn default() -> Self {
        Self {
            n_repeats: 10,
            groups: Vec::new(),
            seed: 0,
        }
    }
}

impl PermutationImportanceParams {
    /// Sets how often each group is shuffled.
    pub fn with_n_repeats(mut self, n_repeats: usize) -> Self {
        self.n_repeats = n_repeats;
        self
    }

    /// Sets which columns are shuffled together.
    pub fn with_groups(mut self, groups: Vec<Vec<usize>>) -> Self {
        self.groups = groups;
        self
    }

    /// Sets the root of all draws.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// `n_repeats` must be at least 1.
    pub fn validate(&self) -> Result<()> {
        if self.n_repeats == 0 {
            return Err(Error::param("n_repeats", "must be at least 1, found 0"));
        }
        Ok(())
    }

    /// Shuffles each group in turn. `metric` gets the scores of all rows, in their order.
    ///
    /// # Errors
    /// When a parameter cannot be, there are fewer than 2 rows, or the model or the metric fails.
    pub fn measure(
        &self,
        x: &ArrayRef2<f32>,
        score: impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
        metric: impl Fn(&ArrayRef1<f64>) -> Result<f64>,
        better: Better,
    ) -> Result<PermutationImportance> {
        self.validate()?;
        let (n, columns) = x.dim();
        if n < 2 {
            return Err(Error::shape("x", "at least 2 rows", n.to_string()));
        }
        let alone = || (0..columns).map(|c| vec![c]).collect();
        let groups: Vec<Vec<usize>> = if self.groups.is_empty() {
            alone()
        } else {
            self.groups.clone()
        };
        check_groups(&groups, columns)?;
        let measure = |rows: &Array2<f32>| {
            let found = metric(&ask(&score, rows)?)?;
            if found.is_finite() {
                return Ok(found);
            }
            let problem = format!("must answer with a finite number, found {found}");
            Err(Error::data("metric", problem))
        };
        let sign = if better == Better::Higher { 1.0 } else { -1.0 };
        let stream = Seed::new(self.seed).stream("permutation_importance");
        let (mut rows, mut order) = (x.to_owned(), (0..n).collect::<Vec<usize>>());
        let baseline = measure(&rows)?;
        let mut found = Vec::with_capacity(groups.len());
        for (g, group) in groups.into_iter().enumerate() {
            let draws = stream.child(g as u64);
            let mut losses = Vec::with_capacity(self.n_repeats);
            for repeat in 0..self.n_repeats {
                order.sort_unstable();
                order.shuffle(&mut draws.index(repeat as u64));
                for &column in &group {
                    let from = order.iter().map(|&row| x[[row, column]]);
                    rows.column_mut(column)
                        .iter_mut()
                        .zip(from)
                        .for_each(|(to, v)| *to = v);
                }
                losses.push(sign * (baseline - measure(&rows)?));
            }
            for &column in &group {
                rows.column_mut(column).assign(&x.column(column));
            }
            found.push(GroupImportance::new(group, losses));
        }
        found.sort_by(|a, b| b.loss.total_cmp(&a.loss)); // stable: ties stay in order
        Ok(PermutationImportance {
            baseline,
            groups: found,
        })
    }
}

/// How much worse a model gets, column by column (Breiman 2001; Fisher, Rudin & Dominici 2019).
///
/// Rows must be others than the model was trained on, or it is asked what it learnt by heart. Where two columns say the
/// same, shuffling one costs little: shuffle them as a group.
///
/// # Cost
/// `1 + groups × n_repeats` passes of the model over all rows, and one copy of them.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use telseg_core::metrics::regression::rmse;
/// use telseg_explain::{Better, PermutationImportance};
/// let x = Array2::from_shape_fn((200, 2), |(i, j)| ((i * (3 + 4 * j)) % 50) as f32);
/// let y: Vec<f64> = x.column(1).iter().map(|v| f64::from(*v)).collect();
/// let model = |rows: &Array2<f32>| Ok(rows.column(1).mapv(f64::from));
/// let metric = |scores: &ndarray::ArrayRef1<f64>| rmse(&y, &scores.to_vec(), None);
/// let found = PermutationImportance::params().measure(&x, model, metric, Better::Lower)?;
/// assert_eq!(found.groups[0].columns, [1]);
/// assert!(found.groups[0].interval[0] > 10.0);
/// assert_eq!(found.groups[1].loss, 0.0); // never asked
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PermutationImportance {
    /// The metric with all columns in place.
    pub baseline: f64,
    /// Groups, the most important first.
    pub groups: Vec<GroupImportance>,
}

impl PermutationImportance {
    /// What to ask for: each column on its own, 10 times.
    pub fn params() -> PermutationImportanceParams {
        PermutationImportanceParams::default()
    }
}

/// How much worse a model gets without some columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupImportance {
    /// The columns that were shuffled together.
    pub columns: Vec<usize>,
    /// Mean loss of the metric, counted so that worse is above 0.
    pub loss: f64,
    /// Standard error of `loss` over the shuffles (NaN for a single one). The choice of the rows is not part of it.
    pub std_error: f64,
    /// 95 % interval of `loss` over the shuffles, by Student's t (NaN below 4 shuffles).
    pub interval: [f64; 2],
    /// The loss of each shuffle.
    pub losses: Vec<f64>,
}

impl GroupImportance {
    fn new(columns: Vec<usize>, losses: Vec<f64>) -> Self {
        let many = losses.len() as f64;
        let loss = losses.iter().sum::<f64>() / many;
        let squares: f64 = losses.iter().map(|l| (l - loss).powi(2)).sum();
        let std_error = (squares / (many - 1.0) / many).sqrt();
        let wide = student(losses.len() - 1) * std_error;
        Self {
            columns,
            loss,
            std_error,
            interval: [loss - wide, loss + wide],
            losses,
        }
    }
}

/// The 97.5 % point of Student's t for 3 degrees of freedom or more, by Fisher's expansion in their reciprocal (good to 1 %
/// there, to 0.1 % from 6 on).
fn student(freedom: usize) -> f64 {
    if freedom < 3 {
        return f64::NAN;
    }
    let (z, f) = (crate::stats::Z95, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / f + second / (f * f) + third / (f * f * f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_students_t_are_those_of_the_tables() {
        for (freedom, table, tolerance) in [
            (3, 3.182, 0.035),
            (6, 2.447, 0.003),
            (9, 2.262, 0.002),
            (29, 2.045, 0.001),
        ] {
            assert!(
                (student(freedom) - table).abs() < tolerance,
                "{freedom}: {}",
                student(freedom)
            );
        }
        assert!(student(2).is_nan());
    }
}
