//! Would other rows of the same kind lead to the same clusters?

use ndarray::{Array1, ArrayRef1};
use rand::RngCore;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::metrics::{Interval, partition::ari};
use telseg_core::{Error, Result, Seed};

use super::mean_interval;
use crate::rows::check_weights;

/// How stability is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StabilityParams {
    /// How often rows are drawn anew and clustered, at least 2. Default 50.
    pub n_resamples: usize,
    /// Seed of the draws. Default 0.
    pub seed: u64,
}

impl Default for StabilityParams {
    fn default() -> Self {
        Self {
            n_resamples: 50,
            seed: 0,
        }
    }
}

impl StabilityParams {
    /// Sets how often rows are drawn anew.
    pub fn with_n_resamples(mut self, n_resamples: usize) -> Self {
        self.n_resamples = n_resamples;
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
        if self.n_resamples < 2 {
            let problem = format!("expected at least 2, found {}", self.n_resamples);
            return Err(Error::param("n_resamples", problem));
        }
        Ok(())
    }
}

/// How a clustering stands up to other rows of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stability {
    /// Each cluster, in the order of the labels that were judged.
    pub clusters: Vec<ClusterStability>,
    /// Mean adjusted Rand index between the clustering and those of the resamples, on the rows drawn, with a 95 %
    /// interval of the mean over resamples; noise counts as a cluster of its own.
    pub ari: Interval,
    /// Resamples that were clustered.
    pub n_resamples: usize,
}

/// How one cluster stands up to other rows of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterStability {
    /// The label.
    pub label: u32,
    /// Rows of it.
    pub n_rows: usize,
    /// Mean Jaccard similarity (rows in both over rows in either) to the most similar cluster of a resample, with a 95 %
    /// interval of the mean. Hennig: 0.75 and more is stable, below 0.6 should not be trusted, 0.5 and less is dissolved.
    pub jaccard: Interval,
    /// Share of the resamples in which it is dissolved: no cluster is similar to more than 0.5.
    pub dissolved: f64,
}

impl Stability {
    /// Mean Jaccard similarity of the least stable cluster; 0 where there is no cluster.
    pub fn weakest(&self) -> f64 {
        let jaccards = self.clusters.iter().map(|c| c.jaccard.estimate);
        jaccards.min_by(f64::total_cmp).unwrap_or(0.0)
    }
}

/// Clusters bootstrap samples and compares what comes out with `labels` (`None`: noise), on the rows drawn.
///
/// A sample is a vector of weights, how often each row was drawn (times its own weight, where `weights` are given).
/// `recluster` gets it with the number of the resample and returns a label for every row, of weight 0 too: so a method
/// that starts from random rows can start all resamples from the same, and what differs is the rows alone.
///
/// # Errors
/// When a parameter cannot be, lengths differ, there are no rows, or `recluster` fails (its error comes back).
///
/// # Cost
/// `n_resamples` calls of `recluster`, in parallel.
///
/// # References
/// C. Hennig (2007), "Cluster-wise assessment of cluster stability"; of its variants the non-parametric bootstrap, rows
/// drawn more than once being compared once. Deviation: a cluster of which no row was drawn counts as not found (0), so that
/// single odd rows do not pass for stable clusters.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use telseg_cluster::Hierarchical;
/// use telseg_cluster::metrics::{StabilityParams, stability};
/// // Three kinds of subscribers, 20 of each.
/// let usage = Array2::from_shape_fn((60, 2), |(i, j)| ((i % 3) * (3 + 4 * j)) as f64 + (i * (7 + j) % 11) as f64 * 0.05);
/// let params = Hierarchical::params(3);
/// let labels = params.fit(&usage)?.labels().mapv(Some).to_vec();
/// let found = stability(&labels, None, &StabilityParams::default().with_n_resamples(10), |weights, _| {
///     Ok(params.fit_weighted(&usage, weights)?.labels().mapv(Some).to_vec())
/// })?;
/// assert!(found.weakest() > 0.99 && found.ari.estimate > 0.99);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn stability(
    labels: &[Option<u32>],
    weights: Option<&ArrayRef1<f64>>,
    params: &StabilityParams,
    recluster: impl Fn(&ArrayRef1<f64>, u64) -> Result<Vec<Option<u32>>> + Sync,
) -> Result<Stability> {
    params.validate()?;
    let n = labels.len();
    if n == 0 {
        return Err(Error::shape("labels", "at least 1 row", "0"));
    }
    let weights = match weights {
        Some(weights) => Array1::from(check_weights(weights, n)?),
        None => Array1::ones(n),
    };
    let mut names: Vec<u32> = labels.iter().copied().flatten().collect();
    names.sort_unstable();
    names.dedup();
    let resample = |resample: u64| -> Result<Resample> {
        let drawn = draw(&weights, params.seed, resample);
        let others = recluster(&drawn, resample)?;
        if others.len() != n {
            let expected = format!("{n} (rows)");
            let found = others.len().to_string();
            return Err(Error::shape("recluster", expected, found));
        }
        Resample::new(&names, labels, &others, &drawn)
    };
    let found: Result<Vec<Resample>> = (0..params.n_resamples as u64)
        .into_par_iter()
        .map(resample)
        .collect();
    let found = found?;
    let cluster = |(at, &label): (usize, &u32)| -> Result<ClusterStability> {
        let values: Vec<f64> = found.iter().map(|r| r.jaccards[at]).collect();
        let dissolved = values.iter().filter(|v| **v <= 0.5).count();
        Ok(ClusterStability {
            label,
            n_rows: labels.iter().filter(|l| **l == Some(label)).count(),
            dissolved: dissolved as f64 / values.len() as f64,
            jaccard: mean_interval(&values, params.seed)?,
        })
    };
    let aris: Vec<f64> = found.iter().map(|r| r.ari).collect();
    Ok(Stability {
        clusters: names
            .iter()
            .enumerate()
            .map(cluster)
            .collect::<Result<_>>()?,
        ari: mean_interval(&aris, params.seed)?,
        n_resamples: found.len(),
    })
}

/// What one resample says.
struct Resample {
    ari: f64,
    /// By cluster.
    jaccards: Vec<f64>,
}

impl Resample {
    fn new(
        names: &[u32],
        labels: &[Option<u32>],
        others: &[Option<u32>],
        drawn: &Array1<f64>,
    ) -> Result<Self> {
        let rows = (0..labels.len()).filter(|&i| drawn[i] > 0.0);
        let (a, b): (Vec<Option<u32>>, Vec<Option<u32>>) =
            rows.map(|i| (labels[i], others[i])).unzip();
        let code = |labels: &[Option<u32>]| -> Vec<u32> {
            let code = |label: &Option<u32>| label.map_or(0, |label| label.saturating_add(1));
            labels.iter().map(code).collect()
        };
        Ok(Self {
            // One row makes no pair.
            ari: if a.len() < 2 {
                1.0
            } else {
                ari(&code(&a), &code(&b), None)?
            },
            jaccards: jaccards(names, &a, &b),
        })
    }
}

/// As many rows as there are of a positive weight, drawn with replacement; each adds its weight where it lies.
fn draw(weights: &Array1<f64>, seed: u64, resample: u64) -> Array1<f64> {
    let rows: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] > 0.0).collect();
    let mut rng = Seed::new(seed).stream("cluster.stability").index(resample);
    let mut drawn = Array1::zeros(weights.len());
    for _ in 0..rows.len() {
        // Lemire's multiplication without rejection: off by less than n / 2^64.
        let at = ((u128::from(rng.next_u64()) * rows.len() as u128) >> 64) as usize;
        drawn[rows[at]] += weights[rows[at]];
    }
    drawn
}

/// For each of the clusters `names` of `a`, its Jaccard similarity to the most similar cluster of `b`; noise is no cluster,
/// and a cluster without rows is similar to none.
fn jaccards(names: &[u32], a: &[Option<u32>], b: &[Option<u32>]) -> Vec<f64> {
    let mut others: Vec<u32> = b.iter().copied().flatten().collect();
    others.sort_unstable();
    others.dedup();
    let place = |names: &[u32], label: Option<u32>| names.binary_search(&label?).ok();
    let (n, m) = (names.len(), others.len());
    let (mut both, mut of, mut of_other) = (vec![0u32; n * m], vec![0u32; n], vec![0u32; m]);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (place(names, a), place(&others, b));
        a.into_iter().for_each(|a| of[a] += 1);
        b.into_iter().for_each(|b| of_other[b] += 1);
        if let (Some(a), Some(b)) = (a, b) {
            both[a * m + b] += 1;
        }
    }
    let most = |a: usize| {
        let of_both = both[a * m..(a + 1) * m].iter().zip(&of_other);
        let similar =
            of_both.map(|(&both, &other)| f64::from(both) / f64::from(of[a] + other - both));
        similar.fold(0.0, f64::max)
    };
    (0..n).map(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jaccards_by_hand() {
        let (a, b) = (
            [Some(3), Some(3), Some(3), Some(7), None],
            [Some(0), Some(0), None, Some(0), Some(1)],
        );
        // {0 1 2} and {0 1 3}: 2 of 4; {3} and {0 1 3}: 1 of 3; 9 was not drawn.
        assert_eq!(jaccards(&[3, 7, 9], &a, &b), [0.5, 1.0 / 3.0, 0.0]);
    }

    #[test]
    fn a_method_that_guesses_is_not_stable() {
        let labels: Vec<Option<u32>> = (0..400).map(|i| Some(i % 4)).collect();
        let params = StabilityParams::default().with_n_resamples(20);
        let guess = stability(&labels, None, &params, |_, r| {
            Ok((0..400)
                .map(|i| Some((Seed::new(r).stream("test").bits(i) % 4) as u32))
                .collect())
        });
        let guess = guess.unwrap();
        // Two random quarters share 1/16 of the rows of 7/16: 1/7; the best of four is a little more.
        assert!(
            guess.weakest() < 0.22 && guess.ari.estimate.abs() < 0.01,
            "{guess:?}"
        );
        assert_eq!(guess.clusters[0].dissolved, 1.0);
        let sure = stability(&labels, None, &params, |_, _| Ok(labels.clone())).unwrap();
        assert_eq!(
            (sure.weakest(), sure.ari.estimate, sure.clusters[3].n_rows),
            (1.0, 1.0, 100)
        );
    }
}
