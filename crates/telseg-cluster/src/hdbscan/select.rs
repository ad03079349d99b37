//! Which clusters of the condensed tree are taken.

use super::condense::CondensedTree;
use super::params::{HdbscanParams, Selection};

/// Marks for each cluster whether it is taken; no taken cluster is below another.
pub(super) fn select(tree: &CondensedTree, params: &HdbscanParams) -> Vec<bool> {
    let taken = match params.selection {
        Selection::ExcessOfMass => excess_of_mass(tree, params),
        Selection::Leaf => leaves(tree, params),
    };
    if params.epsilon > 0.0 {
        topmost(tree, &climb(tree, &taken, params))
    } else {
        taken
    }
}

/// Of a cluster and those below it, whichever are more stable in sum.
fn excess_of_mass(tree: &CondensedTree, params: &HdbscanParams) -> Vec<bool> {
    let n = tree.clusters.len();
    let (mut taken, mut below) = (vec![false; n], vec![0.0; n]);
    let most = params.max_cluster_size.map_or(f64::INFINITY, |m| m as f64);
    // Children come after their parents.
    for (i, cluster) in tree.clusters.iter().enumerate().rev() {
        let may = i > 0 || params.allow_single_cluster;
        taken[i] = may && below[i] <= cluster.stability && cluster.size <= most;
        let stability = if taken[i] {
            cluster.stability
        } else {
            below[i]
        };
        if i > 0 {
            below[tree.parent(i as u32) as usize] += stability;
        }
    }
    topmost(tree, &taken)
}

fn leaves(tree: &CondensedTree, params: &HdbscanParams) -> Vec<bool> {
    let mut taken = vec![true; tree.clusters.len()];
    for cluster in tree.clusters.iter().skip(1) {
        taken[cluster.parent.unwrap_or(0) as usize] = false;
    }
    if let [root] = &mut taken[..] {
        *root = params.allow_single_cluster;
    }
    taken
}

/// Takes, instead of a cluster that came apart below `epsilon`, the nearest one above it that did not.
fn climb(tree: &CondensedTree, taken: &[bool], params: &HdbscanParams) -> Vec<bool> {
    let mut higher = vec![false; taken.len()];
    for i in (0..taken.len()).filter(|&i| taken[i]) {
        let mut at = i;
        while tree.clusters[at].birth < params.epsilon {
            let parent = tree.parent(at as u32) as usize;
            if parent == 0 && !params.allow_single_cluster {
                break;
            }
            at = parent;
        }
        higher[at] = true;
    }
    higher
}

/// Drops what is below another taken cluster.
fn topmost(tree: &CondensedTree, taken: &[bool]) -> Vec<bool> {
    let mut covered = vec![false; taken.len()];
    let mut top = taken.to_vec();
    for i in 1..taken.len() {
        let parent = tree.parent(i as u32) as usize;
        covered[i] = covered[parent] || taken[parent];
        top[i] = taken[i] && !covered[i];
    }
    top
}
