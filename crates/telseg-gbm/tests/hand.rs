//! Trees small enough to be worked out by hand.

use ndarray::{Array1, Array2, array};
use telseg_core::trees::{NodeView, RuleView, Side};
use telseg_gbm::{FitOptions, Gbm, GbmParams, Objective, Refit, Stop};

fn stump(objective: Objective) -> GbmParams {
    Gbm::params(objective)
        .with_n_trees(1)
        .with_max_leaves(2)
        .with_min_rows_leaf(1)
        .with_learning_rate(1.0)
}

/// Feature, threshold, missing side, left and right value of a model's first tree.
fn first_split(model: &Gbm) -> (usize, f32, Side, f64, f64) {
    let trees = model.trees();
    match trees.node(0, 0) {
        NodeView::Split {
            feature,
            rule: RuleView::AtMost(t),
            missing,
            left,
            right,
        } => {
            let value = |node| match trees.node(0, node) {
                NodeView::Leaf(v) => v[0],
                NodeView::Split { .. } => panic!("not a stump"),
            };
            (feature, t, missing, value(left), value(right))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn squared_error_splits_where_the_gain_is_largest() {
    // Mean of y = 3, gradients 3 - y = [2, 2, -2, -2] (hessian 1). Cutting 2|2 gains 4^2/2 + 4^2/2 - 0 = 16; 1|3 gains
    // 2^2/1 + 2^2/3 = 5.33. The values are -4/2 = -2 and 2.
    let x = array![[1.0f32, 0.0], [2.0, 0.0], [4.0, 0.0], [5.0, 0.0]];
    let y = array![1.0f32, 1.0, 5.0, 5.0];
    let model = stump(Objective::SquaredError).fit(&x, &y).unwrap();
    assert_eq!(model.trees().base(), [3.0]);
    assert_eq!(first_split(&model), (0, 3.0, Side::Left, -2.0, 2.0));
    assert!((model.importance().gain[0] - 16.0).abs() < 1e-4);
    assert_eq!(model.importance().splits, [1, 0]);
    assert_eq!(model.predict(&x).unwrap(), array![1.0, 1.0, 5.0, 5.0]);
    // With l2 = 2 the values shrink to 4/4; with l1 = 1 to 3/2; a gain of 16 is not above 16.1.
    let values = |p: GbmParams| first_split(&p.fit(&x, &y).unwrap()).4;
    assert_eq!(values(stump(Objective::SquaredError).with_l2(2.0)), 1.0);
    assert_eq!(values(stump(Objective::SquaredError).with_l1(1.0)), 1.5);
    let none = stump(Objective::SquaredError)
        .with_min_gain(16.1)
        .fit(&x, &y)
        .unwrap();
    assert_eq!(
        (none.trees().n_trees(), none.report().stop),
        (0, Stop::NoGain)
    );
    assert_eq!(none.predict(&x).unwrap(), array![3.0, 3.0, 3.0, 3.0]);
}

#[test]
fn logistic_leaves_are_newton_steps() {
    // p = 1/2, gradients 0.5 - y... g = [.5, .5, .5, -.5] with mean 1/4: p = .25, g = [.25, .25, .25, -.75],
    // h = .1875 each. Cut 3|1: left -.75/(3*.1875) = -4/3, right .75/.1875 = 4.
    let x = array![[1.0f32], [2.0], [3.0], [4.0]];
    let y = array![0.0f32, 0.0, 0.0, 1.0];
    let model = stump(Objective::Binary).fit(&x, &y).unwrap();
    let (_, threshold, _, left, right) = first_split(&model);
    assert_eq!(threshold, 3.5);
    assert!(
        (left + 4.0 / 3.0).abs() < 1e-6 && (right - 4.0).abs() < 1e-6,
        "{left} {right}"
    );
    assert!((model.trees().base()[0] - (1.0f64 / 3.0).ln()).abs() < 1e-12);
}

#[test]
fn missing_values_learn_their_side() {
    // Missing rows behave like the high ones, then like the low ones.
    let x = array![[1.0f32], [2.0], [8.0], [9.0], [f32::NAN], [f32::NAN]];
    let high = stump(Objective::SquaredError)
        .fit(&x, &array![0.0f32, 0.0, 6.0, 6.0, 6.0, 6.0])
        .unwrap();
    let (_, threshold, side, left, right) = first_split(&high);
    assert_eq!((threshold, side), (5.0, Side::Right));
    assert!((left + 4.0).abs() < 1e-9 && (right - 2.0).abs() < 1e-9);
    let low = stump(Objective::SquaredError)
        .fit(&x, &array![0.0f32, 0.0, 6.0, 6.0, 0.0, 0.0])
        .unwrap();
    assert_eq!(first_split(&low).2, Side::Left);
    // Missing alone differs: everything known goes left.
    let alone = stump(Objective::SquaredError)
        .fit(&x, &array![0.0f32, 0.0, 0.0, 0.0, 6.0, 6.0])
        .unwrap();
    assert_eq!(
        (first_split(&alone).1, first_split(&alone).2),
        (f32::INFINITY, Side::Right)
    );
    assert_eq!(
        alone.predict(&array![[f32::INFINITY], [f32::NAN]]).unwrap(),
        array![0.0, 6.0]
    );
}

#[test]
fn levels_are_split_by_subset() {
    // Eight levels of 50 rows; 1, 4 and 6 pay more. One question must part exactly these.
    let dear = [1, 4, 6];
    let x = Array2::from_shape_fn((400, 1), |(i, _)| (i % 8) as f32);
    let y = Array1::from_shape_fn(400, |i| {
        if dear.contains(&(i % 8)) {
            9.0
        } else {
            1.0 + (i % 8) as f32 * 0.01
        }
    });
    let model = stump(Objective::SquaredError)
        .with_categorical([0])
        .with_min_rows_group(1)
        .fit(&x, &y)
        .unwrap();
    let NodeView::Split {
        rule: RuleView::OneOf(bits),
        left,
        right,
        ..
    } = model.trees().node(0, 0)
    else {
        panic!("no subset")
    };
    assert_eq!(bits, [0b0101_0010]);
    assert_eq!(
        (model.trees().cover(left), model.trees().cover(right)),
        (150.0, 250.0)
    );
    // Mean 4.0211: the left gradient sum is -150 * 4.98, damped by cat_l2 = 10 over 150 rows.
    let mean = y.mean().unwrap() as f64;
    let NodeView::Leaf(value) = model.trees().node(0, left) else {
        panic!("no leaf")
    };
    assert!(
        (value[0] - 150.0 * (9.0 - mean) / 160.0).abs() < 1e-3,
        "{value:?}"
    );
    // Unknown levels go with the unnamed.
    assert_eq!(
        model.predict_row(&[77.0]).unwrap(),
        model.predict_row(&[0.0]).unwrap()
    );
}

#[test]
fn few_levels_are_split_one_against_the_rest() {
    let x = Array2::from_shape_fn((90, 1), |(i, _)| (i % 3) as f32);
    let y = Array1::from_shape_fn(90, |i| (i % 3 == 1) as u8 as f32);
    let model = stump(Objective::SquaredError)
        .with_categorical([0])
        .fit(&x, &y)
        .unwrap();
    let NodeView::Split {
        rule: RuleView::OneOf(bits),
        ..
    } = model.trees().node(0, 0)
    else {
        panic!("no set")
    };
    assert_eq!(bits, [0b010]);
    assert!((model.predict_row(&[1.0]).unwrap() - 1.0).abs() < 1e-6);
}

#[test]
fn early_stopping_keeps_the_best_round() {
    // Noise cannot be learnt: the first rounds are the best.
    let x = Array2::from_shape_fn((600, 3), |(i, j)| ((i * (7 * j + 31)) % 97) as f32);
    let y = Array1::from_shape_fn(600, |i| ((i * i * 7 + i / 3) % 5 < 2) as u8 as f32);
    let params = Gbm::params(Objective::Binary)
        .with_n_trees(300)
        .with_early_stopping(5)
        .with_validation_share(0.3);
    let model = params.fit(&x, &y).unwrap();
    let report = model.report();
    assert_eq!(report.stop, Stop::Early);
    let lowest = report
        .valid_loss
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    assert_eq!(
        report.valid_loss[report.best_iteration.unwrap() - 1],
        lowest
    );
    assert_eq!(
        (model.trees().n_trees(), report.n_trees),
        (
            report.best_iteration.unwrap(),
            report.best_iteration.unwrap()
        )
    );
    assert_eq!(report.valid_loss.len(), report.n_trees + 5);
    let again = params
        .clone()
        .with_refit(Refit::AllRows)
        .fit(&x, &y)
        .unwrap();
    assert_eq!(again.trees().n_trees(), report.n_trees);
    assert_eq!(again.trees().cover(0), 600.0);
    // A validation set of one's own: the trace is the loss of the model's own predictions.
    let options = FitOptions::default().with_validation(&x, &y);
    let own = Gbm::params(Objective::Binary)
        .with_n_trees(7)
        .fit_with(&x, &y, options)
        .unwrap();
    let p = own.predict(&x).unwrap();
    let loss = p
        .iter()
        .zip(&y)
        .map(|(p, y)| -(if *y > 0.5 { *p } else { 1.0 - p }).ln())
        .sum::<f64>()
        / 600.0;
    assert!((own.report().valid_loss[6] - loss).abs() < 1e-9);
    assert!((own.report().train_loss[6] - loss).abs() < 1e-9);
}

#[test]
fn odd_tables_work() {
    let one = Gbm::params(Objective::SquaredError)
        .fit(&array![[1.0f32, 2.0]], &array![5.0f32])
        .unwrap();
    assert_eq!(one.predict_row(&[9.0, 9.0]).unwrap(), 5.0);
    let n = 200;
    let x = Array2::from_shape_fn((n, 2), |(i, j)| if j == 0 { f32::NAN } else { i as f32 });
    let constant = Gbm::params(Objective::Binary)
        .fit(&x, &Array1::ones(n))
        .unwrap();
    assert!(constant.predict(&x).unwrap().iter().all(|&p| p > 0.999));
    let step = Array1::from_shape_fn(n, |i| (i >= 100) as u8 as f32);
    let model = Gbm::params(Objective::Binary).fit(&x, &step).unwrap();
    assert_eq!(model.importance().splits[0], 0);
    assert!(model.predict(&x).unwrap()[150] > 0.9);
    // More levels than bins: the rare ones share one.
    let x = Array2::from_shape_fn((5000, 1), |(i, _)| (i % 1700 * 500) as f32);
    let y = Array1::from_shape_fn(5000, |i| (i % 2) as f32);
    let many = Gbm::params(Objective::Binary)
        .with_categorical([0])
        .with_cat_smooth(1.0)
        .with_min_rows_group(1);
    let model = many.fit(&x, &y).unwrap();
    assert_eq!(model.report().n_bins, [255]);
}

#[test]
fn errors_are_sentences() {
    let (x, y) = (array![[1.0f32], [2.0]], array![0.0f32, 1.0]);
    let p = Gbm::params(Objective::Binary);
    let text = |r: telseg_core::Result<Gbm>| r.unwrap_err().to_string();
    assert_eq!(
        text(p.fit(&x, &array![0.0f32, 3.0])),
        "y: must be 0 or 1, found 3 in row 1"
    );
    assert_eq!(
        text(p.fit(&x, &array![0.0f32])),
        "y: expected 2 targets (as rows of x), found 1"
    );
    assert_eq!(
        text(p.fit_weighted(&x, &y, &array![1.0f32, -1.0])),
        "weights: must be 0 or more, found -1 in row 1"
    );
    assert_eq!(
        text(p.clone().with_early_stopping(3).fit(&x, &y)),
        "early_stopping: needs rows to judge by: give a validation set or set validation_share"
    );
    assert_eq!(
        text(p.with_categorical([4]).fit(&x, &y)),
        "categorical: column 4 of a table of 1 columns"
    );
}
