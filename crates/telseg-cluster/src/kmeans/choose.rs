//! How many clusters? The rule of [`choose`](crate::choose), by k-means.

use std::ops::RangeInclusive;

use ndarray::{Array1, ArrayRef2, Axis};
use serde::{Deserialize, Serialize};
use telseg_core::progress::Silent;
use telseg_core::{Error, Progress, Result, Scalar};

use super::model::KMeans;
use super::params::{Init, KMeansParams};
use crate::choose::{Candidate, ChooseParams, check_range, check_rows, judge};
use crate::metrics;

/// The number of clusters that was chosen, why, and the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct Choice<F: Scalar = f32> {
    /// Every number that was tried, ascending.
    pub candidates: Vec<Candidate>,
    /// The choice in a sentence.
    pub reason: String,
    /// The model with the chosen number of clusters, fitted on all rows.
    pub model: KMeans<F>,
}

impl KMeansParams {
    /// Tries each number of clusters in `ks` and fits the best on all rows; see [`choose`](crate::choose) for
    /// the rule.
    /// `n_clusters` is ignored. Sample and halves are clustered along [paths](Self::path) over k, each number helped by the
    /// one before, and the fit on all rows gets the centres that were chosen as one more start.
    ///
    /// # Errors
    /// Parameters, then data as in [`fit`](Self::fit); a half of the sample must hold the largest k. Given centres have a
    /// number already and are refused.
    ///
    /// # Cost
    /// `2 n_resamples + 1` [paths](Self::path) over at most `n_sample` rows, in parallel, and one fit on all rows.
    ///
    /// # Examples
    /// ```
    /// use ndarray::Array2;
    /// use telseg_cluster::{ChooseParams, KMeans};
    /// // Three kinds of subscribers, 40 of each.
    /// let usage = Array2::from_shape_fn((120, 2), |(i, j)| ((i % 3) * (3 + 4 * j)) as f32 + (i * (7 + j) % 11) as f32 * 0.05);
    /// let choice = KMeans::params(2).choose(2..=5, &usage, &ChooseParams::default())?;
    /// assert_eq!(choice.model.n_clusters(), 3);
    /// assert!(choice.reason.starts_with("3 segments: "));
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn choose<F: Scalar>(
        &self,
        ks: RangeInclusive<usize>,
        x: &ArrayRef2<F>,
        params: &ChooseParams,
    ) -> Result<Choice<F>> {
        self.choose_observed(ks, x, params, &Silent)
    }

    /// As [`choose`](Self::choose), with an observer that hears of every path.
    ///
    /// # Errors
    /// As `choose`.
    pub fn choose_observed<F: Scalar>(
        &self,
        ks: RangeInclusive<usize>,
        x: &ArrayRef2<F>,
        params: &ChooseParams,
        progress: &dyn Progress,
    ) -> Result<Choice<F>> {
        params.validate()?;
        let (low, high) = check_range(&ks)?;
        if matches!(self.init, Init::Centers(_)) {
            return Err(Error::param(
                "init",
                "given centres leave no number of clusters to choose",
            ));
        }
        Self {
            n_clusters: low,
            ..self.clone()
        }
        .validate()?;
        let n_sample = params.n_sample.min(x.nrows());
        check_rows(n_sample, high)?;
        let sample = x.select(Axis(0), &metrics::sample(x.nrows(), n_sample, params.seed));
        let mut models = Vec::new();
        let whole = || {
            let n_init = self.n_init.max(STARTS);
            models = self.clone().with_n_init(n_init).path(ks.clone(), &sample)?;
            Ok(models.iter().map(|model| model.labels().clone()).collect())
        };
        let half = |rows: &[usize]| -> Result<Vec<Array1<u32>>> {
            let models = self.path(ks.clone(), &sample.select(Axis(0), rows))?;
            models.iter().map(|model| model.predict(&sample)).collect()
        };
        let mut judged = judge(&sample, ks.clone(), params, whole, half, progress)?;
        for (candidate, model) in judged.candidates.iter_mut().zip(&models) {
            candidate.inertia = model.report().inertia;
        }
        Ok(Choice {
            model: self.fit_near(x, &models[judged.chosen])?,
            candidates: judged.candidates,
            reason: judged.reason,
        })
    }
}

/// Fresh starts of the clustering that is judged: a poor local optimum must not speak against its number of clusters.
const STARTS: usize = 10;
