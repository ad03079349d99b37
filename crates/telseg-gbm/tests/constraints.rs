//! What trees may not do, on random data.

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use telseg_core::Seed;
use telseg_core::trees::NodeView;
use telseg_gbm::{Gbm, GbmParams, Monotone, Objective};

/// Four columns with ties and gaps, and a target that goes up and down with all of them.
fn data(seed: u64, n: usize) -> (Array2<f32>, Array1<f32>) {
    let stream = Seed::new(seed).stream("test");
    let x = Array2::from_shape_fn((n, 4), |(i, j)| {
        let u = stream.unit((i * 4 + j) as u64);
        if j == 2 && u < 0.1 {
            f32::NAN
        } else {
            (u * 40.0).floor() as f32
        }
    });
    let noise = Seed::new(seed).stream("noise");
    let y = Array1::from_shape_fn(n, |i| {
        let v = |j: usize| if x[(i, j)].is_nan() { 20.0 } else { x[(i, j)] };
        let wave = (v(0) / 5.0).sin() * 2.0 + v(0) / 20.0 - (v(1) / 7.0).cos() * (v(2) / 20.0);
        wave + v(3) * v(0) / 400.0 + noise.unit(i as u64) as f32
    });
    (x, y)
}

/// Predictions along a column, at what each row says of the others.
#[allow(clippy::unwrap_used)] // a helper of tests
fn never_against(model: &Gbm, x: &Array2<f32>, column: usize, sign: f64) {
    for row in x.rows().into_iter().take(60) {
        let mut row = row.to_vec();
        let mut last = f64::NEG_INFINITY;
        for value in -1..=41 {
            row[column] = value as f32;
            let now = sign * model.predict_row(&row).unwrap();
            assert!(
                now >= last,
                "column {column} at {value}: {now} after {last}"
            );
            last = now;
        }
    }
}

fn params(objective: Objective) -> GbmParams {
    Gbm::params(objective)
        .with_n_trees(30)
        .with_learning_rate(0.3)
        .with_min_rows_leaf(3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn predictions_go_the_way_that_was_asked(seed in 0u64..1000, leaves in 2usize..40, l1 in 0.0f64..3.0) {
        let (x, y) = data(seed, 600);
        let (class, positive) = (y.mapv(|v| f32::from(u8::from(v > 1.0))), y.mapv(|v| v.abs() + 0.1));
        for (objective, y) in [
            (Objective::SquaredError, &y),
            (Objective::Binary, &class),
            (Objective::AbsoluteError, &y),
            (Objective::Poisson, &positive),
        ] {
            let params = params(objective)
                .with_max_leaves(leaves)
                .with_l1(l1)
                .with_monotone([(0, Monotone::Rising), (2, Monotone::Falling)]);
            let model = params.fit(&x, y).unwrap();
            never_against(&model, &x, 0, 1.0);
            never_against(&model, &x, 2, -1.0);
        }
    }
}

#[test]
fn a_limit_that_the_data_keeps_costs_little_and_one_that_it_breaks_much() {
    let (x, _) = data(3, 3000);
    let y = x.column(0).mapv(|v| v / 10.0);
    let error = |params: GbmParams| {
        let model = params.fit(&x, &y).unwrap();
        *model.report().train_loss.last().unwrap()
    };
    let free = error(params(Objective::SquaredError));
    let rising = params(Objective::SquaredError).with_monotone([(0, Monotone::Rising)]);
    let falling = params(Objective::SquaredError).with_monotone([(0, Monotone::Falling)]);
    assert!(error(rising) < free + 0.01);
    assert!(error(falling) > 0.3 * f64::from(y.var(0.0)));
}

#[test]
fn columns_that_must_stay_apart_never_meet_on_a_path() {
    let (x, y) = data(5, 2000);
    let sets = [vec![0, 1], vec![1, 2]];
    let params = params(Objective::SquaredError).with_interactions(sets.to_vec());
    let model = params.fit(&x, &y).unwrap();
    let trees = model.trees();
    let mut seen = std::collections::BTreeSet::new();
    for tree in 0..trees.n_trees() {
        let mut open = vec![(trees.tree_nodes(tree).start, Vec::new())];
        while let Some((node, asked)) = open.pop() {
            match trees.node(tree, node) {
                NodeView::Leaf(_) => {
                    let mut columns: Vec<usize> = asked;
                    columns.sort_unstable();
                    columns.dedup();
                    seen.insert(columns);
                }
                NodeView::Split {
                    feature,
                    left,
                    right,
                    ..
                } => {
                    let below = || asked.iter().copied().chain([feature]).collect::<Vec<_>>();
                    open.extend([(left, below()), (right, below())]);
                }
            }
        }
    }
    let kept = |path: &Vec<usize>| {
        path.len() == 1
            || sets
                .iter()
                .any(|set| path.iter().all(|column| set.contains(column)))
    };
    assert!(seen.iter().all(kept), "{seen:?}");
    assert!(
        seen.contains(&vec![0, 1]) && seen.contains(&vec![3]),
        "{seen:?}"
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let (x, y) = data(1, 50);
    let refuse = |p: GbmParams| p.fit(&x, &y).unwrap_err().to_string();
    let number = || params(Objective::SquaredError);
    let rising = |column| [(column, Monotone::Rising)];
    assert_eq!(
        refuse(number().with_monotone(rising(4))),
        "monotone: column 4 does not exist: x has 4"
    );
    assert_eq!(
        refuse(number().with_monotone([rising(1), rising(1)].concat())),
        "monotone: column 1 is named twice"
    );
    assert_eq!(
        refuse(number().with_monotone(rising(1)).with_categorical([1])),
        "monotone: column 1 holds level codes: they have no order"
    );
    assert_eq!(
        refuse(params(Objective::Softmax { n_classes: 2 }).with_monotone(rising(1))),
        "monotone: Softmax { n_classes: 2 } has several scores: which one is to rise?"
    );
    assert_eq!(
        refuse(number().with_interactions(vec![vec![0], vec![]])),
        "interactions: a set has no column"
    );
    assert_eq!(
        refuse(number().with_interactions(vec![vec![7, 1]])),
        "interactions: column 7 does not exist: x has 4"
    );
}
