//! Trees and rows of the golden files.

use ndarray::Array2;
use serde_json::Value;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};

pub(crate) fn number(v: &Value) -> f64 {
    v.as_f64().unwrap_or(f64::NAN)
}

pub(crate) fn list(v: &Value) -> &Vec<Value> {
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

/// The rows under a name.
pub(crate) fn rows(json: &Value, name: &str) -> Array2<f32> {
    let x = list(&json[name]);
    Array2::from_shape_fn((x.len(), list(&x[0]).len()), |(i, j)| {
        number(&x[i][j]) as f32
    })
}

/// The ensemble of a golden file.
pub(crate) fn ensemble(json: &Value) -> TreeEnsemble {
    let base: Vec<f64> = list(&json["base"]).iter().map(number).collect();
    let trees = list(&json["trees"])
        .iter()
        .map(|t| tree(t, base.len()))
        .collect();
    TreeEnsemble::new(rows(json, "x").ncols(), base, trees).unwrap()
}
