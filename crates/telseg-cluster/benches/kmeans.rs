//! k-means on the shapes that its algorithms are chosen by.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, Axis};
use telseg_cluster::{Algorithm, Init, KMeans, MiniBatchKMeans};
use telseg_core::Seed;

/// Overlapping clusters of rows in `d` columns: sums of uniform numbers around uniform centres.
fn rows(n: usize, d: usize, k: usize) -> Array2<f32> {
    let stream = Seed::new(1).stream("bench");
    Array2::from_shape_fn((n, d), |(i, j)| {
        let center = 4.0 * stream.child(1).unit(((i % k) * d + j) as u64);
        let noise: f64 = (0..4)
            .map(|r| stream.child(2 + r).unit((i * d + j) as u64))
            .sum();
        (center + noise) as f32
    })
}

fn kmeans(c: &mut Criterion) {
    let mut group = c.benchmark_group("kmeans");
    group.sample_size(10);
    for (n, d, k) in [(50_000, 16, 20), (20_000, 64, 100), (50_000, 3, 200)] {
        let x = rows(n, d, k);
        let init = Init::Centers(
            x.select(Axis(0), &(0..k).map(|i| i * 7).collect::<Vec<_>>())
                .mapv(f64::from),
        );
        let params = KMeans::params(k)
            .with_init(init)
            .with_n_init(1)
            .with_tol(0.0)
            .with_max_iter(20);
        let inertia = params
            .clone()
            .with_algorithm(Algorithm::Lloyd)
            .fit(&x)
            .unwrap()
            .report()
            .inertia;
        for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly, Algorithm::Exponion] {
            let params = params.clone().with_algorithm(algorithm);
            group.bench_function(
                format!("{algorithm:?}, {n} rows, {d} columns, {k} clusters"),
                |b| {
                    b.iter(|| {
                        assert_eq!(params.fit(black_box(&x)).unwrap().report().inertia, inertia)
                    })
                },
            );
        }
        let model = params.fit(&x).unwrap();
        group.bench_function(
            format!("predict, {n} rows, {d} columns, {k} clusters"),
            |b| b.iter(|| model.predict(black_box(&x)).unwrap()),
        );
    }
    let x = rows(50_000, 16, 20);
    group.bench_function("100 batches of 4096 rows, 16 columns, 20 clusters", |b| {
        let params = MiniBatchKMeans::params(20)
            .with_max_iter(100)
            .with_max_no_improvement(None);
        b.iter(|| params.fit(black_box(&x)).unwrap())
    });
    for init in [Init::KMeansPlusPlus, Init::KMeansParallel] {
        let params = KMeans::params(100)
            .with_init(init.clone())
            .with_n_init(1)
            .with_max_iter(1);
        group.bench_function(
            format!("{init:?} and one round, 50000 rows, 16 columns, 100 clusters"),
            |b| b.iter(|| params.fit(black_box(&x)).unwrap()),
        );
    }
}

criterion_group!(benches, kmeans);
criterion_main!(benches);
