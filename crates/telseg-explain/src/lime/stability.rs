//! How far explanations from other draws agree.

use serde::{Deserialize, Serialize};

/// Agreement of several explanations of one row, from different draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stability {
    /// Mean overlap (Jaccard index) of the chosen features over all pairs of runs: 1 when all runs name the same (the
    /// variables' stability index of Visani et al. 2022).
    pub overlap: f64,
    /// For each feature that some run chose: its number, the share of runs that chose it, and mean and standard deviation
    /// of its weight over them. Most often chosen first (ties by number).
    pub features: Vec<StableFeature>,
    /// Runs.
    pub n_runs: usize,
}

/// One feature over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StableFeature {
    /// Number of the feature.
    pub feature: usize,
    /// Share of the runs that chose it.
    pub share: f64,
    /// Mean weight over those runs.
    pub mean: f64,
    /// Standard deviation of the weight over those runs (NaN for a single one).
    pub std_dev: f64,
}

impl Stability {
    /// Compares runs: features and weights of each.
    pub(super) fn of(runs: &[Vec<(usize, f64)>]) -> Self {
        let (mut overlap, mut pairs) = (0.0, 0.0);
        for (i, a) in runs.iter().enumerate() {
            for b in &runs[..i] {
                let shared = a
                    .iter()
                    .filter(|(f, _)| b.iter().any(|(g, _)| f == g))
                    .count();
                let any = a.len() + b.len() - shared;
                overlap += if any == 0 {
                    1.0
                } else {
                    shared as f64 / any as f64
                };
                pairs += 1.0;
            }
        }
        let mut named: Vec<usize> = runs.iter().flatten().map(|(f, _)| *f).collect();
        named.sort_unstable();
        named.dedup();
        let feature = |feature: usize| {
            let of = runs.iter().flatten().filter(|(f, _)| *f == feature);
            let weights: Vec<f64> = of.map(|(_, w)| *w).collect();
            let many = weights.len() as f64;
            let mean = weights.iter().sum::<f64>() / many;
            let squares: f64 = weights.iter().map(|w| (w - mean).powi(2)).sum();
            StableFeature {
                feature,
                share: many / runs.len() as f64,
                mean,
                std_dev: (squares / (many - 1.0)).sqrt(),
            }
        };
        let mut features: Vec<StableFeature> = named.into_iter().map(feature).collect();
        features.sort_by(|a, b| b.share.total_cmp(&a.share));
        Self {
            overlap: overlap / pairs,
            features,
            n_runs: runs.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_that_of_pairs() {
        let runs = [
            vec![(0, 1.0), (1, 2.0)],
            vec![(0, 3.0), (2, 1.0)],
            vec![(0, 2.0), (1, 2.0)],
        ];
        let found = Stability::of(&runs);
        // Pairs share 1 of 3, 2 of 2 and 1 of 3.
        assert!((found.overlap - (1.0 / 3.0 + 1.0 + 1.0 / 3.0) / 3.0).abs() < 1e-15);
        assert_eq!(found.features[0].feature, 0);
        assert_eq!(
            (
                found.features[0].share,
                found.features[0].mean,
                found.features[0].std_dev
            ),
            (1.0, 2.0, 1.0)
        );
        assert_eq!(found.features[1].feature, 1);
    }
}
