//! Against scikit-learn: `golden/preprocess.csv`, made by `golden/make.py` (its first line says which versions).
//!
//! Tolerances: 1e-12 relative where both compute in double precision by the same formula; 1e-9 for the normal output,
//! whose quantile functions differ (AS 241 here, Cephes there).
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, ArrayRef2, s};
use telseg_features::{
    ImputeWith, Imputer, NumericPipeline, QuantileOutput, QuantileTransformer, RobustScaler,
    StandardScaler, Winsorizer,
};

const GOLDEN: &str = include_str!("golden/preprocess.csv");
const ROWS: usize = 200;

/// One column of the golden file as rows by the three inputs.
fn golden(name: &str) -> Array2<f64> {
    let mut lines = GOLDEN.lines().filter(|l| !l.starts_with('#'));
    let at = lines
        .next()
        .unwrap()
        .split(',')
        .position(|n| n == name)
        .unwrap();
    let cells: Vec<f64> = lines
        .map(|l| l.split(',').nth(at).unwrap().parse().unwrap_or(f64::NAN))
        .collect();
    let stacked = Array2::from_shape_vec((3, ROWS), cells).unwrap();
    stacked.t().as_standard_layout().into_owned()
}

fn close(found: &ArrayRef2<f64>, name: &str, tolerance: f64) {
    let expected = golden(name);
    for ((at, f), e) in found.indexed_iter().zip(&expected) {
        let same = (f - e).abs() <= tolerance * e.abs().max(1.0) || (f.is_nan() && e.is_nan());
        assert!(same, "{name} {at:?}: {f} instead of {e}");
    }
}

#[test]
fn imputer_and_scalers() {
    let x = golden("x");
    assert!(x.iter().any(|v| v.is_nan()));
    close(
        &Imputer::params().fit(&x).unwrap().transform(&x).unwrap(),
        "imputed",
        0.0,
    );
    close(
        &StandardScaler::params()
            .fit(&x)
            .unwrap()
            .transform(&x)
            .unwrap(),
        "standard",
        1e-12,
    );
    close(
        &RobustScaler::params()
            .fit(&x)
            .unwrap()
            .transform(&x)
            .unwrap(),
        "robust",
        1e-12,
    );
}

#[test]
fn quantile_transformers() {
    let x = golden("x");
    let params = QuantileTransformer::params().with_n_quantiles(50);
    let uniform = params.fit(&x).unwrap();
    close(&uniform.transform(&x).unwrap(), "uniform", 1e-12);
    let normal = params.with_output(QuantileOutput::Normal).fit(&x).unwrap();
    close(&normal.transform(&x).unwrap(), "normal", 1e-9);
    // There and back, where the values are all different.
    let back = normal
        .inverse_transform(&normal.transform(&x).unwrap())
        .unwrap();
    for (b, v) in back.column(0).iter().zip(x.column(0)) {
        assert!((b - v).abs() < 1e-4 || v.is_nan(), "{b} {v}");
    }
}

#[test]
fn the_chain_is_the_single_pieces() {
    let x = golden("x");
    let chain = NumericPipeline::params().fit(&x).unwrap();
    let found = chain.transform(&x).unwrap();
    close(&found, "chain", 1e-12);
    let filled = Imputer::params().fit(&x).unwrap().transform(&x).unwrap();
    let clipped = Winsorizer::params()
        .fit(&x)
        .unwrap()
        .transform(&filled)
        .unwrap();
    let alone = StandardScaler::params()
        .fit(&clipped)
        .unwrap()
        .transform(&clipped)
        .unwrap();
    for (a, b) in found.iter().zip(&alone) {
        assert!((a - b).abs() < 1e-12);
    }
    let mut row = x.row(7).to_vec();
    chain.transform_row(&mut row).unwrap();
    assert_eq!(Array1::from(row), found.row(7));
    let back = chain.inverse_transform(&found).unwrap();
    for (b, v) in back.iter().zip(&clipped) {
        assert!((b - v).abs() < 1e-9);
    }
}

#[test]
fn single_precision_and_strides_agree() {
    let x = golden("x").mapv(|v| v as f32);
    let chain = NumericPipeline::params().fit(&x).unwrap();
    let all = chain.transform(&x).unwrap();
    let turned = x.t().as_standard_layout().into_owned();
    assert_eq!(chain, NumericPipeline::params().fit(&turned.t()).unwrap());
    assert_eq!(chain.transform(&turned.t()).unwrap(), all);
    let mut wide = Array2::zeros((ROWS, 5));
    chain
        .transform_into(&x, &mut wide.slice_mut(s![.., 1..4]))
        .unwrap();
    assert_eq!(wide.slice(s![.., 1..4]), all);
}

#[test]
fn a_weight_is_a_repeated_row_and_errors_are_sentences() {
    let x = golden("x").slice_move(s![..40, ..]);
    let weights = Array1::from_shape_fn(40, |i| (i % 4) as f64);
    let repeated: Vec<usize> = (0..40).flat_map(|i| vec![i; i % 4]).collect();
    let rows = x.select(ndarray::Axis(0), &repeated);
    for with in [ImputeWith::Median, ImputeWith::Mean] {
        let params = NumericPipeline::params().with_impute(Some(with));
        let a = params
            .fit_weighted(&x, &weights)
            .unwrap()
            .transform(&x)
            .unwrap();
        let b = params.fit(&rows).unwrap().transform(&x).unwrap();
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10));
    }
    let message = |e: telseg_core::Error| e.to_string();
    let short = weights.slice(s![..3]).to_owned();
    let found = StandardScaler::params()
        .fit_weighted(&x, &short)
        .unwrap_err();
    assert_eq!(
        message(found),
        "weights: expected 40 (the rows of x), found 3"
    );
    let mut infinite = x.clone();
    infinite[[2, 1]] = f64::INFINITY;
    let found = Imputer::params().fit(&infinite).unwrap_err();
    assert_eq!(message(found), "x: infinite value in row 2, column 1");
    let found = Imputer::params()
        .fit(&Array2::<f32>::zeros((0, 3)))
        .unwrap_err();
    assert_eq!(
        message(found),
        "x: expected at least one row and one column, found 0 rows and 3 columns"
    );
    let model = Imputer::params().fit(&x).unwrap();
    let found = model.transform(&x.slice(s![.., ..2])).unwrap_err();
    assert_eq!(message(found), "x: expected 3 columns (as at fit), found 2");
    let bad = Winsorizer::params().with_low(0.9).with_high(0.1);
    assert!(message(bad.fit(&x).unwrap_err()).starts_with("high: "));
}

#[test]
fn empty_constant_and_rare_columns_have_rules() {
    let nan = f64::NAN;
    let x = Array2::from_shape_fn((200, 3), |(i, j)| match j {
        0 => nan,
        1 => 5.1,
        _ => f64::from(u8::from(i == 0)),
    });
    let z = StandardScaler::params()
        .fit(&x)
        .unwrap()
        .transform(&x)
        .unwrap();
    assert!(z.column(0).iter().all(|v| v.is_nan()));
    assert!(z.column(1).iter().all(|v| v.abs() < 1e-12));
    let filled = Imputer::params().fit(&x).unwrap().transform(&x).unwrap();
    assert!(filled.column(0).iter().all(|v| *v == 0.0));
    // One in 200 is rarer than the 99th percentile: the flag is not clipped away.
    let kept = Winsorizer::params().fit(&x).unwrap().transform(&x).unwrap();
    assert_eq!(kept[[0, 2]], 1.0);
    let chain = NumericPipeline::params()
        .fit(&x)
        .unwrap()
        .transform(&x)
        .unwrap();
    assert!(chain.iter().all(|v| v.is_finite()) && chain[[0, 2]] > 10.0);
}

#[test]
fn thread_counts_agree() {
    let x = Array2::from_shape_fn((5000, 37), |(i, j)| {
        ((i * 7919 + j * 104_729) % 10_007) as f32 / 3.0
    });
    let run = || {
        let chain = NumericPipeline::params().fit(&x).unwrap();
        let z = chain.transform(&x).unwrap();
        (chain, z)
    };
    let one = telseg_testkit::pool(1, run);
    for threads in [2, 7] {
        assert_eq!(telseg_testkit::pool(threads, run), one);
    }
}
