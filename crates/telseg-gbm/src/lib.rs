#![doc = include_str!("../README.md")]

mod bins;
mod boost;
mod cv;
mod grow;
mod histogram;
mod kernel;
mod leaves;
mod model;
mod objective;
mod options;
mod params;
mod report;
mod split;

pub use bins::BinnedData;
pub use cv::{CrossPrediction, cross_predict};
pub use model::{Gbm, Importance};
pub use objective::Objective;
pub use options::FitOptions;
pub use params::{GbmParams, Growth, Refit};
pub use report::{FitReport, Stop};
