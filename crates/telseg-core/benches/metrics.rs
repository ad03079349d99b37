//! Metrics and summaries on the sizes that reports and training meet.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use telseg_core::Seed;
use telseg_core::merge::{Moments, QuantileSketch};
use telseg_core::metrics::Bootstrap;
use telseg_core::metrics::binary::{Ranking, auc};

fn metrics(c: &mut Criterion) {
    let n = 50_000;
    let stream = Seed::new(1).stream("bench");
    let score: Vec<f64> = (0..n).map(|i| stream.unit(i)).collect();
    let y: Vec<bool> = (0..n)
        .map(|i| stream.unit(n + i) < 0.4 * score[i as usize])
        .collect();
    let ranking = Ranking::new(&y, &score).unwrap();
    assert!((ranking.auc(None).unwrap() - 0.67).abs() < 0.05);

    let mut group = c.benchmark_group("metrics");
    group.sample_size(10);
    group.bench_function("auc, 50k rows", |b| {
        b.iter(|| auc(&y, black_box(&score), None).unwrap())
    });
    group.bench_function("auc, 50k rows, bootstrap of 200", |b| {
        let bootstrap = Bootstrap::default().with_n_resamples(200);
        b.iter(|| {
            bootstrap
                .interval(score.len(), |w| ranking.auc(Some(w)))
                .unwrap()
        })
    });

    let x = Array2::from_shape_fn((20_000, 50), |(i, j)| {
        stream.unit((i * 50 + j) as u64) as f32
    });
    group.bench_function("moments, 20k rows of 50 columns", |b| {
        b.iter(|| Moments::of(black_box(&x), None).unwrap())
    });
    group.bench_function("quantile sketch, k = 200, 50k values", |b| {
        b.iter(|| {
            let mut sketch = QuantileSketch::new(200).unwrap();
            score.iter().for_each(|&v| sketch.push(v));
            sketch
        })
    });
    group.finish();
}

criterion_group!(benches, metrics);
criterion_main!(benches);
