//! Saved models as files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::format::{self, PREFIX, Prefix};
use super::{Artefact, Feature, Header};
use crate::{Error, Result};

/// Saves a model atomically: readers see the old file or the new one, never a part. See [`to_bytes`](super::to_bytes).
///
/// # Errors
/// When the model cannot be turned into bytes, or the system refuses to write.
pub fn save<T: Artefact>(path: impl AsRef<Path>, model: &T, features: &[Feature]) -> Result<()> {
    write_atomic(path, &format::to_bytes(model, features)?)
}

/// Loads a model and its header.
///
/// # Errors
/// [`Error::Io`] when the system refuses to read; [`Error::Artefact`] when the file is not exactly a saved model of this
/// kind, of a version that is known, that holds its invariants.
pub fn load<T: Artefact>(path: impl AsRef<Path>) -> Result<(T, Header)> {
    let path = path.as_ref();
    let what = path.to_string_lossy();
    let refuse = |e| Error::io(path, e);
    let (file, prefix, mut bytes) = open(path)?;
    let header = prefix.header(&what, &bytes[PREFIX..])?;
    // The file's size is held against the header before the body is read: a hostile length costs nothing.
    let size = file.metadata().map_err(refuse)?.len();
    format::check_len(
        &what,
        header.body_len,
        size.saturating_sub(bytes.len() as u64),
    )?;
    (&file)
        .take(header.body_len)
        .read_to_end(&mut bytes)
        .map_err(refuse)?;
    format::read(&what, &bytes)
}

impl Header {
    /// The header of a saved model's file; reads no further than the header.
    ///
    /// # Errors
    /// When the system refuses to read, or the file does not start with an intact header of a known format.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (_, prefix, bytes) = open(path)?;
        prefix.header(&path.to_string_lossy(), &bytes[PREFIX..])
    }
}

/// Opens a file and reads its prefix, and as much of the header as there is.
fn open(path: &Path) -> Result<(File, Prefix, Vec<u8>)> {
    let refuse = |e| Error::io(path, e);
    let file = File::open(path).map_err(refuse)?;
    let mut bytes = Vec::new();
    (&file)
        .take(PREFIX as u64)
        .read_to_end(&mut bytes)
        .map_err(refuse)?;
    let prefix = Prefix::parse(&path.to_string_lossy(), &bytes)?;
    (&file)
        .take(prefix.header_len as u64)
        .read_to_end(&mut bytes)
        .map_err(refuse)?;
    Ok((file, prefix, bytes))
}

/// Writes a file atomically: a temporary file in the same folder, flushed to the disk, then renamed over `path`.
///
/// When anything fails, the temporary file is removed and what was at `path` before is untouched. A symbolic link at
/// `path` is replaced, not followed.
///
/// # Errors
/// [`Error::Io`] with `path` when the system refuses.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let refuse = |e| Error::io(path, e);
    let (mut file, temporary) = create_beside(path).map_err(refuse)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(e) = written {
        // The first failure is the one to tell, not that of cleaning up.
        let _ = fs::remove_file(&temporary);
        return Err(refuse(e));
    }
    sync_folder(&folder(path)).map_err(refuse)
}

/// A new file in the folder of `path`, under a name that nobody else uses.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.{count}.tmp", std::process::id()));
        let temporary = folder(path).join(hidden);
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary);
        match created {
            // Left by a process of the same number that was killed while it wrote.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (file, temporary)),
        }
    }
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes the rename itself last through a loss of power; only Unix lets a folder be flushed.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
