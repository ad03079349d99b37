//! A tree of all rows and columns is scikit-learn's weighted CART (tests/golden/forest/make_trees.py), missing values
//! included.
//!
//! Tolerance 1e-6: targets less their mean are rounded to `f32` here.

use ndarray::{Array1, Array2};
use serde_json::Value;
use telseg_gbm::forest::{Forest, ForestParams, Sampling, Task};

pub(crate) fn numbers(json: &Value) -> Array1<f32> {
    let cells = json.as_array().unwrap().iter();
    cells
        .map(|v| v.as_f64().unwrap_or(f64::NAN) as f32)
        .collect()
}

pub(crate) fn rows(json: &Value) -> Array2<f64> {
    let rows: Vec<&Vec<Value>> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_array().unwrap())
        .collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| {
        rows[i][j].as_f64().unwrap_or(f64::NAN)
    })
}

fn one_tree(task: Task) -> ForestParams {
    Forest::params(task)
        .with_n_trees(1)
        .with_sampling(Sampling::All)
        .with_max_features(4)
        .with_min_weight_leaf(4.0)
}

#[test]
fn trees_are_those_of_scikit_learn() {
    let json: Value = serde_json::from_str(include_str!("../golden/forest/trees.json")).unwrap();
    let x = rows(&json["rows"]).mapv(|v| v as f32);
    let weights = numbers(&json["weights"]);
    let leaves = |forest: &Forest| forest.trees().n_nodes().div_ceil(2) as u64;

    let y = numbers(&json["number"]);
    let tree = one_tree(Task::Regression)
        .fit_weighted(&x, &y, &weights)
        .unwrap();
    assert_eq!(leaves(&tree), json["leaves"][0].as_u64().unwrap());
    for (found, expected) in tree
        .predict(&x)
        .unwrap()
        .iter()
        .zip(numbers(&json["predicted"]))
    {
        assert!(
            (found - f64::from(expected)).abs() < 1e-6,
            "{found} {expected}"
        );
    }

    let task = Task::Classification { n_classes: 3 };
    let tree = one_tree(task)
        .fit_weighted(&x, &numbers(&json["classes"]), &weights)
        .unwrap();
    assert_eq!(leaves(&tree), json["leaves"][1].as_u64().unwrap());
    let expected = rows(&json["probabilities"]);
    for (found, expected) in tree.predict_proba(&x).unwrap().iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}
