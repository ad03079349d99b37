//! Learning an encoder.

use rayon::prelude::*;
use telseg_core::{Error, Result};

use super::transform::coded;
use super::{CategoryEncoding, Encoded, EncodedColumn, FeatureKind, MISSING};
use super::{TableEncoder, TableEncoderParams};
use crate::array::{MissingIndicator, OneHot, OrdinalEncoder, Sample, UnseenCode};
use crate::table::{Column, Role, Table, TableSchema};

impl TableEncoderParams {
    /// Learns from all rows.
    ///
    /// # Errors
    /// When a parameter is out of range, the schema has no feature, or the table lacks one of its columns.
    pub fn fit(&self, table: &Table, schema: &TableSchema) -> Result<TableEncoder> {
        self.fit_any(table, schema, None)
    }

    /// Learns from the given rows only (the training part, say).
    ///
    /// # Errors
    /// As [`fit`](Self::fit); also when there are no rows or one does not exist.
    pub fn fit_rows(
        &self,
        table: &Table,
        schema: &TableSchema,
        rows: &[u32],
    ) -> Result<TableEncoder> {
        if rows.is_empty() {
            return Err(Error::shape("rows", "at least one row", "none"));
        }
        if let Some(row) = rows.iter().find(|&&r| r as usize >= table.n_rows()) {
            let expected = format!("rows below {}", table.n_rows());
            return Err(Error::shape("rows", expected, format!("row {row}")));
        }
        self.fit_any(table, schema, Some(rows))
    }

    fn fit_any(
        &self,
        table: &Table,
        schema: &TableSchema,
        rows: Option<&[u32]>,
    ) -> Result<TableEncoder> {
        self.validate()?;
        let wanted: Vec<_> = schema
            .columns()
            .iter()
            .filter(|c| c.role.is_feature())
            .collect();
        if wanted.is_empty() {
            let what = table.source().to_owned();
            return Err(Error::data(what, "no column can be used as a feature"));
        }
        let columns: Vec<EncodedColumn> = wanted
            .par_iter()
            .map(|c| {
                let column = table.column(&c.name)?;
                let encoding = match c.role {
                    Role::Categorical => self.fit_levels(&column, rows),
                    _ => self.fit_number(table, &c.name, column, rows)?,
                };
                Ok(EncodedColumn {
                    name: c.name.clone(),
                    start: 0,
                    encoding,
                })
            })
            .collect::<Result<_>>()?;
        Ok(assemble(columns))
    }

    fn fit_number(
        &self,
        table: &Table,
        name: &str,
        column: Column<'_>,
        rows: Option<&[u32]>,
    ) -> Result<Encoded> {
        let (Column::Number(values) | Column::Date(values)) = column else {
            let what = format!("{}, column {name}", table.source());
            return Err(Error::data(what, "expected numbers, found text"));
        };
        let values = match rows {
            Some(rows) => rows.iter().map(|&r| values[r as usize]).collect(),
            None => values,
        };
        let mut sample = Sample::new(values, None);
        let indicator = self.missing_indicator.is_some_and(|share| {
            MissingIndicator::params()
                .with_min_share(share)
                .fit_sample(&sample)
        });
        Ok(Encoded::Number {
            map: self.numeric.fit_sample(&mut sample),
            indicator,
        })
    }

    fn fit_levels(&self, column: &Column<'_>, rows: Option<&[u32]>) -> Encoded {
        let (codes, texts) = coded(column);
        let mut counts = vec![0usize; texts.len()];
        let mut n_missing = 0usize;
        let mut add = |code: i32| match usize::try_from(code) {
            Ok(code) => counts[code] += 1,
            Err(_) => n_missing += 1,
        };
        match rows {
            Some(rows) => rows.iter().for_each(|&r| add(codes[r as usize])),
            None => codes.iter().for_each(|&c| add(c)),
        }
        let mut seen: Vec<(String, usize)> = texts
            .into_iter()
            .zip(counts)
            .filter(|(_, n)| *n > 0)
            .collect();
        seen.sort();
        let n_rows = rows.map_or(codes.len(), <[u32]>::len);
        let (levels, counts): (Vec<String>, Vec<usize>) = seen.into_iter().unzip();
        let coded: Vec<(i32, f64)> = (0i32..).zip(counts.iter().map(|&n| n as f64)).collect();
        match self.categories {
            CategoryEncoding::Ordinal { order } => Encoded::Ordinal {
                map: OrdinalEncoder::params()
                    .with_order(order)
                    .with_unseen(self.unseen)
                    .fit_counts(coded),
                levels,
            },
            CategoryEncoding::OneHot {
                max_levels,
                min_share,
            } => {
                // A missing cell is no level that may become rare: it keeps its own feature.
                let mut map = OneHot::params()
                    .with_max_levels(Some(max_levels))
                    .with_min_weight(min_share * n_rows as f64)
                    .with_unseen(self.unseen)
                    .fit_counts(&coded);
                if n_missing > 0 {
                    map.levels.insert(0, MISSING);
                }
                let single = n_missing == 0 && map.levels.len() == 2 && map.rare.is_empty();
                Encoded::OneHot {
                    levels,
                    map,
                    single,
                }
            }
        }
    }
}

/// Lays the features side by side and names them.
fn assemble(mut columns: Vec<EncodedColumn>) -> TableEncoder {
    let (mut names, mut kinds, mut sources) = (Vec::new(), Vec::new(), Vec::new());
    for (source, column) in (0u32..).zip(&mut columns) {
        column.start = names.len();
        let name = &column.name;
        let mut push = |feature: String, kind: FeatureKind| {
            names.push(feature);
            kinds.push(kind);
            sources.push(source);
        };
        match &column.encoding {
            Encoded::Number { indicator, .. } => {
                push(name.clone(), FeatureKind::Numeric);
                if *indicator {
                    push(format!("{name}=(missing)"), FeatureKind::MissingIndicator);
                }
            }
            Encoded::OneHot {
                levels,
                map,
                single,
            } => {
                let own = map.levels.iter().map(|&code| match usize::try_from(code) {
                    Ok(code) => levels[code].clone(),
                    Err(_) => "(missing)".to_owned(),
                });
                let other = (!map.rare.is_empty()).then(|| "(other)".to_owned());
                for level in own.chain(other).skip(usize::from(*single)) {
                    push(format!("{name}={level}"), FeatureKind::OneHot { level });
                }
            }
            Encoded::Ordinal { levels, map } => {
                let levels = map.levels.iter().map(|&c| levels[c as usize].clone());
                let levels = levels.collect();
                push(name.clone(), FeatureKind::Ordinal { levels });
            }
        }
    }
    TableEncoder {
        columns,
        names,
        kinds,
        sources,
    }
}

/// Whether levels not seen at fit are refused.
pub(super) fn refuses(unseen: UnseenCode) -> bool {
    unseen == UnseenCode::Error
}
