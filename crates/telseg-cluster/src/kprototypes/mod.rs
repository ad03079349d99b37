//! k-prototypes: k-means for rows that mix numbers and codes; a centre has a mean in each column of numbers and a mode in
//! each column of codes.
//!
//! `cost = sum_i w_i min_j ( |x_i - c_j|^2 + gamma m(x_i, c_j) )`, where `m` counts the codes that differ from the modes.
//! This is squared Euclidean distance between points that hold, beside the numbers, `sqrt(gamma / 2)` times a one-hot
//! vector for each code; a mode is such a point too. So Hamerly's bounds hold as they do for k-means: a centre moves by
//! the root of the squared movement of its mean plus `gamma` for each mode that changes. The one-hot columns are never
//! made.
//!
//! A missing code (NaN) is a level of its own: two subscribers whose handset is not known match each other. A code that
//! was not seen at fit matches no mode. Missing numbers are refused.
//!
//! # References
//! - Z. Huang (1998), "Extensions to the k-means algorithm for clustering large data sets with categorical values"
//!   (cost: equation 9; `gamma`: section 3.2 and Huang 1997).
//! - G. Hamerly (2010), "Making k-means even faster".
//!
//! Deviations: means and modes change after all rows were labelled (Lloyd), where Huang changes them after each row; so
//! the result does not depend on the order of the rows, and both end where no label changes. Of equally frequent levels
//! the lowest code is the mode, a missing code the last. Starts are greedy k-means++ in the mixed distance. A cluster that
//! runs empty takes the row farthest from its centre.

mod assign;
mod bounds;
mod data;
mod init;
mod levels;
mod model;
mod params;
pub(crate) mod prototypes;
mod rounds;
mod sums;

pub use model::{KPrototypes, KPrototypesReport};
pub use params::{KPrototypesParams, PrototypeInit, PrototypeSearch};
