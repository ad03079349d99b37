//! What is asked of k-medoids.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::gower::GowerParams;

/// Parameters of [`KMedoids`](super::KMedoids); start from [`KMedoids::params`](super::KMedoids::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KMedoidsParams {
    /// Number of clusters, at least 1.
    pub n_clusters: usize,
    /// The distance of rows; not used where distances are given. Default: Euclidean.
    pub metric: Metric,
    /// Where the medoids start. Default: [`MedoidInit::Lab`].
    pub init: MedoidInit,
    /// Number of starts (in each sample); the one with the least loss wins. Default 1.
    pub n_init: usize,
    /// All rows or samples. Default: chosen by the number of rows.
    pub method: MedoidMethod,
    /// Most passes over the rows in a start. Default 100.
    pub max_iter: usize,
    /// Seed of all random choices. Default 0.
    pub seed: u64,
}

/// The distance of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Metric {
    /// Straight-line distance (not squared).
    Euclidean,
    /// Sum of absolute differences.
    Manhattan,
    /// Gower's distance, its ranges learnt from the rows at fit; takes missing cells.
    Gower(GowerParams),
}

/// Where the medoids start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MedoidInit {
    /// Each medoid the best of `10 + sqrt(n)` rows drawn at random, judged on these rows.
    Lab,
    /// Each medoid the best of all rows, judged on all rows: `k n^2` distances.
    Build,
    /// Different rows, drawn with probability in proportion to their weight.
    Random,
    /// These rows.
    Rows(Vec<usize>),
}

/// All rows or samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MedoidMethod {
    /// FasterPAM for up to 5000 rows, else FasterCLARA with 5 samples of 2000 rows (or `80 + 4 k`, where that is more).
    Auto,
    /// FasterPAM: every row may become a medoid and is judged on all rows.
    Pam,
    /// FasterCLARA: FasterPAM on each of `n_samples` samples of `sample_size` rows, which take the best medoids so far
    /// with them; the medoids that are best for all rows win.
    Clara {
        /// Number of samples.
        n_samples: usize,
        /// Rows of a sample; all rows where there are fewer.
        sample_size: usize,
    },
}

impl KMedoidsParams {
    pub(super) fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            metric: Metric::Euclidean,
            init: MedoidInit::Lab,
            n_init: 1,
            method: MedoidMethod::Auto,
            max_iter: 100,
            seed: 0,
        }
    }

    /// Sets the distance of rows.
    pub fn with_metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// Sets where the medoids start.
    pub fn with_init(mut self, init: MedoidInit) -> Self {
        self.init = init;
        self
    }

    /// Sets the number of starts.
    pub fn with_n_init(mut self, n_init: usize) -> Self {
        self.n_init = n_init;
        self
    }

    /// Sets all rows or samples.
    pub fn with_method(mut self, method: MedoidMethod) -> Self {
        self.method = method;
        self
    }

    /// Sets the most passes over the rows.
    pub fn with_max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// Sets the seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        for (name, value) in [
            ("n_clusters", self.n_clusters),
            ("n_init", self.n_init),
            ("max_iter", self.max_iter),
        ] {
            if value == 0 {
                return Err(Error::param(name, "expected at least 1, found 0"));
            }
        }
        if let Metric::Gower(params) = &self.metric {
            params.validate()?;
        }
        if let MedoidMethod::Clara {
            n_samples,
            sample_size,
        } = self.method
        {
            if n_samples == 0 {
                return Err(Error::param(
                    "method",
                    "expected at least 1 sample, found 0",
                ));
            }
            if sample_size < self.n_clusters {
                let least = self.n_clusters;
                let problem = format!(
                    "expected samples of at least {least} rows (n_clusters), found {sample_size}"
                );
                return Err(Error::param("method", problem));
            }
        }
        self.validate_init()
    }

    fn validate_init(&self) -> Result<()> {
        let (MedoidInit::Rows(rows), k) = (&self.init, self.n_clusters) else {
            return Ok(());
        };
        if rows.len() != k {
            let problem = format!("expected {k} rows (n_clusters), found {}", rows.len());
            return Err(Error::param("init", problem));
        }
        if let Some((_, row)) = rows
            .iter()
            .enumerate()
            .find(|(at, r)| rows[..*at].contains(r))
        {
            return Err(Error::param("init", format!("row {row} is named twice")));
        }
        if self.n_init != 1 {
            let found = self.n_init;
            let problem =
                format!("expected 1 with given rows (all starts are the same), found {found}");
            return Err(Error::param("n_init", problem));
        }
        if matches!(self.method, MedoidMethod::Clara { .. }) {
            let problem = "samples do not hold the given rows: use MedoidMethod::Pam";
            return Err(Error::param("method", problem));
        }
        Ok(())
    }
}
