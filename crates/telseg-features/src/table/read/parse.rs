//! From cells to typed columns: numbers, dates or text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Date32Array, DictionaryArray, Float64Array, Int32Array, StringArray};
use rayon::prelude::*;
use telseg_core::Result;

use super::cells::{Cells, Chunk};
use super::options::CsvOptions;
use super::report::CellNote;

/// Digits up to which an integer is exact in double precision; a longer one is a code (an ICCID, say).
const EXACT_DIGITS: usize = 15;

/// One column of one chunk, tried as numbers.
struct Part {
    numbers: Vec<f64>,
    n_missing: usize,
    n_numbers: usize,
    n_codes: usize,
    n_dates: usize,
    first_missing: Option<(usize, String)>,
}

/// A typed column and what was noted on the way.
pub(super) struct Parsed {
    pub(super) array: ArrayRef,
    pub(super) missing: Option<CellNote>,
    pub(super) bad: Option<CellNote>,
    pub(super) note: Option<String>,
}

/// Types all columns in parallel.
pub(super) fn parse(cells: &Cells, options: &CsvOptions) -> Result<Vec<Parsed>> {
    let n_columns = cells.names.len();
    let parts: Vec<Vec<Part>> = cells
        .chunks
        .par_iter()
        .map(|chunk| (0..n_columns).map(|j| part(chunk, j, options)).collect())
        .collect();
    (0..n_columns)
        .into_par_iter()
        .map(|j| column(cells, &parts, j, options))
        .collect()
}

fn is_missing(cell: &[u8], options: &CsvOptions) -> bool {
    options
        .missing
        .iter()
        .any(|m| cell.eq_ignore_ascii_case(m.as_bytes()))
}

fn part(chunk: &Chunk, column: usize, options: &CsvOptions) -> Part {
    let mut part = Part {
        numbers: Vec::with_capacity(chunk.n_rows),
        n_missing: 0,
        n_numbers: 0,
        n_codes: 0,
        n_dates: 0,
        first_missing: None,
    };
    for row in 0..chunk.n_rows {
        let whole = chunk.cell(row, column);
        let cell = whole.trim_ascii();
        let mut value = f64::NAN;
        if is_missing(cell, options) {
            part.n_missing += 1;
            part.first_missing
                .get_or_insert_with(|| (row, String::from_utf8_lossy(whole).into_owned()));
        } else if let Some(number) = parse_number(cell, options.decimal) {
            value = number;
            if is_code(cell) {
                part.n_codes += 1;
            } else {
                part.n_numbers += 1;
            }
        } else if parse_date(cell).is_some() {
            part.n_dates += 1;
        }
        part.numbers.push(value);
    }
    part
}

/// A finite number in plain or scientific notation.
fn parse_number(cell: &[u8], decimal: char) -> Option<f64> {
    if !matches!(cell.first()?, b'0'..=b'9' | b'+' | b'-' | b'.' | b',') {
        return None;
    }
    let text = std::str::from_utf8(cell).ok()?;
    let number: f64 = if decimal == ',' {
        if text.contains('.') {
            return None;
        }
        text.replacen(',', ".", 1).parse().ok()?
    } else {
        text.parse().ok()?
    };
    number.is_finite().then_some(number)
}

/// A whole number that is a name rather than an amount: it has leading zeros, or more digits than a number keeps.
fn is_code(cell: &[u8]) -> bool {
    cell.len() > 1
        && (cell[0] == b'0' || cell.len() > EXACT_DIGITS)
        && cell.iter().all(u8::is_ascii_digit)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`, with or without a time of day after it (`T` or a space).
pub(crate) fn parse_date(cell: &[u8]) -> Option<i32> {
    if cell.len() < 10 || cell[4] != b'-' || cell[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        cell[range].iter().try_fold(0i32, |n, &c| {
            c.is_ascii_digit().then(|| n * 10 + i32::from(c - b'0'))
        })
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let rest = &cell[10..];
    let time = rest.is_empty()
        || (matches!(rest[0], b'T' | b' ')
            && rest.len() >= 6
            && rest[1..]
                .iter()
                .all(|c| c.is_ascii_digit() || b":.+-Z ".contains(c)));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (time && (1..=length).contains(&day)).then(|| days(year, month, day))
}

/// Days since 1970-01-01 of a day of the Gregorian calendar (years start in March, so that leap days come last).
fn days(year: i32, month: i32, day: i32) -> i32 {
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day
        - 1
        - 719_468
}

fn column(cells: &Cells, parts: &[Vec<Part>], j: usize, options: &CsvOptions) -> Result<Parsed> {
    let sum = |f: fn(&Part) -> usize| parts.iter().map(|p| f(&p[j])).sum::<usize>();
    let n_missing = sum(|p| p.n_missing);
    let (numbers, codes, dates) = (sum(|p| p.n_numbers), sum(|p| p.n_codes), sum(|p| p.n_dates));
    let present = cells.n_rows - n_missing;
    let needed = options.numeric_share * present as f64;
    let mut row = 0;
    let mut missing = None;
    for (chunk, part) in cells.chunks.iter().zip(parts) {
        if let Some((at, text)) = &part[j].first_missing {
            missing = Some(note(cells, j, n_missing, row + at + 1, text.clone(), ""));
            break;
        }
        row += chunk.n_rows;
    }
    let mut parsed = Parsed {
        array: Arc::new(Float64Array::new_null(cells.n_rows)),
        missing,
        bad: None,
        note: None,
    };
    if present == 0 {
        return Ok(parsed);
    }
    if numbers as f64 >= needed {
        let values = parts.iter().flat_map(|p| &p[j].numbers);
        parsed.array = Arc::new(Float64Array::from_iter(
            values.map(|v| (!v.is_nan()).then_some(*v)),
        ));
        let n_bad = present - numbers - codes;
        parsed.bad = first_bad(cells, j, n_bad, "number", options, |c| {
            parse_number(c, options.decimal).is_none()
        });
    } else if dates as f64 >= needed {
        let values = each(cells, j).map(|c| parse_date(c.trim_ascii()));
        parsed.array = Arc::new(Date32Array::from_iter(values));
        parsed.bad = first_bad(cells, j, present - dates, "date", options, |c| {
            parse_date(c).is_none()
        });
    } else {
        parsed.array = text(cells, j, options)?;
        let mixed = numbers.max(dates);
        if mixed * 2 >= present {
            let kind = if numbers >= dates { "numbers" } else { "dates" };
            parsed.note = Some(format!(
                "column {}: {mixed} of {present} cells are {kind}, fewer than {} %; read as text",
                cells.names[j],
                options.numeric_share * 100.0
            ));
        }
    }
    Ok(parsed)
}

fn each(cells: &Cells, j: usize) -> impl Iterator<Item = &[u8]> {
    cells
        .chunks
        .iter()
        .flat_map(move |c| (0..c.n_rows).map(move |i| c.cell(i, j)))
}

fn note(cells: &Cells, j: usize, count: usize, row: usize, text: String, kind: &str) -> CellNote {
    CellNote {
        column: cells.names[j].clone(),
        count,
        row,
        text,
        expected: kind.to_owned(),
    }
}

fn first_bad(
    cells: &Cells,
    j: usize,
    count: usize,
    kind: &str,
    options: &CsvOptions,
    is_bad: impl Fn(&[u8]) -> bool,
) -> Option<CellNote> {
    if count == 0 {
        return None;
    }
    let (row, cell) = each(cells, j).enumerate().find(|(_, c)| {
        let cell = c.trim_ascii();
        !is_missing(cell, options) && is_bad(cell)
    })?;
    let text = String::from_utf8_lossy(cell).into_owned();
    Some(note(cells, j, count, row + 1, text, kind))
}

/// A text column: sorted distinct levels and a code for each row.
fn text(cells: &Cells, j: usize, options: &CsvOptions) -> Result<ArrayRef> {
    let mut codes: HashMap<&[u8], i32> = HashMap::new();
    let mut keys = Vec::with_capacity(cells.n_rows);
    let mut last: (&[u8], i32) = (&[], -1);
    for cell in each(cells, j) {
        let cell = cell.trim_ascii();
        if cell != last.0 || keys.is_empty() {
            let code = if is_missing(cell, options) {
                -1
            } else {
                let next = codes.len() as i32;
                *codes.entry(cell).or_insert(next)
            };
            last = (cell, code);
        }
        keys.push(last.1);
    }
    let mut levels = vec![""; codes.len()];
    for (level, code) in codes {
        levels[code as usize] = std::str::from_utf8(level).unwrap_or("\u{FFFD}");
    }
    dictionary(keys, &levels)
}

/// A dictionary array with sorted levels; a negative key is missing.
pub(crate) fn dictionary(mut keys: Vec<i32>, levels: &[&str]) -> Result<ArrayRef> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by_key(|&i| levels[i]);
    let mut rank = vec![0i32; levels.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(r, &i)| rank[i] = r as i32);
    keys.iter_mut()
        .filter(|k| **k >= 0)
        .for_each(|k| *k = rank[*k as usize]);
    let keys = Int32Array::from_iter(keys.into_iter().map(|k| (k >= 0).then_some(k)));
    let sorted = StringArray::from_iter_values(order.into_iter().map(|i| levels[i]));
    let array = DictionaryArray::<Int32Type>::try_new(keys, Arc::new(sorted))
        .map_err(|e| telseg_core::Error::data("text column", e.to_string()))?;
    Ok(Arc::new(array))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_known_dates() {
        // date -d 2024-02-29 +%s / 86400 = 19782; 1969-12-31 is the day before day 0.
        assert_eq!(parse_date(b"1970-01-01"), Some(0));
        assert_eq!(parse_date(b"1969-12-31"), Some(-1));
        assert_eq!(parse_date(b"2024-02-29T12:00:00Z"), Some(19782));
        assert_eq!(parse_date(b"2024-02-29 12:00"), Some(19782));
        for wrong in [
            "2023-02-29",
            "2024-13-01",
            "2024-1-01",
            "2024-01-01x",
            "20240101",
            "2024-04-31",
        ] {
            assert_eq!(parse_date(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_and_codes() {
        assert_eq!(parse_number(b"-1.5e3", '.'), Some(-1500.0));
        assert_eq!(parse_number(b"1,5", ','), Some(1.5));
        for wrong in ["inf", "nan", "1 000", "12a", "1,5", "0x10", "1e999"] {
            assert_eq!(parse_number(wrong.as_bytes(), '.'), None, "{wrong}");
        }
        assert!(is_code(b"007") && is_code(b"8949000012345678901") && !is_code(b"0"));
        assert!(!is_code(b"0.5") && !is_code(b"123456789012345"));
    }
}
