//! Where the centres start.

use std::ops::Range;

use rand::Rng as _;
use telseg_core::kernel::{Packed, TILE};
use telseg_core::seed::Rng;
use telseg_core::{Result, Scalar, par};

use super::data::{CHUNK, Data};
use super::prototypes::Layout;

/// Means and modes of centres, one after the other.
pub(super) struct Start<F> {
    pub(super) means: Vec<F>,
    pub(super) modes: Vec<u16>,
}

impl<F: Scalar> Start<F> {
    /// Centres at the given rows.
    pub(super) fn at_rows(data: &Data<F>, rows: &[usize]) -> Self {
        let numbers = rows.iter().flat_map(|&i| data.numbers(i..i + 1));
        Self {
            means: numbers.copied().collect(),
            modes: rows.iter().flat_map(|&i| data.codes(i)).collect(),
        }
    }

    pub(super) fn layout(&self, data: &Data<F>) -> Result<Layout<F>> {
        let n_categorical = data.levels.n_categorical();
        Layout::new(
            (&self.means, &self.modes),
            n_categorical,
            &data.shift,
            data.gamma,
        )
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
    let layout = Start::at_rows(data, &[center]).layout(data)?;
    par::fill(closest, CHUNK, |range, closest| {
        let mut squares = Squares::new(&layout, data);
        for (t, part) in closest.chunks_mut(TILE).enumerate() {
            let first = range.start + t * TILE;
            squares.search(data, first..first + part.len());
            for (l, c) in part.iter_mut().enumerate() {
                *c = c.min(squares.at(0, l));
            }
        }
    });
    closest[center] = 0.0;
    Ok(())
}

/// For each candidate, the weighted sum of squared distances that would remain if it became a centre.
fn remaining<F: Scalar>(data: &Data<F>, candidates: &[usize], closest: &[f64]) -> Result<Vec<f64>> {
    let layout = Start::at_rows(data, candidates).layout(data)?;
    let parts = par::map(data.n_rows, CHUNK, |range| {
        let mut squares = Squares::new(&layout, data);
        let mut sums = vec![0.0; candidates.len()];
        for first in range.clone().step_by(TILE) {
            let rows = first..range.end.min(first + TILE);
            squares.search(data, rows.clone());
            for (candidate, sum) in sums.iter_mut().enumerate() {
                for (l, i) in rows.clone().enumerate() {
                    *sum += data.weight(i) * closest[i].min(squares.at(candidate, l));
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

/// Squared distances of a tile of rows to a few centres.
struct Squares<'a, F> {
    layout: &'a Layout<F>,
    tile: Packed<F>,
    lengths: [F; TILE],
    scores: Vec<[F; TILE]>,
}

impl<'a, F: Scalar> Squares<'a, F> {
    fn new(layout: &'a Layout<F>, data: &Data<F>) -> Self {
        Self {
            layout,
            tile: Packed::zeros(TILE, data.levels.n_numeric()),
            lengths: [F::zero(); TILE],
            scores: vec![[F::zero(); TILE]; layout.n_clusters()],
        }
    }

    fn search(&mut self, data: &Data<F>, rows: Range<usize>) {
        let codes = data.code_tile(rows.start);
        self.tile.load(0, data.numbers(rows), &data.shift);
        let tile = self.tile.tile(0).0;
        tile.squared_lengths(&mut self.lengths);
        self.layout.scores((tile, codes), &mut self.scores);
    }

    /// To centre `center`, of the row in place `l`.
    fn at(&self, center: usize, l: usize) -> f64 {
        (self.lengths[l].into_f64() + 2.0 * self.scores[center][l].into_f64()).max(0.0)
    }
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
