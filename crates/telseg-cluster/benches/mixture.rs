//! EM of mixtures: 20,000 rows, a fixed number of iterations from a given start.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, s};
use telseg_cluster::{Covariance, Family, GaussianInit, GaussianMixture, LatentClass, LatentInit};
use telseg_core::Seed;

const ROWS: usize = 20_000;

fn usage() -> Array2<f32> {
    let stream = Seed::new(1).stream("bench");
    Array2::from_shape_fn((ROWS, 16), |(i, j)| {
        let u = stream.unit((i * 16 + j) as u64);
        (4 * (i % 8 + j) % 7) as f32 + 2.0 * u as f32
    })
}

fn gaussian(c: &mut Criterion) {
    let x = usage();
    let means = x.slice(s![..8, ..]).mapv(f64::from);
    let mut group = c.benchmark_group("gaussian mixture, 20k x 16, 8 components, 5 iterations");
    group.sample_size(10);
    for covariance in [
        Covariance::Full,
        Covariance::Tied,
        Covariance::Diagonal,
        Covariance::Spherical,
    ] {
        let params = GaussianMixture::params(8)
            .with_covariance(covariance)
            .with_init(GaussianInit::Means(means.clone()))
            .with_max_iter(5)
            .with_tol(0.0);
        assert_eq!(params.fit(&x).unwrap().report().n_iter, 5);
        group.bench_function(format!("{covariance:?}"), |b| {
            b.iter(|| params.fit(black_box(&x)).unwrap())
        });
    }
}

fn latent(c: &mut Criterion) {
    let families = [
        Family::Normal,
        Family::Categorical { n_levels: 4 },
        Family::Poisson,
        Family::ZeroInflatedPoisson,
    ];
    let numbers = usage();
    let mut group = c.benchmark_group("latent classes");
    group.sample_size(10);
    for (columns, classes) in [(4, 4), (12, 6)] {
        let x = Array2::from_shape_fn((ROWS, columns), |(i, j)| match j % 4 {
            _ if (i + 5 * j) % 13 == 0 => f32::NAN,
            0 => numbers[[i, j]],
            1 => numbers[[i, j]].floor().min(3.0),
            _ => numbers[[i, j]].floor(),
        });
        let rest = 0.3 / (classes - 1) as f64;
        let start =
            Array2::from_shape_fn(
                (ROWS, classes),
                |(i, c)| {
                    if i % classes == c { 0.7 } else { rest }
                },
            );
        let families = families.iter().cycle().take(columns).copied();
        let params = LatentClass::params(classes, families)
            .with_init(LatentInit::Responsibilities(start))
            .with_n_init(1)
            .with_max_iter(5)
            .with_tol(0.0);
        assert_eq!(params.fit(&x).unwrap().report().n_iter, 5);
        let name = format!("20k x {columns}, {classes} classes, 5 iterations");
        group.bench_function(name, |b| b.iter(|| params.fit(black_box(&x)).unwrap()));
    }
}

criterion_group!(benches, gaussian, latent);
criterion_main!(benches);
