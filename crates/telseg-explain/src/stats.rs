//! The few statistics that this crate needs: weights, the normal distribution, Wilson's interval.

use telseg_core::{Error, Result};

/// Weights as given, or ones; refuses those that cannot weigh.
pub(crate) fn checked_weights(weights: Option<&[f64]>, n: usize) -> Result<Vec<f64>> {
    let Some(weights) = weights else {
        return Ok(vec![1.0; n]);
    };
    if weights.len() != n {
        return Err(Error::shape(
            "weights",
            format!("{n} weights (one for each row)"),
            weights.len().to_string(),
        ));
    }
    if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(Error::data(
            "weights",
            format!(
                "must be finite and not negative, found {} in row {row}",
                weights[row]
            ),
        ));
    }
    if weights.iter().all(|w| *w == 0.0) {
        return Err(Error::data("weights", "are all zero"));
    }
    Ok(weights.to_vec())
}

/// Two-sided p-value of a standard normal statistic: `erfc(|z| / sqrt 2)`.
pub(crate) fn two_sided_p(z: f64) -> f64 {
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
pub(crate) const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval for a share of `n` rows.
pub(crate) fn wilson(share: f64, n: f64) -> [f64; 2] {
    if n <= 0.0 {
        return [0.0, 1.0];
    }
    let z2 = Z95 * Z95;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

/// Weighted Pearson correlation of the pairs (x, y, weight) whose first member is finite; `None` when either is constant.
pub(crate) fn correlation(pairs: impl Iterator<Item = (f64, f64, f64)> + Clone) -> Option<f64> {
    let known = pairs.filter(|(x, ..)| x.is_finite());
    let (total, sum_x, sum_y) = known.clone().fold((0.0, 0.0, 0.0), |(t, a, b), (x, y, w)| {
        (t + w, a + w * x, b + w * y)
    });
    let (mean_x, mean_y) = (sum_x / total, sum_y / total);
    let (xx, yy, xy) = known.fold((0.0, 0.0, 0.0), |(xx, yy, xy), (x, y, w)| {
        let (dx, dy) = (x - mean_x, y - mean_y);
        (xx + w * dx * dx, yy + w * dy * dy, xy + w * dx * dy)
    });
    // A constant differs from its own mean by rounding alone.
    let varies = |squares: f64, mean: f64| squares > 1e-24 * total * mean * mean && squares > 0.0;
    (varies(xx, mean_x) && varies(yy, mean_y)).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
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
}
