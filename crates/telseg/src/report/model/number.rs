//! Numbers with their uncertainty, and how a number that is not there travels through JSON.

use serde::{Deserialize, Deserializer, Serialize};

/// An estimate and the interval around it; `NaN` where something is not known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interval {
    /// The best single number.
    #[serde(deserialize_with = "or_nan")]
    pub estimate: f64,
    /// Lower end of the interval.
    #[serde(deserialize_with = "or_nan")]
    pub low: f64,
    /// Upper end of the interval.
    #[serde(deserialize_with = "or_nan")]
    pub high: f64,
}

impl Interval {
    /// An estimate between its bounds.
    pub fn new(estimate: f64, low: f64, high: f64) -> Self {
        Self {
            estimate,
            low,
            high,
        }
    }

    /// An estimate of which no interval is known.
    pub fn point(estimate: f64) -> Self {
        Self::new(estimate, f64::NAN, f64::NAN)
    }

    /// The two ends, if both are numbers.
    pub(crate) fn ends(&self) -> Option<(f64, f64)> {
        (self.low.is_finite() && self.high.is_finite()).then_some((self.low, self.high))
    }
}

impl Default for Interval {
    fn default() -> Self {
        Self::point(f64::NAN)
    }
}

impl From<f64> for Interval {
    fn from(estimate: f64) -> Self {
        Self::point(estimate)
    }
}

/// Reads `null` as `NaN`: JSON has no other way to hold it.
pub(super) fn or_nan<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(nan(Option::deserialize(from)?))
}

/// [`or_nan`] for a list.
pub(super) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    let values: Vec<Option<f64>> = Vec::deserialize(from)?;
    Ok(values.into_iter().map(nan).collect())
}

/// [`or_nan`] for a list of lists.
pub(super) fn lists<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<f64>>, D::Error> {
    let rows: Vec<Vec<Option<f64>>> = Vec::deserialize(from)?;
    Ok(rows
        .into_iter()
        .map(|row| row.into_iter().map(nan).collect())
        .collect())
}

/// [`or_nan`] for the points of a curve.
pub(super) fn curve<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(f64, f64)>, D::Error> {
    let points: Vec<(Option<f64>, Option<f64>)> = Vec::deserialize(from)?;
    Ok(points.into_iter().map(|(x, y)| (nan(x), nan(y))).collect())
}

/// [`or_nan`] for numbers with names.
pub(super) fn named<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, f64)>, D::Error> {
    let pairs: Vec<(String, Option<f64>)> = Vec::deserialize(from)?;
    Ok(pairs.into_iter().map(|(name, v)| (name, nan(v))).collect())
}

fn nan(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}
