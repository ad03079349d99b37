//! Soft membership: how much a row belongs to each cluster.
//!
//! For a row that leaves the condensed cluster `C` at the distance `l`:
//! - *By distance* to the nearest exemplar of each cluster `j`, the rows that stay longest in the leaves below it:
//!   `w_j = (1 / d_j) / sum_i (1 / d_i)`.
//! - *By the tree*: `h_j` is the distance at which the row joins `j`, which is `l` where one of `C` and `j` lies within the
//!   other, else where both come together; `o_j = exp(s_j) / sum_i exp(s_i)` with `s_j = exp(-h_j / f(C))`, where `f(C)` is
//!   the least distance at which a row leaves `C`, or it splits.
//! - *In any cluster at all*: `p = min(f(j), l) / h_j` for the cluster `j` that is joined first.
//!
//! The memberships are `p w_j o_j / sum_i w_i o_i`: they sum to `p`, and the rest is noise.

use telseg_core::{Result, Scalar};

use super::attach::{Attach, Place};
use super::condense::{CondensedTree, distance};
use crate::neighbours::{KdTree, Nearest};

/// What soft memberships are measured by; one of each for each cluster that was taken, by label.
#[derive(Clone, Debug)]
pub(super) struct Soft<F> {
    taken: Vec<u32>,
    exemplars: Vec<KdTree<F>>,
}

/// What a thread works with.
#[derive(Debug)]
pub(super) struct SoftWork<F> {
    nearest: Nearest<F>,
    /// The distances at which the last condensed cluster that was asked for and each taken one come together.
    joins: Vec<f64>,
    of: Option<u32>,
}

impl<F: Scalar> Soft<F> {
    /// Of a condensed tree whose leaves are the rows of `tree`; `floor` is the least distance at which each cluster is left.
    pub(super) fn new(
        condensed: &CondensedTree,
        over: &[Option<u32>],
        floor: &[f64],
        tree: &KdTree<F>,
        n_clusters: usize,
    ) -> Result<Self> {
        let (mut taken, mut rows) = (vec![0; n_clusters], vec![Vec::new(); n_clusters]);
        let mut is_leaf = vec![true; condensed.clusters.len()];
        for (i, cluster) in condensed.clusters.iter().enumerate() {
            if let Some(label) = cluster.label {
                taken[label as usize] = i as u32;
            }
            if let Some(parent) = cluster.parent {
                is_leaf[parent as usize] = false;
            }
        }
        for (position, &row) in tree.rows().iter().enumerate() {
            let (cluster, left) = condensed.leaves[row as usize];
            let cluster = cluster as usize;
            let label = over[cluster].and_then(|over| condensed.clusters[over as usize].label);
            if let Some(label) = label
                && is_leaf[cluster]
                && left <= floor[cluster]
            {
                let point = (0..tree.n_columns()).map(|j| tree.at(position, j));
                rows[label as usize].extend(point);
            }
        }
        let exemplars = rows.iter().map(|rows| KdTree::new(rows, tree.n_columns()));
        Ok(Self {
            taken,
            exemplars: exemplars.collect::<Result<_>>()?,
        })
    }

    pub(super) fn work(&self) -> SoftWork<F> {
        SoftWork {
            nearest: Nearest::new(1.0),
            joins: vec![0.0; self.taken.len()],
            of: None,
        }
    }

    /// Writes the memberships of a row with its place on the condensed tree.
    pub(super) fn write(
        &self,
        attach: &Attach<F>,
        (row, place): (&[F], Place),
        work: &mut SoftWork<F>,
        out: &mut [f64],
    ) {
        self.join(attach.condensed(), place.cluster, work);
        let own_floor = attach.floor(place.cluster);
        for (out, exemplars) in out.iter_mut().zip(&self.exemplars) {
            work.nearest.search(exemplars, row, None);
            let nearest = work.nearest.found().first();
            *out = nearest.map_or(f64::INFINITY, |&(squared, _)| distance(squared));
        }
        let least = out.iter().copied().fold(f64::INFINITY, f64::min);
        let (mut sum, mut first) = (0.0, (f64::INFINITY, 0.0, 0));
        for (label, out) in out.iter_mut().enumerate() {
            let joined = work.joins[label].max(place.left);
            let score = (-1.0 / share(own_floor, joined)).exp();
            *out = share(least, *out) * score.exp();
            sum += *out;
            // The first to be joined; of several, the one that it is nearest to.
            if joined < first.0 || (joined == first.0 && *out > first.1) {
                first = (joined, *out, label);
            }
        }
        let (joined, _, label) = first;
        let Some(&taken) = self.taken.get(label) else {
            return;
        };
        let any = share(attach.floor(taken).min(place.left), joined);
        out.iter_mut().for_each(|out| *out *= any / sum);
    }

    /// Where a condensed cluster and each taken one come together; 0 where one lies within the other.
    fn join(&self, condensed: &CondensedTree, cluster: u32, work: &mut SoftWork<F>) {
        if work.of == Some(cluster) {
            return;
        }
        work.of = Some(cluster);
        for (join, &taken) in work.joins.iter_mut().zip(&self.taken) {
            let (mut a, mut b, mut last) = (cluster, taken, None);
            let (mut a_rose, mut b_rose) = (false, false);
            // Parents come before their children: the later one cannot hold the other.
            while a != b {
                let later = if a > b {
                    a_rose = true;
                    &mut a
                } else {
                    b_rose = true;
                    &mut b
                };
                last = Some(*later);
                *later = condensed.parent(*later);
            }
            let last = last.filter(|_| a_rose && b_rose);
            *join = last.map_or(0.0, |last| condensed.clusters[last as usize].birth);
        }
    }
}

/// `least / value`, at most 1; 1 where both are 0.
fn share(least: f64, value: f64) -> f64 {
    if value <= least { 1.0 } else { least / value }
}
