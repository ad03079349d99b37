#![doc = include_str!("../README.md")]

pub mod pipeline;
pub mod report;
pub mod run;

pub use telseg_cluster as cluster;
pub use telseg_core as core;
pub use telseg_explain as explain;
pub use telseg_features as features;
pub use telseg_gbm as gbm;
#[cfg(feature = "sim")]
pub use telseg_sim as sim;

pub use pipeline::Pipeline;
pub use run::Run;
pub use telseg_core::{Error, Result};
pub use telseg_features::Table;

/// What most programs import.
pub mod prelude {
    pub use crate::{Error, Pipeline, Result, Run, Table};
}
