#![doc = include_str!("../README.md")]

pub mod kmeans;
pub mod metrics;
pub mod mixture;
mod rows;

pub use kmeans::{
    Algorithm, Candidate, Choice, ChooseParams, Init, KMeans, KMeansParams, KMeansReport,
};
pub use mixture::gaussian::{
    Covariance, Covariances, GaussianInit, GaussianMixture, GaussianMixtureParams, GaussianReport,
    GaussianStats,
};
pub use mixture::latent::{
    Family, LatentClass, LatentClassParams, LatentColumn, LatentColumnStats, LatentInit,
    LatentReport, LatentStats,
};
pub use mixture::{Criteria, Criterion, MixtureCandidate, MixtureChoice};
