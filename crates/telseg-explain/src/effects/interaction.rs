//! The H-statistic: how much of what two features do they do together.

use ndarray::{Array1, Array2, ArrayRef2};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

use crate::agnostic::ask;

/// Parameters of [`PairStrengths`]; start from [`PairStrengths::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PairStrengthsParams {
    /// Rows to look at, at most, drawn at random where there are more. 200 unless set.
    pub n_rows: usize,
    /// The root of all draws.
    pub seed: u64,
}

impl Default for PairStrengthsParams {
    fn default() -> Self {
        Self {
            n_rows: 200,
            seed: 0,
        }
    }
}

impl PairStrengthsParams {
    /// Sets how many rows to look at.
    pub fn with_n_rows(mut self, n_rows: usize) -> Self {
        self.n_rows = n_rows;
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
    /// `n_rows` must be at least 2.
    pub fn validate(&self) -> Result<()> {
        if self.n_rows < 2 {
            let problem = format!("must be at least 2, found {}", self.n_rows);
            return Err(Error::param("n_rows", problem));
        }
        Ok(())
    }

    /// Measures all pairs of the features that are named.
    ///
    /// # Errors
    /// When a parameter cannot be, there are fewer than 2 rows or features, a feature does not exist or is named twice, or
    /// the model fails.
    pub fn fit(
        &self,
        x: &ArrayRef2<f32>,
        features: &[usize],
        score: impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
    ) -> Result<PairStrengths> {
        self.validate()?;
        if x.nrows() < 2 {
            return Err(Error::shape("x", "at least 2 rows", x.nrows().to_string()));
        }
        let twice = features
            .iter()
            .enumerate()
            .any(|(i, f)| features[..i].contains(f));
        if features.len() < 2 || twice || features.iter().any(|f| *f >= x.ncols()) {
            let problem = format!(
                "must be 2 or more different columns of {}, found {features:?}",
                x.ncols()
            );
            return Err(Error::param("features", problem));
        }
        let mut order: Vec<usize> = (0..x.nrows()).collect();
        if self.n_rows < order.len() {
            order.shuffle(&mut Seed::new(self.seed).stream("pair_strengths.rows").index(0));
            order.truncate(self.n_rows);
            order.sort_unstable();
        }
        let x = x.select(ndarray::Axis(0), &order);
        let alone: Vec<Array1<f64>> = features
            .iter()
            .map(|&f| at_rows(&x, &[f], &score))
            .collect::<Result<_>>()?;
        let mut pairs = Vec::new();
        for (i, &a) in features.iter().enumerate() {
            for (j, &b) in features.iter().enumerate().skip(i + 1) {
                let both = at_rows(&x, &[a, b], &score)?;
                let beyond = &both - &alone[i] - &alone[j];
                let (beyond, all) = (beyond.dot(&beyond), both.dot(&both));
                // Where the two do nothing, what they do together is rounding.
                let scale = alone[i].dot(&alone[i]) + alone[j].dot(&alone[j]) + all;
                let nothing = all <= 1e-24 * scale || all == 0.0;
                pairs.push(PairStrength {
                    features: [a, b],
                    h: if nothing { 0.0 } else { (beyond / all).sqrt() },
                    effect: (beyond / x.nrows() as f64).sqrt(),
                });
            }
        }
        pairs.sort_by(|a, b| b.effect.total_cmp(&a.effect)); // stable: ties stay in order
        Ok(PairStrengths {
            pairs,
            n_rows: x.nrows(),
        })
    }
}

/// Partial dependence on some columns at the very rows, less its mean.
fn at_rows(
    x: &Array2<f32>,
    columns: &[usize],
    score: &impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
) -> Result<Array1<f64>> {
    let mut means = Array1::zeros(x.nrows());
    let mut rows = x.clone();
    for (row, mean) in x.outer_iter().zip(&mut means) {
        for &column in columns {
            rows.column_mut(column).fill(row[column]);
        }
        *mean = ask(score, &rows)?.sum() / x.nrows() as f64;
    }
    let mean = means.sum() / x.nrows() as f64;
    Ok(means - mean)
}

/// How strongly pairs of features act together, strongest first (Friedman & Popescu 2008, eq. 44).
///
/// # Cost
/// Rows² model scores for each feature and each pair.
///
/// # Examples
/// ```
/// use ndarray::{Array2, Axis};
/// use telseg_explain::PairStrengths;
/// let x = Array2::from_shape_fn((64, 3), |(i, j)| ((i >> (2 * j)) % 4) as f32);
/// let model = |rows: &Array2<f32>| Ok(rows.map_axis(Axis(1), |r| f64::from(r[0] * r[1] + r[2])));
/// let found = PairStrengths::params().fit(&x, &[0, 1, 2], model)?;
/// assert_eq!(found.pairs[0].features, [0, 1]);
/// assert!(found.pairs[0].h > 0.3 && found.pairs[1].h < 1e-6);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PairStrengths {
    /// All pairs.
    pub pairs: Vec<PairStrength>,
    /// Rows that were looked at.
    pub n_rows: usize,
}

impl PairStrengths {
    /// What to ask for: 200 rows.
    pub fn params() -> PairStrengthsParams {
        PairStrengthsParams::default()
    }
}

/// One pair's strength.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PairStrength {
    /// Columns, counted from 0.
    pub features: [usize; 2],
    /// The share of what the two do that they do only together, as a root: 0 when effects add up, 1 when there are no others.
    /// Large also where the two do next to nothing: read it beside `effect`.
    pub h: f64,
    /// Root of the mean square of what they do only together, in units of the score.
    pub effect: f64,
}
