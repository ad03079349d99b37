//! ONNX files, which onnxruntime and its kin run.
//!
//! Trees become one operator, links operators of the standard set. A model without sets of levels needs
//! `TreeEnsembleRegressor` of `ai.onnx.ml` 3, which every runtime has; one with sets needs `TreeEnsemble` of version 5,
//! whose members of a set are one question (onnxruntime 1.20 or later).
//!
//! | name | what |
//! | --- | --- |
//! | `input` | `f32`, rows by columns: missing values NaN, levels as whole numbers |
//! | `scores` | `f32`, rows by outputs: before the link |
//! | `predictions` | `f32`, rows by outputs: probabilities or values |
//!
//! Scores are added in `f64`. The names of the columns are in the metadata, under `feature_names`, as JSON.

mod graph;
mod proto;
mod trees;

use std::path::Path;

use telseg_core::artefact::write_atomic;
use telseg_core::{Error, Result};

use super::TreeModel;

/// The bytes of a model as an ONNX file.
///
/// # Errors
/// When the model has no columns, or a tree would need more than 1,048,576 nodes.
pub fn to_bytes(model: &TreeModel) -> Result<Vec<u8>> {
    if model.trees().n_features() == 0 {
        return Err(Error::data("model", "ONNX needs at least one column"));
    }
    graph::model(model).map_err(|problem| Error::data("model", problem))
}

/// Writes a model to an ONNX file, atomically.
///
/// # Errors
/// As [`to_bytes`], or when the file cannot be written.
pub fn save(model: &TreeModel, path: impl AsRef<Path>) -> Result<()> {
    write_atomic(path, &to_bytes(model)?)
}
