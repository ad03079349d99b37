//! The single-linkage tree: which parts hang together below each distance.

use telseg_core::Scalar;

use super::spanning::Edge;

/// Merges in rising order. Nodes below `n` are points, node `n + i` is what merge `i` made.
#[derive(Debug)]
pub(super) struct Linkage<F> {
    pub(super) n: usize,
    pub(super) merges: Vec<Merge<F>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Merge<F> {
    pub(super) squared: F,
    pub(super) parts: [u32; 2],
    /// Weight of all points below.
    pub(super) size: f64,
    /// The smallest row below.
    pub(super) first_row: u32,
}

impl<F: Scalar> Linkage<F> {
    /// Merges along the edges of a spanning tree of `n` points. Rows and weights are by position.
    pub(super) fn new(
        mut edges: Vec<Edge<F>>,
        rows: &[u32],
        weight: impl Fn(usize) -> f64,
    ) -> Self {
        use rayon::prelude::*;
        let n = rows.len();
        edges.par_sort_unstable_by(|a, b| {
            let by_distance = a.squared.partial_cmp(&b.squared);
            by_distance.unwrap_or(std::cmp::Ordering::Equal)
        });
        let mut above: Vec<u32> = (0..n as u32).collect();
        let mut top: Vec<u32> = (0..n as u32).collect();
        let mut merges: Vec<Merge<F>> = Vec::with_capacity(edges.len());
        for edge in edges {
            let roots = [find(&mut above, edge.a), find(&mut above, edge.b)];
            let parts = roots.map(|root| top[root as usize]);
            let (sizes, firsts): (Vec<f64>, Vec<u32>) = parts
                .iter()
                .map(|&part| match (part as usize).checked_sub(n) {
                    None => (weight(part as usize), rows[part as usize]),
                    Some(merge) => (merges[merge].size, merges[merge].first_row),
                })
                .unzip();
            let swapped = sizes[0] < sizes[1];
            let (small, large) = if swapped {
                (roots[0], roots[1])
            } else {
                (roots[1], roots[0])
            };
            above[small as usize] = large;
            top[large as usize] = (n + merges.len()) as u32;
            merges.push(Merge {
                squared: edge.squared,
                parts,
                size: sizes[0] + sizes[1],
                first_row: firsts[0].min(firsts[1]),
            });
        }
        Self { n, merges }
    }

    /// The node that holds everything; `None` without points.
    pub(super) fn root(&self) -> Option<u32> {
        (self.n + self.merges.len())
            .checked_sub(1)
            .map(|root| root as u32)
    }

    /// The merge that made a node, or `None` of a point.
    pub(super) fn merge(&self, node: u32) -> Option<&Merge<F>> {
        self.merges.get((node as usize).checked_sub(self.n)?)
    }
}

fn find(above: &mut [u32], mut i: u32) -> u32 {
    while above[i as usize] != i {
        above[i as usize] = above[above[i as usize] as usize];
        i = above[i as usize];
    }
    i
}
