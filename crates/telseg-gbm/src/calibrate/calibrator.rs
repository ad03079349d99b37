//! Calibration of the probability of a class.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result};

use super::logistic::logistic;
use crate::isotonic::isotonic;

/// Probabilities are kept this far from 0 and 1 before their logarithm is taken.
const EDGE: f64 = 1e-15;

/// How a probability is mapped to a better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Calibration {
    /// `logit(q) = a logit(p) + b`, with targets drawn in from 0 and 1 (J. Platt 1999, "Probabilistic outputs for support
    /// vector machines"). Two numbers: for a few hundred rows.
    Platt,
    /// `logit(q) = a logit(p)` (C. Guo and others 2017, "On calibration of modern neural networks"). One number: cures a
    /// model that is too sure, and keeps 50 % where it is.
    Temperature,
    /// `logit(q) = a ln p - b ln(1 - p) + c` with `a, b >= 0` (M. Kull, T. Silva Filho, P. Flach 2017, "Beta calibration").
    /// Three numbers; can leave honest probabilities as they are.
    Beta,
    /// The closest map that never falls, straight between its knots (B. Zadrozny, C. Elkan 2002, "Transforming classifier
    /// scores into accurate multiclass probability estimates"). For some thousand rows and more; makes ties.
    Isotonic,
}

/// Parameters of a calibrator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CalibratorParams {
    /// How probabilities are mapped.
    pub method: Calibration,
}

/// A map from probabilities to honest ones.
///
/// # Examples
/// ```
/// use ndarray::Array1;
/// use telseg_gbm::{Calibration, Calibrator};
/// // Of those called 90 % two thirds left, of those called 10 % one third.
/// let said = Array1::from_shape_fn(600, |i| if i % 2 == 0 { 0.9 } else { 0.1 });
/// let left = Array1::from_shape_fn(600, |i| ((i / 2 % 3 == 0) != (i % 2 == 0)) as u8 as f32);
/// let honest = Calibrator::params(Calibration::Platt).fit(&said, &left)?;
/// assert!((honest.predict_one(0.9)? - 2.0 / 3.0).abs() < 0.01);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrator {
    method: Calibration,
    map: Map,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Map {
    /// Log-odds `a ln p - b ln(1 - p) + c`.
    LogOdds([f64; 3]),
    /// Knots in ascending order, and what they are mapped to.
    Knots(Vec<f64>, Vec<f64>),
}

impl Calibrator {
    /// Parameters of a method.
    pub fn params(method: Calibration) -> CalibratorParams {
        CalibratorParams { method }
    }

    /// How probabilities are mapped.
    pub fn method(&self) -> Calibration {
        self.method
    }

    /// The honest probability for one that a model gave.
    ///
    /// # Errors
    /// When `p` is no number from 0 to 1.
    pub fn predict_one(&self, p: f64) -> Result<f64> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::data("p", format!("must be 0 to 1, found {p}")));
        }
        Ok(match &self.map {
            Map::LogOdds([a, b, c]) => {
                let [with, against] = logs(p);
                1.0 / (1.0 + (-(a * with - b * against + c)).exp())
            }
            Map::Knots(from, to) => between(from, to, p),
        })
    }

    /// The same for many.
    ///
    /// # Errors
    /// When one is no number from 0 to 1.
    pub fn predict(&self, p: &ArrayRef1<f64>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(p.len());
        self.predict_into(p, &mut out)?;
        Ok(out)
    }

    /// The same, written to `out`.
    ///
    /// # Errors
    /// When one is no number from 0 to 1, or `out` has another length.
    pub fn predict_into(&self, p: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) -> Result<()> {
        if out.len() != p.len() {
            let expected = format!("{} numbers (as p)", p.len());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        for (&p, out) in p.iter().zip(out) {
            *out = self.predict_one(p)?;
        }
        Ok(())
    }
}

/// `ln p` and `ln(1 - p)`.
fn logs(p: f64) -> [f64; 2] {
    let p = p.clamp(EDGE, 1.0 - EDGE);
    [p.ln(), (-p).ln_1p()]
}

/// Straight lines between knots; outside of them, the outermost.
fn between(from: &[f64], to: &[f64], p: f64) -> f64 {
    let above = from.partition_point(|&knot| knot <= p);
    match (above.checked_sub(1), from.get(above)) {
        (None, _) => to[0],
        (Some(low), None) => to[low],
        (Some(low), Some(&high)) => {
            to[low] + (to[above] - to[low]) * (p - from[low]) / (high - from[low])
        }
    }
}

impl CalibratorParams {
    /// Learns the map from predictions for rows that the model has not seen.
    ///
    /// # Shapes
    /// `p`: a probability a row; `y`: 0 or 1 a row.
    ///
    /// # Errors
    /// When lengths differ, there are no rows, a prediction is no number from 0 to 1, or `y` holds something else than 0
    /// and 1.
    ///
    /// # Cost
    /// Some ten passes; a sort for [`Calibration::Isotonic`].
    pub fn fit(&self, p: &ArrayRef1<f64>, y: &ArrayRef1<f32>) -> Result<Calibrator> {
        self.learn(p, y, None)
    }

    /// The same with weighted rows; a row of weight 0 is as good as absent.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), or when a weight is negative or not finite.
    pub fn fit_weighted(
        &self,
        p: &ArrayRef1<f64>,
        y: &ArrayRef1<f32>,
        weights: &ArrayRef1<f32>,
    ) -> Result<Calibrator> {
        self.learn(p, y, Some(weights))
    }

    fn learn(
        &self,
        p: &ArrayRef1<f64>,
        y: &ArrayRef1<f32>,
        weights: Option<&ArrayRef1<f32>>,
    ) -> Result<Calibrator> {
        crate::options::check_rows(p.len(), y.len())?;
        if p.is_empty() {
            return Err(Error::shape("p", "at least one row", "0"));
        }
        if let Some((row, p)) = p
            .iter()
            .enumerate()
            .find(|(_, p)| !(0.0..=1.0).contains(*p))
        {
            return Err(Error::data(
                "p",
                format!("must be 0 to 1, found {p} in row {row}"),
            ));
        }
        crate::Objective::Binary.check(&y.to_vec())?;
        let weights = weights
            .map(|w| crate::options::checked_weights(w, p.len()))
            .transpose()?;
        let rows: Vec<Row> = (0..p.len())
            .map(|i| Row {
                p: p[i],
                y: f64::from(y[i]),
                weight: weights.as_ref().map_or(1.0, |w| f64::from(w[i])),
            })
            .filter(|row| row.weight > 0.0)
            .collect();
        let map = match self.method {
            Calibration::Platt => platt(&rows),
            Calibration::Temperature => temperature(&rows),
            Calibration::Beta => beta(&rows),
            Calibration::Isotonic => knots(rows),
        };
        Ok(Calibrator {
            method: self.method,
            map,
        })
    }
}

/// A prediction, what became of it, and how much it counts.
#[derive(Clone, Copy)]
struct Row {
    p: f64,
    y: f64,
    weight: f64,
}

fn platt(rows: &[Row]) -> Map {
    let positive: f64 = rows.iter().map(|r| r.weight * r.y).sum();
    let negative: f64 = rows.iter().map(|r| r.weight * (1.0 - r.y)).sum();
    // Platt's eq. 16: one case of each kind more than were seen.
    let targets = [1.0 / (negative + 2.0), (positive + 1.0) / (positive + 2.0)];
    let row = |i: usize| {
        let [with, against] = logs(rows[i].p);
        let target = targets[usize::from(rows[i].y > 0.5)];
        ([with - against, 1.0], target, rows[i].weight)
    };
    let [slope, intercept] = logistic(rows.len(), row, [true; 2]);
    Map::LogOdds([slope, slope, intercept])
}

fn temperature(rows: &[Row]) -> Map {
    let row = |i: usize| {
        let [with, against] = logs(rows[i].p);
        ([with - against], rows[i].y, rows[i].weight)
    };
    let [slope] = logistic(rows.len(), row, [true]);
    Map::LogOdds([slope, slope, 0.0])
}

fn beta(rows: &[Row]) -> Map {
    let row = |i: usize| {
        let [with, against] = logs(rows[i].p);
        ([with, -against, 1.0], rows[i].y, rows[i].weight)
    };
    let fit = |free: [bool; 3]| logistic(rows.len(), row, free);
    // A slope below 0 would turn the ranking round: it is left out, and the other fitted anew.
    let mut free = [true; 3];
    let mut found = fit(free);
    while let Some(below) = (0..2).find(|&k| found[k] < 0.0) {
        free[below] = false;
        found = fit(free);
    }
    Map::LogOdds(found)
}

fn knots(mut rows: Vec<Row>) -> Map {
    rows.sort_by(|a, b| a.p.total_cmp(&b.p));
    let (mut from, mut to, mut weights): (Vec<f64>, Vec<f64>, Vec<f64>) = Default::default();
    for rows in rows.chunk_by(|a, b| a.p == b.p) {
        let weight: f64 = rows.iter().map(|r| r.weight).sum();
        from.push(rows[0].p);
        to.push(rows.iter().map(|r| r.weight * r.y).sum::<f64>() / weight);
        weights.push(weight);
    }
    let pools = isotonic(&mut to, &weights);
    // Between the ends of a pool nothing changes.
    let mut kept = (Vec::new(), Vec::new());
    let mut at = 0;
    for n in pools {
        let ends = [at, at + n - 1];
        for &end in &ends[..n.min(2)] {
            kept.0.push(from[end]);
            kept.1.push(to[end].clamp(0.0, 1.0));
        }
        at += n;
    }
    Map::Knots(kept.0, kept.1)
}

impl Artefact for Calibrator {
    const KIND: &'static str = "calibrator";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        let sound = match &self.map {
            Map::LogOdds(numbers) => numbers.iter().all(|v| v.is_finite()),
            Map::Knots(from, to) => {
                let share = |v: &f64| (0.0..=1.0).contains(v);
                let lengths = !from.is_empty() && from.len() == to.len();
                lengths
                    && from.iter().chain(to).all(share)
                    && from.windows(2).all(|w| w[0] < w[1])
                    && to.windows(2).all(|w| w[0] <= w[1])
            }
        };
        if sound && (self.method == Calibration::Isotonic) == matches!(self.map, Map::Knots(..)) {
            return Ok(());
        }
        let problem = "the map must be finite, within 0 and 1, never fall, and be of its method";
        Err(Error::data("calibrator", problem))
    }
}
