//! Attributions against the definition: all subsets, each by Algorithm 1 of Lundberg et al. (2018).

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use telseg_core::Seed;
use telseg_core::trees::{Node, NodeView, Rule, Side, Tree, TreeEnsemble};
use telseg_explain::TreeShap;

/// EXPVALUE: the expected score when only the features in `known` are.
fn expected(e: &TreeEnsemble, row: &[f32], known: usize, output: usize) -> f64 {
    fn at(e: &TreeEnsemble, t: usize, node: usize, row: &[f32], known: usize, o: usize) -> f64 {
        match e.node(t, node) {
            NodeView::Leaf(v) => match e.tree_output(t) {
                Some(own) => {
                    if own == o {
                        v[0]
                    } else {
                        0.0
                    }
                }
                None => v[o],
            },
            NodeView::Split {
                feature,
                rule,
                missing,
                left,
                right,
            } => {
                let below = |child| at(e, t, child, row, known, o);
                if known >> feature & 1 == 1 {
                    let x = row[feature];
                    let goes = if x.is_nan() {
                        missing == Side::Left
                    } else {
                        rule.holds(x)
                    };
                    return below(if goes { left } else { right });
                }
                let (a, b) = (e.cover(left), e.cover(right));
                if a + b == 0.0 {
                    return 0.5 * (below(left) + below(right));
                }
                (a * below(left) + b * below(right)) / (a + b)
            }
        }
    }
    e.base()[output]
        + (0..e.n_trees())
            .map(|t| at(e, t, e.tree_nodes(t).start, row, known, output))
            .sum::<f64>()
}

/// Shapley's formula over all subsets.
fn brute(e: &TreeEnsemble, row: &[f32], output: usize) -> Vec<f64> {
    let n = e.n_features();
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    let v: Vec<f64> = (0..1 << n).map(|s| expected(e, row, s, output)).collect();
    (0..n)
        .map(|i| {
            (0..1usize << n)
                .filter(|s| s >> i & 1 == 0)
                .map(|s| {
                    let size = s.count_ones() as usize;
                    let weight = factorial(size) * factorial(n - size - 1) / factorial(n);
                    weight * (v[s | 1 << i] - v[s])
                })
                .sum()
        })
        .collect()
}

/// A random ensemble: numeric (even columns) and categorical splits, repeated features, missing ways, vector leaves,
/// children without cover. The last column is never asked.
fn ensemble(seed: u64, n: usize, splits: usize, outputs: usize, chain: bool) -> TreeEnsemble {
    let tree = |t: u64| {
        let draws = Seed::new(seed).stream("trees").child(t);
        let vector = outputs > 1 && t.is_multiple_of(2);
        let width = if vector { outputs } else { 1 };
        let leaf = |at: u64| Node::Leaf {
            value: (0..width as u64)
                .map(|o| draws.unit(at * 7 + o + 90_000) - 0.4)
                .collect(),
            cover: (draws.unit(at + 50_000) * 9.0 - 1.0).max(0.0).round(),
        };
        let mut nodes = vec![leaf(0)];
        for s in 0..splits as u64 {
            let ends: Vec<usize> = (0..nodes.len())
                .filter(|&i| matches!(nodes[i], Node::Leaf { .. }))
                .collect();
            let pick = if chain {
                ends.len() - 1
            } else {
                draws.bits(s * 5) as usize % ends.len()
            };
            let feature = (draws.bits(s * 5 + 1) % (n as u64 - 1)) as usize;
            let bits = draws.bits(s * 5 + 2);
            let cover = match &nodes[ends[pick]] {
                Node::Leaf { cover, .. } | Node::Split { cover, .. } => *cover,
            };
            let at = nodes.len();
            nodes.push(leaf(2 * s + 1));
            nodes.push(leaf(2 * s + 2));
            nodes[ends[pick]] = Node::Split {
                feature,
                rule: if feature.is_multiple_of(2) {
                    Rule::AtMost((bits % 10) as f32)
                } else {
                    Rule::OneOf((0..10).filter(|c| bits >> c & 1 == 1).collect())
                },
                missing: if bits >> 20 & 1 == 1 {
                    Side::Left
                } else {
                    Side::Right
                },
                left: at,
                right: at + 1,
                cover,
            };
        }
        Tree {
            nodes,
            output: (!vector).then_some(t as usize % outputs),
        }
    };
    TreeEnsemble::new(n, vec![0.25; outputs], (0..3).map(tree).collect()).unwrap()
}

fn rows(seed: u64, n_rows: usize, n: usize) -> Array2<f32> {
    let draws = Seed::new(seed).stream("rows");
    Array2::from_shape_fn((n_rows, n), |(i, j)| {
        match draws.bits((i * n + j) as u64) % 12 {
            11 => f32::NAN,
            v => v as f32,
        }
    })
}

fn check(e: &TreeEnsemble, x: &Array2<f32>) {
    let shap = TreeShap::new(e).unwrap();
    let values = shap.shap_values(x).unwrap();
    let scores = e.predict(x).unwrap();
    for (i, row) in x.outer_iter().enumerate() {
        let row = row.to_vec();
        let mut alone = vec![0.0; e.n_features() * e.n_outputs()];
        shap.shap_row_into(&row, &mut alone).unwrap();
        let own = values.index_axis(Axis(0), i);
        assert!(
            own.iter()
                .zip(&alone)
                .all(|(a, b)| a.to_bits() == b.to_bits()),
            "row {i}"
        );
        for o in 0..e.n_outputs() {
            let phi = own.column(o);
            for (j, (found, exact)) in phi.iter().zip(brute(e, &row, o)).enumerate() {
                assert!(
                    (found - exact).abs() < 1e-12,
                    "row {i} feature {j}: {found} {exact}"
                );
            }
            let none = expected(e, &row, 0, o);
            assert!((shap.expected_value()[o] - none).abs() < 1e-12);
            assert!((phi.sum() + none - scores[[i, o]]).abs() < 1e-10);
            assert_eq!(phi[e.n_features() - 1], 0.0, "a column that is never asked");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn equals_the_definition(
        seed: u64, n in 2usize..7, splits in 0usize..14, outputs in 1usize..4, chain: bool
    ) {
        check(&ensemble(seed, n, splits, outputs, chain), &rows(seed, 6, n));
    }
}

#[test]
fn deep_paths_equal_the_definition() {
    // Chains that ask 12 to 13 distinct features: beyond one table, three parts.
    for seed in 0..2 {
        check(&ensemble(seed, 14, 40, 1, true), &rows(seed, 1, 14));
    }
}

#[test]
fn very_deep_paths_add_up() {
    let (e, n) = (ensemble(5, 130, 150, 1, true), 130);
    let x = rows(5, 10, n);
    let shap = TreeShap::new(&e).unwrap();
    let values = shap.shap_values_for(&x, 0).unwrap();
    let scores = e.predict(&x).unwrap();
    let mut alone = vec![0.0; n];
    for (i, row) in values.outer_iter().enumerate() {
        assert!((row.sum() + shap.expected_value()[0] - scores[[i, 0]]).abs() < 1e-10);
        shap.shap_row_into(&x.row(i).to_vec(), &mut alone).unwrap();
        assert_eq!(row.to_vec(), alone);
    }
}

#[test]
fn features_that_play_the_same_part_get_the_same() {
    // Left only when both are at most 0: a game of two symmetric players. v(none) = 1/4, v(one) = 1/2, v(both) = 1.
    let leaf = |value: f64, cover| Node::Leaf {
        value: vec![value],
        cover,
    };
    let split = |feature, left, right, cover| Node::Split {
        feature,
        rule: Rule::AtMost(0.0),
        missing: Side::Right,
        left,
        right,
        cover,
    };
    let nodes = vec![
        split(0, 1, 2, 8.0),
        split(1, 3, 4, 4.0),
        leaf(0.0, 4.0),
        leaf(1.0, 2.0),
        leaf(0.0, 2.0),
    ];
    let e = TreeEnsemble::new(
        2,
        vec![0.0],
        vec![Tree {
            nodes,
            output: Some(0),
        }],
    )
    .unwrap();
    let shap = TreeShap::new(&e).unwrap();
    let values = shap
        .shap_values_for(&ndarray::array![[0.0f32, 0.0], [1.0, 0.0]], 0)
        .unwrap();
    // Both: 3/8 each. First fails: v(1) = 0, v(2) = 1/2, v(12) = 0: (-1/4 - 1/2) / 2 and (1/4 + 0) / 2.
    for (found, exact) in values.iter().zip([0.375, 0.375, -0.375, 0.125]) {
        assert!((found - exact).abs() < 1e-15, "{found} {exact}");
    }
}

#[test]
fn threads_and_strides_give_the_same_bits() {
    let e = ensemble(9, 12, 30, 2, false);
    let x = rows(9, 3000, 12);
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| TreeShap::new(&e).unwrap().shap_values(&x).unwrap())
    };
    let one = of(1);
    assert_eq!(one, of(2));
    assert_eq!(one, of(7));
    let turned = x.t().as_standard_layout().into_owned();
    assert_eq!(
        TreeShap::new(&e).unwrap().shap_values(&turned.t()).unwrap(),
        one
    );
}

#[test]
fn edges_have_rules() {
    let base_only = TreeEnsemble::new(2, vec![0.5], vec![]).unwrap();
    let shap = TreeShap::new(&base_only).unwrap();
    assert_eq!(shap.expected_value().to_vec(), [0.5]);
    assert_eq!(shap.shap_values(&Array2::zeros((3, 2))).unwrap().sum(), 0.0);
    assert_eq!(
        shap.shap_values(&Array2::zeros((0, 2))).unwrap().dim(),
        (0, 2, 1)
    );
    let error = |r: telseg_core::Result<Array2<f64>>| r.unwrap_err().to_string();
    assert_eq!(
        error(shap.shap_values_for(&Array2::zeros((3, 1)), 0)),
        "x: expected 2 columns (as at fit), found 1"
    );
    assert_eq!(
        error(shap.shap_values_for(&Array2::zeros((3, 2)), 1)),
        "output: 1 does not exist, the model has 1 (counted from 0)"
    );
    assert_eq!(
        shap.shap_row_into(&[0.0, 0.0], &mut [0.0])
            .unwrap_err()
            .to_string(),
        "out: expected 2 numbers (features times outputs), found 1"
    );
}
