//! Golden files, random ensembles and rows.

use ndarray::Array2;
use serde_json::Value;
use telseg_core::Seed;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_gbm::interop::{Link, TreeModel};

/// A golden file of the folder.
pub(crate) fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Rows of a golden file; `null` is NaN.
pub(crate) fn rows(json: &Value) -> Array2<f32> {
    let rows: Vec<&Vec<Value>> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_array().unwrap())
        .collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| {
        rows[i][j].as_f64().map_or(f32::NAN, |v| v as f32)
    })
}

/// Our predictions equal those of the golden file, all rows at once and row by row.
pub(crate) fn agrees(
    model: &TreeModel,
    x: &Array2<f32>,
    expected: &Value,
    tolerance: f64,
    name: &str,
) {
    let expected: Vec<f64> = expected
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    let found = model.predict(x).unwrap();
    assert_eq!(found.len(), expected.len(), "{name}");
    for (((i, k), found), expected) in found.indexed_iter().zip(&expected) {
        let close = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(
            close,
            "{name}, row {i} {}, output {k}: {found} {expected}",
            x.row(i)
        );
    }
    let mut one = vec![0.0; found.ncols()];
    for (row, found) in x.rows().into_iter().zip(found.rows()) {
        model.predict_row_into(&row.to_vec(), &mut one).unwrap();
        assert_eq!(found.to_vec(), one, "{name}");
    }
}

/// What the trees of a random model may ask.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Asks {
    Numbers,
    Everything,
}

/// Four columns: two of numbers, two of level codes. Thresholds are quarters, and "is it known?".
pub(crate) fn random_model(seed: u64, outputs: usize, link: Link, asks: Asks) -> TreeModel {
    let tree = |t: u64| {
        let draws = Seed::new(seed).stream("trees").child(t);
        let vector = outputs > 1 && t == 3;
        let width = if vector { outputs } else { 1 };
        let leaf = |at: u64| Node::Leaf {
            value: (0..width as u64)
                .map(|o| draws.unit(at * 7 + o + 90_000) - 0.4)
                .collect(),
            cover: (draws.unit(at + 50_000) * 9.0).round(),
        };
        let mut nodes = vec![leaf(0)];
        for s in 0..8 {
            let ends: Vec<usize> = (0..nodes.len())
                .filter(|&i| matches!(nodes[i], Node::Leaf { .. }))
                .collect();
            let place = ends[draws.bits(s * 5) as usize % ends.len()];
            let bits = draws.bits(s * 5 + 2);
            let feature = (draws.bits(s * 5 + 1) % 4) as usize;
            let threshold = (bits % 17) as f32 / 4.0 - 2.0;
            let rule = match (asks, feature, bits >> 30 & 7) {
                (Asks::Everything, 2.., _) => {
                    Rule::OneOf((0..70).filter(|c| bits >> (c % 20) & 1 == 1).collect())
                }
                (Asks::Everything, _, 0..3) => Rule::ZeroTurned(threshold),
                (_, _, 3) => Rule::AtMost(f32::INFINITY),
                _ => Rule::AtMost(threshold),
            };
            let at = nodes.len();
            nodes.extend([leaf(2 * s + 1), leaf(2 * s + 2)]);
            nodes[place] = Node::Split {
                feature,
                rule,
                missing: if bits >> 21 & 1 == 1 {
                    Side::Left
                } else {
                    Side::Right
                },
                left: at,
                right: at + 1,
                cover: 10.0,
            };
        }
        let output = (!vector).then_some(t as usize % outputs);
        Tree { nodes, output }
    };
    let base = (0..outputs).map(|o| 0.25 - o as f64 / 2.0).collect();
    let trees = TreeEnsemble::new(4, base, (0..4).map(tree).collect()).unwrap();
    TreeModel::new(trees, link).unwrap()
}

/// A named model for each link that all formats have, and for two more.
pub(crate) fn random_models(more: [Link; 2]) -> impl Iterator<Item = TreeModel> {
    let both = [
        (1, Link::Identity),
        (1, Link::Logistic { slope: 0.5 }),
        (3, Link::Softmax),
        (2, Link::Logistic { slope: 1.0 }),
        (2, Link::Identity),
        (1, Link::Exp),
        (1, more[0]),
        (1, more[1]),
    ];
    both.into_iter().zip(1..).map(|((outputs, link), seed)| {
        let model = random_model(seed, outputs, link, Asks::Everything);
        model
            .with_feature_names(["minutes", "days", "plan", "region"])
            .unwrap()
    })
}

/// Rows for the random models: numbers at and between thresholds, zeros, levels that no set names, missing cells.
pub(crate) fn random_rows(n: usize) -> Array2<f32> {
    let draws = Seed::new(9).stream("rows");
    Array2::from_shape_fn((n, 4), |(i, j)| {
        let bits = draws.bits((i * 4 + j) as u64);
        match (bits % 8, j) {
            (0, _) => f32::NAN,
            (1, 0 | 1) => [0.0, -0.0, 1e-30, -1e-30][(bits >> 8) as usize % 4],
            (_, 0 | 1) => (bits >> 8 & 31) as f32 / 8.0 - 2.0,
            (1, _) => 300.0,
            _ => (bits >> 8 & 63) as f32,
        }
    })
}
