//! Partial dependence, and the curve of each row.

use ndarray::{Array1, Array2, ArrayRef2, Axis};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::{distinct, known};
use crate::agnostic::ask;
use crate::stats::checked_weights;

/// Parameters of [`PartialDependence`]; start from [`PartialDependence::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartialDependenceParams {
    /// Points of the grid, at most: a column with fewer different values gets those. 100 unless set.
    pub n_points: usize,
    /// The grid goes from the one quantile to the other. 0.05 and 0.95 unless set.
    pub between: [f64; 2],
}

impl Default for PartialDependenceParams {
    fn default() -> Self {
        Self {
            n_points: 100,
            between: [0.05, 0.95],
        }
    }
}

impl PartialDependenceParams {
    /// Sets the number of points.
    pub fn with_n_points(mut self, n_points: usize) -> Self {
        self.n_points = n_points;
        self
    }

    /// Sets from which quantile to which the grid goes.
    pub fn with_between(mut self, between: [f64; 2]) -> Self {
        self.between = between;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// `n_points` must be at least 2; `between` two numbers from 0 to 1, the lower first.
    pub fn validate(&self) -> Result<()> {
        if self.n_points < 2 {
            let problem = format!("must be at least 2, found {}", self.n_points);
            return Err(Error::param("n_points", problem));
        }
        let [low, high] = self.between;
        if !(low >= 0.0 && low < high && high <= 1.0) {
            let problem =
                format!("must be two numbers from 0 to 1, the lower first, found {low} and {high}");
            return Err(Error::param("between", problem));
        }
        Ok(())
    }

    /// Moves one column of all rows along its grid. Rows count alike unless they have weights.
    ///
    /// # Errors
    /// When a parameter cannot be, the column does not exist or has no finite value, weights cannot weigh, or the model fails.
    pub fn fit(
        &self,
        x: &ArrayRef2<f32>,
        weights: Option<&[f64]>,
        feature: usize,
        score: impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
    ) -> Result<PartialDependence> {
        self.validate()?;
        let grid = self.grid(known(x, feature)?);
        let weights = Array1::from(checked_weights(weights, x.nrows())?);
        let mut rows = x.to_owned();
        let mut curves = Array2::zeros((x.nrows(), grid.len()));
        for (&value, mut scores) in grid.iter().zip(curves.columns_mut()) {
            rows.column_mut(feature).fill(value);
            scores.assign(&ask(&score, &rows)?);
        }
        Ok(PartialDependence {
            feature,
            mean: weights.dot(&curves) / weights.sum(),
            grid,
            curves,
        })
    }

    /// Moves two columns of all rows along their grids.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); and when the two are the same column.
    pub fn fit_pair(
        &self,
        x: &ArrayRef2<f32>,
        weights: Option<&[f64]>,
        features: [usize; 2],
        score: impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
    ) -> Result<PartialPair> {
        self.validate()?;
        let [a, b] = features;
        if a == b {
            return Err(Error::param(
                "features",
                format!("must be two columns, found {a} twice"),
            ));
        }
        let grids = [self.grid(known(x, a)?), self.grid(known(x, b)?)];
        let weights = Array1::from(checked_weights(weights, x.nrows())?);
        let total = weights.sum();
        let mut rows = x.to_owned();
        let mut mean = Array2::zeros((grids[0].len(), grids[1].len()));
        for (&value, mut means) in grids[0].iter().zip(mean.rows_mut()) {
            rows.column_mut(a).fill(value);
            for (&value, mean) in grids[1].iter().zip(&mut means) {
                rows.column_mut(b).fill(value);
                *mean = ask(&score, &rows)?.dot(&weights) / total;
            }
        }
        Ok(PartialPair {
            features,
            grids,
            mean,
        })
    }

    /// All different values, or equal steps between two quantiles.
    fn grid(&self, values: Vec<f32>) -> Vec<f32> {
        let [low, high] = self.between.map(|p| quantile(&values, p));
        let different = distinct(values);
        if different.len() < self.n_points || low >= high {
            return different;
        }
        let step = (high - low) / (self.n_points - 1) as f64;
        (0..self.n_points)
            .map(|i| (low + step * i as f64) as f32)
            .collect()
    }
}

/// A quantile that is about unbiased for any distribution (Cunnane's plotting positions, 0.4).
fn quantile(sorted: &[f32], p: f64) -> f64 {
    let n = sorted.len() as f64;
    let place = (n * p + 0.4 + 0.2 * p).clamp(1.0, n);
    let at = |i: f64| f64::from(sorted[(i as usize).min(sorted.len()) - 1]);
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}

/// What the scores do when one column moves and all else stays: the mean over all rows, and the curve of each.
///
/// The rows that this makes may be such as never were, where columns are correlated: then look at
/// [`AccumulatedEffect`](super::AccumulatedEffect). Missing values in other columns stay missing.
///
/// # Cost
/// Points × rows model scores, and as many numbers.
///
/// # Examples
/// ```
/// use ndarray::{Array2, Axis};
/// use telseg_explain::PartialDependence;
/// // A longer tenure helps some and harms others: the mean hides it, the curves do not.
/// let x = Array2::from_shape_fn((100, 2), |(i, j)| if j == 0 { i as f32 } else { (i % 2) as f32 });
/// let model = |rows: &Array2<f32>| Ok(rows.map_axis(Axis(1), |r| f64::from(r[0] * (2.0 * r[1] - 1.0))));
/// let tenure = PartialDependence::params().with_n_points(5).fit(&x, None, 0, model)?;
/// assert!(tenure.mean.iter().all(|m| m.abs() < 1e-9));
/// let curves = tenure.centred();
/// assert!(curves[[1, 4]] > 80.0 && curves[[0, 4]] < -80.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartialDependence {
    /// Column, counted from 0.
    pub feature: usize,
    /// Values that the column was set to, ascending.
    pub grid: Vec<f32>,
    /// Weighted mean score at each.
    pub mean: Array1<f64>,
    /// Score of each row at each: rows by points (individual conditional expectation).
    pub curves: Array2<f64>,
}

impl PartialDependence {
    /// What to ask for: 100 points between the 5 % and the 95 % quantile.
    pub fn params() -> PartialDependenceParams {
        PartialDependenceParams::default()
    }

    /// The curves, each less its own start: what moving the column does, whatever the level of the row.
    pub fn centred(&self) -> Array2<f64> {
        &self.curves - &self.curves.index_axis(Axis(1), 0).insert_axis(Axis(1))
    }
}

/// What the mean score does when two columns move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartialPair {
    /// Columns, counted from 0.
    pub features: [usize; 2],
    /// Values that each was set to, ascending.
    pub grids: [Vec<f32>; 2],
    /// Weighted mean score: points of the first by points of the second.
    pub mean: Array2<f64>,
}
