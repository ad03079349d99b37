//! HDBSCAN*: clusters of any shape and of different density, without a radius to choose.
//!
//! A row's *core distance* is the distance to its `min_samples`-th neighbour, and the *mutual reachability* of two rows is
//! the greatest of their core distances and of their distance. Raising the density (lowering that distance) step by step,
//! what hangs together falls apart: parts of at least `min_cluster_size` rows are clusters, smaller ones are rows that leave.
//! Of this *condensed tree* either the clusters that persist longest are taken (excess of mass), or the leaves.
//!
//! Parts that come apart at the same distance do so at once, as in the paper: the result does not depend on the order of the
//! rows, nor on which of several minimum spanning trees was found.
//!
//! **New rows.** [`Hdbscan::predict`] attaches a row where its mutual reachability to the training rows, with its own core
//! distance among them, is least, and lets it leave the condensed tree at that distance, or with the row it hangs on. A row
//! that equals a training row gets what that row got, so that predictions agree with the labels at fit.
//!
//! # References
//! - R. Campello, D. Moulavi, J. Sander (2013), "Density-based clustering based on hierarchical density estimates".
//! - R. Campello, D. Moulavi, A. Zimek, J. Sander (2015), "Hierarchical density estimates for data clustering,
//!   visualization, and outlier detection" (excess of mass: section 5; GLOSH: section 6).
//! - C. Malzer, M. Baum (2020), "A hybrid approach to hierarchical density-based cluster selection" (`epsilon`).
//!
//! Deviations: a row does not count among its own neighbours (as in the `hdbscan` package; the paper counts it). When the
//! root is taken as the single cluster, rows that leave before its first split are noise (in the package, without a split,
//! all but the densest are). Rows of weight 0 are left out and labelled afterwards as new rows are.

mod attach;
mod condense;
mod linkage;
mod model;
mod params;
mod saved;
mod select;
mod soft;
mod spanning;
mod validity;

pub use condense::{CondensedCluster, CondensedTree};
pub use model::{Hdbscan, HdbscanReport, Membership};
pub use params::{HdbscanParams, Selection};
pub use validity::dbcv;
