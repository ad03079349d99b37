//! DBSCAN: clusters are what dense places hold together; the rest is noise.
//!
//! A row is *core* when the rows within `eps` of it, itself included, weigh at least `min_points`. Core rows within `eps` of
//! each other are in the same cluster. A row that is not core goes to the cluster of its nearest core row when that lies
//! within `eps` (of equally near ones, to the first in the data), and is noise otherwise. So the result does not depend on
//! the order in which rows are looked at, and [`Dbscan::predict`] gives the training rows what they got at fit.
//!
//! Distances are Euclidean and `eps` is inclusive. Where rounding in `f32` leaves it open whether a row lies within `eps`,
//! double precision decides.
//!
//! # References
//! - M. Ester, H.-P. Kriegel, J. Sander, X. Xu (1996), "A density-based algorithm for discovering clusters in large spatial
//!   databases with noise".
//! - J. Gan, Y. Tao (2015), "DBSCAN revisited: mis-claim, un-fixability, and approximation" (small cells need no distances).
//!
//! Deviations: a border row goes to its nearest core row, where the paper leaves it to the first cluster that reaches it;
//! rows of weight 0 are left out and labelled afterwards as new rows are.

mod core;
mod merge;
mod model;
mod params;

pub use model::{Dbscan, DbscanReport};
pub use params::DbscanParams;
