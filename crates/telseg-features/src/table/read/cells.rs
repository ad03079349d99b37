//! Splitting CSV text into cells.

use csv::{ByteRecord, ReaderBuilder};
use telseg_core::{Error, Result};

use super::options::{CsvOptions, DELIMITERS};

/// Rows of one chunk: the unit of parallel parsing.
const CHUNK_ROWS: usize = 8192;
/// Lines that are looked at to find the delimiter.
const PROBE_ROWS: usize = 64;

/// The cells of a file, in chunks of rows.
pub(super) struct Cells {
    pub(super) names: Vec<String>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) n_rows: usize,
    pub(super) delimiter: char,
    pub(super) notes: Vec<String>,
}

/// Consecutive rows: their cells' bytes one after the other, and where each ends.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) n_rows: usize,
    n_columns: usize,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Chunk {
    /// The cell as it stands in the file, without its quotes.
    pub(super) fn cell(&self, row: usize, column: usize) -> &[u8] {
        let at = row * self.n_columns + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    fn push(&mut self, record: &ByteRecord) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record.as_slice());
        let mut end = start;
        self.ends.extend(record.iter().map(|field| {
            end += field.len();
            end
        }));
        self.n_rows += 1;
    }
}

fn reader<'a>(text: &'a str, delimiter: char, options: &CsvOptions) -> csv::Reader<&'a [u8]> {
    let mut builder = ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8);
    match options.quote {
        Some(quote) => builder.quote(quote as u8),
        None => builder.quoting(false),
    };
    builder.from_reader(text.as_bytes())
}

/// The delimiter that splits the first lines into the most fields, the same number in each line.
fn find_delimiter(text: &str, options: &CsvOptions) -> char {
    let mut best = (0, DELIMITERS[0]);
    for delimiter in DELIMITERS {
        let (mut record, mut widths) = (ByteRecord::new(), Vec::new());
        let mut reader = reader(text, delimiter, options);
        while widths.len() < PROBE_ROWS && reader.read_byte_record(&mut record).unwrap_or(false) {
            widths.push(record.len());
        }
        let width = widths.first().copied().unwrap_or(0);
        let same = widths.iter().filter(|&&w| w == width).count();
        // An agreeing line counts by its fields; a delimiter that never occurs scores one a line.
        let score = if width > 1 { same * (width + 1) } else { same };
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

/// Splits a whole file; checks its header and that all rows are as wide.
pub(super) fn split(name: &str, text: &str, options: &CsvOptions) -> Result<Cells> {
    let delimiter = options
        .delimiter
        .unwrap_or_else(|| find_delimiter(text, options));
    let mut reader = reader(text, delimiter, options);
    let mut record = ByteRecord::new();
    let mut notes = Vec::new();
    let failed = |e: csv::Error| Error::data(name.to_owned(), e.to_string());
    let (names, given) = match &options.names {
        Some(names) => (names.clone(), true),
        None => {
            if !reader.read_byte_record(&mut record).map_err(failed)? {
                return Err(Error::data(name.to_owned(), "the file is empty"));
            }
            (header(&record, &mut notes), false)
        }
    };
    check_names(name, &names, delimiter)?;
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut n_rows = 0;
    while reader.read_byte_record(&mut record).map_err(failed)? {
        let blank = record.len() == 1 && record[0].trim_ascii().is_empty();
        if blank && names.len() > 1 {
            continue;
        }
        n_rows += 1;
        if record.len() != names.len() {
            return Err(ragged(name, &record, n_rows, names.len(), given));
        }
        if chunks.last().is_none_or(|c| c.n_rows == CHUNK_ROWS) {
            chunks.push(Chunk {
                n_columns: names.len(),
                ..Chunk::default()
            });
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(&record);
        }
    }
    if n_rows == 0 {
        let problem = if given {
            "the file is empty"
        } else {
            "a header and no data rows"
        };
        return Err(Error::data(name.to_owned(), problem));
    }
    Ok(Cells {
        names,
        chunks,
        n_rows,
        delimiter,
        notes,
    })
}

fn header(record: &ByteRecord, notes: &mut Vec<String>) -> Vec<String> {
    let mut names = Vec::with_capacity(record.len());
    for (i, field) in record.iter().enumerate() {
        let text = String::from_utf8_lossy(field).trim().to_owned();
        if text.is_empty() {
            notes.push(format!(
                "column {} has no name; called column_{}",
                i + 1,
                i + 1
            ));
            names.push(format!("column_{}", i + 1));
        } else {
            names.push(text);
        }
    }
    names
}

/// Delimiters that are not tried, because texts hold them, but that explain a file of one column.
const UNUSUAL: [char; 5] = ['^', '~', ':', '\u{1}', '\u{1f}'];

fn check_names(file: &str, names: &[String], delimiter: char) -> Result<()> {
    let fail = |problem: String| Err(Error::data(file.to_owned(), problem));
    if let [only] = names
        && let Some(found) = DELIMITERS
            .iter()
            .chain(&UNUSUAL)
            .find(|&&d| d != delimiter && only.contains(d))
    {
        return fail(format!(
            "one column named {only:?} when split at {delimiter:?}; the delimiter may be {found:?}"
        ));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|w| w[0] == w[1]) {
        Some(twice) => {
            let at = |n: &&String| names.iter().enumerate().filter(|(_, m)| m == n).count();
            fail(format!(
                "the column name {:?} occurs {} times; names must differ",
                twice[0],
                at(&twice[0])
            ))
        }
        None => Ok(()),
    }
}

fn ragged(name: &str, record: &ByteRecord, row: usize, width: usize, given: bool) -> Error {
    let line = record.position().map_or(0, |p| p.line());
    let what = if given {
        "as the names given"
    } else {
        "as in the header"
    };
    let hint = if record.iter().any(|f| f.contains(&b'\n')) {
        "; a quote that is never closed may be the cause"
    } else {
        ""
    };
    Error::data(
        format!("{name}, row {row} (line {line})"),
        format!(
            "expected {width} fields ({what}), found {}{hint}",
            record.len()
        ),
    )
}
