//! How many clusters?
//!
//! A cluster is worth having when other subscribers of the same kind would have led to it, too. Pairs of disjoint halves of
//! a sample are clustered apart, by the same method, and label the whole sample. A cluster of the sample is *confirmed* by as much as the most
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

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use rand::seq::SliceRandom as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::metrics::{Interval, partition::ari};
use telseg_core::{Error, Progress, Result, Scalar, Seed};

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

/// Every number of clusters that was judged, and the one that the rule takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Judged {
    /// Every number that was tried, ascending.
    pub candidates: Vec<Candidate>,
    /// The index of the candidate that was chosen.
    pub chosen: usize,
    /// The choice in a sentence.
    pub reason: String,
}

/// Judges the clusterings of the rows of `x` by some method, one for each number of clusters in `ks`; see the
/// [module](self) for the rule. [`KMeansParams::choose`](crate::KMeansParams::choose) is the one of k-means.
///
/// `whole` returns the labels of all rows for each number, ascending. `half` clusters the rows that it is told of, by the
/// same method, and returns the labels that these clusters give *all* rows, in the same order. It is called for two disjoint
/// halves of the rows, `n_resamples` times, in parallel; `progress` hears of these and of the whole. `n_sample` is not used:
/// all rows are judged.
///
/// # Errors
/// When a parameter cannot be, a half has fewer rows than the largest number of clusters, labels are not as many as rows
/// or not below the number of clusters, or a clustering fails (its error comes back).
///
/// # Cost
/// The silhouettes of every clustering, `n^2` distances each, and `2 n_resamples` calls of `half`.
///
/// # Examples
/// ```
/// use ndarray::{Array2, Axis};
/// use telseg_cluster::choose::{ChooseParams, judge};
/// use telseg_cluster::hierarchical::Assign;
/// use telseg_cluster::Hierarchical;
/// use telseg_core::{Result, progress::Silent};
/// // Three kinds of subscribers, 40 of each, by Ward's hierarchy.
/// let x = Array2::from_shape_fn((120, 2), |(i, j)| ((i % 3) * (3 + 4 * j)) as f32 + (i * (7 + j) % 11) as f32 * 0.05);
/// let all = |rows: &[usize]| -> Result<Vec<_>> {
///     (2..=5).map(|k| Hierarchical::params(k).with_assign(Assign::NearestCenter).fit(&x.select(Axis(0), rows))?.predict(&x)).collect()
/// };
/// let every: Vec<usize> = (0..120).collect();
/// let judged = judge(&x, 2..=5, &ChooseParams::default(), || all(&every), all, &Silent)?;
/// assert_eq!(judged.candidates[judged.chosen].k, 3);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn judge<F: Scalar>(
    x: &ArrayRef2<F>,
    ks: RangeInclusive<usize>,
    params: &ChooseParams,
    whole: impl FnOnce() -> Result<Vec<Array1<u32>>> + Send,
    half: impl Fn(&[usize]) -> Result<Vec<Array1<u32>>> + Sync,
    progress: &dyn Progress,
) -> Result<Judged> {
    params.validate()?;
    let (low, high) = check_range(&ks)?;
    check_rows(x.nrows(), high)?;
    let task = Task {
        ks,
        n_rows: x.nrows(),
        params,
    };
    let n_paths = 2 * params.n_resamples + 1;
    progress.start("choose the number of clusters", Some(n_paths as u64));
    let whole = || -> Result<Vec<Array1<u32>>> {
        let labels = whole()?;
        task.check("whole", &labels)?;
        progress.advance(1);
        Ok(labels)
    };
    let (labels, pairs) = rayon::join(whole, || task.pairs(&half, progress));
    progress.finish();
    let (labels, pairs) = (labels?, pairs?);
    let candidates: Result<Vec<Candidate>> = labels
        .par_iter()
        .enumerate()
        .map(|(at, labels)| task.candidate(x, low + at, labels, pairs.iter().map(|pair| &pair[at])))
        .collect();
    let mut candidates = candidates?;
    let chosen = pick(&candidates, params.min_confirmed);
    candidates[chosen].chosen = true;
    Ok(Judged {
        reason: reason(&candidates, chosen, params.min_confirmed),
        candidates,
        chosen,
    })
}

/// A range of numbers of clusters that can be chosen among.
pub(crate) fn check_range(ks: &RangeInclusive<usize>) -> Result<(usize, usize)> {
    let (low, high) = (*ks.start(), *ks.end());
    if low < 2 || high < low {
        let problem = format!("expected a range from at least 2 up, found {low}..={high}");
        return Err(Error::param("ks", problem));
    }
    Ok((low, high))
}

/// Enough rows that a half holds the largest number of clusters.
pub(crate) fn check_rows(n_rows: usize, high: usize) -> Result<()> {
    if n_rows / 2 < high {
        let expected = format!("at least {} rows to choose among {high} clusters", 2 * high);
        return Err(Error::shape("x", expected, n_rows.to_string()));
    }
    Ok(())
}

/// What is judged.
struct Task<'a> {
    ks: RangeInclusive<usize>,
    n_rows: usize,
    params: &'a ChooseParams,
}

impl Task<'_> {
    /// Labels of all rows for each number of clusters.
    fn check(&self, name: &'static str, labels: &[Array1<u32>]) -> Result<()> {
        let n_numbers = self.ks.end() - self.ks.start() + 1;
        if labels.len() != n_numbers {
            let expected = format!("labels for each of {n_numbers} numbers of clusters");
            return Err(Error::shape(name, expected, labels.len().to_string()));
        }
        for (k, labels) in self.ks.clone().zip(labels) {
            if labels.len() != self.n_rows {
                let expected = format!("labels for all {} rows", self.n_rows);
                return Err(Error::shape(name, expected, labels.len().to_string()));
            }
            if let Some(label) = labels.iter().find(|&&label| label as usize >= k) {
                let expected = format!("labels below {k}, the number of clusters");
                return Err(Error::shape(name, expected, label.to_string()));
            }
        }
        Ok(())
    }

    /// By pair of halves and number of clusters, how both label all rows.
    fn pairs(
        &self,
        half: &(impl Fn(&[usize]) -> Result<Vec<Array1<u32>>> + Sync),
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<[Array1<u32>; 2]>>> {
        let of = |rows: &[usize]| -> Result<Vec<Array1<u32>>> {
            let labels = half(rows)?;
            self.check("half", &labels)?;
            progress.advance(1);
            Ok(labels)
        };
        (0..self.params.n_resamples)
            .into_par_iter()
            .map(|pair| {
                let mut rows: Vec<usize> = (0..self.n_rows).collect();
                let stream = Seed::new(self.params.seed).stream("kmeans.choose");
                rows.shuffle(&mut stream.index(pair as u64));
                let (a, b) = rows.split_at(rows.len() / 2);
                let (a, b) = rayon::join(|| of(a), || of(b));
                Ok(a?.into_iter().zip(b?).map(|(a, b)| [a, b]).collect())
            })
            .collect()
    }

    fn candidate<'h, F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        k: usize,
        labels: &Array1<u32>,
        pairs: impl Iterator<Item = &'h [Array1<u32>; 2]>,
    ) -> Result<Candidate> {
        let values = metrics::silhouette_samples(x, labels);
        // Where rows are too few or too alike for two clusters, there is nothing to separate.
        let values = values.map_or_else(|_| vec![0.0; self.n_rows], |values| values.to_vec());
        let (mut agreements, mut confirmed) = (Vec::new(), vec![0.0; k]);
        for [a, b] in pairs {
            agreements.push(ari(&a.to_vec(), &b.to_vec(), None)?);
            for half in [a, b] {
                let similar = similarity(labels, half, k);
                confirmed.iter_mut().zip(similar).for_each(|(c, s)| *c += s);
            }
        }
        let halves = 2.0 * agreements.len() as f64;
        Ok(Candidate {
            k,
            inertia: metrics::inertia(x, labels)?,
            silhouette: metrics::mean_interval(&values, self.params.seed)?,
            stability: metrics::mean_interval(&agreements, self.params.seed)?,
            confirmed: confirmed.into_iter().map(|c| c / halves).collect(),
            chosen: false,
        })
    }
}

/// For each cluster, its Jaccard similarity to the most similar cluster of another labelling; 0 where it is empty.
fn similarity(labels: &ArrayRef1<u32>, others: &ArrayRef1<u32>, n_clusters: usize) -> Vec<f64> {
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
