//! Predicted numbers: usage, revenue, lifetime value.

use crate::metrics::check;
use crate::{Error, Result};

/// Root mean squared error, in the unit of `y`.
///
/// `√(Σ w_i (y_i − ŷ_i)² / Σ w)`.
///
/// # Shapes
/// `y`, `predicted` and `weights`: one element a row.
/// # Errors
/// When lengths differ, there are no rows, a value is NaN or infinite, or a weight is negative or not finite.
/// # Cost
/// O(n).
/// # Examples
/// ```
/// use telseg_core::metrics::regression::rmse;
/// assert_eq!(rmse(&[1.0, 2.0], &[4.0, 6.0], None)?, 12.5f64.sqrt()); // (9 + 16) / 2
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn rmse(y: &[f64], predicted: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    check_rows(y, predicted, weights)?;
    Ok(check::mean(y.len(), weights, |i| (y[i] - predicted[i]).powi(2)).sqrt())
}

/// Mean absolute error, in the unit of `y`.
///
/// `Σ w_i |y_i − ŷ_i| / Σ w`.
///
/// # Errors
/// As [`rmse`].
/// # Cost
/// O(n).
/// # Examples
/// ```
/// use telseg_core::metrics::regression::mae;
/// assert_eq!(mae(&[1.0, 2.0], &[4.0, 6.0], None)?, 3.5);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn mae(y: &[f64], predicted: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    check_rows(y, predicted, weights)?;
    Ok(check::mean(y.len(), weights, |i| {
        (y[i] - predicted[i]).abs()
    }))
}

/// Quantile (pinball) loss, in the unit of `y`: least where `predicted` is the `quantile` of `y`.
///
/// `Σ w_i ρ_q(y_i − ŷ_i) / Σ w` with `ρ_q(r) = max(q r, (q − 1) r)`; at `q = ½` half of [`mae`].
///
/// # Errors
/// As [`rmse`]; `quantile` must lie in [0, 1].
/// # Cost
/// O(n).
/// # References
/// R. Koenker, G. Bassett (1978), "Regression quantiles".
/// # Examples
/// ```
/// use telseg_core::metrics::regression::quantile_loss;
/// // 10 too low costs 0.9 a unit, 10 too high 0.1.
/// let loss = quantile_loss(&[20.0, 20.0], &[10.0, 30.0], 0.9, None)?;
/// assert!((loss - (9.0 + 1.0) / 2.0).abs() < 1e-14);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn quantile_loss(
    y: &[f64],
    predicted: &[f64],
    quantile: f64,
    weights: Option<&[f64]>,
) -> Result<f64> {
    if !(0.0..=1.0).contains(&quantile) {
        return Err(Error::param(
            "quantile",
            format!("must be from 0 to 1, is {quantile}"),
        ));
    }
    check_rows(y, predicted, weights)?;
    Ok(check::mean(y.len(), weights, |i| {
        let r = y[i] - predicted[i];
        if r >= 0.0 {
            quantile * r
        } else {
            (1.0 - quantile) * -r
        }
    }))
}

/// R²: the part of the variance of `y` that the prediction explains; below 0 when its mean would do better.
///
/// `1 − Σ w_i (y_i − ŷ_i)² / Σ w_i (y_i − ȳ)²`, with the weighted mean `ȳ`.
///
/// # Errors
/// As [`rmse`]; and when all values of `y` (of any weight) are equal, as nothing is there to be explained. scikit-learn
/// says 0 or 1 there.
/// # Cost
/// O(n), three passes.
/// # References
/// S. Wright (1921), "Correlation and causation".
/// # Examples
/// ```
/// use telseg_core::metrics::regression::r2;
/// assert_eq!(r2(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0], None)?, 0.5);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn r2(y: &[f64], predicted: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    check_rows(y, predicted, weights)?;
    let counted = |&i: &usize| check::weight(weights, i) > 0.0;
    let first = (0..y.len()).find(counted).map(|i| y[i]);
    if (0..y.len()).filter(counted).all(|i| Some(y[i]) == first) {
        return Err(Error::data(
            "y",
            "all values (of any weight) are equal, R² is not defined",
        ));
    }
    let mean = check::mean(y.len(), weights, |i| y[i]);
    let total = check::mean(y.len(), weights, |i| (y[i] - mean).powi(2));
    let left = check::mean(y.len(), weights, |i| (y[i] - predicted[i]).powi(2));
    Ok(1.0 - left / total)
}

/// Checks targets, predictions and weights against each other.
fn check_rows(y: &[f64], predicted: &[f64], weights: Option<&[f64]>) -> Result<()> {
    check::not_empty("y", y.len())?;
    check::same_len("predicted", predicted.len(), "y", y.len())?;
    check::finite("y", y)?;
    check::finite("predicted", predicted)?;
    check::weights(weights, "y", y.len())
}
