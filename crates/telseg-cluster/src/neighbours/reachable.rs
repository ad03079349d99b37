//! From which point a new one is reached most easily.

use telseg_core::Scalar;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};

use super::{KdTree, Node, search_by};

/// Points that are reached no more easily than at their core distance.
#[derive(Clone, Debug)]
pub(crate) struct Reachable<F> {
    tree: KdTree<F>,
    /// Squared core distances, by position; infinite of points that reach nothing.
    core: Vec<F>,
    /// The least of them in each node.
    least_core: Vec<F>,
}

/// How a point is reached; the smaller the easier, and of equals the nearest, then the first.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Reached<F> {
    /// The greatest of the distance and of the core distances, squared.
    pub(crate) squared: F,
    /// The distance, squared.
    pub(crate) apart: F,
    /// The row that it is reached from.
    pub(crate) row: u32,
    pub(crate) position: u32,
}

impl<F: Scalar> Reachable<F> {
    /// Core distances (squared) are by position, one for each point.
    pub(crate) fn new(tree: KdTree<F>, core: Vec<F>) -> Self {
        Self {
            least_core: tree.least(&core),
            tree,
            core,
        }
    }

    pub(crate) fn tree(&self) -> &KdTree<F> {
        &self.tree
    }

    pub(crate) fn core(&self) -> &[F] {
        &self.core
    }

    /// How a point at a squared distance, whose own squared core distance is `own`, is reached from a position.
    #[inline]
    pub(crate) fn from(&self, position: u32, apart: F, own: F) -> Reached<F> {
        Reached {
            squared: apart.max(own).max(self.core[position as usize]),
            apart,
            row: self.tree.rows()[position as usize],
            position,
        }
    }

    /// The easiest way to reach a point, no worse than the `best` known; `None` when there is none.
    pub(crate) fn easiest(
        &self,
        point: &[F],
        own: F,
        mut best: Option<Reached<F>>,
        stack: &mut Vec<(F, Node)>,
    ) -> Option<Reached<F>> {
        let level = Level::best();
        // Just above, so that equals are found: of them the nearest is wanted.
        let above = |best: &Option<Reached<F>>| {
            best.map_or(F::infinity(), |best| {
                best.squared * (F::one() + F::epsilon()) + F::min_positive_value()
            })
        };
        let to_node = |node: Node| {
            let least = self.least_core[node.index as usize];
            self.tree.distance_to(point, node).max(least)
        };
        stack.clear();
        stack.extend(self.tree.root().map(|root| (F::zero(), root)));
        search_by(stack, above(&best), to_node, |leaf, bound| {
            let mut distances = [F::zero(); BUCKET];
            let bucket = self.tree.bucket(leaf);
            let mut hits = bucket_distances(level, point, bucket, bound, &mut distances);
            hits &= u32::MAX >> (BUCKET - self.tree.positions(leaf).len());
            while hits != 0 {
                let lane = hits.trailing_zeros();
                hits &= hits - 1;
                let apart = distances[lane as usize];
                let found = self.from(leaf * BUCKET as u32 + lane, apart, own);
                if found.squared.is_finite() && best.is_none_or(|best| found < best) {
                    best = Some(found);
                }
            }
            above(&best)
        });
        best
    }
}
