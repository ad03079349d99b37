//! Merges among connected clusters only, the nearest pair first.
//!
//! Distances are known for pairs that are connected. Ward's follow from the means; for the others, a merged cluster's
//! distance to a third follows from those of its parts that are connected with it.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use telseg_core::kernel::squared_distance;

use super::params::Linkage;
use super::reciprocal::Pair;

/// A pair of clusters that may merge.
#[derive(PartialEq)]
struct Candidate {
    distance: f64,
    a: u32,
    b: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_distance = self.distance.total_cmp(&other.distance);
        by_distance.then((self.a, self.b).cmp(&(other.a, other.b)))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct Cluster {
    weight: f64,
    /// Ward only.
    mean: Vec<f64>,
    /// Connected clusters and, but for Ward, their distances.
    others: BTreeMap<u32, f64>,
}

/// All merges that the connections allow, in the order in which they happen. Heights are distances, not squared.
pub(super) fn merges(
    rows: &[f64],
    n_columns: usize,
    weights: &[f64],
    linkage: Linkage,
    pairs: &[(u32, u32)],
) -> Vec<Pair> {
    let mut graph = Graph::new(rows, n_columns, weights, linkage, pairs);
    let mut merged = Vec::new();
    while let Some(Reverse(Candidate { distance, a, b })) = graph.heap.pop() {
        if graph.merge(a, b) {
            merged.push(Pair {
                a,
                b,
                height: distance,
            });
        }
    }
    merged
}

/// Clusters and the pairs of them that may merge.
struct Graph {
    linkage: Linkage,
    /// None once it is merged.
    clusters: Vec<Option<Cluster>>,
    /// Nearest pair first; those that have lost one of their two are out of date.
    heap: BinaryHeap<Reverse<Candidate>>,
}

impl Graph {
    fn new(
        rows: &[f64],
        n_columns: usize,
        weights: &[f64],
        linkage: Linkage,
        pairs: &[(u32, u32)],
    ) -> Self {
        let row = |i: u32| &rows[i as usize * n_columns..][..n_columns];
        let cluster = |(i, &weight): (usize, &f64)| {
            let mean = if linkage == Linkage::Ward {
                row(i as u32)
            } else {
                &[]
            };
            Some(Cluster {
                weight,
                mean: mean.to_vec(),
                others: BTreeMap::new(),
            })
        };
        let mut graph = Self {
            linkage,
            clusters: weights.iter().enumerate().map(cluster).collect(),
            heap: BinaryHeap::with_capacity(pairs.len()),
        };
        for &(a, b) in pairs {
            let (a, b) = (a.min(b), a.max(b));
            let distance = match linkage {
                Linkage::Ward => ward((weights[a as usize], row(a)), (weights[b as usize], row(b))),
                _ => squared_distance(row(a), row(b)).sqrt(),
            };
            let mut connect = |a: u32, b: u32| {
                let cluster = graph.clusters[a as usize].as_mut();
                cluster
                    .and_then(|cluster| cluster.others.insert(b, distance))
                    .is_none()
            };
            if connect(a, b) && connect(b, a) {
                graph.heap.push(Reverse(Candidate { distance, a, b }));
            }
        }
        graph
    }

    /// Makes one cluster of two, unless one of them is merged already.
    fn merge(&mut self, a: u32, b: u32) -> bool {
        if self.clusters[a as usize].is_none() || self.clusters[b as usize].is_none() {
            return false;
        }
        let parts = (
            self.clusters[a as usize].take(),
            self.clusters[b as usize].take(),
        );
        let (Some(of_a), Some(of_b)) = parts else {
            return false;
        };
        let new = self.clusters.len() as u32;
        let mut joined = join(of_a, of_b, self.linkage);
        joined.others.retain(|&other, _| other != a && other != b);
        for (&id, distance) in &mut joined.others {
            if let Some(other) = self.clusters[id as usize].as_mut() {
                if self.linkage == Linkage::Ward {
                    *distance = ward((joined.weight, &joined.mean), (other.weight, &other.mean));
                }
                other.others.remove(&a);
                other.others.remove(&b);
                other.others.insert(new, *distance);
                self.heap.push(Reverse(Candidate {
                    distance: *distance,
                    a: id,
                    b: new,
                }));
            }
        }
        self.clusters.push(Some(joined));
        true
    }
}

/// Height of a merge by Ward's criterion.
fn ward((weight_a, a): (f64, &[f64]), (weight_b, b): (f64, &[f64])) -> f64 {
    (2.0 * squared_distance(a, b) / (1.0 / weight_a + 1.0 / weight_b)).sqrt()
}

fn join(mut a: Cluster, b: Cluster, linkage: Linkage) -> Cluster {
    let weight = a.weight + b.weight;
    let share = b.weight / weight;
    a.mean
        .iter_mut()
        .zip(&b.mean)
        .for_each(|(a, b)| *a += share * (b - *a));
    for (id, y) in b.others {
        a.others
            .entry(id)
            .and_modify(|x| {
                *x = match linkage {
                    Linkage::Complete => x.max(y),
                    Linkage::Single => x.min(y),
                    Linkage::Weighted => 0.5 * (*x + y),
                    _ => *x + share * (y - *x),
                }
            })
            .or_insert(y);
    }
    a.weight = weight;
    a
}
