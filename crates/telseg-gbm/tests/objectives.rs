//! Losses of every objective held against LightGBM 4.7.0 on data that both sides make from the same integers.
//!
//! Reference: `lightgbm.train({objective, verbose: -1, seed: 0}, Dataset(x[:8000], y[:8000], categorical_feature=[6]), 100)`
//! with `alpha` 1 for Huber, the level for quantile, `tweedie_variance_power` 1.5 and `num_class` 4; mean losses on the
//! other 8000 rows by the formulas below. Cuts, rounding, tie-breaking and (behind a logarithmic link) step lengths
//! differ: 2 % of a loss is allowed, and a negative log-likelihood, which has no natural zero, may be 0.01 worse.

#[allow(dead_code)] // no test file uses all of it
mod made;

use made::{Made, N, made, unit};
use ndarray::{Array1, ArrayView1, s};
use telseg_gbm::{Gbm, Objective};

/// All predictions of the judged rows, output by output.
#[allow(clippy::unwrap_used)] // a helper of tests
fn fit(objective: Objective, y: &Array1<f32>) -> Vec<Vec<f64>> {
    let x = made().x;
    let params = Gbm::params(objective).with_categorical([6]);
    let model = params
        .fit(&x.slice(s![..N, ..]), &y.slice(s![..N]))
        .unwrap();
    let out = model.predict_outputs(&x.slice(s![N.., ..])).unwrap();
    out.columns().into_iter().map(|c| c.to_vec()).collect()
}

fn judged(y: &Array1<f32>) -> ArrayView1<'_, f32> {
    y.slice(s![N..])
}

fn mean(p: &[f64], y: &Array1<f32>, loss: impl Fn(f64, f64) -> f64) -> f64 {
    let pairs = p.iter().zip(judged(y));
    pairs.map(|(p, y)| loss(*p, f64::from(*y))).sum::<f64>() / N as f64
}

/// The number, with far outliers in a row of 16.
fn heavy() -> Array1<f32> {
    let number = made().number;
    Array1::from_shape_fn(2 * N, |i| {
        let u = unit(30_000_000 + i as u64);
        let far = if u < 1.0 / 16.0 {
            40.0 * (u * 16.0 - 0.5)
        } else {
            0.0
        };
        (f64::from(number[i]) + far) as f32
    })
}

/// A count by inversion, an exponential amount, and the same with zeros.
fn rates() -> [Array1<f32>; 3] {
    let Made { score, .. } = made();
    let mut out = [(); 3].map(|()| Array1::zeros(2 * N));
    for i in 0..2 * N {
        let (u, noise) = (unit(30_000_000 + i as u64), unit(10_000_000 + i as u64));
        let mean = (score[i] / 4.0).exp();
        let (mut p, mut k) = ((-mean).exp(), 0.0);
        let mut sum = p;
        while u > sum && k < 60.0 {
            k += 1.0;
            p = p * mean / k;
            sum += p;
        }
        out[0][i] = k as f32;
        out[1][i] = (-mean * (1.0 - u * 0.999).ln()).max(1e-3) as f32;
        out[2][i] = if noise < 0.4 { 0.0 } else { out[1][i] };
    }
    out
}

#[test]
fn as_good_as_lightgbm_where_outliers_are_far() {
    let y = heavy();
    let p = fit(Objective::AbsoluteError, &y);
    let loss = mean(&p[0], &y, |p, y| (p - y).abs());
    assert!(loss < 1.02 * 1.16653, "absolute {loss}");
    let p = fit(Objective::Huber { delta: 1.0 }, &y);
    let loss = mean(&p[0], &y, |p, y| {
        let gap = (p - y).abs();
        if gap < 1.0 {
            0.5 * gap * gap
        } else {
            gap - 0.5
        }
    });
    assert!(loss < 1.02 * 0.80202, "huber {loss}");
}

#[test]
fn as_good_as_lightgbm_on_quantiles_and_they_never_cross() {
    let y = made().number;
    let pinball = |level: f64| move |p: f64, y: f64| (y - p) * (level - f64::from(u8::from(y < p)));
    let levels = [0.1, 0.5, 0.9];
    let together = fit(Objective::quantiles(&levels).unwrap(), &y);
    for (i, (level, theirs)) in levels
        .into_iter()
        .zip([0.12600, 0.30505, 0.12597])
        .enumerate()
    {
        let alone = fit(Objective::Quantile { level }, &y);
        for (name, p) in [("alone", &alone[0]), ("together", &together[i])] {
            let loss = mean(p, &y, pinball(level));
            assert!(loss < 1.02 * theirs, "{name} {level}: {loss}");
            let below = mean(p, &y, |p, y| f64::from(u8::from(y <= p)));
            assert!((below - level).abs() < 0.07, "{name} {level}: {below}");
        }
    }
    let columns = together[0].iter().zip(&together[1]).zip(&together[2]);
    columns.for_each(|((low, middle), high)| assert!(low <= middle && middle <= high));
}

#[test]
fn as_good_as_lightgbm_behind_a_logarithm() {
    let [count, amount, zeros] = rates();
    let p = fit(Objective::Poisson, &count);
    let loss = mean(&p[0], &count, |p, y| p - y * p.ln());
    assert!(loss < 0.59492 + 0.01, "poisson {loss}");
    let p = fit(Objective::Gamma, &amount);
    let loss = mean(&p[0], &amount, |p, y| y / p + p.ln());
    assert!(loss < 1.54540 + 0.01, "gamma {loss}");
    let p = fit(Objective::Tweedie { power: 1.5 }, &zeros);
    let loss = mean(&p[0], &zeros, |p, y| y / p.sqrt() / 0.5 + p.sqrt() / 0.5);
    assert!(loss < 4.13074 + 0.01, "tweedie {loss}");
}

#[test]
fn as_good_as_lightgbm_on_four_classes() {
    let class =
        |v: &f32| f32::from(u8::from(*v >= 0.5) + u8::from(*v >= 1.5) + u8::from(*v >= 3.0));
    let y = made().number.map(class);
    let p = fit(Objective::Softmax { n_classes: 4 }, &y);
    let (mut loss, mut right) = (0.0, 0);
    for (row, y) in judged(&y).iter().enumerate() {
        let own: Vec<f64> = p.iter().map(|p| p[row]).collect();
        assert!((own.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let y = *y as usize;
        loss -= own[y].ln() / N as f64;
        right += usize::from(own.iter().all(|&q| q <= own[y]));
    }
    assert!(loss < 1.02 * 0.75319, "{loss}");
    let accuracy = right as f64 / N as f64;
    assert!(accuracy > 0.64313 - 0.01, "{accuracy}");
}
