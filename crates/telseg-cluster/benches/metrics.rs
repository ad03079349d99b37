//! Measures of a clustering.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use telseg_cluster::metrics::{self, GapParams, StabilityParams};
use telseg_cluster::{Hierarchical, KMeans};
use telseg_testkit::blobs;

fn measures(c: &mut Criterion) {
    let (x, labels) = blobs::<f32>(2000, 16, 10, 1);
    assert!(metrics::silhouette(&x, &labels).unwrap() > 0.5);
    let mut group = c.benchmark_group("metrics, 2k rows of 16 columns");
    group.sample_size(10);
    group.bench_function("silhouette", |b| {
        b.iter(|| metrics::silhouette(black_box(&x), &labels).unwrap())
    });
    group.bench_function("silhouette of a sample of 500", |b| {
        b.iter(|| metrics::silhouette_sampled(black_box(&x), &labels, 500, 1).unwrap())
    });
    group.bench_function("Davies-Bouldin", |b| {
        b.iter(|| metrics::davies_bouldin(black_box(&x), &labels).unwrap())
    });
    group.bench_function("Calinski-Harabasz", |b| {
        b.iter(|| metrics::calinski_harabasz(black_box(&x), &labels).unwrap())
    });
    let few = GapParams::default().with_n_references(4);
    group.bench_function("gap of k-means, 8 to 10 clusters, 4 references", |b| {
        b.iter(|| {
            let cluster = |x: &ndarray::ArrayRef2<f32>, k| {
                Ok(KMeans::params(k).with_n_init(1).fit(x)?.labels().clone())
            };
            metrics::gap(black_box(&x), 8..=10, &few, cluster).unwrap()
        })
    });
    let (ward, marked) = (Hierarchical::params(10), labels.mapv(Some).to_vec());
    let resamples = StabilityParams::default().with_n_resamples(4);
    group.bench_function("stability of Ward, 4 resamples", |b| {
        b.iter(|| {
            let cluster = |weights: &ndarray::ArrayRef1<f64>, _| {
                Ok(ward.fit_weighted(&x, weights)?.labels().mapv(Some).to_vec())
            };
            metrics::stability(black_box(&marked), None, &resamples, cluster).unwrap()
        })
    });
    group.finish();
}

criterion_group!(benches, measures);
criterion_main!(benches);
