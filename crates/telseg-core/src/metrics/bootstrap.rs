//! Intervals for any weighted metric.

use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::metrics::check;
use crate::{Error, Result, Seed, par};

/// Resamples that share one buffer of weights; results do not depend on it.
const CHUNK: usize = 8;

/// How to bootstrap: draw as many rows with replacement, measure again, and read the interval off the percentiles.
///
/// A resample is a vector of weights (how often each row was drawn), so every metric that takes weights works unchanged,
/// and what is sorted or counted once ([`Ranking`](super::binary::Ranking),
/// [`Contingency`](super::partition::Contingency)) stays so. The interval is between the `(1 ± level) / 2` quantiles
/// (linear interpolation) of the resampled metric. It says how far the figure would move with other rows of the same
/// kind, not with another month or another training run.
///
/// # Cost
/// `n_resamples` metric calls and the drawing of as many times `n` rows, in parallel; `8 n` bytes for each thread.
///
/// # References
/// B. Efron, R. J. Tibshirani (1993), "An introduction to the bootstrap", ch. 13 (percentile intervals).
///
/// # Examples
/// A paired difference of two models on the same subscribers:
/// ```
/// use telseg_core::metrics::{Bootstrap, binary::brier};
/// let churned: Vec<bool> = (0..200).map(|i| i % 4 == 0).collect();
/// let old = vec![0.5; 200];
/// let new: Vec<f64> = churned.iter().map(|&c| if c { 0.4 } else { 0.2 }).collect();
/// let gain = Bootstrap::default().with_seed(1).interval(200, |w| {
///     Ok(brier(&churned, &old, Some(w))? - brier(&churned, &new, Some(w))?)
/// })?;
/// assert!(gain.low > 0.0); // the new model is better, and not by luck
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bootstrap {
    /// How often to resample; 1000 unless set.
    pub n_resamples: usize,
    /// The coverage that the interval aims at; 0.95 unless set.
    pub level: f64,
    /// The root of all draws; 0 unless set.
    pub seed: u64,
}

/// An estimate and where it may lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interval {
    /// The metric on the data itself.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The coverage aimed at.
    pub level: f64,
    /// How many resamples were drawn.
    pub n_resamples: usize,
    /// In how many of them the metric was not defined (only one class was drawn, say); they are left out.
    pub n_undefined: usize,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            n_resamples: 1000,
            level: 0.95,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// Sets how often to resample.
    pub fn with_n_resamples(mut self, n_resamples: usize) -> Self {
        self.n_resamples = n_resamples;
        self
    }

    /// Sets the coverage.
    pub fn with_level(mut self, level: f64) -> Self {
        self.level = level;
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
    /// `n_resamples` must be at least 2 and `level` between 0 and 1.
    pub fn validate(&self) -> Result<()> {
        if self.n_resamples < 2 {
            return Err(Error::param(
                "n_resamples",
                format!("must be at least 2, is {}", self.n_resamples),
            ));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::param(
                "level",
                format!("must be between 0 and 1, is {}", self.level),
            ));
        }
        Ok(())
    }

    /// The interval of a metric over `n` rows.
    ///
    /// # Errors
    /// When a parameter cannot be, `n` is 0, the metric refuses the data itself (its error comes back), or the metric is
    /// not defined in half of the resamples or more.
    pub fn interval(
        &self,
        n: usize,
        metric: impl Fn(&[f64]) -> Result<f64> + Sync,
    ) -> Result<Interval> {
        self.validate()?;
        check::not_empty("rows", n)?;
        self.run(&vec![1.0; n], metric)
    }

    /// The interval of a metric over rows that have weights: rows are drawn evenly, and count with their weight.
    ///
    /// # Errors
    /// As [`interval`](Self::interval); and when a weight is negative or not finite, or all are zero.
    pub fn interval_weighted(
        &self,
        weights: &[f64],
        metric: impl Fn(&[f64]) -> Result<f64> + Sync,
    ) -> Result<Interval> {
        self.validate()?;
        check::not_empty("weights", weights.len())?;
        check::weights(Some(weights), "weights", weights.len())?;
        self.run(weights, metric)
    }

    fn run(
        &self,
        weights: &[f64],
        metric: impl Fn(&[f64]) -> Result<f64> + Sync,
    ) -> Result<Interval> {
        let estimate = metric(weights)?;
        if estimate.is_nan() {
            return Err(Error::data("metric", "is NaN on the data itself"));
        }
        let stream = Seed::new(self.seed).stream("metrics.bootstrap");
        let resampled = par::map(self.n_resamples, CHUNK, |resamples| {
            let mut drawn = vec![0.0; weights.len()];
            resamples
                .map(|i| {
                    draw(&mut stream.index(i as u64), weights, &mut drawn);
                    metric(&drawn).ok().filter(|value| !value.is_nan())
                })
                .collect::<Vec<_>>()
        });
        let mut values: Vec<f64> = resampled.into_iter().flatten().flatten().collect();
        let n_undefined = self.n_resamples - values.len();
        if 2 * n_undefined >= self.n_resamples {
            return Err(Error::data(
                "metric",
                format!(
                    "is not defined in {n_undefined} of {} resamples, too many for an interval",
                    self.n_resamples
                ),
            ));
        }
        values.sort_unstable_by(f64::total_cmp);
        Ok(Interval {
            estimate,
            low: quantile(&values, 0.5 * (1.0 - self.level)),
            high: quantile(&values, 0.5 * (1.0 + self.level)),
            level: self.level,
            n_resamples: self.n_resamples,
            n_undefined,
        })
    }
}

/// Draws as many rows as there are, with replacement: each adds its weight where it lies.
fn draw(rng: &mut impl RngCore, weights: &[f64], drawn: &mut [f64]) {
    drawn.fill(0.0);
    let n = weights.len() as u128;
    for _ in 0..weights.len() {
        // Lemire's multiplication without rejection: off by less than n / 2^64.
        let row = ((u128::from(rng.next_u64()) * n) >> 64) as usize;
        drawn[row] += weights[row];
    }
}

/// The `q` quantile of ascending values, linearly interpolated (type 7 of Hyndman and Fan).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(sorted.len() - 1);
    if sorted[below] == sorted[above] {
        return sorted[below];
    }
    sorted[below] * (1.0 - part) + sorted[above] * part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let values = [1.0, 2.0, 4.0, 8.0];
        // Positions 0, 0.75, 1.5, 3.
        for (q, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (1.0, 8.0)] {
            assert_eq!(quantile(&values, q), expected);
        }
    }

    #[test]
    fn draws_as_many_rows_as_there_are() {
        let mut drawn = vec![9.0; 1000];
        draw(
            &mut Seed::new(1).stream("test").index(0),
            &[1.0; 1000],
            &mut drawn,
        );
        assert_eq!(drawn.iter().sum::<f64>(), 1000.0);
        // A row stays out with chance 1/e: 368 of 1000, standard error below 15.2.
        let left_out = drawn.iter().filter(|&&w| w == 0.0).count() as f64;
        assert!((left_out - 368.0).abs() < 5.0 * 15.2, "{left_out}");
    }
}
