//! Fits every candidate, measures what it finds, and recommends one.

use std::ops::RangeInclusive;
use std::time::Instant;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use serde::{Deserialize, Serialize};
use telseg_core::metrics::{Bootstrap, Interval};
use telseg_core::{Error, Result, Scalar};

use super::method::{Clusterer, Task, clustered};
use super::params::CompareParams;
use super::rule;
use crate::metrics::{self, Gap, GapParams, GapStep, Stability, StabilityParams};
use crate::rows::check_shape;

/// Resamples behind the intervals of Davies-Bouldin and Calinski-Harabasz.
const RESAMPLES: usize = 200;

/// What was found by all candidates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Each method at each number of clusters, in the order of the methods. Its [`Display`](std::fmt::Display) is a table.
    pub judged: Vec<Judged>,
    /// The one that is recommended, by its place in `judged`.
    pub recommended: Option<usize>,
    /// Why, and who disagrees, in a sentence or two.
    pub reason: String,
    /// Which candidate each measure would take.
    pub votes: Vec<Vote>,
    /// Rows that they were judged on.
    pub n_rows: usize,
}

/// The candidate that one measure would take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Vote {
    /// The measure.
    pub measure: String,
    /// Place in [`Comparison::judged`].
    pub at: usize,
}

/// One method at one number of clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Judged {
    /// The method.
    pub method: String,
    /// The number of clusters that was asked for; `None` where the method finds its own.
    pub k: Option<usize>,
    /// The number that was found.
    pub n_clusters: usize,
    /// Share of the rows that are noise.
    pub noise: f64,
    /// Mean silhouette over all rows, 0 for noise.
    pub silhouette: Option<Interval>,
    /// Davies-Bouldin index of the rows in clusters; lower is better.
    pub davies_bouldin: Option<Interval>,
    /// Calinski-Harabasz index of the rows in clusters; higher is better.
    pub calinski_harabasz: Option<Interval>,
    /// Gap statistic, where it was asked for and there is no noise.
    pub gap: Option<GapStep>,
    /// What bootstrap samples make of it.
    pub stability: Option<Stability>,
    /// Wall time of one fit on the sample, in seconds: the one figure that differs from run to run.
    pub seconds: f64,
    /// Why it could not be judged.
    pub problem: Option<String>,
}

impl Judged {
    /// Mean Jaccard similarity of the cluster that bootstrap samples confirm least; 0 where there is none.
    pub fn weakest(&self) -> f64 {
        self.stability.as_ref().map_or(0.0, Stability::weakest)
    }
}

/// Clusters a sample of `x` by every method with every number of clusters in `ks`, judges what they find, and recommends one;
/// see the [module](super) for the rule.
///
/// # Errors
/// When a parameter cannot be, `ks` does not start at 2 or more, there are fewer rows than clusters, or no method could be
/// judged (its error comes back). A method that fails on its own is in the table with its problem.
///
/// # Cost
/// `1 + n_resamples + n_references` fits of each candidate on at most `n_sample` rows, and `n_sample^2` distances.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use telseg_cluster::{Hierarchical, KMeans};
/// use telseg_cluster::compare::{Clusterer, CompareParams, compare};
/// // Three kinds of subscribers, 40 of each.
/// let usage = Array2::from_shape_fn((120, 2), |(i, j)| ((i % 3) * (3 + 4 * j)) as f32 + (i * (7 + j) % 11) as f32 * 0.05);
/// let (kmeans, ward) = (KMeans::params(2), Hierarchical::params(2));
/// let methods: [&dyn Clusterer<f32>; 2] = [&kmeans, &ward];
/// let found = compare(&usage, 2..=4, &methods, &CompareParams::default().with_n_resamples(5))?;
/// println!("{found}");
/// let best = &found.judged[found.recommended.expect("three kinds lie apart")];
/// assert_eq!(best.n_clusters, 3);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn compare<F: Scalar>(
    x: &ArrayRef2<F>,
    ks: RangeInclusive<usize>,
    methods: &[&dyn Clusterer<F>],
    params: &CompareParams,
) -> Result<Comparison> {
    check(x, &ks, methods, params)?;
    let rows = metrics::sample(x.nrows(), params.n_sample, params.seed);
    let sample = x.select(Axis(0), &rows);
    let mut judged = Vec::new();
    let mut gaps = Vec::new();
    let mut failed = None;
    for method in methods {
        let numbers: Vec<Option<usize>> = if method.takes_k() {
            ks.clone().map(Some).collect()
        } else {
            vec![None]
        };
        let first = judged.len();
        for k in numbers {
            judged.push(
                judge(&sample, *method, k, params).unwrap_or_else(|problem| {
                    let found = failed_candidate(method.name(), k, problem.to_string());
                    failed.get_or_insert(problem);
                    found
                }),
            );
        }
        if let Some(gap) = gap(&sample, *method, ks.clone(), params, &judged[first..]) {
            for (judged, step) in judged[first..].iter_mut().zip(&gap.steps) {
                judged.gap = Some(*step);
            }
            gaps.extend(gap.chosen.map(|k| first + k - ks.start()));
        }
    }
    if let (true, Some(problem)) = (judged.iter().all(|j| j.problem.is_some()), failed) {
        return Err(problem);
    }
    let votes = rule::votes(&judged, &gaps);
    let (recommended, reason) = rule::recommend(&judged, &votes, params);
    Ok(Comparison {
        judged,
        recommended,
        reason,
        votes,
        n_rows: sample.nrows(),
    })
}

fn check<F: Scalar>(
    x: &ArrayRef2<F>,
    ks: &RangeInclusive<usize>,
    methods: &[&dyn Clusterer<F>],
    params: &CompareParams,
) -> Result<()> {
    params.validate()?;
    if *ks.start() < 2 || ks.is_empty() {
        let problem = format!(
            "expected a range from at least 2 up, found {}..={}",
            ks.start(),
            ks.end()
        );
        return Err(Error::param("ks", problem));
    }
    if methods.is_empty() {
        return Err(Error::param("methods", "expected at least 1, found 0"));
    }
    check_shape(x, *ks.end(), "ks")
}

fn failed_candidate(method: String, k: Option<usize>, problem: String) -> Judged {
    Judged {
        method,
        k,
        n_clusters: 0,
        noise: 0.0,
        silhouette: None,
        davies_bouldin: None,
        calinski_harabasz: None,
        gap: None,
        stability: None,
        seconds: 0.0,
        problem: Some(problem),
    }
}

fn judge<F: Scalar>(
    x: &Array2<F>,
    method: &dyn Clusterer<F>,
    k: Option<usize>,
    params: &CompareParams,
) -> Result<Judged> {
    let k_asked = k.unwrap_or(0);
    let start = Instant::now();
    let labels = method.cluster(Task {
        x,
        weights: None,
        k: k_asked,
    })?;
    let seconds = start.elapsed().as_secs_f64();
    if labels.len() != x.nrows() {
        let expected = format!("{} labels (rows of x)", x.nrows());
        let found = labels.len().to_string();
        return Err(Error::shape(method.name(), expected, found));
    }
    let (rows, of_rows) = clustered(x, &labels);
    let of_rows = Array1::from(of_rows);
    let mut names = of_rows.to_vec();
    names.sort_unstable();
    names.dedup();
    let apart = names.len() >= 2;
    let silhouette = apart
        .then(|| silhouette(&rows, &of_rows, &labels, params.seed))
        .transpose()?;
    let of_stability = StabilityParams::default()
        .with_n_resamples(params.n_resamples)
        .with_seed(params.seed);
    let recluster = |weights: &ArrayRef1<f64>, _| {
        method.cluster(Task {
            x,
            weights: Some(weights),
            k: k_asked,
        })
    };
    Ok(Judged {
        method: method.name(),
        k,
        n_clusters: names.len(),
        noise: 1.0 - of_rows.len() as f64 / labels.len() as f64,
        silhouette,
        davies_bouldin: index(
            metrics::davies_bouldin_weighted,
            &rows,
            &of_rows,
            params.seed,
        ),
        calinski_harabasz: index(
            metrics::calinski_harabasz_weighted,
            &rows,
            &of_rows,
            params.seed,
        ),
        gap: None,
        stability: Some(metrics::stability(&labels, None, &of_stability, recluster)?),
        seconds,
        problem: None,
    })
}

type Index<F> = fn(&ArrayRef2<F>, &ArrayRef1<u32>, &ArrayRef1<f64>) -> Result<f64>;

/// An index with its interval; none where it is not defined: of one cluster, or where all rows lie on their means.
fn index<F: Scalar>(
    index: Index<F>,
    rows: &Array2<F>,
    of_rows: &Array1<u32>,
    seed: u64,
) -> Option<Interval> {
    let bootstrap = Bootstrap::default()
        .with_n_resamples(RESAMPLES)
        .with_seed(seed);
    let interval = bootstrap.interval(of_rows.len(), |weights| {
        index(rows, of_rows, &Array1::from(weights.to_vec()))
    });
    interval.ok()
}

/// Mean silhouette over all rows, 0 for noise.
fn silhouette<F: Scalar>(
    rows: &Array2<F>,
    of_rows: &Array1<u32>,
    labels: &[Option<u32>],
    seed: u64,
) -> Result<Interval> {
    let mut values = metrics::silhouette_samples(rows, of_rows)?.to_vec();
    values.resize(labels.len(), 0.0);
    metrics::mean_interval(&values, seed)
}

/// The gap of a method that takes a number of clusters and leaves no noise.
fn gap<F: Scalar>(
    x: &Array2<F>,
    method: &dyn Clusterer<F>,
    ks: RangeInclusive<usize>,
    params: &CompareParams,
    judged: &[Judged],
) -> Option<Gap> {
    let whole = judged.iter().all(|j| j.problem.is_none() && j.noise == 0.0);
    if params.n_references == 0 || !method.takes_k() || !whole {
        return None;
    }
    let of_gap = GapParams::default()
        .with_n_references(params.n_references)
        .with_seed(params.seed);
    let labels = |x: &ArrayRef2<F>, k: usize| -> Result<Array1<u32>> {
        let labels = method.cluster(Task {
            x,
            weights: None,
            k,
        })?;
        Ok(labels
            .into_iter()
            .map(|label| label.unwrap_or(u32::MAX))
            .collect())
    };
    // Not defined where all rows lie on their means.
    metrics::gap(x, ks, &of_gap, labels).ok()
}
