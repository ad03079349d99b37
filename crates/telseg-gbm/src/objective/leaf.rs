//! How a leaf's value follows from its rows.

/// How a leaf's value follows from its rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LeafRule {
    /// The Newton step of their slopes.
    Newton,
    /// For a logarithmic link with variance `mean^power`: the Newton step or the exact optimum, whichever is shorter.
    Logarithmic { power: f64 },
    /// A quantile of what the scores leave of the targets: there the hessian says nothing.
    Residual { level: f64 },
}

impl LeafRule {
    /// The step from sums of gradients and hessians.
    pub(crate) fn step(self, [g, h]: [f64; 2], l2: f64) -> f64 {
        let newton = -g / (h + l2);
        let step = match self {
            // With a, b the sums of y mu^(1-p) and mu^(2-p): g = b - a, h = (p-1) a + (2-p) b, and the loss of adding v
            // to all scores is least at e^v = a / b.
            Self::Logarithmic { power } => {
                let (a, b) = (h + l2 - (2.0 - power) * g, h + l2 + (power - 1.0) * g);
                let exact = if a > 0.0 && b > 0.0 {
                    (a / b).ln()
                } else {
                    newton
                };
                if exact.abs() < newton.abs() {
                    exact
                } else {
                    newton
                }
            }
            _ => newton,
        };
        if step.is_finite() { step } else { 0.0 }
    }
}

/// The quantile of some numbers: where all of a stretch are as good, its middle.
pub(crate) fn quantile(values: &mut [f64], level: f64) -> f64 {
    let target = level * values.len() as f64;
    let at = (target.ceil() as usize).clamp(1, values.len().max(1)) - 1;
    if values.is_empty() {
        return 0.0;
    }
    let (_, &mut low, above) = values.select_nth_unstable_by(at, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp);
    match next {
        Some(high) if target == (at + 1) as f64 => 0.5 * (low + high),
        _ => low,
    }
}

/// The same of numbers with weights above 0.
pub(crate) fn weighted_quantile(values: &mut [(f64, f32)], level: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|v| f64::from(v.1)).sum();
    let mut sum = 0.0;
    for (i, &(value, weight)) in values.iter().enumerate() {
        sum += f64::from(weight);
        if sum == level * total {
            return values
                .get(i + 1)
                .map_or(value, |next| 0.5 * (value + next.0));
        }
        if sum > level * total {
            return value;
        }
    }
    values.last().map_or(0.0, |v| v.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_numbers() {
        let find = |values: &[f64], level| quantile(&mut values.to_vec(), level);
        assert_eq!(find(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(find(&[3.0, 1.0, 2.0, 10.0], 0.5), 2.5); // any of [2, 3] is as good
        assert_eq!(find(&[3.0, 1.0, 2.0, 10.0], 0.9), 10.0);
        assert_eq!(find(&[7.0], 0.01), 7.0);
        // Weights are as good as copies.
        let find = |values: &[(f64, f32)], level| weighted_quantile(&mut values.to_vec(), level);
        assert_eq!(find(&[(3.0, 1.0), (1.0, 2.0), (2.0, 1.0)], 0.5), 1.5);
        assert_eq!(find(&[(3.0, 1.0), (1.0, 2.0), (2.0, 1.0)], 0.6), 2.0);
    }

    #[test]
    fn steps_behind_a_logarithmic_link_are_exact_or_shorter() {
        let rule = LeafRule::Logarithmic { power: 1.0 };
        // Means of 1 each on 4 rows with 12 calls: the optimum is ln 3, Newton would go to 2.
        assert!((rule.step([4.0 - 12.0, 4.0], 0.0) - 3f64.ln()).abs() < 1e-12);
        // No calls at all: the optimum is minus infinity, Newton goes to -1.
        assert_eq!(rule.step([4.0, 4.0], 0.0), -1.0);
        let gamma = LeafRule::Logarithmic { power: 2.0 };
        // 4 rows of means 10 times their targets: g = 4 - 0.4, h = 0.4; the optimum is ln 0.1.
        assert!((gamma.step([3.6, 0.4], 0.0) - 0.1f64.ln()).abs() < 1e-12);
    }
}
