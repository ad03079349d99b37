//! Where the centres start.

use ndarray::{Array1, Array2};
use rand::Rng as _;
use rayon::prelude::*;
use telseg_core::kernel::{Centers, NearestTile, Packed, TILE, Tile};
use telseg_core::seed::Rng;
use telseg_core::{Result, Scalar, Seed, par};

use super::data::{CHUNK, Data};
use super::params::Distance;
use crate::seeding::{self, Space, chunk_sums, draw};

/// Greedy k-means++: the rows that become centres.
pub(super) fn plus_plus<F: Scalar>(
    data: &Data<'_, F>,
    n_clusters: usize,
    rng: &mut Rng,
) -> Result<Vec<usize>> {
    seeding::plus_plus(data, &weights(data), n_clusters, rng)
}

/// Different rows, drawn by weight without replacement.
pub(super) fn random<F: Scalar>(
    data: &Data<'_, F>,
    n_clusters: usize,
    rng: &mut Rng,
) -> Vec<usize> {
    seeding::by_weight(&weights(data), n_clusters, rng)
}

fn weights<F: Scalar>(data: &Data<'_, F>) -> Vec<f64> {
    (0..data.n_rows).map(|i| data.weight(i)).collect()
}

/// Rows that k-means|| draws in a pass, in units of k, and its passes (Bahmani et al. 2012, section 5: more of either hardly
/// helps).
const OVERSAMPLING: f64 = 2.0;
const PASSES: u64 = 5;

/// k-means|| (B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii 2012, "Scalable k-means++", algorithm 2):
/// returns the rows that become centres.
///
/// Each pass draws every row on its own, with probability `2 k w d^2 / cost`. The candidates, weighted by the rows that are
/// nearest to them, are thinned out by greedy k-means++.
pub(super) fn parallel<F: Scalar>(
    data: &Data<'_, F>,
    n_clusters: usize,
    rng: &mut Rng,
) -> Result<Vec<usize>> {
    let weights = weights(data);
    let first = draw(&chunk_sums(&weights), &weights, rng);
    let stream = Seed::new(rng.random()).stream("kmeans.parallel");
    let (mut candidates, mut fresh) = (vec![first], vec![first]);
    let (mut closest, mut label) = (vec![f64::INFINITY; data.n_rows], vec![0u32; data.n_rows]);
    for pass in 0..=PASSES {
        let known = (candidates.len() - fresh.len()) as u32;
        approach(data, &fresh, known, &mut closest, &mut label)?;
        let mass: Vec<f64> = closest.iter().zip(&weights).map(|(c, w)| c * w).collect();
        let cost: f64 = chunk_sums(&mass).into_iter().sum();
        if pass == PASSES || cost <= 0.0 {
            break;
        }
        let (rate, pass) = (OVERSAMPLING * n_clusters as f64 / cost, stream.child(pass));
        let drawn = |i: &usize| pass.unit(*i as u64) < rate * mass[*i];
        fresh = par::map(data.n_rows, CHUNK, |rows| {
            rows.filter(drawn).collect::<Vec<usize>>()
        })
        .concat();
        candidates.extend(&fresh);
    }
    let mut share = vec![0.0; candidates.len()];
    label
        .iter()
        .zip(&weights)
        .for_each(|(&l, w)| share[l as usize] += w);
    if candidates.len() <= n_clusters {
        // Too few rows differ: the rest is drawn as k-means++ would.
        return plus_plus(data, n_clusters, rng);
    }
    let values: Vec<F> = candidates
        .iter()
        .flat_map(|&i| data.row(i).iter().copied())
        .collect();
    let rows = Array2::from_shape_vec((candidates.len(), data.n_columns), values)
        .expect("invariant: rows of as many numbers");
    let thinned = Data::new(
        &rows,
        Some(&Array1::from(share)),
        n_clusters,
        Distance::Euclidean,
    )?;
    let chosen = plus_plus(&thinned, n_clusters, rng)?;
    Ok(chosen.into_iter().map(|c| candidates[c]).collect())
}

/// Lowers the squared distance to the closest candidate where a fresh one is closer; these are numbered from `known` on.
fn approach<F: Scalar>(
    data: &Data<'_, F>,
    fresh: &[usize],
    known: u32,
    closest: &mut [f64],
    label: &mut [u32],
) -> Result<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let centers = layout(data, fresh)?;
    closest
        .par_chunks_mut(CHUNK)
        .zip(label.par_chunks_mut(CHUNK))
        .enumerate()
        .for_each(|(c, (closest, label))| {
            let (mut tile, mut nearest) = (Loaded::new(data.n_columns), NearestTile::default());
            for (t, (closest, label)) in closest
                .chunks_mut(TILE)
                .zip(label.chunks_mut(TILE))
                .enumerate()
            {
                let start = c * CHUNK + t * TILE;
                centers.nearest(tile.load(data, start..start + closest.len()), &mut nearest);
                for (l, (closest, label)) in closest.iter_mut().zip(label).enumerate() {
                    let square =
                        (tile.lengths[l].into_f64() + 2.0 * nearest.best[l].into_f64()).max(0.0);
                    if square < *closest {
                        (*closest, *label) = (square, known + nearest.label[l]);
                    }
                }
            }
        });
    fresh.iter().for_each(|&i| closest[i] = 0.0);
    Ok(())
}

impl<F: Scalar> Space for Data<'_, F> {
    fn approach(&self, center: usize, closest: &mut [f64]) -> Result<()> {
        let data = self;
        let centers = layout(data, &[center])?;
        par::fill(closest, CHUNK, |range, closest| {
            let mut tile = Loaded::new(data.n_columns);
            let mut scores = [[F::zero(); TILE]; 1];
            for (t, part) in closest.chunks_mut(TILE).enumerate() {
                let start = range.start + t * TILE;
                centers.scores(tile.load(data, start..start + part.len()), &mut scores);
                for (l, c) in part.iter_mut().enumerate() {
                    let norm = tile.lengths[l].into_f64();
                    let distance = norm + 2.0 * scores[0][l].into_f64();
                    *c = c.min(distance.max(0.0));
                }
            }
        });
        closest[center] = 0.0;
        Ok(())
    }

    fn remaining(
        &self,
        candidates: &[usize],
        closest: &[f64],
        weights: &[f64],
    ) -> Result<Vec<f64>> {
        let data = self;
        let centers = layout(data, candidates)?;
        let parts = par::map(data.n_rows, CHUNK, |range| {
            let mut tile = Loaded::new(data.n_columns);
            let mut scores = vec![[F::zero(); TILE]; candidates.len()];
            let mut sums = vec![0.0; candidates.len()];
            for start in range.clone().step_by(TILE) {
                let end = range.end.min(start + TILE);
                centers.scores(tile.load(data, start..end), &mut scores);
                for (sum, scores) in sums.iter_mut().zip(&scores) {
                    for ((i, score), norm) in (start..end).zip(scores).zip(&tile.lengths) {
                        *sum += weights[i]
                            * closest[i].min((norm.into_f64() + 2.0 * score.into_f64()).max(0.0));
                    }
                }
            }
            sums
        });
        Ok(parts
            .into_iter()
            .fold(vec![0.0; candidates.len()], |mut total, part| {
                total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
                total
            }))
    }
}

/// A tile in cache, with the squared lengths of its rows.
struct Loaded<F> {
    tile: Packed<F>,
    lengths: [F; TILE],
}

impl<F: Scalar> Loaded<F> {
    fn new(n_columns: usize) -> Self {
        Self {
            tile: Packed::zeros(TILE, n_columns),
            lengths: [F::zero(); TILE],
        }
    }

    fn load(&mut self, data: &Data<'_, F>, rows: std::ops::Range<usize>) -> Tile<'_, F> {
        self.tile.load(0, data.rows(rows), &data.shift);
        let tile = self.tile.tile(0).0;
        tile.squared_lengths(&mut self.lengths);
        tile
    }
}

fn layout<F: Scalar>(data: &Data<'_, F>, rows: &[usize]) -> Result<Centers<F>> {
    let shifted = |&i: &usize| data.row(i).iter().zip(&data.shift).map(|(&v, &s)| v - s);
    Centers::new(
        &rows.iter().flat_map(shifted).collect::<Vec<F>>(),
        data.n_columns,
    )
}
