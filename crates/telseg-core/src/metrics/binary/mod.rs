//! Two classes: how well scores rank them, and how honest probabilities are.
//!
//! Outcomes are `&[bool]`; [`outcomes`] turns a 0/1 column into them. For one metric call its function; for several
//! metrics, curves or bootstrap resamples of the same scores sort them once with [`Ranking`].
//!
//! **Ties.** Rows of equal score form one group, and nothing depends on the order of rows: a pair of tied rows counts
//! half in [`auc`], thresholds of [`average_precision`] and of the curves lie between groups, and a share of rows that
//! ends inside a group takes the same part of its positives ([`gain_at`], [`lift_at`]).

mod calibration;
mod curves;
mod probability;
mod ranking;

pub use calibration::{Bins, Calibration, CalibrationBin, calibration};
pub use curves::{
    LiftPoint, PrecisionRecallPoint, RocPoint, lift_curve, precision_recall, roc_curve,
};
pub use probability::{brier, log_loss};
pub use ranking::{Ranking, auc, average_precision, gain_at, lift_at};

use crate::{Error, Result, Scalar};

/// Outcomes of a column of zeros and ones.
///
/// # Errors
/// When a value is neither 0 nor 1.
///
/// # Examples
/// ```
/// use telseg_core::metrics::binary::outcomes;
/// assert_eq!(outcomes(&[0.0f32, 1.0])?, [false, true]);
/// assert!(outcomes(&[0.0, 2.0]).is_err());
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn outcomes<F: Scalar>(y: &[F]) -> Result<Vec<bool>> {
    let outcome = |(row, &value): (usize, &F)| {
        if value == F::one() {
            Ok(true)
        } else if value == F::zero() {
            Ok(false)
        } else {
            Err(Error::data(
                "y",
                format!("row {row} is {value}, expected 0 or 1"),
            ))
        }
    };
    y.iter().enumerate().map(outcome).collect()
}
