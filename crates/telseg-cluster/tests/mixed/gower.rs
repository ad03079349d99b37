//! Gower's distance against a plain loop in numpy, and its rules.

use ndarray::{Array2, array};
use telseg_cluster::GowerColumn::{Asymmetric, Categorical, Numeric, Ordinal};
use telseg_cluster::kmedoids::Distances;
use telseg_cluster::{Gower, GowerColumn};

use crate::data::{golden, numbers, table};

fn kind(name: &str) -> GowerColumn {
    match name {
        "numeric" => Numeric,
        "ordinal" => Ordinal,
        "categorical" => Categorical,
        _ => Asymmetric,
    }
}

#[test]
fn agrees_with_the_plain_loop() {
    let case = golden("gower");
    let (x, expected) = (table(&case["table"]), table(&case["expected"]));
    let kinds = case["kinds"].as_array().unwrap().iter();
    let kinds: Vec<GowerColumn> = kinds.map(|k| kind(k.as_str().unwrap())).collect();
    let weights = numbers(&case["weights"]).to_vec();
    let gower = Gower::params(&kinds)
        .with_weights(&weights)
        .fit(&x)
        .unwrap();
    let matrix = gower.matrix(&x).unwrap();
    let mut missing = 0;
    for ((a, b), &expected) in expected.indexed_iter() {
        if a != b {
            assert!((matrix.between(a, b) - expected).abs() < 1e-12, "{a} {b}");
            let alone = gower.distance(&x.row(a), &x.row(b)).unwrap();
            assert_eq!(alone.to_bits(), matrix.between(a, b).to_bits());
        }
        missing += usize::from(x.row(a).iter().any(|v| v.is_nan()));
    }
    assert!(missing > 0);
}

#[test]
fn rules_of_the_edges() {
    let nan = f64::NAN;
    // Ranges: 10 and none; ranks of 1, 2, 8: 0, 1/2, 1.
    let x = array![[0.0, 5.0, 1.0], [10.0, 5.0, 2.0], [nan, 5.0, 8.0]];
    let gower = Gower::params(&[Numeric, Numeric, Ordinal]).fit(&x).unwrap();
    let far = |a: [f64; 3], b: [f64; 3]| {
        gower
            .distance(&ndarray::aview1(&a), &ndarray::aview1(&b))
            .unwrap()
    };
    // (1 + 0 + 1/2) / 3; a constant column says that all are alike.
    assert_eq!(far([0.0, 5.0, 1.0], [10.0, 5.0, 2.0]), 0.5);
    // 40 lies beyond the range: 1, not 4. 5 lies half way from 2 to 8: rank 3/4.
    assert_eq!(far([0.0, 5.0, 1.0], [40.0, 5.0, 5.0]), (1.0 + 0.75) / 3.0);
    assert_eq!(far([nan, nan, 9.0], [nan, nan, 8.0]), 0.0); // beyond the last rank
    assert_eq!(far([nan, 5.0, nan], [0.0, nan, 1.0]), 1.0); // nothing to compare
}

#[test]
fn missing_cells_break_the_triangle_inequality() {
    // The warning of the documentation, as a fact: the row between knows nothing that sets it apart from either.
    let nan = f64::NAN;
    let x = array![[0.0, 0.0], [nan, 0.0], [1.0, 0.0]];
    let gower = Gower::params(&[Numeric, Categorical]).fit(&x).unwrap();
    let d = gower.matrix(&x).unwrap();
    assert!(d.between(0, 2) > d.between(0, 1) + d.between(1, 2));
}

#[test]
fn what_is_wrong_is_said() {
    let x: Array2<f64> = array![[0.0, 2.0], [1.0, 0.0]];
    let message = |r: telseg_core::Result<Gower>| r.unwrap_err().to_string();
    let two = Gower::params(&[Numeric, Asymmetric]);
    assert_eq!(
        message(two.fit(&x)),
        "x: 2 is no flag (0, 1, or NaN) in row 0, column 1"
    );
    assert_eq!(
        message(two.clone().with_weights(&[0.0, 0.0]).fit(&x)),
        "weights: at least one must be above 0"
    );
    assert_eq!(
        message(Gower::params(&[Numeric]).fit(&x)),
        "x: expected 1 columns (columns), found 2"
    );
    assert_eq!(
        message(Gower::params(&[]).fit(&x)),
        "columns: expected at least 1, found none"
    );
    let gower = Gower::params(&[Numeric, Numeric]).fit(&x).unwrap();
    let error = gower.distance(&x.row(0), &array![1.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "b: expected 2 columns (as at fit), found 1"
    );
}
