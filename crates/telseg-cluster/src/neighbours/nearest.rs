//! The nearest points of a point, as many as it takes to gather a weight.

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};

use super::{KdTree, Node};

/// Points found so far, the nearest first: no more than are needed to reach the target weight.
#[derive(Clone, Debug)]
pub(crate) struct Nearest<F> {
    /// Squared distance and position.
    found: Vec<(F, u32)>,
    target: f64,
    total: f64,
    stack: Vec<(F, Node)>,
}

impl<F: Scalar> Nearest<F> {
    /// Looks for points of a total weight of at least `target`.
    pub(crate) fn new(target: f64) -> Self {
        Self {
            found: Vec::new(),
            target,
            total: 0.0,
            stack: Vec::new(),
        }
    }

    /// Squared distances and positions, the nearest first.
    pub(crate) fn found(&self) -> &[(F, u32)] {
        &self.found
    }

    /// The squared radius that gathers the target, or all points where they weigh less.
    pub(crate) fn reach(&self) -> F {
        self.found.last().map_or(F::zero(), |&(d, _)| d)
    }

    /// Whether the points found reach the target.
    pub(crate) fn complete(&self) -> bool {
        self.total >= self.target
    }

    /// What a further point must be nearer than.
    #[inline(always)]
    fn bound(&self) -> F {
        if self.complete() {
            self.reach()
        } else {
            F::infinity()
        }
    }

    #[inline]
    fn insert(&mut self, distance: F, position: u32, weights: Option<&[f64]>) {
        let place = self.found.partition_point(|&(d, _)| d <= distance);
        self.found.insert(place, (distance, position));
        let Some(weights) = weights else {
            self.total = self.found.len() as f64;
            if self.total - 1.0 >= self.target {
                self.found.pop();
                self.total -= 1.0;
            }
            return;
        };
        self.total = 0.0;
        for (i, &(_, position)) in self.found.iter().enumerate() {
            self.total += weights[position as usize];
            if self.total >= self.target {
                self.found.truncate(i + 1);
                break;
            }
        }
    }

    fn scan(
        &mut self,
        level: Level,
        (tree, leaf, point): (&KdTree<F>, u32, &[F]),
        weights: Option<&[f64]>,
    ) -> F {
        let (mut distances, mut bound) = ([F::zero(); BUCKET], self.bound());
        let mut hits = bucket_distances(level, point, tree.bucket(leaf), bound, &mut distances);
        while hits != 0 {
            let lane = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            // Places without a point are infinitely far.
            if distances[lane] < bound {
                self.insert(distances[lane], leaf * BUCKET as u32 + lane as u32, weights);
                bound = self.bound();
            }
        }
        bound
    }

    /// Finds the nearest points of any point. Weights are by position.
    pub(crate) fn search(&mut self, tree: &KdTree<F>, point: &[F], weights: Option<&[f64]>) {
        self.clear();
        let level = Level::best();
        let mut stack = std::mem::take(&mut self.stack);
        stack.extend(tree.root().map(|root| (F::zero(), root)));
        tree.search(point, &mut stack, F::infinity(), |leaf, _| {
            self.scan(level, (tree, leaf, point), weights)
        });
        self.stack = stack;
    }

    fn clear(&mut self) {
        self.found.clear();
        self.stack.clear();
        self.total = 0.0;
    }
}

/// Finds the nearest points of every point in the tree (each is its own nearest), in parallel; `each` gets the position and
/// what was found, and its answers come back by position.
pub(crate) fn nearest_of_all<F: Scalar, T: Send>(
    tree: &KdTree<F>,
    target: f64,
    weights: Option<&[f64]>,
    each: impl Fn(usize, &Nearest<F>) -> T + Sync + Send,
) -> Vec<T> {
    let level = Level::best();
    let work = || {
        let point = vec![F::zero(); tree.n_columns()];
        (Nearest::new(target), point, Vec::new())
    };
    let of_leaf = |(nearest, point, siblings): &mut (Nearest<F>, Vec<F>, Vec<Node>), leaf: u32| {
        tree.siblings(leaf, siblings);
        let of_point = |position| {
            tree.copy_point(position, point);
            nearest.clear();
            let bound = nearest.scan(level, (tree, leaf, point), weights);
            let mut stack = std::mem::take(&mut nearest.stack);
            for &sibling in siblings.iter() {
                let distance = tree.distance_to(point, sibling);
                if distance < bound {
                    stack.push((distance, sibling));
                }
            }
            tree.search(point, &mut stack, bound, |leaf, _| {
                nearest.scan(level, (tree, leaf, point), weights)
            });
            nearest.stack = stack;
            each(position, nearest)
        };
        tree.positions(leaf).map(of_point).collect::<Vec<T>>()
    };
    let leaves = (0..tree.n_leaves() as u32).into_par_iter();
    let answers: Vec<Vec<T>> = leaves.map_init(work, of_leaf).collect();
    answers.into_iter().flatten().collect()
}
