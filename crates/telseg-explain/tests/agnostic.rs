//! Attributions of closures: against the definition, against shap's KernelExplainer on its own coalitions (shap 0.51; file
//! and script in tests/golden), and against the exact values of trees.
//!
//! Tolerance 1e-9 beside shap: both sides solve normal equations in f64, of differently reduced systems.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, array};
use serde_json::Value;
use telseg_core::{Result, Seed};
use telseg_explain::{
    Coalitions, KernelShap, LinearBackground, LinearShap, Pairing, PermutationShap, TreeShap,
    Unknown,
};

mod ensembles;

/// The function of tests/golden/make_kernel.py.
fn score(rows: &Array2<f32>) -> Result<Array1<f64>> {
    Ok(rows
        .outer_iter()
        .map(|row| {
            let x = row.mapv(f64::from);
            let step = if x[3] > 0.5 { 2.0 } else { 0.0 };
            x[0] * x[1] + x[2].sin() + step * x[4] * x[5] - x[6] * x[6]
                + 0.3 * x[7]
                + (-x[8] * x[8]).exp() * x[9]
        })
        .collect())
}

fn numbers(seed: u64, rows: usize, columns: usize) -> Array2<f32> {
    let draws = Seed::new(seed).stream("numbers");
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        (4.0 * draws.unit((i * columns + j) as u64) - 2.0) as f32
    })
}

/// Shapley's formula over all subsets.
fn by_definition(row: &Array1<f32>, background: &Array2<f32>, weights: &Array1<f64>) -> Vec<f64> {
    let n = row.len();
    let v = |set: usize| {
        let mut rows = background.clone();
        for j in (0..n).filter(|j| set >> j & 1 == 1) {
            rows.column_mut(j).fill(row[j]);
        }
        score(&rows).unwrap().dot(weights) / weights.sum()
    };
    let v: Vec<f64> = (0..1 << n).map(v).collect();
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    let weight = |size: usize| factorial(size) * factorial(n - size - 1) / factorial(n);
    (0..n)
        .map(|i| {
            let without = (0..1usize << n).filter(|s| s >> i & 1 == 0);
            without
                .map(|s| weight(s.count_ones() as usize) * (v[s | 1 << i] - v[s]))
                .sum()
        })
        .collect()
}

#[test]
fn all_coalitions_equal_the_definition() {
    let (background, x) = (numbers(1, 5, 10), numbers(2, 3, 10));
    let weights = array![1.0, 0.5, 2.0, 0.0, 1.5];
    let params = KernelShap::params();
    let shap = params.fit_weighted(&background, &weights, score).unwrap();
    for (row, found) in x.outer_iter().zip(shap.explain(&x).unwrap()) {
        let exact = by_definition(&row.to_owned(), &background, &weights);
        for (found, exact) in found.values.iter().zip(&exact) {
            assert!((found - exact).abs() < 1e-10, "{found} {exact}");
        }
        assert!((found.values.sum() - (found.score - found.expected)).abs() < 1e-12);
        assert!(found.std_errors.iter().all(|e| *e == 0.0));
        assert_eq!(found.n_coalitions, 1022);
    }
}

#[test]
fn coalitions_of_shap_give_the_values_of_shap() {
    let golden: Value = serde_json::from_str(include_str!("golden/kernel.json")).unwrap();
    let list = |v: &Value| -> Vec<f64> {
        let cells = v.as_array().unwrap().iter();
        cells.map(|c| c.as_f64().unwrap()).collect()
    };
    let rows = |v: &Value| {
        let rows: Vec<Vec<f64>> = v.as_array().unwrap().iter().map(list).collect();
        Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
    };
    let background = rows(&golden["background"]).mapv(|v| v as f32);
    let shap = KernelShap::params().fit(&background, score).unwrap();
    assert!((shap.expected_value() - golden["expected"].as_f64().unwrap()).abs() < 1e-12);
    for case in golden["cases"].as_array().unwrap() {
        let row = Array1::from(list(&case["row"])).mapv(|v| v as f32);
        let known = rows(&case["known"]).iter().map(|k| *k == 1.0).collect();
        let coalitions = Coalitions::given(10, known, &list(&case["weights"])).unwrap();
        let found = shap.explain_row_by(&row, &coalitions).unwrap();
        for (found, golden) in found.values.iter().zip(list(&case["values"])) {
            assert!((found - golden).abs() < 1e-9, "{found} {golden}");
        }
        assert!(found.std_errors.iter().all(|e| e.is_nan()));
    }
}

#[test]
fn standard_errors_say_how_far_off_the_values_are() {
    let (background, row) = (numbers(3, 4, 10), numbers(4, 1, 10).row(0).to_owned());
    let exact = by_definition(&row, &background, &Array1::ones(4));
    // Values further off than two standard errors: 4.6 % of them where errors are normal.
    let mut far = [0, 0, 0];
    let runs = 120;
    let mut spread = [0.0, 0.0];
    for seed in 0..runs {
        let kernel = |pairing| {
            let params = KernelShap::params()
                .with_n_coalitions(140)
                .with_pairing(pairing);
            let shap = params.with_seed(seed).fit(&background, score).unwrap();
            shap.explain_row(&row).unwrap()
        };
        let permutations = PermutationShap::params().with_n_orders(30).with_seed(seed);
        let permutations = permutations.fit(&background, score).unwrap();
        let found = [
            kernel(Pairing::Opposites),
            kernel(Pairing::Alone),
            permutations.explain_row(&row).unwrap(),
        ];
        for (far, found) in far.iter_mut().zip(&found) {
            assert!((found.values.sum() - (found.score - found.expected)).abs() < 1e-12);
            let off = found.values.iter().zip(&exact).zip(&found.std_errors);
            *far += off
                .filter(|((v, e), se)| (*v - *e).abs() > 2.0 * **se + 1e-12)
                .count();
        }
        for (spread, found) in spread.iter_mut().zip(&found) {
            let off = found.values.iter().zip(&exact);
            *spread += off.map(|(v, e)| (v - e).powi(2)).sum::<f64>();
        }
    }
    let many = (10 * runs) as f64;
    let shares = far.map(|far| f64::from(far as u32) / many);
    assert!(
        shares.iter().all(|s| (0.005..0.12).contains(s)),
        "{shares:?}"
    );
    assert!(
        spread[0] < spread[1],
        "opposite pairs are steadier: {spread:?}"
    );
}

#[test]
fn trees_get_their_exact_values() {
    let (model, background, x) = (
        ensembles::ensemble(3, 8, 30, 1, false),
        ensembles::rows(1, 6, 8),
        ensembles::rows(2, 4, 8),
    );
    let exact = TreeShap::params()
        .fit(&model, Unknown::Rows(&background))
        .unwrap();
    let exact = exact.shap_values_for(&x, 0).unwrap();
    let score = |rows: &Array2<f32>| Ok(model.predict(rows)?.column(0).to_owned());
    let kernel = KernelShap::params().fit(&background, score).unwrap();
    for (exact, found) in exact.outer_iter().zip(kernel.explain(&x).unwrap()) {
        let off = &found.values - &exact;
        assert!(off.iter().all(|o| o.abs() < 1e-10), "{off}");
    }
}

#[test]
fn an_order_and_its_reverse_are_exact_for_pairs() {
    let pairs = |rows: &Array2<f32>| {
        Ok(rows
            .outer_iter()
            .map(|r| {
                f64::from(r[0]) * f64::from(r[1]) - f64::from(r[2]) * f64::from(r[3])
                    + f64::from(r[2])
            })
            .collect())
    };
    let background = array![[0.0f32, 0.0, 0.0, 0.0]];
    let shap = PermutationShap::params().with_n_orders(1).with_seed(9);
    let found = shap.fit(&background, pairs).unwrap();
    let found = found.explain_row(&array![2.0f32, 3.0, 4.0, 5.0]).unwrap();
    let exact = [3.0, 3.0, 4.0 - 10.0, -10.0];
    assert!(
        found
            .values
            .iter()
            .zip(exact)
            .all(|(f, e)| (f - e).abs() < 1e-12),
        "{found:?}"
    );
}

#[test]
fn groups_play_as_one() {
    let (background, row) = (numbers(5, 6, 10), numbers(6, 1, 10).row(0).to_owned());
    let groups = vec![vec![3, 4, 5], vec![0, 1], vec![2], vec![6, 7, 8, 9]];
    let kernel = KernelShap::params().with_groups(groups.clone());
    let kernel = kernel
        .fit(&background, score)
        .unwrap()
        .explain_row(&row)
        .unwrap();
    assert_eq!(kernel.values.len(), 4);
    // The function has no effects across these groups: a group gets what its columns get.
    let alone = by_definition(&row, &background, &Array1::ones(6));
    for (found, group) in kernel.values.iter().zip(&groups) {
        let exact: f64 = group.iter().map(|&c| alone[c]).sum();
        assert!((found - exact).abs() < 1e-10);
    }
    let permutations = PermutationShap::params().with_groups(groups);
    let found = permutations
        .fit(&background, score)
        .unwrap()
        .explain_row(&row)
        .unwrap();
    assert!(
        (&found.values - &kernel.values)
            .iter()
            .all(|o| o.abs() < 1e-10)
    );
    let one = KernelShap::params().with_groups(vec![(0..10).collect()]);
    let one = one
        .fit(&background, score)
        .unwrap()
        .explain_row(&row)
        .unwrap();
    assert_eq!(one.values[0], one.score - one.expected);
}

#[test]
fn the_strongest_are_kept_and_still_sum_up() {
    let (background, row) = (numbers(7, 6, 10), numbers(8, 1, 10).row(0).to_owned());
    let all = KernelShap::params()
        .fit(&background, score)
        .unwrap()
        .explain_row(&row)
        .unwrap();
    let few = KernelShap::params()
        .with_n_kept(3)
        .fit(&background, score)
        .unwrap();
    let few = few.explain_row(&row).unwrap();
    let kept: Vec<usize> = (0..10).filter(|&j| few.values[j] != 0.0).collect();
    assert_eq!(kept.len(), 3);
    let weakest = kept
        .iter()
        .map(|&j| all.values[j].abs())
        .fold(f64::INFINITY, f64::min);
    assert!((0..10).all(|j| kept.contains(&j) || all.values[j].abs() <= weakest));
    assert!((few.values.sum() - (few.score - few.expected)).abs() < 1e-12);
}

#[test]
fn linear_models_are_exact() {
    let (background, x) = (numbers(9, 40, 6), numbers(10, 5, 6));
    let c = array![1.0, -2.0, 0.5, 0.0, 3.0, 0.25];
    let linear = |rows: &Array2<f32>| Ok(rows.mapv(f64::from).dot(&c) + 0.7);
    let kernel = KernelShap::params().fit(&background, linear).unwrap();
    let exact = LinearShap::params()
        .fit(&c, 0.7, &background, None)
        .unwrap();
    assert!((exact.expected_value() - kernel.expected_value()).abs() < 1e-12);
    let values = exact.shap_values(&x).unwrap();
    for (row, found) in values.outer_iter().zip(kernel.explain(&x).unwrap()) {
        assert!((&found.values - &row).iter().all(|o| o.abs() < 1e-10));
    }
}

#[test]
fn correlated_columns_share_as_the_definition_says() {
    // Two columns of variance 1 and covariance r, the model is the first alone: v(none) = 0, v(1) = x1, v(2) = r x2,
    // v(both) = x1. So phi_1 = x1 - r x2 / 2 and phi_2 = r x2 / 2 (means are 0).
    let background = array![
        [1.0f32, 1.0],
        [-1.0, -1.0],
        [1.0, 1.0],
        [-1.0, -1.0],
        [1.0, -1.0],
        [-1.0, 1.0]
    ];
    let r = (4.0 - 2.0) / 6.0;
    let params = LinearShap::params().with_background(LinearBackground::Correlated);
    let shap = params
        .with_shrinkage(0.0)
        .fit(&array![1.0, 0.0], 0.0, &background, None)
        .unwrap();
    let found = shap.shap_values(&array![[0.5f32, 2.0]]).unwrap();
    assert!((found[[0, 0]] - (0.5 - r)).abs() < 1e-12, "{found}");
    assert!((found[[0, 1]] - r).abs() < 1e-12, "{found}");
    // A constant column gets nothing, and takes nothing.
    let wide = array![
        [1.0f32, 1.0, 7.0],
        [-1.0, -1.0, 7.0],
        [1.0, 1.0, 7.0],
        [-1.0, -1.0, 7.0],
        [1.0, -1.0, 7.0],
        [-1.0, 1.0, 7.0]
    ];
    let params = LinearShap::params().with_background(LinearBackground::Correlated);
    let shap = params
        .with_shrinkage(0.0)
        .fit(&array![1.0, 0.0, 5.0], 0.0, &wide, None)
        .unwrap();
    let wide = shap.shap_values(&array![[0.5f32, 2.0, 7.0]]).unwrap();
    assert!((wide[[0, 0]] - found[[0, 0]]).abs() < 1e-12 && wide[[0, 2]].abs() < 1e-12);
}

#[test]
fn what_does_not_fit_is_said() {
    let background = numbers(1, 3, 10);
    let refused = |params: telseg_explain::KernelShapParams| {
        let fitted = params.fit(&background, score);
        fitted.map(|_| ()).unwrap_err().to_string()
    };
    let params = KernelShap::params;
    assert_eq!(
        refused(params().with_n_coalitions(1)),
        "n_coalitions: must be at least 2, found 1"
    );
    assert_eq!(
        refused(params().with_ridge(-1.0)),
        "ridge: must be finite and not negative, found -1"
    );
    assert_eq!(
        refused(params().with_n_kept(0)),
        "n_kept: must be at least 1, found 0"
    );
    assert_eq!(
        refused(params().with_groups(vec![vec![0], vec![1, 11]])),
        "groups: group 1 names column 11, there are 10"
    );
    assert_eq!(
        refused(params().with_groups(vec![vec![0], vec![0, 1]])),
        "groups: each column must be in one group, column 0 is in 2"
    );
    let empty = params()
        .fit(&Array2::zeros((0, 10)), score)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        empty.to_string(),
        "background: expected at least 1 row and 1 column, found 0 by 10"
    );
    let shap = params()
        .with_n_coalitions(4)
        .fit(&background, score)
        .unwrap();
    let few = shap
        .explain_row(&background.row(0))
        .unwrap_err()
        .to_string();
    assert!(few.contains("too few to tell 10 players apart"), "{few}");
    let narrow = shap.explain_row(&array![1.0f32]).unwrap_err().to_string();
    assert_eq!(
        narrow,
        "row: expected 10 columns (as the background), found 1"
    );
    let short = |_: &Array2<f32>| Ok(array![1.0]);
    let short = params().fit(&background, short).map(|_| ()).unwrap_err();
    assert_eq!(
        short.to_string(),
        "score: expected 3 numbers (one for each row), found 1"
    );
    let odd = |rows: &Array2<f32>| Ok(Array1::from_elem(rows.nrows(), f64::NAN));
    let odd = params().fit(&background, odd).map(|_| ()).unwrap_err();
    assert_eq!(
        odd.to_string(),
        "score: must answer with finite numbers, found NaN"
    );
    let hole = array![[1.0f32, f32::NAN]];
    let hole = LinearShap::params()
        .fit(&array![1.0, 1.0], 0.0, &hole, None)
        .unwrap_err();
    assert!(
        hole.to_string()
            .starts_with("background: expected a finite number, found NaN")
    );
}

#[test]
fn missing_values_reach_the_model() {
    let missing = |rows: &Array2<f32>| {
        Ok(rows
            .outer_iter()
            .map(|r| if r[0].is_nan() { 1.0 } else { 0.0 })
            .collect())
    };
    let shap = KernelShap::params()
        .fit(&array![[1.0f32, 2.0], [2.0, f32::NAN]], missing)
        .unwrap();
    let why = shap.explain_row(&array![f32::NAN, f32::NAN]).unwrap();
    assert!((why.values[0] - 1.0).abs() < 1e-12 && why.values[1].abs() < 1e-12);
}
