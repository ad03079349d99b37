//! Neighbours of points: a flat k-d tree, searched with the bucket kernel.
//!
//! Points lie in buckets of 32, column by column, in the order of the tree: a *position* is a place in this order, a *row*
//! one in the caller's. Distances are squared and in the data's precision; what hangs on a threshold is decided in double
//! precision by [`Radius`].
//!
//! # References
//! - J. Bentley (1975), "Multidimensional binary search trees used for associative searching".
//! - J. Friedman, J. Bentley, R. Finkel (1977), "An algorithm for finding best matches in logarithmic expected time".

mod nearest;
mod radius;
mod reachable;
mod tree;

pub(crate) use nearest::{Nearest, nearest_of_all};
pub(crate) use radius::{Radius, exact};
pub(crate) use reachable::{Reachable, Reached};
pub(crate) use tree::{KdTree, Node, search_by};
