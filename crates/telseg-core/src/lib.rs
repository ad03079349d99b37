#![doc = include_str!("../README.md")]

pub mod artefact;
pub mod error;
pub mod kernel;
pub mod merge;
pub mod metrics;
pub mod par;
pub mod progress;
pub mod scalar;
pub mod seed;
pub mod stats;
pub mod traits;
pub mod trees;

pub use error::{Error, Result};
pub use progress::Progress;
pub use scalar::Scalar;
pub use seed::Seed;
pub use traits::{Fit, Predict, Transform};
