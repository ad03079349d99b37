//! Importance and dependence by hand.

use ndarray::array;
use telseg_explain::{dependence, importance};

#[test]
fn importance_by_hand() {
    let shap = array![[1.0, 0.0], [-1.0, 0.0], [3.0, 0.5]];
    let x = array![[2.0f32, 7.0], [0.0, 7.0], [f32::NAN, 7.0]];
    let all = importance(&shap, &x, None).unwrap();
    assert_eq!((all[0].feature, all[1].feature), (0, 1));
    // |phi| = 1, 1, 3: mean 5/3, squares 4/9 + 4/9 + 16/9 = 8/3, error sqrt(3/2 * 8/3) / 3 = 2/3.
    assert!((all[0].mean_abs - 5.0 / 3.0).abs() < 1e-15);
    assert!((all[0].std_error - 2.0 / 3.0).abs() < 1e-15);
    assert_eq!(all[0].direction, Some(1.0));
    assert_eq!(all[1].direction, None);
    let weighted = importance(&shap, &x, Some(&[1.0, 1.0, 2.0])).unwrap();
    assert_eq!(weighted[0].mean_abs, 2.0);
    let error = importance(&shap, &array![[1.0f32]], None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "shap: expected 1 rows by 1 columns (as x), found 3 by 2"
    );
}

#[test]
fn dependence_by_hand() {
    let nan = f32::NAN;
    let found = dependence(
        &[1.0, 0.0, 1.0, nan, 0.0],
        &[2.0, -1.0, 4.0, 9.0, -3.0],
        None,
        5,
    )
    .unwrap();
    let means: Vec<_> = found
        .bins
        .iter()
        .map(|b| (b.from, b.n, b.mean_shap))
        .collect();
    assert_eq!(means, [(0.0, 2, -2.0), (1.0, 2, 3.0)]);
    assert_eq!(found.missing.unwrap().mean_shap, 9.0);
    let values: Vec<f32> = (0..100).map(|i| i as f32).collect();
    let shap: Vec<f64> = values.iter().map(|v| f64::from(*v) / 10.0).collect();
    let bins = dependence(&values, &shap, None, 4).unwrap().bins;
    assert!(bins.iter().all(|b| b.n == 25));
    assert!((bins[3].mean_shap - 8.7).abs() < 1e-12);
    assert_eq!(
        dependence(&values, &shap, None, 0).unwrap_err().to_string(),
        "n_bins: must be at least 1, found 0"
    );
}
