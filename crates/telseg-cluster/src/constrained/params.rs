//! What is asked of k-means under constraints.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`ConstrainedKMeans`](super::ConstrainedKMeans); start from
/// [`ConstrainedKMeans::params`](super::ConstrainedKMeans::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConstrainedKMeansParams {
    /// Number of clusters, at least 1.
    pub n_clusters: usize,
    /// Least number of rows of a cluster. Default 1; with 0 a cluster may run empty and keeps its centre.
    pub min_size: usize,
    /// Greatest number of rows of a cluster. Default: no limit.
    pub max_size: Option<usize>,
    /// Pairs of rows that must share a cluster; a chain of pairs links all its rows.
    pub must_link: Vec<(usize, usize)>,
    /// Pairs of rows that must not share a cluster.
    pub cannot_link: Vec<(usize, usize)>,
    /// Where the centres start. Default: those of k-means without constraints.
    pub init: ConstrainedInit,
    /// Most rounds of assignment and update. Default 100.
    pub max_iter: usize,
    /// The rounds have converged when one lowers the inertia by less than this part of it. Default 1e-6; with 0 only when
    /// none does.
    pub tol: f64,
    /// Seed of all random choices. Default 0.
    pub seed: u64,
}

/// Where the centres start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ConstrainedInit {
    /// The centres of k-means without constraints, the best of so many starts.
    KMeans {
        /// Number of starts.
        n_init: usize,
    },
    /// These centres, one a row.
    Centers(Array2<f64>),
}

impl ConstrainedKMeansParams {
    pub(super) fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            min_size: 1,
            max_size: None,
            must_link: Vec::new(),
            cannot_link: Vec::new(),
            init: ConstrainedInit::KMeans { n_init: 3 },
            max_iter: 100,
            tol: 1e-6,
            seed: 0,
        }
    }

    /// Sets the least number of rows of a cluster.
    pub fn with_min_size(mut self, min_size: usize) -> Self {
        self.min_size = min_size;
        self
    }

    /// Sets the greatest number of rows of a cluster.
    pub fn with_max_size(mut self, max_size: usize) -> Self {
        self.max_size = Some(max_size);
        self
    }

    /// Sets the pairs of rows that must share a cluster.
    pub fn with_must_link(mut self, pairs: &[(usize, usize)]) -> Self {
        self.must_link = pairs.to_vec();
        self
    }

    /// Sets the pairs of rows that must not share a cluster.
    pub fn with_cannot_link(mut self, pairs: &[(usize, usize)]) -> Self {
        self.cannot_link = pairs.to_vec();
        self
    }

    /// Sets where the centres start.
    pub fn with_init(mut self, init: ConstrainedInit) -> Self {
        self.init = init;
        self
    }

    /// Sets the most rounds.
    pub fn with_max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// Sets the tolerance of convergence.
    pub fn with_tol(mut self, tol: f64) -> Self {
        self.tol = tol;
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
        for (name, value) in [("n_clusters", self.n_clusters), ("max_iter", self.max_iter)] {
            if value == 0 {
                return Err(Error::param(name, "expected at least 1, found 0"));
            }
        }
        if let Some(most) = self.max_size
            && most < self.min_size.max(1)
        {
            let least = self.min_size.max(1);
            let problem = format!("expected at least {least} (min_size), found {most}");
            return Err(Error::param("max_size", problem));
        }
        if !(self.tol >= 0.0 && self.tol < 1.0) {
            let problem = format!("expected a number from 0 to below 1, found {}", self.tol);
            return Err(Error::param("tol", problem));
        }
        match &self.init {
            ConstrainedInit::KMeans { n_init: 0 } => {
                Err(Error::param("init", "expected at least 1 start, found 0"))
            }
            ConstrainedInit::Centers(centers) if centers.nrows() != self.n_clusters => {
                let (expected, found) = (self.n_clusters, centers.nrows());
                let problem = format!("expected {expected} centres (n_clusters), found {found}");
                Err(Error::param("init", problem))
            }
            ConstrainedInit::Centers(centers) => {
                match centers.indexed_iter().find(|(_, c)| !c.is_finite()) {
                    Some(((row, column), _)) => {
                        let problem =
                            format!("the centre in row {row} is not finite in column {column}");
                        Err(Error::param("init", problem))
                    }
                    None => Ok(()),
                }
            }
            ConstrainedInit::KMeans { .. } => Ok(()),
        }
    }

    /// Checks what `n_rows` rows of `n_columns` columns have to do with the parameters.
    pub(super) fn validate_for(&self, (n_rows, n_columns): (usize, usize)) -> Result<()> {
        let k = self.n_clusters;
        if let ConstrainedInit::Centers(centers) = &self.init
            && centers.ncols() != n_columns
        {
            let found = centers.ncols();
            let problem = format!("expected centres of {n_columns} columns (as x), found {found}");
            return Err(Error::param("init", problem));
        }
        if k.checked_mul(self.min_size)
            .is_none_or(|need| need > n_rows)
        {
            let least = self.min_size;
            let problem =
                format!("{k} clusters of at least {least} rows do not fit x of {n_rows} rows");
            return Err(Error::param("min_size", problem));
        }
        if let Some(most) = self.max_size
            && k.saturating_mul(most) < n_rows
        {
            let problem =
                format!("{k} clusters of at most {most} rows do not hold x of {n_rows} rows");
            return Err(Error::param("max_size", problem));
        }
        Ok(())
    }
}
