//! What is asked of OPTICS.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`Optics`](super::Optics); start from [`Optics::params`](super::Optics::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpticsParams {
    /// Rows, itself included, that a row's core distance reaches over; at least 2. With weights, what they must weigh.
    pub min_points: usize,
    /// How far rows are reached at most; above 0. Default: infinite.
    pub max_eps: f64,
    /// How clusters are taken from the plot. Default: [`Extraction::Xi`] with its own defaults.
    pub extraction: Extraction,
}

/// How clusters are taken from the reachability plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Extraction {
    /// Between steep falls and rises: places of any density. Of clusters within clusters, the smallest are labelled.
    Xi(XiParams),
    /// At one radius: the clusters of DBSCAN.
    Cut {
        /// The radius; above 0 and at most `max_eps`.
        eps: f64,
    },
}

impl OpticsParams {
    pub(super) fn new(min_points: usize) -> Self {
        Self {
            min_points,
            max_eps: f64::INFINITY,
            extraction: Extraction::Xi(XiParams::default()),
        }
    }

    /// Sets how far rows are reached at most.
    pub fn with_max_eps(mut self, max_eps: f64) -> Self {
        self.max_eps = max_eps;
        self
    }

    /// Sets how clusters are taken from the plot.
    pub fn with_extraction(mut self, extraction: Extraction) -> Self {
        self.extraction = extraction;
        self
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        if self.min_points < 2 {
            let problem = format!("expected at least 2, found {}", self.min_points);
            return Err(Error::param("min_points", problem));
        }
        if self.max_eps.is_nan() || self.max_eps <= 0.0 {
            let problem = format!("expected a number above 0, found {}", self.max_eps);
            return Err(Error::param("max_eps", problem));
        }
        match &self.extraction {
            Extraction::Xi(params) => params.validate(),
            Extraction::Cut { eps } => self.check_cut(*eps),
        }
    }

    /// A radius at which the plot can be cut.
    pub(super) fn check_cut(&self, eps: f64) -> Result<()> {
        if eps > 0.0 && eps <= self.max_eps && eps.is_finite() {
            return Ok(());
        }
        let most = self.max_eps;
        let problem = format!("expected above 0 and at most {most} (max_eps), found {eps}");
        Err(Error::param("eps", problem))
    }
}

/// How clusters are taken from the steepness of the plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct XiParams {
    /// How much the reachability must fall or rise, as a share, from one row to the next to be steep; above 0, below 1.
    /// Default 0.05.
    pub xi: f64,
    /// Rows of a cluster (or their weight), at least 2. Default: `min_points`.
    pub min_cluster_size: Option<usize>,
}

impl Default for XiParams {
    fn default() -> Self {
        Self {
            xi: 0.05,
            min_cluster_size: None,
        }
    }
}

impl XiParams {
    /// Sets how steep is steep.
    pub fn with_xi(mut self, xi: f64) -> Self {
        self.xi = xi;
        self
    }

    /// Sets how many rows make a cluster.
    pub fn with_min_cluster_size(mut self, min_cluster_size: usize) -> Self {
        self.min_cluster_size = Some(min_cluster_size);
        self
    }

    /// Checks every parameter; `xi` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        if !(self.xi > 0.0 && self.xi < 1.0) {
            let problem = format!("expected a number above 0 and below 1, found {}", self.xi);
            return Err(Error::param("xi", problem));
        }
        if self.min_cluster_size.is_some_and(|size| size < 2) {
            return Err(Error::param("min_cluster_size", "expected at least 2"));
        }
        Ok(())
    }
}
