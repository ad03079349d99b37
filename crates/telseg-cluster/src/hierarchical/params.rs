//! What is asked of hierarchical clustering.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Parameters of [`Hierarchical`](super::Hierarchical); start from [`Hierarchical::params`](super::Hierarchical::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HierarchicalParams {
    /// Where the tree is cut. [`Hierarchical::params`](super::Hierarchical::params) asks for a number of clusters.
    pub cut: Cut,
    /// How far two clusters are from each other. Default: Ward.
    pub linkage: Linkage,
    /// Which clusters may merge. Default: any two.
    pub connectivity: Connectivity,
    /// How rows are labelled. Default: as their nearest row at fit.
    pub assign: Assign,
    /// Most bytes of the distance matrix that complete, average and weighted linkage need without a connectivity: 4 n^2.
    /// Default 2^31, which is 23,170 rows.
    pub max_matrix_bytes: u64,
}

/// Where a tree is cut into clusters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cut {
    /// So many clusters: the last merges are undone.
    Clusters(usize),
    /// No merge above this height. Where a connectivity makes heights fall, from the first merge above it on.
    Height(f64),
}

/// The distance of two clusters, and with it the height of their merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Linkage {
    /// The root of twice what the sum of squared distances to the means grows by: compact clusters of similar size.
    Ward,
    /// The largest distance of two members.
    Complete,
    /// The mean distance of their members (UPGMA).
    Average,
    /// The mean of the distances of the two clusters that one was made of, whatever their sizes (WPGMA, McQuitty).
    Weighted,
    /// The least distance of two members: long and winding clusters, and a chain wherever rows fill a gap.
    Single,
}

/// Which clusters may merge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Connectivity {
    /// Any two.
    Full,
    /// Those with members of which one is among the so many nearest rows of the other.
    Neighbours(usize),
    /// Those with members that are named as a pair of rows (areas that border on each other, say).
    Pairs(Vec<(u32, u32)>),
}

/// How a row gets its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Assign {
    /// As the nearest row at fit, so that those keep the cluster of the cut. The model holds the rows.
    NearestRow,
    /// As the nearest mean of a cluster. The model is small and holds no row; rows at fit are labelled so, too, and the
    /// report says how many left the cluster of the cut for it.
    NearestCenter,
}

impl HierarchicalParams {
    pub(super) fn new(n_clusters: usize) -> Self {
        Self {
            cut: Cut::Clusters(n_clusters),
            linkage: Linkage::Ward,
            connectivity: Connectivity::Full,
            assign: Assign::NearestRow,
            max_matrix_bytes: 1 << 31,
        }
    }

    /// Sets where the tree is cut.
    pub fn with_cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// Sets the linkage.
    pub fn with_linkage(mut self, linkage: Linkage) -> Self {
        self.linkage = linkage;
        self
    }

    /// Sets which clusters may merge.
    pub fn with_connectivity(mut self, connectivity: Connectivity) -> Self {
        self.connectivity = connectivity;
        self
    }

    /// Sets how rows are labelled.
    pub fn with_assign(mut self, assign: Assign) -> Self {
        self.assign = assign;
        self
    }

    /// Sets the most bytes of a distance matrix.
    pub fn with_max_matrix_bytes(mut self, max_matrix_bytes: u64) -> Self {
        self.max_matrix_bytes = max_matrix_bytes;
        self
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        self.cut.validate()?;
        if self.connectivity == Connectivity::Neighbours(0) {
            return Err(Error::param(
                "connectivity",
                "expected at least 1 neighbour, found 0",
            ));
        }
        if self.max_matrix_bytes == 0 {
            return Err(Error::param(
                "max_matrix_bytes",
                "expected at least 1, found 0",
            ));
        }
        Ok(())
    }
}

impl Cut {
    pub(super) fn validate(&self) -> Result<()> {
        match *self {
            Cut::Clusters(0) => Err(Error::param("n_clusters", "expected at least 1, found 0")),
            Cut::Height(height) if !(height >= 0.0 && height.is_finite()) => {
                let problem = format!("expected a number of at least 0, found {height}");
                Err(Error::param("height", problem))
            }
            _ => Ok(()),
        }
    }

    /// Clusters that are asked for, at least.
    pub(super) fn least(&self) -> usize {
        match *self {
            Cut::Clusters(n) => n,
            Cut::Height(_) => 1,
        }
    }
}

impl Linkage {
    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Linkage::Ward => "Ward",
            Linkage::Complete => "complete",
            Linkage::Average => "average",
            Linkage::Weighted => "weighted",
            Linkage::Single => "single",
        }
    }
}
