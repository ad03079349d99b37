//! Reading access to one column of a table.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int32Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

/// The cells of one column: numbers, dates or text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Column<'a> {
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// Days since 1970-01-01; NaN is missing.
    Date(Vec<f64>),
    /// Texts: a code for each row (-1 is missing) and the level that each code stands for.
    Text {
        /// Index into `levels`, or -1.
        codes: Vec<i32>,
        /// The levels; some may not occur after rows were selected.
        levels: Vec<&'a str>,
    },
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// Nothing is known.
    Missing,
    /// A number, or days since 1970-01-01 in a date column.
    Number(f64),
    /// A text.
    Text(&'a str),
}

impl From<f64> for Cell<'_> {
    fn from(value: f64) -> Self {
        if value.is_nan() {
            Self::Missing
        } else {
            Self::Number(value)
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> Column<'a> {
    pub(super) fn new(array: &'a ArrayRef) -> Self {
        match array.data_type() {
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>();
                Self::Number(values.iter().map(|v| v.unwrap_or(f64::NAN)).collect())
            }
            DataType::Date32 => {
                let values = array.as_primitive::<Date32Type>();
                Self::Date(
                    values
                        .iter()
                        .map(|v| v.map_or(f64::NAN, f64::from))
                        .collect(),
                )
            }
            _ => {
                let dict = array.as_dictionary::<Int32Type>();
                let levels = dict.values().as_string::<i32>();
                Self::Text {
                    codes: dict.keys().iter().map(|k| k.unwrap_or(-1)).collect(),
                    levels: levels.iter().map(|v| v.unwrap_or_default()).collect(),
                }
            }
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Number(v) | Self::Date(v) => v.len(),
            Self::Text { codes, .. } => codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell of a row.
    pub fn cell(&self, row: usize) -> Cell<'a> {
        match self {
            Self::Number(v) | Self::Date(v) => v[row].into(),
            Self::Text { codes, levels } => match codes[row] {
                code if code >= 0 => Cell::Text(levels[code as usize]),
                _ => Cell::Missing,
            },
        }
    }

    /// Number of missing cells.
    pub fn n_missing(&self) -> usize {
        match self {
            Self::Number(v) | Self::Date(v) => v.iter().filter(|v| v.is_nan()).count(),
            Self::Text { codes, .. } => codes.iter().filter(|&&c| c < 0).count(),
        }
    }

    /// Number of different cells, missing ones not counted.
    pub fn n_distinct(&self) -> usize {
        match self {
            Self::Number(v) | Self::Date(v) => {
                let mut bits: Vec<u64> = v
                    .iter()
                    .filter(|v| !v.is_nan())
                    .map(|v| (v + 0.0).to_bits())
                    .collect();
                bits.sort_unstable();
                bits.dedup();
                bits.len()
            }
            Self::Text { .. } => self.level_counts().iter().filter(|&&n| n > 0).count(),
        }
    }

    /// How often each level of a text column occurs; empty for other columns.
    pub fn level_counts(&self) -> Vec<usize> {
        match self {
            Self::Text { codes, levels } => {
                let mut counts = vec![0; levels.len()];
                codes
                    .iter()
                    .filter(|&&c| c >= 0)
                    .for_each(|&c| counts[c as usize] += 1);
                counts
            }
            _ => Vec::new(),
        }
    }

    /// The cells as texts, missing ones as `None`; whole numbers without a fraction, dates as `YYYY-MM-DD`.
    pub fn to_texts(&self) -> Vec<Option<String>> {
        match self {
            Self::Number(v) => v
                .iter()
                .map(|v| (!v.is_nan()).then(|| v.to_string()))
                .collect(),
            Self::Date(v) => v
                .iter()
                .map(|v| (!v.is_nan()).then(|| date_text(*v as i64)))
                .collect(),
            Self::Text { codes, levels } => codes
                .iter()
                .map(|&c| (c >= 0).then(|| levels[c as usize].to_owned()))
                .collect(),
        }
    }
}

/// `YYYY-MM-DD` of a day counted from 1970-01-01 in the Gregorian calendar.
pub(crate) fn date_text(days: i64) -> String {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day = z.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let m = (5 * of_year + 2) / 153;
    let (month, d) = (
        if m < 10 { m + 3 } else { m - 9 },
        of_year - (153 * m + 2) / 5 + 1,
    );
    let y = year + era * 400 + i64::from(month <= 2);
    format!("{y:04}-{month:02}-{d:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for day in (-800_000..800_000).step_by(367) {
            let text = date_text(day);
            if (0..=9999).contains(&text[..4].parse::<i32>().unwrap_or(-1)) && text.len() == 10 {
                assert_eq!(
                    crate::table::read::parse::parse_date(text.as_bytes()),
                    Some(day as i32),
                    "{text}"
                );
            }
        }
    }
}
