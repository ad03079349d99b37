//! The smallest change of a subscriber that moves a score of a tree ensemble to where it is wanted.
//!
//! Thresholds cut each numeric column into cells within which no tree can tell values apart, so the space of all rows is
//! a finite set of boxes. The search is best-first over boxes: each is ranked by the cost of its point nearest to the
//! row, a lower bound of all that it holds. A box is dropped when the sum over trees of the best leaf that it can still
//! reach misses the goal. The first box whose nearest point reaches the goal holds the cheapest counterfactual; until
//! then a box is split at the question that separates its nearest point from the best leaf of the tree that has most to
//! gain. Boxes only shrink, so the search ends; a limit on boxes or time ends it earlier, with the best answer so far
//! and the gap to what could still be found.
//!
//! # References
//! Z. Cui, W. Chen, Y. He, Y. Chen (2015), "Optimal action extraction for random forests and boosted trees" (the
//! problem); A. Parmentier, T. Vidal (2021), "Optimal counterfactual explanations in tree ensembles"
//! (exactness, by integer programming). The bounds over boxes are branch-and-bound as in A. Land, A. Doig (1960).

mod compile;
mod params;
mod search;
mod space;

pub use params::{Bundle, Change, CounterfactualParams, FeatureRule, Goal};
pub use search::{Answer, Counterfactual, Counterfactuals, Ended, Moved};
