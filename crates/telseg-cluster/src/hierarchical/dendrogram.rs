//! The tree of merges as data.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::params::Cut;
use super::reciprocal::Pair;

/// Two clusters that became one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merge {
    /// The one with the lower number. Leaves are numbered from 0; the i-th merge makes cluster `n_leaves + i`.
    pub left: u32,
    /// The other.
    pub right: u32,
    /// Their distance by the linkage.
    pub height: f64,
    /// Weight of the merged cluster: the number of its rows, where no weights were given.
    pub size: f64,
}

/// All merges of a hierarchy, from rows up.
///
/// Heights never fall, except where a connectivity was given (two clusters may become connected, and near, only by a merge
/// of one of them); then merges are in the order in which they happened. A connectivity that leaves parts unconnected
/// leaves as many trees.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::{Cut, Hierarchical};
/// let model = Hierarchical::params(2).fit(&array![[0.0f64], [1.0], [10.0]])?;
/// let tree = model.dendrogram();
/// // 0 and 1 at distance 1; then {0, 1} with mean 0.5 and 10: sqrt(2 * 2 * 1 / 3) * 9.5.
/// assert_eq!(tree.merges()[0].height, 1.0);
/// assert!((tree.merges()[1].height - (4.0f64 / 3.0).sqrt() * 9.5).abs() < 1e-12);
/// assert_eq!(tree.cut(Cut::Height(2.0))?, array![0, 0, 1]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dendrogram {
    n_leaves: usize,
    merges: Vec<Merge>,
    /// Weights of the leaves; empty where no weights were given.
    leaf_sizes: Vec<f64>,
}

impl Dendrogram {
    /// From merges among `weights.len()` leaves, numbered as in [`Merge`]; `rising` ones are put in the order of heights.
    pub(super) fn new(mut pairs: Vec<Pair>, weights: &[f64], rising: bool) -> Self {
        let n = weights.len();
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        if rising {
            // Rounding must not put a merge below what it merges.
            for i in 0..pairs.len() {
                let of = |id: u32| {
                    (id as usize)
                        .checked_sub(n)
                        .map_or(0.0, |i| pairs[i].height)
                };
                pairs[i].height = pairs[i].height.max(of(pairs[i].a)).max(of(pairs[i].b));
            }
            order.sort_by(|&a, &b| pairs[a].height.total_cmp(&pairs[b].height));
        }
        let mut name = vec![0; pairs.len()];
        let mut sizes = weights.to_vec();
        let mut merges = Vec::with_capacity(pairs.len());
        for (i, &at) in order.iter().enumerate() {
            name[at] = (n + i) as u32;
            let named = |id: u32| (id as usize).checked_sub(n).map_or(id, |i| name[i]);
            let (a, b) = (named(pairs[at].a), named(pairs[at].b));
            let size = sizes[a as usize] + sizes[b as usize];
            sizes.push(size);
            merges.push(Merge {
                left: a.min(b),
                right: a.max(b),
                height: pairs[at].height,
                size,
            });
        }
        let weighted = weights.iter().any(|&w| w != 1.0);
        Self {
            n_leaves: n,
            merges,
            leaf_sizes: if weighted {
                weights.to_vec()
            } else {
                Vec::new()
            },
        }
    }

    /// Number of leaves: the rows of a positive weight.
    pub fn n_leaves(&self) -> usize {
        self.n_leaves
    }

    /// The merges, in the order in which they happen.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// Weight of a leaf.
    pub(super) fn leaf_size(&self, leaf: u32) -> f64 {
        self.leaf_sizes.get(leaf as usize).copied().unwrap_or(1.0)
    }

    /// Number of trees: 1 unless a connectivity leaves parts unconnected.
    pub fn n_trees(&self) -> usize {
        self.n_leaves - self.merges.len()
    }

    /// The merges as SciPy's linkage matrix: left, right, height, size.
    pub fn linkage_matrix(&self) -> Array2<f64> {
        let mut matrix = Array2::zeros((self.merges.len(), 4));
        for (mut row, merge) in matrix.rows_mut().into_iter().zip(&self.merges) {
            row[0] = f64::from(merge.left);
            row[1] = f64::from(merge.right);
            row[2] = merge.height;
            row[3] = merge.size;
        }
        matrix
    }

    /// The cluster of each leaf, numbered in the order of their first leaves.
    ///
    /// # Errors
    /// When there are fewer leaves than clusters, or more trees; or the height is negative or not finite.
    ///
    /// # Cost
    /// `O(n)`.
    pub fn cut(&self, cut: Cut) -> Result<Array1<u32>> {
        let n_kept = self.n_kept(cut)?;
        let n = self.n_leaves;
        // Downwards, each cluster passes its top on to the two that it is made of.
        let mut top: Vec<u32> = (0..(n + n_kept) as u32).collect();
        for (i, merge) in self.merges[..n_kept].iter().enumerate().rev() {
            let of = top[n + i];
            top[merge.left as usize] = of;
            top[merge.right as usize] = of;
        }
        let mut label = vec![u32::MAX; n + n_kept];
        let mut next = 0;
        Ok(top[..n]
            .iter()
            .map(|&top| {
                let label = &mut label[top as usize];
                if *label == u32::MAX {
                    (*label, next) = (next, next + 1);
                }
                *label
            })
            .collect())
    }

    /// How many merges, from the first, are below a cut.
    pub(super) fn n_kept(&self, cut: Cut) -> Result<usize> {
        cut.validate()?;
        match cut {
            Cut::Clusters(k) => {
                if k > self.n_leaves {
                    let problem = format!("expected at most {} (rows), found {k}", self.n_leaves);
                    return Err(Error::param("n_clusters", problem));
                }
                if k < self.n_trees() {
                    let problem = format!(
                        "the connectivity leaves {} parts that are not connected with each other, so there are at least so \
                         many clusters, found {k}: connect more rows (more neighbours) or ask for more clusters",
                        self.n_trees()
                    );
                    return Err(Error::param("n_clusters", problem));
                }
                Ok(self.n_leaves - k)
            }
            Cut::Height(height) => {
                let above = self.merges.iter().position(|merge| merge.height > height);
                Ok(above.unwrap_or(self.merges.len()))
            }
        }
    }

    /// Checks what the other methods rely on.
    pub(super) fn validate(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("dendrogram", problem.to_owned()));
        let n = self.n_leaves;
        if n == 0 || self.merges.len() >= n || n > u32::MAX as usize / 2 {
            return broken("leaves and merges do not fit together");
        }
        if !(self.leaf_sizes.is_empty() || self.leaf_sizes.len() == n)
            || !self.leaf_sizes.iter().all(|w| *w > 0.0 && w.is_finite())
        {
            return broken("the weights of the leaves do not fit");
        }
        // No table by leaves: their number is the file's to choose.
        let mut used: Vec<u32> = self.merges.iter().flat_map(|m| [m.left, m.right]).collect();
        used.sort_unstable();
        if used.windows(2).any(|pair| pair[0] == pair[1]) {
            return broken("a cluster is merged twice");
        }
        for (i, merge) in self.merges.iter().enumerate() {
            if merge.left >= merge.right || merge.right as usize >= n + i {
                return broken("a merge is of clusters that are not there");
            }
            let numbers = [merge.height, merge.size];
            if !numbers.iter().all(|v| *v >= 0.0 && v.is_finite()) {
                return broken("a height or a size is negative or not finite");
            }
        }
        Ok(())
    }
}
