//! Writing tables.

use std::fmt::Write as _;
use std::path::Path;

use telseg_core::{Error, Result, artefact};

use super::{Column, Table};

/// Writes a CSV file beside `path` and renames it when it is complete.
pub(super) fn write_csv(table: &Table, path: &Path) -> Result<()> {
    let text = to_csv(table)
        .map_err(|e| Error::data(path.display().to_string(), format!("not written: {e}")))?;
    artefact::write_atomic(path, &text)
}

fn to_csv(table: &Table) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.column_names())?;
    let columns: Vec<Column<'_>> = (0..table.n_columns()).map(|j| table.column_at(j)).collect();
    let mut number = String::new();
    for row in 0..table.n_rows() {
        for column in &columns {
            match column {
                Column::Number(v) if !v[row].is_nan() => {
                    number.clear();
                    let _ = write!(number, "{}", v[row]);
                    writer.write_field(&number)?;
                }
                Column::Date(v) if !v[row].is_nan() => {
                    writer.write_field(super::column::date_text(v[row] as i64))?;
                }
                Column::Text { codes, levels } if codes[row] >= 0 => {
                    writer.write_field(levels[codes[row] as usize])?;
                }
                _ => writer.write_field("")?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))
}
