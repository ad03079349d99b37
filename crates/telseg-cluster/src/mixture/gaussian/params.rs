//! What is asked of a Gaussian mixture.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::covariance::{Covariance, Covariances};
use crate::mixture::check;

/// Parameters of [`GaussianMixture`](super::GaussianMixture); start from
/// [`GaussianMixture::params`](super::GaussianMixture::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GaussianMixtureParams {
    /// Number of components, at least 1.
    pub n_components: usize,
    /// Shape of the covariances. Default: full.
    pub covariance: Covariance,
    /// Where EM starts. Default: k-means.
    pub init: GaussianInit,
    /// Number of starts; the one with the greatest likelihood wins. Default 1; must be 1 where the start is given.
    pub n_init: usize,
    /// Most iterations of a start. Default 100.
    pub max_iter: usize,
    /// A start has converged when the mean log-likelihood of a row changes by less. Default 1e-3; with 0 never.
    pub tol: f64,
    /// Added to every variance in each M step, in squared units of the columns. Default 1e-6.
    pub reg_covar: f64,
    /// Seed of all random choices. Default 0.
    pub seed: u64,
}

/// Where EM starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum GaussianInit {
    /// The clusters of one start of [k-means](crate::KMeans).
    KMeans,
    /// Rows by components: how much each row belongs to each component at first; each row sums to 1.
    Responsibilities(Array2<f64>),
    /// Components by columns: each row belongs to the nearest of these means at first.
    Means(Array2<f64>),
    /// All that a model consists of, as of last month's model
    /// ([`to_init`](super::GaussianMixture::to_init)); with precisions at hand, take their
    /// [`inverse`](Covariances::inverse).
    Parameters {
        /// Share of each component; sums to 1.
        weights: Array1<f64>,
        /// Components by columns.
        means: Array2<f64>,
        /// Of the shape that `covariance` says.
        covariances: Covariances,
    },
}

impl GaussianMixtureParams {
    pub(super) fn new(n_components: usize) -> Self {
        Self {
            n_components,
            covariance: Covariance::Full,
            init: GaussianInit::KMeans,
            n_init: 1,
            max_iter: 100,
            tol: 1e-3,
            reg_covar: 1e-6,
            seed: 0,
        }
    }

    /// Sets the shape of the covariances.
    pub fn with_covariance(mut self, covariance: Covariance) -> Self {
        self.covariance = covariance;
        self
    }

    /// Sets where EM starts.
    pub fn with_init(mut self, init: GaussianInit) -> Self {
        self.init = init;
        self
    }

    /// Sets the number of starts.
    pub fn with_n_init(mut self, n_init: usize) -> Self {
        self.n_init = n_init;
        self
    }

    /// Sets the most iterations of a start.
    pub fn with_max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// Sets the tolerance of convergence.
    pub fn with_tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// Sets what is added to variances.
    pub fn with_reg_covar(mut self, reg_covar: f64) -> Self {
        self.reg_covar = reg_covar;
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
        check::sizes(
            &[
                ("n_components", self.n_components),
                ("n_init", self.n_init),
                ("max_iter", self.max_iter),
            ],
            &[("tol", self.tol), ("reg_covar", self.reg_covar)],
        )?;
        check::starts(self.n_init, self.init != GaussianInit::KMeans)?;
        self.validate_init()
    }

    fn validate_init(&self) -> Result<()> {
        let k = self.n_components;
        let wrong = |problem: String| Err(Error::param("init", problem));
        match &self.init {
            GaussianInit::KMeans => Ok(()),
            GaussianInit::Responsibilities(r) => check::responsibilities(r, k),
            GaussianInit::Means(means) => {
                if means.nrows() != k || !means.iter().all(|m| m.is_finite()) {
                    let found = means.nrows();
                    return wrong(format!(
                        "expected {k} finite means (n_components), found {found}"
                    ));
                }
                Ok(())
            }
            GaussianInit::Parameters {
                weights,
                means,
                covariances,
            } => {
                if weights.len() != k {
                    let found = weights.len();
                    return wrong(format!(
                        "expected {k} weights (n_components), found {found}"
                    ));
                }
                if covariances.shape() != self.covariance {
                    let (expected, found) = (self.covariance, covariances.shape());
                    return wrong(format!(
                        "expected covariances of shape {expected:?} (covariance), found {found:?}"
                    ));
                }
                super::density::check(weights, means, covariances).or_else(|e| wrong(e.to_string()))
            }
        }
    }
}
