#![doc = include_str!("../README.md")]

pub mod kmeans;
pub mod metrics;
mod choose_stub; pub use choose_stub::*;

pub use kmeans::{Algorithm, Init, KMeans, KMeansParams, KMeansReport};
