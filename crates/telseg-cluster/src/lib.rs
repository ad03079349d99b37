#![doc = include_str!("../README.md")]

pub mod kmeans;
pub mod metrics;

pub use kmeans::{
    Algorithm, Candidate, Choice, ChooseParams, Init, KMeans, KMeansParams, KMeansReport,
};
