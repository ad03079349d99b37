//! Times until something happens, some of which are not over yet.

use serde::{Deserialize, Serialize};
use telseg_core::stats::two_sided_p;

use super::loss::Targets;
use super::rows::Slope;

/// How the logarithm of a time spreads around its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AftDistribution {
    /// Normal: times are log-normal.
    Normal,
    /// Logistic: times are log-logistic.
    Logistic,
    /// Extreme value (of minima): times are Weibull.
    Extreme,
}

/// Standardised residuals beyond this count as it.
const FAR: f64 = 30.0;

/// Loss, gradient and hessian of a score for a time that ended or (`event` false) was still running.
///
/// With `z = (ln t - s) / scale`, density `f` and survival `S = 1 - F` of the distribution: `ln scale - ln f(z)` for a time
/// that ended, `-ln S(z)` for one that was running.
pub(super) fn aft(
    distribution: AftDistribution,
    scale: f64,
    score: f64,
    (time, event): (f64, bool),
) -> [f64; 3] {
    let z = ((time.ln() - score) / scale).clamp(-FAR, FAR);
    // Negative logarithm, its slope and its curvature, as functions of z.
    let [loss, first, second] = match (distribution, event) {
        (AftDistribution::Normal, true) => {
            let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
            [0.5 * z * z + half_ln_tau, z, 1.0]
        }
        (AftDistribution::Normal, false) => {
            let tail = 0.5 * two_sided_p(z);
            let survival = if z > 0.0 { tail } else { 1.0 - tail };
            let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
            let hazard = density / survival;
            [-survival.ln(), hazard, hazard * (hazard - z)]
        }
        (AftDistribution::Logistic, _) => {
            let below = 1.0 / (1.0 + (-z).exp());
            // -ln S = ln(1 + e^z) without overflow.
            let cumulated = z.max(0.0) + (-z.abs()).exp().ln_1p();
            let curve = below * (1.0 - below);
            if event {
                [2.0 * cumulated - z, 2.0 * below - 1.0, 2.0 * curve]
            } else {
                [cumulated, below, curve]
            }
        }
        (AftDistribution::Extreme, _) => {
            let power = z.exp();
            if event {
                [power - z, power - 1.0, power]
            } else {
                [power, power, power]
            }
        }
    };
    let spread = if event { scale.ln() } else { 0.0 };
    // dz/ds = -1 / scale.
    [loss + spread, -first / scale, second / (scale * scale)]
}

/// Rows by time, the latest first.
pub(super) fn latest_first(y: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..y.len() as u32).collect();
    order.sort_by(|&a, &b| y[b as usize].total_cmp(&y[a as usize])); // stable: ties in the order of rows
    order
}

/// Writes the slopes of the negative partial log-likelihood (Breslow's, for ties) and returns its value.
///
/// With `e_i = w_i exp(s_i)`, `S_j` the sum of `e` over rows that last at least as long as row `j`, and
/// `A_i = Σ w_j / S_j`, `B_i = Σ w_j / S_j²` over events up to the time of row `i`: gradient `e_i A_i - w_i d_i`, hessian
/// `e_i A_i - e_i² B_i`.
pub(super) fn cox(order: &[u32], targets: &Targets, scores: &[f64], slopes: &mut [Slope]) -> f64 {
    let most = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let at = |row: u32| (targets.weight(row as usize), targets.event(row as usize));
    let power = |row: u32| at(row).0 * (scores[row as usize] - most).exp();
    let same = |a: &u32, b: &u32| targets.y[*a as usize] == targets.y[*b as usize];
    // The sum at risk and the weight of events of each time, latest first.
    let (mut at_risk, mut times, mut loss) = (0.0, Vec::new(), 0.0);
    for tied in order.chunk_by(same) {
        at_risk += tied.iter().map(|&row| power(row)).sum::<f64>();
        let mut events = 0.0;
        for &row in tied {
            let (weight, event) = at(row);
            if event && weight > 0.0 {
                events += weight;
                loss += weight * (at_risk.ln() + most - scores[row as usize]);
            }
        }
        times.push((at_risk, events));
    }
    let (mut first, mut second) = (0.0, 0.0);
    for (tied, &(at_risk, events)) in order.chunk_by(same).rev().zip(times.iter().rev()) {
        if events > 0.0 {
            first += events / at_risk;
            second += events / (at_risk * at_risk);
        }
        for &row in tied {
            let (weight, event) = at(row);
            let e = power(row);
            let g = e * first - if event { weight } else { 0.0 };
            let h = (e * first - e * e * second).max(0.0);
            slopes[row as usize] = [g as f32, h as f32];
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_times_are_derivatives_of_the_loss() {
        let h = 1e-4;
        for distribution in [
            AftDistribution::Normal,
            AftDistribution::Logistic,
            AftDistribution::Extreme,
        ] {
            for event in [true, false] {
                for score in [-1.0, 0.3, 2.5] {
                    let at = |s: f64| aft(distribution, 0.7, s, (2.5, event));
                    let first = (at(score + h)[0] - at(score - h)[0]) / (2.0 * h);
                    let second =
                        (at(score + h)[0] - 2.0 * at(score)[0] + at(score - h)[0]) / (h * h);
                    let [_, g, curve] = at(score);
                    let scale = 1.0 + first.abs() + second.abs();
                    assert!(
                        (g - first).abs() < 1e-6 * scale && (curve - second).abs() < 1e-4 * scale,
                        "{distribution:?} {event} {score}: {g} {first}, {curve} {second}"
                    );
                }
            }
        }
    }

    #[test]
    fn partial_likelihood_by_its_definition() {
        let targets = Targets {
            y: vec![5.0, 3.0, 3.0, 8.0, 1.0, 9.0],
            weights: Some(vec![1.0, 2.0, 1.0, 0.5, 1.0, 1.0]),
            events: Some(vec![true, true, false, true, true, false]),
            groups: None,
        };
        let scores = [0.2, -0.5, 1.0, 0.0, 0.7, -0.3];
        // Straight from the formula, all pairs.
        let direct = |s: &[f64]| -> f64 {
            let term = |i: usize| {
                let at_risk: f64 = (0..6)
                    .filter(|&j| targets.y[j] >= targets.y[i])
                    .map(|j| targets.weight(j) * s[j].exp())
                    .sum();
                targets.weight(i) * (at_risk.ln() - s[i])
            };
            (0..6).filter(|&i| targets.event(i)).map(term).sum()
        };
        let order = latest_first(&targets.y);
        let mut slopes = [[0.0; 2]; 6];
        let loss = cox(&order, &targets, &scores, &mut slopes);
        assert!((loss - direct(&scores)).abs() < 1e-12);
        for i in 0..6 {
            let at = |d: f64| {
                let mut s = scores;
                s[i] += d;
                direct(&s)
            };
            let h = 1e-4;
            let first = (at(h) - at(-h)) / (2.0 * h);
            let second = (at(h) - 2.0 * at(0.0) + at(-h)) / (h * h);
            let [g, curve] = slopes[i].map(f64::from);
            assert!((g - first).abs() < 1e-6, "{i}: {g} {first}");
            assert!((curve - second).abs() < 1e-5, "{i}: {curve} {second}");
        }
    }
}
