//! How good a clustering is.
//!
//! | question | answer |
//! | --- | --- |
//! | Are rows nearer to their own cluster than to the next? | [`silhouette`], [`silhouette_samples`], [`silhouette_sampled`] |
//! | Are clusters wide for how far apart they are? | [`davies_bouldin`] (lower is better) |
//! | How much of the variance lies between clusters? | [`calinski_harabasz`] |
//! | Is there more structure than in rows without any? | [`gap`] |
//! | Would other rows of the same kind lead to the same clusters? | [`stability`] |
//!
//! Euclidean distances throughout. The first three and the gap reward round clusters of like size; long, nested or uneven
//! ones can be right and score low. Stability asks for no shape, but one cluster of nearly all rows is always stable.

mod gap;
mod groups;
mod indices;
mod silhouette;
mod stability;

use rand::seq::index;
use telseg_core::metrics::{Bootstrap, Interval};
use telseg_core::{Result, Seed};

pub use gap::{Gap, GapParams, GapStep, Reference, gap};
pub(crate) use indices::inertia;
pub use indices::{
    calinski_harabasz, calinski_harabasz_weighted, davies_bouldin, davies_bouldin_weighted,
};
pub use silhouette::{
    silhouette, silhouette_sampled, silhouette_samples, silhouette_samples_weighted,
    silhouette_weighted,
};
pub use stability::{ClusterStability, Stability, StabilityParams, stability};

/// Ascending rows of a sample without replacement.
pub(crate) fn sample(n: usize, n_sample: usize, seed: u64) -> Vec<usize> {
    let mut rng = Seed::new(seed).stream("cluster.sample").index(0);
    let mut rows = index::sample(&mut rng, n, n_sample.min(n)).into_vec();
    rows.sort_unstable();
    rows
}

/// The mean of numbers with its bootstrap interval.
pub(crate) fn mean_interval(values: &[f64], seed: u64) -> Result<Interval> {
    let bootstrap = Bootstrap::default().with_n_resamples(200).with_seed(seed);
    bootstrap.interval(values.len(), |w| {
        let sum: f64 = values.iter().zip(w).map(|(v, w)| v * w).sum();
        Ok(sum / w.iter().sum::<f64>())
    })
}
