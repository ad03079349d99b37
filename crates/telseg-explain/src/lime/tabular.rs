//! LIME of table rows: each column of a row nearby is drawn on its own.

use std::fmt;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand::Rng;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

use super::local::LocalModelParams;
use super::stability::Stability;
use crate::agnostic::ask;

/// What a numeric column is to the stand-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Bins {
    /// Whether it is in the same quarter of the background as the explained row.
    #[default]
    Quartiles,
    /// Whether it is in the same tenth.
    Deciles,
    /// The number itself, standardised. Missing values are refused.
    None,
}

/// Parameters of [`Lime`]; start from [`Lime::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimeParams {
    /// Rows nearby to ask the model about, the explained one among them. 5000 unless set.
    pub n_samples: usize,
    /// How fast a row loses weight with its distance. `None`: 0.75 times the root of the number of columns.
    pub kernel_width: Option<f64>,
    /// What a numeric column is to the stand-in.
    pub bins: Bins,
    /// Columns whose values are codes: the stand-in asks whether the code is the same.
    pub categorical: Vec<usize>,
    /// How the stand-in is fitted.
    pub local: LocalModelParams,
    /// The root of all draws.
    pub seed: u64,
}

impl Default for LimeParams {
    fn default() -> Self {
        Self {
            n_samples: 5000,
            kernel_width: None,
            bins: Bins::Quartiles,
            categorical: Vec::new(),
            local: LocalModelParams::default(),
            seed: 0,
        }
    }
}

impl LimeParams {
    /// Sets how many rows nearby to ask about.
    pub fn with_n_samples(mut self, n_samples: usize) -> Self {
        self.n_samples = n_samples;
        self
    }

    /// Sets how fast a row loses weight with its distance.
    pub fn with_kernel_width(mut self, kernel_width: f64) -> Self {
        self.kernel_width = Some(kernel_width);
        self
    }

    /// Sets what a numeric column is to the stand-in.
    pub fn with_bins(mut self, bins: Bins) -> Self {
        self.bins = bins;
        self
    }

    /// Sets which columns hold codes.
    pub fn with_categorical(mut self, categorical: Vec<usize>) -> Self {
        self.categorical = categorical;
        self
    }

    /// Sets how the stand-in is fitted.
    pub fn with_local(mut self, local: LocalModelParams) -> Self {
        self.local = local;
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
    /// `n_samples` must be at least 2, `kernel_width` above 0 and finite, `local` sound.
    pub fn validate(&self) -> Result<()> {
        check_sampling(self.n_samples, self.kernel_width)?;
        self.local.validate()
    }

    /// Learns how the background's columns are spread.
    ///
    /// # Errors
    /// When a parameter cannot be, the background is empty, or a number that is not binned is missing or infinite.
    pub fn fit<F: Fn(&Array2<f32>) -> Result<Array1<f64>>>(
        &self,
        background: &ArrayRef2<f32>,
        score: F,
    ) -> Result<Lime<F>> {
        self.validate()?;
        let (rows, n) = background.dim();
        if rows == 0 || n == 0 {
            let found = format!("{rows} by {n}");
            return Err(Error::shape(
                "background",
                "at least 1 row and 1 column",
                found,
            ));
        }
        if let Some(column) = self.categorical.iter().find(|c| **c >= n) {
            let problem = format!("names column {column}, there are {n}");
            return Err(Error::param("categorical", problem));
        }
        let scales = (0..n)
            .map(|j| {
                let column: Vec<f32> = background.column(j).to_vec();
                if self.categorical.contains(&j) {
                    return Ok(Scale::Codes);
                }
                match self.bins {
                    Bins::Quartiles => Ok(Scale::Cuts(cuts(column, 4))),
                    Bins::Deciles => Ok(Scale::Cuts(cuts(column, 10))),
                    Bins::None => normal(&column, j),
                }
            })
            .collect::<Result<_>>()?;
        Ok(Lime {
            params: self.clone(),
            score,
            background: background.to_owned(),
            scales,
        })
    }
}

/// What both kinds of LIME need of their parameters.
pub(super) fn check_sampling(n_samples: usize, kernel_width: Option<f64>) -> Result<()> {
    if n_samples < 2 {
        let problem = format!("must be at least 2, found {n_samples}");
        return Err(Error::param("n_samples", problem));
    }
    if let Some(width) = kernel_width.filter(|w| !(*w > 0.0 && w.is_finite())) {
        let problem = format!("must be above 0 and finite, found {width}");
        return Err(Error::param("kernel_width", problem));
    }
    Ok(())
}

/// How values of a column are seen by the stand-in.
#[derive(Clone, Debug, PartialEq)]
enum Scale {
    /// By bins: a value is in the bin of the first cut that is not below it.
    Cuts(Vec<f32>),
    Codes,
    Normal {
        mean: f64,
        std_dev: f64,
    },
}

/// Quantiles of what is known (linear interpolation), without repeats.
fn cuts(mut values: Vec<f32>, parts: usize) -> Vec<f32> {
    values.retain(|v| !v.is_nan());
    values.sort_by(f32::total_cmp);
    let at = |part: usize| {
        let place = (values.len() - 1) as f64 * part as f64 / parts as f64;
        let (low, high) = (
            values[place.floor() as usize],
            values[place.ceil() as usize],
        );
        if low == high {
            return low; // infinities, too
        }
        (f64::from(low) + (f64::from(high) - f64::from(low)) * place.fract()) as f32
    };
    let mut cuts: Vec<f32> = if values.is_empty() {
        Vec::new()
    } else {
        (1..parts).map(at).collect()
    };
    cuts.dedup();
    cuts
}

fn normal(values: &[f32], column: usize) -> Result<Scale> {
    if let Some(row) = values.iter().position(|v| !v.is_finite()) {
        return Err(Error::Value {
            what: "background".into(),
            problem: format!(
                "expected a finite number where nothing is binned, found {}",
                values[row]
            ),
            row,
            column,
        });
    }
    let many = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / many;
    let squares: f64 = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
    let std_dev = (squares / many).sqrt();
    Ok(Scale::Normal {
        mean,
        std_dev: if std_dev > 1e-12 * mean.abs() {
            std_dev
        } else {
            1.0
        },
    })
}

/// What a part of an explanation is about: the explained row's side of a column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LocalCondition {
    /// The value is above the one and at most the other.
    Within {
        /// No lower bound: the lowest bin.
        above: Option<f32>,
        /// No upper bound: the highest bin.
        at_most: Option<f32>,
    },
    /// The code is this.
    Is(f32),
    /// The value is missing.
    Missing,
    /// The number itself, in standard deviations of the background.
    PerStdDev,
}

impl fmt::Display for LocalCondition {
    /// As it follows the name of a column: "tenure" and "at most 12".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within {
                above: None,
                at_most: None,
            } => f.write_str("known"),
            Self::Within {
                above: Some(a),
                at_most: None,
            } => write!(f, "above {a}"),
            Self::Within {
                above: None,
                at_most: Some(b),
            } => write!(f, "at most {b}"),
            Self::Within {
                above: Some(a),
                at_most: Some(b),
            } => write!(f, "above {a}, at most {b}"),
            Self::Is(code) => write!(f, "is {code}"),
            Self::Missing => f.write_str("missing"),
            Self::PerStdDev => f.write_str("per standard deviation"),
        }
    }
}

/// One column's part of a local explanation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Part {
    /// Column, counted from 0.
    pub feature: usize,
    /// What the weight is about.
    pub condition: LocalCondition,
    /// How much the score is higher where that holds.
    pub weight: f64,
}

/// A row's score, explained by a linear stand-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocalExplanation {
    /// The chosen columns, strongest first.
    pub parts: Vec<Part>,
    /// The stand-in's score where no condition holds.
    pub intercept: f64,
    /// The share of the scores' variance nearby that the stand-in explains.
    pub r2: f64,
    /// What the stand-in says of the row.
    pub local_prediction: f64,
    /// What the model says of it.
    pub score: f64,
}

/// Explains any model near a row by a small linear model.
///
/// Rows nearby are made of values that the background has, column by column; the stand-in sees for each whether it is in
/// the bin (or has the code) of the explained row. Deviations from the paper's program: values within a bin are the
/// background's own and not drawn from a normal distribution, and a missing value is a bin or code of its own.
///
/// # Cost
/// `n_samples` model scores for each row; samples × columns² beside.
///
/// # Examples
/// ```
/// use ndarray::{Array2, Axis, array};
/// use telseg_explain::{LocalCondition, Lime, LocalModel};
/// // Tenure in months, bill. Only a short tenure counts.
/// let base = Array2::from_shape_fn((400, 2), |(i, j)| ((i * (7 + j)) % 100) as f32);
/// let risk = |rows: &Array2<f32>| Ok(rows.map_axis(Axis(1), |r| if r[0] < 25.0 { 0.8 } else { 0.1 }));
/// let lime = Lime::params().with_local(LocalModel::params().with_n_kept(1)).fit(&base, risk)?;
/// let why = lime.explain_row(&array![3.0f32, 50.0])?;
/// assert_eq!(why.parts[0].feature, 0);
/// assert!((why.parts[0].weight - 0.7).abs() < 0.03 && why.r2 > 0.9);
/// assert!(matches!(why.parts[0].condition, LocalCondition::Within { above: None, at_most: Some(_) }));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lime<F> {
    params: LimeParams,
    score: F,
    background: Array2<f32>,
    scales: Vec<Scale>,
}

impl Lime<()> {
    /// What to ask for: everything by default.
    pub fn params() -> LimeParams {
        LimeParams::default()
    }
}

impl<F: Fn(&Array2<f32>) -> Result<Array1<f64>>> Lime<F> {
    /// Explains one row.
    ///
    /// # Errors
    /// When the row has the wrong width, a number that is not binned is missing, or the model fails.
    pub fn explain_row(&self, row: &ArrayRef1<f32>) -> Result<LocalExplanation> {
        self.explain(row, 0)
    }

    /// How far explanations from `n_runs` different draws agree.
    ///
    /// # Errors
    /// As [`explain_row`](Self::explain_row); and when there are fewer than 2 runs.
    pub fn stability(&self, row: &ArrayRef1<f32>, n_runs: usize) -> Result<Stability> {
        if n_runs < 2 {
            let problem = format!("must be at least 2, found {n_runs}");
            return Err(Error::param("n_runs", problem));
        }
        let run = |run: usize| {
            let found = self.explain(row, run as u64)?;
            Ok(found.parts.iter().map(|p| (p.feature, p.weight)).collect())
        };
        Ok(Stability::of(
            &(0..n_runs).map(run).collect::<Result<Vec<_>>>()?,
        ))
    }

    fn explain(&self, row: &ArrayRef1<f32>, run: u64) -> Result<LocalExplanation> {
        let n = self.scales.len();
        if row.len() != n {
            let expected = format!("{n} columns (as the background)");
            return Err(Error::shape("row", expected, row.len().to_string()));
        }
        for (column, (scale, v)) in self.scales.iter().zip(row).enumerate() {
            if matches!(scale, Scale::Normal { .. }) && !v.is_finite() {
                let problem =
                    format!("column {column} is not binned and must be finite, found {v}");
                return Err(Error::data("row", problem));
            }
        }
        let rows = self.nearby(row, run);
        let z = Array2::from_shape_fn(rows.dim(), |(i, j)| {
            self.scales[j].seen(rows[[i, j]], row[j])
        });
        let scores = ask(&self.score, &rows)?;
        let width = self.params.kernel_width.unwrap_or(0.75 * (n as f64).sqrt());
        let weights: Array1<f64> = z
            .outer_iter()
            .map(|nearby| {
                let off = nearby.iter().zip(z.row(0)).map(|(a, b)| (a - b).powi(2));
                (-off.sum::<f64>() / (width * width)).exp().sqrt()
            })
            .collect();
        let fit = self.params.local.fit(&z, &scores, &weights)?;
        let part = |(&feature, &weight): (&usize, &f64)| Part {
            feature,
            condition: self.scales[feature].condition(row[feature]),
            weight,
        };
        let mut parts: Vec<Part> = fit.kept.iter().zip(&fit.weights).map(part).collect();
        parts.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        Ok(LocalExplanation {
            parts,
            intercept: fit.intercept,
            r2: fit.r2,
            local_prediction: fit.prediction,
            score: scores[0],
        })
    }

    /// The row itself, and others whose columns are drawn one by one.
    fn nearby(&self, row: &ArrayRef1<f32>, run: u64) -> Array2<f32> {
        let stream = Seed::new(self.params.seed).stream("lime.rows").child(run);
        let mut rows = Array2::zeros((self.params.n_samples, self.scales.len()));
        for (i, mut to) in rows.outer_iter_mut().enumerate() {
            if i == 0 {
                to.assign(row);
                continue;
            }
            let mut rng = stream.index(i as u64);
            for (j, (to, scale)) in to.iter_mut().zip(&self.scales).enumerate() {
                *to = match scale {
                    Scale::Normal { mean, std_dev } => {
                        // Box and Muller (1958).
                        let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
                        let z = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                        (mean + std_dev * z) as f32
                    }
                    _ => self.background[[rng.random_range(0..self.background.nrows()), j]],
                };
            }
        }
        rows
    }
}

impl Scale {
    /// What the stand-in sees of a value, beside the explained row's.
    fn seen(&self, value: f32, explained: f32) -> f64 {
        let same = match self {
            Self::Normal { mean, std_dev } => return (f64::from(value) - mean) / std_dev,
            _ if value.is_nan() || explained.is_nan() => value.is_nan() && explained.is_nan(),
            Self::Codes => value == explained,
            Self::Cuts(cuts) => bin(cuts, value) == bin(cuts, explained),
        };
        f64::from(u8::from(same))
    }

    fn condition(&self, explained: f32) -> LocalCondition {
        match self {
            Self::Normal { .. } => LocalCondition::PerStdDev,
            _ if explained.is_nan() => LocalCondition::Missing,
            Self::Codes => LocalCondition::Is(explained),
            Self::Cuts(cuts) => {
                let bin = bin(cuts, explained);
                LocalCondition::Within {
                    above: bin.checked_sub(1).map(|b| cuts[b]),
                    at_most: cuts.get(bin).copied(),
                }
            }
        }
    }
}

fn bin(cuts: &[f32], value: f32) -> usize {
    cuts.partition_point(|cut| *cut < value)
}
