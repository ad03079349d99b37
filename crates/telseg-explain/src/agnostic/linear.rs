//! Linear models, whose Shapley values need no sampling.
//!
//! With independent columns `phi_i = c_i (x_i - mean_i)`. With correlated ones, what is unknown is expected to follow what
//! is known: `v(S) = c . mean + a(S) . (x - mean)`, where `a(S)` is 0 outside `S` and `c_S + Sigma_SS^-1 Sigma_SR c_R` in it
//! (the conditional mean of a normal distribution; Aas et al. 2021). `v` is linear in `x`, and so are its Shapley values:
//! `phi = T (x - mean)` with `T_i = sum_S |S|! (n - |S| - 1)! / n! (a(S + i) - a(S))`, worked out once over all subsets.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::dense::Cholesky;
use crate::stats::checked_weights;

/// Columns whose subsets can all be gone through.
const MOST: usize = 16;

/// What is expected of an unknown column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LinearBackground {
    /// Its mean, whatever the others are: credit goes to the columns that the model uses.
    #[default]
    Independent,
    /// What the known columns let expect: credit is shared with columns that say the same. Up to 16 columns.
    Correlated,
}

/// Parameters of [`LinearShap`]; start from [`LinearShap::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinearShapParams {
    /// What is expected of an unknown column.
    pub background: LinearBackground,
    /// How much of each covariance is taken away, from 0 to 1: columns that repeat each other need a little. 1e-6 unless
    /// set.
    pub shrinkage: f64,
}

impl Default for LinearShapParams {
    fn default() -> Self {
        Self {
            background: LinearBackground::Independent,
            shrinkage: 1e-6,
        }
    }
}

impl LinearShapParams {
    /// Sets what is expected of an unknown column.
    pub fn with_background(mut self, background: LinearBackground) -> Self {
        self.background = background;
        self
    }

    /// Sets how much of each covariance is taken away.
    pub fn with_shrinkage(mut self, shrinkage: f64) -> Self {
        self.shrinkage = shrinkage;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// `shrinkage` must be from 0 to 1.
    pub fn validate(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.shrinkage) {
            let problem = format!("must be from 0 to 1, found {}", self.shrinkage);
            return Err(Error::param("shrinkage", problem));
        }
        Ok(())
    }

    /// Makes ready to explain `intercept + coefficients . x` against background rows, which count alike unless they have
    /// weights.
    ///
    /// # Errors
    /// When a parameter cannot be, lengths differ, a number is not finite (a linear model has no rule for missing values),
    /// or there are more than 16 columns that may be correlated.
    ///
    /// # Cost
    /// For correlated columns a small system for each of the `2^columns` subsets.
    pub fn fit(
        &self,
        coefficients: &ArrayRef1<f64>,
        intercept: f64,
        background: &ArrayRef2<f32>,
        weights: Option<&[f64]>,
    ) -> Result<LinearShap> {
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
        if coefficients.len() != n {
            let expected = format!("{n} numbers (columns of the background)");
            let found = coefficients.len().to_string();
            return Err(Error::shape("coefficients", expected, found));
        }
        if let Some(bad) = coefficients
            .iter()
            .chain([&intercept])
            .find(|c| !c.is_finite())
        {
            let problem = format!("must be finite, found {bad}");
            return Err(Error::data("coefficients", problem));
        }
        check_finite("background", background)?;
        let mut shares = checked_weights(weights, rows)?;
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|s| *s /= total);
        let mean: Array1<f64> = background
            .columns()
            .into_iter()
            .map(|c| c.iter().zip(&shares).map(|(x, s)| f64::from(*x) * s).sum())
            .collect();
        let transform = match self.background {
            LinearBackground::Independent => Array2::from_diag(&coefficients.to_owned()),
            LinearBackground::Correlated => {
                let covariance = self.covariance(background, &shares, &mean);
                transform(coefficients, &covariance)?
            }
        };
        Ok(LinearShap {
            expected: intercept + coefficients.dot(&mean),
            mean,
            transform,
        })
    }

    fn covariance(&self, x: &ArrayRef2<f32>, shares: &[f64], mean: &Array1<f64>) -> Array2<f64> {
        let off = |column: usize| {
            let values = x.column(column).into_iter();
            values.map(move |v| f64::from(*v) - mean[column])
        };
        Array2::from_shape_fn((mean.len(), mean.len()), |(i, j)| {
            let both = off(i).zip(off(j)).zip(shares);
            let sum: f64 = both.map(|((a, b), s)| s * a * b).sum();
            let constant = i == j && sum <= 1e-24 * mean[i] * mean[i];
            match (i == j, constant) {
                (true, true) => 1.0, // it says nothing about the others, nor they about it
                (true, false) => sum,
                (false, _) => sum * (1.0 - self.shrinkage),
            }
        })
    }
}

/// Explains a linear model exactly.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_explain::{LinearBackground, LinearShap};
/// // The model looks at data alone; data and streaming move together.
/// let base = array![[1.0f32, 1.1], [2.0, 1.9], [3.0, 3.1], [4.0, 3.9]];
/// let (model, row) = (array![1.0, 0.0], array![[4.0f32, 4.0]]);
/// let of = |background| {
///     let params = LinearShap::params().with_background(background);
///     params.fit(&model, 0.0, &base, None)?.shap_values(&row)
/// };
/// assert_eq!(of(LinearBackground::Independent)?, array![[1.5, 0.0]]);
/// let shared = of(LinearBackground::Correlated)?;
/// assert!(shared[[0, 1]] > 0.7); // streaming tells as much as data does
/// assert!((shared.sum() - 1.5).abs() < 1e-9);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinearShap {
    expected: f64,
    mean: Array1<f64>,
    /// `phi = transform (x - mean)`
    transform: Array2<f64>,
}

impl LinearShap {
    /// What to ask for: independent columns by default.
    pub fn params() -> LinearShapParams {
        LinearShapParams::default()
    }

    /// The mean score of the background.
    pub fn expected_value(&self) -> f64 {
        self.expected
    }

    /// Attributions of all rows: rows by columns. A row and the expected value sum up to the row's score.
    ///
    /// # Errors
    /// When `x` has the wrong width or a number that is not finite.
    pub fn shap_values(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        if x.ncols() != self.mean.len() {
            let expected = format!("{} columns (as at fit)", self.mean.len());
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        check_finite("x", x)?;
        let off = x.mapv(f64::from) - &self.mean;
        Ok(off.dot(&self.transform.t()))
    }
}

/// Adds up `T` over all subsets.
fn transform(c: &ArrayRef1<f64>, covariance: &Array2<f64>) -> Result<Array2<f64>> {
    let n = c.len();
    if n > MOST {
        let problem = format!("at most {MOST} columns may be correlated, found {n}");
        return Err(Error::param("background", problem));
    }
    // |S|! (n - |S| - 1)! / n! = 1 / (n C(n - 1, |S|))
    let mut weights = vec![1.0 / n as f64; n];
    for size in 1..n {
        weights[size] = weights[size - 1] * size as f64 / (n - size) as f64;
    }
    let mut sum = Array2::zeros((n, n));
    for set in 0..1usize << n {
        let size = set.count_ones() as usize;
        let known: Vec<usize> = (0..n).filter(|j| set >> j & 1 == 1).collect();
        let factor =
            Cholesky::new(size, |i, j| covariance[[known[i], known[j]]]).ok_or_else(|| {
                let problem = "columns repeat each other: raise shrinkage or leave one out";
                Error::data("background", problem)
            })?;
        let unknown = || (0..n).filter(|j| set >> j & 1 == 0);
        let toward = |&k: &usize| unknown().map(|r| covariance[[k, r]] * c[r]).sum();
        let follows = factor.solve(&known.iter().map(toward).collect::<Vec<f64>>());
        for (&k, follows) in known.iter().zip(follows) {
            let a = c[k] + follows;
            for i in 0..n {
                let knows = set >> i & 1 == 1;
                sum[[i, k]] += if knows {
                    weights[size - 1] * a
                } else {
                    -weights[size] * a
                };
            }
        }
    }
    Ok(sum)
}

fn check_finite(what: &'static str, x: &ArrayRef2<f32>) -> Result<()> {
    match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((row, column), v)) => Err(Error::Value {
            what: what.into(),
            problem: format!("expected a finite number, found {v}"),
            row,
            column,
        }),
    }
}
