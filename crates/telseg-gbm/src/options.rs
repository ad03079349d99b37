//! What a fit may be given besides rows and targets, and whether it fits them.

use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, ArrayView2};
use telseg_core::{Error, Progress, Result};

/// What a fit may be given besides rows and targets.
#[derive(Clone, Copy, Default)]
pub struct FitOptions<'a> {
    pub(crate) weights: Option<ArrayView1<'a, f32>>,
    pub(crate) validation: Option<(ArrayView2<'a, f32>, ArrayView1<'a, f32>)>,
    pub(crate) progress: Option<&'a dyn Progress>,
}

impl std::fmt::Debug for FitOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            weights,
            validation,
            progress,
        } = self;
        f.debug_struct("FitOptions")
            .field("weights", weights)
            .field("validation", validation)
            .field("progress", &progress.is_some())
            .finish()
    }
}

impl<'a> FitOptions<'a> {
    /// Weights of the training rows.
    #[must_use]
    pub fn with_weights(mut self, weights: &'a ArrayRef1<f32>) -> Self {
        self.weights = Some(weights.view());
        self
    }

    /// Rows whose loss is traced and that early stopping looks at.
    #[must_use]
    pub fn with_validation(mut self, x: &'a ArrayRef2<f32>, y: &'a ArrayRef1<f32>) -> Self {
        self.validation = Some((x.view(), y.view()));
        self
    }

    /// Who hears of every round.
    #[must_use]
    pub fn with_progress(mut self, progress: &'a dyn Progress) -> Self {
        self.progress = Some(progress);
        self
    }
}

pub(crate) fn check_rows(rows: usize, targets: usize) -> Result<()> {
    if rows == targets {
        return Ok(());
    }
    Err(Error::shape(
        "y",
        format!("{rows} targets (as rows of x)"),
        targets.to_string(),
    ))
}

/// Weights as a plain list: one a row, finite, not negative, not all 0.
pub(crate) fn checked_weights(weights: &ArrayRef1<f32>, rows: usize) -> Result<Vec<f32>> {
    if weights.len() != rows {
        return Err(Error::shape(
            "weights",
            format!("{rows} weights (as rows of x)"),
            weights.len().to_string(),
        ));
    }
    if let Some((row, w)) = weights
        .iter()
        .enumerate()
        .find(|(_, w)| !(**w >= 0.0 && w.is_finite()))
    {
        return Err(Error::data(
            "weights",
            format!("must be 0 or more, found {w} in row {row}"),
        ));
    }
    if weights.iter().all(|&w| w == 0.0) {
        return Err(Error::data("weights", "all are 0"));
    }
    Ok(weights.to_vec())
}
