//! Attributions against the definition: all subsets, each by Algorithm 1 of Lundberg et al. (2018).

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_explain::TreeShap;

mod ensembles;
use ensembles::{ensemble, expected, rows};

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
