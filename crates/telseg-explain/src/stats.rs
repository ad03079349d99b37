//! The few statistics that this crate needs beyond those of the core: weights and correlation.

pub(crate) use telseg_core::stats::{Z95, two_sided_p, wilson};
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
