//! The order itself: Prim's algorithm on reachability, with a tree that knows the easiest and the hardest to reach.

use telseg_core::Scalar;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};

use crate::neighbours::{KdTree, Node};

/// What a walk over all rows found; by row, distances squared.
pub(super) struct Walk<F> {
    pub(super) order: Vec<u32>,
    pub(super) reachability: Vec<F>,
    pub(super) predecessor: Vec<Option<u32>>,
}

/// The state of the walk, by position or by node.
struct Walking<'a, F> {
    level: Level,
    tree: &'a KdTree<F>,
    limit: F,
    reach: Vec<F>,
    from: Vec<u32>,
    /// For each leaf the lanes that were visited, and those without a point.
    done: Vec<u32>,
    /// Of the points of a node that were not visited: the easiest to reach, with its row, and the position of it.
    next: Vec<(F, u32, u32)>,
    /// The reach of the hardest to reach; below 0 where all were visited.
    hardest: Vec<F>,
}

const NONE: u32 = u32::MAX;

/// Walks over all rows. Core distances are squared, by position, infinite where the row is not core.
pub(super) fn walk<F: Scalar>(tree: &KdTree<F>, core: &[F], limit: F) -> Walk<F> {
    let n = tree.n_rows();
    let leaves = 0..tree.n_leaves() as u32;
    let absent = |leaf: u32| !(u32::MAX >> (BUCKET - tree.positions(leaf).len()));
    let mut walking = Walking {
        level: Level::best(),
        tree,
        limit,
        reach: vec![F::infinity(); n],
        from: vec![NONE; n],
        done: leaves.map(absent).collect(),
        next: vec![(F::infinity(), NONE, NONE); tree.n_nodes()],
        hardest: vec![F::infinity(); tree.n_nodes()],
    };
    for node in tree.nodes().into_iter().rev() {
        walking.sum_up(node);
    }
    let mut order = Vec::with_capacity(n);
    let mut point = vec![F::zero(); tree.n_columns()];
    if let Some(root) = tree.root() {
        for _ in 0..n {
            let (_, row, position) = walking.next[0];
            order.push(row);
            tree.copy_point(position as usize, &mut point);
            walking.done[position as usize / BUCKET] |= 1 << (position as usize % BUCKET);
            walking.visit(root, (position, core[position as usize]), &point);
        }
    }
    let mut walk = Walk {
        order,
        reachability: vec![F::infinity(); n],
        predecessor: vec![None; n],
    };
    for (position, &row) in tree.rows().iter().enumerate() {
        walk.reachability[row as usize] = walking.reach[position];
        let from = walking.from[position];
        walk.predecessor[row as usize] = (from != NONE).then(|| tree.rows()[from as usize]);
    }
    walk
}

impl<F: Scalar> Walking<'_, F> {
    /// Reaches from a point what can be reached more easily from it; says whether something of the node changed.
    fn visit(&mut self, node: Node, (position, core): (u32, F), point: &[F]) -> bool {
        let holds = (node.first..node.end).contains(&(position / BUCKET as u32));
        let distance = self.tree.distance_to(point, node);
        let idle = distance > self.limit || distance.max(core) >= self.hardest[node.index as usize];
        if idle && !holds {
            return false;
        }
        let changed = if node.is_leaf() {
            let reached = !idle && self.reach_leaf(node.first, (position, core), point);
            reached || holds
        } else {
            let (left, right) = node.children();
            let left = self.visit(left, (position, core), point);
            self.visit(right, (position, core), point) || left
        };
        if changed {
            self.sum_up(node);
        }
        changed
    }

    fn reach_leaf(&mut self, leaf: u32, (position, core): (u32, F), point: &[F]) -> bool {
        let mut distances = [F::zero(); BUCKET];
        let bucket = self.tree.bucket(leaf);
        let hits = bucket_distances(self.level, point, bucket, self.limit, &mut distances);
        let (mut open, mut changed) = (hits & !self.done[leaf as usize], false);
        while open != 0 {
            let lane = open.trailing_zeros() as usize;
            open &= open - 1;
            let at = leaf as usize * BUCKET + lane;
            let reach = distances[lane].max(core);
            if reach < self.reach[at] {
                (self.reach[at], self.from[at]) = (reach, position);
                changed = true;
            }
        }
        changed
    }

    fn sum_up(&mut self, node: Node) {
        let (mut next, mut hardest) = ((F::infinity(), NONE, NONE), -F::one());
        let sooner = |a: (F, u32, u32), b: (F, u32, u32)| {
            if (b.0, b.1) < (a.0, a.1) { b } else { a }
        };
        if node.is_leaf() {
            let mut open = !self.done[node.first as usize];
            while open != 0 {
                let at = node.first as usize * BUCKET + open.trailing_zeros() as usize;
                open &= open - 1;
                next = sooner(next, (self.reach[at], self.tree.rows()[at], at as u32));
                hardest = hardest.max(self.reach[at]);
            }
        } else {
            let (left, right) = node.children();
            let (left, right) = (left.index as usize, right.index as usize);
            next = sooner(self.next[left], self.next[right]);
            hardest = self.hardest[left].max(self.hardest[right]);
        }
        self.next[node.index as usize] = next;
        self.hardest[node.index as usize] = hardest;
    }
}
