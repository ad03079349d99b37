#![doc = include_str!("../README.md")]

mod shap;
mod stats;

pub use shap::{
    Dependence, DependenceBin, FeatureImportance, TreeShap, dependence, importance,
};
