//! The data and helpers that other crates' tests lean on.

use ndarray::{Array3, array};
use telseg_testkit::{Table, as_rows, blobs, pool, same_bits, shared_data, table};

#[test]
fn blobs_are_pinned_and_lie_around_their_centres() {
    let (x, labels) = blobs::<f64>(3000, 2, 3, 7);
    assert_eq!(
        labels.iter().take(4).copied().collect::<Vec<_>>(),
        [0, 1, 2, 0]
    );
    assert_eq!(blobs::<f64>(10, 2, 3, 7).0, x.slice(ndarray::s![..10, ..]));
    assert_ne!(blobs::<f64>(3000, 2, 3, 8).0, x);
    for k in 0..3 {
        let cells: Vec<f64> = (k..3000).step_by(3).map(|i| x[[i, 0]]).collect();
        let mean = cells.iter().sum::<f64>() / 1000.0;
        let variance = cells.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 999.0;
        // The standard error of a variance of 1 from 1000 rows is at most 0.045: five of them.
        assert!((variance - 1.0).abs() < 0.23, "{variance}");
        assert!(mean.abs() < 21.0);
    }
}

#[test]
fn tables_can_be_learnt() {
    let Table { x, y } = table::<f64>(5000, 4, 1);
    let covariance = x.column(0).dot(&y) / 5000.0;
    // The slope of column 0 is 1.5, its variance 1; the standard error is about 0.04.
    assert!((covariance - 1.5).abs() < 0.2, "{covariance}");
    let classes = table::<f32>(100, 4, 1).classes(4);
    for class in 0..4 {
        assert_eq!(classes.iter().filter(|&&c| c == class).count(), 25);
    }
}

#[test]
fn bits_are_compared_not_values() {
    assert!(same_bits(&array![[f64::NAN]], &array![[f64::NAN]]));
    assert!(!same_bits(&array![[0.0]], &array![[-0.0]]));
    assert!(!same_bits(&array![[1.0, 2.0]], &array![[1.0], [2.0]]));
}

#[test]
fn rows_stay_rows() {
    let cube = Array3::from_shape_fn((2, 2, 2), |(i, j, k)| (4 * i + 2 * j + k) as f32);
    assert_eq!(
        as_rows(cube),
        array![[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]
    );
}

#[test]
fn pools_have_their_size_and_missing_data_is_skipped() {
    assert_eq!(pool(7, rayon::current_num_threads), 7);
    assert!(shared_data("there/is/no/such/file.csv").is_none());
}
