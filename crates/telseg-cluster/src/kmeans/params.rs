//! What is asked of k-means.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`KMeans`](super::KMeans); start from [`KMeans::params`](super::KMeans::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KMeansParams {
    /// Number of clusters, at least 1.
    pub n_clusters: usize,
    /// Where the centres start. Default: greedy k-means++.
    pub init: Init,
    /// Number of starts; the one with the least inertia wins. Default 3; must be 1 with given centres.
    pub n_init: usize,
    /// Most rounds of assignment and update in a start. Default 300.
    pub max_iter: usize,
    /// A start has converged when the centres' squared movement falls below `tol` times the mean variance of the columns.
    /// Default 1e-4; with 0 only when no label changes.
    pub tol: f64,
    /// What is close. Default: Euclidean.
    pub distance: Distance,
    /// Which exact algorithm. Default: chosen by the shape of the data.
    pub algorithm: Algorithm,
    /// Seed of all random choices. Default 0.
    pub seed: u64,
}

/// Where the centres start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Init {
    /// Greedy k-means++: each new centre is the best of `2 + ln k` rows drawn with probability in proportion to their
    /// squared distance from the centres so far.
    KMeansPlusPlus,
    /// k-means|| (Bahmani et al. 2012): five passes that each draw about `2 k` rows at once, then greedy k-means++ among
    /// these. Fewer passes over the rows than k-means++ where k is large.
    KMeansParallel,
    /// Different rows, drawn with probability in proportion to their weight.
    Random,
    /// These centres, one a row.
    Centers(Array2<f64>),
}

/// What is close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Distance {
    /// The Euclidean distance.
    Euclidean,
    /// The angle (spherical k-means, Dhillon & Modha 2001): rows and centres are scaled to length 1, so that the squared
    /// distance is `2 (1 - cos)`. What subscribers do in proportion counts, not how much. A row of zeros has no direction:
    /// it weighs on no centre's direction and is as far from one as from the other.
    Cosine,
}

/// How the nearest centre is found; all choices find the same labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Algorithm {
    /// Whichever is expected to be faster for the number of columns and clusters.
    Auto,
    /// Every distance in every round, by the fused kernel.
    Lloyd,
    /// Hamerly's two bounds a row: rows whose bounds prove that their label stays are left alone.
    Hamerly,
    /// Hamerly's bounds, and for rows in doubt only the centres around their own that can be nearest.
    Exponion,
}

impl KMeansParams {
    pub(super) fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            init: Init::KMeansPlusPlus,
            n_init: 3,
            max_iter: 300,
            tol: 1e-4,
            distance: Distance::Euclidean,
            algorithm: Algorithm::Auto,
            seed: 0,
        }
    }

    /// Sets where the centres start.
    pub fn with_init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Sets the number of starts.
    pub fn with_n_init(mut self, n_init: usize) -> Self {
        self.n_init = n_init;
        self
    }

    /// Sets the most rounds in a start.
    pub fn with_max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// Sets the tolerance of convergence.
    pub fn with_tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// Sets what is close.
    pub fn with_distance(mut self, distance: Distance) -> Self {
        self.distance = distance;
        self
    }

    /// Sets the algorithm.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
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
        if self.n_clusters == 0 {
            return Err(Error::param("n_clusters", "expected at least 1, found 0"));
        }
        if self.n_init == 0 {
            return Err(Error::param("n_init", "expected at least 1, found 0"));
        }
        if self.max_iter == 0 {
            return Err(Error::param("max_iter", "expected at least 1, found 0"));
        }
        if !(self.tol >= 0.0 && self.tol.is_finite()) {
            return Err(Error::param(
                "tol",
                format!("expected a number of at least 0, found {}", self.tol),
            ));
        }
        if let Init::Centers(centers) = &self.init {
            if centers.nrows() != self.n_clusters {
                let problem = format!(
                    "expected {} centres (n_clusters), found {}",
                    self.n_clusters,
                    centers.nrows()
                );
                return Err(Error::param("init", problem));
            }
            if self.n_init != 1 {
                let problem = format!(
                    "expected 1 with given centres (all starts are the same), found {}",
                    self.n_init
                );
                return Err(Error::param("n_init", problem));
            }
            if let Some(((row, column), _)) = centers.indexed_iter().find(|(_, c)| !c.is_finite()) {
                return Err(Error::param(
                    "init",
                    format!("the centre in row {row} is not finite in column {column}"),
                ));
            }
        }
        Ok(())
    }
}
