//! Who moved where.

use std::fmt;

use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};
use telseg_core::stats::wilson;
use telseg_core::{Error, Result};

use super::SegmentId;

/// Where a subscriber is in one of two months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Place {
    /// In a segment.
    Segment(SegmentId),
    /// In the base, in no segment (noise).
    NoSegment,
    /// Not in the base: before joining, after leaving.
    Outside,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(segment) => segment.fmt(f),
            Self::NoSegment => f.pad("no segment"),
            Self::Outside => f.pad("outside"),
        }
    }
}

/// Subscribers by where they were last month (rows) and where they are now (columns).
///
/// The last row holds those who joined, the last column those who left; the rows and columns before them, those in no
/// segment. The corner between outside and outside is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Migration {
    /// Places of last month: segments by number, then no segment, then outside.
    pub from: Vec<Place>,
    /// Places of this month, in the same order.
    pub to: Vec<Place>,
    /// Subscribers.
    pub counts: Array2<u64>,
    /// Their weight: this month's, of those who left last month's.
    pub weights: Array2<f64>,
    /// Sum of squared weights of each row.
    squares: Vec<f64>,
}

impl Migration {
    /// No one yet; all segments, in the order given.
    pub(super) fn new(from: &[SegmentId], to: &[SegmentId]) -> Self {
        let places = |segments: &[SegmentId]| {
            let segments = segments.iter().map(|&s| Place::Segment(s));
            segments.chain([Place::NoSegment, Place::Outside]).collect()
        };
        let (from, to): (Vec<_>, Vec<_>) = (places(from), places(to));
        Self {
            counts: Array2::zeros((from.len(), to.len())),
            weights: Array2::zeros((from.len(), to.len())),
            squares: vec![0.0; from.len()],
            from,
            to,
        }
    }

    pub(super) fn add(&mut self, from: usize, to: usize, weight: f64) {
        self.counts[[from, to]] += 1;
        self.weights[[from, to]] += weight;
        self.squares[from] += weight * weight;
    }

    /// The same subscribers with rows and columns in the order of the segments' numbers.
    pub(super) fn sorted(self) -> Self {
        let order = |places: &[Place]| {
            let mut order: Vec<usize> = (0..places.len()).collect();
            order.sort_by_key(|&i| places[i]);
            order
        };
        let (rows, columns) = (order(&self.from), order(&self.to));
        Self {
            from: rows.iter().map(|&i| self.from[i]).collect(),
            to: columns.iter().map(|&j| self.to[j]).collect(),
            counts: self.counts.select(Axis(0), &rows).select(Axis(1), &columns),
            weights: self
                .weights
                .select(Axis(0), &rows)
                .select(Axis(1), &columns),
            squares: rows.iter().map(|&i| self.squares[i]).collect(),
        }
    }

    /// Weight of all who were at each place of last month.
    pub fn row_weights(&self) -> Array1<f64> {
        self.weights
            .rows()
            .into_iter()
            .map(|row| row.iter().sum())
            .collect()
    }

    /// Weight of all who are at each place of this month.
    pub fn column_weights(&self) -> Array1<f64> {
        self.weights
            .columns()
            .into_iter()
            .map(|c| c.iter().sum())
            .collect()
    }

    /// Share of each row's weight that went to each column; 0 in rows without weight.
    pub fn rates(&self) -> Array2<f64> {
        let rows = self.row_weights();
        Array2::from_shape_fn(self.weights.dim(), |(i, j)| match rows[i] > 0.0 {
            true => self.weights[[i, j]] / rows[i],
            false => 0.0,
        })
    }

    /// The share of those at a place of last month who went to a place of this month, with Wilson's 95 % interval for the
    /// effective number of subscribers; `None` for a place that one of the months has not, or where nobody was.
    pub fn rate(&self, from: Place, to: Place) -> Option<(f64, [f64; 2])> {
        let i = self.from.iter().position(|&p| p == from)?;
        let j = self.to.iter().position(|&p| p == to)?;
        let weight: f64 = self.weights.row(i).iter().sum();
        if weight <= 0.0 {
            return None;
        }
        let rate = (self.weights[[i, j]] / weight).min(1.0);
        Some((rate, wilson(rate, self.effective(i))))
    }

    /// Kish's effective number of subscribers of a row.
    pub(super) fn effective(&self, row: usize) -> f64 {
        let weight: f64 = self.weights.row(row).iter().sum();
        match self.squares[row] > 0.0 {
            true => weight * weight / self.squares[row],
            false => 0.0,
        }
    }

    /// Share of the weight of those who were in a segment and are in the base that is in the same segment again.
    pub fn stayed(&self) -> f64 {
        let (mut stayed, mut all) = (0.0, 0.0);
        for ((i, j), &w) in self.weights.indexed_iter() {
            let is_move = self.to[j] != Place::Outside;
            if matches!(self.from[i], Place::Segment(_)) && is_move {
                all += w;
                stayed += if self.from[i] == self.to[j] { w } else { 0.0 };
            }
        }
        if all > 0.0 { stayed / all } else { 1.0 }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let shape = (self.from.len(), self.to.len());
        let sound = self.counts.dim() == shape
            && self.weights.dim() == shape
            && self.squares.len() == self.from.len()
            && self
                .weights
                .iter()
                .chain(&self.squares)
                .all(|w| w.is_finite() && *w >= 0.0);
        match sound {
            true => Ok(()),
            false => Err(Error::artefact(
                "migration",
                "rows, columns and weights disagree",
            )),
        }
    }
}

/// Percent of each row, one line a place of last month.
impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |place: &Place, outside: &'static str| match place {
            Place::Segment(segment) => segment.0.to_string(),
            Place::NoSegment => "none".into(),
            Place::Outside => outside.into(),
        };
        let shown = |sums: Array1<f64>, places: &[Place]| -> Vec<usize> {
            let empty = |&i: &usize| places[i] == Place::NoSegment && sums[i] == 0.0;
            (0..places.len()).filter(|i| !empty(i)).collect()
        };
        let rows = shown(self.row_weights(), &self.from);
        let columns = shown(self.column_weights(), &self.to);
        write!(f, "{:>10}", "from \\ to")?;
        for &j in &columns {
            write!(f, "{:>8}", short(&self.to[j], "left"))?;
        }
        writeln!(f, "{:>12}", "subscribers")?;
        let rates = self.rates();
        for &i in &rows {
            write!(f, "{:>10}", short(&self.from[i], "joined"))?;
            for &j in &columns {
                write!(f, "{:>7.1}%", 100.0 * rates[[i, j]])?;
            }
            writeln!(f, "{:>12}", self.counts.row(i).iter().sum::<u64>())?;
        }
        Ok(())
    }
}
