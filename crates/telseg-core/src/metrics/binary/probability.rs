//! Proper scores of predicted probabilities.

use crate::Result;
use crate::metrics::check;

/// Checks outcomes, probabilities and weights against each other.
pub(super) fn check_probabilities(y: &[bool], p: &[f64], weights: Option<&[f64]>) -> Result<()> {
    check::not_empty("y", y.len())?;
    check::same_len("p", p.len(), "y", y.len())?;
    check::all("p", p, "a probability from 0 to 1", |p| {
        (0.0..=1.0).contains(&p)
    })?;
    check::weights(weights, "y", y.len())
}

/// Logarithmic loss of predicted probabilities, in nats.
///
/// `−Σ w_i (y_i ln p_i + (1 − y_i) ln(1 − p_i)) / Σ w`, with `p` clipped to `[ε, 1 − ε]`, `ε = 2⁻⁵²`, so that a certain
/// prediction that fails costs 36.04 and not infinity.
///
/// # Shapes
/// `y`, `p` and `weights`: one element a row; `p` is the probability of `true`.
/// # Errors
/// When lengths differ, there are no rows, a probability lies outside [0, 1] or is NaN, or a weight is negative or not
/// finite. One class only is fine.
/// # Cost
/// O(n).
/// # References
/// I. J. Good (1952), "Rational decisions".
/// # Examples
/// ```
/// use telseg_core::metrics::binary::log_loss;
/// let loss = log_loss(&[true, false], &[0.5, 0.5], None)?;
/// assert!((loss - 2f64.ln()).abs() < 1e-15);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn log_loss(y: &[bool], p: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    check_probabilities(y, p, weights)?;
    Ok(check::mean(y.len(), weights, |i| {
        let clipped = p[i].clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        -if y[i] { clipped } else { 1.0 - clipped }.ln()
    }))
}

/// Brier score: the mean squared difference between probability and outcome.
///
/// `Σ w_i (p_i − y_i)² / Σ w`.
///
/// # Errors
/// As [`log_loss`].
/// # Cost
/// O(n).
/// # References
/// G. W. Brier (1950), "Verification of forecasts expressed in terms of probability" (half of its two-class sum).
/// # Examples
/// ```
/// use telseg_core::metrics::binary::brier;
/// assert_eq!(brier(&[true, false], &[0.5, 0.0], None)?, 0.125);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn brier(y: &[bool], p: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    check_probabilities(y, p, weights)?;
    Ok(check::mean(y.len(), weights, |i| {
        (p[i] - f64::from(u8::from(y[i]))).powi(2)
    }))
}
