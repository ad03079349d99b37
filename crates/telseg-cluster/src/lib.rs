#![doc = include_str!("../README.md")]

pub mod kmeans;
pub mod metrics;
mod rows;
pub mod temporal;

pub use kmeans::{
    Algorithm, Candidate, Choice, ChooseParams, Init, KMeans, KMeansParams, KMeansReport,
};
