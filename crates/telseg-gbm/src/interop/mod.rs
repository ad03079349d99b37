//! Models of other libraries, read and written.
//!
//! A [`TreeModel`] is what all of them have in common: the trees, the link from scores to predictions, the names of the
//! columns. It is read from a LightGBM text file ([`lightgbm`]), made from a [`Gbm`](crate::Gbm), explained through
//! [`TreeModel::trees`], and written in any of the formats.
//!
//! # What files may do
//! Nothing in a file is trusted: what is truncated, contradicts itself or is not supported is an error that names the
//! place. Reading allocates in proportion to the file, and at most 256 MiB for sets of levels.

mod link;
mod model;
mod nodes;
mod rewrite;

pub mod lightgbm;
pub mod onnx;
pub mod xgboost;

pub use link::Link;
pub use model::TreeModel;

use telseg_core::{Error, Result};

/// Most words of 64 levels that the sets of a model may take: 256 MiB.
const MOST_SET_WORDS: usize = 1 << 25;

/// Counts the words that sets of levels take, and refuses more than [`MOST_SET_WORDS`].
#[derive(Debug, Default)]
struct SetBudget(usize);

impl SetBudget {
    fn take(&mut self, codes: &[u32]) -> Result<(), String> {
        self.0 += codes.iter().max().map_or(0, |&top| top as usize / 64 + 1);
        if self.0 <= MOST_SET_WORDS {
            return Ok(());
        }
        Err("the sets of levels of this model take more than 256 MiB".into())
    }
}

/// The bytes of a file.
fn read_file(path: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::io(path, e))
}
