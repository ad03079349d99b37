//! Random forests and extremely randomised trees, on the same bins as boosting.
//!
//! Trees are grown one a task, each on rows and columns drawn from streams of its own, so that a forest is the same for any
//! number of threads. A node's columns are cut by their histograms; only bins that have rows are looked at, so that small
//! nodes cost little.
//!
//! # Rules
//! - A missing value goes to the side that gains more; where a node has seen none, with the heavier side.
//! - Levels are sorted by mean target (two classes, numbers) or by the share of one class (more classes), and a prefix goes
//!   left; a level that is rare or was never seen goes right.
//! - Equal gains: the column that was drawn first, its lowest cut.
//! - Two classes of equal probability: the lower one.
//!
//! # References
//! L. Breiman (2001), "Random forests"; P. Geurts, D. Ernst, L. Wehenkel (2006), "Extremely randomized trees". Thresholds of
//! the latter are drawn among bins here, so by rank rather than by value.

mod bag;
mod grow;
mod model;
mod params;
mod rules;
mod split;
mod tree;

pub use model::{Forest, ForestReport};
pub use params::{Cutting, ForestParams, Sampling, Task};
pub use tree::{DecisionTree, DecisionTreeParams, PruningStep};
