//! Encoding of category codes: one column a level ([`OneHot`]), or one number a level ([`OrdinalEncoder`]).

mod one_hot;
mod ordinal;

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::columns::check;

pub use one_hot::{OneHot, OneHotColumn, OneHotParams, Slot};
pub use ordinal::{LevelOrder, OrdinalColumn, OrdinalEncoder, OrdinalEncoderParams};

/// Codes within a range this wide are looked up in a table.
const TABLE: i64 = 1 << 16;
/// No level.
const NONE: u32 = u32::MAX;

/// What happens to a code that was not seen at fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum UnseenCode {
    /// One-hot: the column of rare levels if there is one, else zeros. Ordinal: NaN.
    #[default]
    Ignore,
    /// An error that names the code, its row and its column.
    Error,
}

/// Distinct codes of a column with their weights, ascending.
fn count(codes: impl Iterator<Item = i32>, weights: Option<&[f64]>) -> Vec<(i32, f64)> {
    let mut found = std::collections::BTreeMap::new();
    match weights {
        None => codes.for_each(|c| *found.entry(c).or_insert(0.0) += 1.0),
        Some(w) => codes
            .zip(w)
            .filter(|(_, w)| **w > 0.0)
            .for_each(|(c, w)| *found.entry(c).or_insert(0.0) += w),
    }
    found.into_iter().collect()
}

/// Learns something of each column's distinct codes, in parallel over columns.
fn learn<T: Send>(
    x: &ArrayRef2<i32>,
    weights: Option<&ArrayRef1<f64>>,
    each: impl Fn(Vec<(i32, f64)>) -> T + Sync,
) -> Result<Vec<T>> {
    check(x, weights)?;
    let weights: Option<Vec<f64>> = weights.map(|w| w.to_vec());
    Ok((0..x.ncols())
        .into_par_iter()
        .map(|j| {
            let column = x.column(j);
            each(dense_count(&column, weights.as_deref()))
        })
        .collect())
}

/// As [`count`], by a table where the range of the codes is small.
fn dense_count(column: &ArrayRef1<i32>, weights: Option<&[f64]>) -> Vec<(i32, f64)> {
    let (low, high) = column
        .iter()
        .fold((i32::MAX, i32::MIN), |(l, h), &c| (l.min(c), h.max(c)));
    if i64::from(high) - i64::from(low) >= TABLE {
        return count(column.iter().copied(), weights);
    }
    let at = |c: i32| (i64::from(c) - i64::from(low)) as usize;
    let mut sums = vec![0.0; at(high) + 1];
    match weights {
        None => column.iter().for_each(|&c| sums[at(c)] += 1.0),
        Some(w) => column.iter().zip(w).for_each(|(&c, w)| sums[at(c)] += w),
    }
    let found = sums.into_iter().enumerate().filter(|(_, s)| *s > 0.0);
    found.map(|(i, s)| (low + i as i32, s)).collect()
}

/// Where each code goes: a table where codes are close together, else a binary search.
struct Lookup {
    first: i32,
    table: Vec<u32>,
    sorted: Vec<(i32, u32)>,
}

impl Lookup {
    fn new(mut sorted: Vec<(i32, u32)>) -> Self {
        sorted.sort_unstable();
        let first = sorted.first().map_or(0, |p| p.0);
        let at = |code: i32| (i64::from(code) - i64::from(first)) as usize;
        let mut table = Vec::new();
        if let Some(last) = sorted.last().filter(|p| (at(p.0) as i64) < TABLE) {
            table = vec![NONE; at(last.0) + 1];
            sorted.iter().for_each(|&(c, to)| table[at(c)] = to);
        }
        Self {
            first,
            table,
            sorted,
        }
    }

    #[inline(always)]
    fn get(&self, code: i32) -> u32 {
        if self.table.is_empty() {
            let found = self.sorted.binary_search_by_key(&code, |p| p.0);
            return found.map_or(NONE, |i| self.sorted[i].1);
        }
        let at = i64::from(code) - i64::from(self.first);
        let found = usize::try_from(at).ok().and_then(|at| self.table.get(at));
        found.copied().unwrap_or(NONE)
    }
}

/// Refuses the first code that its column does not know, of the columns that ignore none.
fn refuse_unseen(
    x: &ArrayRef2<i32>,
    lookups: &[Lookup],
    unseen: impl Fn(usize) -> UnseenCode,
) -> Result<()> {
    let refuses: Vec<bool> = (0..lookups.len())
        .map(|j| unseen(j) == UnseenCode::Error)
        .collect();
    if !refuses.contains(&true) {
        return Ok(());
    }
    for (row, codes) in x.rows().into_iter().enumerate() {
        for (j, (code, lookup)) in codes.iter().zip(lookups).enumerate() {
            if refuses[j] && lookup.get(*code) == NONE {
                return Err(Error::value("x", not_seen(*code), (row, j)));
            }
        }
    }
    Ok(())
}

/// As [`refuse_unseen`] says it of one row.
fn refuse_in_row(code: i32, column: usize) -> Error {
    Error::data("row", format!("{} in column {column}", not_seen(code)))
}

fn not_seen(code: i32) -> String {
    format!("code {code} was not seen at fit")
}
