//! Trees over blobs, by linkage.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use telseg_cluster::{Connectivity, Hierarchical, Linkage};
use telseg_core::metrics::partition::ari;
use telseg_testkit::blobs;

fn trees(c: &mut Criterion) {
    let (x, truth) = blobs::<f32>(2000, 8, 10, 1);
    let mut group = c.benchmark_group("hierarchy, 2k rows of 8 columns");
    group.sample_size(10);
    let linkages = [
        Linkage::Ward,
        Linkage::Complete,
        Linkage::Average,
        Linkage::Weighted,
        Linkage::Single,
    ];
    for linkage in linkages {
        let params = Hierarchical::params(10).with_linkage(linkage);
        let found = params.fit(&x).unwrap();
        let labels = (found.labels().to_vec(), truth.to_vec());
        assert!(ari(&labels.0, &labels.1, None).unwrap() > 0.99);
        let id = BenchmarkId::from_parameter(linkage.name());
        group.bench_function(id, |b| b.iter(|| params.fit(black_box(&x)).unwrap()));
    }
    let params = Hierarchical::params(10).with_connectivity(Connectivity::Neighbours(60));
    if params.fit(&x).is_ok() {
        group.bench_function("Ward among 60 neighbours", |b| {
            b.iter(|| params.fit(black_box(&x)).unwrap())
        });
    }
    let model = Hierarchical::params(10).fit(&x).unwrap();
    group.bench_function("predict", |b| {
        b.iter(|| model.predict(black_box(&x)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, trees);
criterion_main!(benches);
