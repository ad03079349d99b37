//! Clustering by density against scikit-learn and the `hdbscan` package; see the header of `golden/density.json`.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2};
use serde_json::Value;
use telseg_cluster::{
    Assignment, Dbscan, Extraction, Hdbscan, HdbscanParams, Optics, Selection, XiParams, hdbscan,
};
use telseg_core::Scalar;
use telseg_core::metrics::partition::ari;

fn cases() -> Vec<Value> {
    let golden: Value = serde_json::from_str(include_str!("golden/density.json")).unwrap();
    golden["cases"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    let number = |v: &Value| v.as_f64().unwrap_or(f64::INFINITY);
    value.as_array().unwrap().iter().map(number).collect()
}

fn table<F: Scalar>(value: &Value) -> Array2<F> {
    let rows: Vec<_> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| {
        F::from_f64(rows[i][j])
    })
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

/// Noise is -1.
fn codes(labels: &Array1<Assignment>) -> Vec<f64> {
    let code = |l: &Assignment| l.cluster().map_or(-1.0, f64::from);
    labels.iter().map(code).collect()
}

/// Labels as the metrics take them: noise is a label of its own.
fn labels(codes: &[f64]) -> Vec<u32> {
    codes.iter().map(|&c| (c + 1.0) as u32).collect()
}

fn dbscan_agrees<F: Scalar>(case: &Value) {
    let x = table::<F>(&case["x"]);
    let params = Dbscan::params(case["eps"].as_f64().unwrap());
    let model = params
        .with_min_points(count(&case["min_points"]))
        .fit(&x)
        .unwrap();
    assert_eq!(
        model.core().mapv(|c| f64::from(u8::from(c))).to_vec(),
        numbers(&case["core"])
    );
    let (found, expected) = (codes(model.labels()), numbers(&case["dbscan"]));
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        // A border row between two clusters may go to either: here none of these sets has one that differs.
        assert_eq!(found, expected, "row {i}");
    }
}

#[test]
fn dbscan_agrees_with_scikit_learn() {
    for case in cases() {
        dbscan_agrees::<f32>(&case);
        dbscan_agrees::<f64>(&case);
    }
}

fn hdbscan_params(options: &Value) -> HdbscanParams {
    let mut params = Hdbscan::params(count(&options["min_cluster_size"]));
    if let Some(samples) = options["min_samples"].as_u64() {
        params = params.with_min_samples(samples as usize);
    }
    if options["cluster_selection_method"] == "leaf" {
        params = params.with_selection(Selection::Leaf);
    }
    if let Some(epsilon) = options["cluster_selection_epsilon"].as_f64() {
        params = params.with_epsilon(epsilon);
    }
    if let Some(most) = options["max_cluster_size"].as_u64() {
        params = params.with_max_cluster_size(most as usize);
    }
    params
}

/// How many of the numbers differ.
fn differ(found: &[f64], expected: &[f64], tolerance: f64) -> usize {
    let pairs = found.iter().zip(expected);
    pairs.filter(|(a, b)| (*a - *b).abs() > tolerance).count()
}

#[test]
fn hdbscan_agrees_with_the_package() {
    let mut compared = 0;
    for case in cases() {
        let x = table::<f64>(&case["x"]);
        for run in case["hdbscan"].as_array().unwrap() {
            let model = hdbscan_params(&run["options"]).fit(&x).unwrap();
            let tree = model.condensed();
            // At each split, rows that bridge the parts leave at once here and with one of the parts there.
            let slack = tree.clusters().len();
            let (found, expected) = (codes(model.labels()), numbers(&run["labels"]));
            let agree = ari(&labels(&found), &labels(&expected), None).unwrap();
            let sizes: Vec<f64> = tree.clusters().iter().map(|c| c.size).collect();
            let mut theirs = numbers(&run["sizes"]);
            let mut ours = sizes.clone();
            ours.sort_by(f64::total_cmp);
            theirs.sort_by(f64::total_cmp);
            let strengths = differ(
                &model.strengths().to_vec(),
                &numbers(&run["probabilities"]),
                1e-9,
            );
            let outliers = differ(
                &model.outlier_scores().to_vec(),
                &numbers(&run["outlier_scores"]),
                1e-9,
            );
            assert!(agree > 0.97, "{}: {agree}", run["options"]);
            // A bridging row may decide whether a part is large enough to be a cluster.
            if ours.len() == theirs.len() {
                compared += 1;
                assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1.0));
                assert!(strengths <= slack && outliers <= slack);
            }
        }
    }
    assert!(compared >= 14, "{compared}");
}

/// For each of our clusters the one of theirs that it shares most rows with.
fn theirs(ours: &[f64], theirs: &[f64], k: usize) -> Vec<usize> {
    let shared = |a: usize, b: usize| {
        let both = |(x, y): (&f64, &f64)| *x == a as f64 && *y == b as f64;
        ours.iter().zip(theirs).filter(|pair| both(*pair)).count()
    };
    (0..k)
        .map(|a| (0..k).max_by_key(|&b| shared(a, b)).unwrap())
        .collect()
}

/// How many rows differ in the proportions of their memberships, and in their sums where `counts` says that these count.
fn memberships_differ(
    found: &Array2<f64>,
    expected: &Array2<f64>,
    column: &[usize],
    counts: impl Fn(usize) -> bool,
) -> (usize, usize) {
    let (mut proportions, mut sums) = (0, 0);
    for (i, (found, expected)) in found.rows().into_iter().zip(expected.rows()).enumerate() {
        let (sum, expected_sum) = (found.sum(), expected.sum());
        let differs =
            |(a, &b): (usize, &usize)| (found[a] / sum - expected[b] / expected_sum).abs() > 1e-7;
        proportions += usize::from(column.iter().enumerate().any(differs));
        sums += usize::from(counts(i) && (sum - expected_sum).abs() > 1e-7);
    }
    (proportions, sums)
}

#[test]
fn soft_memberships_agree_with_the_package() {
    let mut compared = 0;
    for case in cases() {
        let (x, new) = (table::<f64>(&case["x"]), table::<f64>(&case["new"]));
        for run in case["hdbscan"].as_array().unwrap() {
            let model = hdbscan_params(&run["options"]).fit(&x).unwrap();
            let (ours, labels) = (codes(model.labels()), numbers(&run["labels"]));
            let n_parts = model.condensed().clusters().len();
            let same_tree = n_parts == run["sizes"].as_array().unwrap().len();
            if run["soft"].is_null() || !same_tree {
                continue;
            }
            compared += 1;
            let column = theirs(&ours, &labels, model.n_clusters());
            let soft = model.predict_proba(&x).unwrap();
            let expected = table::<f64>(&run["soft"]["rows"]);
            let in_one = |i: usize| ours[i] >= 0.0 && labels[i] >= 0.0;
            let of_rows = memberships_differ(&soft, &expected, &column, in_one);
            // Bridging rows, as above.
            assert!(
                of_rows.0 <= n_parts && of_rows.1 <= n_parts,
                "{}: {of_rows:?}",
                run["options"]
            );
            let soft = model.predict_proba(&new).unwrap();
            let expected = table::<f64>(&run["soft"]["new"]);
            let of_new = memberships_differ(&soft, &expected, &column, |_| true);
            assert_eq!(of_new, (0, 0), "{}", run["options"]);
        }
    }
    assert!(compared >= 13, "{compared}");
}

/// Infinities are equal.
fn close(found: &[f64], expected: &[f64]) -> bool {
    let pairs = found.iter().zip(expected);
    found.len() == expected.len()
        && pairs
            .into_iter()
            .all(|(a, b)| a == b || (a - b).abs() < 1e-9)
}

#[test]
fn optics_agrees_with_scikit_learn() {
    for case in cases() {
        let x = table::<f64>(&case["x"]);
        for run in case["optics"].as_array().unwrap() {
            let mut params = Optics::params(count(&case["min_points"]));
            if let Some(max_eps) = run["max_eps"].as_f64() {
                params = params.with_max_eps(max_eps);
            }
            let model = params.fit(&x).unwrap();
            let order: Vec<f64> = model.order().iter().map(|&row| f64::from(row)).collect();
            assert_eq!(order, numbers(&run["ordering"]));
            assert!(close(model.reachability(), &numbers(&run["reachability"])));
            assert!(close(model.core_distances(), &numbers(&run["core"])));
            let from = model.predecessors().iter();
            let from: Vec<f64> = from.map(|p| p.map_or(-1.0, f64::from)).collect();
            assert_eq!(from, numbers(&run["predecessor"]));
            let eps = case["eps"].as_f64().unwrap();
            let cut = model.cut(eps).unwrap();
            assert_eq!(codes(&cut), numbers(&run["cut"]));
            let xi = model.xi(&XiParams::default()).unwrap();
            let clusters: Vec<Vec<f64>> = xi
                .clusters
                .iter()
                .map(|&(a, b)| vec![a as f64, b as f64])
                .collect();
            let expected: Vec<Vec<f64>> = run["hierarchy"]
                .as_array()
                .unwrap()
                .iter()
                .map(numbers)
                .collect();
            assert_eq!(clusters, expected);
            assert_eq!(codes(&xi.labels), numbers(&run["xi"]));
            assert_eq!(model.labels(), &xi.labels);
            let svg = model.plot_svg(&xi.labels).unwrap();
            assert_eq!(svg.matches("<rect").count(), x.nrows());
            let at_cut = model.with_extraction(Extraction::Cut { eps }).unwrap();
            assert_eq!(at_cut.labels(), &cut);
            assert_eq!(at_cut.predict(&x).unwrap(), cut);
        }
    }
}

#[test]
fn dbcv_agrees_with_the_package() {
    for case in cases() {
        let x = table::<f64>(&case["x"]);
        for run in case["dbcv"].as_array().unwrap() {
            let code = |&c: &f64| (c >= 0.0).then_some(c as u32).into();
            let labels: Array1<Assignment> = numbers(&run["labels"]).iter().map(code).collect();
            let (found, expected) = (
                hdbscan::dbcv(&x, &labels).unwrap(),
                run["value"].as_f64().unwrap(),
            );
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}
