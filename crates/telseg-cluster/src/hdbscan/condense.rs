//! The condensed tree: parts that are large enough to be clusters, and when rows leave them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use telseg_core::Scalar;

use super::linkage::Linkage;

/// A part that hung together and was large enough, from the distance at which it came apart from its parent on down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CondensedCluster {
    /// The cluster that it came from; `None` of the root, which comes first. Parents come before their children.
    pub parent: Option<u32>,
    /// The distance at which it came apart from its parent; infinite for the root.
    pub birth: f64,
    /// Weight of its rows at that distance.
    pub size: f64,
    /// The sum over its rows of how much density (one over distance) they go through in it, weighted; may be infinite where
    /// rows are equal.
    pub stability: f64,
    /// The number of the cluster that was taken, where it is this one.
    pub label: Option<u32>,
}

/// What hung together at which distance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CondensedTree {
    pub(super) clusters: Vec<CondensedCluster>,
    /// The last cluster of each row of a weight above 0, and the distance at which the row left it.
    pub(super) leaves: Vec<(u32, f64)>,
}

impl CondensedTree {
    /// The clusters, the root first.
    pub fn clusters(&self) -> &[CondensedCluster] {
        &self.clusters
    }

    /// For each training row of a weight above 0 the last cluster it was in, and the distance at which it left.
    pub fn leaves(&self) -> &[(u32, f64)] {
        &self.leaves
    }

    /// The parent of each cluster but the root, which is its own.
    pub(super) fn parent(&self, cluster: u32) -> u32 {
        self.clusters[cluster as usize].parent.unwrap_or(0)
    }
}

/// What to condense: core distances (squared) and weights are by position.
pub(super) struct Condense<'a, F> {
    pub(super) linkage: &'a Linkage<F>,
    pub(super) rows: &'a [u32],
    pub(super) core: &'a [F],
    pub(super) weights: Option<&'a [f64]>,
    pub(super) least: f64,
}

/// A node on its way down: it belongs to a cluster.
type Step = (u32, u32);

impl<F: Scalar> Condense<'_, F> {
    /// Falls apart from the root down, distance by distance.
    pub(super) fn run(&self) -> CondensedTree {
        let n = self.linkage.n;
        let mut tree = CondensedTree {
            clusters: Vec::new(),
            leaves: vec![(0, 0.0); n],
        };
        let Some(root) = self.linkage.root() else {
            return tree;
        };
        tree.clusters.push(CondensedCluster {
            parent: None,
            birth: f64::INFINITY,
            size: self.size(root),
            stability: 0.0,
            label: None,
        });
        let mut steps = VecDeque::from([(root, 0)]);
        let (mut parts, mut stack) = (Vec::new(), Vec::new());
        while let Some(step) = steps.pop_front() {
            self.step(step, &mut tree, &mut steps, (&mut parts, &mut stack));
        }
        self.weigh(&mut tree);
        tree
    }

    fn size(&self, node: u32) -> f64 {
        match self.linkage.merge(node) {
            Some(merge) => merge.size,
            None => self.weights.map_or(1.0, |w| w[node as usize]),
        }
    }

    fn first_row(&self, node: u32) -> u32 {
        let merge = self.linkage.merge(node);
        merge.map_or_else(|| self.rows[node as usize], |merge| merge.first_row)
    }

    /// Whether a part is a cluster below a squared distance. A point that weighs as much as a cluster stands for so many
    /// equal rows, which come apart at their core distance.
    fn is_cluster(&self, node: u32, squared: F) -> bool {
        let together = (node as usize) >= self.linkage.n || self.core[node as usize] < squared;
        together && self.size(node) >= self.least
    }

    fn step(
        &self,
        (mut node, cluster): Step,
        tree: &mut CondensedTree,
        steps: &mut VecDeque<Step>,
        (parts, stack): (&mut Vec<u32>, &mut Vec<u32>),
    ) {
        loop {
            let Some(merge) = self.linkage.merge(node) else {
                let core = distance(self.core[node as usize]);
                tree.leaves[self.rows[node as usize] as usize] = (cluster, core);
                return;
            };
            // All that comes apart at this distance, at once.
            parts.clear();
            stack.clear();
            stack.extend(merge.parts);
            while let Some(part) = stack.pop() {
                match self.linkage.merge(part) {
                    Some(below) if below.squared == merge.squared => stack.extend(below.parts),
                    _ => parts.push(part),
                }
            }
            let apart = distance(merge.squared);
            let large = |part: &u32| self.is_cluster(*part, merge.squared);
            let n_large = parts.iter().filter(|part| large(part)).count();
            for &part in parts.iter().filter(|part| !large(part)) {
                self.leave(part, (cluster, apart), tree, stack);
            }
            parts.retain(large);
            if n_large == 0 {
                return;
            }
            if n_large == 1 {
                node = parts[0];
                continue;
            }
            parts.sort_unstable_by_key(|&part| self.first_row(part));
            for &part in parts.iter() {
                tree.clusters.push(CondensedCluster {
                    parent: Some(cluster),
                    birth: apart,
                    size: self.size(part),
                    stability: 0.0,
                    label: None,
                });
                steps.push_back((part, tree.clusters.len() as u32 - 1));
            }
            return;
        }
    }

    fn leave(&self, part: u32, leaf: (u32, f64), tree: &mut CondensedTree, stack: &mut Vec<u32>) {
        stack.push(part);
        while let Some(node) = stack.pop() {
            match self.linkage.merge(node) {
                Some(merge) => stack.extend(merge.parts),
                None => tree.leaves[self.rows[node as usize] as usize] = leaf,
            }
        }
    }

    /// Stabilities, added up in the order of the rows.
    fn weigh(&self, tree: &mut CondensedTree) {
        let mut weights = vec![1.0; self.linkage.n];
        if let Some(by_position) = self.weights {
            for (&row, &weight) in self.rows.iter().zip(by_position) {
                weights[row as usize] = weight;
            }
        }
        for (&(cluster, distance), weight) in tree.leaves.iter().zip(weights) {
            let cluster = &mut tree.clusters[cluster as usize];
            if weight > 0.0 {
                cluster.stability += (1.0 / distance - 1.0 / cluster.birth) * weight;
            }
        }
        for child in 1..tree.clusters.len() {
            let (birth, size) = (tree.clusters[child].birth, tree.clusters[child].size);
            let parent = tree.parent(child as u32) as usize;
            let parent = &mut tree.clusters[parent];
            parent.stability += (1.0 / birth - 1.0 / parent.birth) * size;
        }
    }
}

/// The distance of a squared one.
pub(super) fn distance<F: Scalar>(squared: F) -> f64 {
    squared.into_f64().sqrt()
}
