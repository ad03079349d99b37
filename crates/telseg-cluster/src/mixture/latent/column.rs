//! A column in every class: its parameters, and the log density of a cell.

use ndarray::{Array1, Array2, ArrayRef1};
use serde::{Deserialize, Serialize};
use telseg_core::kernel::TILE;
use telseg_core::{Error, Result};

use super::counts::{log_factorial, log_factorials};
use super::params::Family;

/// No probability is less, whatever the smoothing.
pub(super) const LEAST: f64 = 1e-15;

/// Parameters of one column, for each class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LatentColumn {
    /// Means and variances.
    Normal {
        /// Mean of each class.
        means: Array1<f64>,
        /// Variance of each class.
        variances: Array1<f64>,
    },
    /// Probabilities of levels.
    Categorical {
        /// Classes by levels; each row sums to 1.
        probabilities: Array2<f64>,
    },
    /// Mean counts.
    Poisson {
        /// Mean count of each class.
        rates: Array1<f64>,
    },
    /// Zeros beyond the counts', and mean counts without them.
    ZeroInflatedPoisson {
        /// Mean count of the rows of a class that are not structural zeros.
        rates: Array1<f64>,
        /// Share of structural zeros of each class.
        zeros: Array1<f64>,
    },
}

impl LatentColumn {
    /// What the column holds.
    pub fn family(&self) -> Family {
        match self {
            Self::Normal { .. } => Family::Normal,
            Self::Categorical { probabilities } => Family::Categorical {
                n_levels: probabilities.ncols() as u32,
            },
            Self::Poisson { .. } => Family::Poisson,
            Self::ZeroInflatedPoisson { .. } => Family::ZeroInflatedPoisson,
        }
    }

    /// Free parameters of all classes.
    pub(super) fn n_parameters(&self) -> usize {
        match self {
            Self::Normal { means, .. } => 2 * means.len(),
            Self::Categorical { probabilities } => {
                probabilities.nrows() * (probabilities.ncols() - 1)
            }
            Self::Poisson { rates } => rates.len(),
            Self::ZeroInflatedPoisson { rates, .. } => 2 * rates.len(),
        }
    }

    fn is_sound(&self, k: usize) -> bool {
        let positive =
            |v: &Array1<f64>| v.len() == k && v.iter().all(|v| *v > 0.0 && v.is_finite());
        match self {
            Self::Normal { means, variances } => {
                means.len() == k && means.iter().all(|m| m.is_finite()) && positive(variances)
            }
            Self::Categorical { probabilities } => {
                let rows = probabilities.rows();
                let sums = |row: ndarray::ArrayView1<'_, f64>| {
                    row.iter().all(|&p| p > 0.0) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-6
                };
                probabilities.nrows() == k
                    && probabilities.ncols() > 0
                    && u32::try_from(probabilities.ncols()).is_ok()
                    && rows.into_iter().all(sums)
            }
            Self::Poisson { rates } => positive(rates),
            Self::ZeroInflatedPoisson { rates, zeros } => {
                let share = |z: &f64| (0.0..1.0).contains(z);
                positive(rates) && zeros.len() == k && zeros.iter().all(share)
            }
        }
    }

    /// Lays out what the log density of a cell needs.
    pub(super) fn prepare(&self) -> Prepared {
        match self {
            Self::Normal { means, variances } => Prepared::Normal(
                means
                    .iter()
                    .zip(variances)
                    .map(|(&mean, variance)| Bell {
                        mean,
                        scale: variance.sqrt().recip(),
                        constant: -0.5 * (2.0 * std::f64::consts::PI * variance).ln(),
                    })
                    .collect(),
            ),
            Self::Categorical { probabilities } => Prepared::Categorical {
                n_levels: probabilities.ncols(),
                logs: probabilities.iter().map(|p| p.ln()).collect(),
            },
            Self::Poisson { rates } => Prepared::Count(
                rates
                    .iter()
                    .map(|&rate| Tally {
                        log_rate: rate.ln(),
                        constant: -rate,
                        at_zero: -rate,
                    })
                    .collect(),
            ),
            Self::ZeroInflatedPoisson { rates, zeros } => Prepared::Count(
                rates
                    .iter()
                    .zip(zeros)
                    .map(|(&rate, &zero)| Tally {
                        log_rate: rate.ln(),
                        constant: (-zero).ln_1p() - rate,
                        at_zero: (zero + (1.0 - zero) * (-rate).exp()).ln(),
                    })
                    .collect(),
            ),
        }
    }
}

/// Shares and columns that make a model.
pub(super) fn check(weights: &ArrayRef1<f64>, columns: &[LatentColumn]) -> Result<()> {
    let k = weights.len();
    let sum: f64 = weights.iter().sum();
    let shares = weights.iter().all(|&w| w >= 0.0) && (sum - 1.0).abs() < 1e-6;
    if !shares || u32::try_from(k).is_err() {
        let problem = "expected shares of at least 0 that sum to 1";
        return Err(Error::data("weights", problem));
    }
    if columns.is_empty() {
        return Err(Error::data("columns", "expected at least one"));
    }
    match columns.iter().position(|column| !column.is_sound(k)) {
        None => Ok(()),
        Some(j) => {
            let problem = format!("column {j} is not of {k} classes of sound numbers");
            Err(Error::data("columns", problem))
        }
    }
}

/// A column in the form that log densities are computed from.
#[derive(Clone, Debug)]
pub(super) enum Prepared {
    Normal(Vec<Bell>),
    Categorical { n_levels: usize, logs: Vec<f64> },
    Count(Vec<Tally>),
}

/// A normal distribution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bell {
    mean: f64,
    scale: f64,
    constant: f64,
}

/// A distribution of counts: `constant + n log_rate - ln n!`, and of zero by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    log_rate: f64,
    constant: f64,
    at_zero: f64,
}

impl Bell {
    /// 0 of a missing cell: it says nothing.
    #[inline(always)]
    fn log(self, cell: f64) -> f64 {
        let z = (cell - self.mean) * self.scale;
        let value = self.constant - 0.5 * z * z;
        if cell.is_nan() { 0.0 } else { value }
    }
}

impl Tally {
    #[inline(always)]
    fn log(self, cell: f64, log_factorial: f64) -> f64 {
        let value = self.constant + cell * self.log_rate - log_factorial;
        let value = if cell == 0.0 { self.at_zero } else { value };
        if cell.is_nan() { 0.0 } else { value }
    }
}

impl Prepared {
    /// Adds the log density of a tile's cells in every class.
    #[inline(always)]
    pub(super) fn add(&self, cells: &[f64; TILE], joint: &mut [[f64; TILE]]) {
        match self {
            Self::Normal(bells) => {
                for (bell, joint) in bells.iter().zip(joint) {
                    for l in 0..TILE {
                        joint[l] += bell.log(cells[l]);
                    }
                }
            }
            Self::Categorical { n_levels, logs } => {
                let observed = cells.map(|cell| !cell.is_nan());
                let levels = cells.map(|cell| cell as usize); // a missing cell reads level 0, and drops it
                for (logs, joint) in logs.chunks_exact(*n_levels).zip(joint) {
                    for l in 0..TILE {
                        joint[l] += if observed[l] { logs[levels[l]] } else { 0.0 };
                    }
                }
            }
            Self::Count(tallies) => {
                let factorials = log_factorials(cells);
                for (tally, joint) in tallies.iter().zip(joint) {
                    for l in 0..TILE {
                        joint[l] += tally.log(cells[l], factorials[l]);
                    }
                }
            }
        }
    }

    /// The log density of one cell in one class, with the bits of a tile.
    pub(super) fn log(&self, class: usize, cell: f64) -> f64 {
        match self {
            _ if cell.is_nan() => 0.0,
            Self::Normal(bells) => bells[class].log(cell),
            Self::Categorical { n_levels, logs } => logs[class * n_levels + cell as usize],
            Self::Count(tallies) => tallies[class].log(cell, log_factorial(cell)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn densities_are_right_and_missing_cells_say_nothing() {
        let columns = [
            (
                LatentColumn::Normal {
                    means: array![1.0],
                    variances: array![4.0],
                },
                3.0,
                -0.5 * (8.0 * std::f64::consts::PI).ln() - 0.5,
            ),
            (
                LatentColumn::Categorical {
                    probabilities: array![[0.2, 0.8]],
                },
                1.0,
                0.8f64.ln(),
            ),
            (
                LatentColumn::Poisson { rates: array![2.0] },
                3.0,
                (8.0 / 6.0f64).ln() - 2.0,
            ),
            (
                LatentColumn::ZeroInflatedPoisson {
                    rates: array![2.0],
                    zeros: array![0.25],
                },
                0.0,
                (0.25 + 0.75 * (-2.0f64).exp()).ln(),
            ),
            (
                LatentColumn::ZeroInflatedPoisson {
                    rates: array![2.0],
                    zeros: array![0.25],
                },
                1.0,
                (0.75 * 2.0f64).ln() - 2.0,
            ),
        ];
        for (column, cell, expected) in columns {
            let prepared = column.prepare();
            assert!(
                (prepared.log(0, cell) - expected).abs() < 1e-15,
                "{column:?}"
            );
            let (mut cells, mut joint) = ([cell; TILE], [[0.0; TILE]]);
            cells[1] = f64::NAN;
            prepared.add(&cells, &mut joint);
            assert_eq!(joint[0][..2], [prepared.log(0, cell), 0.0]);
            assert_eq!(prepared.log(0, f64::NAN), 0.0);
        }
    }
}
