//! Softmax over a strip of rows at a time; lanes run across rows.

use telseg_core::kernel::{Level, dispatch};

use super::rows::{STRIP, Slope, exp};

/// Slopes of all rows of a chunk, class by class, and the sum of weighted losses; `largest` grows to the largest
/// absolute gradient and hessian of each class.
pub(super) fn slopes(
    scores: &[&[f64]],
    y: &[f32],
    weights: Option<&[f32]>,
    out: &mut [&mut [Slope]],
    largest: &mut [Slope],
) -> f64 {
    dispatch!(Level::best(), sweep, sweep, sweep;
        (scores: &[&[f64]], y: &[f32], weights: Option<&[f32]>, out: &mut [&mut [Slope]], largest: &mut [Slope]) -> f64)
}

#[inline(always)]
fn sweep(
    scores: &[&[f64]],
    y: &[f32],
    weights: Option<&[f32]>,
    out: &mut [&mut [Slope]],
    largest: &mut [Slope],
) -> f64 {
    let factor = scores.len() as f64 / (scores.len() as f64 - 1.0);
    let mut powers = vec![[0.0f64; STRIP]; scores.len()];
    let mut loss = 0.0;
    for start in (0..y.len()).step_by(STRIP) {
        let rows = start..(start + STRIP).min(y.len());
        let (most, sum) = exponentials(scores, rows.clone(), &mut powers);
        let targets = &y[rows.clone()];
        let mut weight = [1.0f64; STRIP];
        if let Some(weights) = weights {
            let pairs = weight.iter_mut().zip(&weights[rows.clone()]);
            pairs.for_each(|(w, &given)| *w = f64::from(given));
        }
        for (class, (powers, out)) in powers.iter().zip(out.iter_mut()).enumerate() {
            let out = &mut out[rows.clone()];
            for (i, out) in out.iter_mut().enumerate() {
                let p = powers[i] / sum[i];
                let hit = f64::from(u8::from(targets[i] == class as f32));
                let g = (p - hit) * weight[i];
                *out = [g as f32, (factor * p * (1.0 - p) * weight[i]) as f32];
            }
            for &[g, h] in out.iter() {
                let most = &mut largest[class];
                *most = [most[0].max(g.abs()), most[1].max(h)];
            }
        }
        for (i, &target) in targets.iter().enumerate() {
            let own = scores[target as usize][start + i];
            loss += weight[i] * (most[i] - own + sum[i].ln());
        }
    }
    loss
}

/// `e^(s - m)` of each class in `powers`; returns the largest score `m` of each row and the sum of its powers.
#[inline(always)]
fn exponentials(
    scores: &[&[f64]],
    rows: std::ops::Range<usize>,
    powers: &mut [[f64; STRIP]],
) -> ([f64; STRIP], [f64; STRIP]) {
    let mut most = [f64::NEG_INFINITY; STRIP];
    for scores in scores {
        for (most, &s) in most.iter_mut().zip(&scores[rows.clone()]) {
            *most = if s > *most { s } else { *most };
        }
    }
    let mut sum = [0.0f64; STRIP];
    for (scores, powers) in scores.iter().zip(powers) {
        let scores = &scores[rows.clone()];
        for (((power, s), most), sum) in powers.iter_mut().zip(scores).zip(&most).zip(&mut sum) {
            *power = exp(s - most);
            *sum += *power;
        }
    }
    (most, sum)
}

/// Loss of one row of weight 1, whose scores `score` yields.
pub(super) fn loss(n_classes: usize, score: impl Fn(usize) -> f64, y: f32) -> f64 {
    let most = (0..n_classes).fold(f64::NEG_INFINITY, |a, k| a.max(score(k)));
    let sum: f64 = (0..n_classes).map(|k| (score(k) - most).exp()).sum();
    most - score(y as usize) + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_derivatives_of_the_loss() {
        let n = 2 * STRIP + 5;
        let scores: Vec<Vec<f64>> = (0..3)
            .map(|k| {
                (0..n)
                    .map(|i| ((i * 7 + k * 13) % 11) as f64 - 5.0)
                    .collect()
            })
            .collect();
        let y: Vec<f32> = (0..n).map(|i| (i % 3) as f32).collect();
        let weights: Vec<f32> = (0..n).map(|i| 0.5 + (i % 4) as f32).collect();
        let views: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
        let mut out = vec![vec![[0.0f32; 2]; n]; 3];
        let mut places: Vec<&mut [Slope]> = out.iter_mut().map(Vec::as_mut_slice).collect();
        let mut largest = [[0.0; 2]; 3];
        let total = slopes(&views, &y, Some(&weights), &mut places, &mut largest);
        let (step, mut sum) = (1e-4, 0.0);
        for i in 0..n {
            let w = f64::from(weights[i]);
            for k in 0..3 {
                let at = |d: f64| {
                    let own = |j: usize| scores[j][i] + if j == k { d } else { 0.0 };
                    w * loss(3, own, y[i])
                };
                let first = (at(step) - at(-step)) / (2.0 * step);
                let second = 1.5 * (at(step) - 2.0 * at(0.0) + at(-step)) / (step * step);
                let [g, h] = out[k][i].map(f64::from);
                assert!((g - first).abs() < 1e-5, "{i} {k}: {g} {first}");
                assert!((h - second).abs() < 1e-4, "{i} {k}: {h} {second}");
                assert!(out[k][i][0].abs() <= largest[k][0] && out[k][i][1] <= largest[k][1]);
            }
            sum += w * loss(3, |j| scores[j][i], y[i]);
        }
        assert!((total - sum).abs() < 1e-9 * sum, "{total} {sum}");
    }
}
