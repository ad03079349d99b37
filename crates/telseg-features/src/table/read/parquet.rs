//! Parquet files.

use std::fs::File;
use std::path::Path;

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use telseg_core::{Error, Result};

/// Reads all row groups of a Parquet file into one batch, types as they are in the file.
pub(in crate::table) fn read_parquet(path: &Path) -> Result<RecordBatch> {
    let failed = |e: &dyn std::fmt::Display| {
        let problem = format!("not a readable Parquet file: {e}");
        Error::data(path.display().to_string(), problem)
    };
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| failed(&e))?;
    let schema = builder.schema().clone();
    let reader = builder.build().map_err(|e| failed(&e))?;
    let batches = reader
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| failed(&e))?;
    arrow_select::concat::concat_batches(&schema, &batches).map_err(|e| failed(&e))
}
