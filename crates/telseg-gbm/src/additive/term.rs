//! The terms of an additive model: a curve for each column, a surface for some pairs.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::axis::{Axis, Piece};

/// One summand of the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Term {
    pub(super) columns: Columns,
    /// What each cell adds to the score.
    pub(super) values: Vec<f64>,
    /// Standard error of each; empty with one bag.
    pub(super) errors: Vec<f64>,
    /// Training rows in each (sum of weights).
    pub(super) weights: Vec<f64>,
}

/// What a term looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Columns {
    /// A column; a cell a place.
    One(usize),
    /// Two columns: the group of each of their places, and how many groups the second has.
    Two {
        features: [usize; 2],
        groups: [Vec<u8>; 2],
        width: usize,
    },
}

impl Term {
    /// The cell of a row, from the places of its values.
    #[inline]
    pub(super) fn cell(&self, place: impl Fn(usize) -> usize) -> usize {
        match &self.columns {
            Columns::One(feature) => place(*feature),
            Columns::Two {
                features: [a, b],
                groups,
                width,
            } => usize::from(groups[0][place(*a)]) * width + usize::from(groups[1][place(*b)]),
        }
    }

    pub(super) fn features(&self) -> &[usize] {
        match &self.columns {
            Columns::One(feature) => std::slice::from_ref(feature),
            Columns::Two { features, .. } => features,
        }
    }

    /// Mean size of what the term adds to the training rows.
    pub(super) fn importance(&self) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let pairs = self.values.iter().zip(&self.weights);
        let sum: f64 = pairs.map(|(v, w)| v.abs() * w).sum();
        if total > 0.0 { sum / total } else { 0.0 }
    }

    pub(super) fn validate(&self, axes: &[Axis], at: usize) -> Result<()> {
        let n = self.values.len();
        let sound = match &self.columns {
            Columns::One(feature) => {
                *feature == at && axes.get(at).is_some_and(|axis| axis.len() == n)
            }
            Columns::Two {
                features,
                groups,
                width,
            } => {
                let of = |side: usize| {
                    let axis = axes.get(features[side])?;
                    let groups = &groups[side];
                    let highest = usize::from(*groups.iter().max()?);
                    (groups.len() == axis.len()).then_some(highest)
                };
                let fits = |(a, b): (usize, usize)| {
                    b < *width && a.saturating_mul(*width).saturating_add(b) < n
                };
                at >= axes.len() && features[0] != features[1] && of(0).zip(of(1)).is_some_and(fits)
            }
        };
        let finite = self.values.iter().all(|v| v.is_finite());
        let of_cells =
            |list: &[f64]| list.len() == n && list.iter().all(|v| *v >= 0.0 && v.is_finite());
        let lists = of_cells(&self.weights) && (self.errors.is_empty() || of_cells(&self.errors));
        if sound && finite && lists {
            return Ok(());
        }
        let problem = format!("term {at} does not fit its columns, or holds what is no number");
        Err(Error::data("ebm", problem))
    }
}

/// What one column adds to the score.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Curve {
    /// The column.
    pub feature: usize,
    /// Missing values, then ranges in ascending order or levels by code, and last the levels that had no place.
    pub points: Vec<CurvePoint>,
}

/// One place of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CurvePoint {
    /// What the place stands for.
    pub piece: Piece,
    /// What is added to the score there.
    pub value: f64,
    /// Standard error of the value as it was learnt, from the spread of the bags; `None` with one bag.
    pub standard_error: Option<f64>,
    /// Training rows at the place (sum of weights).
    pub weight: f64,
}

impl CurvePoint {
    /// An interval around the value: so many standard errors to each side (1.96 for 95 % under a normal law).
    pub fn interval(&self, z: f64) -> Option<[f64; 2]> {
        self.standard_error
            .map(|error| [self.value - z * error, self.value + z * error])
    }
}

/// What two columns together add to the score, beyond what each adds alone.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Surface {
    /// The two columns.
    pub features: [usize; 2],
    /// The pieces that each group of the first and of the second column is made of.
    pub groups: [Vec<Vec<Piece>>; 2],
    /// What is added to the score: groups of the first column by groups of the second.
    pub values: ndarray::Array2<f64>,
    /// Training rows (sum of weights), in the same form.
    pub weights: ndarray::Array2<f64>,
}

/// The pieces of each group.
pub(super) fn pieces(axis: &Axis, groups: &[u8]) -> Vec<Vec<Piece>> {
    let n = groups
        .iter()
        .map(|&g| usize::from(g) + 1)
        .max()
        .unwrap_or(0);
    let mut out: Vec<Vec<Piece>> = vec![Vec::new(); n];
    for (place, &group) in groups.iter().enumerate() {
        let list = &mut out[usize::from(group)];
        match (list.last_mut(), axis.piece(place)) {
            // Neighbouring ranges are one.
            (Some(Piece::Range { at_most, .. }), Piece::Range { at_most: end, .. }) => {
                *at_most = end
            }
            (_, piece) => list.push(piece),
        }
    }
    out
}
