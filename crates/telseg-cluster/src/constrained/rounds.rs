//! Rounds of assignment under the constraints and update.

use telseg_core::{Result, Scalar, par};

use super::blocks::{self, Sizes};
use super::links::Links;
use super::transport;

/// Rows that one task works on.
const CHUNK: usize = 4096;

/// A round must lower the sum by more than this part of it: less is rounding.
const ROUNDING: f64 = 1e-12;

/// The rows of one fit.
pub(super) struct Data<'a, F> {
    pub(super) rows: &'a [F],
    pub(super) n_columns: usize,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) links: Links,
    pub(super) sizes: Sizes,
}

/// What the rounds came to; the centres are the means of the labels.
pub(super) struct Outcome<F> {
    pub(super) centers: Vec<F>,
    pub(super) labels: Vec<u32>,
    pub(super) inertia: f64,
    pub(super) n_iter: usize,
    pub(super) converged: bool,
    pub(super) trace: Vec<f64>,
    /// Rows that the constraints keep from their nearest centre.
    pub(super) n_displaced: usize,
}

/// Rounds from the given centres until none lowers the sum by more than `tol` of it, or `max_iter`.
pub(super) fn run<F: Scalar>(
    data: &Data<'_, F>,
    mut centers: Vec<F>,
    (max_iter, tol): (usize, f64),
) -> Result<Outcome<F>> {
    let k = centers.len() / data.n_columns;
    let order = blocks::order(&data.links);
    let (mut prices, mut labels) = (vec![0.0; k], Vec::new());
    let (mut trace, mut converged) = (Vec::new(), false);
    let mut cost = data.costs(&centers);
    while trace.len() < max_iter && !converged {
        let assigned = assign(data, &cost, &order, &mut prices);
        // A search that gives up where one found a way before keeps what was found.
        let new = match assigned {
            Err(_) if !labels.is_empty() => labels.clone(),
            assigned => assigned?,
        };
        let before = if labels.is_empty() {
            f64::INFINITY
        } else {
            sum(&cost, k, &labels)
        };
        let after = sum(&cost, k, &new);
        if after < before * (1.0 - ROUNDING) {
            labels = new;
            update(data, &labels, &mut centers);
            cost = data.costs(&centers);
        } else {
            converged = true;
        }
        let inertia = sum(&cost, k, &labels);
        let small = |last: &f64| tol > 0.0 && *last - inertia <= tol * last;
        converged |= trace.last().is_some_and(small);
        trace.push(inertia);
    }
    let nearest = |i: usize| {
        cost[i * k..][..k]
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min)
    };
    let displaced = |i: &usize| cost[i * k + labels[*i] as usize] > nearest(*i);
    Ok(Outcome {
        inertia: sum(&cost, k, &labels),
        n_displaced: (0..labels.len()).filter(displaced).count(),
        n_iter: trace.len(),
        centers,
        labels,
        converged,
        trace,
    })
}

impl<F: Scalar> Data<'_, F> {
    pub(super) fn n_rows(&self) -> usize {
        self.rows.len() / self.n_columns
    }

    fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// Weighted squared distances of all rows to all centres, row by row.
    fn costs(&self, centers: &[F]) -> Vec<f64> {
        let (d, k) = (self.n_columns, centers.len() / self.n_columns);
        let mut costs = vec![0.0; self.n_rows() * k];
        par::fill(&mut costs, CHUNK * k, |range, costs| {
            for (i, costs) in (range.start / k..).zip(costs.chunks_exact_mut(k)) {
                let (row, weight) = (&self.rows[i * d..][..d], self.weight(i));
                for (cost, center) in costs.iter_mut().zip(centers.chunks_exact(d)) {
                    let pairs = row.iter().zip(center);
                    let far: f64 = pairs
                        .map(|(x, c)| (x.into_f64() - c.into_f64()).powi(2))
                        .sum();
                    *cost = weight * far;
                }
            }
        });
        costs
    }
}

/// Labels that obey the constraints: blocks first, at the prices of the last round; then all other rows exactly.
fn assign<F: Scalar>(
    data: &Data<'_, F>,
    cost: &[f64],
    order: &[usize],
    prices: &mut [f64],
) -> Result<Vec<u32>> {
    let (k, links) = (prices.len(), &data.links);
    let sums: Vec<f64> = links
        .blocks
        .iter()
        .flat_map(|block| {
            let priced = |j: usize| {
                block
                    .iter()
                    .map(|i| cost[i * k + j] + prices[j])
                    .sum::<f64>()
            };
            (0..k).map(priced).collect::<Vec<f64>>()
        })
        .collect();
    let places = blocks::place(links, order, data.sizes, k, |block, j| sums[block * k + j])?;
    let (mut labels, mut used) = (vec![0u32; data.n_rows()], vec![0usize; k]);
    for (block, &cluster) in links.blocks.iter().zip(&places) {
        used[cluster] += block.len();
        block.iter().for_each(|&i| labels[i] = cluster as u32);
    }
    let least: Vec<usize> = used
        .iter()
        .map(|u| data.sizes.least.saturating_sub(*u))
        .collect();
    let most: Vec<usize> = used.iter().map(|u| data.sizes.most - u).collect();
    if links.blocks.is_empty() {
        return Ok(transport::assign(cost, &least, &most, prices));
    }
    let singles: Vec<f64> = links
        .singles
        .iter()
        .flat_map(|i| &cost[i * k..][..k])
        .copied()
        .collect();
    let found = transport::assign(&singles, &least, &most, prices);
    let pairs = links.singles.iter().zip(found);
    pairs.for_each(|(&i, label)| labels[i] = label);
    Ok(labels)
}

/// Every centre becomes the weighted mean of its rows; one whose rows have no weight stays.
fn update<F: Scalar>(data: &Data<'_, F>, labels: &[u32], centers: &mut [F]) {
    let (d, k) = (data.n_columns, centers.len() / data.n_columns);
    let parts = par::map(labels.len(), CHUNK, |rows| {
        let (mut sums, mut mass) = (vec![0.0; k * d], vec![0.0; k]);
        for i in rows {
            let (j, w) = (labels[i] as usize, data.weight(i));
            mass[j] += w;
            let cells = sums[j * d..][..d].iter_mut().zip(&data.rows[i * d..][..d]);
            cells.for_each(|(s, x)| *s += w * x.into_f64());
        }
        (sums, mass)
    });
    let (mut sums, mut mass) = (vec![0.0; k * d], vec![0.0; k]);
    for (s, m) in parts {
        sums.iter_mut().zip(s).for_each(|(a, b)| *a += b);
        mass.iter_mut().zip(m).for_each(|(a, b)| *a += b);
    }
    let clusters = centers
        .chunks_exact_mut(d)
        .zip(sums.chunks_exact(d))
        .zip(mass);
    for ((center, sums), mass) in clusters.filter(|(_, mass)| *mass > 0.0) {
        let cells = center.iter_mut().zip(sums);
        cells.for_each(|(c, s)| *c = F::from_f64(s / mass));
    }
}

fn sum(cost: &[f64], k: usize, labels: &[u32]) -> f64 {
    let part = |rows: std::ops::Range<usize>| -> f64 {
        rows.map(|i| cost[i * k + labels[i] as usize]).sum()
    };
    par::map(labels.len(), CHUNK, part).into_iter().sum()
}
