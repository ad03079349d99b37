//! k-means under constraints: segments of at least and at most so many subscribers, rows that must share a segment, and
//! rows that must not.
//!
//! Rounds as in Lloyd's: the rows are assigned to the centres at the least sum of squared distances that obeys the
//! constraints, then every centre becomes the mean of its rows.
//!
//! - **Sizes** alone: the assignment is a transport problem and is solved exactly, by shortest augmenting paths among the
//!   clusters. Its dual prices (what a place in a full cluster is worth, what a row in an empty one costs) carry over
//!   to the next round, so that only few rows have to be moved there.
//! - **Must-link**: linked rows are merged into one, by union-find.
//! - **Cannot-link**: merged rows and rows that are kept apart are placed first, the most entangled first, each in the
//!   cheapest cluster that is allowed, with backtracking; then all other rows are assigned exactly to the places left. So
//!   every constraint is obeyed, but the joint assignment is not always the cheapest.
//!
//! A round that does not lower the sum is not taken; so the sum never rises and the rounds end.
//!
//! Sizes count rows, not weights. Constraints bind the training rows only: `predict` gives the nearest centre, and
//! [`labels`](ConstrainedKMeans::labels) may differ from it.
//!
//! Columns are numbers. Codes take part as 0/1 columns, one a level, times `sqrt(gamma / 2)`: then two rows with
//! different codes are `gamma` farther apart in square, as for [k-prototypes](crate::kprototypes), but a centre has the share
//! of each level and not the commonest one. k-prototypes itself takes no constraints.
//!
//! # References
//! - P. Bradley, K. Bennett, A. Demiriz (2000), "Constrained k-means clustering" (least sizes by minimum-cost flow).
//! - K. Wagstaff, C. Cardie, S. Rogers, S. Schrödl (2001), "Constrained k-means clustering with background knowledge".
//! - R. Ahuja, T. Magnanti, J. Orlin (1993), "Network flows", section 9.7 (shortest augmenting paths with prices).
//!
//! Deviations: rows that are kept apart are placed with backtracking, where Wagstaff et al. fail at the first row that has
//! no place left.

mod blocks;
mod links;
mod model;
mod params;
mod rounds;
mod transport;

pub use model::{ConstrainedKMeans, ConstrainedKMeansReport};
pub use params::{ConstrainedInit, ConstrainedKMeansParams};
