//! Background rows, Banzhaf values and interactions against their definitions over all subsets.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, Array3, ArrayView1, Axis};
use proptest::prelude::*;
use telseg_core::trees::TreeEnsemble;
use telseg_explain::{Index, TreeShap, Unknown};

mod ensembles;
use ensembles::{ensemble, expected, rows};

/// What the ensemble says of a row when only the features in `known` are its own.
fn value(
    e: &TreeEnsemble,
    row: &[f32],
    known: usize,
    background: Option<(&Array2<f32>, &Array1<f64>)>,
) -> f64 {
    let Some((rows, weights)) = background else {
        return expected(e, row, known, 0);
    };
    let mixed = Array2::from_shape_fn(rows.dim(), |(i, j)| {
        if known >> j & 1 == 1 {
            row[j]
        } else {
            rows[[i, j]]
        }
    });
    let scores = e.predict(&mixed).unwrap();
    scores.column(0).dot(weights) / weights.sum()
}

/// The weight of a coalition of `size` of `others` players.
fn weight(index: Index, size: usize, others: usize) -> f64 {
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    match index {
        Index::Shapley => factorial(size) * factorial(others - size) / factorial(others + 1),
        _ => 0.5f64.powi(others as i32),
    }
}

/// Values on the diagonal, interactions elsewhere (whole, not shared), by the definition.
fn definition(index: Index, v: &[f64], n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| {
        let own = 1usize << i | 1 << j;
        let others = if i == j { n - 1 } else { n - 2 };
        (0..1usize << n)
            .filter(|s| s & own == 0)
            .map(|s| {
                let gain = if i == j {
                    v[s | own] - v[s]
                } else {
                    v[s | own] - v[s | 1 << i] - v[s | 1 << j] + v[s]
                };
                weight(index, s.count_ones() as usize, others) * gain
            })
            .sum()
    })
}

fn close(found: f64, exact: f64) -> bool {
    (found - exact).abs() < 1e-11
}

/// Values and interactions of each row against the definition, in a batch and alone.
fn check(
    e: &TreeEnsemble,
    x: &Array2<f32>,
    index: Index,
    background: Option<(&Array2<f32>, &Array1<f64>)>,
) {
    let n = e.n_features();
    let unknown = match background {
        None => Unknown::Covers,
        Some((rows, weights)) => Unknown::Weighted(rows, weights),
    };
    let params = TreeShap::params().with_index(index);
    let (shap, pairs) = (
        params.fit(e, unknown).unwrap(),
        params.fit_interactions(e, unknown).unwrap(),
    );
    let (values, matrices) = (
        shap.shap_values(x).unwrap(),
        pairs.interaction_values(x).unwrap(),
    );
    let strengths = pairs.strengths(x, 0).unwrap();
    let mean = matrices
        .index_axis(Axis(3), 0)
        .mapv(f64::abs)
        .mean_axis(Axis(0))
        .unwrap();
    assert!(strengths.iter().zip(&mean).all(|(a, b)| close(*a, *b)));
    for (i, row) in x.outer_iter().enumerate() {
        let row = row.to_vec();
        let v: Vec<f64> = (0..1 << n).map(|s| value(e, &row, s, background)).collect();
        assert!(close(shap.expected_value()[0], v[0]) && close(pairs.expected_value()[0], v[0]));
        let exact = definition(index, &v, n);
        let phi: ArrayView1<'_, f64> = values.slice(ndarray::s![i, .., 0]);
        let found = matrices.slice(ndarray::s![i, .., .., 0]);
        for j in 0..n {
            assert!(
                close(phi[j], exact[[j, j]]),
                "row {i} feature {j}: {} {}",
                phi[j],
                exact[[j, j]]
            );
            for k in 0..n {
                let expected = match (index, j == k) {
                    (Index::Shapley, false) => exact[[j, k]] / 2.0,
                    (Index::Shapley, true) => {
                        exact[[j, j]]
                            - (0..n)
                                .filter(|&o| o != j)
                                .map(|o| exact[[j, o]] / 2.0)
                                .sum::<f64>()
                    }
                    _ => exact[[j, k]],
                };
                assert!(
                    close(found[[j, k]], expected),
                    "row {i} pair {j} {k}: {} {expected}",
                    found[[j, k]]
                );
            }
        }
        if index == Index::Shapley {
            assert!(close(phi.sum() + v[0], v[(1 << n) - 1]));
            assert!(close(found.sum() + v[0], v[(1 << n) - 1]));
        }
        let mut alone = vec![0.0; n * e.n_outputs()];
        shap.shap_row_into(&row, &mut alone).unwrap();
        assert_eq!(
            values
                .index_axis(Axis(0), i)
                .iter()
                .copied()
                .collect::<Vec<_>>(),
            alone
        );
        let mut alone = Array3::zeros((n, n, e.n_outputs()));
        pairs.interaction_row_into(&row, alone.view_mut()).unwrap();
        assert_eq!(matrices.index_axis(Axis(0), i), alone);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn all_games_equal_their_definitions(
        seed: u64, n in 2usize..7, splits in 0usize..14, outputs in 1usize..3, chain: bool, banzhaf: bool, covers: bool
    ) {
        let e = ensemble(seed, n, splits, outputs, chain);
        let background = rows(seed ^ 1, 5, n);
        let weights = Array1::from(vec![1.0, 0.5, 2.0, 0.0, 1.5]);
        let index = if banzhaf { Index::Banzhaf } else { Index::Shapley };
        let background = (!covers).then_some((&background, &weights));
        check(&e, &rows(seed, 4, n), index, background);
    }
}

#[test]
fn deep_paths_equal_the_definitions() {
    // Chains that ask 12 to 13 different features: beyond one table.
    let (e, background) = (ensemble(0, 14, 40, 1, true), rows(3, 3, 14));
    let weights = Array1::ones(3);
    for index in [Index::Shapley, Index::Banzhaf] {
        check(&e, &rows(0, 1, 14), index, Some((&background, &weights)));
        check(&e, &rows(1, 1, 14), index, None);
    }
}

#[test]
fn equal_weights_are_none() {
    let (e, background, x) = (ensemble(4, 6, 20, 1, false), rows(5, 40, 6), rows(6, 20, 6));
    let of = |unknown| {
        TreeShap::params()
            .fit(&e, unknown)
            .unwrap()
            .shap_values(&x)
            .unwrap()
    };
    let plain = of(Unknown::Rows(&background));
    let ones = Array1::ones(40);
    assert_eq!(plain, of(Unknown::Weighted(&background, &ones)));
    // A row that is there twice counts as one of weight 2.
    let twice = ndarray::concatenate![Axis(0), background, background.slice(ndarray::s![..1, ..])];
    let mut weights = Array1::ones(40);
    weights[0] = 2.0;
    let weighted = of(Unknown::Weighted(&background, &weights));
    assert!(
        weighted
            .iter()
            .zip(&of(Unknown::Rows(&twice)))
            .all(|(a, b)| close(*a, *b))
    );
}

#[test]
fn threads_give_the_same_bits() {
    let (e, background, x) = (
        ensemble(9, 12, 30, 2, false),
        rows(8, 2500, 12),
        rows(9, 1500, 12),
    );
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let params = TreeShap::params();
            let pairs = params
                .fit_interactions(&e, Unknown::Rows(&background))
                .unwrap();
            (
                params
                    .fit(&e, Unknown::Rows(&background))
                    .unwrap()
                    .shap_values(&x)
                    .unwrap(),
                pairs.interaction_values(&x).unwrap(),
                pairs.strengths(&x, 1).unwrap(),
            )
        })
    };
    let one = of(1);
    assert!(one == of(2) && one == of(7));
}

#[test]
fn what_does_not_fit_is_said() {
    let e = ensemble(1, 3, 4, 1, false);
    let fit = |unknown: Unknown<'_>| {
        let fitted = TreeShap::params().fit(&e, unknown);
        fitted.unwrap_err().to_string()
    };
    let (narrow, none, some) = (
        Array2::zeros((2, 2)),
        Array2::zeros((0, 3)),
        Array2::zeros((2, 3)),
    );
    assert_eq!(
        fit(Unknown::Rows(&narrow)),
        "background: expected 3 columns (as the trees), found 2"
    );
    assert_eq!(
        fit(Unknown::Rows(&none)),
        "background: expected at least 1 row, found 0"
    );
    let weighted = |w: Vec<f64>| {
        let weights = Array1::from(w);
        let fitted = TreeShap::params().fit(&e, Unknown::Weighted(&some, &weights));
        fitted.unwrap_err().to_string()
    };
    assert_eq!(
        weighted(vec![1.0]),
        "weights: expected 2 (rows of background), found 1"
    );
    assert!(weighted(vec![1.0, -1.0]).starts_with("weights: expected numbers of at least 0"));
    assert!(weighted(vec![0.0, 0.0]).starts_with("weights: their sum must be above 0"));
    let long = ensemble(5, 130, 150, 1, true);
    let refused = TreeShap::params()
        .fit_interactions(&long, Unknown::Covers)
        .unwrap_err()
        .to_string();
    assert!(refused.starts_with("trees: a path asks"), "{refused}");
}
