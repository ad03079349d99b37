//! Bootstrap intervals: reproducible, and as wide as theory says.

use telseg_core::Seed;
use telseg_core::metrics::binary::Ranking;
use telseg_core::metrics::{Bootstrap, Interval};

fn mean(values: &[f64], w: &[f64]) -> f64 {
    let sum: f64 = values.iter().zip(w).map(|(v, w)| v * w).sum();
    sum / w.iter().sum::<f64>()
}

fn uniform(seed: u64, n: u64) -> Vec<f64> {
    let stream = Seed::new(seed).stream("test.uniform");
    (0..n).map(|i| stream.unit(i)).collect()
}

#[test]
fn mean_is_as_uncertain_as_theory_says() {
    let values = uniform(1, 400);
    let bootstrap = Bootstrap::default()
        .with_n_resamples(4000)
        .with_level(0.9)
        .with_seed(3);
    let interval = bootstrap.interval(400, |w| Ok(mean(&values, w))).unwrap();
    let estimate = mean(&values, &[1.0; 400]);
    let variance = values.iter().map(|v| (v - estimate).powi(2)).sum::<f64>() / 400.0;
    let half = 1.6449 * (variance / 400.0).sqrt(); // normal quantile of 0.95
    assert_eq!(interval.estimate, estimate);
    // The 5% quantile of 4000 draws has a standard error of √(0.05·0.95/4000)/0.103 = 0.033 σ, 2% of `half`.
    assert!((interval.low - (estimate - half)).abs() < 0.1 * half);
    assert!((interval.high - (estimate + half)).abs() < 0.1 * half);
}

#[test]
fn intervals_cover() {
    // 90% intervals of the mean of 60 uniform numbers hold 0.5 in 90% of worlds; standard error over 300: 1.7%.
    let bootstrap = Bootstrap::default().with_n_resamples(200).with_level(0.9);
    let covered = (0..300)
        .filter(|&world| {
            let values = uniform(100 + world, 60);
            let bootstrap = bootstrap.clone().with_seed(world);
            let interval = bootstrap.interval(60, |w| Ok(mean(&values, w))).unwrap();
            interval.low <= 0.5 && 0.5 <= interval.high
        })
        .count();
    assert!((250..=288).contains(&covered), "{covered} of 300");
}

#[test]
fn weights_of_rows_take_part() {
    let values = [1.0, 2.0, 3.0, 4.0, 100.0];
    let weights = [1.0, 2.0, 2.0, 1.0, 0.0];
    let interval = Bootstrap::default()
        .interval_weighted(&weights, |w| {
            if w.iter().sum::<f64>() == 0.0 {
                return Ok(f64::NAN);
            }
            Ok(mean(&values, w))
        })
        .unwrap();
    assert_eq!(interval.estimate, 2.5);
    assert!(interval.high <= 4.0); // the row of weight 0 never counts
}

#[test]
fn threads_do_not_matter_and_values_stay() {
    let y: Vec<bool> = uniform(5, 500).iter().map(|u| *u < 0.3).collect();
    let score: Vec<f64> = uniform(6, 500)
        .iter()
        .zip(&y)
        .map(|(u, &y)| (10.0 * (u + if y { 0.3 } else { 0.0 })).floor())
        .collect();
    let ranking = Ranking::new(&y, &score).unwrap();
    let run = |n_threads: usize| -> Interval {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| {
            Bootstrap::default()
                .with_n_resamples(50)
                .with_seed(9)
                .interval(500, |w| ranking.auc(Some(w)))
                .unwrap()
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
    // Value stability: what this seed gave when the stream was fixed.
    let pinned = [one.estimate, one.low, one.high];
    assert_eq!(pinned, PINNED);
}

const PINNED: [f64; 3] = [0.738809273501909, 0.7053737202361301, 0.7772380054933824];
