//! From rows to the tree.

use std::borrow::Cow;

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::kernel::Probe;
use telseg_core::{Error, Result, Scalar, par};

use super::boxes::{Boxes, NearestFew};
use super::connected;
use super::dendrogram::Dendrogram;
use super::distinct::{Distinct, NONE};
use super::matrix::{self, Matrix};
use super::params::{Connectivity, HierarchicalParams, Linkage};
use super::reciprocal::{self, Pair};
use super::single;
use super::ward::Ward;
use crate::rows::{check_finite, check_shape, check_weights, contiguous};

/// Rows that one task looks for the neighbours of.
const CHUNK: usize = 256;

/// Checked rows, and the kinds of them.
pub(super) struct Data<'a, F: Scalar> {
    pub(super) n_columns: usize,
    pub(super) values: Cow<'a, [F]>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) kinds: Distinct,
    /// One row a kind, in double precision.
    pub(super) rows: Vec<f64>,
}

impl<'a, F: Scalar> Data<'a, F> {
    pub(super) fn new(
        params: &HierarchicalParams,
        x: &'a ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Self> {
        check_shape(x, params.cut.least(), "n_clusters")?;
        let (n, d) = x.dim();
        if n > u32::MAX as usize / 2 {
            return Err(Error::shape(
                "x",
                format!("at most {} rows", u32::MAX / 2),
                n.to_string(),
            ));
        }
        let weights = weights.map(|w| check_weights(w, n)).transpose()?;
        let weight = |i: usize| weights.as_ref().map_or(1.0, |w| w[i]);
        let values = contiguous(x);
        check_finite(&values, d)?;
        let total: f64 = (0..n).map(weight).sum();
        check_spread(&values, d, total)?;
        if let Some(i) = (0..n).find(|&i| weight(i) > 0.0 && !(1.0 / weight(i)).is_finite()) {
            let problem = format!(
                "expected 0 or numbers of at least 1e-300, found {} in row {i}",
                weight(i)
            );
            return Err(Error::data("weights", problem));
        }
        // Equal rows may be unconnected only where rows are connected by name.
        let together = !matches!(params.connectivity, Connectivity::Pairs(_));
        let kinds = Distinct::new(&values, d, weight, together);
        let (least, found) = (params.cut.least(), kinds.rows.len());
        if found < least {
            let expected = format!("at least {least} different rows (n_clusters)");
            return Err(Error::shape("x", expected, found.to_string()));
        }
        let row = |&i: &u32| values[i as usize * d..][..d].iter().map(|v| v.into_f64());
        let rows = kinds.rows.iter().flat_map(row).collect();
        Ok(Self {
            n_columns: d,
            values,
            weights,
            kinds,
            rows,
        })
    }

    pub(super) fn n_rows(&self) -> usize {
        self.kinds.kind_of.len()
    }

    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// All merges.
    pub(super) fn tree(&self, params: &HierarchicalParams) -> Result<Dendrogram> {
        let pairs = self.merges(params)?;
        let leaves: Vec<usize> = (0..self.n_rows())
            .filter(|&i| self.kinds.kind_of[i] != NONE)
            .collect();
        let n = leaves.len();
        // Equal rows first. What each kind is called by then:
        let mut called = vec![NONE; self.kinds.rows.len()];
        let mut all = Vec::with_capacity(n - 1);
        for (leaf, &i) in leaves.iter().enumerate() {
            let called = &mut called[self.kinds.kind_of[i] as usize];
            if *called == NONE {
                *called = leaf as u32;
            } else {
                let (a, b) = (*called, leaf as u32);
                *called = (n + all.len()) as u32;
                all.push(Pair { a, b, height: 0.0 });
            }
        }
        let (n_kinds, n_before) = (called.len(), n + all.len());
        let name = |id: u32| match (id as usize).checked_sub(n_kinds) {
            None => called[id as usize],
            Some(merge) => (n_before + merge) as u32,
        };
        all.extend(pairs.iter().map(|pair| Pair {
            a: name(pair.a),
            b: name(pair.b),
            height: pair.height,
        }));
        let weights: Vec<f64> = leaves.iter().map(|&i| self.weight(i)).collect();
        Ok(Dendrogram::new(
            all,
            &weights,
            params.connectivity == Connectivity::Full,
        ))
    }

    /// Merges among the kinds.
    fn merges(&self, params: &HierarchicalParams) -> Result<Vec<Pair>> {
        let (rows, d, weights) = (&self.rows, self.n_columns, &self.kinds.weights);
        match &params.connectivity {
            Connectivity::Full => self.merges_of_any(params),
            Connectivity::Neighbours(k) => Ok(connected::merges(
                rows,
                d,
                weights,
                params.linkage,
                &self.neighbours(*k),
            )),
            Connectivity::Pairs(pairs) => {
                let pairs = self.named(pairs)?;
                Ok(connected::merges(rows, d, weights, params.linkage, &pairs))
            }
        }
    }

    fn merges_of_any(&self, params: &HierarchicalParams) -> Result<Vec<Pair>> {
        let (d, n, weights) = (
            self.n_columns,
            self.kinds.rows.len(),
            self.kinds.weights.clone(),
        );
        match params.linkage {
            Linkage::Ward => {
                let (mut ward, order) = Ward::new(self.rows.clone(), d, weights);
                let mut pairs = reciprocal::merges(&mut ward, n, order)?;
                pairs
                    .iter_mut()
                    .for_each(|pair| pair.height = pair.height.sqrt());
                Ok(pairs)
            }
            Linkage::Single => Ok(joined(single::spanning_tree(&self.rows, d), n)),
            linkage => {
                let (needed, allowed) = (matrix::bytes(n), params.max_matrix_bytes);
                if needed > allowed {
                    let problem = format!(
                        "{} linkage keeps the distances of all pairs: {needed} bytes for {n} different rows, \
                         max_matrix_bytes is {allowed}; take Ward or single linkage, a connectivity, or a sample",
                        linkage.name()
                    );
                    return Err(Error::data("x", problem));
                }
                let mut space = Matrix::new(&self.rows, d, weights, linkage);
                reciprocal::merges(&mut space, n, (0..n as u32).collect())
            }
        }
    }

    /// Pairs of kinds of which one is among the `k` nearest of the other.
    fn neighbours(&self, k: usize) -> Vec<(u32, u32)> {
        let (d, n) = (self.n_columns, self.kinds.rows.len());
        let boxes = Boxes::new(&self.rows, d, |i| i as u32, |_| 1.0).0;
        let pairs = par::map(n, CHUNK, |range| {
            let pairs = range.flat_map(|i| {
                let mut few = NearestFew::to(i as u32, k);
                let probe = Probe {
                    row: &self.rows[i * d..][..d],
                    inverse: 1.0,
                };
                boxes.search(probe, &mut few);
                few.found
                    .into_iter()
                    .map(move |(_, other)| (i as u32, other))
            });
            pairs.collect::<Vec<_>>()
        });
        pairs.into_iter().flatten().collect()
    }

    /// Pairs of kinds from pairs of rows; rows without weight connect nothing.
    fn named(&self, pairs: &[(u32, u32)]) -> Result<Vec<(u32, u32)>> {
        let n = self.n_rows();
        let of = |i: u32| self.kinds.kind_of.get(i as usize).copied();
        let mut kinds = Vec::with_capacity(pairs.len());
        for (at, &(a, b)) in pairs.iter().enumerate() {
            let (Some(of_a), Some(of_b)) = (of(a), of(b)) else {
                let problem = format!("pair {at} names row {}, there are {n} rows", a.max(b));
                return Err(Error::param("connectivity", problem));
            };
            if of_a != NONE && of_b != NONE && of_a != of_b {
                kinds.push((of_a, of_b));
            }
        }
        Ok(kinds)
    }
}

/// Edges, shortest first, as merges of `n` clusters.
fn joined(edges: Vec<single::Edge>, n: usize) -> Vec<Pair> {
    let mut parent: Vec<u32> = (0..(n + edges.len()) as u32).collect();
    let pair = |(i, (square, a, b)): (usize, single::Edge)| {
        let (a, b) = (top(&mut parent, a), top(&mut parent, b));
        parent[a as usize] = (n + i) as u32;
        parent[b as usize] = (n + i) as u32;
        Pair {
            a,
            b,
            height: square.sqrt(),
        }
    };
    edges.into_iter().enumerate().map(pair).collect()
}

/// The cluster that a row or a cluster is part of by now.
fn top(parent: &mut [u32], mut id: u32) -> u32 {
    while parent[id as usize] != id {
        parent[id as usize] = parent[parent[id as usize] as usize];
        id = parent[id as usize];
    }
    id
}

/// Refuses values so far apart that squared distances, times the weight of all rows, overflow.
pub(super) fn check_spread<F: Scalar>(values: &[F], n_columns: usize, weight: f64) -> Result<()> {
    let mut low = vec![f64::INFINITY; n_columns];
    let mut high = vec![f64::NEG_INFINITY; n_columns];
    for row in values.chunks_exact(n_columns) {
        for ((low, high), v) in low.iter_mut().zip(&mut high).zip(row) {
            let v = v.into_f64();
            *low = if v < *low { v } else { *low };
            *high = if v > *high { v } else { *high };
        }
    }
    let square: f64 = low
        .iter()
        .zip(&high)
        .map(|(low, high)| (high - low).powi(2))
        .sum();
    if (4.0 * square * weight.max(1.0)).is_finite() {
        return Ok(());
    }
    Err(Error::data(
        "x",
        "squared distances overflow: scale the columns",
    ))
}
