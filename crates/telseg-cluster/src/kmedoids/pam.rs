//! FasterPAM: swaps of a medoid with another row, taken as soon as one lowers the loss.

use rayon::prelude::*;
use telseg_core::par;

use super::distances::Distances;

/// Rows that one task works on.
pub(super) const CHUNK: usize = 1024;

/// Candidates that are judged at a time, at most.
const BATCH: usize = 64;

/// A swap must lower the loss by more than this part of it: less is rounding.
const ROUNDING: f64 = 1e-14;

/// What one start came to.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) medoids: Vec<usize>,
    pub(super) loss: f64,
    pub(super) n_iter: usize,
    pub(super) n_swap: usize,
    pub(super) converged: bool,
}

/// The nearest and the second nearest medoid of a row, by position, with their distances.
#[derive(Clone, Copy, Debug)]
struct Near {
    first: u32,
    second: u32,
    to_first: f64,
    to_second: f64,
}

struct State<'a, D> {
    distances: &'a D,
    weights: &'a [f64],
    medoids: Vec<usize>,
    is_medoid: Vec<bool>,
    /// For every medoid, its distance to all rows.
    to: Vec<Vec<f64>>,
    near: Vec<Near>,
    /// For every medoid, what its removal would add to the loss.
    removal: Vec<f64>,
    loss: f64,
}

/// Swaps from the given medoids until a whole pass over the rows finds none, or `max_iter` passes.
pub(super) fn run<D: Distances>(
    distances: &D,
    weights: &[f64],
    medoids: Vec<usize>,
    max_iter: usize,
) -> Outcome {
    let n = distances.n_rows();
    let mut state = State::new(distances, weights, medoids);
    let (mut n_iter, mut n_swap, mut last_swap, mut converged) = (0, 0, n, false);
    while n_iter < max_iter && !converged {
        n_iter += 1;
        let (before, mut j, mut batch) = (n_swap, 0, 1);
        while j < n {
            if j == last_swap {
                converged = true; // a whole pass without a swap
                break;
            }
            let end = n.min(j + batch);
            let end = if last_swap > j {
                end.min(last_swap)
            } else {
                end
            };
            match state.first_improvement(j..end) {
                Some((candidate, position)) => {
                    state.swap(candidate, position);
                    (n_swap, last_swap, j, batch) = (n_swap + 1, candidate, candidate + 1, 1);
                }
                None => (j, batch) = (end, BATCH.min(2 * batch)),
            }
        }
        converged |= n_swap == before;
    }
    Outcome {
        medoids: state.medoids,
        loss: state.loss,
        n_iter,
        n_swap,
        converged,
    }
}

impl<'a, D: Distances> State<'a, D> {
    fn new(distances: &'a D, weights: &'a [f64], medoids: Vec<usize>) -> Self {
        let n = distances.n_rows();
        let mut is_medoid = vec![false; n];
        medoids.iter().for_each(|&m| is_medoid[m] = true);
        let to = medoids.iter().map(|&m| column(distances, m)).collect();
        let mut state = Self {
            distances,
            weights,
            removal: vec![0.0; medoids.len()],
            medoids,
            is_medoid,
            to,
            near: Vec::new(),
            loss: 0.0,
        };
        state.near = par::map(n, CHUNK, |rows| {
            rows.map(|o| state.search(o)).collect::<Vec<_>>()
        })
        .concat();
        state.sum();
        state
    }

    /// Nearest and second nearest medoid of a row; the lowest position of equals.
    fn search(&self, o: usize) -> Near {
        let mut near = Near {
            first: 0,
            second: 0,
            to_first: f64::INFINITY,
            to_second: f64::INFINITY,
        };
        for (position, to) in self.to.iter().enumerate() {
            if to[o] < near.to_first {
                (near.second, near.to_second) = (near.first, near.to_first);
                (near.first, near.to_first) = (position as u32, to[o]);
            } else if to[o] < near.to_second {
                (near.second, near.to_second) = (position as u32, to[o]);
            }
        }
        near
    }

    /// The loss, and what the removal of each medoid would add.
    fn sum(&mut self) {
        self.loss = 0.0;
        self.removal.fill(0.0);
        for (near, &w) in self.near.iter().zip(self.weights) {
            self.loss += w * near.to_first;
            self.removal[near.first as usize] += w * (near.to_second - near.to_first);
        }
    }

    /// The first candidate in the range with a swap that lowers the loss, and the medoid it would replace.
    fn first_improvement(&self, range: std::ops::Range<usize>) -> Option<(usize, usize)> {
        let start = range.start;
        let least = -ROUNDING * self.loss;
        let judge = |c: usize| (!self.is_medoid[c] && self.weights[c] > 0.0).then(|| self.judge(c));
        let found: Vec<Option<(f64, usize)>> = if range.len() == 1 {
            vec![judge(start)]
        } else {
            range.into_par_iter().map(judge).collect()
        };
        let mut found = found.into_iter().enumerate();
        found.find_map(|(at, found)| {
            let (change, position) = found?;
            (change < least).then_some((start + at, position))
        })
    }

    /// The medoid whose swap with a candidate changes the loss most for the better, and the change (Schubert & Rousseeuw
    /// 2021, algorithm 3, lines 7 to 16).
    fn judge(&self, candidate: usize) -> (f64, usize) {
        if self.medoids.len() == 1 {
            let far = |(o, &w): (usize, &f64)| w * self.distances.between(o, candidate);
            return (
                self.weights.iter().enumerate().map(far).sum::<f64>() - self.loss,
                0,
            );
        }
        let (mut change, mut gain) = (self.removal.clone(), 0.0);
        for (o, (near, &w)) in self.near.iter().zip(self.weights).enumerate() {
            let far = self.distances.between(o, candidate);
            if far < near.to_first {
                gain += w * (far - near.to_first);
                change[near.first as usize] += w * (near.to_first - near.to_second);
            } else if far < near.to_second {
                change[near.first as usize] += w * (far - near.to_second);
            }
        }
        let best = (0..change.len()).min_by(|&a, &b| change[a].total_cmp(&change[b]));
        let best = best.expect("invariant: at least one medoid");
        (change[best] + gain, best)
    }

    /// Puts a candidate in the place of a medoid.
    fn swap(&mut self, candidate: usize, position: usize) {
        self.is_medoid[self.medoids[position]] = false;
        self.is_medoid[candidate] = true;
        self.medoids[position] = candidate;
        self.to[position] = column(self.distances, candidate);
        let (to, place) = (&self.to[position], position as u32);
        let mut lost = Vec::new();
        for (o, near) in self.near.iter_mut().enumerate() {
            let far = to[o];
            if near.first == place || near.second == place {
                lost.push(o);
            } else if far < near.to_first {
                (near.second, near.to_second) = (near.first, near.to_first);
                (near.first, near.to_first) = (place, far);
            } else if far < near.to_second {
                (near.second, near.to_second) = (place, far);
            }
        }
        for o in lost {
            self.near[o] = self.search(o);
        }
        self.sum();
    }
}

/// The distances of all rows to a medoid.
fn column<D: Distances>(distances: &D, medoid: usize) -> Vec<f64> {
    par::map(distances.n_rows(), CHUNK, |rows| {
        rows.map(|o| distances.between(o, medoid))
            .collect::<Vec<f64>>()
    })
    .concat()
}
