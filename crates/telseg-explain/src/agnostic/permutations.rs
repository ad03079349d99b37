//! Sampled Shapley values: features become known one by one, in random orders and their reverses.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

use super::game::{Attribution, Game, close_gap};

/// Parameters of [`PermutationShap`]; start from [`PermutationShap::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PermutationShapParams {
    /// Orders to go through, each forwards and backwards. 10 unless set.
    pub n_orders: usize,
    /// Columns that are known together. Empty: each column on its own.
    pub groups: Vec<Vec<usize>>,
    /// The root of all draws.
    pub seed: u64,
}

impl Default for PermutationShapParams {
    fn default() -> Self {
        Self {
            n_orders: 10,
            groups: Vec::new(),
            seed: 0,
        }
    }
}

impl PermutationShapParams {
    /// Sets how many orders to go through.
    pub fn with_n_orders(mut self, n_orders: usize) -> Self {
        self.n_orders = n_orders;
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
    /// `n_orders` must be at least 1.
    pub fn validate(&self) -> Result<()> {
        if self.n_orders == 0 {
            return Err(Error::param("n_orders", "must be at least 1, found 0"));
        }
        Ok(())
    }

    /// Makes ready to explain a model against background rows that count alike.
    ///
    /// # Errors
    /// As [`KernelShapParams::fit`](super::KernelShapParams::fit).
    pub fn fit<F: Fn(&Array2<f32>) -> Result<Array1<f64>>>(
        &self,
        background: &ArrayRef2<f32>,
        score: F,
    ) -> Result<PermutationShap<F>> {
        self.validate()?;
        let game = Game::new(score, background, None, &self.groups)?;
        let params = self.clone();
        Ok(PermutationShap { params, game })
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
    ) -> Result<PermutationShap<F>> {
        self.validate()?;
        let game = Game::new(score, background, Some(weights), &self.groups)?;
        let params = self.clone();
        Ok(PermutationShap { params, game })
    }
}

/// Explains any model by orders: a feature's value is what the mean score gains when it becomes known, averaged over
/// random orders of the features and their reverses (Strumbelj & Kononenko 2014; antithetic: Mitchell et al. 2022).
///
/// Where the model has no effects of three features or more together, one order and its reverse are exact.
///
/// # Cost
/// `2 n_orders (players - 1)` × background rows model scores for each row.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_explain::PermutationShap;
/// let product = |rows: &ndarray::Array2<f32>| Ok(rows.outer_iter().map(|r| f64::from(r[0] * r[1])).collect());
/// let shap = PermutationShap::params().with_n_orders(1).fit(&array![[0.0f32, 0.0]], product)?;
/// let why = shap.explain_row(&array![3.0f32, 4.0])?;
/// assert_eq!(why.values, array![6.0, 6.0]); // shared equally: neither did it alone
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PermutationShap<F> {
    params: PermutationShapParams,
    game: Game<F>,
}

impl PermutationShap<()> {
    /// What to ask for: everything by default.
    pub fn params() -> PermutationShapParams {
        PermutationShapParams::default()
    }
}

impl<F: Fn(&Array2<f32>) -> Result<Array1<f64>>> PermutationShap<F> {
    /// The mean score of the background.
    pub fn expected_value(&self) -> f64 {
        self.game.expected()
    }

    /// Attributions of all rows, by the same orders.
    ///
    /// # Errors
    /// As [`explain_row`](Self::explain_row).
    pub fn explain(&self, x: &ArrayRef2<f32>) -> Result<Vec<Attribution>> {
        x.outer_iter().map(|row| self.explain_row(&row)).collect()
    }

    /// Attributions of one row.
    ///
    /// # Errors
    /// When the row has the wrong width or the model fails.
    pub fn explain_row(&self, row: &ArrayRef1<f32>) -> Result<Attribution> {
        let row = row.to_vec();
        let (n, expected, score) = (
            self.game.n_players(),
            self.game.expected(),
            self.game.whole(&row)?,
        );
        let orders = self.orders();
        let mut known = Vec::with_capacity(orders.len() * (n - 1) * n);
        for order in &orders {
            let mut now = vec![false; n];
            for &player in &order[..n - 1] {
                now[player] = true;
                known.extend_from_slice(&now);
            }
        }
        let means = self.game.values(&row, &known)?;
        // What each player gained in each order and its reverse, averaged over the two.
        let mut gains = vec![vec![0.0; n]; self.params.n_orders];
        for (o, order) in orders.iter().enumerate() {
            let means = &means[o * (n - 1)..][..n - 1];
            let mut before = expected;
            for (&player, &after) in order.iter().zip(means.iter().chain([&score])) {
                gains[o / 2][player] += 0.5 * (after - before);
                before = after;
            }
        }
        let many = gains.len() as f64;
        let mean = |p: usize| gains.iter().map(|g| g[p]).sum::<f64>() / many;
        let mut values: Vec<f64> = (0..n).map(mean).collect();
        let error = |p: usize| {
            let squares: f64 = gains.iter().map(|g| (g[p] - values[p]).powi(2)).sum();
            (squares / (many - 1.0) / many).sqrt() // NaN for a single pair of orders
        };
        let exact = n <= 2; // both orders were gone through
        let std_errors = (0..n).map(|p| if exact { 0.0 } else { error(p) }).collect();
        close_gap(&mut values, score - expected);
        Ok(Attribution {
            values: Array1::from(values),
            std_errors,
            expected,
            score,
            n_coalitions: means.len(),
        })
    }

    /// Each order, followed by its reverse.
    fn orders(&self) -> Vec<Vec<usize>> {
        let stream = Seed::new(self.params.seed).stream("permutation_shap.orders");
        (0..self.params.n_orders as u64)
            .flat_map(|o| {
                let mut order: Vec<usize> = (0..self.game.n_players()).collect();
                order.shuffle(&mut stream.index(o));
                let reverse = order.iter().rev().copied().collect();
                [order, reverse]
            })
            .collect()
    }
}
