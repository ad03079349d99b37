//! Attributions of rows by a boosted-sized ensemble: 100 trees of 63 leaves, 30 features.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, Axis, s};
use telseg_core::Seed;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_explain::{TreeShap, Unknown};

const FEATURES: usize = 30;

/// Leaf-wise growth at random: the widest leaf so far is split.
fn grown(tree: u64, leaves: usize) -> Tree {
    let draws = Seed::new(1).stream("bench.trees").child(tree);
    let mut nodes = vec![Node::Leaf {
        value: vec![0.0],
        cover: 10_000.0,
    }];
    for split in 0..leaves as u64 - 1 {
        let cover_of = |n: &Node| match n {
            Node::Leaf { cover, .. } => *cover,
            Node::Split { .. } => -1.0,
        };
        let widest = (0..nodes.len())
            .max_by(|&a, &b| cover_of(&nodes[a]).total_cmp(&cover_of(&nodes[b])))
            .expect("a leaf");
        let cover = cover_of(&nodes[widest]);
        let part = 0.1 + 0.8 * draws.unit(3 * split);
        let leaf = |part: f64, draw| Node::Leaf {
            value: vec![draws.unit(draw) - 0.5],
            cover: cover * part,
        };
        let (left, right) = (nodes.len(), nodes.len() + 1);
        nodes.push(leaf(part, 10_000 + 2 * split));
        nodes.push(leaf(1.0 - part, 10_001 + 2 * split));
        nodes[widest] = Node::Split {
            feature: (draws.bits(3 * split + 1) % FEATURES as u64) as usize,
            rule: Rule::AtMost(draws.unit(3 * split + 2) as f32),
            missing: Side::Left,
            left,
            right,
            cover,
        };
    }
    Tree {
        nodes,
        output: Some(0),
    }
}

fn shap(c: &mut Criterion) {
    let trees = (0..100).map(|t| grown(t, 63)).collect();
    let model = TreeEnsemble::new(FEATURES, vec![0.0], trees).expect("valid trees");
    let draws = Seed::new(2).stream("bench.rows");
    let x = Array2::from_shape_fn((2000, FEATURES), |(i, j)| {
        draws.unit((i * FEATURES + j) as u64) as f32
    });
    let shap = TreeShap::new(&model).expect("valid trees");
    let values = shap.shap_values_for(&x, 0).expect("right width");
    let scores = model.predict(&x).expect("right width");
    for (row, score) in values.axis_iter(Axis(0)).zip(scores.column(0)) {
        assert!((row.sum() + shap.expected_value()[0] - score).abs() < 1e-10);
    }
    c.bench_function("shap/new/100x63", |b| {
        b.iter(|| TreeShap::new(black_box(&model)))
    });
    c.bench_function("shap/rows/2000x30", |b| {
        b.iter(|| shap.shap_values(black_box(&x)))
    });
    let row = x.row(0).to_vec();
    let mut out = vec![0.0; FEATURES];
    c.bench_function("shap/row", |b| {
        b.iter(|| shap.shap_row_into(black_box(&row), &mut out))
    });
    let background = x.slice(s![..1000, ..]);
    let params = TreeShap::params();
    c.bench_function("shap/against 1000 rows/new/100x63", |b| {
        b.iter(|| params.fit(black_box(&model), Unknown::Rows(&background)))
    });
    let pairs = params
        .fit_interactions(&model, Unknown::Covers)
        .expect("valid trees");
    let sums = pairs
        .interaction_values_for(&background, 0)
        .expect("right width");
    for (matrix, score) in sums.axis_iter(Axis(0)).zip(scores.column(0)) {
        assert!((matrix.sum() + pairs.expected_value()[0] - score).abs() < 1e-9);
    }
    c.bench_function("shap/interactions/1000x30x30", |b| {
        b.iter(|| pairs.interaction_values(black_box(&background)))
    });
}

criterion_group!(benches, shap);
criterion_main!(benches);
