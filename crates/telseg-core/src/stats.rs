//! The few classical statistics that several crates need: normal p-values, Wilson's interval, the false discovery rate.

/// Two-sided p-value of a standard normal statistic: `erfc(|z| / sqrt 2)`.
pub fn two_sided_p(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The complementary error function for `x >= 0`, relative error below 1e-12 or so: the series of `erf` near zero, the
/// continued fraction (Lentz's method) beyond.
fn erfc(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x < 2.0 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        return 1.0 - 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum;
    }
    // erfc(x) = exp(-x^2) / sqrt(pi) * 1 / (x + (1/2) / (x + (2/2) / (x + ...))), from the inside out.
    let fraction = (1..=120).rev().fold(x, |f, k| x + 0.5 * f64::from(k) / f);
    (-x * x).exp() / (std::f64::consts::PI.sqrt() * fraction)
}

/// The standard normal quantile of 97.5 %: half the width of a 95 % interval in standard errors.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval for a share of `n` rows.
pub fn wilson(share: f64, n: f64) -> [f64; 2] {
    if n <= 0.0 {
        return [0.0, 1.0];
    }
    let z2 = Z95 * Z95;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

/// Benjamini-Hochberg adjusted p-values, in the order of `p`: refusing those above `q` keeps the expected part of false
/// statements among the accepted ones at or below `q`.
///
/// `q_(i) = min over j >= i of m p_(j) / j`.
///
/// # References
/// Y. Benjamini, Y. Hochberg (1995), "Controlling the false discovery rate".
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        least = least.min(p[i] * p.len() as f64 / (rank + 1) as f64);
        q[i] = least;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_of_textbook_statistics() {
        // scipy.stats.norm.sf(z) * 2, scipy 1.17.1.
        for (z, p) in [
            (0.0, 1.0),
            (1.0, 0.317_310_507_862_914_1),
            (1.959_963_984_540_054, 0.05),
            (-3.0, 0.002_699_796_063_260_19),
            (8.0, 1.244_192_114_854_356_8e-15),
            (30.0, 9.813_427_854_297_91e-198),
        ] {
            let found = two_sided_p(z);
            assert!((found / p - 1.0).abs() < 1e-9, "{z}: {found}");
        }
        assert_eq!(two_sided_p(f64::INFINITY), 0.0);
    }

    #[test]
    fn wilson_of_ten_in_a_hundred() {
        // scipy.stats.binomtest(10, 100).proportion_ci(method="wilson"), scipy 1.17.1.
        let [low, high] = wilson(0.1, 100.0);
        assert!((low - 0.055_229_138).abs() < 1e-8, "{low}");
        assert!((high - 0.174_365_6).abs() < 1e-6, "{high}");
        assert_eq!(wilson(0.0, 20.0)[0], 0.0);
    }

    #[test]
    fn adjusts_by_hand() {
        // m = 4: 0.01*4/1 = 0.04; 0.02*4/2 = 0.04; 0.03*4/3 = 0.04; 0.5*4/4 = 0.5.
        let q = benjamini_hochberg(&[0.02, 0.5, 0.01, 0.03]);
        for (q, expected) in q.iter().zip([0.04, 0.5, 0.04, 0.04]) {
            assert!((q - expected).abs() < 1e-15);
        }
        // 0.04*2/1 = 0.08 is capped by the larger p: 0.05*2/2 = 0.05.
        assert_eq!(benjamini_hochberg(&[0.04, 0.05]), [0.05, 0.05]);
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
