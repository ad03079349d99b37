//! How many clusters?
//!
//! A number of clusters is worth having when other subscribers of the same kind would have led to the same clusters
//! (*stable*) and these lie apart (*separated*). Stability: pairs of disjoint halves of a sample are clustered apart, both
//! clusterings label the whole sample, and the adjusted Rand index says how far they agree. Separation: the silhouette.
//!
//! The rule: among the candidates that are stable (at least `min_stability`, and not clearly below the best; the best
//! alone when none is), take the greatest k whose silhouette is within one standard error of the highest.
//!
//! # References
//! - A. Ben-Hur, A. Elisseeff, I. Guyon (2002), "A stability based method for discovering structure in clustered data".
//! - R. Tibshirani, G. Walther (2005), "Cluster validation by prediction strength".
//! - U. von Luxburg (2010), "Clustering stability: an overview".

use std::ops::RangeInclusive;

use ndarray::{Array2, ArrayRef2, Axis};
use rand::seq::SliceRandom as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::metrics::{Interval, partition::ari};
use telseg_core::progress::Silent;
use telseg_core::{Error, Progress, Result, Scalar, Seed};

use super::model::KMeans;
use super::params::{Init, KMeansParams};
use crate::metrics;

/// How the number of clusters is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChooseParams {
    /// Most rows that candidates are judged on; more are sampled. Default 8000.
    pub n_sample: usize,
    /// Pairs of half-samples that are clustered apart for each candidate, at least 2. Default 8.
    pub n_resamples: usize,
    /// Stability (adjusted Rand index) below which a candidate is not trusted. Default 0.8.
    pub min_stability: f64,
    /// Seed of samples and halves. Default 0.
    pub seed: u64,
}

impl Default for ChooseParams {
    fn default() -> Self {
        Self {
            n_sample: 8000,
            n_resamples: 8,
            min_stability: 0.8,
            seed: 0,
        }
    }
}

impl ChooseParams {
    /// Sets the most rows that candidates are judged on.
    pub fn with_n_sample(mut self, n_sample: usize) -> Self {
        self.n_sample = n_sample;
        self
    }

    /// Sets the pairs of half-samples.
    pub fn with_n_resamples(mut self, n_resamples: usize) -> Self {
        self.n_resamples = n_resamples;
        self
    }

    /// Sets the stability that is asked for.
    pub fn with_min_stability(mut self, min_stability: f64) -> Self {
        self.min_stability = min_stability;
        self
    }

    /// Sets the seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        let least = |name: &'static str, found: usize, least: usize| {
            if found >= least {
                return Ok(());
            }
            Err(Error::param(
                name,
                format!("expected at least {least}, found {found}"),
            ))
        };
        least("n_sample", self.n_sample, 10)?;
        least("n_resamples", self.n_resamples, 2)?;
        if !(0.0..=1.0).contains(&self.min_stability) {
            let problem = format!(
                "expected a number from 0 to 1, found {}",
                self.min_stability
            );
            return Err(Error::param("min_stability", problem));
        }
        Ok(())
    }
}

/// One number of clusters, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Number of clusters.
    pub k: usize,
    /// Sum of squared distances of the sample's rows to their centres.
    pub inertia: f64,
    /// Mean silhouette on the sample, with a 95 % interval over its rows.
    pub silhouette: Interval,
    /// Mean agreement (adjusted Rand index) of clusterings of two halves, with a 95 % interval over the pairs.
    pub stability: Interval,
    /// Whether it was chosen.
    pub chosen: bool,
}

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
    /// Tries each number of clusters in `ks` and fits the best on all rows; see the [module](self) for the rule.
    /// `n_clusters` is ignored.
    ///
    /// # Errors
    /// Parameters, then data as in [`fit`](Self::fit); a half of the sample must hold the largest k. Given centres have a
    /// number already and are refused.
    ///
    /// # Cost
    /// `2 n_resamples + 1` fits for each k on at most `n_sample` rows, in parallel, and one fit on all rows.
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

    /// As [`choose`](Self::choose), with an observer that hears of every fit.
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
        let (low, high) = (*ks.start(), *ks.end());
        if low < 2 || high < low {
            let problem = format!("expected a range from at least 2 up, found {low}..={high}");
            return Err(Error::param("ks", problem));
        }
        if matches!(self.init, Init::Centers(_)) {
            return Err(Error::param(
                "init",
                "given centres leave no number of clusters to choose",
            ));
        }
        self.clone().with_clusters(low).validate()?;
        let n_sample = params.n_sample.min(x.nrows());
        if n_sample / 2 < high {
            let expected = format!("at least {} rows to choose among {high} clusters", 2 * high);
            return Err(Error::shape("x", expected, n_sample.to_string()));
        }
        let sample = x.select(Axis(0), &metrics::sample(x.nrows(), n_sample, params.seed));
        progress.start(
            "choose the number of clusters",
            Some(((high - low + 1) * (params.n_resamples + 1)) as u64),
        );
        let candidates: Result<Vec<Candidate>> = ks
            .into_par_iter()
            .map(|k| {
                self.clone()
                    .with_clusters(k)
                    .candidate(&sample, params, progress)
            })
            .collect();
        progress.finish();
        let mut candidates = candidates?;
        let chosen = pick(&candidates, params.min_stability);
        candidates[chosen].chosen = true;
        Ok(Choice {
            reason: reason(&candidates, chosen, params.min_stability),
            model: self.clone().with_clusters(candidates[chosen].k).fit(x)?,
            candidates,
        })
    }

    fn with_clusters(mut self, n_clusters: usize) -> Self {
        self.n_clusters = n_clusters;
        self
    }

    fn candidate<F: Scalar>(
        &self,
        sample: &Array2<F>,
        params: &ChooseParams,
        progress: &dyn Progress,
    ) -> Result<Candidate> {
        let model = self.fit(sample)?;
        let values = metrics::silhouette_samples(sample, model.labels());
        progress.advance(1);
        // Where rows are too few or too alike for two clusters, there is nothing to separate.
        let values = values.map_or_else(|_| vec![0.0; sample.nrows()], |values| values.to_vec());
        let agreements: Result<Vec<f64>> = (0..params.n_resamples)
            .into_par_iter()
            .map(|pair| {
                let agreement = self.agreement(sample, params.seed, pair as u64);
                progress.advance(1);
                agreement
            })
            .collect();
        Ok(Candidate {
            k: self.n_clusters,
            inertia: model.report().inertia,
            silhouette: metrics::mean_interval(&values, params.seed)?,
            stability: metrics::mean_interval(&agreements?, params.seed)?,
            chosen: false,
        })
    }

    /// How far clusterings of two disjoint halves agree on all rows.
    fn agreement<F: Scalar>(&self, sample: &Array2<F>, seed: u64, pair: u64) -> Result<f64> {
        let mut rows: Vec<usize> = (0..sample.nrows()).collect();
        rows.shuffle(&mut Seed::new(seed).stream("kmeans.choose").index(pair));
        let labels = |half: &[usize]| -> Result<Vec<u32>> {
            let model: KMeans<F> = self.fit(&sample.select(Axis(0), half))?;
            Ok(model.predict(sample)?.to_vec())
        };
        let (a, b) = rows.split_at(rows.len() / 2);
        ari(&labels(a)?, &labels(b)?, None)
    }
}

/// Half the width of a 95 % interval is two standard errors.
fn standard_error(interval: &Interval) -> f64 {
    (interval.high - interval.low) / 4.0
}

/// The index of the candidate that the rule takes.
fn pick(candidates: &[Candidate], min_stability: f64) -> usize {
    let best = (0..candidates.len())
        .max_by(|&a, &b| {
            let stability = |i: usize| candidates[i].stability.estimate;
            stability(a).total_cmp(&stability(b))
        })
        .unwrap_or(0);
    let top = &candidates[best].stability;
    let near = top.estimate - 0.1 - 2.0 * standard_error(top);
    let stable: Vec<usize> = (0..candidates.len())
        .filter(|&i| candidates[i].stability.estimate >= min_stability.max(near))
        .collect();
    let Some(&separated) = stable.iter().max_by(|&&a, &&b| {
        let silhouette = |i: usize| candidates[i].silhouette.estimate;
        silhouette(a).total_cmp(&silhouette(b))
    }) else {
        return best;
    };
    let highest = &candidates[separated].silhouette;
    let enough = highest.estimate - standard_error(highest);
    let finest = stable.into_iter().rev();
    finest
        .into_iter()
        .find(|&i| candidates[i].silhouette.estimate >= enough)
        .unwrap_or(separated)
}

fn reason(candidates: &[Candidate], chosen: usize, min_stability: f64) -> String {
    let of = &candidates[chosen];
    let figures = format!(
        "stability {:.2}, silhouette {:.2}; {} numbers from {} to {} were tried",
        of.stability.estimate,
        of.silhouette.estimate,
        candidates.len(),
        candidates[0].k,
        candidates[candidates.len() - 1].k
    );
    if of.stability.estimate < min_stability {
        return format!(
            "{} segments: no number gives segments that other subscribers would confirm (all below {min_stability}), this \
             one comes nearest ({figures})",
            of.k
        );
    }
    format!(
        "{} segments: other subscribers of the same kind give the same segments, and none that does so lies further apart \
         ({figures})",
        of.k
    )
}
