//! Which core points belong together.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};

use crate::components::Components;
use crate::neighbours::{KdTree, Node, Radius};

/// What joining works on.
struct Joining<'a, F> {
    level: Level,
    tree: &'a KdTree<F>,
    radius: &'a Radius<F>,
    cores: &'a [u32],
    sets: &'a Components,
    /// Leaves whose core points are known to be one set; once so, always so.
    one_set: Vec<AtomicBool>,
}

/// Joins the core points within the radius of each other; sets are of positions.
pub(super) fn join<F: Scalar>(
    tree: &KdTree<F>,
    leaves: &[Node],
    radius: &Radius<F>,
    cores: &[u32],
) -> Components {
    let sets = Components::new(tree.n_rows());
    let joining = Joining {
        level: Level::best(),
        tree,
        radius,
        cores,
        sets: &sets,
        one_set: leaves.iter().map(|_| AtomicBool::new(false)).collect(),
    };
    let occupied: Vec<Node> = leaves
        .iter()
        .filter(|leaf| cores[leaf.first as usize] != 0)
        .copied()
        .collect();
    // Leaves first by themselves, so that most are known to be one set when they meet.
    occupied.par_iter().for_each_init(
        || vec![F::zero(); tree.n_columns()],
        |point, &leaf| joining.inside(leaf, point),
    );
    let work = || (Vec::new(), Vec::new(), vec![F::zero(); tree.n_columns()]);
    occupied
        .par_iter()
        .for_each_init(work, |(stack, near, point), &leaf| {
            tree.leaves_near(leaf, radius.bound, stack, near);
            for &other in near.iter().filter(|other| other.first > leaf.first) {
                joining.pair(leaf, other, point);
            }
        });
    sets
}

impl<F: Scalar> Joining<'_, F> {
    fn lanes(&self, leaf: u32) -> impl Iterator<Item = u32> + use<F> {
        let mut mask = self.cores[leaf as usize];
        std::iter::from_fn(move || {
            let lane = (mask != 0).then(|| mask.trailing_zeros())?;
            mask &= mask - 1;
            Some(leaf * BUCKET as u32 + lane)
        })
    }

    fn inside(&self, leaf: Node, point: &mut [F]) {
        if self.tree.diagonal(leaf) <= self.radius.sure {
            let mut lanes = self.lanes(leaf.first);
            if let Some(first) = lanes.next() {
                lanes.for_each(|other| {
                    self.sets.union(first, other);
                });
            }
        } else {
            for position in self.lanes(leaf.first) {
                self.tree.copy_point(position as usize, point);
                self.meet(position, point, leaf.first);
            }
        }
        self.note(leaf.first);
    }

    /// Notes when the core points of a leaf are one set.
    fn note(&self, leaf: u32) -> bool {
        let noted = &self.one_set[leaf as usize];
        if noted.load(Ordering::Relaxed) {
            return true;
        }
        let mut lanes = self.lanes(leaf).map(|position| self.sets.find(position));
        let one = lanes
            .next()
            .is_none_or(|first| lanes.all(|set| set == first));
        if one {
            noted.store(true, Ordering::Relaxed);
        }
        one
    }

    /// Whether two leaves are known to be one set each, and the same.
    fn same(&self, a: u32, b: u32) -> bool {
        let first = |leaf| {
            let lane = self.lanes(leaf).next();
            lane.map(|position| self.sets.find(position))
        };
        self.note(a) && self.note(b) && first(a) == first(b)
    }

    fn pair(&self, a: Node, b: Node, point: &mut [F]) {
        if self.cores[b.first as usize] == 0 || self.same(a.first, b.first) {
            return;
        }
        let both_one = self.note(a.first) && self.note(b.first);
        for position in self.lanes(a.first) {
            self.tree.copy_point(position as usize, point);
            if self.tree.distance_to(point, b) >= self.radius.bound {
                continue;
            }
            // One meeting joins all of both.
            if self.meet(position, point, b.first) && both_one {
                return;
            }
        }
    }

    /// Joins a point with the core points of a leaf within the radius; whether there was one.
    fn meet(&self, position: u32, point: &[F], leaf: u32) -> bool {
        let mut distances = [F::zero(); BUCKET];
        let bucket = self.tree.bucket(leaf);
        let mask = bucket_distances(self.level, point, bucket, self.radius.bound, &mut distances);
        let mask = mask & self.cores[leaf as usize];
        let mut within = self
            .radius
            .within(self.level, mask, &distances, (self.tree, leaf, point));
        let met = within != 0;
        let known = self.one_set[leaf as usize].load(Ordering::Relaxed);
        while within != 0 {
            let lane = within.trailing_zeros();
            within &= within - 1;
            self.sets.union(position, leaf * BUCKET as u32 + lane);
            if known {
                break;
            }
        }
        met
    }
}
