//! Effects: partial dependence equals scikit-learn's, accumulated effects equal PyALE's, the H-statistic its definition (file
//! and script in tests/golden).
//!
//! Tolerance 1e-6 where a grid point is no value of the data (grids are f32 here, f64 there), else 1e-10.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, array};
use serde_json::Value;
use telseg_core::{Result, Seed};
use telseg_explain::{AccumulatedEffect, PairStrengths, PartialDependence};

fn list(v: &Value) -> Vec<f64> {
    v.as_array()
        .unwrap()
        .iter()
        .map(|c| c.as_f64().unwrap())
        .collect()
}

fn matrix(v: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = v.as_array().unwrap().iter().map(list).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn golden() -> (Value, Array2<f32>) {
    let golden: Value = serde_json::from_str(include_str!("golden/effects.json")).unwrap();
    let x = matrix(&golden["x"]).mapv(|v| v as f32);
    (golden, x)
}

/// The function of tests/golden/make_effects.py.
fn score(rows: &Array2<f32>) -> Result<Array1<f64>> {
    let of = |row: ndarray::ArrayView1<'_, f32>| {
        let x = row.mapv(f64::from);
        x[0] * x[1] + (2.0 * x[2]).sin() + 0.5 * x[3] * x[0] - 0.2 * x[4] * x[4]
    };
    Ok(rows.outer_iter().map(of).collect())
}

fn close<'a>(
    found: impl IntoIterator<Item = &'a f64>,
    golden: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) {
    let (found, golden): (Vec<_>, Vec<_>) =
        (found.into_iter().collect(), golden.into_iter().collect());
    assert_eq!(found.len(), golden.len());
    for (i, (found, golden)) in found.into_iter().zip(golden).enumerate() {
        assert!((found - golden).abs() < tolerance, "{i}: {found} {golden}");
    }
}

#[test]
fn partial_dependence_is_that_of_scikit_learn() {
    let (golden, x) = golden();
    for case in golden["partial"].as_array().unwrap() {
        let [feature, points] = ["feature", "points"].map(|k| case[k].as_u64().unwrap() as usize);
        let params = PartialDependence::params().with_n_points(points);
        let found = params.fit(&x, None, feature, score).unwrap();
        let grid: Vec<f64> = found.grid.iter().map(|v| f64::from(*v)).collect();
        close(&grid, &list(&case["grid"]), 1e-6);
        close(&found.mean, &list(&case["mean"]), 1e-6);
        close(&found.curves, &matrix(&case["curves"]), 1e-5);
        let centred = found.centred();
        assert!(centred.column(0).iter().all(|v| *v == 0.0));
        close(
            &(&centred + &found.curves.column(0).insert_axis(ndarray::Axis(1))),
            &found.curves,
            1e-12,
        );
    }
    let params = PartialDependence::params().with_n_points(6);
    let pair = params.fit_pair(&x, None, [0, 1], score).unwrap();
    close(&pair.mean, &matrix(&golden["pair"]["mean"]), 1e-5);
    // A row that counts twice is a row that is there twice.
    let mut weights = vec![1.0; x.nrows()];
    weights[3] = 2.0;
    let twice = ndarray::concatenate![ndarray::Axis(0), x, x.slice(ndarray::s![3..4, ..])];
    let params = PartialDependence::params()
        .with_between([0.0, 1.0])
        .with_n_points(5);
    let (weighted, twice) = (
        params.fit(&x, Some(&weights), 1, score).unwrap(),
        params.fit(&twice, None, 1, score).unwrap(),
    );
    close(&weighted.mean, &twice.mean, 1e-10);
}

#[test]
fn accumulated_effects_are_those_of_pyale() {
    let (golden, x) = golden();
    for case in golden["ale"].as_array().unwrap() {
        let [feature, bins] = ["feature", "bins"].map(|k| case[k].as_u64().unwrap() as usize);
        let found = AccumulatedEffect::params()
            .with_n_bins(bins)
            .fit(&x, feature, score)
            .unwrap();
        let edges: Vec<f64> = found.edges.iter().map(|v| f64::from(*v)).collect();
        close(&edges, &list(&case["edges"]), 1e-12);
        close(&found.effect, &list(&case["effect"]), 1e-10);
        assert_eq!(found.counts.iter().sum::<usize>(), x.nrows());
    }
    let levels: Vec<f32> = list(&golden["levels"]["levels"])
        .iter()
        .map(|v| *v as f32)
        .collect();
    let found = AccumulatedEffect::params()
        .fit_levels(&x, 3, &levels, score)
        .unwrap();
    close(&found.effect, &list(&golden["levels"]["effect"]), 1e-10);
    let found = AccumulatedEffect::params()
        .with_n_bins(4)
        .fit_pair(&x, [0, 1], score)
        .unwrap();
    close(&found.effect, &matrix(&golden["ale_pair"]["effect"]), 1e-10);
}

#[test]
fn a_pair_that_only_adds_up_has_no_effect_together() {
    let (_, x) = golden();
    let sum = |rows: &Array2<f32>| {
        Ok(rows
            .outer_iter()
            .map(|r| f64::from(r[0]).powi(2) - f64::from(r[1]))
            .collect())
    };
    let found = AccumulatedEffect::params()
        .with_n_bins(6)
        .fit_pair(&x, [0, 1], sum)
        .unwrap();
    assert!(
        found.effect.iter().all(|e| e.abs() < 1e-9),
        "{}",
        found.effect
    );
    assert!(
        found.counts.iter().any(|n| *n == 0),
        "correlated columns leave cells empty"
    );
}

#[test]
fn strengths_are_those_of_the_definition() {
    let (golden, x) = golden();
    let found = PairStrengths::params()
        .fit(&x, &[0, 1, 2, 3, 4], score)
        .unwrap();
    assert_eq!((found.n_rows, found.pairs.len()), (120, 10));
    for case in golden["h"].as_array().unwrap() {
        let case = list(case);
        let pair = found
            .pairs
            .iter()
            .find(|p| p.features == [case[0] as usize, case[1] as usize])
            .unwrap();
        assert!((pair.h - case[2]).abs() < 1e-6, "{pair:?} {case:?}");
    }
    // Over all combinations of -1 and 1, a x + b y + c x y: H^2 = c^2 / (a^2 + b^2 + c^2).
    let corners = array![[-1.0f32, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]];
    let model = |rows: &Array2<f32>| {
        Ok(rows
            .outer_iter()
            .map(|r| f64::from(2.0 * r[0] - r[1] + 3.0 * r[0] * r[1]))
            .collect())
    };
    let found = PairStrengths::params()
        .fit(&corners, &[0, 1], model)
        .unwrap();
    assert!((found.pairs[0].h - (9.0f64 / 14.0).sqrt()).abs() < 1e-12);
    assert!((found.pairs[0].effect - 3.0).abs() < 1e-12);
}

#[test]
fn missing_and_constant_columns_have_a_rule() {
    let draws = Seed::new(1).stream("x");
    let x = Array2::from_shape_fn((60, 3), |(i, j)| match j {
        0 if i % 5 == 0 => f32::NAN,
        2 => 7.0,
        _ => draws.unit((i * 3 + j) as u64) as f32,
    });
    let model = |rows: &Array2<f32>| {
        Ok(rows
            .outer_iter()
            .map(|r| {
                if r[0].is_nan() {
                    5.0
                } else {
                    f64::from(2.0 * r[0] + r[1])
                }
            })
            .collect())
    };
    let found = AccumulatedEffect::params().fit(&x, 0, model).unwrap();
    assert_eq!(found.counts.iter().sum::<usize>(), 48);
    let rise = found.effect[found.effect.len() - 1] - found.effect[0];
    assert!(
        (rise - 2.0 * f64::from(found.edges[found.edges.len() - 1] - found.edges[0])).abs() < 1e-6
    );
    let flat = AccumulatedEffect::params().fit(&x, 2, model).unwrap();
    assert_eq!(
        (flat.edges, flat.effect, flat.counts),
        (vec![7.0, 7.0], vec![0.0, 0.0], vec![60])
    );
    let constant = PartialDependence::params().fit(&x, None, 2, model).unwrap();
    assert_eq!(constant.grid, [7.0]);
    let strengths = PairStrengths::params().fit(&x, &[1, 2], model).unwrap();
    assert!(strengths.pairs[0].h < 1e-6);
}

#[test]
fn what_does_not_fit_is_said() {
    let (_, x) = golden();
    let partial = |p: telseg_explain::PartialDependenceParams, f| {
        p.fit(&x, None, f, score).unwrap_err().to_string()
    };
    let params = PartialDependence::params;
    assert_eq!(
        partial(params().with_n_points(1), 0),
        "n_points: must be at least 2, found 1"
    );
    assert!(
        partial(params().with_between([0.9, 0.1]), 0)
            .starts_with("between: must be two numbers from 0 to 1")
    );
    assert_eq!(
        partial(params(), 5),
        "feature: 5 does not exist, x has 5 columns (counted from 0)"
    );
    let same = params()
        .fit_pair(&x, None, [1, 1], score)
        .unwrap_err()
        .to_string();
    assert_eq!(same, "features: must be two columns, found 1 twice");
    let missing = Array2::from_elem((3, 1), f32::NAN);
    let missing = params()
        .fit(&missing, None, 0, score)
        .unwrap_err()
        .to_string();
    assert_eq!(missing, "x: has no finite value in column 0");
    let bins = AccumulatedEffect::params()
        .with_n_bins(0)
        .fit(&x, 0, score)
        .unwrap_err()
        .to_string();
    assert_eq!(bins, "n_bins: must be at least 1, found 0");
    let levels = AccumulatedEffect::params()
        .fit_levels(&x, 3, &[1.0, 1.0], score)
        .unwrap_err()
        .to_string();
    assert!(levels.starts_with("levels: must be 2 or more different numbers"));
    let rows = PairStrengths::params()
        .with_n_rows(1)
        .fit(&x, &[0, 1], score)
        .unwrap_err()
        .to_string();
    assert_eq!(rows, "n_rows: must be at least 2, found 1");
    let twice = PairStrengths::params()
        .fit(&x, &[0, 0], score)
        .unwrap_err()
        .to_string();
    assert!(twice.starts_with("features: must be 2 or more different columns of 5"));
}
