//! What reading a file had to decide or leave out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Cells of one column that were read as missing: how many, and the first of them as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellNote {
    /// Name of the column.
    pub column: String,
    /// Number of such cells.
    pub count: usize,
    /// Data row of the first of them, counted from 1 (the header is not counted).
    pub row: usize,
    /// Its text, untrimmed.
    pub text: String,
    /// What the column holds otherwise: "number" or "date".
    pub expected: String,
}

/// What reading a file had to decide: a sentence a line when printed.
///
/// Rows are data rows counted from 1: the header is not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadReport {
    /// Where the table came from.
    pub source: String,
    /// Number of data rows.
    pub n_rows: usize,
    /// Number of columns.
    pub n_columns: usize,
    /// The delimiter of a CSV file.
    pub delimiter: Option<char>,
    /// Whether the delimiter was found out rather than given.
    pub delimiter_guessed: bool,
    /// Missing cells of each column that has some (blank, `NA` and the like).
    pub missing: Vec<CellNote>,
    /// Cells of number and date columns that are neither: read as missing.
    pub bad: Vec<CellNote>,
    /// Anything else worth knowing, a sentence each.
    pub notes: Vec<String>,
}

impl ReadReport {
    /// Number of missing cells of a column as read, without its bad cells.
    pub fn n_missing(&self, column: &str) -> usize {
        count(&self.missing, column)
    }

    /// Number of cells of a column that were neither missing nor of the column's type.
    pub fn n_bad(&self, column: &str) -> usize {
        count(&self.bad, column)
    }

    /// One sentence for each column with bad cells.
    pub fn bad_sentences(&self) -> impl Iterator<Item = String> + '_ {
        self.bad.iter().map(|b| {
            format!(
                "{}, row {}, column {}: {:?} is not a {} ({} such {}; read as missing)",
                self.source,
                b.row,
                b.column,
                b.text,
                b.expected,
                b.count,
                if b.count == 1 { "cell" } else { "cells" }
            )
        })
    }

    /// One sentence for each column with missing cells.
    pub fn missing_sentences(&self) -> impl Iterator<Item = String> + '_ {
        self.missing.iter().map(|m| {
            format!(
                "{}, column {}: {} missing {} (first in row {}: {:?})",
                self.source,
                m.column,
                m.count,
                if m.count == 1 { "cell" } else { "cells" },
                m.row,
                m.text
            )
        })
    }
}

fn count(notes: &[CellNote], column: &str) -> usize {
    notes
        .iter()
        .find(|n| n.column == column)
        .map_or(0, |n| n.count)
}

impl fmt::Display for ReadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} rows, {} columns",
            self.source, self.n_rows, self.n_columns
        )?;
        if let (Some(d), true) = (self.delimiter, self.delimiter_guessed) {
            write!(f, " (delimiter found: {d:?})")?;
        }
        for line in self.bad_sentences().chain(self.missing_sentences()) {
            write!(f, "\n{line}")?;
        }
        self.notes
            .iter()
            .try_for_each(|n| write!(f, "\n{}: {n}", self.source))
    }
}
