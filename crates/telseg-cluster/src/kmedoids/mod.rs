//! k-medoids: `k` rows that minimise the sum of distances to the nearest, for any distance.
//!
//! `loss = sum_i w_i min_j d(x_i, m_j)`, where every medoid `m_j` is one of the rows: a subscriber who can be shown. The
//! distance may be anything that is not negative; no triangle inequality is used, so Gower's distance with missing cells
//! is welcome.
//!
//! # References
//! - E. Schubert, P. Rousseeuw (2021), "Fast and eager k-medoids clustering: O(k) runtime improvement of the PAM, CLARA,
//!   and CLARANS algorithms" (FasterPAM: algorithm 3; LAB: section 4.2; FasterCLARA: section 5).
//! - L. Kaufman, P. Rousseeuw (1990), "Finding groups in data" (BUILD, CLARA).
//!
//! Deviations: the distances of up to 4096 rows (of a sample) are computed once; of more, when they are asked for, in each
//! pass anew, so memory stays linear in the rows; give a [`Condensed`] matrix where a distance is dear. Candidates are judged some at a time in parallel, and the first that
//! improves is taken: the swaps are those of the serial algorithm.

mod clara;
mod distances;
mod init;
mod metric;
mod model;
mod pam;
mod params;

pub use distances::{Between, Condensed, Distances};
pub use model::{KMedoids, KMedoidsReport, Medoids};
pub use params::{KMedoidsParams, MedoidInit, MedoidMethod, Metric};
