#![doc = include_str!("../README.md")]

mod choose_stub;
pub mod kmeans;
pub mod metrics;
pub use choose_stub::*;

pub use kmeans::{Algorithm, Init, KMeans, KMeansParams, KMeansReport};
