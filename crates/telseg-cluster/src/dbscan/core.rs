//! Which points are core.

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};

use crate::neighbours::{KdTree, Node, Radius};

/// For each leaf the lanes that are core, one bit each. Weights are by position.
pub(super) fn core_lanes<F: Scalar>(
    tree: &KdTree<F>,
    leaves: &[Node],
    radius: &Radius<F>,
    least: f64,
    weights: Option<&[f64]>,
) -> Vec<u32> {
    let level = Level::best();
    let work = || {
        let point = vec![F::zero(); tree.n_columns()];
        (Vec::new(), Vec::new(), point)
    };
    let of_leaf = |(stack, near, point): &mut (Vec<Node>, Vec<Node>, Vec<F>), &leaf: &Node| {
        let mut lanes = 0u32;
        near.clear();
        for (lane, position) in tree.positions(leaf.first).enumerate() {
            tree.copy_point(position, point);
            // Most points of a dense place need no more than their own bucket.
            let mut found = weigh(level, tree, leaf.first, point, radius, weights);
            if found < least && near.is_empty() {
                tree.leaves_near(leaf, radius.bound, stack, near);
            }
            for &other in near.iter() {
                if found >= least {
                    break;
                }
                if other != leaf && tree.distance_to(point, other) < radius.bound {
                    found += weigh(level, tree, other.first, point, radius, weights);
                }
            }
            lanes |= u32::from(found >= least) << lane;
        }
        lanes
    };
    leaves.par_iter().map_init(work, of_leaf).collect()
}

/// What the points of a leaf within the radius weigh.
#[inline]
fn weigh<F: Scalar>(
    level: Level,
    tree: &KdTree<F>,
    leaf: u32,
    point: &[F],
    radius: &Radius<F>,
    weights: Option<&[f64]>,
) -> f64 {
    let mut distances = [F::zero(); BUCKET];
    let bucket = tree.bucket(leaf);
    let mask = bucket_distances(level, point, bucket, radius.bound, &mut distances);
    let mut within = radius.within(level, mask, &distances, (tree, leaf, point));
    let Some(weights) = weights else {
        return f64::from(within.count_ones());
    };
    let (start, mut sum) = (leaf as usize * BUCKET, 0.0);
    while within != 0 {
        sum += weights[start + within.trailing_zeros() as usize];
        within &= within - 1;
    }
    sum
}
