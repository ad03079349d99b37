//! Attributions equal those of shap 0.51 (files and script in tests/golden; LightGBM 4.7, scikit-learn).
//!
//! Tolerance 1e-10: both sides are f64, and their recursion divides where ours multiplies.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array2, Array3};
use serde_json::Value;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_explain::TreeShap;

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap_or(f64::NAN)
}

fn list(v: &Value) -> &Vec<Value> {
    v.as_array().unwrap()
}

fn tree(json: &Value, outputs: usize) -> Tree {
    let at = |key: &str, i: usize| &json[key][i];
    let node = |i: usize| {
        let cover = number(at("cover", i));
        if number(at("feature", i)) < 0.0 {
            let value = list(at("value", i)).iter().map(number).collect();
            return Node::Leaf { value, cover };
        }
        Node::Split {
            feature: number(at("feature", i)) as usize,
            rule: match at("levels", i).as_array() {
                Some(codes) => Rule::OneOf(codes.iter().map(|c| number(c) as u32).collect()),
                None => Rule::AtMost(number(at("threshold", i)) as f32),
            },
            missing: if number(at("missing_left", i)) == 1.0 {
                Side::Left
            } else {
                Side::Right
            },
            left: number(at("left", i)) as usize,
            right: number(at("right", i)) as usize,
            cover,
        }
    };
    Tree {
        nodes: (0..list(&json["feature"]).len()).map(node).collect(),
        output: (outputs == 1).then_some(0),
    }
}

fn agrees(text: &str) {
    let json: Value = serde_json::from_str(text).unwrap();
    let x = list(&json["x"]);
    let width = list(&x[0]).len();
    let x = Array2::from_shape_fn((x.len(), width), |(i, j)| number(&x[i][j]) as f32);
    let base: Vec<f64> = list(&json["base"]).iter().map(number).collect();
    let outputs = base.len();
    let trees = list(&json["trees"])
        .iter()
        .map(|t| tree(t, outputs))
        .collect();
    let model = TreeEnsemble::new(width, base, trees).unwrap();
    let shap = TreeShap::new(&model).unwrap();
    for (found, expected) in shap.expected_value().iter().zip(list(&json["expected"])) {
        assert!(
            (found - number(expected)).abs() < 1e-10,
            "{found} {expected}"
        );
    }
    let golden = Array3::from_shape_fn((x.nrows(), width, outputs), |(i, j, o)| {
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
fn lightgbm_with_missing_values_and_categorical_splits() {
    agrees(include_str!("golden/lightgbm.json"));
}

#[test]
fn forest_with_vector_leaves() {
    agrees(include_str!("golden/forest.json"));
}
