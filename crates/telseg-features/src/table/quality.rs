//! What a table's columns look like: counts, quantiles, levels, outliers.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Column, Table};
use crate::array::{Sample, quantiles};

/// Levels listed of a text column.
const TOP: usize = 10;
/// Quantiles given of a number column; the first and last are the winsor bounds.
const QUANTILES: [f64; 5] = [0.01, 0.25, 0.5, 0.75, 0.99];

/// One level and how often it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelShare {
    /// The level.
    pub level: String,
    /// Number of rows.
    pub n: usize,
}

/// What one column looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnQuality {
    /// Name of the column.
    pub name: String,
    /// "number", "date" or "text".
    pub kind: String,
    /// Number of rows.
    pub n: usize,
    /// Missing cells, bad ones included.
    pub n_missing: usize,
    /// Cells that were not of the column's type and read as missing.
    pub n_bad: usize,
    /// Different values.
    pub n_distinct: usize,
    /// Numbers and dates (as days since 1970-01-01), when there is a value.
    pub numbers: Option<NumberQuality>,
    /// The most frequent levels of a text column, at most ten.
    pub top: Vec<LevelShare>,
}

/// How the values of a number column are spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NumberQuality {
    /// Smallest value.
    pub min: f64,
    /// 1st percentile.
    pub q01: f64,
    /// Lower quartile.
    pub q25: f64,
    /// Median.
    pub q50: f64,
    /// Upper quartile.
    pub q75: f64,
    /// 99th percentile.
    pub q99: f64,
    /// Largest value.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (population).
    pub sd: f64,
    /// Values equal to 0.
    pub n_zero: usize,
    /// Values below 0.
    pub n_negative: usize,
    /// Values below the 1st or above the 99th percentile.
    pub n_outliers: usize,
}

/// What each column of a table looks like, in the order of the table.
///
/// # Examples
/// ```
/// use telseg_features::{CsvOptions, Table, quality};
///
/// let table = Table::from_csv_bytes("a.csv", b"mb,plan\n1,S\n3,M\n,S\n", &CsvOptions::default())?;
/// let columns = quality(&table);
/// assert_eq!((columns[0].n_missing, columns[0].numbers.unwrap().mean), (1, 2.0));
/// assert_eq!((columns[1].top[0].level.as_str(), columns[1].top[0].n), ("S", 2));
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn quality(table: &Table) -> Vec<ColumnQuality> {
    let names = table.column_names();
    names
        .par_iter()
        .enumerate()
        .map(|(j, name)| {
            let column = table.column_at(j);
            let kind = match column {
                Column::Number(_) => "number",
                Column::Date(_) => "date",
                Column::Text { .. } => "text",
            };
            let mut top = top_levels(&column);
            top.truncate(TOP);
            ColumnQuality {
                name: (*name).to_owned(),
                kind: kind.to_owned(),
                n: column.len(),
                n_missing: column.n_missing(),
                n_bad: table.report().n_bad(name),
                n_distinct: column.n_distinct(),
                top,
                numbers: match column {
                    Column::Number(v) | Column::Date(v) => spread(v),
                    Column::Text { .. } => None,
                },
            }
        })
        .collect()
}

fn top_levels(column: &Column<'_>) -> Vec<LevelShare> {
    let Column::Text { levels, .. } = column else {
        return Vec::new();
    };
    let mut counted: Vec<(usize, &str)> = column
        .level_counts()
        .into_iter()
        .zip(levels.iter().copied())
        .filter(|c| c.0 > 0)
        .collect();
    counted.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let share = |(n, level): (usize, &str)| LevelShare {
        level: level.to_owned(),
        n,
    };
    counted.into_iter().take(TOP).map(share).collect()
}

fn spread(values: Vec<f64>) -> Option<NumberQuality> {
    let mut sample = Sample::new(values, None);
    if sample.values.is_empty() {
        return None;
    }
    let q = quantiles(&mut sample, &QUANTILES);
    let v = &sample.values;
    let n = v.len() as f64;
    let mean = sample.sum(|v| v) / n;
    Some(NumberQuality {
        min: v.iter().copied().fold(f64::INFINITY, f64::min),
        q01: q[0],
        q25: q[1],
        q50: q[2],
        q75: q[3],
        q99: q[4],
        max: v.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        mean,
        sd: (sample.sum(|v| (v - mean).powi(2)) / n).sqrt(),
        n_zero: v.iter().filter(|v| **v == 0.0).count(),
        n_negative: v.iter().filter(|v| **v < 0.0).count(),
        n_outliers: v.iter().filter(|v| **v < q[0] || **v > q[4]).count(),
    })
}
