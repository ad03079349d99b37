//! Single trees: pruning, held against scikit-learn's path (tests/golden/forest/make_trees.py), and rules as sentences.

use ndarray::{Array1, Array2, array};
use serde_json::Value;
use telseg_core::artefact;
use telseg_gbm::forest::{DecisionTree, Task};

use crate::golden::{numbers, rows};

#[test]
fn pruning_takes_the_way_of_scikit_learn() {
    let json: Value = serde_json::from_str(include_str!("../golden/forest/trees.json")).unwrap();
    let x = rows(&json["rows"]).mapv(|v| v as f32);
    let weights = numbers(&json["weights"]);
    for (task, target, path) in [
        (Task::Regression, "number", "path"),
        (
            Task::Classification { n_classes: 3 },
            "classes",
            "class_path",
        ),
    ] {
        let params = DecisionTree::params(task).with_min_weight_leaf(4.0);
        let y = numbers(&json[target]);
        let tree = params.fit_weighted(&x, &y, &weights).unwrap();
        let found = tree.pruning_path();
        let expected = json[path].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let alpha = expected[0].as_f64().unwrap();
            assert!((found.alpha - alpha).abs() < 1e-6, "{found:?} {expected}");
            assert_eq!(Some(found.n_leaves as u64), expected[1].as_u64());
            let pruned = tree.pruned(found.alpha * (1.0 + 1e-9)).unwrap();
            assert_eq!(pruned.n_leaves(), found.n_leaves);
        }
        let middle = found[found.len() / 2];
        let asked = params
            .with_alpha(middle.alpha * (1.0 + 1e-9))
            .fit_weighted(&x, &y, &weights)
            .unwrap();
        assert_eq!(asked.n_leaves(), middle.n_leaves);
        let (saved, _) =
            artefact::from_bytes::<DecisionTree>(&artefact::to_bytes(&asked, &[]).unwrap())
                .unwrap();
        assert_eq!(saved, asked);
    }
}

#[test]
fn a_cut_node_predicts_the_mean_of_its_rows() {
    let x = Array2::from_shape_fn((8, 1), |(i, _)| i as f32);
    let y = array![0.0f32, 0.0, 1.0, 1.0, 10.0, 10.0, 12.0, 12.0];
    let tree = DecisionTree::params(Task::Regression)
        .with_min_weight_leaf(1.0)
        .fit(&x, &y)
        .unwrap();
    assert_eq!(tree.n_leaves(), 4);
    // Sums of squares: 8 (0.25 + 0.25 ...) by hand: right 4 * 1 = 4, left 4 * 0.25 = 1; means over 8 rows 1/2 and 1/8.
    let alphas: Vec<f64> = tree.pruning_path().iter().map(|s| s.alpha).collect();
    for (found, expected) in alphas.iter().zip([0.0, 0.125, 0.5, 27.5625]) {
        assert!((found - expected).abs() < 1e-9, "{alphas:?}");
    }
    let two = tree.pruned(0.6).unwrap();
    let means = [0.5, 0.5, 0.5, 0.5, 11.0, 11.0, 11.0, 11.0];
    for (found, expected) in two.predict(&x).unwrap().iter().zip(means) {
        assert!((found - expected).abs() < 1e-6);
    }
    assert_eq!(
        tree.pruned(100.0).unwrap().rules(&["x"]).unwrap(),
        ["always: 5.7500 (8 of 8)"]
    );
    let error = tree.pruned(-1.0).unwrap_err();
    assert_eq!(error.to_string(), "alpha: must be 0 or more, found -1");
}

#[test]
fn rules_tell_bounds_levels_and_missing_values() {
    // Months with us (missing for some), plan; who is new, or has plan 2 or 5, leaves.
    let x = Array2::from_shape_fn((600, 2), |(i, j)| match j {
        0 if i % 10 == 3 => f32::NAN,
        0 => (i % 30) as f32,
        _ => (i / 30 % 7) as f32,
    });
    let y = Array1::from_shape_fn(600, |i| {
        let (months, plan) = (x[(i, 0)], x[(i, 1)]);
        f32::from(u8::from(
            months < 10.0 || (months.is_nan() && (plan == 2.0 || plan == 5.0)),
        ))
    });
    let params = DecisionTree::params(Task::Classification { n_classes: 2 }).with_categorical([1]);
    let rules = params
        .fit(&x, &y)
        .unwrap()
        .rules(&["months", "plan"])
        .unwrap();
    assert_eq!(rules.len(), 4, "{rules:#?}");
    let said = rules.join("\n");
    for part in [
        "months <= 9.5",
        "months > 9.5",
        "months is missing and plan in {2, 5}",
        "months is missing and plan not in {2, 5}",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let total: f64 = rules
        .iter()
        .map(|r| {
            r.rsplit('(')
                .next()
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
                .parse::<f64>()
                .unwrap()
        })
        .sum();
    assert_eq!(total, 600.0);
    let error = params.fit(&x, &y).unwrap().rules(&["months"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "names: expected 2 names (as columns), found 1"
    );
}
