//! DBCV: how well a clustering of any shape separates dense places.

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use telseg_core::kernel::squared_distance;
use telseg_core::{Error, Result, Scalar};

use crate::Assignment;
use crate::rows::{check_finite, check_shape, contiguous};

/// Density-based clustering validity, from -1 to 1: larger is better.
///
/// For each cluster, the sparsest connection within it is held against the densest connection to another one:
/// `V_i = (min_j DSPC(i, j) - DSC(i)) / max(min_j DSPC(i, j), DSC(i))`, and the figure is the mean of `V_i`, each cluster
/// counting with its share of all rows, noise included. Unlike the silhouette it does not ask for round clusters.
///
/// # Shapes
/// `x`: a row each; `labels`: one for each row.
///
/// # Errors
/// When shapes differ, a value is not finite, or there are fewer than two clusters of at least two rows.
///
/// # Cost
/// `2 d sum n_i^2` operations for clusters of `n_i` rows, and `d` for each pair of rows in different clusters that are inner
/// nodes of their trees; in parallel. Memory: a copy of `x` and some numbers a row.
///
/// # References
/// D. Moulavi, P. Jaskowiak, R. Campello, A. Zimek, J. Sander (2014), "Density-based clustering validation" (definitions 1
/// to 8).
///
/// Deviations: where core distances decide, many trees are minimal, and the figure depends much on which is taken; of equally
/// reachable edges the shorter is taken here, so that it does not depend on the order of the rows. Equal rows add nothing to each other's core distance, where the paper divides by zero; where a tree has no inner
/// edge, its longest edge counts (as in the authors' program). Clusters of one row count as noise.
///
/// # Examples
/// ```
/// use ndarray::{Array1, array};
/// use telseg_cluster::{Assignment, hdbscan};
/// let x = array![[0.0f32, 0.0], [0.1, 0.0], [0.0, 0.1], [0.1, 0.1], [9.0, 9.0], [9.1, 9.0], [9.0, 9.1], [9.1, 9.1]];
/// let two = Array1::from_shape_fn(8, |i| Assignment::Cluster(i as u32 / 4));
/// let mixed = Array1::from_shape_fn(8, |i| Assignment::Cluster(i as u32 % 2));
/// assert!(hdbscan::dbcv(&x, &two)? > 0.9);
/// assert!(hdbscan::dbcv(&x, &mixed)? < 0.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn dbcv<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<Assignment>) -> Result<f64> {
    check_shape(x, 2, "DBCV")?;
    let (n, d) = x.dim();
    if labels.len() != n {
        let expected = format!("{n} (rows of x)");
        return Err(Error::shape("labels", expected, labels.len().to_string()));
    }
    let rows = contiguous(x);
    check_finite(&rows, d)?;
    let mut members = std::collections::BTreeMap::<u32, Vec<&[F]>>::new();
    for (row, label) in rows.chunks_exact(d).zip(labels) {
        if let Assignment::Cluster(cluster) = label {
            members.entry(*cluster).or_default().push(row);
        }
    }
    members.retain(|_, rows| rows.len() > 1);
    if members.len() < 2 {
        let problem = "expected at least 2 clusters of at least 2 rows";
        return Err(Error::data("labels", problem));
    }
    let clusters: Vec<Density<'_, F>> = members.into_values().map(|m| Density::new(m, d)).collect();
    let mut apart = vec![f64::INFINITY; clusters.len()];
    for i in 0..clusters.len() {
        for j in 0..i {
            let between = clusters[i].separation(&clusters[j]);
            apart[i] = apart[i].min(between);
            apart[j] = apart[j].min(between);
        }
    }
    let value = |(cluster, apart): (&Density<'_, F>, f64)| {
        let most = apart.max(cluster.sparseness);
        let value = if most > 0.0 {
            (apart - cluster.sparseness) / most
        } else {
            0.0
        };
        value * cluster.rows.len() as f64 / n as f64
    };
    Ok(clusters.iter().zip(apart).map(value).sum())
}

/// A cluster: its rows, how dense they lie in it, and the tree that holds it together.
struct Density<'a, F> {
    rows: Vec<&'a [F]>,
    core: Vec<f64>,
    /// Rows with at least two edges in the tree.
    inner: Vec<usize>,
    /// The longest edge between inner rows.
    sparseness: f64,
}

impl<'a, F: Scalar> Density<'a, F> {
    fn new(rows: Vec<&'a [F]>, d: usize) -> Self {
        let core = (0..rows.len()).into_par_iter();
        let core: Vec<f64> = core.map(|i| core_distance(&rows, i, d)).collect();
        let edges = tree(&rows, &core);
        let mut degree = vec![0; rows.len()];
        for edge in &edges {
            degree[edge.from] += 1;
            degree[edge.to] += 1;
        }
        let mut inner: Vec<usize> = (0..rows.len()).filter(|&i| degree[i] > 1).collect();
        if inner.is_empty() {
            inner.push(0);
        }
        let longest = |only_inner: bool| {
            let is_inner = |edge: &&Edge| degree[edge.from] > 1 && degree[edge.to] > 1;
            let edges = edges.iter().filter(|edge| !only_inner || is_inner(edge));
            edges.map(|edge| edge.reach).reduce(f64::max)
        };
        Self {
            sparseness: longest(true).or(longest(false)).unwrap_or(0.0),
            rows,
            core,
            inner,
        }
    }

    /// The least mutual reachability between inner rows of two clusters.
    fn separation(&self, other: &Self) -> f64 {
        let nearest = |&a: &usize| {
            let reach = |&b: &usize| {
                let apart = distance(self.rows[a], other.rows[b]);
                apart.max(self.core[a]).max(other.core[b])
            };
            other.inner.iter().map(reach).fold(f64::INFINITY, f64::min)
        };
        self.inner
            .par_iter()
            .map(nearest)
            .reduce(|| f64::INFINITY, f64::min)
    }
}

fn distance<F: Scalar>(a: &[F], b: &[F]) -> f64 {
    squared_distance(a, b).into_f64().sqrt()
}

/// The generalised mean of the distances to the other rows of the cluster with the exponent `-d` (definition 1), in
/// proportion to the least of them, so that powers stay in range.
fn core_distance<F: Scalar>(rows: &[&[F]], i: usize, d: usize) -> f64 {
    let others = || {
        let distances = rows.iter().map(|row| distance(rows[i], row));
        distances.filter(|&distance| distance > 0.0)
    };
    let least = others().fold(f64::INFINITY, f64::min);
    if least == f64::INFINITY {
        return 0.0;
    }
    let sum: f64 = others().map(|v| (least / v).powi(d as i32)).sum();
    least * (sum / (rows.len() - 1) as f64).powf(-1.0 / d as f64)
}

/// An edge between two rows of a cluster.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: usize,
    to: usize,
    /// Mutual reachability.
    reach: f64,
    /// Distance: the shorter of equally reachable edges comes first.
    apart: f64,
}

/// The minimum spanning tree of mutual reachability, by Prim's algorithm.
fn tree<F: Scalar>(rows: &[&[F]], core: &[f64]) -> Vec<Edge> {
    let edge = |to| Edge {
        from: 0,
        to,
        reach: f64::INFINITY,
        apart: f64::INFINITY,
    };
    let mut outside: Vec<Edge> = (1..rows.len()).map(edge).collect();
    let (mut edges, mut at) = (Vec::with_capacity(rows.len() - 1), 0);
    while !outside.is_empty() {
        outside.par_iter_mut().with_min_len(1024).for_each(|edge| {
            let apart = distance(rows[at], rows[edge.to]);
            let reach = apart.max(core[at]).max(core[edge.to]);
            if (reach, apart) < (edge.reach, edge.apart) {
                (edge.from, edge.reach, edge.apart) = (at, reach, apart);
            }
        });
        let next = outside.iter().enumerate().min_by(|(_, a), (_, b)| {
            let by_reach = a.reach.total_cmp(&b.reach);
            by_reach
                .then(a.apart.total_cmp(&b.apart))
                .then(a.to.cmp(&b.to))
        });
        let next = next.map_or(0, |(i, _)| i);
        edges.push(outside.swap_remove(next));
        at = edges[edges.len() - 1].to;
    }
    edges
}
