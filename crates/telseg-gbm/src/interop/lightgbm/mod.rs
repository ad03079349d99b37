//! LightGBM's text files.
//!
//! | what | read | written |
//! | --- | --- | --- |
//! | numeric splits, missing type None, Zero, NaN | all | NaN; Zero where zeros go with missing values |
//! | splits by sets of levels | all | all; missing values that go left by an extra question |
//! | several classes, `average_output`, `shrinkage` | all | leaves hold their final values |
//! | objectives | their link; one that is not known is an error | the simplest objective with the same link |
//! | linear leaves | an error | – |
//!
//! LightGBM compares in `f64`. Thresholds are rounded down to `f32`, so that every `f32` value goes the same way as there; values within 1e-35 of 0 are 0 to LightGBM.
//! Codes of levels are whole numbers here; LightGBM cuts fractions off.

mod read;
mod write;

use std::path::Path;

use telseg_core::artefact::write_atomic;
use telseg_core::{Error, Result};

use super::{TreeModel, read_file};

pub use read::from_text;
pub use write::to_text;

/// Reads a model from a file.
///
/// # Errors
/// When the file cannot be read or is not a model that is supported; see [`from_text`].
pub fn load(path: impl AsRef<Path>) -> Result<TreeModel> {
    let path = path.as_ref();
    let name = path.to_string_lossy();
    let text = String::from_utf8(read_file(path)?)
        .map_err(|e| Error::artefact(name.to_string(), format!("is not text: {e}")))?;
    read::read(&name, &text)
}

/// Writes a model to a file, atomically.
///
/// # Errors
/// When the model cannot be said in this format (see [`to_text`]) or the file cannot be written.
pub fn save(model: &TreeModel, path: impl AsRef<Path>) -> Result<()> {
    write_atomic(path, to_text(model)?.as_bytes())
}
