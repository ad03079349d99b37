//! Bytes of a saved model: how they are written, and how they are read without trust.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Artefact, Feature, Header};
use crate::{Error, Result};

/// The first bytes of every saved model.
const MAGIC: [u8; 8] = *b"\x89telseg\n";
/// The newest format; older ones are read for ever.
const FORMAT: u32 = 1;
/// Length of what stands before the header.
pub(super) const PREFIX: usize = 32;
/// Longest header that is written or read.
const MAX_HEADER: usize = 16 << 20;
/// What a model is called when it does not come from a file.
const NAMELESS: &str = "saved model";

/// The part of the header that is serialised.
#[derive(Serialize, Deserialize)]
struct HeaderBody {
    kind: String,
    version: u32,
    crate_version: String,
    features: Vec<Feature>,
}

/// The fixed numbers before the header.
pub(super) struct Prefix {
    bytes: [u8; PREFIX],
    pub(super) header_len: usize,
    pub(super) body_len: u64,
}

/// The bytes of a saved model. `features` names the columns in order; empty when names are not known.
///
/// # Errors
/// When the model's own invariants do not hold, or `features` are not as many as the model's columns.
pub fn to_bytes<T: Artefact>(model: &T, features: &[Feature]) -> Result<Vec<u8>> {
    model.validate()?;
    check_width("features", model, features)?;
    let refuse = |part, e| Error::artefact(kind::<T>(), format!("its {part} has no bytes: {e}"));
    let header = HeaderBody {
        kind: kind::<T>(),
        version: T::VERSION,
        crate_version: env!("CARGO_PKG_VERSION").into(),
        features: features.to_vec(),
    };
    let header = postcard::to_stdvec(&header).map_err(|e| refuse("header", e))?;
    if header.len() > MAX_HEADER {
        let found = format!("{} bytes", header.len());
        let expected = format!("a header of at most {MAX_HEADER} bytes");
        return Err(Error::shape("features", expected, found));
    }
    let body = postcard::to_stdvec(model).map_err(|e| refuse("body", e))?;
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + body.len());
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(crc32fast::hash(&body).to_le_bytes());
    let sum = header_sum(&bytes, &header);
    bytes.extend(sum.to_le_bytes());
    bytes.extend(header);
    bytes.extend(body);
    Ok(bytes)
}

/// The model in `bytes`, and its header.
///
/// # Errors
/// [`Error::Artefact`] when the bytes are not exactly a saved model of this kind, of a version that is known, that
/// holds its invariants.
pub fn from_bytes<T: Artefact>(bytes: &[u8]) -> Result<(T, Header)> {
    read(NAMELESS, bytes)
}

/// One value of exactly these bytes, as bodies are encoded; for [`Artefact::from_older`].
///
/// # Errors
/// When the bytes are too few, too many or not such a value.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    decode_part("body", body)
}

fn decode_part<T: DeserializeOwned>(part: &'static str, bytes: &[u8]) -> Result<T> {
    let problem = match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => return Ok(value),
        Ok((_, rest)) => format!(
            "expected {} bytes, found {}",
            bytes.len() - rest.len(),
            bytes.len()
        ),
        Err(e) => format!("cannot be decoded: {e}"),
    };
    Err(Error::artefact(part, problem))
}

impl Header {
    /// The header of a saved model, without reading its body. Bytes after the header may be missing.
    ///
    /// # Errors
    /// When the bytes do not start with the header of a saved model of a known format, or it is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(split(NAMELESS, bytes)?.0)
    }
}

/// Reads a whole model; `what` names it in errors.
pub(super) fn read<T: Artefact>(what: &str, bytes: &[u8]) -> Result<(T, Header)> {
    let (header, body) = split(what, bytes)?;
    let refuse = |problem| Err(Error::artefact(what.to_owned(), problem));
    if header.kind != kind::<T>() {
        return refuse(format!(
            "expected a model of kind {:?}, found {:?}",
            kind::<T>(),
            header.kind
        ));
    }
    if header.version > T::VERSION || header.version == 0 {
        return refuse(format!(
            "expected version 1 to {} of kind {:?}, found version {} (written by telseg {})",
            T::VERSION,
            header.kind,
            header.version,
            header.crate_version
        ));
    }
    check_len(what, header.body_len, body.len() as u64)?;
    check_sum(what, "body", header.checksum, crc32fast::hash(body))?;
    let model = if header.version == T::VERSION {
        decode(body)
    } else {
        T::from_older(header.version, body)
    };
    let checked = model.and_then(|model: T| {
        model.validate()?;
        check_width("header", &model, &header.features)?;
        Ok(model)
    });
    match checked {
        Ok(model) => Ok((model, header)),
        Err(e) => refuse(e.to_string()),
    }
}

/// Checks that as many bytes follow the header as it announces.
pub(super) fn check_len(what: &str, expected: u64, found: u64) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let cause = if found < expected {
        "it is truncated"
    } else {
        "bytes follow its end"
    };
    let problem = format!("expected {expected} bytes after the header, found {found}: {cause}");
    Err(Error::artefact(what.to_owned(), problem))
}

/// The header and what follows it.
fn split<'a>(what: &str, bytes: &'a [u8]) -> Result<(Header, &'a [u8])> {
    let prefix = Prefix::parse(what, bytes)?;
    let rest = &bytes[PREFIX..];
    let header = prefix.header(what, &rest[..prefix.header_len.min(rest.len())])?;
    Ok((header, &rest[prefix.header_len..]))
}

impl Prefix {
    /// The numbers at the start of `bytes`.
    pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        let refuse = |problem| Err(Error::artefact(what.to_owned(), problem));
        let shown = &bytes[..bytes.len().min(MAGIC.len())];
        if shown != &MAGIC[..shown.len()] || shown.is_empty() {
            return refuse(format!(
                "expected a saved telseg model (first bytes {MAGIC:02x?}), found {shown:02x?}"
            ));
        }
        let Some(bytes) = bytes.first_chunk::<PREFIX>() else {
            let found = bytes.len();
            return refuse(format!(
                "expected at least {PREFIX} bytes, found {found}: it is truncated"
            ));
        };
        let format = word(bytes, 8);
        if format == 0 || format > FORMAT {
            return refuse(format!(
                "expected file format 1 to {FORMAT}, found {format}: a newer telseg may read it"
            ));
        }
        let header_len = word(bytes, 12) as usize;
        if header_len > MAX_HEADER {
            return refuse(format!(
                "expected a header of at most {MAX_HEADER} bytes, found {header_len}"
            ));
        }
        Ok(Self {
            bytes: *bytes,
            header_len,
            body_len: u64::from(word(bytes, 16)) | u64::from(word(bytes, 20)) << 32,
        })
    }

    /// The header from its serialised part.
    pub(super) fn header(&self, what: &str, header: &[u8]) -> Result<Header> {
        if header.len() != self.header_len {
            let problem = format!(
                "expected a header of {} bytes, found {}: it is truncated",
                self.header_len,
                header.len()
            );
            return Err(Error::artefact(what.to_owned(), problem));
        }
        let sum = header_sum(&self.bytes[..PREFIX - 4], header);
        check_sum(what, "header", word(&self.bytes, PREFIX - 4), sum)?;
        let body: HeaderBody = decode_part("header", header)
            .map_err(|e| Error::artefact(what.to_owned(), e.to_string()))?;
        Ok(Header {
            format: word(&self.bytes, 8),
            kind: body.kind,
            version: body.version,
            crate_version: body.crate_version,
            features: body.features,
            body_len: self.body_len,
            checksum: word(&self.bytes, 24),
        })
    }
}

fn word(bytes: &[u8; PREFIX], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn kind<T: Artefact>() -> String {
    match T::SCALAR {
        Some(scalar) => format!("{}<{scalar}>", T::KIND),
        None => T::KIND.to_owned(),
    }
}

fn header_sum(prefix: &[u8], header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(prefix);
    hasher.update(header);
    hasher.finalize()
}

fn check_sum(what: &str, part: &str, expected: u32, found: u32) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let problem =
        format!("expected checksum {expected:08x} of its {part}, found {found:08x}: it is damaged");
    Err(Error::artefact(what.to_owned(), problem))
}

fn check_width<T: Artefact>(what: &'static str, model: &T, features: &[Feature]) -> Result<()> {
    match model.n_features() {
        Some(n) if !features.is_empty() && features.len() != n => {
            let expected = format!("{n} features (columns of the model)");
            Err(Error::shape(what, expected, features.len().to_string()))
        }
        _ => Ok(()),
    }
}
