//! How many clusters?
//!
//! A cluster is worth having when other subscribers of the same kind would have led to it, too. Pairs of disjoint halves of
//! a sample are clustered apart and label the whole sample. A cluster of the sample is *confirmed* by as much as the most
//! similar cluster of a half resembles it (Jaccard: rows in both over rows in either), on average over the halves.
//!
//! The rule has two cases.
//! - Clusters lie apart: the highest silhouette is at least [`APART`]. Then that k is taken, the greatest within one
//!   standard error of it.
//! - They run into each other, as subscribers do: then the silhouette is low throughout and highest for the coarsest. Taken
//!   is the greatest k whose clusters are all confirmed, by at least `min_confirmed`; where no k is, the one whose least
//!   confirmed cluster is confirmed best.
//!
//! Each candidate also tells its stability, the adjusted Rand index of the two halves' labels. It decides nothing: one
//! cluster among many that is cut at random hardly lowers an index over all rows.
//!
//! # References
//! - C. Hennig (2007), "Cluster-wise assessment of cluster stability": the Jaccard similarity by cluster, and 0.6 as the
//!   value from which on a cluster shows a pattern in the data (0.75 and more: stable).
//! - L. Kaufman, P. Rousseeuw (1990), "Finding groups in data", table 4: a silhouette above 0.5 as reasonable structure.
//! - R. Tibshirani, G. Walther (2005), "Cluster validation by prediction strength": the greatest k whose weakest cluster
//!   still passes.
//! - U. von Luxburg (2010), "Clustering stability: an overview".

use std::ops::RangeInclusive;

use ndarray::{Array1, Array2, ArrayRef2, Axis};
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
    /// Confirmation (mean Jaccard similarity) below which a cluster is not trusted. Default 0.6.
    pub min_confirmed: f64,
    /// Seed of samples and halves. Default 0.
    pub seed: u64,
}

impl Default for ChooseParams {
    fn default() -> Self {
        Self {
            n_sample: 8000,
            n_resamples: 8,
            min_confirmed: 0.6,
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
    pub fn with_min_confirmed(mut self, min_confirmed: f64) -> Self {
        self.min_confirmed = min_confirmed;
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
        if !(0.0..=1.0).contains(&self.min_confirmed) {
            let problem = format!(
                "expected a number from 0 to 1, found {}",
                self.min_confirmed
            );
            return Err(Error::param("min_confirmed", problem));
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
    /// Confirmation of each cluster of the sample: mean Jaccard similarity to the most similar cluster of a half.
    pub confirmed: Vec<f64>,
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
        let chosen = pick(&candidates, params.min_confirmed);
        candidates[chosen].chosen = true;
        Ok(Choice {
            reason: reason(&candidates, chosen, params.min_confirmed),
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
        let model = self
            .clone()
            .with_n_init(self.n_init.max(STARTS))
            .fit(sample)?;
        let values = metrics::silhouette_samples(sample, model.labels());
        progress.advance(1);
        // Where rows are too few or too alike for two clusters, there is nothing to separate.
        let values = values.map_or_else(|_| vec![0.0; sample.nrows()], |values| values.to_vec());
        let halves: Result<Vec<Halves>> = (0..params.n_resamples)
            .into_par_iter()
            .map(|pair| {
                let halves = self.halves(sample, model.labels(), params.seed, pair as u64);
                progress.advance(1);
                halves
            })
            .collect();
        let halves = halves?;
        let agreements: Vec<f64> = halves.iter().map(|h| h.agreement).collect();
        let mean =
            |j: usize| halves.iter().map(|h| h.confirmed[j]).sum::<f64>() / halves.len() as f64;
        Ok(Candidate {
            k: self.n_clusters,
            inertia: model.report().inertia,
            silhouette: metrics::mean_interval(&values, params.seed)?,
            stability: metrics::mean_interval(&agreements, params.seed)?,
            confirmed: (0..self.n_clusters).map(mean).collect(),
            chosen: false,
        })
    }

    /// Clusters two disjoint halves apart and lets both label all rows.
    fn halves<F: Scalar>(
        &self,
        sample: &Array2<F>,
        labels: &Array1<u32>,
        seed: u64,
        pair: u64,
    ) -> Result<Halves> {
        let mut rows: Vec<usize> = (0..sample.nrows()).collect();
        rows.shuffle(&mut Seed::new(seed).stream("kmeans.choose").index(pair));
        let labelled = |half: &[usize]| -> Result<Vec<u32>> {
            let model: KMeans<F> = self.fit(&sample.select(Axis(0), half))?;
            Ok(model.predict(sample)?.to_vec())
        };
        let (a, b) = rows.split_at(rows.len() / 2);
        let (a, b) = (labelled(a)?, labelled(b)?);
        let (of_a, of_b) = (
            similarity(labels, &a, self.n_clusters),
            similarity(labels, &b, self.n_clusters),
        );
        Ok(Halves {
            agreement: ari(&a, &b, None)?,
            confirmed: of_a.iter().zip(of_b).map(|(a, b)| (a + b) / 2.0).collect(),
        })
    }
}

/// What two halves say of a clustering.
struct Halves {
    /// Adjusted Rand index of their labels.
    agreement: f64,
    /// By cluster, the mean of its largest Jaccard similarities in the two.
    confirmed: Vec<f64>,
}

/// For each cluster, its Jaccard similarity to the most similar cluster of another labelling; 0 where it is empty.
fn similarity(labels: &Array1<u32>, others: &[u32], n_clusters: usize) -> Vec<f64> {
    let (mut both, mut of, mut of_other) = (
        vec![0.0; n_clusters * n_clusters],
        vec![0.0; n_clusters],
        vec![0.0; n_clusters],
    );
    for (&label, &other) in labels.iter().zip(others) {
        let (label, other) = (label as usize, other as usize);
        both[label * n_clusters + other] += 1.0;
        of[label] += 1.0;
        of_other[other] += 1.0;
    }
    both.chunks_exact(n_clusters)
        .zip(&of)
        .map(|(both, &rows)| {
            let pairs = both.iter().zip(&of_other).filter(|(both, _)| **both > 0.0);
            pairs
                .map(|(&both, &other): (&f64, &f64)| both / (rows + other - both))
                .fold(0.0, f64::max)
        })
        .collect()
}

impl Candidate {
    /// Confirmation of the least confirmed cluster.
    pub fn weakest(&self) -> f64 {
        self.confirmed.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// Starts of the clustering that is judged: a poor local optimum must not speak against its number of clusters.
const STARTS: usize = 10;

/// Silhouette from which on clusters are taken to lie apart.
pub const APART: f64 = 0.5;

/// The index of the candidate that the rule takes; candidates are in ascending order of k.
fn pick(candidates: &[Candidate], min_confirmed: f64) -> usize {
    let silhouettes = candidates.iter().map(|c| &c.silhouette);
    if let Some(highest) = silhouettes.max_by(|a, b| a.estimate.total_cmp(&b.estimate))
        && highest.estimate >= APART
    {
        // Half the width of a 95 % interval is two standard errors.
        let enough = highest.estimate - (highest.high - highest.low) / 4.0;
        return candidates
            .iter()
            .rposition(|c| c.silhouette.estimate >= enough)
            .unwrap_or(0);
    }
    let passes = |c: &Candidate| c.weakest() >= min_confirmed;
    let finest = candidates.iter().rposition(passes);
    let least_bad = || {
        (0..candidates.len())
            .max_by(|&a, &b| candidates[a].weakest().total_cmp(&candidates[b].weakest()))
    };
    finest.or_else(least_bad).unwrap_or(0)
}

fn reason(candidates: &[Candidate], chosen: usize, min_confirmed: f64) -> String {
    let of = &candidates[chosen];
    let (low, high) = (candidates[0].k, candidates[candidates.len() - 1].k);
    let figures = format!(
        "the least confirmed by {:.2} of 1, stability {:.2}",
        of.weakest(),
        of.stability.estimate
    );
    let of_all = candidates
        .iter()
        .map(|c| c.silhouette.estimate)
        .fold(f64::NEG_INFINITY, f64::max);
    if of_all >= APART {
        return format!(
            "{} segments: of {low} to {high}, these lie farthest apart (silhouette {:.2}; {figures}).",
            of.k, of.silhouette.estimate
        );
    }
    if of.weakest() < min_confirmed {
        return format!(
            "{} segments: none of {low} to {high} gives segments that other subscribers would all confirm; this one comes \
             nearest ({figures}; {min_confirmed} asked for).",
            of.k
        );
    }
    let finer = if of.k < high {
        format!("; finer ones up to {high} do not hold")
    } else {
        String::new()
    };
    format!(
        "{} segments: other subscribers of the same kind would confirm each of them ({figures}){finer}.",
        of.k
    )
}
