//! Where the centres start.

use rand::Rng as _;
use telseg_core::kernel::TILE;
use telseg_core::seed::Rng;
use telseg_core::{Result, Scalar, par};

use super::data::{CHUNK, Data};
use super::prototypes::{Layout, Prototypes};

/// Centres at the given rows.
pub(super) fn at_rows<F: Scalar>(data: &Data<F>, rows: &[usize]) -> Prototypes<F> {
    let numbers = rows.iter().flat_map(|&i| data.numbers(i));
    let codes = rows.iter().flat_map(|&i| data.codes(i));
    Prototypes {
        levels: data.levels.clone(),
        means: numbers.copied().collect(),
        modes: codes.copied().collect(),
        shift: data.shift.clone(),
        gamma: data.gamma,
    }
}

/// Greedy k-means++ (Arthur & Vassilvitskii 2007) in the mixed distance; returns the rows that become centres.
///
/// Each step draws `2 + ln k` candidates with probability in proportion to weight times squared distance and keeps the
/// one that leaves the least sum. Where all rows lie on centres, rows are drawn by weight.
pub(super) fn plus_plus<F: Scalar>(
    data: &Data<F>,
    n_clusters: usize,
    rng: &mut Rng,
) -> Result<Vec<usize>> {
    let n_candidates = 2 + (n_clusters as f64).ln() as usize;
    let weights: Vec<f64> = (0..data.n_rows).map(|i| data.weight(i)).collect();
    let by_weight = chunk_sums(&weights);
    let mut chosen = vec![draw(&by_weight, &weights, rng)];
    let mut closest = vec![f64::INFINITY; data.n_rows];
    approach(data, chosen[0], &mut closest)?;
    while chosen.len() < n_clusters {
        let mass: Vec<f64> = closest.iter().zip(&weights).map(|(c, w)| c * w).collect();
        let sums = chunk_sums(&mass);
        let on_centres = sums.iter().sum::<f64>() <= 0.0;
        let mut candidate = || match on_centres {
            true => draw(&by_weight, &weights, rng),
            false => draw(&sums, &mass, rng),
        };
        let candidates: Vec<usize> = (0..n_candidates).map(|_| candidate()).collect();
        let left = remaining(data, &candidates, &closest)?;
        let best = (0..n_candidates).min_by(|&a, &b| left[a].total_cmp(&left[b]));
        let best = candidates[best.unwrap_or(0)];
        chosen.push(best);
        approach(data, best, &mut closest)?;
    }
    Ok(chosen)
}

/// Different rows, drawn by weight without replacement (Efraimidis & Spirakis 2006: the largest `u^(1/w)`).
pub(super) fn random<F: Scalar>(data: &Data<F>, n_clusters: usize, rng: &mut Rng) -> Vec<usize> {
    let mut key = |i: usize| rng.random::<f64>().ln() / data.weight(i).max(f64::MIN_POSITIVE);
    let mut keys: Vec<(f64, usize)> = (0..data.n_rows).map(|i| (key(i), i)).collect();
    keys.sort_by(|a, b| b.0.total_cmp(&a.0));
    keys.truncate(n_clusters);
    keys.into_iter().map(|(_, i)| i).collect()
}

/// Lowers the squared distance to the closest centre where row `center` is closer.
fn approach<F: Scalar>(data: &Data<F>, center: usize, closest: &mut [f64]) -> Result<()> {
    let layout = at_rows(data, &[center]).layout()?;
    par::fill(closest, CHUNK, |range, closest| {
        let mut scores = vec![[F::zero(); TILE]];
        for (t, part) in closest.chunks_mut(TILE).enumerate() {
            let first = range.start + t * TILE;
            squared(data, &layout, first / TILE, &mut scores);
            for (l, c) in part.iter_mut().enumerate() {
                *c = c.min(distance(data, first + l, scores[0][l]));
            }
        }
    });
    closest[center] = 0.0;
    Ok(())
}

/// For each candidate, the weighted sum of squared distances that would remain if it became a centre.
fn remaining<F: Scalar>(data: &Data<F>, candidates: &[usize], closest: &[f64]) -> Result<Vec<f64>> {
    let layout = at_rows(data, candidates).layout()?;
    let parts = par::map(data.n_rows, CHUNK, |range| {
        let mut scores = vec![[F::zero(); TILE]; candidates.len()];
        let mut sums = vec![0.0; candidates.len()];
        for first in range.clone().step_by(TILE) {
            squared(data, &layout, first / TILE, &mut scores);
            let rows = first..range.end.min(first + TILE);
            for (sum, scores) in sums.iter_mut().zip(&scores) {
                for (i, &score) in rows.clone().zip(scores) {
                    *sum += data.weight(i) * closest[i].min(distance(data, i, score));
                }
            }
        }
        sums
    });
    let mut total = vec![0.0; candidates.len()];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    Ok(total)
}

fn squared<F: Scalar>(data: &Data<F>, layout: &Layout<F>, tile: usize, scores: &mut [[F; TILE]]) {
    let rows = (data.packed.tile(tile).0, data.packed_codes.tile(tile));
    layout.centers.scores_mixed(rows, &layout.modes, scores);
}

fn distance<F: Scalar>(data: &Data<F>, i: usize, score: F) -> f64 {
    (data.norms[i].into_f64() + 2.0 * score.into_f64()).max(0.0)
}

fn chunk_sums(mass: &[f64]) -> Vec<f64> {
    par::map(mass.len(), CHUNK, |range| mass[range].iter().sum())
}

/// A row drawn with probability in proportion to its mass, by way of the sums of its chunk; never one without mass.
fn draw(sums: &[f64], mass: &[f64], rng: &mut Rng) -> usize {
    let mut left = rng.random::<f64>() * sums.iter().sum::<f64>();
    let mut last = 0;
    for (chunk, &sum) in mass
        .chunks(CHUNK)
        .zip(sums)
        .enumerate()
        .map(|(c, p)| ((c, p.0), p.1))
    {
        if left >= sum {
            left -= sum;
            continue;
        }
        for (i, &m) in (chunk.0 * CHUNK..).zip(chunk.1) {
            if m > 0.0 {
                last = i;
                if left < m {
                    return i;
                }
                left -= m;
            }
        }
        return last;
    }
    mass.iter().rposition(|&m| m > 0.0).unwrap_or(last)
}
