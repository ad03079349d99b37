//! Calibration of several classes by one number.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::kernel::math::softmax;
use telseg_core::{Error, Result};

/// Steps of Newton's method at most; some ten are usual.
const STEPS: usize = 100;
/// The temperature stays within this factor of 1.
const LIMIT: f64 = 1e6;

/// Probabilities `softmax(scores / temperature)`: the order of classes stays, how sure the model is changes.
///
/// C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017), "On calibration of modern neural networks".
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::Temperature;
/// // Scores that differ by 8 claim near certainty, but only two thirds are right.
/// let scores = Array2::from_shape_fn((300, 3), |(i, k)| if k == i % 3 { 8.0 } else { 0.0 });
/// let label = Array1::from_shape_fn(300, |i| if i / 3 % 3 == 0 { (i + 1) % 3 } else { i % 3 } as u32);
/// let cooler = Temperature::fit(&scores, &label)?;
/// assert!((cooler.predict(&scores)?[(0, 0)] - 2.0 / 3.0).abs() < 0.01);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    temperature: f64,
    n_classes: usize,
}

impl Temperature {
    /// Learns the temperature from scores of rows that the model has not seen; minimises the log loss, which is convex in
    /// one over the temperature.
    ///
    /// # Shapes
    /// `scores`: rows by classes (log-odds or log-probabilities, up to a constant a row); `labels`: a class a row, from 0.
    ///
    /// # Errors
    /// When shapes differ, there are no rows or no classes, a score is not finite, or a label is no class.
    pub fn fit(scores: &ArrayRef2<f64>, labels: &ArrayRef1<u32>) -> Result<Self> {
        let n_classes = scores.ncols();
        check_scores(scores, n_classes)?;
        crate::options::check_rows(scores.nrows(), labels.len())?;
        if scores.is_empty() {
            return Err(Error::shape(
                "scores",
                "at least one row and one class",
                format!("{:?}", scores.dim()),
            ));
        }
        check_labels(labels, n_classes)?;
        let mut beta: f64 = 1.0;
        let mut row = vec![0.0; n_classes];
        for _ in 0..STEPS {
            // Loss of a row: ln(sum exp(beta z)) - beta z_label. Slope: mean z - z_label; curvature: variance of z.
            let [mut slope, mut curvature] = [0.0; 2];
            for (z, &label) in scores.rows().into_iter().zip(labels) {
                row.iter_mut().zip(z).for_each(|(out, z)| *out = beta * z);
                softmax(&mut row);
                let mean: f64 = row.iter().zip(z).map(|(p, z)| p * z).sum();
                slope += mean - z[label as usize];
                curvature += row
                    .iter()
                    .zip(z)
                    .map(|(p, z)| p * (z - mean).powi(2))
                    .sum::<f64>();
            }
            if curvature <= 0.0 {
                break; // all classes score the same: any temperature will do
            }
            // At most by the factor 4 a step: far from the minimum, the curvature there says little.
            let next = (beta - slope / curvature)
                .clamp(beta / 4.0, beta * 4.0)
                .clamp(1.0 / LIMIT, LIMIT);
            let moved = (next / beta - 1.0).abs();
            beta = next;
            if moved < 1e-12 {
                break;
            }
        }
        Ok(Self {
            temperature: 1.0 / beta,
            n_classes,
        })
    }

    /// What scores are divided by: above 1, the model was too sure.
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// Probabilities of the classes, row by row.
    ///
    /// # Errors
    /// When there is another number of classes than at fit, or a score is not finite.
    pub fn predict(&self, scores: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        check_scores(scores, self.n_classes)?;
        let mut out = Array2::from_shape_fn(scores.dim(), |at| scores[at] / self.temperature);
        for mut row in out.rows_mut() {
            if let Some(row) = row.as_slice_mut() {
                softmax(row);
            }
        }
        Ok(out)
    }
}

/// Refuses labels that are no class.
pub(crate) fn check_labels(labels: &ArrayRef1<u32>, n_classes: usize) -> Result<()> {
    let wrong = |(_, label): &(usize, &u32)| **label as usize >= n_classes;
    match labels.iter().enumerate().find(wrong) {
        Some((row, label)) => {
            let problem = format!("must be below {n_classes}, found {label} in row {row}");
            Err(Error::data("labels", problem))
        }
        None => Ok(()),
    }
}

fn check_scores(scores: &ArrayRef2<f64>, n_classes: usize) -> Result<()> {
    if scores.ncols() != n_classes {
        let expected = format!("{n_classes} classes (as at fit)");
        return Err(Error::shape("scores", expected, scores.ncols().to_string()));
    }
    match scores.indexed_iter().find(|(_, s)| !s.is_finite()) {
        Some((at, score)) => Err(Error::value("scores", format!("{score} is not finite"), at)),
        None => Ok(()),
    }
}

impl Artefact for Temperature {
    const KIND: &'static str = "temperature";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        if self.temperature > 0.0 && self.temperature.is_finite() && self.n_classes > 0 {
            return Ok(());
        }
        Err(Error::data(
            "temperature",
            "must be above 0 and finite, for at least one class",
        ))
    }
}
