//! Cheap draws whose moments the tests know.

use rand::Rng as _;
use rand_distr::{Distribution, Exp1, Poisson, StandardNormal};
use telseg_core::seed::Rng;

/// Normal(0, 1), by the ziggurat.
#[inline]
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Exponential with mean 1, by the ziggurat.
#[inline]
pub(crate) fn exponential(rng: &mut Rng) -> f64 {
    Exp1.sample(rng)
}

/// True with probability `p`.
#[inline]
pub(crate) fn chance(rng: &mut Rng, p: f64) -> bool {
    rng.random::<f64>() < p
}

/// Poisson count: inversion for small means, transformed rejection above 12.
pub(crate) fn poisson(rng: &mut Rng, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    if mean > 12.0 {
        return Poisson::new(mean.min(1e6)).map_or(mean, |law| law.sample(rng));
    }
    let (mut left, mut p, mut count) = (rng.random::<f64>(), (-mean).exp(), 0.0);
    // The tail beyond 100 has less mass than one unit in the last place of `left`.
    while left >= p && count < 100.0 {
        left -= p;
        count += 1.0;
        p *= mean / count;
    }
    count
}

/// The index at which the running sum of `weights` passes `unit * total`.
pub(crate) fn pick(unit: f64, weights: impl Iterator<Item = f64> + Clone) -> usize {
    let mut left = unit * weights.clone().sum::<f64>();
    let mut last = 0;
    for (i, weight) in weights.enumerate() {
        last = i;
        if left < weight {
            break;
        }
        left -= weight;
    }
    last
}

/// `ln(p / (1 - p))`.
#[inline]
pub(crate) fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// `1 / (1 + exp(-x))`.
#[inline]
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::Seed;

    /// Mean and variance of `n` draws.
    fn moments(n: u64, mut draw: impl FnMut(&mut Rng) -> f64) -> (f64, f64) {
        let mut rng = Seed::new(5).stream("draw.test").index(0);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = draw(&mut rng);
            sum += x;
            squares += x * x;
        }
        let mean = sum / n as f64;
        (mean, squares / n as f64 - mean * mean)
    }

    #[test]
    fn poisson_has_mean_and_variance_lambda() {
        for lambda in [0.05, 0.7, 3.0, 11.9, 25.0] {
            let n = 200_000;
            let (mean, variance) = moments(n, |rng| poisson(rng, lambda));
            // Standard errors: sqrt(l / n) of the mean, sqrt((l + 2 l^2) / n) of the variance; five of each.
            let (se_mean, se_variance) = (
                (lambda / n as f64).sqrt(),
                ((lambda + 2.0 * lambda * lambda) / n as f64).sqrt(),
            );
            assert!(
                (mean - lambda).abs() < 5.0 * se_mean,
                "{lambda}: mean {mean}"
            );
            assert!(
                (variance - lambda).abs() < 5.0 * se_variance,
                "{lambda}: variance {variance}"
            );
        }
        assert_eq!(moments(10, |rng| poisson(rng, 0.0)), (0.0, 0.0));
    }

    #[test]
    fn normal_and_exponential_have_their_moments() {
        let n = 200_000u64;
        let se = 1.0 / (n as f64).sqrt();
        let (mean, variance) = moments(n, normal);
        // Var of the sample variance: 2 / n for the normal, 8 / n for the exponential.
        assert!(mean.abs() < 5.0 * se && (variance - 1.0).abs() < 5.0 * 2f64.sqrt() * se);
        let (mean, variance) = moments(n, exponential);
        assert!((mean - 1.0).abs() < 5.0 * se && (variance - 1.0).abs() < 5.0 * 8f64.sqrt() * se);
    }

    #[test]
    fn pick_takes_the_share_of_each_weight() {
        let weights = [1.0, 0.0, 3.0];
        let at = |unit| pick(unit, weights.iter().copied());
        assert_eq!((at(0.0), at(0.2499), at(0.25), at(0.9999)), (0, 0, 2, 2));
        assert!(
            (logit(0.2) - 0.25f64.ln()).abs() < 1e-15 && (sigmoid(logit(0.2)) - 0.2).abs() < 1e-15
        );
    }
}
