//! Typed tables: one row a customer, read from CSV or Parquet or taken from Arrow, and what their columns are.
//!
//! A [`Table`] holds three column types only: numbers (`Float64`), texts (`Dictionary<Int32, Utf8>`) and dates
//! (`Date32`); other Arrow types are turned into these when a table is made. [`TableSchema`] says what each column is
//! for, [`quality`] describes it, and [`TableEncoder`] turns the table into a feature matrix.

mod canonical;
mod column;
mod encoder;
mod quality;
mod read;
mod schema;
mod write;

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::{Field, Schema};
use telseg_core::{Error, Result};

pub use column::{Cell, Column};
pub use encoder::{CategoryEncoding, FeatureKind, Features, TableEncoder, TableEncoderParams};
pub use quality::{ColumnQuality, LevelShare, NumberQuality, quality};
pub use read::{CellNote, CsvOptions, Encoding, ReadReport};
pub use schema::{ColumnSchema, Role, SchemaParams, TableSchema, TargetColumn, TargetSpec};

use canonical::{Canonical, canonical};

/// A table of typed columns, with a report of how it was read.
///
/// # Examples
/// ```
/// use telseg_features::{CsvOptions, Table};
///
/// let csv = b"id,minutes,plan\nA1,12.5,S\nA2,NA,M\n";
/// let table = Table::from_csv_bytes("usage.csv", csv, &CsvOptions::default())?;
/// assert_eq!(table.n_rows(), 2);
/// assert_eq!(table.column_names(), ["id", "minutes", "plan"]);
/// assert_eq!(table.report().n_missing("minutes"), 1);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    batch: RecordBatch,
    report: ReadReport,
}

impl Table {
    /// Reads a file: Parquet or CSV, gzipped or not, told apart by its first bytes.
    ///
    /// # Errors
    /// As [`read_csv`](Self::read_csv) and [`read_parquet`](Self::read_parquet).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if read::is_parquet(path)? {
            Self::read_parquet(path)
        } else {
            Self::read_csv(path)
        }
    }

    /// Reads a CSV file with the default options.
    ///
    /// # Errors
    /// When the file is missing, empty, binary, in another encoding, has a header only, names a column twice, or has a
    /// row with more or fewer fields than the header. Cells that are not of their column's type are no error: they are
    /// read as missing and counted in the [`report`](Self::report).
    ///
    /// # Cost
    /// About three times the file in memory; typing runs in parallel over chunks of rows.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_csv_with(path, &CsvOptions::default())
    }

    /// Reads a CSV file, gzipped or not.
    ///
    /// # Errors
    /// As [`read_csv`](Self::read_csv); invalid options first.
    pub fn read_csv_with(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self> {
        let (batch, report) = read::read_csv(path.as_ref(), options)?;
        Ok(Self { batch, report })
    }

    /// Reads the bytes of a CSV file, gzipped or not; `source` names them in messages.
    ///
    /// # Errors
    /// As [`read_csv_with`](Self::read_csv_with).
    pub fn from_csv_bytes(source: &str, bytes: &[u8], options: &CsvOptions) -> Result<Self> {
        let (batch, report) = read::csv_bytes(source, bytes, options)?;
        Ok(Self { batch, report })
    }

    /// Reads a Parquet file; types as with [`from_batch`](Self::from_batch).
    ///
    /// # Errors
    /// When the file is missing or not a readable Parquet file, or has no rows.
    pub fn read_parquet(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_named_batch(&path.display().to_string(), read::read_parquet(path)?)
    }

    /// Takes a record batch: integers and decimals become numbers, booleans and strings text, timestamps dates (the
    /// report says so), NaN and infinity and blank text missing. Columns of other types are left out, with a note.
    ///
    /// # Errors
    /// When there are no rows or no usable columns, or a column name occurs twice.
    pub fn from_batch(batch: RecordBatch) -> Result<Self> {
        Self::from_named_batch("batch", batch)
    }

    fn from_named_batch(source: &str, batch: RecordBatch) -> Result<Self> {
        let mut report = ReadReport {
            source: source.to_owned(),
            n_rows: batch.num_rows(),
            ..ReadReport::default()
        };
        if batch.num_rows() == 0 {
            return Err(Error::data(source.to_owned(), "no rows"));
        }
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let name = field.name();
            if columns.iter().any(|(n, _)| n == name) {
                return Err(Error::data(
                    source.to_owned(),
                    format!("the column name {name:?} occurs twice; names must differ"),
                ));
            }
            match canonical(array)? {
                Canonical::Kept(array, note) => {
                    report
                        .notes
                        .extend(note.map(|n| format!("column {name}: {n}")));
                    columns.push((name.clone(), array));
                }
                Canonical::LeftOut(reason) => report
                    .notes
                    .push(format!("column {name} left out: {reason}")),
            }
        }
        report.n_columns = columns.len();
        Self::assemble(columns, report)
    }

    fn assemble(columns: Vec<(String, ArrayRef)>, report: ReadReport) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::data(report.source, "no columns"));
        }
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
            .into_iter()
            .map(|(n, a)| (Field::new(n, a.data_type().clone(), true), a))
            .unzip();
        match RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays) {
            Ok(batch) => Ok(Self { batch, report }),
            Err(e) => Err(Error::data(report.source, e.to_string())),
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.batch.num_columns()
    }

    /// Names of the columns, in order.
    pub fn column_names(&self) -> Vec<&str> {
        let fields = self.batch.schema_ref().fields();
        fields.iter().map(|f| f.name().as_str()).collect()
    }

    /// Where the table came from: a file's path, or "batch".
    pub fn source(&self) -> &str {
        &self.report.source
    }

    /// What reading had to decide: the delimiter, missing and bad cells.
    pub fn report(&self) -> &ReadReport {
        &self.report
    }

    /// The Arrow record batch in canonical types.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Whether there is a column of this name.
    pub fn has_column(&self, name: &str) -> bool {
        self.batch.schema_ref().index_of(name).is_ok()
    }

    /// The cells of a column.
    ///
    /// # Errors
    /// When there is no such column; the message lists those that there are.
    pub fn column(&self, name: &str) -> Result<Column<'_>> {
        let at = self.batch.schema_ref().index_of(name);
        let at = at.map_err(|_| self.no_column(name))?;
        Ok(self.column_at(at))
    }

    /// The cells of a column, by its position.
    ///
    /// # Panics
    /// When `index` is not below [`n_columns`](Self::n_columns), as with a slice.
    pub fn column_at(&self, index: usize) -> Column<'_> {
        Column::new(self.batch.column(index))
    }

    /// The numbers of a column (days since 1970-01-01 for dates); NaN is missing.
    ///
    /// # Errors
    /// When there is no such column, or it holds text.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        match self.column(name)? {
            Column::Number(v) | Column::Date(v) => Ok(v),
            Column::Text { .. } => {
                let what = format!("{}, column {name}", self.source());
                Err(Error::data(what, "expected numbers, found text"))
            }
        }
    }

    /// The error that says which columns there are.
    pub(crate) fn no_column(&self, name: &str) -> Error {
        Error::data(
            self.source().to_owned(),
            format!(
                "no column {name:?}; the columns are {}",
                self.column_names().join(", ")
            ),
        )
    }

    /// The given rows, in the given order; a row may be taken more than once.
    ///
    /// # Errors
    /// When a row does not exist.
    pub fn select_rows(&self, rows: &[u32]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&r| r as usize >= self.n_rows()) {
            let found = format!("row {row}");
            return Err(Error::shape(
                "rows",
                format!("rows below {}", self.n_rows()),
                found,
            ));
        }
        let indices = UInt32Array::from(rows.to_vec());
        let batch = arrow_select::take::take_record_batch(&self.batch, &indices)
            .map_err(|e| Error::data(self.source().to_owned(), e.to_string()))?;
        Ok(self.with_batch(batch))
    }

    /// The given columns, in the given order.
    ///
    /// # Errors
    /// When there is no column of a given name.
    pub fn select_columns(&self, names: &[&str]) -> Result<Self> {
        let schema = self.batch.schema();
        let at = names
            .iter()
            .map(|n| schema.index_of(n).map_err(|_| self.no_column(n)))
            .collect::<Result<Vec<usize>>>()?;
        let batch = self
            .batch
            .project(&at)
            .map_err(|e| Error::data(self.source().to_owned(), e.to_string()))?;
        Ok(self.with_batch(batch))
    }

    fn with_batch(&self, batch: RecordBatch) -> Self {
        Self {
            batch,
            report: self.report.clone(),
        }
    }

    /// Adds a column of numbers, or replaces the column of that name; NaN is missing.
    ///
    /// # Errors
    /// When there is not one value for each row.
    pub fn with_numbers(&self, name: &str, values: &[f64]) -> Result<Self> {
        let values = values.iter().map(|v| v.is_finite().then_some(*v));
        self.with_array(name, Arc::new(Float64Array::from_iter(values)))
    }

    /// Adds a column of dates (days since 1970-01-01), or replaces the column of that name; `None` is missing.
    ///
    /// # Errors
    /// When there is not one value for each row.
    pub fn with_dates(&self, name: &str, days: &[Option<i32>]) -> Result<Self> {
        let values = Date32Array::from_iter(days.iter().copied());
        self.with_array(name, Arc::new(values))
    }

    /// Adds a column of text, or replaces the column of that name; blank is missing.
    ///
    /// # Errors
    /// When there is not one value for each row.
    pub fn with_texts<S: AsRef<str>>(&self, name: &str, values: &[S]) -> Result<Self> {
        let array = canonical::texts(values.iter().map(|v| Some(v.as_ref())))?;
        self.with_array(name, array)
    }

    fn with_array(&self, name: &str, array: ArrayRef) -> Result<Self> {
        if array.len() != self.n_rows() {
            let expected = format!("{} values (the table's rows)", self.n_rows());
            return Err(Error::shape(
                format!("column {name}"),
                expected,
                array.len().to_string(),
            ));
        }
        let names = self.column_names().into_iter().map(str::to_owned);
        let mut columns: Vec<(String, ArrayRef)> =
            names.zip(self.batch.columns().iter().cloned()).collect();
        match columns.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = array,
            None => columns.push((name.to_owned(), array)),
        }
        Self::assemble(columns, self.report.clone())
    }

    /// Writes a CSV file: comma, UTF-8, header line, blank for missing. The file appears complete or not at all.
    ///
    /// # Errors
    /// When the system refuses to write.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write::write_csv(self, path.as_ref())
    }
}
