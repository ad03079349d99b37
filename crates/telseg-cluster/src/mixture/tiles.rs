//! What all mixtures do with tiles of rows and the parts' densities in them.

use std::ops::Range;

use telseg_core::kernel::{TILE, math};
use telseg_core::{Scalar, par};

/// Chunks whose sums are held at a time: bounds the memory, and leaves work for 64 threads.
const WAVE: usize = 64;

/// Folds what `task` makes of each chunk of `per_task` tiles, in order; a bounded number of them exists at a time.
pub(super) fn fold<T: Send, A>(
    n_tiles: usize,
    per_task: usize,
    task: impl Fn(Range<usize>) -> T + Sync + Send,
    start: A,
    mut fold: impl FnMut(A, T) -> A,
) -> A {
    let mut folded = start;
    for wave in par::chunks(n_tiles, WAVE * per_task) {
        let parts = par::map(wave.len(), per_task, |tiles| {
            task(wave.start + tiles.start..wave.start + tiles.end)
        });
        folded = parts.into_iter().fold(folded, &mut fold);
    }
    folded
}

/// The place of the greatest, the first of equals.
pub(super) fn most<F: Scalar>(values: impl Iterator<Item = F>) -> u32 {
    let (mut best, mut at) = (F::neg_infinity(), 0);
    for (j, value) in values.enumerate() {
        if value > best {
            (best, at) = (value, j as u32);
        }
    }
    at
}

/// The most probable part of each row of a tile.
pub(super) fn labels<F: Scalar>(joint: &[[F; TILE]], labels: &mut [u32]) {
    for (l, label) in labels.iter_mut().enumerate() {
        *label = most(joint.iter().map(|joint| joint[l]));
    }
}

/// `sum w v` over a tile, rows without weight left out.
pub(super) fn weighted<F: Scalar>(values: &[F; TILE], weights: &[F; TILE]) -> f64 {
    let rows = values.iter().zip(weights).filter(|(_, w)| **w != F::zero());
    rows.map(|(v, w)| v.into_f64() * w.into_f64()).sum()
}

/// `-sum w r ln r` over a tile.
pub(super) fn entropy<F: Scalar>(memberships: &[[F; TILE]], weights: &[F; TILE]) -> f64 {
    let mut sum = 0.0;
    for memberships in memberships {
        let mut logs = *memberships;
        math::ln(&mut logs);
        for ((&r, &ln), &w) in memberships.iter().zip(&logs).zip(weights) {
            if r > F::zero() {
                sum -= w.into_f64() * r.into_f64() * ln.into_f64();
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_and_labels_are_right() {
        let mut memberships = [[0.5f64; TILE]; 2];
        (memberships[0][1], memberships[1][1]) = (0.0, 1.0);
        let mut weights = [0.0; TILE];
        (weights[0], weights[1]) = (3.0, 5.0);
        let found = entropy(&memberships, &weights);
        assert!((found - 3.0 * 2f64.ln()).abs() < 1e-14);
        let mut found = [9; 2];
        labels(&memberships, &mut found);
        assert_eq!(found, [0, 1]);
        let mut values = [1.0; TILE];
        values[2] = f64::NEG_INFINITY; // of weight 0
        assert_eq!(weighted(&values, &weights), 8.0);
    }
}
