//! Which method, and how many clusters? One call for a list of candidates and a range of numbers.
//!
//! Every pair of a method and a number is fitted on the same sample and judged by the same measures, each with an interval:
//! silhouette, Davies-Bouldin, Calinski-Harabasz, gap, and what bootstrap samples make of it ([`crate::metrics`]). The rule
//! that recommends one of them is that of [`KMeansParams::choose`](crate::KMeansParams::choose), for any method:
//!
//! 1. Left out is what finds fewer than two clusters, leaves more noise than `max_noise`, or has a cluster that bootstrap
//!    samples do not confirm (mean Jaccard similarity below `min_confirmed`).
//! 2. Where clusters lie apart (a silhouette of at least 0.5), the highest silhouette wins; within one standard error of
//!    it, more clusters do.
//! 3. Where they run into each other, as subscribers do, the most clusters win; of as many, the highest silhouette.
//! 4. Where nothing is confirmed, what is confirmed best is named, and that it is not enough.
//!
//! The measures often disagree: each has its own idea of a cluster. [`Comparison::votes`] says which candidate each would
//! take, and [`Comparison::reason`] says so in a sentence. Silhouette, Davies-Bouldin, Calinski-Harabasz and gap favour
//! round clusters, which is what k-means and Ward look for; a density method that finds long ones is at a disadvantage
//! there. A row of noise counts 0 in the silhouette and is left out of Davies-Bouldin and Calinski-Harabasz.

mod judge;
mod method;
mod params;
mod rule;
mod table;

pub use judge::{Comparison, Judged, Vote, compare};
pub use method::{Clusterer, Method, Task};
pub use params::CompareParams;
