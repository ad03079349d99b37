//! How good a ranking, a probability, a number or a partition is, with intervals.
//!
//! Plain functions over slices: outcomes are `&[bool]`, everything else is `f64`, labels are `u32`. Every metric takes
//! optional sample weights, and an integer weight means the same as that many copies of the row.
//!
//! | module | metrics | also |
//! | --- | --- | --- |
//! | [`binary`] | AUC, average precision, log loss, Brier score, lift and gain at a share, calibration error | ROC, precision-recall and lift curves, calibration bins |
//! | [`regression`] | RMSE, MAE, quantile (pinball) loss, R² | |
//! | [`partition`] | adjusted Rand index, normalised mutual information, purity | contingency tables |
//! | [`bootstrap`] | an interval for any of them | paired differences |
//!
//! Weights may be `None` (each row counts 1) or one finite, non-negative number a row, not all zero. Where the metric is
//! not defined (one class only, no rows, constant target) the answer is an error that says so, never NaN.
//!
//! # Examples
//! ```
//! use telseg_core::metrics::binary::{Ranking, auc};
//! use telseg_core::metrics::Bootstrap;
//!
//! let churned = [false, false, true, false, true, true, false, true];
//! let score = [0.1, 0.3, 0.35, 0.4, 0.6, 0.7, 0.2, 0.3];
//! // 16 pairs of a churner and a stayer: 13 in the right order, one tied, two in the wrong order.
//! assert_eq!(auc(&churned, &score, None)?, 13.5 / 16.0);
//!
//! let ranking = Ranking::new(&churned, &score)?; // sorts once
//! let interval = Bootstrap::default().with_seed(7).interval(8, |w| ranking.auc(Some(w)))?;
//! assert_eq!(interval.estimate, 13.5 / 16.0);
//! assert!(interval.low < interval.estimate && interval.estimate < interval.high);
//! # Ok::<(), telseg_core::Error>(())
//! ```

pub mod binary;
pub mod bootstrap;
pub(crate) mod check;
pub mod partition;
pub mod regression;

pub use bootstrap::{Bootstrap, Interval};
