//! Gauss-Legendre quadrature on [0, 1]: exact for the polynomials whose integrals are Shapley weights.

use std::f64::consts::PI;

/// One node of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) t: f64,
    pub(crate) weight: f64,
}

/// The rule with `n` nodes, exact up to degree `2 n - 1`.
///
/// Newton's method on the Legendre polynomial from the Chebyshev guess.
pub(crate) fn gauss_legendre(n: usize) -> Vec<Node> {
    (0..n)
        .map(|i| {
            let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (value, derivative) = legendre(n, x);
                slope = derivative;
                let step = value / derivative;
                x -= step;
                if step.abs() < 1e-16 {
                    slope = legendre(n, x).1;
                    break;
                }
            }
            Node {
                t: 0.5 * (1.0 - x),
                weight: 1.0 / ((1.0 - x * x) * slope * slope),
            }
        })
        .collect()
}

/// The Legendre polynomial of degree `n` and its derivative, by Bonnet's recursion.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 0..n {
        let k = k as f64;
        (before, value) = (
            value,
            ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0),
        );
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nodes_are_the_textbook_ones() {
        let rule = gauss_legendre(2);
        // 1/2 -+ 1/(2 sqrt 3), weights 1/2.
        let offset = 0.5 / 3f64.sqrt();
        assert!((rule[0].t - (0.5 - offset)).abs() < 1e-15);
        assert!((rule[1].t - (0.5 + offset)).abs() < 1e-15);
        assert!(rule.iter().all(|node| (node.weight - 0.5).abs() < 1e-15));
    }

    #[test]
    fn integrals_of_powers_are_exact() {
        for n in 1..=40usize {
            let rule = gauss_legendre(n);
            for power in 0..2 * n {
                let sum: f64 = rule.iter().map(|q| q.weight * q.t.powi(power as i32)).sum();
                let exact = 1.0 / (power as f64 + 1.0);
                assert!(
                    (sum - exact).abs() < 1e-14,
                    "{n} nodes, power {power}: {sum}"
                );
            }
        }
    }
}
