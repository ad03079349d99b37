//! The simulated operator that an example asks for.

use std::path::Path;

use telseg::Result;
use telseg::sim::WorldConfig;

/// Subscribers of the default world.
const SUBSCRIBERS: usize = 50_000;

/// The world of a file, or the default one with 50,000 subscribers; `n_subscribers` changes its size.
///
/// # Errors
/// When the file is not there, or is not a world; the message names the field.
pub fn world(file: Option<&Path>, n_subscribers: Option<usize>) -> Result<WorldConfig> {
    let config = match file {
        Some(file) => WorldConfig::from_json_file(file)?,
        None => WorldConfig::default().with_n_subscribers(SUBSCRIBERS),
    };
    Ok(match n_subscribers {
        Some(n) => config.with_n_subscribers(n),
        None => config,
    })
}
