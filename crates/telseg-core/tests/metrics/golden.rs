//! `tests/golden/metrics.json`: values of scikit-learn; its header says which version, how, and why the tolerance.

use ndarray::Array2;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use telseg_core::metrics::binary::{self, Bins};
use telseg_core::metrics::{partition, regression};

const TOLERANCE: f64 = 1e-12;

fn golden<T: DeserializeOwned>(key: &str) -> T {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/metrics.json");
    let mut all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    serde_json::from_value(all[key].take()).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[track_caller]
fn same(name: &str, ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64().unwrap();
    assert!(
        (ours - theirs).abs() <= TOLERANCE * theirs.abs().max(1.0),
        "{name}: {ours}, golden {theirs}"
    );
}

#[track_caller]
fn all_same(name: &str, ours: impl IntoIterator<Item = f64>, theirs: &Value) {
    let ours: Vec<f64> = ours.into_iter().collect();
    assert_eq!(ours.len(), theirs.as_array().unwrap().len(), "{name}");
    for (i, (&a, b)) in ours.iter().zip(theirs.as_array().unwrap()).enumerate() {
        same(&format!("{name}[{i}]"), a, b);
    }
}

/// Calls `check` with each weighting (name, weights, expected values) of a case.
fn each_weighting(case: &Value, check: impl Fn(&str, Option<&[f64]>, &Value)) {
    let weightings = case["weights"].as_object().unwrap();
    assert_eq!(weightings.len(), 3);
    for (name, weights) in weightings {
        let weights: Option<Vec<f64>> = serde_json::from_value(weights.clone()).unwrap();
        check(name, weights.as_deref(), &case["expected"][name]);
    }
}

#[test]
fn two_classes_agree_with_scikit_learn() {
    let cases: Value = golden("binary");
    for (data, case) in cases.as_object().unwrap() {
        let y: Vec<bool> = serde_json::from_value(case["y"].clone()).unwrap();
        let p = floats(&case["p"]);
        each_weighting(case, |weighting, w, expected| {
            let name = |metric: &str| format!("{data}, {weighting}, {metric}");
            let figures = [
                ("auc", binary::auc(&y, &p, w).unwrap()),
                (
                    "average_precision",
                    binary::average_precision(&y, &p, w).unwrap(),
                ),
                ("log_loss", binary::log_loss(&y, &p, w).unwrap()),
                ("brier", binary::brier(&y, &p, w).unwrap()),
            ];
            for (metric, ours) in figures {
                same(&name(metric), ours, &expected[metric]);
            }
            let shares = [0.05, 0.1, 0.333, 1.0];
            let gains = shares.map(|share| binary::gain_at(&y, &p, share, w).unwrap());
            all_same(&name("gain_at"), gains, &expected["gain_at"]);
            let lift = binary::lift_at(&y, &p, 0.1, w).unwrap();
            assert_eq!(lift, gains[1] / 0.1);

            let roc = binary::roc_curve(&y, &p, w, usize::MAX).unwrap();
            let rates = roc.iter().map(|r| r.false_positive_rate);
            all_same(&name("fpr"), rates, &expected["roc"][0]);
            let rates = roc.iter().map(|r| r.true_positive_rate);
            all_same(&name("tpr"), rates, &expected["roc"][1]);
            let curve = binary::precision_recall(&y, &p, w, usize::MAX).unwrap();
            let precision = curve.iter().map(|c| c.precision);
            all_same(
                &name("precision"),
                precision,
                &expected["precision_recall"][0],
            );
            let recall = curve.iter().map(|c| c.recall);
            all_same(&name("recall"), recall, &expected["precision_recall"][1]);

            for (key, bins) in [
                ("uniform", Bins::Uniform(5)),
                ("quantile", Bins::Quantile(5)),
            ] {
                if expected[key].is_null() {
                    continue;
                }
                let report = binary::calibration(&y, &p, w, bins).unwrap();
                let predicted = report.bins.iter().map(|bin| bin.mean_predicted);
                all_same(&name(key), predicted, &expected[key][0]);
                let observed = report.bins.iter().map(|bin| bin.observed_rate);
                all_same(&name(key), observed, &expected[key][1]);
            }
        });
    }
}

#[test]
fn numbers_agree_with_scikit_learn() {
    let case: Value = golden("regression");
    let (y, predicted) = (floats(&case["y"]), floats(&case["predicted"]));
    each_weighting(&case, |weighting, w, expected| {
        let figures = [
            ("rmse", regression::rmse(&y, &predicted, w)),
            ("mae", regression::mae(&y, &predicted, w)),
            ("r2", regression::r2(&y, &predicted, w)),
        ];
        for (metric, ours) in figures {
            same(
                &format!("{weighting}, {metric}"),
                ours.unwrap(),
                &expected[metric],
            );
        }
        let losses =
            [0.1, 0.5, 0.9].map(|q| regression::quantile_loss(&y, &predicted, q, w).unwrap());
        all_same(weighting, losses, &expected["quantile_loss"]);
    });
}

#[derive(Deserialize)]
struct Partition {
    a: Vec<u32>,
    b: Vec<u32>,
    weights: Option<Vec<f64>>,
    table: Vec<Vec<f64>>,
    ari: Value,
    nmi: Value,
    purity: Value,
}

#[test]
fn partitions_agree_with_scikit_learn() {
    let cases: Vec<Partition> = golden("partitions");
    assert_eq!(cases.len(), 6);
    for (i, case) in cases.iter().enumerate() {
        let pairs = partition::contingency(&case.a, &case.b).unwrap();
        let w = case.weights.as_deref();
        same(&format!("{i}: ari"), pairs.ari(w).unwrap(), &case.ari);
        same(&format!("{i}: nmi"), pairs.nmi(w).unwrap(), &case.nmi);
        same(
            &format!("{i}: purity"),
            pairs.purity(w).unwrap(),
            &case.purity,
        );
        let table = pairs.table(w).unwrap();
        let flat: Vec<f64> = case.table.iter().flatten().copied().collect();
        assert_eq!(table, Array2::from_shape_vec(table.dim(), flat).unwrap());
    }
}
