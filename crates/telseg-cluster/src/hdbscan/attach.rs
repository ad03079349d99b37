//! What is said of a row: where it hangs on the condensed tree, and what was taken of it.

use telseg_core::kernel::{BUCKET, Level, bucket_distances};
use telseg_core::{Error, Result, Scalar};

use super::condense::{CondensedTree, distance};
use super::model::Membership;
use super::params::HdbscanParams;
use crate::neighbours::{KdTree, Nearest, search_by};
use crate::rows::Weighted;

/// The training rows, by position, on the condensed tree.
#[derive(Clone, Debug)]
pub(super) struct Attach<F> {
    tree: KdTree<F>,
    /// Squared core distances.
    core: Vec<F>,
    least_core: Vec<F>,
    weights: Option<Vec<f64>>,
    condensed: CondensedTree,
    /// Neighbours (or their weight) that a new row's core distance reaches over.
    target: f64,
    /// For each cluster the taken one that it is in.
    over: Vec<Option<u32>>,
    /// The least distance at which a row leaves each cluster, or it splits.
    floor: Vec<f64>,
    /// The same over the cluster and all below it.
    floor_below: Vec<f64>,
    /// Rows that leave a single cluster above this distance are noise.
    alone: f64,
    n_clusters: usize,
}

/// For each cluster the one of `taken` that it is in.
pub(super) fn taken_above(
    condensed: &CondensedTree,
    taken: impl Fn(usize) -> bool,
) -> Vec<Option<u32>> {
    let mut over: Vec<Option<u32>> = Vec::with_capacity(condensed.clusters.len());
    for i in 0..condensed.clusters.len() {
        let own = taken(i).then_some(i as u32);
        let above = (i > 0).then(|| over[condensed.parent(i as u32) as usize]);
        over.push(own.or(above.flatten()));
    }
    over
}

/// The distance up to which rows belong to the root, when it is the single cluster.
pub(super) fn single_reach(condensed: &CondensedTree, params: &HdbscanParams) -> f64 {
    let split = condensed.clusters.iter().find(|c| c.parent == Some(0));
    if params.epsilon > 0.0 {
        params.epsilon
    } else {
        split.map_or(f64::INFINITY, |split| split.birth)
    }
}

impl<F: Scalar> Attach<F> {
    /// Core distances (squared) and weights are by position; the condensed tree has a leaf for every row.
    pub(super) fn new(
        params: &HdbscanParams,
        tree: KdTree<F>,
        core: Vec<F>,
        weights: Option<Vec<f64>>,
        condensed: CondensedTree,
    ) -> Result<Self> {
        let n = condensed.clusters.len();
        if condensed.leaves.len() != tree.n_rows() || core.len() != tree.n_rows() {
            return Err(Error::data(
                "hdbscan",
                "rows, core distances and leaves differ in number",
            ));
        }
        let mut floor = vec![f64::INFINITY; n];
        for &(cluster, left) in &condensed.leaves {
            let floor = &mut floor[cluster as usize];
            *floor = floor.min(left);
        }
        let mut floor_below = floor.clone();
        for i in (1..n).rev() {
            let parent = condensed.parent(i as u32) as usize;
            floor[parent] = floor[parent].min(condensed.clusters[i].birth);
            floor_below[parent] = floor_below[parent].min(floor_below[i]);
        }
        let labels = condensed.clusters.iter().filter_map(|c| c.label);
        Ok(Self {
            least_core: tree.least(&core),
            over: taken_above(&condensed, |i| condensed.clusters[i].label.is_some()),
            alone: single_reach(&condensed, params),
            n_clusters: labels.max().map_or(0, |label| label as usize + 1),
            target: params.neighbour() as f64,
            tree,
            core,
            weights,
            condensed,
            floor,
            floor_below,
        })
    }

    pub(super) fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    pub(super) fn n_columns(&self) -> usize {
        self.tree.n_columns()
    }

    pub(super) fn condensed(&self) -> &CondensedTree {
        &self.condensed
    }

    pub(super) fn tree(&self) -> &KdTree<F> {
        &self.tree
    }

    pub(super) fn core(&self) -> &[F] {
        &self.core
    }

    pub(super) fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// What a search works with.
    pub(super) fn nearest(&self) -> Nearest<F> {
        Nearest::new(self.target)
    }

    /// What is said of the rows at fit.
    pub(super) fn say_fitted(&self, data: &Weighted<'_, F>, out: &mut [Membership]) {
        let (mut leaves, mut nearest) = (self.condensed.leaves.iter(), self.nearest());
        let rows = data.all.chunks_exact(self.n_columns());
        for (i, (out, row)) in out.iter_mut().zip(rows).enumerate() {
            // Rows of weight 0 are as new.
            let kept = if data.weight(i) > 0.0 {
                leaves.next()
            } else {
                None
            };
            *out = match kept {
                Some(&leaf) => self.of_leaf(leaf),
                None => self.say(row, &mut nearest),
            };
        }
    }

    /// What is said of any row.
    pub(super) fn say(&self, row: &[F], nearest: &mut Nearest<F>) -> Membership {
        nearest.search(&self.tree, row, self.weights());
        let Some(&(to_first, first)) = nearest.found().first() else {
            return Membership::default();
        };
        let leaf = |position: u32| {
            let row = self.tree.rows()[position as usize];
            self.condensed.leaves[row as usize]
        };
        if to_first == F::zero() {
            return self.of_leaf(leaf(first));
        }
        let (squared, position) = self.nearest_reachable(row, nearest);
        let apart = distance(squared);
        let (mut cluster, left) = leaf(position);
        let mut left = left.max(apart);
        while cluster > 0 && apart >= self.condensed.clusters[cluster as usize].birth {
            cluster = self.condensed.parent(cluster);
            left = apart;
        }
        self.of_leaf((cluster, left))
    }

    /// The training row of the least mutual reachability, the nearest of those, the first of those.
    fn nearest_reachable(&self, row: &[F], nearest: &Nearest<F>) -> (F, u32) {
        let (own, level) = (nearest.reach(), Level::best());
        let reach = |d: F, position: usize| d.max(own).max(self.core[position]);
        let found = nearest.found().iter().map(|&(d, position)| {
            let squared = reach(d, position as usize);
            (squared, d, self.tree.rows()[position as usize], position)
        });
        let best = found.reduce(|a, b| {
            if (b.0, b.1, b.2) < (a.0, a.1, a.2) {
                b
            } else {
                a
            }
        });
        let Some((mut squared, .., mut position)) = best else {
            return (F::infinity(), 0);
        };
        if squared <= own {
            return (squared, position);
        }
        let mut stack = Vec::new();
        stack.extend(self.tree.root().map(|root| (F::zero(), root)));
        let to_node = |node: crate::neighbours::Node| {
            let least = self.least_core[node.index as usize];
            self.tree.distance_to(row, node).max(least)
        };
        search_by(&mut stack, squared, to_node, |leaf, bound| {
            let mut distances = [F::zero(); BUCKET];
            let bucket = self.tree.bucket(leaf);
            let mut hits = bucket_distances(level, row, bucket, bound, &mut distances);
            hits &= u32::MAX >> (BUCKET - self.tree.positions(leaf).len());
            while hits != 0 {
                let lane = hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let at = leaf as usize * BUCKET + lane;
                let reached = reach(distances[lane], at);
                if reached < squared {
                    (squared, position) = (reached, at as u32);
                }
            }
            squared
        });
        (squared, position)
    }

    /// What is said of a row that leaves a cluster at a distance.
    fn of_leaf(&self, (cluster, left): (u32, f64)) -> Membership {
        // Of the greatest density, that at which the row leaves.
        let share = |floor: f64| {
            if left <= floor { 1.0 } else { floor / left }
        };
        let taken = self.over[cluster as usize];
        let taken = taken.filter(|&taken| taken > 0 || left <= self.alone);
        let label = taken.and_then(|taken| self.condensed.clusters[taken as usize].label);
        Membership {
            assignment: label.into(),
            strength: taken.map_or(0.0, |taken| share(self.floor[taken as usize])),
            outlier_score: 1.0 - share(self.floor_below[cluster as usize]),
        }
    }
}
