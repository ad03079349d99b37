//! What is asked of HDBSCAN*.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`Hdbscan`](super::Hdbscan); start from [`Hdbscan::params`](super::Hdbscan::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HdbscanParams {
    /// Rows (or their weight) that make a cluster, at least 2.
    pub min_cluster_size: usize,
    /// Which neighbour's distance is the core distance, at least 1: larger values call more rows noise. Default:
    /// `min_cluster_size`.
    pub min_samples: Option<usize>,
    /// Which clusters of the condensed tree are taken. Default: by excess of mass.
    pub selection: Selection,
    /// Clusters that came apart at a distance below this are taken together again. Default 0.
    pub epsilon: f64,
    /// Rows (or their weight) that a cluster may have at most; larger ones are split where the tree has a split. Default: no
    /// limit. Needs excess of mass.
    pub max_cluster_size: Option<usize>,
    /// Whether all rows may be one cluster. Default: no.
    pub allow_single_cluster: bool,
}

/// Which clusters of the condensed tree are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Selection {
    /// Those that together persist longest.
    ExcessOfMass,
    /// Those that do not split any more: more and smaller clusters of more even size.
    Leaf,
}

impl HdbscanParams {
    pub(super) fn new(min_cluster_size: usize) -> Self {
        Self {
            min_cluster_size,
            min_samples: None,
            selection: Selection::ExcessOfMass,
            epsilon: 0.0,
            max_cluster_size: None,
            allow_single_cluster: false,
        }
    }

    /// Sets which neighbour's distance is the core distance.
    pub fn with_min_samples(mut self, min_samples: usize) -> Self {
        self.min_samples = Some(min_samples);
        self
    }

    /// Sets which clusters are taken.
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets below which distance clusters stay together.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Sets how large a cluster may be.
    pub fn with_max_cluster_size(mut self, max_cluster_size: usize) -> Self {
        self.max_cluster_size = Some(max_cluster_size);
        self
    }

    /// Allows that all rows are one cluster.
    pub fn with_single_cluster(mut self) -> Self {
        self.allow_single_cluster = true;
        self
    }

    /// The neighbour whose distance is the core distance.
    pub(super) fn neighbour(&self) -> usize {
        self.min_samples.unwrap_or(self.min_cluster_size)
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        if self.min_cluster_size < 2 {
            let problem = format!("expected at least 2, found {}", self.min_cluster_size);
            return Err(Error::param("min_cluster_size", problem));
        }
        if self.min_samples == Some(0) {
            return Err(Error::param("min_samples", "expected at least 1, found 0"));
        }
        if !(self.epsilon >= 0.0 && self.epsilon.is_finite()) {
            let problem = format!("expected a number of at least 0, found {}", self.epsilon);
            return Err(Error::param("epsilon", problem));
        }
        if let Some(most) = self.max_cluster_size {
            if most < self.min_cluster_size {
                let problem = format!(
                    "expected at least {} (min_cluster_size), found {most}",
                    self.min_cluster_size
                );
                return Err(Error::param("max_cluster_size", problem));
            }
            if self.selection != Selection::ExcessOfMass {
                let problem = "only excess of mass knows a limit (selection is Leaf)";
                return Err(Error::param("max_cluster_size", problem));
            }
        }
        Ok(())
    }
}
