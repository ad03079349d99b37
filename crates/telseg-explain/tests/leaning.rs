//! Permutation importance and shared credit.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, ArrayRef1, array};
use telseg_core::metrics::binary::auc;
use telseg_core::{Error, Result, Seed};
use telseg_explain::{Better, PermutationImportance, TreeShap, Unknown, shared_credit};

mod ensembles;

fn numbers(rows: usize, columns: usize) -> Array2<f32> {
    let draws = Seed::new(2).stream("numbers");
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        draws.unit((i * columns + j) as u64) as f32
    })
}

fn linear(rows: &Array2<f32>) -> Result<Array1<f64>> {
    Ok(rows.mapv(f64::from).dot(&array![3.0, -1.0, 0.0]))
}

#[test]
fn the_loss_is_that_of_a_column_drawn_at_random() {
    // Scores are exact, so the squared error after a shuffle is c^2 (x_j - x_i)^2, on average over shuffles 2 c^2 var(x).
    let x = numbers(300, 3);
    let y = linear(&x).unwrap();
    let squared =
        |scores: &ArrayRef1<f64>| Ok((scores.to_owned() - &y).mapv(|d| d * d).mean().unwrap());
    let params = PermutationImportance::params()
        .with_n_repeats(60)
        .with_seed(1);
    let found = params.measure(&x, linear, squared, Better::Lower).unwrap();
    assert_eq!(found.baseline, 0.0);
    for (group, c) in found.groups.iter().zip([3.0, 1.0, 0.0]) {
        let exact = 2.0 * c * c * x.column(group.columns[0]).mapv(f64::from).var(0.0);
        assert!(
            (group.loss - exact).abs() <= 4.0 * group.std_error,
            "{group:?} {exact}"
        );
        assert!(group.interval[0] <= group.loss && group.loss <= group.interval[1]);
        assert_eq!(group.losses.len(), 60);
    }
    assert_eq!(
        found
            .groups
            .iter()
            .map(|g| g.columns[0])
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    // Shuffled together, the columns keep their covariance and lose all of their use.
    let together = params
        .with_groups(vec![vec![0, 1]])
        .measure(&x, linear, squared, Better::Lower)
        .unwrap();
    let exact = 2.0 * y.var(0.0);
    assert!((together.groups[0].loss - exact).abs() <= 4.0 * together.groups[0].std_error);
}

#[test]
fn any_metric_will_do() {
    let x = numbers(200, 3);
    let y: Vec<bool> = linear(&x).unwrap().iter().map(|s| *s > 1.0).collect();
    let metric = |scores: &ArrayRef1<f64>| auc(&y, &scores.to_vec(), None);
    let of = |better| {
        PermutationImportance::params()
            .measure(&x, linear, metric, better)
            .unwrap()
    };
    let (up, down) = (of(Better::Higher), of(Better::Lower));
    assert_eq!(up.baseline, 1.0);
    assert!(up.groups[0].columns == [0] && up.groups[0].loss > 0.3);
    assert_eq!(down.groups[2].loss, -up.groups[0].loss);
    assert_eq!(up, of(Better::Higher));
}

#[test]
fn what_does_not_fit_is_said() {
    let x = numbers(5, 3);
    let metric = |_: &ArrayRef1<f64>| Ok(0.0);
    let refused = |params: telseg_explain::PermutationImportanceParams| {
        params
            .measure(&x, linear, metric, Better::Lower)
            .unwrap_err()
            .to_string()
    };
    let params = PermutationImportance::params;
    assert_eq!(
        refused(params().with_n_repeats(0)),
        "n_repeats: must be at least 1, found 0"
    );
    assert_eq!(
        refused(params().with_groups(vec![vec![3]])),
        "groups: group 0 names column 3, there are 3"
    );
    let none = |_: &ArrayRef1<f64>| Ok(f64::NAN);
    let none = params()
        .measure(&x, linear, none, Better::Lower)
        .unwrap_err()
        .to_string();
    assert_eq!(none, "metric: must answer with a finite number, found NaN");
    let failed = |_: &ArrayRef1<f64>| Err(Error::data("y", "has one class"));
    let failed = params()
        .measure(&x, linear, failed, Better::Lower)
        .unwrap_err()
        .to_string();
    assert_eq!(failed, "y: has one class");
    let one = params()
        .measure(&numbers(1, 3), linear, metric, Better::Lower)
        .unwrap_err()
        .to_string();
    assert_eq!(one, "x: expected at least 2 rows, found 1");
}

#[test]
fn columns_that_repeat_each_other_are_pointed_out() {
    let model = ensembles::ensemble(4, 5, 24, 1, false);
    let mut x = ensembles::rows(1, 200, 5);
    let copy = x.column(0).to_owned();
    x.column_mut(2).assign(&copy);
    let of = |unknown| {
        TreeShap::params()
            .fit(&model, unknown)
            .unwrap()
            .shap_values_for(&x, 0)
            .unwrap()
    };
    let (covers, against) = (of(Unknown::Covers), of(Unknown::Rows(&x)));
    let found = shared_credit(&x, &covers, &against, 0.8).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].features, [0, 2]);
    assert!(
        (found[0].correlation - 1.0).abs() < 1e-12 && found[0].moved > 0.0 && found[0].moved < 1.0
    );
    assert!(
        found[0]
            .to_string()
            .starts_with("0, 2 move together (correlation up to 1.00)"),
        "{}",
        found[0]
    );
    let same = shared_credit(&x, &covers, &covers, 0.8).unwrap();
    assert_eq!(same[0].moved, 0.0);
    let refused = shared_credit(&x, &covers, &against, 0.0)
        .unwrap_err()
        .to_string();
    assert_eq!(refused, "threshold: must be above 0 and at most 1, found 0");
    let narrow = shared_credit(&numbers(200, 3), &covers, &against, 0.5)
        .unwrap_err()
        .to_string();
    assert_eq!(
        narrow,
        "first: expected 200 rows by 3 columns (as x), found 200 by 5"
    );
}
