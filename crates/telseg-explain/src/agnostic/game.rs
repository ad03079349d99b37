//! The game that is played with a model: rows in which some features are a subscriber's and the others a background's.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result};

use crate::stats::checked_weights;

/// Rows that a model is asked about at once, at most (unless the background alone is longer).
const ROWS: usize = 1 << 14;

/// One row's score, split among features or groups of features.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attribution {
    /// What each player added; they sum up to `score - expected`.
    pub values: Array1<f64>,
    /// Standard error of each value over the random choice of coalitions: 0 where all of them were asked, NaN where there
    /// were too few to tell. The choice of the background is not part of it.
    pub std_errors: Array1<f64>,
    /// The mean score of the background.
    pub expected: f64,
    /// The score of the row.
    pub score: f64,
    /// Different coalitions that the model was asked about, beside the empty and the full one.
    pub n_coalitions: usize,
}

/// A model, its background and its players.
#[derive(Clone, Debug)]
pub(crate) struct Game<F> {
    score: F,
    background: Array2<f32>,
    /// Shares of the background rows.
    shares: Vec<f64>,
    /// The columns of each player.
    players: Vec<Vec<usize>>,
    expected: f64,
}

/// The scores of some rows; refuses an answer that is no such thing.
pub(crate) fn ask(
    score: &impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
    rows: &Array2<f32>,
) -> Result<Array1<f64>> {
    let scores = score(rows)?;
    if scores.len() != rows.nrows() {
        let expected = format!("{} numbers (one for each row)", rows.nrows());
        return Err(Error::shape("score", expected, scores.len().to_string()));
    }
    if let Some(bad) = scores.iter().find(|s| !s.is_finite()) {
        let problem = format!("must answer with finite numbers, found {bad}");
        return Err(Error::data("score", problem));
    }
    Ok(scores)
}

impl<F: Fn(&Array2<f32>) -> Result<Array1<f64>>> Game<F> {
    pub(crate) fn new(
        score: F,
        background: &ArrayRef2<f32>,
        weights: Option<&ArrayRef1<f64>>,
        groups: &[Vec<usize>],
    ) -> Result<Self> {
        let (rows, columns) = background.dim();
        if rows == 0 || columns == 0 {
            let found = format!("{rows} by {columns}");
            return Err(Error::shape(
                "background",
                "at least 1 row and 1 column",
                found,
            ));
        }
        let players = players(groups, columns)?;
        let weights = weights.map(ArrayRef1::to_vec);
        let mut shares = checked_weights(weights.as_deref(), rows)?;
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|s| *s /= total);
        let background = background.to_owned();
        let scores = ask(&score, &background)?;
        let expected = scores.iter().zip(&shares).map(|(s, w)| s * w).sum();
        Ok(Self {
            score,
            background,
            shares,
            players,
            expected,
        })
    }

    pub(crate) fn n_players(&self) -> usize {
        self.players.len()
    }

    pub(crate) fn expected(&self) -> f64 {
        self.expected
    }

    /// The score of the row as it is.
    pub(crate) fn whole(&self, row: &[f32]) -> Result<f64> {
        let columns = self.background.ncols();
        if row.len() != columns {
            let expected = format!("{columns} columns (as the background)");
            return Err(Error::shape("row", expected, row.len().to_string()));
        }
        let rows = Array2::from_shape_fn((1, columns), |(_, j)| row[j]);
        Ok(ask(&self.score, &rows)?[0])
    }

    /// `v(S)` for coalitions that lie one after the other, a flag for each player.
    pub(crate) fn values(&self, row: &[f32], known: &[bool]) -> Result<Vec<f64>> {
        let many = self.background.nrows();
        let at_once = (ROWS / many).max(1);
        let mut values = Vec::with_capacity(known.len() / self.n_players());
        for block in known.chunks(at_once * self.n_players()) {
            let coalitions = block.chunks_exact(self.n_players());
            let mut rows = Array2::zeros((coalitions.len() * many, self.background.ncols()));
            for (known, mut part) in
                coalitions.zip(rows.axis_chunks_iter_mut(ndarray::Axis(0), many))
            {
                part.assign(&self.background);
                let columns = self.players.iter().zip(known).filter(|(_, known)| **known);
                for &column in columns.flat_map(|(columns, _)| columns) {
                    part.column_mut(column).fill(row[column]);
                }
            }
            let scores = ask(&self.score, &rows)?.to_vec();
            values.extend(
                scores
                    .chunks_exact(many)
                    .map(|s| crate::dense::dot(s, &self.shares)),
            );
        }
        Ok(values)
    }
}

/// Groups as given, or each column on its own.
fn players(groups: &[Vec<usize>], columns: usize) -> Result<Vec<Vec<usize>>> {
    if groups.is_empty() {
        return Ok((0..columns).map(|column| vec![column]).collect());
    }
    check_groups(groups, columns)?;
    let mut times = vec![0; columns];
    groups
        .iter()
        .flatten()
        .for_each(|&column| times[column] += 1);
    match times.iter().position(|&t| t != 1) {
        None => Ok(groups.to_vec()),
        Some(column) => {
            let problem = format!(
                "each column must be in one group, column {column} is in {}",
                times[column]
            );
            Err(Error::param("groups", problem))
        }
    }
}

/// Refuses groups that are empty or name columns that there are none of.
pub(crate) fn check_groups(groups: &[Vec<usize>], columns: usize) -> Result<()> {
    for (g, group) in groups.iter().enumerate() {
        if group.is_empty() {
            return Err(Error::param("groups", format!("group {g} has no column")));
        }
        if let Some(column) = group.iter().find(|c| **c >= columns) {
            let problem = format!("group {g} names column {column}, there are {columns}");
            return Err(Error::param("groups", problem));
        }
    }
    Ok(())
}

/// Shares out what rounding has left over, so that the values sum up.
pub(crate) fn close_gap(values: &mut [f64], total: f64) {
    let gap = (total - values.iter().sum::<f64>()) / values.len() as f64;
    values.iter_mut().for_each(|v| *v += gap);
}
