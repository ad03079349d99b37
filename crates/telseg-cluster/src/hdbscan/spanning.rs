//! The minimum spanning tree of mutual reachability, by Borůvka's rounds on the k-d tree.
//!
//! The mutual reachability of two points is the greatest of their core distances and of their distance. In a round, every
//! component finds its nearest point outside. A point keeps what it found: while that stays outside it remains the nearest,
//! and once it does not, it is still a lower bound. So few points search again, and subtrees of one component are skipped
//! against each other as wholes.
//!
//! Which of several equally near points a component takes depends on the threads' timing. The components that are joined
//! below each distance do not: every minimum spanning tree has the same, and nothing else is used of it.
//!
//! # References
//! W. March, P. Ram, A. Gray (2010), "Fast Euclidean minimum spanning tree: algorithm, analysis, and applications".

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};

use crate::components::Components;
use crate::neighbours::{KdTree, Node};

/// An edge between two positions, with their squared mutual reachability.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge<F> {
    pub(super) squared: F,
    pub(super) a: u32,
    pub(super) b: u32,
}

/// Near points of a position that the first round starts from; [`NONE`] where there are fewer.
pub(super) type Few = [u32; 8];

pub(super) const NONE: u32 = u32::MAX;

/// A node whose points are not of one component.
const MIXED: u32 = u32::MAX;

/// Leaves of a subtree from which on its halves search side by side.
const FORK: u32 = 16;

/// The nearest point outside the component, or what is known of it.
#[derive(Clone, Copy, Debug)]
struct Near<F> {
    /// Squared mutual reachability: of `other`, or no more than that of the nearest point outside.
    squared: F,
    other: u32,
}

/// What a round works on, by position, by node or by component (named by a position).
struct Round<'a, F> {
    level: Level,
    tree: &'a KdTree<F>,
    core: &'a [F],
    /// The least core distance in a node.
    least_core: &'a [F],
    component: Vec<u32>,
    /// The one component of a node, or [`MIXED`].
    of_node: Vec<u32>,
    /// What points of the node that must search look for something nearer than; below 0 where there are none.
    bound: Vec<F>,
    /// The bits of the squared distance from a component to the nearest point outside that was found so far.
    best: Vec<AtomicU64>,
}

/// A minimum spanning tree. `core` holds squared core distances by position, `few` some of the points within them.
pub(super) fn spanning_tree<F: Scalar>(tree: &KdTree<F>, core: &[F], few: &[Few]) -> Vec<Edge<F>> {
    let (n, nodes, least_core) = (tree.n_rows(), tree.nodes(), tree.least(core));
    let sets = Components::new(n);
    let mut edges = Vec::with_capacity(n.saturating_sub(1));
    let (mut near, first) = start(core, few);
    let mut first = Some(first);
    while edges.len() + 1 < n {
        let component: Vec<u32> = (0..n as u32)
            .into_par_iter()
            .map(|i| sets.find(i))
            .collect();
        near.par_iter_mut().enumerate().for_each(|(i, near)| {
            if near.other != NONE && component[near.other as usize] == component[i] {
                near.other = NONE;
            }
        });
        // In the first round, what is near is a start; later, what was found and still lies outside.
        let known = first.take().unwrap_or_else(|| best_of(&near, &component));
        let mut round = Round {
            level: Level::best(),
            tree,
            core,
            least_core: &least_core,
            of_node: vec![MIXED; nodes.len()],
            bound: vec![-F::one(); nodes.len()],
            best: known
                .par_iter()
                .map(|edge| AtomicU64::new(edge.squared.into_f64().to_bits()))
                .collect(),
            component,
        };
        round.sum_up(&nodes, &near);
        if let Some(root) = tree.root() {
            round.search(root, &[root], &mut near);
        }
        let mut chosen = best_of(&near, &round.component);
        for (chosen, known) in chosen.iter_mut().zip(known) {
            if known.squared < chosen.squared {
                *chosen = known;
            }
        }
        let before = edges.len();
        edges.extend(
            chosen
                .into_iter()
                .filter(|edge| edge.a != NONE && sets.union(edge.a, edge.b)),
        );
        debug_assert!(edges.len() > before, "every component has a way out");
        if edges.len() == before {
            break;
        }
    }
    edges
}

/// What the points within the core distance say: a point whose core distance is no greater is as near as any can be.
fn start<F: Scalar>(core: &[F], few: &[Few]) -> (Vec<Near<F>>, Vec<Edge<F>>) {
    few.par_iter()
        .enumerate()
        .map(|(i, few)| {
            let own = core[i];
            let (mut near, mut edge) = (
                Near {
                    squared: own,
                    other: NONE,
                },
                Edge {
                    squared: F::infinity(),
                    a: NONE,
                    b: NONE,
                },
            );
            for &other in few.iter().take_while(|&&other| other != NONE) {
                let squared = core[other as usize].max(own);
                if squared < edge.squared {
                    (edge.squared, edge.a, edge.b) = (squared, i as u32, other);
                }
            }
            if edge.squared == own {
                near.other = edge.b;
            }
            (near, edge)
        })
        .unzip()
}

/// For each component, in the place of its name, the shortest of what its points found.
fn best_of<F: Scalar>(near: &[Near<F>], component: &[u32]) -> Vec<Edge<F>> {
    let none = Edge {
        squared: F::infinity(),
        a: NONE,
        b: NONE,
    };
    let mut best = vec![none; near.len()];
    for (i, (near, &component)) in near.iter().zip(component).enumerate() {
        let best = &mut best[component as usize];
        if near.other != NONE && near.squared < best.squared {
            *best = Edge {
                squared: near.squared,
                a: i as u32,
                b: near.other,
            };
        }
    }
    best
}

impl<F: Scalar> Round<'_, F> {
    #[inline(always)]
    fn best(&self, component: u32) -> F {
        let bits = self.best[component as usize].load(Ordering::Relaxed);
        F::from_f64(f64::from_bits(bits))
    }

    /// Whether a point must search, and for something nearer than what.
    #[inline(always)]
    fn must_search(&self, position: usize, near: &Near<F>) -> Option<F> {
        let bound = self.best(self.component[position]);
        (near.other == NONE && near.squared < bound).then_some(bound)
    }

    /// Fills what is said of nodes, from the leaves up.
    fn sum_up(&mut self, nodes: &[Node], near: &[Near<F>]) {
        for node in nodes.iter().rev() {
            let (of_node, bound) = if node.is_leaf() {
                let range = self.tree.positions(node.first);
                let first = self.component[range.start];
                let one = self.component[range.clone()].iter().all(|&c| c == first);
                let bounds = range.filter_map(|i| self.must_search(i, &near[i]));
                let bound = bounds.fold(-F::one(), F::max);
                (if one { first } else { MIXED }, bound)
            } else {
                let (left, right) = node.children();
                let (left, right) = (left.index as usize, right.index as usize);
                let one = self.of_node[left] == self.of_node[right];
                (
                    if one { self.of_node[left] } else { MIXED },
                    self.bound[left].max(self.bound[right]),
                )
            };
            self.of_node[node.index as usize] = of_node;
            self.bound[node.index as usize] = bound;
        }
    }

    /// Lets the points of a subtree search among `others`; `near` is theirs.
    fn search(&self, own: Node, others: &[Node], near: &mut [Near<F>]) {
        let of_own = self.of_node[own.index as usize];
        let mut bound = self.bound[own.index as usize];
        if of_own != MIXED {
            bound = bound.min(self.best(of_own));
        }
        if bound <= self.least_core[own.index as usize] {
            return;
        }
        let mut open: Vec<Node> = others.to_vec();
        let mut kept: Vec<(F, Node)> = Vec::with_capacity(open.len());
        while let Some(other) = open.pop() {
            let index = other.index as usize;
            if of_own != MIXED && self.of_node[index] == of_own {
                continue;
            }
            let distance = self.tree.distance_between(own, other);
            if distance.max(self.least_core[index]) >= bound {
                continue;
            }
            if other.n_leaves() > own.n_leaves() {
                let (left, right) = other.children();
                open.extend([right, left]);
            } else {
                kept.push((distance, other));
            }
        }
        if kept.is_empty() {
            return;
        }
        if own.is_leaf() {
            kept.sort_unstable_by(|a, b| {
                let by_distance = a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal);
                // Its own points first.
                let own_first = (b.1 == own).cmp(&(a.1 == own));
                own_first.then(by_distance).then(a.1.first.cmp(&b.1.first))
            });
            return self.search_leaf(own, &kept, near);
        }
        let kept: Vec<Node> = kept.into_iter().map(|(_, node)| node).collect();
        let (left, right) = own.children();
        let middle = (left.n_leaves() as usize * BUCKET).min(near.len());
        let (near_left, near_right) = near.split_at_mut(middle);
        if own.n_leaves() >= FORK {
            rayon::join(
                || self.search(left, &kept, near_left),
                || self.search(right, &kept, near_right),
            );
        } else {
            self.search(left, &kept, near_left);
            self.search(right, &kept, near_right);
        }
    }

    fn search_leaf(&self, leaf: Node, others: &[(F, Node)], near: &mut [Near<F>]) {
        let mut point = vec![F::zero(); self.tree.n_columns()];
        for (position, near) in self.tree.positions(leaf.first).zip(near) {
            let Some(bound) = self.must_search(position, near) else {
                continue;
            };
            if self.core[position] >= bound {
                continue;
            }
            self.tree.copy_point(position, &mut point);
            let found = self.search_point(position, &point, bound, others);
            near.squared = near.squared.max(found.squared);
            near.other = found.other;
            if found.other != NONE {
                let best = &self.best[self.component[position] as usize];
                best.fetch_min(found.squared.into_f64().to_bits(), Ordering::Relaxed);
            }
        }
    }

    /// The nearest point outside that is nearer than the bound; else the bound.
    fn search_point(
        &self,
        position: usize,
        point: &[F],
        mut bound: F,
        others: &[(F, Node)],
    ) -> Near<F> {
        let (own, core) = (self.component[position], self.core[position]);
        let (mut found, mut distances) = (NONE, [F::zero(); BUCKET]);
        for &(apart, other) in others {
            let index = other.index as usize;
            if apart.max(self.least_core[index]) >= bound
                || self.of_node[index] == own
                || self.tree.distance_to(point, other) >= bound
            {
                continue;
            }
            let bucket = self.tree.bucket(other.first);
            let mut hits = bucket_distances(self.level, point, bucket, bound, &mut distances);
            while hits != 0 {
                let lane = hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let i = other.first as usize * BUCKET + lane;
                if distances[lane] >= bound || self.component[i] == own {
                    continue;
                }
                let squared = distances[lane].max(self.core[i]).max(core);
                if squared < bound {
                    (bound, found) = (squared, i as u32);
                }
            }
            // Nothing is nearer than the own core distance.
            if bound <= core {
                break;
            }
        }
        Near {
            squared: bound,
            other: found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::nearest_of_all;
    use telseg_testkit::blobs;

    /// Sorted weights of a minimum spanning tree by Prim's algorithm on the full matrix.
    fn prim(tree: &KdTree<f64>, core: &[f64]) -> Vec<f64> {
        let (n, d) = (tree.n_rows(), tree.n_columns());
        let weight = |a: usize, b: usize| {
            let square = |j: usize| (tree.at(a, j) - tree.at(b, j)).powi(2);
            (0..d).map(square).sum::<f64>().max(core[a]).max(core[b])
        };
        let (mut inside, mut least) = (vec![false; n], vec![f64::INFINITY; n]);
        let (mut at, mut weights) = (0, Vec::new());
        for _ in 1..n {
            inside[at] = true;
            for i in (0..n).filter(|&i| !inside[i]) {
                least[i] = least[i].min(weight(at, i));
            }
            let outside = (0..n).filter(|&i| !inside[i]);
            at = outside
                .min_by(|&a, &b| least[a].total_cmp(&least[b]))
                .unwrap();
            weights.push(least[at]);
        }
        weights.sort_by(f64::total_cmp);
        weights
    }

    #[test]
    fn weighs_what_prim_finds() {
        for (n, d, k, round) in [
            (2, 1, 1, 0.0),
            (700, 2, 5, 0.0),
            (700, 6, 9, 0.0),
            (900, 2, 4, 1.0),
        ] {
            let mut x = blobs::<f64>(n, d, 4, 7).0;
            // On a grid many distances are equal, and many rows.
            if round > 0.0 {
                x.mapv_inplace(|v| (v / round).round());
            }
            let tree = KdTree::new(x.as_slice().unwrap(), d).unwrap();
            let core = nearest_of_all(&tree, k as f64 + 1.0, None, |_, found| found.reach());
            // Without a start, too.
            let starts = nearest_of_all(&tree, k as f64 + 1.0, None, |i, found| {
                let mut few = [NONE; 8];
                let others = found.found().iter().filter(|f| f.1 != i as u32);
                few.iter_mut()
                    .zip(others)
                    .for_each(|(few, other)| *few = other.1);
                few
            });
            let expected = prim(&tree, &core);
            for few in [starts, vec![[NONE; 8]; n]] {
                let edges = spanning_tree(&tree, &core, &few);
                let mut weights: Vec<f64> = edges.iter().map(|e| e.squared).collect();
                weights.sort_by(f64::total_cmp);
                assert_eq!(weights, expected);
            }
        }
    }
}
