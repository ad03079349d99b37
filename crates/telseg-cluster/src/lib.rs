#![doc = include_str!("../README.md")]

pub mod kmeans;
pub mod metrics;
mod rows;

pub use kmeans::{
    Algorithm, Candidate, Choice, ChooseParams, Distance, Init, KMeans, KMeansExtent, KMeansParams,
    KMeansReport, KMeansState, KMeansStats, MiniBatchKMeans, MiniBatchKMeansParams,
    MiniBatchReport,
};
