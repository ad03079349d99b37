//! Hierarchical clustering: rows merge into ever larger clusters, the nearest two first, until one is left.
//!
//! | linkage | time | memory |
//! | --- | --- | --- |
//! | Ward | some searches a row in a tree of boxes: about `n log n` in few columns, at most `n^2` distances | `O(n)` |
//! | single | `n^2 / 2` distances | `O(n)` |
//! | complete, average, weighted | `O(n^2)` | the distances of all pairs, `4 n^2` bytes |
//! | any, with a connectivity | `O(e log e)` for `e` connected pairs | `O(e)` |
//!
//! Ward's distance follows from the means and the weights of two clusters, and a minimum spanning tree holds all that single
//! linkage asks for. The others ask for distances between members, which no summary of a cluster holds; the mean of
//! *squared* distances would follow from means, but that is another linkage than the one that people know as average.
//! Centroid and median linkage are not offered: their heights can fall, so that a cut says little.
//!
//! # References
//! - J. H. Ward (1963), "Hierarchical grouping to optimize an objective function".
//! - G. N. Lance, W. T. Williams (1967), "A general theory of classificatory sorting strategies".
//! - F. Murtagh (1985), "Multidimensional clustering algorithms"; D. Müllner (2011), "Modern hierarchical, agglomerative
//!   clustering algorithms".
//!
//! Deviations: instead of a chain of nearest neighbours, all pairs that are each other's nearest merge in one round, which
//! gives the same tree and can search in parallel. Of equally near pairs, the one with the lower numbers merges first;
//! another choice gives another tree of the same right.

mod boxes;
mod connected;
mod dendrogram;
mod distinct;
mod exemplars;
mod fit;
mod matrix;
mod model;
mod params;
mod reciprocal;
mod single;
mod svg;
mod ward;

pub use dendrogram::{Dendrogram, Merge};
pub use model::{Hierarchical, HierarchicalReport};
pub use params::{Assign, Connectivity, Cut, HierarchicalParams, Linkage};
pub use svg::SvgParams;
