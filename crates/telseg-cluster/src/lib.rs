#![doc = include_str!("../README.md")]

mod assignment;
pub mod choose;
pub mod compare;
mod components;
pub mod constrained;
pub mod dbscan;
pub mod gower;
pub mod hdbscan;
pub mod hierarchical;
pub mod kmeans;
pub mod kmedoids;
pub mod kprototypes;
pub mod metrics;
pub mod mixture;
mod neighbours;
pub mod optics;
mod rows;
mod seeding;
pub mod temporal;

pub use assignment::Assignment;
pub use choose::{Candidate, ChooseParams};
pub use constrained::{ConstrainedKMeans, ConstrainedKMeansParams, ConstrainedKMeansReport};
pub use dbscan::{Dbscan, DbscanParams, DbscanReport};
pub use gower::{Gower, GowerColumn, GowerParams};
pub use hdbscan::{Hdbscan, HdbscanParams, HdbscanReport, Membership, Selection};
pub use hierarchical::{
    Assign, Connectivity, Cut, Dendrogram, Hierarchical, HierarchicalParams, HierarchicalReport,
    Linkage, Merge, SvgParams,
};
pub use kmeans::{
    Algorithm, Choice, Distance, Init, KMeans, KMeansExtent, KMeansParams, KMeansReport,
    KMeansState, KMeansStats, MiniBatchKMeans, MiniBatchKMeansParams, MiniBatchReport,
};
pub use kmedoids::{KMedoids, KMedoidsParams, KMedoidsReport};
pub use kprototypes::{KPrototypes, KPrototypesParams, KPrototypesReport};
pub use mixture::gaussian::{
    Covariance, Covariances, GaussianInit, GaussianMixture, GaussianMixtureParams, GaussianReport,
    GaussianStats,
};
pub use mixture::latent::{
    Family, LatentClass, LatentClassParams, LatentColumn, LatentColumnStats, LatentInit,
    LatentReport, LatentStats,
};
pub use mixture::{Criteria, Criterion, MixtureCandidate, MixtureChoice};
pub use optics::{Extraction, Optics, OpticsParams, OpticsReport, XiClusters, XiParams};
