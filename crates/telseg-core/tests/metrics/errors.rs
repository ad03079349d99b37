//! Bad input: a sentence that names the argument.

use telseg_core::Result;
use telseg_core::metrics::Bootstrap;
use telseg_core::metrics::binary::{self, Bins, Ranking};
use telseg_core::metrics::{partition, regression};

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

const Y: [bool; 3] = [true, false, true];
const P: [f64; 3] = [0.5, 0.25, 1.0];

#[test]
fn lengths() {
    refused(
        binary::auc(&Y, &P[..2], None),
        "score: expected 3 elements (as y has), found 2",
    );
    refused(
        binary::auc(&Y, &P, Some(&[1.0])),
        "weights: expected 3 elements (as y has), found 1",
    );
    refused(
        binary::auc(&[], &[], None),
        "y: expected at least one element, found none",
    );
    refused(
        binary::log_loss(&Y, &P[..1], None),
        "p: expected 3 elements (as y has), found 1",
    );
    refused(
        regression::mae(&P, &P[1..], None),
        "predicted: expected 3 elements (as y has), found 2",
    );
    refused(
        partition::ari(&[1, 2], &[1], None),
        "b: expected 2 elements (as a has), found 1",
    );
    refused(
        partition::nmi(&[], &[], None),
        "a: expected at least one element, found none",
    );
}

#[test]
fn values() {
    refused(
        binary::auc(&Y, &[0.0, f64::NAN, 0.0], None),
        "score: row 1 is NaN, expected a number",
    );
    refused(
        binary::brier(&Y, &[0.0, 0.5, 1.5], None),
        "p: row 2 is 1.5, expected a probability from 0 to 1",
    );
    refused(
        binary::log_loss(&Y, &[f64::NAN, 0.5, 0.5], None),
        "p: row 0 is NaN, expected a probability from 0 to 1",
    );
    refused(
        regression::rmse(&P, &[0.0, f64::INFINITY, 0.0], None),
        "predicted: row 1 is inf, expected a finite number",
    );
    refused(
        binary::outcomes(&[0.0, 1.0, f64::NAN]),
        "y: row 2 is NaN, expected 0 or 1",
    );
}

#[test]
fn weights() {
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let weights = [1.0, bad, 1.0];
        let message =
            format!("weights: row 1 is {bad}, expected a finite number that is not negative");
        refused(binary::auc(&Y, &P, Some(&weights)), &message);
        refused(binary::brier(&Y, &P, Some(&weights)), &message);
        refused(regression::r2(&P, &P, Some(&weights)), &message);
        refused(
            partition::purity(&[1, 2, 3], &[1, 2, 3], Some(&weights)),
            &message,
        );
    }
    refused(
        binary::auc(&Y, &P, Some(&[0.0; 3])),
        "weights: all are zero",
    );
    refused(
        partition::ari(&[1, 2], &[1, 2], Some(&[0.5, 0.25])),
        "weights: sum to 0.75: pairs are counted, which takes more than one row",
    );
}

#[test]
fn one_class() {
    let no_positive = "y: has one class only: no row (of any weight) is positive";
    let no_negative = "y: has one class only: no row (of any weight) is negative";
    refused(binary::auc(&[false; 3], &P, None), no_positive);
    refused(binary::auc(&[true; 3], &P, None), no_negative);
    refused(binary::auc(&Y, &P, Some(&[1.0, 0.0, 1.0])), no_negative);
    refused(
        binary::average_precision(&[false; 3], &P, None),
        no_positive,
    );
    refused(binary::gain_at(&[false; 3], &P, 0.5, None), no_positive);
    refused(binary::roc_curve(&[true; 3], &P, None, 9), no_negative);
    refused(
        binary::precision_recall(&[false; 3], &P, None, 9),
        no_positive,
    );
    refused(binary::lift_curve(&[false; 3], &P, None, 9), no_positive);
    refused(
        regression::r2(&[2.0; 3], &P, None),
        "y: all values (of any weight) are equal, R² is not defined",
    );
    // Where one class is enough, it passes.
    assert_eq!(
        binary::average_precision(&[true; 3], &P, None).unwrap(),
        1.0
    );
    assert_eq!(binary::brier(&[true; 3], &[1.0; 3], None).unwrap(), 0.0);
}

#[test]
fn parameters() {
    refused(
        binary::lift_at(&Y, &P, 0.0, None),
        "share: must be above 0 and at most 1, is 0",
    );
    refused(
        binary::gain_at(&Y, &P, f64::NAN, None),
        "share: must be above 0 and at most 1, is NaN",
    );
    refused(
        binary::roc_curve(&Y, &P, None, 1),
        "max_points: must be at least 2, is 1",
    );
    refused(
        binary::calibration(&Y, &P, None, Bins::Uniform(0)),
        "bins: must be at least 1, is 0",
    );
    refused(
        regression::quantile_loss(&P, &P, 1.5, None),
        "quantile: must be from 0 to 1, is 1.5",
    );
    let mean = |_: &[f64]| Ok(0.0);
    refused(
        Bootstrap::default().with_level(1.0).interval(3, mean),
        "level: must be between 0 and 1, is 1",
    );
    refused(
        Bootstrap::default().with_n_resamples(1).interval(3, mean),
        "n_resamples: must be at least 2, is 1",
    );
    refused(
        Bootstrap::default().interval(0, mean),
        "rows: expected at least one element, found none",
    );
}

#[test]
fn bootstrap_reports_what_is_not_defined() {
    // The only positive row stays out of a resample with chance (3/4)^4 = 0.32: AUC is not defined there.
    let y = [true, false, false, false];
    let ranking = Ranking::new(&y, &[0.9, 0.1, 0.2, 0.3]).unwrap();
    let interval = Bootstrap::default()
        .interval(4, |w| ranking.auc(Some(w)))
        .unwrap();
    let part = interval.n_undefined as f64 / interval.n_resamples as f64;
    assert!((part - 0.32).abs() < 0.075, "{part}"); // five standard errors, and all rows being positive
    assert_eq!(interval.estimate, 1.0);

    // A metric that is not defined on the data says so itself, one that fails on most resamples is refused.
    let one_class = Ranking::new(&[true; 4], &[0.0; 4]).unwrap();
    refused(
        Bootstrap::default().interval(4, |w| one_class.auc(Some(w))),
        "y: has one class only: no row (of any weight) is negative",
    );
    let fussy = |w: &[f64]| {
        Ok(if w.iter().all(|&w| w == 1.0) {
            0.0
        } else {
            f64::NAN
        })
    };
    let message = Bootstrap::default()
        .with_seed(1)
        .interval(40, fussy)
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "metric: is not defined in 1000 of 1000 resamples, too many for an interval"
    );
}
