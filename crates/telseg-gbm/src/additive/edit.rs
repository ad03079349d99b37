//! Changing what a model has learnt, by hand and on record.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::Ebm;
use super::axis::Axis;
use crate::isotonic::isotonic;

/// A change to one term; the model keeps a list of those that were made.
///
/// What is set is what is used: curves are not centred anew, so that an edit may change the mean prediction. A monotone fit
/// alone keeps it (to the weights of the training rows).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Edit {
    /// The points `first` to `last` of a column's curve take a value.
    Set {
        /// The column.
        feature: usize,
        /// Number of the first point, from 0.
        first: usize,
        /// Number of the last point.
        last: usize,
        /// What is added to the score there from now on.
        value: f64,
    },
    /// No point of a column's curve lies outside of these bounds.
    Clip {
        /// The column.
        feature: usize,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Each range of a column of quantities takes the weighted mean of itself and its neighbours on each side.
    Smooth {
        /// The column.
        feature: usize,
        /// Neighbours on each side.
        reach: usize,
    },
    /// A column of quantities gets the closest curve that never falls, or never rises (weighted least squares).
    Monotone {
        /// The column.
        feature: usize,
        /// Which way.
        direction: Direction,
    },
    /// A column's curve adds nothing.
    Remove {
        /// The column.
        feature: usize,
    },
    /// A pair's surface adds nothing.
    RemovePair {
        /// The columns, in any order.
        features: [usize; 2],
    },
}

/// Which way a curve may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Up or level.
    Increasing,
    /// Down or level.
    Decreasing,
}

impl Ebm {
    /// Changes a term; predictions, importances and explanations follow, and [`edits`](Ebm::edits) remembers it.
    ///
    /// # Errors
    /// When there is no such column, pair or point, a number is not finite, or the column holds levels where an order is
    /// needed; the model is then as it was.
    ///
    /// # Examples
    /// ```
    /// use ndarray::{Array1, Array2};
    /// use telseg_gbm::{Direction, Ebm, Edit, Objective};
    /// let x = Array2::from_shape_fn((500, 1), |(i, _)| (i % 50) as f32);
    /// let y = Array1::from_shape_fn(500, |i| ((i * 7) % 50 < i % 50) as u8 as f32);
    /// let mut model = Ebm::params(Objective::Binary).fit(&x, &y)?;
    /// // Whoever uses more shall never be expected to churn less.
    /// model.edit(Edit::Monotone { feature: 0, direction: Direction::Increasing })?;
    /// let curve = model.curve(0)?;
    /// assert!(curve.points[1..].windows(2).all(|w| w[0].value <= w[1].value));
    /// assert_eq!(model.edits().len(), 1);
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn edit(&mut self, edit: Edit) -> Result<()> {
        match edit {
            Edit::Set {
                feature,
                first,
                last,
                value,
            } => {
                let values = self.curve_values(feature)?;
                if first > last || last >= values.len() {
                    let expected = format!("points 0 to {}", values.len() - 1);
                    return Err(Error::shape(
                        "points",
                        expected,
                        format!("{first} to {last}"),
                    ));
                }
                finite("value", value)?;
                values[first..=last].fill(value);
            }
            Edit::Clip { feature, low, high } => {
                let values = self.curve_values(feature)?;
                finite("low", low)?;
                finite("high", high)?;
                if low > high {
                    return Err(Error::param(
                        "low",
                        format!("must be at most high, found {low} above {high}"),
                    ));
                }
                values.iter_mut().for_each(|v| *v = v.clamp(low, high));
            }
            Edit::Smooth { feature, reach } => {
                let (values, weights) = self.ordered(feature)?;
                smooth(values, weights, reach);
            }
            Edit::Monotone { feature, direction } => {
                let (values, weights) = self.ordered(feature)?;
                let sign = if direction == Direction::Increasing {
                    1.0
                } else {
                    -1.0
                };
                values.iter_mut().for_each(|v| *v *= sign);
                isotonic(values, weights);
                values.iter_mut().for_each(|v| *v *= sign);
            }
            Edit::Remove { feature } => self.curve_values(feature)?.fill(0.0),
            Edit::RemovePair { features } => {
                let [a, b] = features;
                let at = self
                    .terms
                    .iter()
                    .position(|t| [[a, b], [b, a]].iter().any(|f| t.features() == f));
                let Some(at) = at else {
                    return Err(Error::param(
                        "features",
                        format!("columns {a} and {b} have no surface"),
                    ));
                };
                self.terms[at].values.fill(0.0);
            }
        }
        self.edits.push(edit);
        Ok(())
    }

    /// The edits that were made, in order.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    fn curve_values(&mut self, feature: usize) -> Result<&mut Vec<f64>> {
        self.check_feature(feature)?;
        Ok(&mut self.terms[feature].values)
    }

    /// Values and weights of the ranges of a column of quantities.
    fn ordered(&mut self, feature: usize) -> Result<(&mut [f64], &[f64])> {
        self.check_feature(feature)?;
        if matches!(self.axes[feature], Axis::Levels(_)) {
            let problem = format!("column {feature} holds levels, which have no order");
            return Err(Error::param("feature", problem));
        }
        let term = &mut self.terms[feature];
        Ok((&mut term.values[1..], &term.weights[1..]))
    }
}

fn finite(name: &'static str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::param(name, format!("must be finite, found {value}")))
}

/// Weighted means over each value and its neighbours.
fn smooth(values: &mut [f64], weights: &[f64], reach: usize) {
    let old = values.to_vec();
    for (i, value) in values.iter_mut().enumerate() {
        let window =
            i.saturating_sub(reach)..i.saturating_add(reach).saturating_add(1).min(old.len());
        let weight: f64 = weights[window.clone()].iter().sum();
        if weight > 0.0 {
            let sum: f64 = window.map(|j| weights[j] * old[j]).sum();
            *value = sum / weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_weighs_its_neighbours() {
        let mut values = [0.0, 4.0, 8.0, 8.0];
        smooth(&mut values, &[1.0, 1.0, 2.0, 0.0], 1);
        assert_eq!(values, [2.0, 5.0, 20.0 / 3.0, 8.0]);
    }
}
