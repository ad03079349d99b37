//! What a clustering that knows noise says of a row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The cluster of a row, or that it belongs to none.
///
/// # Examples
/// ```
/// use telseg_cluster::Assignment;
/// let rows = [Assignment::Cluster(0), Assignment::Noise, Assignment::Cluster(2)];
/// assert_eq!(rows.iter().filter(|row| row.is_noise()).count(), 1);
/// assert_eq!(rows[2].cluster(), Some(2));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Assignment {
    /// In no cluster.
    #[default]
    Noise,
    /// In this cluster, counted from 0.
    Cluster(u32),
}

impl Assignment {
    /// The cluster, if it is in one.
    #[inline]
    pub fn cluster(self) -> Option<u32> {
        match self {
            Self::Noise => None,
            Self::Cluster(cluster) => Some(cluster),
        }
    }

    /// Whether it is in no cluster.
    #[inline]
    pub fn is_noise(self) -> bool {
        self == Self::Noise
    }
}

impl From<Option<u32>> for Assignment {
    fn from(cluster: Option<u32>) -> Self {
        cluster.map_or(Self::Noise, Self::Cluster)
    }
}

/// `noise`, or the number of the cluster.
impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noise => f.write_str("noise"),
            Self::Cluster(cluster) => cluster.fmt(f),
        }
    }
}
