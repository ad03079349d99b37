#![doc = include_str!("../README.md")]

mod assignment;
mod components;
pub mod dbscan;
pub mod hdbscan;
pub mod kmeans;
pub mod metrics;
mod neighbours;
pub mod optics;
mod rows;

pub use assignment::Assignment;
pub use dbscan::{Dbscan, DbscanParams, DbscanReport};
pub use hdbscan::{Hdbscan, HdbscanParams, HdbscanReport, Membership, Selection};
pub use kmeans::{
    Algorithm, Candidate, Choice, ChooseParams, Init, KMeans, KMeansParams, KMeansReport,
};
pub use optics::{Optics, OpticsParams, XiClusters, XiParams};
