//! What is said of a row: where it hangs on the condensed tree, and what was taken of it.

use telseg_core::{Error, Result, Scalar};

use super::condense::{CondensedTree, distance};
use super::model::Membership;
use super::params::HdbscanParams;
use super::soft::{Soft, SoftWork};
use crate::neighbours::{KdTree, Nearest, Node, Reachable, Reached};
use crate::rows::Weighted;

/// The training rows, by position, on the condensed tree.
#[derive(Clone, Debug)]
pub(super) struct Attach<F> {
    points: Reachable<F>,
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
    soft: Soft<F>,
}

/// Where a row leaves the condensed tree: the last cluster that it is in, and the distance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) cluster: u32,
    pub(super) left: f64,
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
        let n_clusters = labels.max().map_or(0, |label| label as usize + 1);
        let over = taken_above(&condensed, |i| condensed.clusters[i].label.is_some());
        Ok(Self {
            soft: Soft::new(&condensed, &over, &floor, &tree, n_clusters)?,
            over,
            alone: single_reach(&condensed, params),
            n_clusters,
            target: params.neighbour() as f64,
            points: Reachable::new(tree, core),
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
        self.tree().n_columns()
    }

    pub(super) fn condensed(&self) -> &CondensedTree {
        &self.condensed
    }

    pub(super) fn tree(&self) -> &KdTree<F> {
        self.points.tree()
    }

    pub(super) fn core(&self) -> &[F] {
        self.points.core()
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
                Some(&(cluster, left)) => self.at(Place { cluster, left }),
                None => self.say(row, &mut nearest),
            };
        }
    }

    /// What is said of any row.
    pub(super) fn say(&self, row: &[F], nearest: &mut Nearest<F>) -> Membership {
        self.place(row, nearest)
            .map_or(Membership::default(), |place| self.at(place))
    }

    /// How much any row belongs to each cluster.
    pub(super) fn share(
        &self,
        row: &[F],
        (nearest, work): (&mut Nearest<F>, &mut SoftWork<F>),
        out: &mut [f64],
    ) {
        out.fill(0.0);
        if let Some(place) = self.place(row, nearest) {
            self.soft.write(self, (row, place), work, out);
        }
    }

    /// What soft membership works with.
    pub(super) fn soft_work(&self) -> SoftWork<F> {
        self.soft.work()
    }

    /// The least distance at which a row leaves a cluster, or it splits.
    pub(super) fn floor(&self, cluster: u32) -> f64 {
        self.floor[cluster as usize]
    }

    /// Where any row leaves the condensed tree.
    fn place(&self, row: &[F], nearest: &mut Nearest<F>) -> Option<Place> {
        nearest.search(self.tree(), row, self.weights());
        let &(to_first, _) = nearest.found().first()?;
        let leaf = |position: u32| {
            let row = self.tree().rows()[position as usize];
            let (cluster, left) = self.condensed.leaves[row as usize];
            Place { cluster, left }
        };
        let mut stack = Vec::new();
        if to_first == F::zero()
            && let Some(equal) = self.tree().equal_to(row, &mut stack)
        {
            return Some(leaf(equal));
        }
        let reached = self.nearest_reachable(row, nearest, &mut stack)?;
        let apart = distance(reached.squared);
        let mut place = leaf(reached.position);
        place.left = place.left.max(apart);
        while place.cluster > 0 && apart >= self.condensed.clusters[place.cluster as usize].birth {
            place.cluster = self.condensed.parent(place.cluster);
            place.left = apart;
        }
        Some(place)
    }

    /// The training row of the least mutual reachability, the nearest of those, the first of those.
    fn nearest_reachable(
        &self,
        row: &[F],
        nearest: &Nearest<F>,
        stack: &mut Vec<(F, Node)>,
    ) -> Option<Reached<F>> {
        let own = nearest.reach();
        let found = nearest.found().iter();
        let best = found
            .map(|&(apart, position)| self.points.from(position, apart, own))
            .reduce(|a, b| if b < a { b } else { a });
        match best {
            // Nothing is nearer than the own core distance.
            Some(best) if best.squared <= own => Some(best),
            _ => self.points.easiest(row, own, best, stack),
        }
    }

    /// What is said of a row that leaves a cluster at a distance.
    fn at(&self, Place { cluster, left }: Place) -> Membership {
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
