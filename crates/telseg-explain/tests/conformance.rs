//! TreeSHAP under the suite that every estimator passes; its model is the ensemble that it explains.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_core::Result;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_explain::TreeShap;
use telseg_testkit::{Check, Facts, Subject, as_rows, conformance};

struct Explainer;

/// Two trees over as many columns as the rows have: the first asks the first column and the last, the second the last.
fn ensemble(n_columns: usize) -> Result<TreeEnsemble> {
    let leaf = |value: f64, cover: f64| Node::Leaf {
        value: vec![value],
        cover,
    };
    let ask =
        |feature: usize, threshold: f32, (left, right): (usize, usize), cover: f64| Node::Split {
            feature,
            rule: Rule::AtMost(threshold),
            missing: Side::Right,
            left,
            right,
            cover,
        };
    let last = n_columns.saturating_sub(1);
    let first = vec![
        ask(0, 0.1, (1, 2), 10.0),
        leaf(1.0, 4.0),
        ask(last, 0.3, (3, 4), 6.0),
        leaf(-2.0, 5.0),
        leaf(3.0, 1.0),
    ];
    let second = vec![
        ask(last, -0.2, (1, 2), 10.0),
        leaf(0.5, 7.0),
        leaf(-0.5, 3.0),
    ];
    let trees = [first, second].map(|nodes| Tree {
        nodes,
        output: Some(0),
    });
    TreeEnsemble::new(n_columns, vec![0.25], trees.to_vec())
}

impl Subject for Explainer {
    type F = f32;
    type Model = TreeEnsemble;

    fn facts(&self) -> Facts {
        Facts::transformer()
            .accepts_missing()
            .names("trees")
            .except(Check::BadParams, "it has no parameters")
    }

    fn fit(&self, x: &ArrayRef2<f32>, _: &ArrayRef1<f64>) -> Result<TreeEnsemble> {
        ensemble(x.ncols())
    }

    fn predict(&self, model: &TreeEnsemble, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        Ok(as_rows(TreeShap::new(model)?.shap_values(x)?))
    }

    fn predict_row(&self, model: &TreeEnsemble, row: &ArrayRef1<f32>) -> Option<Result<Vec<f64>>> {
        let mut out = vec![0.0; model.n_features()];
        let explained =
            TreeShap::new(model).and_then(|shap| shap.shap_row_into(&row.to_vec(), &mut out));
        Some(explained.map(|()| out))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        Vec::new()
    }
}

conformance!(tree_shap, Explainer);
