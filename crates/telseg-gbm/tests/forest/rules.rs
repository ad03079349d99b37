//! What a forest promises besides predictions.

use ndarray::{Array1, Array2, Axis, concatenate, s};
use telseg_core::Seed;
use telseg_core::trees::TreeEnsemble;
use telseg_gbm::forest::{Cutting, Forest, Sampling, Task};
use telseg_gbm::interop::{TreeModel, lightgbm};

const TWO: Task = Task::Classification { n_classes: 2 };

/// Four columns, the second of levels; the class hangs on the first two, the third is noise, the fourth a copy of the first.
fn data(n: usize) -> (Array2<f32>, Array1<f32>) {
    let draws = Seed::new(4).stream("rows");
    let unit = |i: usize, j: usize| draws.unit((i * 4 + j) as u64) as f32;
    let x = Array2::from_shape_fn((n, 4), |(i, j)| match j {
        1 => (unit(i, 1) * 12.0).floor(),
        3 => unit(i, 0) + 0.3 * unit(i, 3),
        _ if unit(i, 3) < 0.05 => f32::NAN,
        _ => unit(i, j),
    });
    let class = |i: usize| {
        let odd = (unit(i, 1) * 12.0).floor() % 3.0 == 0.0;
        f32::from(u8::from((unit(i, 0) > 0.6) != odd))
    };
    (x.clone(), Array1::from_shape_fn(n, class))
}

#[test]
fn out_of_bag_rows_are_judged_by_the_trees_that_have_not_seen_them() {
    let (x, y) = data(500);
    let params = Forest::params(TWO)
        .with_n_trees(1)
        .with_sampling(Sampling::Share(0.7));
    let (forest, out) = params.fit_out_of_bag(&x, &y).unwrap();
    let said = forest.predict_proba(&x).unwrap();
    let judged: Vec<usize> = (0..500).filter(|&i| !out[(i, 0)].is_nan()).collect();
    assert_eq!(judged.len(), 150);
    assert!(judged.iter().all(|&i| out[(i, 0)] == said[(i, 1)]));
    let wrong = judged
        .iter()
        .filter(|&&i| f32::from(u8::from(out[(i, 0)] > 0.5)) != y[i])
        .count();
    assert_eq!(forest.report().out_of_bag_error, Some(wrong as f64 / 150.0));
    // Bootstraps leave out 1/e of the rows a tree: with 60 trees every row is left out by some.
    let (forest, out) = Forest::params(TWO)
        .with_n_trees(60)
        .fit_out_of_bag(&x, &y)
        .unwrap();
    assert!(out.iter().all(|p| (0.0..=1.0).contains(p)));
    let error = forest.report().out_of_bag_error.unwrap();
    assert!(error > 0.0 && error < 0.15, "{error}");
    let all = Forest::params(TWO)
        .with_n_trees(2)
        .with_sampling(Sampling::All);
    assert_eq!(all.fit(&x, &y).unwrap().report().out_of_bag_error, None);
}

#[test]
fn both_importances_find_the_columns_that_matter() {
    let (x, y) = data(800);
    for cutting in [Cutting::Best, Cutting::Random] {
        let params = Forest::params(TWO)
            .with_categorical([1])
            .with_n_permutations(2);
        let params = params
            .with_n_trees(40)
            .with_cutting(cutting)
            .with_max_features(2);
        let forest = params.fit(&x, &y).unwrap();
        let report = forest.report();
        let shuffled = report.permutation.as_ref().unwrap();
        // Trees that end in pure leaves also ask noise: by gain it comes last, by shuffling far behind.
        let gain = &report.gain;
        assert!(gain[0] > gain[2] && gain[1] > gain[2], "{gain:?}");
        assert!(shuffled[0] > 2.0 * shuffled[2], "{shuffled:?}");
        assert!(
            shuffled[1] > 0.1 && shuffled[2].abs() < 0.05,
            "{shuffled:?}"
        );
    }
}

#[test]
fn a_weight_is_a_repeat_and_a_leaf_is_not_lighter_than_asked() {
    let (x, y) = data(200);
    let weights = Array1::from_shape_fn(200, |i| if i < 50 { 2.0f32 } else { 1.0 });
    let twice = concatenate![Axis(0), x, x.slice(s![..50, ..])];
    let both = concatenate![Axis(0), y, y.slice(s![..50])];
    for task in [TWO, Task::Regression] {
        let params = Forest::params(task)
            .with_sampling(Sampling::All)
            .with_n_trees(3);
        let params = params.with_min_weight_leaf(7.0).with_categorical([1]);
        let weighted = params.fit_weighted(&x, &y, &weights).unwrap();
        let repeated = params.fit(&twice, &both).unwrap();
        let gaps = weighted.trees().predict(&x).unwrap() - repeated.trees().predict(&x).unwrap();
        assert!(gaps.iter().all(|gap| gap.abs() < 1e-6));
        let trees: &TreeEnsemble = weighted.trees();
        assert!((0..trees.n_nodes()).all(|node| trees.cover(node) >= 7.0));
        assert!(trees.n_nodes() > 30);
    }
}

#[test]
fn proximity_is_the_share_of_common_leaves() {
    let (x, y) = data(60);
    let forest = Forest::params(TWO).with_n_trees(10).fit(&x, &y).unwrap();
    let near = forest.proximities(&x, &x).unwrap();
    assert_eq!(near, near.t());
    assert!(near.diag().iter().all(|p| *p == 1.0));
    let leaf = |tree: usize, i: usize| forest.trees().leaf(tree, &x.row(i).to_vec());
    let common = (0..10).filter(|&t| leaf(t, 3) == leaf(t, 17)).count();
    assert_eq!(near[(3, 17)], common as f64 / 10.0);
    let same: f64 = near
        .indexed_iter()
        .filter(|((i, j), _)| y[*i] == y[*j])
        .map(|(_, p)| p)
        .sum();
    assert!(same > 0.7 * near.sum());
}

#[test]
fn targets_and_depths_are_checked_and_kept() {
    let (x, y) = data(100);
    let three = Forest::params(Task::Classification { n_classes: 3 });
    let error = three.fit(&x, &y.mapv(|v| v * 3.0)).unwrap_err().to_string();
    assert!(
        error.starts_with("y: must be a class, 0 to 2, found 3 in row "),
        "{error}"
    );
    let error = Forest::params(Task::Regression)
        .fit(&x, &y.mapv(|_| f32::INFINITY))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "y: must be a finite number, found inf in row 0"
    );
    let stumps = three.with_max_depth(1).with_n_trees(5).fit(&x, &y).unwrap();
    assert!(stumps.trees().n_nodes() <= 15);
    // A class that no row has gets probability 0.
    assert!(
        stumps
            .predict_proba(&x)
            .unwrap()
            .column(2)
            .iter()
            .all(|p| *p == 0.0)
    );
    assert!(
        stumps
            .predict_proba(&x)
            .unwrap()
            .rows()
            .into_iter()
            .all(|p| (p.sum() - 1.0).abs() < 1e-12)
    );
}

#[test]
fn forests_leave_as_models_of_other_libraries() {
    let (x, y) = data(300);
    let forest = Forest::params(TWO)
        .with_n_trees(7)
        .with_categorical([1])
        .fit(&x, &y)
        .unwrap();
    let text = lightgbm::to_text(&TreeModel::from(&forest)).unwrap();
    let again = lightgbm::from_text(&text).unwrap().predict(&x).unwrap();
    assert_eq!(again.column(0), forest.predict_proba(&x).unwrap().column(1));
}
