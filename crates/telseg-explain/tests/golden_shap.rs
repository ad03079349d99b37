//! Attributions equal those of shap 0.51 (files and script in tests/golden; LightGBM 4.7, scikit-learn).
//!
//! Tolerance 1e-10: both sides are f64, and their recursion divides where ours multiplies.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::Array3;
use serde_json::Value;
use telseg_explain::{TreeShap, Unknown};

#[path = "ensembles/json.rs"]
mod golden;
use golden::{ensemble, list, number, rows};

fn agrees(text: &str) {
    let json: Value = serde_json::from_str(text).unwrap();
    let (x, model) = (rows(&json, "x"), ensemble(&json));
    let outputs = model.n_outputs();
    let shap = TreeShap::new(&model).unwrap();
    for (found, expected) in shap.expected_value().iter().zip(list(&json["expected"])) {
        assert!(
            (found - number(expected)).abs() < 1e-10,
            "{found} {expected}"
        );
    }
    let golden = Array3::from_shape_fn((x.nrows(), x.ncols(), outputs), |(i, j, o)| {
        number(&json["shap"][i][j][o])
    });
    let values = shap.shap_values(&x).unwrap();
    assert!(golden.iter().any(|g| g.abs() > 0.1));
    for ((at, found), expected) in values.indexed_iter().zip(&golden) {
        assert!(
            (found - expected).abs() < 1e-10,
            "{at:?}: {found} {expected}"
        );
    }
}

#[test]
fn background_rows_and_interactions() {
    let json: Value = serde_json::from_str(include_str!("golden/games.json")).unwrap();
    let (x, background, model) = (rows(&json, "x"), rows(&json, "background"), ensemble(&json));
    let params = TreeShap::params();
    let against = params.fit(&model, Unknown::Rows(&background)).unwrap();
    let pairs = params.fit_interactions(&model, Unknown::Covers).unwrap();
    let close = |found: f64, golden: &Value, tolerance| (found - number(golden)).abs() < tolerance;
    assert!(close(
        against.expected_value()[0],
        &json["expected"][0],
        1e-10
    ));
    // shap's interventional values are good for some 8 digits: those of the definition (tests/shap_games.rs) are ours to
    // 1e-11.
    for ((i, j), &found) in against.shap_values_for(&x, 0).unwrap().indexed_iter() {
        let golden = &json["shap"][i][j];
        assert!(
            close(found, golden, 1e-7),
            "row {i} feature {j}: {found} {golden}"
        );
    }
    for ((i, j, k), &found) in pairs.interaction_values_for(&x, 0).unwrap().indexed_iter() {
        let golden = &json["interactions"][i][j][k];
        assert!(
            close(found, golden, 1e-10),
            "row {i} pair {j} {k}: {found} {golden}"
        );
    }
}

#[test]
fn lightgbm_with_missing_values_and_categorical_splits() {
    agrees(include_str!("golden/lightgbm.json"));
}

#[test]
fn forest_with_vector_leaves() {
    agrees(include_str!("golden/forest.json"));
}
