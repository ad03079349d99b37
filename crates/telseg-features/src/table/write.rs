//! Writing tables.

use std::io::Write;
use std::path::Path;

use telseg_core::{Error, Result};

use super::{Column, Table};

/// Writes a CSV file beside `path` and renames it when it is complete.
pub(super) fn write_csv(table: &Table, path: &Path) -> Result<()> {
    let io = |e: std::io::Error| Error::io(path, e);
    let temporary = path.with_file_name(format!(
        ".{}.{}.tmp",
        path.file_name().unwrap_or_default().to_string_lossy(),
        std::process::id()
    ));
    let write = || -> Result<()> {
        let file = std::fs::File::create(&temporary).map_err(io)?;
        let mut out = std::io::BufWriter::with_capacity(1 << 16, file);
        write_to(table, &mut out).map_err(|e| match e.into_kind() {
            csv::ErrorKind::Io(e) => io(e),
            other => Error::data(path.display().to_string(), format!("{other:?}")),
        })?;
        out.flush().map_err(io)?;
        out.get_ref().sync_all().map_err(io)?;
        std::fs::rename(&temporary, path).map_err(io)
    };
    let done = write();
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    done
}

fn write_to(table: &Table, out: &mut impl Write) -> csv::Result<()> {
    use std::fmt::Write as _;
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(table.column_names())?;
    let columns: Vec<Column<'_>> = (0..table.n_columns()).map(|j| table.column_at(j)).collect();
    let mut number = String::new();
    for row in 0..table.n_rows() {
        for column in &columns {
            number.clear();
            match column {
                Column::Number(v) if !v[row].is_nan() => {
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
    writer.flush()?;
    Ok(())
}
