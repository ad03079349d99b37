//! The simulated operator that an example asks for.

use std::path::Path;

use telseg::Result;
use telseg::sim::WorldConfig;

/// The world of a file, or the default one; `n_subscribers` changes its size.
///
/// # Errors
/// When the file is not there, or is not a world; the message names the field.
pub fn world(file: Option<&Path>, n_subscribers: Option<u32>) -> Result<WorldConfig> {
    let config = match file {
        Some(file) => WorldConfig::from_json_file(file)?,
        None => WorldConfig::default(),
    };
    Ok(match n_subscribers {
        Some(n) => config.with_n_subscribers(n),
        None => config,
    })
}
