//! Saved models: a header that can be read alone, and a body; checksummed, versioned, written atomically.
//!
//! A model type implements [`Artefact`]; [`save`] and [`load`] do the rest. Loading trusts nothing: a file that is
//! truncated, altered, of another kind, of a newer version or made to do harm is an [`Error::Artefact`] that names the
//! file, what was expected and what was found, never a panic and never a wrong model.
//!
//! # Format 1
//! All numbers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..8 | magic: `\x89telseg\n` (not text; a newline that text-mode transfers would break) |
//! | 8..12 | format version, `u32` |
//! | 12..16 | length of the header in bytes, `u32`, at most 16 MiB |
//! | 16..24 | length of the body in bytes, `u64` |
//! | 24..28 | CRC-32 of the body |
//! | 28..32 | CRC-32 of bytes 0..28 and the header (so the two sums together cover every byte) |
//! | then | the header: kind, version of the kind, crate version, features, as postcard |
//! | then | the body: the model, as postcard; nothing follows |
//!
//! The sums find accidents. They are no signature: whoever can write the file can make them fit, so what a sum does
//! not find, [`Artefact::validate`] must.
//!
//! # What a hostile file can make loading allocate
//! A file is read only as far as its own (checked) lengths say, and these must agree with the file's size. Within the
//! body, postcard passes a sequence's length on as a hint only when that many bytes are left, and serde's collections
//! reserve at most 1 MiB on a hint: a length of 2⁶⁰ is an error at the end of the bytes, not an allocation. As every
//! element takes at least one byte, memory stays below the body's length times the size of the largest element type.
//! This holds for model types that
//! - hold no sequence of zero-sized elements (`Vec<()>`: its length would be counted out without using up bytes), and
//! - are not recursive (`Box<Node>` in a `Node`: the depth of the stack would be the file's to choose); trees are flat
//!   arrays with indices here;
//! - and, to give the same bytes for the same model, hold ordered maps (`BTreeMap`), not hashed ones.
//!
//! An `ndarray` array whose shape and data disagree is refused by its own deserialisation; a shape with a zero in it
//! may claim any other length, so compare shapes with each other in `validate`.
//!
//! # Examples
//! ```
//! use serde::{Deserialize, Serialize};
//! use telseg_core::artefact::{self, Artefact, Feature};
//! use telseg_core::{Error, Result};
//!
//! /// Churn is expected when fewer minutes a day than this are used.
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Threshold {
//!     minutes: f64,
//! }
//!
//! impl Artefact for Threshold {
//!     const KIND: &'static str = "threshold";
//!     const VERSION: u32 = 1;
//!
//!     fn validate(&self) -> Result<()> {
//!         if self.minutes.is_finite() {
//!             return Ok(());
//!         }
//!         Err(Error::data("minutes", "must be finite"))
//!     }
//! }
//!
//! let bytes = artefact::to_bytes(&Threshold { minutes: 4.5 }, &[Feature::numeric("minutes_per_day")])?;
//! let (model, header) = artefact::from_bytes::<Threshold>(&bytes)?;
//! assert_eq!(model.minutes, 4.5);
//! assert_eq!(header.features[0].name, "minutes_per_day");
//!
//! let mut damaged = bytes.clone();
//! *damaged.last_mut().expect("not empty") ^= 1;
//! let error = artefact::from_bytes::<Threshold>(&damaged).unwrap_err();
//! assert!(error.to_string().starts_with("saved model: expected checksum "));
//! # Ok::<(), Error>(())
//! ```

mod file;
mod format;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use file::{load, save, write_atomic};
pub use format::{decode, from_bytes, to_bytes};

use crate::trees::TreeEnsemble;
use crate::{Error, Result};

/// A model that can be saved and loaded.
pub trait Artefact: Serialize + DeserializeOwned {
    /// What kind of model it is, as the header says it: `"kmeans"`. Never changes once released.
    const KIND: &'static str;

    /// Version of the body of this kind, counted from 1; goes up whenever the serialised fields change.
    const VERSION: u32;

    /// For a model that is generic over its numbers: `Some(F::NAME)`. It becomes part of the kind (`kmeans<f32>`), so
    /// that one width is never read as the other.
    const SCALAR: Option<&'static str> = None;

    /// Checks every invariant that the other methods rely on: indices in range, lengths that agree, finite numbers.
    /// Called after loading (where the fields may hold anything) and before saving.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    fn validate(&self) -> Result<()>;

    /// Number of columns that the model takes, when the header's features should be held against it.
    fn n_features(&self) -> Option<usize> {
        None
    }

    /// Reads the body of an older version, for kinds that still can: [`decode`] the old form and convert it.
    ///
    /// # Errors
    /// When that version cannot be read any more; this is the default.
    fn from_older(version: u32, body: &[u8]) -> Result<Self> {
        let _ = body;
        let expected = Self::VERSION;
        let problem = format!("expected version {expected}, found the older version {version}");
        Err(Error::artefact(Self::KIND, problem))
    }
}

/// A column that a model was fitted on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// What its cells mean.
    pub kind: FeatureKind,
}

/// What the cells of a column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FeatureKind {
    /// A quantity or a rank.
    Numeric,
    /// The code of a level; codes have no order.
    Categorical,
}

impl Feature {
    /// A column of quantities.
    pub fn numeric(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: FeatureKind::Numeric,
        }
    }

    /// A column of level codes.
    pub fn categorical(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: FeatureKind::Categorical,
        }
    }
}

/// What a saved model says of itself; can be read without the model's type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Version of the file format.
    pub format: u32,
    /// Kind of the model, with the width of its numbers where that varies: `trees`, `kmeans<f32>`.
    pub kind: String,
    /// Version of the body of that kind.
    pub version: u32,
    /// Version of telseg that wrote the file.
    pub crate_version: String,
    /// The columns that the model was fitted on, in order; empty when their names were not known.
    pub features: Vec<Feature>,
    /// Length of the body, bytes.
    pub body_len: u64,
    /// CRC-32 of the body.
    pub checksum: u32,
}

impl Artefact for TreeEnsemble {
    const KIND: &'static str = "trees";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.n_features())
    }
}
