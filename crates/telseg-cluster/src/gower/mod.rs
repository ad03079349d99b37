//! Gower's distance: rows that mix quantities, ranks, codes and flags, with cells that may be missing.
//!
//! `d(a, b) = sum_j w_j delta_j d_j / sum_j w_j delta_j`, from 0 (alike) to 1. `d_j` is `|a_j - b_j|` over the column's
//! range at fit (at most 1) for numbers, the same of ranks for ordered levels, and 0 or 1 for codes and flags. `delta_j`
//! is 0 where either cell is missing (NaN), and where both flags of an asymmetric column are 0: what neither subscriber
//! has makes them no more alike. Where no column can be compared the distance is 1.
//!
//! **Missing cells and asymmetric columns break the triangle inequality**, because different pairs are compared in
//! different columns: `a` and `c` may be far apart although both are near `b`. No bound that rests on it may be used.
//!
//! # References
//! - J. Gower (1971), "A general coefficient of similarity and some of its properties".
//! - L. Kaufman, P. Rousseeuw (1990), "Finding groups in data", section 2.6 (ranks for ordered levels).
//!
//! Deviations: differences beyond the range at fit count as 1, and the distance of rows that cannot be compared is 1, where
//! others leave it undefined.

mod distance;
mod params;

pub use distance::Gower;
pub use params::{GowerColumn, GowerParams};
