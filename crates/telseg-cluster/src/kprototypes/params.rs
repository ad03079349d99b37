//! What is asked of k-prototypes.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`KPrototypes`](super::KPrototypes); start from [`KPrototypes::params`](super::KPrototypes::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KPrototypesParams {
    /// Number of clusters, at least 1.
    pub n_clusters: usize,
    /// Which columns hold codes of levels (whole numbers from 0 to 65,000; NaN where missing); all others hold numbers.
    pub categorical: Vec<usize>,
    /// What a mismatch of codes adds to the squared distance. Default: half the mean standard deviation of the numeric
    /// columns, as Huang suggests; 1 where there are none or none varies.
    pub gamma: Option<f64>,
    /// Where the centres start. Default: greedy k-means++ in the mixed distance.
    pub init: PrototypeInit,
    /// Number of starts; the one with the least cost wins. Default 3; must be 1 with given centres.
    pub n_init: usize,
    /// Most rounds of assignment and update in a start. Default 300.
    pub max_iter: usize,
    /// A start has converged when no mode changes and the means' squared movement falls below `tol` times the mean
    /// variance of the numeric columns. Default 1e-4; with 0 only when no label changes.
    pub tol: f64,
    /// How the nearest centre is found. Default: chosen by the number of clusters and columns.
    pub search: PrototypeSearch,
    /// Seed of all random choices. Default 0.
    pub seed: u64,
}

/// Where the centres start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PrototypeInit {
    /// Greedy k-means++ in the mixed distance.
    PlusPlus,
    /// Different rows, drawn with probability in proportion to their weight.
    Random,
    /// These centres, one a row, columns in the order of `x`; codes that no row has match nothing.
    Centers(Array2<f64>),
}

/// How the nearest centre is found; all choices find the same labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PrototypeSearch {
    /// Whichever is expected to be faster.
    Auto,
    /// Every distance in every round.
    Full,
    /// Hamerly's two bounds a row: rows whose bounds prove that their label stays are left alone.
    Hamerly,
}

impl KPrototypesParams {
    pub(super) fn new(n_clusters: usize, categorical: &[usize]) -> Self {
        Self {
            n_clusters,
            categorical: categorical.to_vec(),
            gamma: None,
            init: PrototypeInit::PlusPlus,
            n_init: 3,
            max_iter: 300,
            tol: 1e-4,
            search: PrototypeSearch::Auto,
            seed: 0,
        }
    }

    /// Sets what a mismatch adds.
    pub fn with_gamma(mut self, gamma: f64) -> Self {
        self.gamma = Some(gamma);
        self
    }

    /// Sets where the centres start.
    pub fn with_init(mut self, init: PrototypeInit) -> Self {
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

    /// Sets how the nearest centre is found.
    pub fn with_search(mut self, search: PrototypeSearch) -> Self {
        self.search = search;
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
        for (at, column) in self.categorical.iter().enumerate() {
            if self.categorical[..at].contains(column) {
                let problem = format!("column {column} is named twice");
                return Err(Error::param("categorical", problem));
            }
        }
        if let Some(gamma) = self.gamma
            && !(gamma >= 0.0 && gamma.is_finite())
        {
            let problem = format!("expected a number of at least 0, found {gamma}");
            return Err(Error::param("gamma", problem));
        }
        if !(self.tol >= 0.0 && self.tol.is_finite()) {
            let problem = format!("expected a number of at least 0, found {}", self.tol);
            return Err(Error::param("tol", problem));
        }
        self.validate_init()
    }

    fn validate_init(&self) -> Result<()> {
        let PrototypeInit::Centers(centers) = &self.init else {
            return Ok(());
        };
        if centers.nrows() != self.n_clusters {
            let (expected, found) = (self.n_clusters, centers.nrows());
            let problem = format!("expected {expected} centres (n_clusters), found {found}");
            return Err(Error::param("init", problem));
        }
        if self.n_init != 1 {
            let found = self.n_init;
            let problem =
                format!("expected 1 with given centres (all starts are the same), found {found}");
            return Err(Error::param("n_init", problem));
        }
        let wrong = |((_, column), value): &((usize, usize), &f64)| {
            !value.is_finite() && !self.categorical.contains(column)
        };
        if let Some(((row, column), _)) = centers.indexed_iter().find(wrong) {
            let problem = format!("the centre in row {row} is not finite in column {column}");
            return Err(Error::param("init", problem));
        }
        Ok(())
    }
}
