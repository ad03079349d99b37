//! How a table is summarised: chunks in parallel, each in blocks that stay in cache, folded in order.

use ndarray::{ArrayRef2, ArrayView2, s};

use super::Merge;
use crate::metrics::check;
use crate::{Error, Result, Scalar, par};

/// Rows that a thread takes at a time.
const CHUNK: usize = 1 << 15;

/// Summarises `x` in blocks of `block` rows; `summarise` gets the number of the block's first row.
pub(super) fn summarise<F: Scalar, T: Merge + Clone + Send + Sync>(
    x: &ArrayRef2<F>,
    weights: Option<&[f64]>,
    block: usize,
    empty: T,
    summarise: impl Fn(usize, ArrayView2<'_, F>, Option<&[f64]>) -> Result<T> + Sync,
) -> Result<T> {
    check::weights_or_none(weights, "x", x.nrows())?;
    let x = x.view();
    let parts = par::map(x.nrows(), CHUNK, |chunk| {
        let mut whole = empty.clone();
        for rows in par::chunks(chunk.len(), block) {
            let rows = chunk.start + rows.start..chunk.start + rows.end;
            let part = x.slice(s![rows.clone(), ..]);
            whole.merge(&summarise(
                rows.start,
                part,
                weights.map(|w| &w[rows.clone()]),
            )?)?;
        }
        Ok(whole)
    });
    let mut whole = empty;
    for part in parts {
        whole.merge(&part?)?;
    }
    Ok(whole)
}

/// Refuses an update or merge over other columns.
pub(super) fn same_columns(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::shape(
        what,
        format!("{expected} columns"),
        found.to_string(),
    ))
}

/// The error for a block whose sums are not finite: its first infinite cell, or else an overflow.
pub(super) fn not_finite<F: Scalar>(first_row: usize, x: ArrayView2<'_, F>) -> Error {
    match x.indexed_iter().find(|(_, v)| v.is_infinite()) {
        Some(((row, column), _)) => Error::value("x", "infinite value", (first_row + row, column)),
        None => Error::data(
            "x",
            "values or weights are too large: their squares overflow",
        ),
    }
}
