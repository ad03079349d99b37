//! Additive models: what must hold on any table, and what small tables give by hand.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, array, concatenate};
use proptest::prelude::*;
use telseg_core::Result;
use telseg_gbm::{Direction, Ebm, EbmParams, Edit, Objective, Pairs, Piece};
use telseg_testkit::{Facts, Subject, as_rows, conformance, table};

struct Additive(EbmParams);

impl Subject for Additive {
    type F = f32;
    type Model = Ebm;

    fn facts(&self) -> Facts {
        let facts = match self.0.objective {
            Objective::Binary => Facts::classifier(2),
            _ => Facts::regressor(),
        };
        facts.accepts_missing().rows_for_threads(9000)
    }

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f64>) -> Result<Ebm> {
        self.0.fit(x, &y.mapv(|v| v as f32))
    }

    fn predict(&self, model: &Ebm, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &Ebm, row: &ArrayRef1<f32>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(&row.to_vec()).map(|v| vec![v]))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let p = || self.0.clone();
        [
            ("max_rounds", p().with_max_rounds(0)),
            ("learning_rate", p().with_learning_rate(f64::NAN)),
            ("max_leaves", p().with_max_leaves(1)),
            ("min_rows_leaf", p().with_min_rows_leaf(0)),
            ("l2", p().with_l2(-1.0)),
            ("max_bins", p().with_max_bins(256)),
            ("max_pair_bins", p().with_max_pair_bins(65)),
            ("n_bags", p().with_n_bags(0)),
            ("validation_share", p().with_validation_share(0.6)),
            ("early_stopping", p().with_early_stopping(0)),
            ("cat_smooth", p().with_cat_smooth(f64::INFINITY)),
            ("categorical", p().with_categorical([1, 1])),
            ("pairs", p().with_pairs(Pairs::Listed(vec![(0, 1), (1, 0)]))),
            ("pairs", p().with_pairs(Pairs::Listed(vec![(2, 2)]))),
        ]
        .map(|(name, params)| (name, Self(params)))
        .into()
    }
}

/// Quick, so that the suite is: few bags and rounds.
fn params(objective: Objective) -> EbmParams {
    Ebm::params(objective)
        .with_n_bags(3)
        .with_max_rounds(15)
        .with_learning_rate(0.2)
}

conformance!(
    binary,
    Additive(params(Objective::Binary).with_pairs(Pairs::Count(2)))
);
conformance!(
    squared_error,
    Additive(params(Objective::SquaredError).with_pairs(Pairs::Listed(vec![(3, 1)])))
);

#[test]
fn one_step_of_one_bag_is_a_newton_step() {
    // 20 rows, values 0 and 1 in turn, targets 2 and 6, mean 4: whatever is held out (10 of 20, class-blind), a piece of a
    // value has residual +-2, so that a step at rate 0.5 with l2 = 0 is +-1 and the second halves what is left.
    let x = Array2::from_shape_fn((20, 1), |(i, _)| (i % 2) as f32);
    let y = Array1::from_shape_fn(20, |i| if i % 2 == 0 { 2.0 } else { 6.0 });
    let one = Ebm::params(Objective::SquaredError)
        .with_n_bags(1)
        .with_l2(0.0)
        .with_min_rows_leaf(1)
        .with_validation_share(0.5)
        .with_learning_rate(0.5)
        .with_pairs(Pairs::Count(0));
    let value = |rounds: usize| {
        let model = one.clone().with_max_rounds(rounds).fit(&x, &y).unwrap();
        (
            model.predict_row(&[0.0]).unwrap(),
            model.predict_row(&[1.0]).unwrap(),
        )
    };
    assert_eq!(value(1), (3.0, 5.0));
    assert_eq!(value(2), (2.5, 5.5));
    let model = one.with_max_rounds(2).fit(&x, &y).unwrap();
    assert_eq!(model.intercept(), 4.0);
    let curve = model.curve(0).unwrap();
    assert_eq!(
        curve.points[1].piece,
        Piece::Range {
            above: f32::NEG_INFINITY,
            at_most: 0.5
        }
    );
    assert_eq!((curve.points[1].value, curve.points[2].value), (-1.5, 1.5));
    assert_eq!(
        (curve.points[0].weight, curve.points[1].weight),
        (0.0, 10.0)
    );
    assert_eq!(curve.points[1].standard_error, None);
    assert_eq!(model.importance(), [1.5]);
}

#[test]
fn a_product_becomes_a_pure_surface() {
    let data = table::<f32>(3000, 5, 3);
    // No main effects: the sign of the product of columns 1 and 3, plus a line in column 0.
    let y = Array1::from_shape_fn(3000, |i| {
        let v = |j: usize| data.x[(i, j)];
        v(0) + 2.0 * (v(1) * v(3)).signum()
    });
    let model = Ebm::params(Objective::SquaredError)
        .with_pairs(Pairs::Count(1))
        .fit(&data.x, &y)
        .unwrap();
    assert_eq!(model.terms().last().unwrap(), [1, 3]);
    let surface = model.surface([3, 1]).unwrap();
    assert_eq!(surface.features, [1, 3]);
    let importance = model.importance();
    assert!(importance[5] > 1.5 && importance[0] > 0.6, "{importance:?}");
    assert!(
        importance[1] < 0.2 * importance[5] && importance[3] < 0.2 * importance[5],
        "{importance:?}"
    );
    for side in [0, 1] {
        let sums = (&surface.values * &surface.weights).sum_axis(Axis(side));
        assert!(sums.iter().all(|s| s.abs() < 1e-6 * 3000.0), "{sums}");
    }
    // Groups cover the columns: missing, then ranges that meet.
    let groups = &surface.groups[0];
    assert_eq!(groups[0], [Piece::Missing]);
    assert!(matches!(
        groups[1][..],
        [Piece::Range {
            above: f32::NEG_INFINITY,
            ..
        }]
    ));
    let p = model.predict(&data.x).unwrap();
    let mse = p
        .iter()
        .zip(&y)
        .map(|(p, y)| (p - f64::from(*y)).powi(2))
        .sum::<f64>()
        / 3000.0;
    assert!(mse < 0.15, "{mse}");
}

#[test]
fn missing_values_and_levels_have_places_of_their_own() {
    let nan = f32::NAN;
    // Missing pays 9, levels 1 and 3 pay 5, level 2 pays 1.
    let x = Array2::from_shape_fn((800, 1), |(i, _)| [nan, 1.0, 2.0, 3.0][i % 4]);
    let y = Array1::from_shape_fn(800, |i| [9.0, 5.0, 1.0, 5.0][i % 4]);
    for categorical in [vec![], vec![0]] {
        let model = Ebm::params(Objective::SquaredError)
            .with_categorical(categorical)
            .fit(&x, &y)
            .unwrap();
        for (value, expected) in [(nan, 9.0), (1.0, 5.0), (2.0, 1.0), (3.0, 5.0)] {
            let found = model.predict_row(&[value]).unwrap();
            assert!((found - expected).abs() < 0.1, "{value}: {found}");
        }
    }
    let levels = Ebm::params(Objective::SquaredError)
        .with_categorical([0])
        .fit(&x, &y)
        .unwrap();
    let curve = levels.curve(0).unwrap();
    assert_eq!(
        (curve.points[2].piece, curve.points[4].piece),
        (Piece::Level(2), Piece::OtherLevels)
    );
    // A level that was never seen adds what no training row says: nothing was learnt of it beyond its piece.
    assert_eq!(
        levels.predict_row(&[77.0]).unwrap(),
        levels.predict_row(&[2.5]).unwrap()
    );
}

#[test]
fn standard_errors_are_those_of_repeated_samples() {
    // The curve of a yes/no column is half the difference of two means: its standard error over samples of 400 rows with
    // noise of variance 1 is 1 / sqrt(400) = 0.05. The jackknife of 40 bags must find that to its own spread.
    let fit = |seed: u64| {
        let data = table::<f32>(400, 6, seed);
        let x = Array2::from_shape_fn((400, 1), |(i, _)| (i % 2) as f32);
        let y = Array1::from_shape_fn(400, |i| x[(i, 0)] + data.x[(i, 5)]);
        let params = Ebm::params(Objective::SquaredError)
            .with_n_bags(40)
            .with_l2(0.0);
        let point = params
            .with_learning_rate(0.3)
            .fit(&x, &y)
            .unwrap()
            .curve(0)
            .unwrap()
            .points[2];
        (
            point.value,
            point.standard_error.unwrap(),
            point.interval(1.96).unwrap(),
        )
    };
    let fits: Vec<_> = (0..40).map(fit).collect();
    let mean_error = fits.iter().map(|f| f.1).sum::<f64>() / 40.0;
    assert!((mean_error / 0.05 - 1.0).abs() < 0.2, "{mean_error}");
    let covered = fits
        .iter()
        .filter(|f| f.2[0] <= 0.5 && 0.5 <= f.2[1])
        .count();
    assert!(covered >= 34, "{covered} of 40");
}

#[test]
fn edits_do_what_they_say_and_are_kept() {
    let data = table::<f32>(600, 3, 5);
    let y = data.classes(2).mapv(|c| c as f32);
    let fitted = params(Objective::Binary)
        .with_pairs(Pairs::Listed(vec![(0, 2)]))
        .fit(&data.x, &y)
        .unwrap();
    let mut model = fitted.clone();
    model
        .edit(Edit::Clip {
            feature: 0,
            low: -0.2,
            high: 0.3,
        })
        .unwrap();
    assert!(
        model
            .curve(0)
            .unwrap()
            .points
            .iter()
            .all(|p| (-0.2..=0.3).contains(&p.value))
    );
    model
        .edit(Edit::Set {
            feature: 0,
            first: 1,
            last: 4,
            value: 0.25,
        })
        .unwrap();
    assert!(
        model.curve(0).unwrap().points[1..=4]
            .iter()
            .all(|p| p.value == 0.25)
    );
    model
        .edit(Edit::Monotone {
            feature: 1,
            direction: Direction::Decreasing,
        })
        .unwrap();
    let (before, after) = (fitted.curve(1).unwrap(), model.curve(1).unwrap());
    assert!(
        after.points[1..]
            .windows(2)
            .all(|w| w[0].value >= w[1].value)
    );
    let mean = |c: &telseg_gbm::Curve| c.points.iter().map(|p| p.value * p.weight).sum::<f64>();
    assert!((mean(&before) - mean(&after)).abs() < 1e-9);
    model
        .edit(Edit::Smooth {
            feature: 2,
            reach: 2,
        })
        .unwrap();
    let rough = |m: &Ebm| {
        m.curve(2).unwrap().points[1..]
            .windows(2)
            .map(|w| (w[0].value - w[1].value).powi(2))
            .sum::<f64>()
    };
    assert!(rough(&model) < rough(&fitted));
    model.edit(Edit::RemovePair { features: [2, 0] }).unwrap();
    model.edit(Edit::Remove { feature: 1 }).unwrap();
    assert_eq!((model.importance()[1], model.importance()[3]), (0.0, 0.0));
    assert_eq!(model.edits().len(), 6);
    let as_it_was = model.clone();
    let text = |m: &mut Ebm, e: Edit| m.edit(e).unwrap_err().to_string();
    assert_eq!(
        text(&mut model, Edit::Remove { feature: 3 }),
        "feature: column 3 of a table of 3 columns"
    );
    assert_eq!(
        text(&mut model, Edit::RemovePair { features: [0, 1] }),
        "features: columns 0 and 1 have no surface"
    );
    let endless = Edit::Set {
        feature: 0,
        first: 0,
        last: 0,
        value: f64::NAN,
    };
    assert_eq!(
        text(&mut model, endless),
        "value: must be finite, found NaN"
    );
    assert_eq!(model, as_it_was);
    let codes = Array2::from_shape_fn((600, 1), |(i, _)| (i % 5) as f32);
    let mut levels = params(Objective::Binary)
        .with_categorical([0])
        .fit(&codes, &y)
        .unwrap();
    let order = Edit::Monotone {
        feature: 0,
        direction: Direction::Increasing,
    };
    assert_eq!(
        text(&mut levels, order),
        "feature: column 0 holds levels, which have no order"
    );
}

#[test]
fn too_few_rows_to_judge_by_give_the_mean() {
    let model = Ebm::params(Objective::SquaredError)
        .fit(&array![[1.0f32], [2.0]], &array![3.0f32, 5.0])
        .unwrap();
    assert_eq!(model.predict_row(&[1.0]).unwrap(), 4.0);
    assert_eq!(model.report().rounds, 0);
    let error = Ebm::params(Objective::SquaredError)
        .with_pairs(Pairs::Listed(vec![(0, 5)]))
        .fit(&array![[1.0f32], [2.0]], &array![3.0f32, 5.0]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "pairs: column 5 of a table of 1 columns"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn explanations_sum_to_the_score(seed in 0u64..1000, binary in any::<bool>()) {
        let data = table::<f32>(300, 4, seed);
        let (objective, y) = if binary {
            (Objective::Binary, data.classes(2).mapv(|c| c as f32))
        } else {
            (Objective::SquaredError, data.y.mapv(|v| v as f32))
        };
        let model = params(objective).fit(&data.x, &y).unwrap();
        let (scores, parts) = (model.predict_raw(&data.x).unwrap(), model.explain(&data.x).unwrap());
        for (i, row) in data.x.rows().into_iter().enumerate() {
            let sum = parts.row(i).iter().fold(model.intercept(), |a, b| a + b);
            prop_assert_eq!(sum, scores[i]);
            prop_assert_eq!(parts.row(i).to_vec(), model.explain_row(&row.to_vec()).unwrap());
        }
    }

    #[test]
    fn a_weight_is_as_good_as_a_repeated_row(seed in 0u64..1000) {
        // Rows are held out one by one, so that repeats may lie on both sides: what is compared is the quality.
        let data = table::<f32>(400, 3, seed);
        let y = data.y.mapv(|v| v as f32);
        let weights = Array1::from_shape_fn(400, |i| (1 + i % 2) as f32);
        let odd: Vec<usize> = (0..400).filter(|i| i % 2 == 1).collect();
        let x2 = concatenate![Axis(0), data.x, data.x.select(Axis(0), &odd)];
        let y2 = concatenate![Axis(0), y, y.select(Axis(0), &odd)];
        let params = |o| params(o).with_n_bags(12).with_pairs(Pairs::Count(0));
        let weighted = params(Objective::SquaredError).fit_weighted(&data.x, &y, &weights).unwrap();
        let repeated = params(Objective::SquaredError).fit(&x2, &y2).unwrap();
        let weight = |m: &Ebm| m.curve(0).unwrap().points.iter().map(|p| p.weight).sum::<f64>();
        prop_assert_eq!(weight(&weighted), weight(&repeated));
        let mse = |m: &Ebm| m.predict(&x2).unwrap().iter().zip(&y2).map(|(p, y)| (p - f64::from(*y)).powi(2)).sum::<f64>();
        prop_assert!((mse(&weighted) / mse(&repeated) - 1.0).abs() < 0.15);
    }

    #[test]
    fn rows_of_weight_zero_are_absent(seed in 0u64..1000) {
        let data = table::<f32>(300, 3, seed);
        let mut y = data.y.mapv(|v| v as f32);
        let weights = Array1::from_shape_fn(300, |i| (i < 200) as u8 as f32);
        let first = params(Objective::SquaredError).fit_weighted(&data.x, &y, &weights).unwrap();
        y.iter_mut().skip(200).for_each(|v| *v = 1e6);
        let second = params(Objective::SquaredError).fit_weighted(&data.x, &y, &weights).unwrap();
        prop_assert_eq!(first, second);
    }
}
