//! Segments as rules: a shallow tree for each segment against the rest, what of the segment it catches, and how much a
//! forest would.
//!
//! A tree of at most three questions is grown on a part of the rows, segment and rest weighing the same (Gini impurity,
//! quantile bins). Its leaves in which the segment is the majority are rules of at most three conditions. Precision,
//! coverage and fidelity are measured on the rows that were held out. A forest on the same bins says how much of the
//! segment can be told from the columns at all: where it does much better, the rules are too simple.
//!
//! # Rules
//! - Missing numbers go with the larger ones, where the condition says "or unknown"; a question may also ask whether a
//!   value is known. Missing levels are a level that no question names.
//! - Rows labelled [`MISSING`](crate::MISSING) and rows of no weight take no part.
//! - A segment of fewer than ten rows in either part, or one that holds all rows, has no rules.
//!
//! # References
//! L. Breiman, J. Friedman, R. Olshen, C. Stone (1984), "Classification and regression trees"; L. Breiman (2001), "Random
//! forests"; surrogates of clusters: S. Dasgupta, N. Frost, M. Moshkovitz, C. Rashtchian (2020), "Explainable k-means and
//! k-medians clustering".

mod bins;
mod fit;
mod rule;
mod tree;

pub use fit::{Fidelity, Surrogate, SurrogateParams, surrogates};
pub use rule::{Condition, SegmentRule};
