#![doc = include_str!("../README.md")]

pub mod kmeans;
pub mod kprototypes;
pub mod metrics;
mod rows;

pub use kmeans::{
    Algorithm, Candidate, Choice, ChooseParams, Init, KMeans, KMeansParams, KMeansReport,
};
pub use kprototypes::{KPrototypes, KPrototypesParams, KPrototypesReport};
