//! Applying an encoder to a table or to one row.

use ndarray::{Array2, ArrayRef2, Axis};
use rayon::prelude::*;
use telseg_core::{Error, Result};

use super::fit::refuses;
use super::{Encoded, EncodedColumn, Features, MISSING, TableEncoder, UNSEEN};
use crate::array::{OneHotColumn, OrdinalColumn, Slot};
use crate::table::{Cell, Column, Table};

/// Rows of one parallel piece.
const ROWS: usize = 2048;

/// A column as codes and the texts they stand for; numbers are taken by their text.
pub(super) fn coded(column: &Column<'_>) -> (Vec<i32>, Vec<String>) {
    match column {
        Column::Text { codes, levels } => (
            codes.clone(),
            levels.iter().map(|l| (*l).to_owned()).collect(),
        ),
        Column::Number(_) | Column::Date(_) => {
            let texts = column.to_texts();
            let mut levels: Vec<String> = texts.iter().flatten().cloned().collect();
            levels.sort();
            levels.dedup();
            let code = |t: &Option<String>| {
                t.as_ref().map_or(MISSING, |t| {
                    levels.binary_search(t).map_or(MISSING, |i| i as i32)
                })
            };
            (texts.iter().map(code).collect(), levels)
        }
    }
}

/// One column of the table at hand, ready to be written row by row.
enum Source<'a> {
    Numbers(Vec<f64>),
    /// The table's codes, and the encoder's code of each (the last one that of missing cells).
    Codes(Vec<i32>, Vec<i32>),
    Cell(Cell<'a>),
}

impl TableEncoder {
    /// The features of each row of a table.
    ///
    /// Columns are found by name; columns that are not needed are listed in the result.
    ///
    /// # Errors
    /// When the table lacks columns (the message lists them), has text where numbers were at fit, or has a level that
    /// was not seen at fit and is refused.
    ///
    /// # Cost
    /// One pass, in parallel over rows.
    pub fn transform(&self, table: &Table) -> Result<Features> {
        let mut x = Array2::zeros((table.n_rows(), self.n_features()));
        self.transform_into(table, &mut x)?;
        let ignored = table.column_names().into_iter();
        Ok(Features {
            x,
            names: self.names.clone(),
            kinds: self.kinds.clone(),
            source_column: self
                .source_columns()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            ignored_columns: ignored
                .filter(|n| self.columns.iter().all(|c| c.name != *n))
                .map(str::to_owned)
                .collect(),
        })
    }

    /// The features of each row, written to `out` (rows by [`n_features`](Self::n_features)).
    ///
    /// # Errors
    /// As [`transform`](Self::transform); also when `out` has the wrong shape.
    pub fn transform_into(&self, table: &Table, out: &mut ArrayRef2<f32>) -> Result<()> {
        if out.dim() != (table.n_rows(), self.n_features()) {
            let expected = format!("{} rows by {} features", table.n_rows(), self.n_features());
            return Err(Error::shape("out", expected, format!("{:?}", out.dim())));
        }
        let absent: Vec<&str> = self
            .columns
            .iter()
            .map(|c| c.name.as_str())
            .filter(|n| !table.has_column(n))
            .collect();
        if !absent.is_empty() {
            let names = absent.join(", ");
            let (columns, verb) = if absent.len() == 1 {
                ("column", "is")
            } else {
                ("columns", "are")
            };
            return Err(Error::data(
                table.source().to_owned(),
                format!("the {columns} {names} of the training table {verb} missing"),
            ));
        }
        let sources: Vec<Source<'_>> = self
            .columns
            .par_iter()
            .map(|c| c.source(table))
            .collect::<Result<_>>()?;
        let blocks: Vec<_> = out.axis_chunks_iter_mut(Axis(0), ROWS).collect();
        blocks
            .into_par_iter()
            .enumerate()
            .for_each(|(block, mut out)| {
                let mut buffer = vec![0.0; self.n_features()];
                for (i, mut row) in out.rows_mut().into_iter().enumerate() {
                    for (column, source) in self.columns.iter().zip(&sources) {
                        column.write(source, block * ROWS + i, &mut buffer);
                    }
                    row.iter_mut().zip(&buffer).for_each(|(o, v)| *o = *v);
                }
            });
        Ok(())
    }

    /// The features of one customer, written to `out`; the same bits as in a table, and allocates nothing.
    ///
    /// Cells are found by name and quickest when they come in the order of the training table's columns.
    ///
    /// # Errors
    /// As [`transform`](Self::transform); also when `out` has the wrong length.
    pub fn transform_row(&self, cells: &[(&str, Cell<'_>)], out: &mut [f32]) -> Result<()> {
        if out.len() != self.n_features() {
            let expected = format!("{} features", self.n_features());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let mut next = 0;
        for column in &self.columns {
            let ahead = cells[next.min(cells.len())..]
                .iter()
                .position(|c| c.0 == column.name);
            let at = match ahead {
                Some(offset) => next + offset,
                None => cells
                    .iter()
                    .position(|c| c.0 == column.name)
                    .ok_or_else(|| {
                        Error::data("row", format!("no cell for column {}", column.name))
                    })?,
            };
            next = at + 1;
            let cell = cells[at].1;
            column.check_cell(cell)?;
            column.write(&Source::Cell(cell), 0, out);
        }
        Ok(())
    }
}

impl EncodedColumn {
    /// Prepares the table's column: types and levels are checked here, so that writing cannot fail.
    fn source<'a>(&self, table: &'a Table) -> Result<Source<'a>> {
        let column = table.column(&self.name)?;
        let what = || format!("{}, column {}", table.source(), self.name);
        let (levels, unseen) = match &self.encoding {
            Encoded::Number { .. } => {
                return match column {
                    Column::Number(v) | Column::Date(v) => Ok(Source::Numbers(v)),
                    Column::Text { codes, levels } => match codes.iter().find(|&&c| c >= 0) {
                        None => Ok(Source::Numbers(vec![f64::NAN; codes.len()])),
                        Some(&c) => Err(Error::data(
                            what(),
                            format!(
                                "expected numbers (as at fit), found text such as {:?}",
                                levels[c as usize]
                            ),
                        )),
                    },
                };
            }
            Encoded::OneHot { levels, map, .. } => (levels, map.unseen),
            Encoded::Ordinal { levels, map } => (levels, map.unseen),
        };
        let (codes, texts) = coded(&column);
        let mut own: Vec<i32> = texts.iter().map(|t| code_of(levels, t)).collect();
        if refuses(unseen) {
            let new = codes
                .iter()
                .position(|&c| usize::try_from(c).is_ok_and(|c| own[c] == UNSEEN));
            if let Some(row) = new {
                let level = &texts[codes[row] as usize];
                let problem = format!("the level {level:?} in row {} was not seen at fit", row + 1);
                return Err(Error::data(what(), problem));
            }
        }
        own.push(MISSING);
        Ok(Source::Codes(codes, own))
    }

    fn check_cell(&self, cell: Cell<'_>) -> Result<()> {
        let fail =
            |problem: String| Err(Error::data(format!("row, column {}", self.name), problem));
        let unseen = match (&self.encoding, cell) {
            (_, Cell::Missing) => return Ok(()),
            (Encoded::Number { .. }, Cell::Number(v)) if v.is_infinite() => {
                return fail("an infinite value".into());
            }
            (Encoded::Number { .. }, Cell::Number(_)) => return Ok(()),
            (Encoded::Number { .. }, Cell::Text(t)) => {
                return fail(format!("expected a number (as at fit), found {t:?}"));
            }
            (Encoded::OneHot { map, .. }, _) => map.unseen,
            (Encoded::Ordinal { map, .. }, _) => map.unseen,
        };
        if refuses(unseen) && self.cell_code(cell) == UNSEEN {
            return fail(format!("the level {cell:?} was not seen at fit"));
        }
        Ok(())
    }

    /// The encoder's code of a cell.
    fn cell_code(&self, cell: Cell<'_>) -> i32 {
        let (Encoded::OneHot { levels, .. } | Encoded::Ordinal { levels, .. }) = &self.encoding
        else {
            return MISSING;
        };
        match cell {
            Cell::Missing => MISSING,
            Cell::Text(text) => code_of(levels, text.trim()),
            Cell::Number(v) if v.is_nan() => MISSING,
            // Compared as numbers, so that no text is made.
            Cell::Number(v) => levels
                .iter()
                .position(|l| l.parse::<f64>().is_ok_and(|l| l == v))
                .map_or(UNSEEN, |i| i as i32),
        }
    }

    /// Writes the features of one row.
    #[inline]
    fn write(&self, source: &Source<'_>, row: usize, out: &mut [f32]) {
        let out = &mut out[self.start..];
        match &self.encoding {
            Encoded::Number { map, indicator } => {
                let value = match source {
                    Source::Numbers(values) => values[row],
                    Source::Cell(Cell::Number(v)) => *v,
                    _ => f64::NAN,
                };
                out[0] = map.transform_value(value) as f32;
                if *indicator {
                    out[1] = f32::from(u8::from(value.is_nan()));
                }
            }
            Encoded::OneHot { map, single, .. } => {
                write_one_hot(map, *single, self.code(source, row), out);
            }
            Encoded::Ordinal { map, .. } => {
                out[0] = ordinal(map, self.code(source, row));
            }
        }
    }

    #[inline]
    fn code(&self, source: &Source<'_>, row: usize) -> i32 {
        match source {
            Source::Codes(codes, own) => {
                let missing = own.len() - 1;
                own[usize::try_from(codes[row]).unwrap_or(missing)]
            }
            Source::Cell(cell) => self.cell_code(*cell),
            Source::Numbers(_) => MISSING,
        }
    }
}

fn code_of(levels: &[String], text: &str) -> i32 {
    levels
        .binary_search_by(|l| l.as_str().cmp(text))
        .map_or(UNSEEN, |i| i as i32)
}

fn write_one_hot(map: &OneHotColumn, single: bool, code: i32, out: &mut [f32]) {
    let slot = map.slot(code);
    if single {
        out[0] = f32::from(u8::from(slot == Slot::At(1)));
        return;
    }
    out[..map.width()].fill(0.0);
    // Missing cells, when there were none at fit, are not one of the rare levels.
    let stray = code == MISSING && map.levels.first() != Some(&MISSING);
    if let (Slot::At(at), false) = (slot, stray) {
        out[at] = 1.0;
    }
}

fn ordinal(map: &OrdinalColumn, code: i32) -> f32 {
    if code < 0 {
        return f32::NAN;
    }
    // Codes are positions in the alphabet; by value a level's number is its code.
    match map.levels.get(code as usize) {
        Some(&at) if at == code => code as f32,
        _ => map
            .levels
            .iter()
            .position(|&l| l == code)
            .map_or(f32::NAN, |i| i as f32),
    }
}
