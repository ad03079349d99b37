//! LIME: stand-ins equal those of the lime package 0.2.0.1 on its own perturbations (file and script in tests/golden); rows
//! and texts nearby are what they should be.
//!
//! Tolerance 1e-9 beside lime: both solve the same regressions in f64, by sums about means here and by rows there.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, array};
use serde_json::Value;
use telseg_core::{Result, Seed};
use telseg_explain::{Bins, Lime, LimeText, LocalCondition, LocalModel, Selection};

fn list(v: &Value) -> Vec<f64> {
    v.as_array()
        .unwrap()
        .iter()
        .map(|c| c.as_f64().unwrap())
        .collect()
}

#[test]
fn perturbations_of_lime_give_the_stand_ins_of_lime() {
    let golden: Value = serde_json::from_str(include_str!("golden/lime.json")).unwrap();
    for (c, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let rows: Vec<Vec<f64>> = case["z"].as_array().unwrap().iter().map(list).collect();
        let z = Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j]);
        let (y, weights) = (
            Array1::from(list(&case["y"])),
            Array1::from(list(&case["weights"])),
        );
        for (name, selection) in [
            ("forward_selection", Selection::Forward),
            ("highest_weights", Selection::Strongest),
            ("lasso_path", Selection::Lasso),
            ("none", Selection::All),
        ] {
            let answer = &case["answers"][name];
            let params = LocalModel::params().with_selection(selection);
            let params = params.with_n_kept(case["n_kept"].as_u64().unwrap() as usize);
            let found = params.fit(&z, &y, &weights).unwrap();
            let close = |a: f64, b: &Value| (a - b.as_f64().unwrap()).abs() < 1e-9;
            assert!(
                close(found.intercept, &answer["intercept"]),
                "case {c}, {name}"
            );
            assert!(close(found.r2, &answer["r2"]), "case {c}, {name}");
            assert!(
                close(found.prediction, &answer["prediction"]),
                "case {c}, {name}"
            );
            let parts = answer["parts"].as_array().unwrap();
            assert_eq!(parts.len(), found.kept.len(), "case {c}, {name}");
            for part in parts {
                let feature = part[0].as_u64().unwrap() as usize;
                let at = found.kept.iter().position(|k| *k == feature);
                let at = at.unwrap_or_else(|| panic!("case {c}, {name}: {feature} of {found:?}"));
                assert!(close(found.weights[at], &part[1]), "case {c}, {name}");
            }
        }
    }
}

fn base() -> Array2<f32> {
    let draws = Seed::new(1).stream("base");
    Array2::from_shape_fn((500, 4), |(i, j)| {
        match (j, draws.unit((i * 4 + j) as u64)) {
            (3, u) => (3.0 * u).floor() as f32,
            (2, u) if u < 0.2 => f32::NAN,
            (_, u) => u as f32,
        }
    })
}

/// High where column 0 is in its lowest quarter, lower where column 2 is missing, a bit more for code 1 of column 3.
fn score(rows: &Array2<f32>) -> Result<Array1<f64>> {
    let of = |r: ndarray::ArrayView1<'_, f32>| {
        let mut score = 0.1;
        score += if r[0] < 0.25 { 0.6 } else { 0.0 };
        score -= if r[2].is_nan() { 0.3 } else { 0.0 };
        score + if r[3] == 1.0 { 0.05 } else { 0.0 }
    };
    Ok(rows.outer_iter().map(of).collect())
}

#[test]
fn what_the_model_asks_is_found() {
    let params = Lime::params().with_categorical(vec![3]).with_seed(3);
    let lime = params
        .with_local(LocalModel::params().with_n_kept(3))
        .fit(&base(), score)
        .unwrap();
    let why = lime
        .explain_row(&array![0.1f32, 0.5, f32::NAN, 1.0])
        .unwrap();
    let parts: Vec<(usize, f64)> = why.parts.iter().map(|p| (p.feature, p.weight)).collect();
    assert_eq!(parts.iter().map(|p| p.0).collect::<Vec<_>>(), [0, 2, 3]);
    for ((_, found), planted) in parts.iter().zip([0.6, -0.3, 0.05]) {
        assert!((found - planted).abs() < 0.04, "{found} {planted}");
    }
    assert!(matches!(
        why.parts[0].condition,
        LocalCondition::Within {
            above: None,
            at_most: Some(_)
        }
    ));
    assert_eq!(why.parts[1].condition, LocalCondition::Missing);
    assert_eq!(why.parts[2].condition, LocalCondition::Is(1.0));
    assert!(
        why.r2 > 0.9 && (why.local_prediction - why.score).abs() < 0.05,
        "{why:?}"
    );
    assert_eq!(
        why,
        lime.explain_row(&array![0.1f32, 0.5, f32::NAN, 1.0])
            .unwrap()
    );
}

#[test]
fn numbers_that_are_not_binned_get_slopes() {
    let slope = |rows: &Array2<f32>| {
        Ok(rows
            .outer_iter()
            .map(|r| 2.0 * f64::from(r[1]) - 1.0)
            .collect())
    };
    let base = base().slice(ndarray::s![.., ..2]).to_owned();
    let params = Lime::params()
        .with_bins(Bins::None)
        .with_local(LocalModel::params().with_ridge(1e-9));
    let why = params
        .fit(&base, slope)
        .unwrap()
        .explain_row(&array![0.5f32, 0.9])
        .unwrap();
    let deviation = base.column(1).mapv(f64::from).std(0.0);
    assert_eq!(why.parts[0].feature, 1);
    assert!(
        (why.parts[0].weight - 2.0 * deviation).abs() < 1e-6,
        "{why:?}"
    );
    assert!((why.r2 - 1.0).abs() < 1e-9 && (why.local_prediction - 0.8).abs() < 1e-6);
}

#[test]
fn draws_that_agree_are_called_stable() {
    let clear = Lime::params().with_local(LocalModel::params().with_n_kept(2));
    let clear = clear.with_n_samples(1000).fit(&base(), score).unwrap();
    let row = array![0.1f32, 0.5, f32::NAN, 0.0];
    let stable = clear.stability(&row, 6).unwrap();
    assert_eq!((stable.overlap, stable.n_runs), (1.0, 6));
    assert!(
        stable
            .features
            .iter()
            .all(|f| f.share == 1.0 && f.std_dev < 0.1)
    );
    // Of noise, other draws choose other columns.
    let noise = |rows: &Array2<f32>| {
        Ok(rows
            .outer_iter()
            .map(|r| f64::from((r[0] * 1e4).sin() + (r[1] * 1e4).sin()))
            .collect())
    };
    let unclear = Lime::params().with_local(LocalModel::params().with_n_kept(2));
    let unclear = unclear.with_n_samples(200).fit(&base(), noise).unwrap();
    assert!(unclear.stability(&row, 6).unwrap().overlap < 0.9);
}

#[test]
fn words_that_decide_are_found() {
    let angry = |texts: &[String]| {
        let score = |t: &String| {
            0.1 + if t.contains("cancel") { 0.6 } else { 0.0 }
                - if t.contains("thanks") { 0.3 } else { 0.0 }
        };
        Ok(texts.iter().map(score).collect())
    };
    let lime = LimeText::params()
        .with_n_samples(800)
        .with_local(LocalModel::params().with_n_kept(2));
    let lime = lime.fit(angry).unwrap();
    let text = "I cancel. Really, cancel the contract, thanks for nothing";
    let why = lime.explain(text).unwrap();
    assert_eq!(
        why.parts
            .iter()
            .map(|p| p.word.as_str())
            .collect::<Vec<_>>(),
        ["cancel", "thanks"]
    );
    assert!(
        (why.parts[0].weight - 0.6).abs() < 0.03 && (why.parts[1].weight + 0.3).abs() < 0.03,
        "{why:?}"
    );
    assert!((why.score - 0.4).abs() < 1e-12);
    assert_eq!(lime.stability(text, 4).unwrap().overlap, 1.0);
    assert_eq!(
        lime.explain("?!").unwrap_err().to_string(),
        "text: has no word"
    );
}

#[test]
fn what_does_not_fit_is_said() {
    let refused = |params: telseg_explain::LimeParams| {
        let fitted = params.fit(&base(), score);
        fitted.map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        refused(Lime::params().with_n_samples(1)),
        "n_samples: must be at least 2, found 1"
    );
    assert_eq!(
        refused(Lime::params().with_kernel_width(0.0)),
        "kernel_width: must be above 0 and finite, found 0"
    );
    assert_eq!(
        refused(Lime::params().with_categorical(vec![4])),
        "categorical: names column 4, there are 4"
    );
    let ridge = Lime::params().with_local(LocalModel::params().with_ridge(0.0));
    assert_eq!(refused(ridge), "ridge: must be above 0 and finite, found 0");
    let none = Lime::params().with_local(LocalModel::params().with_n_kept(0));
    assert_eq!(refused(none), "n_kept: must be at least 1, found 0");
    assert!(
        refused(Lime::params().with_bins(Bins::None))
            .contains("where nothing is binned, found NaN")
    );
    let empty = Lime::params()
        .fit(&Array2::zeros((0, 2)), score)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        empty.to_string(),
        "background: expected at least 1 row and 1 column, found 0 by 2"
    );
    let lime = Lime::params()
        .with_n_samples(50)
        .fit(&base(), score)
        .unwrap();
    assert_eq!(
        lime.explain_row(&array![1.0f32]).unwrap_err().to_string(),
        "row: expected 4 columns (as the background), found 1"
    );
    assert_eq!(
        lime.stability(&array![0.0f32, 0.0, 0.0, 0.0], 1)
            .unwrap_err()
            .to_string(),
        "n_runs: must be at least 2, found 1"
    );
}

#[test]
fn a_constant_model_leaves_nothing_to_explain() {
    let constant = |rows: &Array2<f32>| Ok(Array1::from_elem(rows.nrows(), 0.25));
    let lime = Lime::params()
        .with_n_samples(60)
        .fit(&base(), constant)
        .unwrap();
    let why = lime.explain_row(&array![0.1f32, 0.5, 0.2, 1.0]).unwrap();
    assert!(
        why.parts.iter().all(|p| p.weight == 0.0)
            && why.r2 == 1.0
            && (why.local_prediction - 0.25).abs() < 1e-12
    );
}
