//! The linear stand-in: features are chosen, and a weighted ridge regression is fitted to them.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::lars;
use crate::dense::{Cholesky, dot};
use crate::stats::checked_weights;

/// How features are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Selection {
    /// `Forward` for up to 6 features, else `Strongest`.
    #[default]
    Auto,
    /// One after the other, always the one with which least squares explain most.
    Forward,
    /// Those that move the explained row most in a regression with a ridge of 0.01.
    Strongest,
    /// Those that are left where the lasso path (by least angle regression) has no more than are kept.
    Lasso,
    /// All.
    All,
}

/// Parameters of [`LocalModel`]; start from [`LocalModel::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocalModelParams {
    /// Features to keep, at most. 10 unless set.
    pub n_kept: usize,
    /// How they are chosen.
    pub selection: Selection,
    /// Ridge penalty of the final fit. 1 unless set.
    pub ridge: f64,
}

impl Default for LocalModelParams {
    fn default() -> Self {
        Self {
            n_kept: 10,
            selection: Selection::Auto,
            ridge: 1.0,
        }
    }
}

impl LocalModelParams {
    /// Sets how many features are kept.
    pub fn with_n_kept(mut self, n_kept: usize) -> Self {
        self.n_kept = n_kept;
        self
    }

    /// Sets how features are chosen.
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets the ridge penalty.
    pub fn with_ridge(mut self, ridge: f64) -> Self {
        self.ridge = ridge;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// `n_kept` must be at least 1, `ridge` above 0 and finite.
    pub fn validate(&self) -> Result<()> {
        if self.n_kept == 0 {
            return Err(Error::param("n_kept", "must be at least 1, found 0"));
        }
        if !(self.ridge > 0.0 && self.ridge.is_finite()) {
            let problem = format!("must be above 0 and finite, found {}", self.ridge);
            return Err(Error::param("ridge", problem));
        }
        Ok(())
    }

    /// Fits the scores `y` of the rows of `z`, weighted; the first row is the one that is explained.
    ///
    /// # Errors
    /// When a parameter cannot be, lengths differ, a number is not finite or a weight negative.
    pub fn fit(
        &self,
        z: &ArrayRef2<f64>,
        y: &ArrayRef1<f64>,
        weights: &ArrayRef1<f64>,
    ) -> Result<LocalModel> {
        self.validate()?;
        if z.nrows() == 0 || z.nrows() != y.len() {
            let expected = format!("{} scores (rows of z, at least 1)", z.nrows());
            return Err(Error::shape("y", expected, y.len().to_string()));
        }
        if let Some(bad) = z.iter().chain(y).find(|v| !v.is_finite()) {
            return Err(Error::data(
                "z",
                format!("must be finite, as y, found {bad}"),
            ));
        }
        let weights = checked_weights(Some(&weights.to_vec()), y.len())?;
        let products = Products::new(z, y, &weights);
        let explained = z.row(0).to_vec();
        let kept = self.choose(&products, &explained)?;
        let (weights, r2) = products
            .ridge(&kept, self.ridge)
            .ok_or_else(|| Error::data("z", "its products are beyond the range of numbers"))?;
        let at_mean: f64 = kept
            .iter()
            .zip(&weights)
            .map(|(&k, w)| products.mean[k] * w)
            .sum();
        let intercept = products.mean_y - at_mean;
        let moved: f64 = kept
            .iter()
            .zip(&weights)
            .map(|(&k, w)| explained[k] * w)
            .sum();
        Ok(LocalModel {
            intercept,
            kept,
            weights,
            r2,
            prediction: intercept + moved,
        })
    }

    fn choose(&self, products: &Products, explained: &[f64]) -> Result<Vec<usize>> {
        let (n, few) = (explained.len(), self.n_kept.min(explained.len()));
        let selection = match self.selection {
            Selection::Auto if self.n_kept <= 6 => Selection::Forward,
            Selection::Auto => Selection::Strongest,
            other => other,
        };
        let mut kept: Vec<usize> = Vec::new();
        match selection {
            Selection::Forward => {
                while kept.len() < few {
                    let with = |j: usize| {
                        let more = [&kept[..], &[j]].concat();
                        products.ridge(&more, 0.0).map(|(_, r2)| (j, r2))
                    };
                    let all = (0..n).filter(|j| !kept.contains(j)).filter_map(with);
                    // The first of equals.
                    let best = all.reduce(|best, next| if next.1 > best.1 { next } else { best });
                    let Some((best, _)) = best else { break };
                    kept.push(best);
                }
            }
            Selection::Strongest => {
                let all: Vec<usize> = (0..n).collect();
                let (weights, _) = products.ridge(&all, 0.01).ok_or_else(|| {
                    Error::data("z", "its products are beyond the range of numbers")
                })?;
                let moves = |j: usize| (weights[j] * explained[j]).abs();
                kept = all;
                kept.sort_by(|&a, &b| moves(b).total_cmp(&moves(a)));
                kept.truncate(few);
            }
            Selection::Lasso => {
                let bends = lars::path(|i, j| products.both[[i, j]], &products.toward);
                let nonzero = |b: &Vec<f64>| (0..n).filter(|&j| b[j] != 0.0).collect::<Vec<_>>();
                let fits = bends
                    .iter()
                    .rev()
                    .map(nonzero)
                    .find(|kept| kept.len() <= few);
                kept = fits.unwrap_or_default();
            }
            _ => kept = (0..n).collect(),
        }
        Ok(kept)
    }
}

/// A linear model of a model, good around one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocalModel {
    /// The prediction where all features are 0.
    pub intercept: f64,
    /// The features that were chosen.
    pub kept: Vec<usize>,
    /// The weight of each.
    pub weights: Vec<f64>,
    /// The weighted share of the scores' variance that the stand-in explains: low means that it stands for little. 1 where
    /// the scores are constant.
    pub r2: f64,
    /// What the stand-in says of the explained row.
    pub prediction: f64,
}

impl LocalModel {
    /// What to ask for: 10 features, chosen automatically, a ridge of 1.
    pub fn params() -> LocalModelParams {
        LocalModelParams::default()
    }
}

/// Weighted sums about the means: all that any of the regressions needs.
struct Products {
    mean: Vec<f64>,
    mean_y: f64,
    both: Array2<f64>,
    toward: Vec<f64>,
    /// The scores' own square sum.
    total: f64,
}

impl Products {
    fn new(z: &ArrayRef2<f64>, y: &ArrayRef1<f64>, weights: &[f64]) -> Self {
        let n = z.ncols();
        let sum: f64 = weights.iter().sum();
        let mean_of = |values: ndarray::ArrayView1<'_, f64>| {
            values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / sum
        };
        let mean: Vec<f64> = z.columns().into_iter().map(mean_of).collect();
        let mean_y = mean_of(y.view());
        let (mut both, mut toward, mut total) = (Array2::zeros((n, n)), vec![0.0; n], 0.0);
        let mut off = vec![0.0; n];
        for ((row, y), &w) in z.outer_iter().zip(y).zip(weights) {
            for (off, (v, m)) in off.iter_mut().zip(row.iter().zip(&mean)) {
                *off = v - m;
            }
            let off_y = y - mean_y;
            total += w * off_y * off_y;
            for (i, toward) in toward.iter_mut().enumerate() {
                let scaled = w * off[i];
                *toward += scaled * off_y;
                for j in 0..=i {
                    both[[i, j]] += scaled * off[j];
                }
            }
        }
        for i in 0..n {
            for j in 0..i {
                both[[j, i]] = both[[i, j]];
            }
        }
        // Constant scores differ from their mean by rounding alone.
        if total <= 1e-24 * sum * mean_y * mean_y {
            total = 0.0;
            toward.fill(0.0);
        }
        Self {
            mean,
            mean_y,
            both,
            toward,
            total,
        }
    }

    /// Weights of the chosen features, and the share of variance that they explain; `None` where they repeat each other.
    fn ridge(&self, kept: &[usize], ridge: f64) -> Option<(Vec<f64>, f64)> {
        let at =
            |i: usize, j: usize| self.both[[kept[i], kept[j]]] + if i == j { ridge } else { 0.0 };
        let toward: Vec<f64> = kept.iter().map(|&k| self.toward[k]).collect();
        let weights = Cholesky::new(kept.len(), at)?.solve(&toward);
        let fitted = (0..kept.len()).map(|i| {
            let row = (0..kept.len()).map(|j| self.both[[kept[i], kept[j]]] * weights[j]);
            weights[i] * row.sum::<f64>()
        });
        let left = self.total - 2.0 * dot(&weights, &toward) + fitted.sum::<f64>();
        let r2 = if self.total > 0.0 {
            1.0 - left / self.total
        } else {
            1.0
        };
        Some((weights, r2))
    }
}
