//! Reading tables: CSV (plain or gzipped) and Parquet.

mod cells;
mod options;
mod parquet;
pub(crate) mod parse;
mod report;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use telseg_core::{Error, Result};

pub use options::{CsvOptions, Encoding};
pub(super) use parquet::read_parquet;
pub use report::{CellNote, ReadReport};

const GZIP: &[u8] = &[0x1f, 0x8b];
const PARQUET: &[u8] = b"PAR1";

/// Whether a file begins as a Parquet file does.
pub(super) fn is_parquet(path: &Path) -> Result<bool> {
    let mut start = [0; 4];
    let mut file = fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let n = file.read(&mut start).map_err(|e| Error::io(path, e))?;
    Ok(&start[..n] == PARQUET)
}

/// Reads a CSV file, gzipped or not.
pub(super) fn read_csv(path: &Path, options: &CsvOptions) -> Result<(RecordBatch, ReadReport)> {
    options.validate()?;
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    csv_bytes(&path.display().to_string(), &bytes, options)
}

/// Reads the bytes of a CSV file, gzipped or not.
pub(super) fn csv_bytes(
    name: &str,
    bytes: &[u8],
    options: &CsvOptions,
) -> Result<(RecordBatch, ReadReport)> {
    options.validate()?;
    let unpacked;
    let bytes = if bytes.starts_with(GZIP) {
        let mut out = Vec::with_capacity(bytes.len() * 4);
        flate2::read::MultiGzDecoder::new(bytes)
            .read_to_end(&mut out)
            .map_err(|e| Error::data(name.to_owned(), format!("cannot be unpacked: {e}")))?;
        unpacked = out;
        &unpacked[..]
    } else {
        bytes
    };
    let text = decode(name, bytes, options.encoding)?;
    let cells = cells::split(name, &text, options)?;
    let mut report = ReadReport {
        source: name.to_owned(),
        n_rows: cells.n_rows,
        n_columns: cells.names.len(),
        delimiter: Some(cells.delimiter),
        delimiter_guessed: options.delimiter.is_none(),
        notes: cells.notes.clone(),
        ..ReadReport::default()
    };
    let mut fields = Vec::with_capacity(cells.names.len());
    let mut arrays = Vec::with_capacity(cells.names.len());
    for (name, column) in cells.names.iter().zip(parse::parse(&cells, options)?) {
        fields.push(Field::new(name, column.array.data_type().clone(), true));
        arrays.push(column.array);
        report.missing.extend(column.missing);
        report.bad.extend(column.bad);
        report.notes.extend(column.note);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|e| Error::data(name.to_owned(), e.to_string()))?;
    Ok((batch, report))
}

/// Text of a file, without byte order mark; what is not text is an error.
fn decode<'a>(
    name: &str,
    bytes: &'a [u8],
    encoding: Encoding,
) -> Result<std::borrow::Cow<'a, str>> {
    let fail = |problem: String| Err(Error::data(name.to_owned(), problem));
    if bytes.is_empty() {
        return fail("the file is empty".into());
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return fail("the file is UTF-16; save it as UTF-8".into());
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return fail("this is a zip archive or a spreadsheet; unpack it or save it as CSV".into());
    }
    if bytes.starts_with(PARQUET) {
        return fail("this is a Parquet file; use read or read_parquet".into());
    }
    if let Some(at) = bytes.iter().position(|&b| b == 0) {
        return fail(format!("not a text file: it has a NUL byte at offset {at}"));
    }
    if encoding == Encoding::Latin1 {
        return Ok(bytes.iter().map(|&b| char::from(b)).collect());
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => fail("the file is empty".into()),
        Ok(text) => Ok(text.into()),
        Err(e) => {
            let at = e.valid_up_to();
            let line = bytes[..at].iter().filter(|&&b| b == b'\n').count() + 1;
            fail(format!(
                "not UTF-8: byte 0x{:02x} in line {line}; if it is Latin-1, say so in CsvOptions::encoding",
                bytes[at]
            ))
        }
    }
}
