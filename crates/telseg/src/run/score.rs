//! Scoring of new rows.

use std::path::Path;

use ndarray::Array1;
use telseg_core::{Error, Result};
use telseg_features::{Cell, Table};

use super::Run;

/// Segments and scores of the rows of a table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scored {
    /// Segment of each row.
    pub segments: Array1<u32>,
    /// Probability of the event for each row; `None` when the run has no target.
    pub scores: Option<Array1<f64>>,
    table: Table,
}

/// Segment and score of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RowScore {
    /// Segment.
    pub segment: u32,
    /// Probability of the event; `None` when the run has no target.
    pub score: Option<f64>,
}

impl Run {
    /// Puts every row of a table into a segment and scores it.
    ///
    /// Columns are found by name; the target may be absent.
    ///
    /// # Errors
    /// When a column that the model needs is missing (the message says which), or holds texts where numbers were.
    pub fn score(&self, table: &Table) -> Result<Scored> {
        let x = self.model.encoder().transform(table)?.x;
        let groups = self.model.segment.predict(&x)?;
        let scores = match &self.model.predictor {
            Some(predictor) => Some(
                predictor
                    .model
                    .predict(&predictor.encoder.transform(table)?.x)?,
            ),
            None => None,
        };
        let table = self.scored_table(table, &groups, scores.as_ref())?;
        Ok(Scored {
            segments: groups.mapv(|group| self.model.number(group)),
            scores,
            table,
        })
    }

    /// Segment and score of one row, given as names and cells; the same as in a table.
    ///
    /// # Errors
    /// When a column that the model needs is missing, or a text stands where a number is needed.
    ///
    /// # Cost
    /// Microseconds; allocates room for the encoded row.
    pub fn score_row(&self, cells: &[(&str, Cell<'_>)]) -> Result<RowScore> {
        let encoder = self.model.encoder();
        let mut row = Array1::zeros(encoder.n_features());
        let places = row
            .as_slice_mut()
            .expect("invariant: owned and one-dimensional");
        encoder.transform_row(cells, places)?;
        let segment = self.model.number(self.model.segment.predict_row(&row)?);
        let score = match &self.model.predictor {
            Some(predictor) => {
                let mut row = vec![0.0; predictor.encoder.n_features()];
                predictor.encoder.transform_row(cells, &mut row)?;
                Some(predictor.model.predict_row(&row)?)
            }
            None => None,
        };
        Ok(RowScore { segment, score })
    }

    fn scored_table(
        &self,
        table: &Table,
        groups: &Array1<u32>,
        scores: Option<&Array1<f64>>,
    ) -> Result<Table> {
        let start = match &self.model.id {
            Some(id) if table.has_column(id) => table.select_columns(&[id.as_str()])?,
            _ => {
                let rows: Vec<f64> = (1..=table.n_rows()).map(|i| i as f64).collect();
                let first = table.column_names().first().map(|n| (*n).to_owned());
                let first = first
                    .ok_or_else(|| Error::data(table.source().to_owned(), "has no columns"))?;
                let numbered = table
                    .select_columns(&[first.as_str()])?
                    .with_numbers("row", &rows)?;
                numbered.select_columns(&["row"])?
            }
        };
        let number = |&group: &u32| f64::from(self.model.number(group));
        let ids: Vec<f64> = groups.iter().map(number).collect();
        let labels: Vec<&str> = groups.iter().map(|&group| self.model.name(group)).collect();
        let scored = start
            .with_numbers("segment", &ids)?
            .with_texts("segment_name", &labels)?;
        match (scores, &self.model.predictor) {
            (Some(scores), Some(predictor)) => {
                scored.with_numbers(&format!("{}_score", predictor.target), &scores.to_vec())
            }
            _ => Ok(scored),
        }
    }
}

impl Scored {
    /// The scores as a table: the identifier (or the row's number), segment, its name, and the score.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Writes [`table`](Self::table) as a CSV file; it is complete or not there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        self.table.write_csv(path)
    }
}
