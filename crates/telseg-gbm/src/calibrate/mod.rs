//! Honest probabilities: what a model calls 30 % happens in 30 % of the cases.
//!
//! A calibrator is fitted on predictions for rows that the model has not seen ([`cross_predict`](crate::cross_predict)), and
//! then maps every prediction. `telseg_core::metrics::binary::calibration` measures before and after.

mod calibrator;
mod cross;
mod logistic;
mod temperature;

pub use calibrator::{Calibration, Calibrator, CalibratorParams};
pub use cross::{Calibrated, fit_calibrated};
pub use temperature::Temperature;
pub(crate) use temperature::check_labels;
