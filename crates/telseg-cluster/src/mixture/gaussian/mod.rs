//! Mixture of normal distributions with full, tied, diagonal or spherical covariances.
//!
//! `p(x) = sum_j w_j N(x; m_j, S_j)`. EM on tiles of 64 rows, everything in log space:
//!
//! - E step: `ln p_j(x) = ln w_j - d/2 ln 2 pi + ln |L_j^-1| - |L_j^-1 (x - m_j)|^2 / 2` with `S_j = L_j L_j^T`.
//! - M step: from `sum r`, `sum r z` and `sum r z z^T`, `z = x - m_j` about the *present* mean, so that no difference of
//!   large sums is taken once the means have settled; then `reg_covar` is added to every variance.
//!
//! # Accuracy
//! Rows and densities are computed in the rows' own precision, sums over rows are folded into double precision every
//! 2048 rows. In `f32` a row's log density errs by some 1e-6 of its size, covariances by some 1e-6 of theirs; `f64`
//! rows are computed in double precision throughout. A probability below the smallest normal number counts as 0.
//!
//! # References
//! - A. Dempster, N. Laird, D. Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm".
//! - G. McLachlan, D. Peel (2000), "Finite Mixture Models", chapter 3.
//!
//! Deviation: adding `reg_covar` after the M step is no exact maximum, so the likelihood may fall by a little where a
//! variance is as small as `reg_covar` itself.

mod cholesky;
mod covariance;
mod density;
mod em;
mod model;
mod params;
mod saved;
mod start;
mod stats;
mod update;

pub use covariance::{Covariance, Covariances};
pub use model::{GaussianMixture, GaussianReport};
pub use params::{GaussianInit, GaussianMixtureParams};
pub use stats::GaussianStats;
