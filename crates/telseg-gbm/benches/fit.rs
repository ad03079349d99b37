//! Boosting on a churn-like table: fit, batch prediction, one row.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use telseg_gbm::forest::{Forest, Task};
use telseg_gbm::{BinnedData, Ebm, FitOptions, Gbm, Objective, Pairs};
use telseg_testkit::table;

fn fit(c: &mut Criterion) {
    let n = if std::env::args().any(|a| a == "--test") {
        2000
    } else {
        200_000
    };
    let data = table::<f32>(n, 30, 1);
    let y = data.classes(2).mapv(|class| class as f32);
    let params = Gbm::params(Objective::Binary)
        .with_n_trees(10)
        .with_max_leaves(63);
    let binned = BinnedData::new(&data.x, &params).expect("a sound table");
    let model = params
        .fit_binned(&binned, &y, FitOptions::default())
        .expect("a sound table");
    assert_eq!(model.trees().n_trees(), 10);
    let mut group = c.benchmark_group("gbm");
    group.sample_size(10);
    group.bench_function("bin", |b| b.iter(|| BinnedData::new(&data.x, &params)));
    group.bench_function("fit 10 trees", |b| {
        b.iter(|| params.fit_binned(&binned, &y, FitOptions::default()))
    });
    group.bench_function("predict", |b| b.iter(|| model.predict(&data.x)));
    let row = data.x.row(0).to_vec();
    group.bench_function("predict row", |b| b.iter(|| model.predict_row(&row)));
    let forest = Forest::params(Task::Classification { n_classes: 2 }).with_n_trees(10);
    let forest = forest.with_min_weight_leaf(5.0);
    let grown = forest.fit(&data.x, &y).expect("a sound table");
    assert_eq!(grown.trees().n_trees(), 10);
    group.bench_function("forest of 10 trees", |b| b.iter(|| forest.fit(&data.x, &y)));
    group.bench_function("forest predict", |b| b.iter(|| grown.predict(&data.x)));
    group.finish();
}

fn additive(c: &mut Criterion) {
    let n = if std::env::args().any(|a| a == "--test") {
        500
    } else {
        7000
    };
    let data = table::<f32>(n, 20, 1);
    let y = data.classes(2).mapv(|class| class as f32);
    let params = Ebm::params(Objective::Binary)
        .with_max_rounds(100)
        .with_n_bags(2);
    let model = params.fit(&data.x, &y).expect("a sound table");
    assert_eq!(model.terms().len(), 30);
    let mut group = c.benchmark_group("ebm");
    group.sample_size(10);
    group.bench_function("fit 2 bags of 100 rounds", |b| {
        b.iter(|| params.fit(&data.x, &y))
    });
    let curves = params.clone().with_pairs(Pairs::Count(0));
    group.bench_function("fit curves alone", |b| b.iter(|| curves.fit(&data.x, &y)));
    group.bench_function("predict", |b| b.iter(|| model.predict(&data.x)));
    let row = data.x.row(0).to_vec();
    group.bench_function("predict row", |b| b.iter(|| model.predict_row(&row)));
    group.finish();
}

criterion_group!(benches, fit, additive);
criterion_main!(benches);
