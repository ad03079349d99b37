//! Where the medoids start.

use telseg_core::par;
use telseg_core::seed::Rng;

use super::distances::Distances;
use super::pam::CHUNK;
use super::params::MedoidInit;
use crate::seeding;

/// Rows that become the first medoids; `weights` of at least `k` of them must be above 0.
pub(super) fn start<D: Distances>(
    distances: &D,
    weights: &[f64],
    k: usize,
    init: &MedoidInit,
    rng: &mut Rng,
) -> Vec<usize> {
    match init {
        MedoidInit::Rows(rows) => rows.clone(),
        MedoidInit::Random => by_weight(weights, k, rng),
        MedoidInit::Build => build(distances, weights, k),
        MedoidInit::Lab => lab(distances, weights, k, rng),
    }
}

/// Different rows of a weight above 0, drawn by weight without replacement.
pub(super) fn by_weight(weights: &[f64], k: usize, rng: &mut Rng) -> Vec<usize> {
    let mut rows = seeding::by_weight(weights, k, rng);
    rows.retain(|&i| weights[i] > 0.0);
    rows
}

/// Each medoid the row that lowers the loss most (Kaufman & Rousseeuw 1990), the first of equals.
fn build<D: Distances>(distances: &D, weights: &[f64], k: usize) -> Vec<usize> {
    let all: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] > 0.0).collect();
    let (mut medoids, mut nearest) = (Vec::new(), vec![f64::INFINITY; weights.len()]);
    while medoids.len() < k {
        let next = best(distances, weights, (&all, &all), &nearest, &medoids);
        approach(distances, next, &mut nearest);
        medoids.push(next);
    }
    medoids
}

/// Each medoid the best of a few rows, judged on these (Schubert & Rousseeuw 2021, LAB).
fn lab<D: Distances>(distances: &D, weights: &[f64], k: usize, rng: &mut Rng) -> Vec<usize> {
    let n_draws = 10 + (weights.len() as f64).sqrt().ceil() as usize;
    let (mut medoids, mut nearest) = (Vec::new(), vec![f64::INFINITY; weights.len()]);
    while medoids.len() < k {
        let mut left = weights.to_vec();
        medoids.iter().for_each(|&m: &usize| left[m] = 0.0);
        let uniform: Vec<f64> = left.iter().map(|&w| f64::from(w > 0.0)).collect();
        let drawn = by_weight(&uniform, n_draws, rng);
        let next = best(distances, weights, (&drawn, &drawn), &nearest, &medoids);
        approach(distances, next, &mut nearest);
        medoids.push(next);
    }
    medoids
}

/// The candidate that is no medoid yet and leaves the least loss among the judges.
fn best<D: Distances>(
    distances: &D,
    weights: &[f64],
    (candidates, judges): (&[usize], &[usize]),
    nearest: &[f64],
    medoids: &[usize],
) -> usize {
    let losses = par::map(candidates.len(), 1, |at| {
        let candidate = candidates[at.start];
        if medoids.contains(&candidate) {
            return f64::INFINITY;
        }
        let loss = |&o: &usize| weights[o] * distances.between(o, candidate).min(nearest[o]);
        judges.iter().map(loss).sum()
    });
    let found = (0..candidates.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b]));
    candidates[found.expect("invariant: at least k rows have a weight")]
}

fn approach<D: Distances>(distances: &D, medoid: usize, nearest: &mut [f64]) {
    par::fill(nearest, CHUNK, |range, nearest| {
        for (o, near) in range.zip(nearest) {
            *near = near.min(distances.between(o, medoid));
        }
    });
}
