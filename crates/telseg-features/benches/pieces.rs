//! The array pieces: 200,000 subscribers of 40 usage columns with holes and tails, and of 10 columns of codes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use telseg_core::Seed;
use telseg_features::{
    Imputer, NumericPipeline, OneHot, OrdinalEncoder, QuantileTransformer, RobustScaler,
    StandardScaler, Winsorizer,
};

/// Skewed amounts, one in twenty missing.
fn amounts(rows: usize) -> Array2<f32> {
    let cells = Seed::new(1).stream("bench.amounts");
    Array2::from_shape_fn((rows, 40), |(i, j)| {
        let u = cells.unit((i * 40 + j) as u64);
        match u < 0.05 {
            true => f32::NAN,
            false => -(u.ln()) as f32 * (j + 1) as f32,
        }
    })
}

/// Codes of 2 to 29 levels, one in fifty missing.
fn codes(rows: usize) -> Array2<i32> {
    let cells = Seed::new(1).stream("bench.codes");
    Array2::from_shape_fn((rows, 10), |(i, j)| {
        let u = cells.unit((i * 10 + j) as u64);
        ((u * (3 * j + 2) as f64 * 1.02) as i32).min(3 * j as i32 + 2) - 1
    })
}

fn pieces(c: &mut Criterion) {
    // `cargo test --benches` and `-- --test` only see that it runs.
    let test = std::env::args().any(|a| a == "--test") || !std::env::args().any(|a| a == "--bench");
    let rows = if test { 2000 } else { 200_000 };
    let (x, codes) = (amounts(rows), codes(rows));
    let mut group = c.benchmark_group("pieces");
    group.sample_size(10);
    macro_rules! piece {
        ($name:literal, $params:expr) => {
            let params = $params;
            group.bench_function(concat!($name, ", fit"), |b| {
                b.iter(|| params.fit(black_box(&x)).unwrap())
            });
            let model = params.fit(&x).unwrap();
            assert_eq!(model.n_features(), 40);
            group.bench_function(concat!($name, ", transform"), |b| {
                let out = || Array2::<f32>::zeros(x.dim());
                b.iter_batched_ref(
                    out,
                    |out| model.transform_into(black_box(&x), out).unwrap(),
                    BatchSize::LargeInput,
                )
            });
        };
    }
    piece!("imputer", Imputer::params());
    piece!("winsorizer", Winsorizer::params());
    piece!("standard scaler", StandardScaler::params());
    piece!("robust scaler", RobustScaler::params());
    piece!("quantile transformer", QuantileTransformer::params());
    piece!("impute, clip, standardise", NumericPipeline::params());

    group.bench_function("one-hot, fit", |b| {
        b.iter(|| OneHot::params().fit(black_box(&codes)).unwrap())
    });
    let one_hot = OneHot::params().fit(&codes).unwrap();
    assert_eq!(one_hot.columns().len(), 10);
    group.bench_function("one-hot, positions", |b| {
        b.iter(|| one_hot.transform_indices(black_box(&codes)).unwrap())
    });
    group.bench_function("one-hot, columns", |b| {
        b.iter(|| one_hot.transform::<f32>(black_box(&codes)).unwrap())
    });
    let ordinal = OrdinalEncoder::params().fit(&codes).unwrap();
    group.bench_function("ordinal, transform", |b| {
        b.iter(|| ordinal.transform::<f32>(black_box(&codes)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, pieces);
criterion_main!(benches);
