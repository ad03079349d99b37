//! Which columns hold codes, and the levels that each of them had at fit.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use telseg_core::kernel::{CodeColumn, PackedCodes};
use telseg_core::{Error, Result, Scalar};

/// The largest code.
pub(super) const MAX_CODE: u32 = 65_000;

/// Stands for a missing code among the codes of a column.
const MISSING: u32 = CodeColumn::MISSING as u32;

/// The level of a code that was not seen at fit; no mode ever has it.
pub(super) const UNSEEN: u16 = u16::MAX;

/// The mode of a given centre whose code no row has; no row ever has it.
pub(super) const NO_MODE: u16 = u16::MAX - 1;

/// How a row is split into numbers and levels. Where no column holds numbers, a single zero stands for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Levels {
    n_columns: usize,
    /// Columns of numbers, in order.
    pub(super) numeric: Vec<usize>,
    /// Columns of codes, in order.
    pub(super) categorical: Vec<usize>,
    /// The codes of each column of codes, in rising order, the missing one last; a level is a position among them.
    codes: Vec<Vec<u32>>,
}

/// For every column of codes, the level of each code: faster than a search for many rows. `None` where they are the same.
pub(super) struct Tables(Vec<Option<Vec<u16>>>);

impl Tables {
    /// Replaces the codes of all rows by their levels.
    pub(super) fn map(&self, codes: &mut PackedCodes) {
        for (column, table) in self.0.iter().enumerate() {
            if let Some(table) = table {
                codes.map_column(column, |code| {
                    table.get(usize::from(code)).copied().unwrap_or(UNSEEN)
                });
            }
        }
    }
}

/// By column of codes, which codes some rows have.
#[derive(Clone)]
pub(super) struct Seen(Vec<Vec<bool>>);

impl Seen {
    pub(super) fn nothing(n_categorical: usize) -> Self {
        Self(vec![Vec::new(); n_categorical])
    }

    pub(super) fn mark(&mut self, column: usize, codes: &[u16]) {
        let seen = &mut self.0[column];
        for &code in codes {
            let code = usize::from(code);
            if seen.len() <= code {
                seen.resize(code + 1, false);
            }
            seen[code] = true;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (seen, other) in self.0.iter_mut().zip(&other.0) {
            seen.resize(seen.len().max(other.len()), false);
            let pairs = seen.iter_mut().zip(other);
            pairs.for_each(|(a, b)| *a |= b);
        }
    }
}

impl Levels {
    /// The columns, with no level yet.
    ///
    /// # Errors
    /// A column of codes that is not there.
    pub(super) fn of_columns(n_columns: usize, categorical: &[usize]) -> Result<Self> {
        if let Some(column) = categorical.iter().find(|&&c| c >= n_columns) {
            let problem = format!("column {column} is not there: x has {n_columns} columns");
            return Err(Error::param("categorical", problem));
        }
        let mut categorical = categorical.to_vec();
        categorical.sort_unstable();
        let numeric = (0..n_columns).filter(|c| categorical.binary_search(c).is_err());
        Ok(Self {
            n_columns,
            numeric: numeric.collect(),
            codes: vec![Vec::new(); categorical.len()],
            categorical,
        })
    }

    /// The levels are the codes that were seen.
    pub(super) fn learn(&mut self, seen: &Seen) {
        for (codes, seen) in self.codes.iter_mut().zip(&seen.0) {
            let seen = (0..).zip(seen).filter(|(_, seen)| **seen);
            *codes = seen.map(|(code, _)| code).collect();
        }
    }

    /// Rows of numbers only.
    pub(crate) fn numbers_only(n_columns: usize) -> Self {
        Self {
            n_columns,
            numeric: (0..n_columns).collect(),
            categorical: Vec::new(),
            codes: Vec::new(),
        }
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Width of the numeric part, at least 1.
    pub(crate) fn n_numeric(&self) -> usize {
        self.numeric.len().max(1)
    }

    pub(crate) fn n_categorical(&self) -> usize {
        self.categorical.len()
    }

    /// The columns of numbers in runs that lie side by side: where each begins among the numbers, and the columns.
    pub(super) fn runs(&self) -> Vec<(usize, Range<usize>)> {
        let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
        for (position, &column) in self.numeric.iter().enumerate() {
            match runs.last_mut().filter(|(_, run)| run.end == column) {
                Some((_, run)) => run.end += 1,
                None => runs.push((position, column..column + 1)),
            }
        }
        runs
    }

    /// Number of levels of each column of codes.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.codes.iter().map(Vec::len).collect()
    }

    /// The code of a level, NaN for a missing one or one that was not seen.
    pub(super) fn code<F: Scalar>(&self, column: usize, level: u16) -> F {
        match self.codes[column].get(usize::from(level)) {
            Some(&code) if code <= MAX_CODE => F::from_f64(f64::from(code)),
            _ => F::nan(),
        }
    }

    /// The level of the code in one cell, by search.
    ///
    /// # Errors
    /// When the cell is no code.
    pub(super) fn level<F: Scalar>(&self, position: usize, value: F, row: usize) -> Result<u16> {
        let code = code(value, (row, self.categorical[position]))?;
        let found = self.codes[position].binary_search(&code);
        Ok(found.map_or(UNSEEN, |level| level as u16))
    }

    /// Splits a few rows into numbers (`n_numeric` a row) and levels (`n_categorical` a row).
    ///
    /// # Errors
    /// The first number that is not finite, or cell that is no code.
    pub(super) fn split<F: Scalar>(&self, rows: &[F]) -> Result<(Vec<F>, Vec<u16>)> {
        let (mut numbers, mut levels) = (Vec::new(), Vec::new());
        for (i, row) in rows.chunks_exact(self.n_columns).enumerate() {
            self.check_numbers(row, i)?;
            numbers.extend(self.numeric.iter().map(|&column| row[column]));
            for (position, &column) in self.categorical.iter().enumerate() {
                levels.push(self.level(position, row[column], i)?);
            }
        }
        numbers.resize(rows.len() / self.n_columns * self.n_numeric(), F::zero());
        Ok((numbers, levels))
    }

    /// Refuses numbers that are not finite.
    pub(super) fn check_numbers<F: Scalar>(&self, row: &[F], i: usize) -> Result<()> {
        let bad = self.numeric.iter().find(|&&c| !row[c].is_finite());
        bad.map_or(Ok(()), |&column| Err(not_finite(row[column], (i, column))))
    }

    /// Names the first number that is not finite, or cell that is no code.
    pub(super) fn check<F: Scalar>(&self, rows: &[F]) -> Result<()> {
        for (i, row) in rows.chunks_exact(self.n_columns).enumerate() {
            self.check_numbers(row, i)?;
            for &column in &self.categorical {
                code(row[column], (i, column))?;
            }
        }
        Ok(())
    }

    pub(super) fn tables(&self) -> Tables {
        let table = |codes: &Vec<u32>| {
            if (0..).zip(codes).all(|(level, &code)| level == code) {
                return None;
            }
            let mut table = vec![UNSEEN; codes.last().map_or(0, |&c| c as usize + 1)];
            for (level, &code) in codes.iter().enumerate() {
                table[code as usize] = level as u16;
            }
            Some(table)
        };
        Tables(self.codes.iter().map(table).collect())
    }

    /// Whether all that the other functions rely on holds.
    pub(super) fn is_sound(&self) -> bool {
        let mut columns: Vec<usize> = self.numeric.clone();
        columns.extend(&self.categorical);
        let sorted = |v: &[usize]| v.windows(2).all(|w| w[0] < w[1]);
        let rising = |v: &Vec<u32>| {
            v.windows(2).all(|w| w[0] < w[1]) && v.last().is_some_and(|&c| c <= MISSING)
        };
        let ordered = sorted(&self.numeric) && sorted(&self.categorical);
        columns.sort_unstable();
        ordered
            && columns.len() == self.n_columns
            && columns.iter().enumerate().all(|(at, &c)| at == c)
            && self.codes.len() == self.categorical.len()
            && self.codes.iter().all(rising)
    }
}

/// The code in a cell; the one past the largest for NaN.
#[inline]
fn code<F: Scalar>(value: F, at: (usize, usize)) -> Result<u32> {
    let number = value.into_f64();
    if number.is_nan() {
        return Ok(MISSING);
    }
    let code = number as u32; // saturates, so that nothing else equals it
    if f64::from(code) == number && code <= MAX_CODE {
        return Ok(code);
    }
    let problem = format!("{value} is no code (a whole number from 0 to {MAX_CODE}, or NaN)");
    Err(Error::value("x", problem, at))
}

pub(super) fn not_finite<F: Scalar>(value: F, at: (usize, usize)) -> Error {
    let problem = format!("{value} (impute missing values before clustering)");
    Error::value("x", problem, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels of two columns of codes beside one of numbers.
    fn learnt(codes: [[u16; 3]; 2]) -> Levels {
        let mut levels = Levels::of_columns(3, &[2, 1]).unwrap();
        let (mut seen, mut later) = (Seen::nothing(2), Seen::nothing(2));
        for (column, codes) in codes.iter().enumerate() {
            seen.mark(column, &codes[..1]);
            later.mark(column, &codes[1..]);
        }
        seen.merge(&later);
        levels.learn(&seen);
        levels
    }

    #[test]
    fn codes_become_levels_and_come_back() {
        let nan = f32::NAN;
        let missing = CodeColumn::MISSING;
        let levels = learnt([[7, 3, 7], [missing, 40_000, 0]]);
        assert_eq!(levels.sizes(), [2, 3]);
        let rows = [1.5f32, 7.0, nan, 2.5, 3.0, 40_000.0, 3.5, 7.0, 0.0];
        let (numbers, codes) = levels.split(&rows).unwrap();
        assert_eq!(numbers, [1.5, 2.5, 3.5]);
        assert_eq!(codes, [1, 2, 0, 1, 1, 0]); // 3 < 7; 0 < 40,000 < missing
        assert_eq!(levels.code::<f32>(1, 1), 40_000.0);
        assert!(levels.code::<f32>(1, 2).is_nan());
        let unseen = levels.split(&[0.0f32, nan, 1.0]).unwrap().1;
        assert_eq!(unseen, [UNSEEN, UNSEEN]);
        assert_eq!(levels.level(0, 7.0f32, 0).unwrap(), 1);
        assert!(levels.is_sound());
    }

    #[test]
    fn tables_and_searches_agree() {
        // Codes that are their own levels need no table; what lies past them stays and matches no mode.
        let levels = learnt([[1, 0, 2], [9, 4, 4]]);
        let mut codes = PackedCodes::zeros(2, 2);
        codes.set_row(0, [2, 9]);
        codes.set_row(1, [3, 5]);
        levels.tables().map(&mut codes);
        assert_eq!(codes.row(0).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(codes.row(1).collect::<Vec<_>>(), [3, UNSEEN]);
    }

    #[test]
    fn what_is_no_code_is_named() {
        let levels = learnt([[0; 3]; 2]);
        for bad in [-1.0, 0.5, 65_001.0, f64::INFINITY] {
            let rows = [1.0, 0.0, 0.0, 2.0, bad, 0.0];
            let whole = levels.check(&rows).unwrap_err().to_string();
            assert!(whole.ends_with("or NaN) in row 1, column 1"), "{whole}");
            assert_eq!(levels.split(&rows).unwrap_err().to_string(), whole);
        }
    }
}
