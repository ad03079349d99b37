//! Clustering by density: fits, and prediction of new rows.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use telseg_cluster::{Dbscan, Extraction, Hdbscan, Optics};
use telseg_testkit::blobs;

fn density(c: &mut Criterion) {
    let mut group = c.benchmark_group("density");
    group.sample_size(10);
    for (n, d) in [(10_000, 3), (10_000, 8)] {
        let x = blobs::<f32>(n, d, 12, 1).0;
        let dbscan = Dbscan::params(1.5).with_min_points(8);
        group.bench_function(format!("dbscan, {n} x {d}"), |b| {
            b.iter(|| dbscan.fit(black_box(&x)).unwrap())
        });
        let hdbscan = Hdbscan::params(50).with_min_samples(10);
        group.bench_function(format!("hdbscan, {n} x {d}"), |b| {
            b.iter(|| hdbscan.fit(black_box(&x)).unwrap())
        });
        let model = hdbscan.fit(&x).unwrap();
        assert_eq!(model.n_clusters(), 12);
        let new = blobs::<f32>(1000, d, 12, 2).0;
        group.bench_function(format!("hdbscan, predict 1000 of {n} x {d}"), |b| {
            b.iter(|| model.predict(black_box(&new)).unwrap())
        });
        group.bench_function(
            format!("hdbscan, soft membership of 1000 in {n} x {d}"),
            |b| b.iter(|| model.predict_proba(black_box(&new)).unwrap()),
        );
        let model = dbscan.fit(&x).unwrap();
        group.bench_function(format!("dbscan, predict 1000 of {n} x {d}"), |b| {
            b.iter(|| model.predict(black_box(&new)).unwrap())
        });
        let optics = Optics::params(10).with_extraction(Extraction::Cut { eps: 1.5 });
        group.bench_function(format!("optics, {n} x {d}"), |b| {
            b.iter(|| optics.fit(black_box(&x)).unwrap())
        });
        let model = optics.fit(&x).unwrap();
        // A cut is DBSCAN with the same points.
        let cut = Dbscan::params(1.5).with_min_points(10).fit(&x).unwrap();
        assert_eq!(model.n_clusters(), cut.n_clusters());
        group.bench_function(format!("optics, predict 1000 of {n} x {d}"), |b| {
            b.iter(|| model.predict(black_box(&new)).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, density);
criterion_main!(benches);
