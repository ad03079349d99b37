//! Kernel SHAP: Shapley values as the solution of a weighted regression over coalitions.
//!
//! With `A = sum_S w_S 1_S 1_S'` and `b = sum_S w_S 1_S (v(S) - v(none))`, the values that sum up to
//! `d = v(all) - v(none)` and fit best are (Covert & Lee 2021, eq. 7)
//!
//! `phi = A^-1 b - A^-1 1 (1' A^-1 b - d) / (1' A^-1 1)` (1)
//!
//! A drawn coalition pulls (1) by `M w_S 1_S e_S`, where `M = A^-1 - A^-1 1 1' A^-1 / (1' A^-1 1)` and `e_S` is what the
//! regression leaves over. The spread of these pulls from draw to draw is the standard error.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::coalitions::{Coalitions, Pairing};
use super::game::{Attribution, Game, close_gap};
use crate::dense::{Cholesky, dot};

/// Parameters of [`KernelShap`]; start from [`KernelShap::params`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KernelShapParams {
    /// Coalitions to ask about, at most. `None`: 2048 and two for each player.
    pub n_coalitions: Option<usize>,
    /// Whether drawn coalitions come in opposite pairs. Default: they do.
    pub pairing: Pairing,
    /// What is added to the diagonal of `A`: shrinks the values towards each other when there are few coalitions. 0 unless
    /// set.
    pub ridge: f64,
    /// Keep this many of the strongest players and fit them again, the others get 0. `None`: all are kept.
    pub n_kept: Option<usize>,
    /// Columns that are known together. Empty: each column on its own.
    pub groups: Vec<Vec<usize>>,
    /// The root of all draws.
    pub seed: u64,
}

impl KernelShapParams {
    /// Sets how many coalitions to ask about.
    pub fn with_n_coalitions(mut self, n_coalitions: usize) -> Self {
        self.n_coalitions = Some(n_coalitions);
        self
    }

    /// Sets whether drawn coalitions come in opposite pairs.
    pub fn with_pairing(mut self, pairing: Pairing) -> Self {
        self.pairing = pairing;
        self
    }

    /// Sets what is added to the diagonal.
    pub fn with_ridge(mut self, ridge: f64) -> Self {
        self.ridge = ridge;
        self
    }

    /// Sets how many players are kept.
    pub fn with_n_kept(mut self, n_kept: usize) -> Self {
        self.n_kept = Some(n_kept);
        self
    }

    /// Sets which columns are known together.
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
    /// `n_coalitions` must be at least 2, `ridge` finite and not negative, `n_kept` at least 1.
    pub fn validate(&self) -> Result<()> {
        if let Some(n @ 0..2) = self.n_coalitions {
            let problem = format!("must be at least 2, found {n}");
            return Err(Error::param("n_coalitions", problem));
        }
        if !(self.ridge >= 0.0 && self.ridge.is_finite()) {
            let problem = format!("must be finite and not negative, found {}", self.ridge);
            return Err(Error::param("ridge", problem));
        }
        if self.n_kept == Some(0) {
            return Err(Error::param("n_kept", "must be at least 1, found 0"));
        }
        Ok(())
    }

    /// Makes ready to explain a model against background rows that count alike.
    ///
    /// `score` gets rows of the background's width and answers with a number for each.
    ///
    /// # Errors
    /// When a parameter cannot be, the background is empty, or the model fails or answers with something else.
    pub fn fit<F: Fn(&Array2<f32>) -> Result<Array1<f64>>>(
        &self,
        background: &ArrayRef2<f32>,
        score: F,
    ) -> Result<KernelShap<F>> {
        self.make(background, None, score)
    }

    /// As [`fit`](Self::fit), with a weight for each background row.
    ///
    /// # Errors
    /// As `fit`; and when a weight is negative or not finite, or all are zero.
    pub fn fit_weighted<F: Fn(&Array2<f32>) -> Result<Array1<f64>>>(
        &self,
        background: &ArrayRef2<f32>,
        weights: &ArrayRef1<f64>,
        score: F,
    ) -> Result<KernelShap<F>> {
        self.make(background, Some(weights), score)
    }

    fn make<F: Fn(&Array2<f32>) -> Result<Array1<f64>>>(
        &self,
        background: &ArrayRef2<f32>,
        weights: Option<&ArrayRef1<f64>>,
        score: F,
    ) -> Result<KernelShap<F>> {
        self.validate()?;
        let game = Game::new(score, background, weights, &self.groups)?;
        let n = game.n_players();
        let coalitions = if n < 2 {
            None
        } else {
            let asked = self.n_coalitions.unwrap_or(2 * n + 2048);
            Some(Coalitions::drawn(n, asked, self.pairing, self.seed)?)
        };
        Ok(KernelShap {
            params: self.clone(),
            game,
            coalitions,
        })
    }
}

/// Explains any model: asks it about coalitions of features and solves for the attributions that fit best.
///
/// With few features all coalitions are asked and the values are exact (11 features by default). All rows are asked about
/// the same coalitions, so that their attributions can be compared.
///
/// Missing values are values like any other: the model gets them as they are.
///
/// # Cost
/// Coalitions × background rows model scores for each row, in blocks of some 16,384 rows; players³ beside. Where the
/// model is an ensemble of trees, [`TreeShap`](crate::TreeShap) gives the same values exactly, thousands of times faster.
///
/// # Examples
/// ```
/// use ndarray::{Axis, array};
/// use telseg_explain::KernelShap;
/// // Any closure will do: here a risk that is high where a short tenure meets a high bill.
/// let risk = |rows: &ndarray::Array2<f32>| {
///     Ok(rows.map_axis(Axis(1), |r| if r[0] < 12.0 && r[1] > 60.0 { 1.0 } else { 0.0 }))
/// };
/// let loyal = array![[60.0f32, 80.0], [48.0, 70.0]];
/// let why = KernelShap::params().fit(&loyal, risk)?.explain_row(&array![3.0f32, 90.0])?;
/// assert!((why.values[0] - 1.0).abs() < 1e-12 && why.values[1].abs() < 1e-12); // the bill is no different
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KernelShap<F> {
    params: KernelShapParams,
    game: Game<F>,
    /// `None` for a single player.
    coalitions: Option<Coalitions>,
}

impl KernelShap<()> {
    /// What to ask for: everything by default.
    pub fn params() -> KernelShapParams {
        KernelShapParams::default()
    }
}

impl<F: Fn(&Array2<f32>) -> Result<Array1<f64>>> KernelShap<F> {
    /// The mean score of the background.
    pub fn expected_value(&self) -> f64 {
        self.game.expected()
    }

    /// Attributions of one row.
    ///
    /// # Errors
    /// When the row has the wrong width, the model fails, or the coalitions are too few to tell the players apart.
    pub fn explain_row(&self, row: &ArrayRef1<f32>) -> Result<Attribution> {
        let row = row.to_vec();
        let score = self.game.whole(&row)?;
        match &self.coalitions {
            Some(coalitions) => self.solve(&row, score, coalitions),
            None => Ok(Attribution {
                values: Array1::from_elem(1, score - self.expected_value()),
                std_errors: Array1::zeros(1),
                expected: self.expected_value(),
                score,
                n_coalitions: 0,
            }),
        }
    }

    /// Attributions of one row from coalitions that were chosen elsewhere.
    ///
    /// # Errors
    /// As [`explain_row`](Self::explain_row); and when the coalitions are of another number of players.
    pub fn explain_row_by(
        &self,
        row: &ArrayRef1<f32>,
        coalitions: &Coalitions,
    ) -> Result<Attribution> {
        if coalitions.n_players != self.game.n_players() {
            let expected = format!("coalitions of {} players", self.game.n_players());
            let found = coalitions.n_players.to_string();
            return Err(Error::shape("coalitions", expected, found));
        }
        let row = row.to_vec();
        self.solve(&row, self.game.whole(&row)?, coalitions)
    }

    /// Attributions of all rows.
    ///
    /// # Errors
    /// As [`explain_row`](Self::explain_row).
    pub fn explain(&self, x: &ArrayRef2<f32>) -> Result<Vec<Attribution>> {
        x.outer_iter().map(|row| self.explain_row(&row)).collect()
    }

    fn solve(&self, row: &[f32], score: f64, coalitions: &Coalitions) -> Result<Attribution> {
        let expected = self.expected_value();
        let mut gains = self.game.values(row, &coalitions.known)?;
        gains.iter_mut().for_each(|v| *v -= expected);
        let total = score - expected;
        let all: Vec<usize> = (0..coalitions.n_players).collect();
        let mut fit = Fit::new(coalitions, &gains, total, &all, self.params.ridge)?;
        if let Some(n_kept) = self.params.n_kept.filter(|n| *n < all.len()) {
            let mut strongest = all;
            strongest.sort_by(|&a, &b| fit.values[b].abs().total_cmp(&fit.values[a].abs()));
            strongest.truncate(n_kept);
            strongest.sort_unstable();
            fit = Fit::new(coalitions, &gains, total, &strongest, self.params.ridge)?;
        }
        let std_errors = fit.std_errors(coalitions, &gains);
        Ok(Attribution {
            values: Array1::from(fit.values),
            std_errors: Array1::from(std_errors),
            expected,
            score,
            n_coalitions: coalitions.len(),
        })
    }
}

/// The regression over some of the players.
struct Fit {
    kept: Vec<usize>,
    /// One for each player, 0 for those that were not kept.
    values: Vec<f64>,
    factor: Cholesky,
    /// `A^-1 1`
    ones: Vec<f64>,
}

impl Fit {
    fn new(
        coalitions: &Coalitions,
        gains: &[f64],
        total: f64,
        kept: &[usize],
        ridge: f64,
    ) -> Result<Self> {
        let (n, m) = (coalitions.n_players, kept.len());
        let (mut a, mut b) = (vec![0.0; m * m], vec![0.0; m]);
        let known = coalitions.known.chunks_exact(n);
        for ((known, &weight), gain) in known.zip(&coalitions.weights).zip(gains) {
            for i in (0..m).filter(|&i| known[kept[i]]) {
                b[i] += weight * gain;
                for j in (0..=i).filter(|&j| known[kept[j]]) {
                    a[i * m + j] += weight;
                }
            }
        }
        let at = |i: usize, j: usize| a[i * m + j] + if i == j { ridge } else { 0.0 };
        let factor = Cholesky::new(m, at).ok_or_else(|| {
            let problem = format!(
                "{} are too few to tell {m} players apart: raise n_coalitions or ridge",
                coalitions.len()
            );
            Error::data("coalitions", problem)
        })?;
        let (free, ones) = (factor.solve(&b), factor.solve(&vec![1.0; m]));
        let pull = (free.iter().sum::<f64>() - total) / ones.iter().sum::<f64>();
        let mut own: Vec<f64> = free.iter().zip(&ones).map(|(f, o)| f - pull * o).collect();
        close_gap(&mut own, total);
        let mut values = vec![0.0; n];
        kept.iter().zip(own).for_each(|(&k, v)| values[k] = v);
        Ok(Self {
            kept: kept.to_vec(),
            values,
            factor,
            ones,
        })
    }

    fn std_errors(&self, coalitions: &Coalitions, gains: &[f64]) -> Vec<f64> {
        let (n, m) = (coalitions.n_players, self.kept.len());
        if coalitions.draws.is_empty() {
            // Coalitions from elsewhere do not say how they came about.
            let complete = n < 64 && coalitions.len() as u64 == (1 << n) - 2;
            return vec![if complete { 0.0 } else { f64::NAN }; n];
        }
        let n_draws: f64 = coalitions
            .draws
            .iter()
            .map(|(_, times)| f64::from(*times))
            .sum();
        let pulls: Vec<(Vec<f64>, f64)> = coalitions
            .draws
            .iter()
            .map(|(range, times)| {
                let mut sum = vec![0.0; m];
                for c in range.clone() {
                    let known = &coalitions.known[c * n..][..n];
                    let fitted: f64 = (0..n).filter(|&p| known[p]).map(|p| self.values[p]).sum();
                    let off =
                        coalitions.chance / (n_draws * range.len() as f64) * (gains[c] - fitted);
                    (0..m)
                        .filter(|&i| known[self.kept[i]])
                        .for_each(|i| sum[i] += off);
                }
                let (free, sums) = (self.factor.solve(&sum), dot(&self.ones, &sum));
                let share = sums / self.ones.iter().sum::<f64>();
                let pull = free.iter().zip(&self.ones).map(|(f, o)| f - share * o);
                (pull.collect(), f64::from(*times))
            })
            .collect();
        let mut errors = vec![f64::NAN; n];
        let freedom = coalitions.len() as f64 - m as f64 + 1.0;
        if n_draws < 2.0 || freedom <= 0.0 {
            return errors;
        }
        let scale = n_draws / (n_draws - 1.0) * coalitions.len() as f64 / freedom;
        for (i, &player) in self.kept.iter().enumerate() {
            let mean = pulls.iter().map(|(p, times)| times * p[i]).sum::<f64>() / n_draws;
            let spread: f64 = pulls
                .iter()
                .map(|(p, times)| times * (p[i] - mean).powi(2))
                .sum();
            errors[player] = (scale * spread).sqrt();
        }
        errors
    }
}
