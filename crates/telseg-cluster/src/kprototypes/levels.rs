//! Which columns hold codes, and the levels that each of them had at fit.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar, par};

/// Rows that one task encodes.
const CHUNK: usize = 4096;

/// The largest code.
pub(super) const MAX_CODE: u32 = 65_000;

/// Stands for a missing code among the codes of a column.
const MISSING: u32 = MAX_CODE + 1;

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

/// For every column of codes, the level of each code: faster than a search for many rows.
struct Tables(Vec<Vec<u16>>);

impl Tables {
    fn level(&self, column: usize, code: u32) -> u16 {
        let table = &self.0[column];
        table.get(code as usize).copied().unwrap_or(UNSEEN)
    }
}

impl Levels {
    /// Learns the levels of the columns of codes from rows.
    ///
    /// # Errors
    /// A column that is not there, or a cell that is no code.
    pub(super) fn learn<F: Scalar>(
        rows: &[F],
        n_columns: usize,
        categorical: &[usize],
    ) -> Result<Self> {
        if let Some(column) = categorical.iter().find(|&&c| c >= n_columns) {
            let problem = format!("column {column} is not there: x has {n_columns} columns");
            return Err(Error::param("categorical", problem));
        }
        let mut categorical = categorical.to_vec();
        categorical.sort_unstable();
        let n_rows = rows.len() / n_columns;
        let numeric = (0..n_columns)
            .filter(|c| categorical.binary_search(c).is_err())
            .collect();
        let parts = par::map(n_rows, CHUNK, |range| -> Result<Vec<Vec<bool>>> {
            let mut seen = vec![Vec::new(); categorical.len()];
            for i in range {
                for (seen, &column) in seen.iter_mut().zip(&categorical) {
                    let code = code(rows[i * n_columns + column], (i, column))? as usize;
                    if seen.len() <= code {
                        seen.resize(code + 1, false);
                    }
                    seen[code] = true;
                }
            }
            Ok(seen)
        });
        let mut codes = vec![std::collections::BTreeSet::new(); categorical.len()];
        for part in parts {
            for (codes, seen) in codes.iter_mut().zip(part?) {
                codes.extend((0..).zip(seen).filter(|(_, s)| *s).map(|(c, _)| c));
            }
        }
        let codes = codes.into_iter().map(|c| c.into_iter().collect()).collect();
        Ok(Self {
            n_columns,
            numeric,
            categorical,
            codes,
        })
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

    /// Splits rows into numbers (`n_numeric` a row) and levels (`n_categorical` a row).
    ///
    /// # Errors
    /// The first number that is not finite, or cell that is no code.
    pub(crate) fn split<F: Scalar>(&self, rows: &[F]) -> Result<(Vec<F>, Vec<u16>)> {
        let (d, c, all) = (self.n_numeric(), self.n_categorical(), self.n_columns);
        let n_rows = rows.len() / all;
        let tables = self.tables();
        let mut numbers = vec![F::zero(); n_rows * d];
        let parts = par::map(n_rows, CHUNK, |range| -> Result<Vec<u16>> {
            let mut levels = Vec::with_capacity(range.len() * c);
            for i in range {
                let row = &rows[i * all..][..all];
                if let Some(&column) = self.numeric.iter().find(|&&c| !row[c].is_finite()) {
                    return Err(not_finite(row[column], (i, column)));
                }
                for (position, &column) in self.categorical.iter().enumerate() {
                    levels.push(tables.level(position, code(row[column], (i, column))?));
                }
            }
            Ok(levels)
        });
        par::fill(&mut numbers, CHUNK * d, |range, numbers| {
            for (i, numbers) in (range.start / d..).zip(numbers.chunks_exact_mut(d)) {
                let row = &rows[i * all..][..all];
                let columns = numbers.iter_mut().zip(&self.numeric);
                columns.for_each(|(v, &column)| *v = row[column]);
            }
        });
        let mut levels = Vec::with_capacity(n_rows * c);
        for part in parts {
            levels.extend(part?);
        }
        Ok((numbers, levels))
    }

    fn tables(&self) -> Tables {
        let table = |codes: &Vec<u32>| {
            let mut table = vec![UNSEEN; codes.last().map_or(0, |&c| c as usize + 1)];
            for (level, &code) in codes.iter().enumerate() {
                table[code as usize] = level as u16;
            }
            table
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

    #[test]
    fn codes_become_levels_and_come_back() {
        let nan = f32::NAN;
        let rows = [1.5f32, 7.0, nan, 2.5, 3.0, 40_000.0, 3.5, 7.0, 0.0];
        let levels = Levels::learn(&rows, 3, &[2, 1]).unwrap();
        assert_eq!(levels.sizes(), [2, 3]);
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
    fn what_is_no_code_is_named() {
        for bad in [-1.0, 0.5, 65_001.0, f64::INFINITY] {
            let error = Levels::learn(&[1.0, 0.0, 2.0, bad], 2, &[1]).unwrap_err();
            let found = error.to_string();
            assert!(found.ends_with("or NaN) in row 1, column 1"), "{found}");
        }
    }
}
