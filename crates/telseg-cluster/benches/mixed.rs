//! Mixed rows, medoids and constraints on the sizes of a small operator.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, s};
use telseg_cluster::constrained::ConstrainedInit;
use telseg_cluster::kmedoids::{MedoidInit, MedoidMethod, Metric};
use telseg_cluster::kprototypes::{PrototypeInit, PrototypeSearch};
use telseg_cluster::{ConstrainedKMeans, Gower, GowerColumn, Init, KMeans, KMedoids, KPrototypes};
use telseg_core::Seed;

/// `n` rows of 14 numbers around 10 centres and 6 codes of 8 levels.
fn rows(n: usize) -> Array2<f32> {
    let stream = Seed::new(1).stream("bench");
    let centres = stream.child(1);
    Array2::from_shape_fn((n, 20), |(i, j)| {
        let (cell, centre) = ((i * 20 + j) as u64, (i % 10 * 20 + j) as u64);
        match (j < 14, stream.bits(cell) % 5 < 3) {
            (true, _) => (6.0 * centres.unit(centre) + 4.0 * stream.unit(cell)) as f32,
            (false, true) => (centres.bits(centre) % 8) as f32,
            (false, false) => (stream.bits(cell) / 5 % 8) as f32,
        }
    })
}

fn mixed(c: &mut Criterion) {
    let mut group = c.benchmark_group("mixed");
    group.sample_size(10);

    let x = rows(50_000);
    let start = x.slice(s![..10, ..]).mapv(f64::from);
    let means = KMeans::params(10)
        .with_init(Init::Centers(start.clone()))
        .with_n_init(1)
        .with_max_iter(10)
        .with_tol(0.0);
    group.bench_function("k-means, 50k rows of 20 numbers, 10 rounds", |b| {
        b.iter(|| means.fit(black_box(&x)).unwrap())
    });
    let categorical: Vec<usize> = (14..20).collect();
    let prototypes = KPrototypes::params(10, &categorical)
        .with_init(PrototypeInit::Centers(start.clone()))
        .with_n_init(1)
        .with_max_iter(10)
        .with_tol(0.0);
    let found = prototypes.fit(&x).unwrap();
    let bounded = prototypes.clone().with_search(PrototypeSearch::Hamerly);
    assert_eq!(found.labels(), bounded.fit(&x).unwrap().labels());
    for (name, params) in [("every distance", &prototypes), ("bounds", &bounded)] {
        let name = format!("k-prototypes, 50k rows of 14 numbers and 6 codes, 10 rounds, {name}");
        group.bench_function(name, |b| b.iter(|| params.fit(black_box(&x)).unwrap()));
    }

    let numbers = x.slice(s![..20_000, ..14]).to_owned();
    let sized = ConstrainedKMeans::params(10)
        .with_min_size(1900)
        .with_max_size(2100)
        .with_init(ConstrainedInit::Centers(
            start.slice(s![.., ..14]).to_owned(),
        ));
    let sizes = sized.fit(&numbers).unwrap().report().sizes.clone();
    assert!(sizes.iter().all(|s| (1900..=2100).contains(s)));
    group.bench_function(
        "k-means of 1900 to 2100 rows a segment, 20k rows of 14",
        |b| b.iter(|| sized.fit(black_box(&numbers)).unwrap()),
    );

    let few = x.slice(s![..1000, ..]).to_owned();
    let kinds: Vec<GowerColumn> = (0..20)
        .map(|j| {
            if j < 14 {
                GowerColumn::Numeric
            } else {
                GowerColumn::Categorical
            }
        })
        .collect();
    for (name, metric) in [
        ("Euclid", Metric::Euclidean),
        ("Gower", Metric::Gower(Gower::params(&kinds))),
    ] {
        let params = KMedoids::params(10)
            .with_metric(metric)
            .with_method(MedoidMethod::Pam)
            .with_init(MedoidInit::Rows((0..10).collect()));
        assert!(params.fit(&few).unwrap().report().converged);
        group.bench_function(format!("k-medoids, 1000 rows of 20, {name}"), |b| {
            b.iter(|| params.fit(black_box(&few)).unwrap())
        });
    }

    let many = x.slice(s![..20_000, ..]).to_owned();
    let params = KMedoids::params(10).with_metric(Metric::Gower(Gower::params(&kinds)));
    let method = params.fit(&many).unwrap().report().method;
    assert!(matches!(method, MedoidMethod::Clara { .. }));
    group.bench_function("k-medoids on samples, 20k rows of 20, Gower", |b| {
        b.iter(|| params.fit(black_box(&many)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, mixed);
criterion_main!(benches);
