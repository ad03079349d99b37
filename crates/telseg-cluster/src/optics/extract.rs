//! Clusters taken from an order.

use ndarray::Array1;
use rayon::prelude::*;
use telseg_core::Scalar;

use super::params::{Extraction, OpticsParams, XiParams};
use super::xi::Plot;
use crate::Assignment;
use crate::neighbours::KdTree;

/// What the walk found; by row but for the order.
#[derive(Clone, Debug)]
pub(super) struct Walked {
    pub(super) order: Vec<u32>,
    pub(super) reachability: Vec<f64>,
    pub(super) core: Vec<f64>,
    pub(super) predecessor: Vec<Option<u32>>,
    pub(super) weights: Option<Vec<f64>>,
    /// For each row the one of those equal to it whose label all of them get.
    pub(super) speaker: Vec<u32>,
}

/// Clusters between steep falls and rises of the plot.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct XiClusters {
    /// First and last place in the order of each cluster; a cluster comes after those that lie within it.
    pub clusters: Vec<(usize, usize)>,
    /// For each row the smallest clusters, those that hold no other, numbered as they come.
    pub labels: Array1<Assignment>,
}

/// Rows with their clusters, and how easily each cluster is reached.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub(super) labels: Array1<Assignment>,
    /// The reachability up to which a row belongs to each cluster.
    pub(super) levels: Vec<f64>,
}

impl Walked {
    /// The reachability plot: distances in the order of the walk.
    pub(super) fn plot(&self) -> Vec<f64> {
        let reach = |&row: &u32| self.reachability[row as usize];
        self.order.iter().map(reach).collect()
    }

    /// The place of each row in the order.
    pub(super) fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.order.len()];
        for (place, &row) in self.order.iter().enumerate() {
            places[row as usize] = place;
        }
        places
    }

    /// Clusters as they are asked for.
    pub(super) fn extract(&self, params: &OpticsParams) -> Labelled {
        match &params.extraction {
            Extraction::Xi(xi) => self.valleys(self.xi(params.min_points, xi)),
            &Extraction::Cut { eps } => {
                let labels = self.cut(eps);
                let clusters = labels.iter().filter_map(|label| label.cluster());
                let n = clusters.max().map_or(0, |last| last as usize + 1);
                let levels = vec![eps; n];
                Labelled { labels, levels }
            }
        }
    }

    /// Clusters at a radius (Ankerst et al. 1999, figure 8).
    pub(super) fn cut(&self, eps: f64) -> Array1<Assignment> {
        let mut labels = Array1::default(self.order.len());
        let (mut current, mut next) = (Assignment::Noise, 0);
        for &row in &self.order {
            let row = row as usize;
            if self.reachability[row] > eps {
                current = Assignment::Noise;
                if self.core[row] <= eps {
                    (current, next) = (Assignment::Cluster(next), next + 1);
                }
            }
            labels[row] = current;
        }
        self.agreed(&labels)
    }

    /// Clusters between steep falls and rises.
    pub(super) fn xi(&self, min_points: usize, params: &XiParams) -> XiClusters {
        let mut reach = self.plot();
        reach.push(f64::INFINITY);
        let places = self.places();
        let from = self.order.iter().map(|&row| {
            let from = self.predecessor[row as usize];
            from.map(|from| places[from as usize])
        });
        let (from, mut before) = (from.collect::<Vec<_>>(), vec![0.0]);
        for &row in &self.order {
            let weight = self.weights.as_ref().map_or(1.0, |w| w[row as usize]);
            before.push(before[before.len() - 1] + weight);
        }
        let clusters = Plot {
            reach: &reach,
            from: &from,
            xi: params.xi,
            min_points,
            before: &before,
            min_size: params.min_cluster_size.unwrap_or(min_points) as f64,
        }
        .clusters();
        let mut labels = Array1::default(self.order.len());
        for (label, (start, end)) in self.smallest(&clusters).into_iter().enumerate() {
            for &row in &self.order[start..=end] {
                labels[row as usize] = Assignment::Cluster(label as u32);
            }
        }
        XiClusters {
            clusters,
            labels: self.agreed(&labels),
        }
    }

    /// Of clusters within clusters those that hold no other.
    fn smallest(&self, clusters: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let mut taken = vec![false; self.order.len()];
        let free = |&(start, end): &(usize, usize)| {
            let free = !taken[start..=end].contains(&true);
            if free {
                taken[start..=end].fill(true);
            }
            free
        };
        clusters.iter().copied().filter(free).collect()
    }

    /// A valley is as high as the hardest to reach of its rows; the first was reached from outside.
    fn valleys(&self, found: XiClusters) -> Labelled {
        let smallest = self.smallest(&found.clusters).into_iter();
        let level = |(start, end): (usize, usize)| {
            let rows = self.order[start + 1..=end].iter();
            let reach = rows.map(|&row| self.reachability[row as usize]);
            reach.fold(0.0, f64::max)
        };
        Labelled {
            levels: smallest.map(level).collect(),
            labels: found.labels,
        }
    }

    /// Equal rows get one label, wherever the walk met each of them.
    fn agreed(&self, labels: &Array1<Assignment>) -> Array1<Assignment> {
        let speaker = self.speaker.iter();
        speaker.map(|&row| labels[row as usize]).collect()
    }
}

/// Of equal rows the easiest to reach, of those the first in the walk.
pub(super) fn speakers<F: Scalar>(
    tree: &KdTree<F>,
    reachability: &[f64],
    places: &[usize],
) -> Vec<u32> {
    let coordinate = |position: u32, j| tree.at(position as usize, j);
    let compare = |&a: &u32, &b: &u32| {
        let columns = (0..tree.n_columns()).map(|j| (coordinate(a, j), coordinate(b, j)));
        let mut columns = columns.map(|(a, b)| a.partial_cmp(&b));
        let unequal = columns.find(|ordering| *ordering != Some(std::cmp::Ordering::Equal));
        unequal.flatten().unwrap_or(std::cmp::Ordering::Equal)
    };
    let mut positions: Vec<u32> = (0..tree.n_rows() as u32).collect();
    positions.par_sort_unstable_by(compare);
    let mut speakers = vec![0; positions.len()];
    for equal in positions.chunk_by(|a, b| compare(a, b).is_eq()) {
        let rows = equal.iter().map(|&position| tree.rows()[position as usize]);
        let easiest = rows.clone().min_by(|&a, &b| {
            let (a, b) = (a as usize, b as usize);
            let by_reach = reachability[a].total_cmp(&reachability[b]);
            by_reach.then(places[a].cmp(&places[b]))
        });
        for row in rows {
            speakers[row as usize] = easiest.unwrap_or(row);
        }
    }
    speakers
}
