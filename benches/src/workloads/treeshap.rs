//! Shapley values of given trees.

use std::time::Instant;

use ndarray::{Array1, Array2, s};
use serde::Deserialize;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_explain::{TreeShap, Unknown};

use crate::folder::{Clock, Folder, Result};

/// `model.json`: the trees as columns of nodes.
#[derive(Deserialize)]
struct Model {
    rule: String,
    base: f64,
    trees: Vec<Columns>,
}

#[derive(Deserialize)]
struct Columns {
    feature: Vec<i64>,
    threshold: Vec<f64>,
    left: Vec<i64>,
    right: Vec<i64>,
    missing_left: Vec<u8>,
    value: Vec<f64>,
    cover: Vec<f64>,
}

/// Path-dependent values of every row, the expected margin last.
pub(crate) fn treeshap(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, model) = read(folder)?;
    let shap = clock.fit(|| TreeShap::new(&model))?;
    values(folder, clock, &shap, &x)
}

/// Values of every row against the rows of `background`, the expected margin last.
pub(crate) fn background(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, model) = read(folder)?;
    let background: Array2<f32> = folder.read("background")?;
    let shap = clock.fit(|| TreeShap::params().fit(&model, Unknown::Rows(&background)))?;
    values(folder, clock, &shap, &x)
}

/// Path-dependent interactions of every row.
pub(crate) fn interactions(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, model) = read(folder)?;
    let pairs = clock.fit(|| TreeShap::params().fit_interactions(&model, Unknown::Covers))?;
    let matrices = clock.predict(|| pairs.interaction_values_for(&x, 0))?;
    folder.write("interactions", &matrices)
}

/// Path-dependent values of every row asked for on its own, and the seconds that each took.
///
/// The first `len(cold)` rows follow a walk through memory that leaves none of the explainer in the cache, the others
/// follow each other.
pub(crate) fn row(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, model) = read(folder)?;
    let cold: usize = folder.param("cold")?;
    let shap = clock.fit(|| TreeShap::new(&model))?;
    let mut walk = vec![0u64; 16 << 20];
    let mut seconds = Array1::zeros(x.nrows());
    let mut all = Array2::from_elem((x.nrows(), x.ncols() + 1), shap.expected_value()[0]);
    let mut out = vec![0.0; x.ncols()];
    for (i, row) in x.outer_iter().enumerate() {
        let row = row.to_vec();
        if i < cold {
            walk.iter_mut().for_each(|w| *w = w.wrapping_add(1));
            std::hint::black_box(&walk);
        }
        let start = Instant::now();
        clock.predict(|| shap.shap_row_into(&row, &mut out))?;
        seconds[i] = start.elapsed().as_secs_f64();
        all.slice_mut(s![i, ..x.ncols()])
            .assign(&Array1::from(out.clone()));
    }
    folder.write("seconds", &seconds)?;
    folder.write("shap", &all)
}

fn read(folder: &Folder) -> Result<(Array2<f32>, TreeEnsemble)> {
    let (x, model): (Array2<f32>, Model) = (folder.read("x")?, folder.json("model")?);
    let below = model.rule == "lt";
    let trees = model.trees.iter().map(|t| tree(t, below)).collect();
    let model = TreeEnsemble::new(x.ncols(), vec![model.base], trees)?;
    Ok((x, model))
}

fn values(folder: &Folder, clock: &mut Clock, shap: &TreeShap, x: &Array2<f32>) -> Result<()> {
    let values = clock.predict(|| shap.shap_values_for(x, 0))?;
    let mut all = Array2::from_elem((x.nrows(), x.ncols() + 1), shap.expected_value()[0]);
    all.slice_mut(s![.., ..x.ncols()]).assign(&values);
    folder.write("shap", &all)
}

fn tree(columns: &Columns, below: bool) -> Tree {
    let node = |i: usize| {
        let cover = columns.cover[i];
        let Ok(feature) = usize::try_from(columns.feature[i]) else {
            return Node::Leaf {
                value: vec![columns.value[i]],
                cover,
            };
        };
        Node::Split {
            feature,
            rule: Rule::AtMost(threshold(columns.threshold[i], below)),
            missing: if columns.missing_left[i] == 1 {
                Side::Left
            } else {
                Side::Right
            },
            left: columns.left[i] as usize,
            right: columns.right[i] as usize,
            cover,
        }
    };
    Tree {
        nodes: (0..columns.feature.len()).map(node).collect(),
        output: Some(0),
    }
}

/// The greatest `f32` that goes left. `x < t` is `x <=` the number before `t`, which that rule means in `f32`.
fn threshold(t: f64, below: bool) -> f32 {
    let nearest = t as f32;
    if below || f64::from(nearest) > t {
        nearest.next_down()
    } else {
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::threshold;

    /// The shortest decimal of an `f32` lies above it or below it; `x < t` must not let the number itself pass.
    #[test]
    fn a_value_at_its_threshold_goes_where_the_rule_says() {
        for value in [1.527_710_8_f32, 0.1, 0.3, 16.0, -2.7] {
            let text: f64 = value.to_string().parse().expect("a number");
            assert!(value > threshold(text, true), "{value} < {text}");
        }
        assert_eq!(threshold(16.0, false), 16.0);
        assert_eq!(threshold(0.1, false), 0.1_f32.next_down()); // the f32 nearest to 0.1 is above it
    }
}
