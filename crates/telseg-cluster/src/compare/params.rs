//! How candidates are compared.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`compare`](super::compare()).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompareParams {
    /// Most rows that candidates are judged on, at least 10; more are sampled. Default 4000.
    pub n_sample: usize,
    /// Bootstrap samples that each candidate clusters, at least 2. Default 20.
    pub n_resamples: usize,
    /// Sets of rows without structure for the gap; 0 leaves the gap out. Default 10.
    pub n_references: usize,
    /// Mean Jaccard similarity below which a cluster is not trusted. Default 0.6.
    pub min_confirmed: f64,
    /// Largest share of rows that may be noise. Default 0.3.
    pub max_noise: f64,
    /// Seed of samples, draws and references. Default 0.
    pub seed: u64,
}

impl Default for CompareParams {
    fn default() -> Self {
        Self {
            n_sample: 4000,
            n_resamples: 20,
            n_references: 10,
            min_confirmed: 0.6,
            max_noise: 0.3,
            seed: 0,
        }
    }
}

impl CompareParams {
    /// Sets the most rows that candidates are judged on.
    pub fn with_n_sample(mut self, n_sample: usize) -> Self {
        self.n_sample = n_sample;
        self
    }

    /// Sets the bootstrap samples.
    pub fn with_n_resamples(mut self, n_resamples: usize) -> Self {
        self.n_resamples = n_resamples;
        self
    }

    /// Sets the references of the gap.
    pub fn with_n_references(mut self, n_references: usize) -> Self {
        self.n_references = n_references;
        self
    }

    /// Sets the confirmation that is asked of each cluster.
    pub fn with_min_confirmed(mut self, min_confirmed: f64) -> Self {
        self.min_confirmed = min_confirmed;
        self
    }

    /// Sets the largest share of noise.
    pub fn with_max_noise(mut self, max_noise: f64) -> Self {
        self.max_noise = max_noise;
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
        let counts = [
            ("n_sample", self.n_sample, 10),
            ("n_resamples", self.n_resamples, 2),
        ];
        if let Some((name, found, least)) =
            counts.into_iter().find(|(_, found, least)| found < least)
        {
            return Err(Error::param(
                name,
                format!("expected at least {least}, found {found}"),
            ));
        }
        if self.n_references == 1 {
            return Err(Error::param(
                "n_references",
                "expected 0 or at least 2, found 1",
            ));
        }
        let shares = [
            ("min_confirmed", self.min_confirmed),
            ("max_noise", self.max_noise),
        ];
        if let Some((name, found)) = shares.into_iter().find(|(_, v)| !(0.0..=1.0).contains(v)) {
            return Err(Error::param(
                name,
                format!("expected a number from 0 to 1, found {found}"),
            ));
        }
        Ok(())
    }
}
