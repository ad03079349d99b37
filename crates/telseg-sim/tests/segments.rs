//! The hidden groups overlap, and are still found again in good part.
#![allow(clippy::unwrap_used)]

use ndarray::{Array2, ArrayView1, Axis};
use rand::Rng;
use telseg_core::Seed;
use telseg_sim::{Snapshot, WorldConfig, customers};

const USAGE: [&str; 16] = [
    "voice_min_mean",
    "data_gb_mean",
    "sms_mean",
    "international_min_mean",
    "roaming_days_mean",
    "care_contacts_mean",
    "app_sessions_mean",
    "web_sessions_mean",
    "peak_share",
    "night_share",
    "weekend_share",
    "video_share",
    "social_share",
    "music_share",
    "game_share",
    "work_share",
];

/// ln(1 + amount) and ln(share), standardised.
fn log_usage(base: &Snapshot) -> Array2<f64> {
    let names = base.names();
    let mut z = Array2::zeros((base.n_rows(), USAGE.len()));
    for (j, name) in USAGE.iter().enumerate() {
        let column = names.iter().position(|n| n == name).unwrap();
        let share = name.ends_with("share");
        let log = |v: f32| {
            if share {
                f64::from(v).ln()
            } else {
                f64::from(v).ln_1p()
            }
        };
        let values = base.clean.column(column).mapv(log);
        let (mean, sd) = (values.mean().unwrap(), values.std(0.0));
        z.column_mut(j).assign(&values.mapv(|v| (v - mean) / sd));
    }
    z
}

fn distance(a: ArrayView1<f64>, b: ArrayView1<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Lloyd's algorithm from k-means++ starts; the labels with the least inertia of five runs.
fn k_means(z: &Array2<f64>, k: usize) -> Vec<usize> {
    let mut best = (f64::INFINITY, Vec::new());
    for run in 0..5 {
        let mut rng = Seed::new(1).stream("test.kmeans").index(run);
        let mut centres = z.select(Axis(0), &[rng.random_range(0..z.nrows())]);
        while centres.nrows() < k {
            let nearest = |row: ArrayView1<f64>| {
                centres
                    .rows()
                    .into_iter()
                    .map(|c| distance(row, c))
                    .fold(f64::INFINITY, f64::min)
            };
            let weights: Vec<f64> = z.rows().into_iter().map(nearest).collect();
            let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
            let next = weights.iter().position(|w| {
                left -= w;
                left < 0.0
            });
            centres.push_row(z.row(next.unwrap_or(0))).unwrap();
        }
        let (mut labels, mut inertia) = (Vec::new(), 0.0);
        for _ in 0..40 {
            let nearest = |row: ArrayView1<f64>| {
                let all = centres
                    .rows()
                    .into_iter()
                    .map(|c| distance(row, c))
                    .enumerate();
                all.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
            };
            let assigned: Vec<(usize, f64)> = z.rows().into_iter().map(nearest).collect();
            inertia = assigned.iter().map(|a| a.1).sum();
            labels = assigned.iter().map(|a| a.0).collect();
            for c in 0..k {
                let members: Vec<usize> = (0..z.nrows()).filter(|&i| labels[i] == c).collect();
                if let Some(mean) = z.select(Axis(0), &members).mean_axis(Axis(0)) {
                    centres.row_mut(c).assign(&mean);
                }
            }
        }
        if inertia < best.0 {
            best = (inertia, labels);
        }
    }
    best.1
}

/// Hubert and Arabie's adjusted Rand index.
fn adjusted_rand(a: &[usize], b: &[usize], k: usize) -> f64 {
    let pairs = |n: f64| n * (n - 1.0) / 2.0;
    let mut table = Array2::<f64>::zeros((k, k));
    a.iter().zip(b).for_each(|(&i, &j)| table[(i, j)] += 1.0);
    let both: f64 = table.iter().map(|&n| pairs(n)).sum();
    let rows: f64 = table.sum_axis(Axis(1)).iter().map(|&n| pairs(n)).sum();
    let columns: f64 = table.sum_axis(Axis(0)).iter().map(|&n| pairs(n)).sum();
    let expected = rows * columns / pairs(a.len() as f64);
    (both - expected) / ((rows + columns) / 2.0 - expected)
}

#[test]
fn k_means_finds_the_archetypes_in_good_part() {
    let base = customers(&WorldConfig::default().with_n_subscribers(4000), 41).unwrap();
    let truth: Vec<usize> = base.archetype.iter().map(|&a| a as usize).collect();
    let found = adjusted_rand(&truth, &k_means(&log_usage(&base), 8), 8);
    // scikit-learn's KMeans (n_init = 10) on 30 000 rows: see docs/src/sim.md.
    assert!((0.50..0.75).contains(&found), "adjusted Rand index {found}");
    assert!((adjusted_rand(&truth, &truth, 8) - 1.0).abs() < 1e-12);
}
