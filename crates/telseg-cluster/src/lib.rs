#![doc = include_str!("../README.md")]

pub mod compare;
pub mod hierarchical;
pub mod kmeans;
pub mod metrics;
mod rows;

pub use hierarchical::{
    Assign, Connectivity, Cut, Dendrogram, Hierarchical, HierarchicalParams, HierarchicalReport,
    Linkage, Merge, SvgParams,
};
pub use kmeans::{
    Algorithm, Candidate, Choice, ChooseParams, Init, KMeans, KMeansParams, KMeansReport,
};
