//! XGBoost's JSON and UBJSON files.
//!
//! | what | read | written |
//! | --- | --- | --- |
//! | numeric splits (`x < t` in `f32`), missing values | all | all |
//! | splits by sets of levels | all | all |
//! | several classes, several targets, parallel trees, dropped trees (dart) | all | one tree an output and round |
//! | trees with vector leaves (`multi_output_tree`) | all | one tree an output |
//! | objectives | their link; one that is not known is an error | the simplest objective with the same link |
//! | `gblinear`, the binary format of before 1.0 | an error | – |
//!
//! XGBoost adds `f32`, telseg `f64`: predictions agree to about 1e-6. Codes of levels are whole numbers here; XGBoost cuts
//! fractions off. Levels that XGBoost itself coded (of a data frame) have the codes that it gave them in training.

mod document;
mod read;
mod schema;
mod ubjson;
mod write;

use std::path::Path;

use telseg_core::Result;
use telseg_core::artefact::write_atomic;

use super::{TreeModel, read_file};

pub use read::from_bytes;
pub use write::{to_json, to_ubjson};

/// Reads a model from a file, JSON or UBJSON.
///
/// # Errors
/// When the file cannot be read or is not a model that is supported; see [`from_bytes`].
pub fn load(path: impl AsRef<Path>) -> Result<TreeModel> {
    let path = path.as_ref();
    read::read(&path.to_string_lossy(), &read_file(path)?)
}

/// Writes a model to a file, atomically: JSON when the name ends in `.json`, else UBJSON.
///
/// # Errors
/// When the model cannot be said in this format (see [`to_json`]) or the file cannot be written.
pub fn save(model: &TreeModel, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    match path.extension() {
        Some(end) if end == "json" => write_atomic(path, to_json(model)?.as_bytes()),
        _ => write_atomic(path, &to_ubjson(model)?),
    }
}
