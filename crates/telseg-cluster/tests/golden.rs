//! Against scikit-learn; see the header of `golden/kmeans.json` for version and tolerance.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ndarray::{Array1, Array2};
use serde_json::Value;
use telseg_cluster::{Algorithm, Init, KMeans, metrics};

fn cases() -> Vec<Value> {
    let golden: Value = serde_json::from_str(include_str!("golden/kmeans.json")).unwrap();
    golden["cases"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Array1<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn table(value: &Value) -> Array2<f64> {
    let rows: Vec<_> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

#[test]
fn same_start_same_end() {
    for case in cases() {
        let (x, init) = (table(&case["x"]), table(&case["init"]));
        for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly, Algorithm::Exponion] {
            let params = KMeans::params(init.nrows())
                .with_init(Init::Centers(init.clone()))
                .with_n_init(1)
                .with_tol(0.0)
                .with_algorithm(algorithm);
            let model = params.fit(&x).unwrap();
            assert_eq!(model.labels().mapv(f64::from), numbers(&case["labels"]));
            assert_eq!(
                model.report().n_iter as f64,
                case["n_iter"].as_f64().unwrap()
            );
            assert!(close(
                model.report().inertia,
                case["inertia"].as_f64().unwrap()
            ));
            let centers = table(&case["centers"]);
            assert!(
                model
                    .centers()
                    .iter()
                    .zip(&centers)
                    .all(|(a, b)| close(*a, *b))
            );
            let weighted = params.fit_weighted(&x, &numbers(&case["weights"])).unwrap();
            assert_eq!(
                weighted.labels().mapv(f64::from),
                numbers(&case["weighted_labels"])
            );
            let inertia = case["weighted_inertia"].as_f64().unwrap();
            assert!(close(weighted.report().inertia, inertia));
        }
    }
}

#[test]
fn metrics_agree() {
    for case in cases() {
        let x = table(&case["x"]);
        let labels = numbers(&case["labels"]).mapv(|l| l as u32);
        let found = metrics::silhouette_samples(&x, &labels).unwrap();
        let expected = numbers(&case["silhouettes"]);
        assert!(found.iter().zip(&expected).all(|(a, b)| close(*a, *b)));
        let single = metrics::silhouette_samples(&x.mapv(|v| v as f32), &labels).unwrap();
        // In f32 a distance errs by some 1e-6 of the cluster's radius.
        assert!(
            single
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-5)
        );
        assert!(close(
            metrics::silhouette(&x, &labels).unwrap(),
            expected.mean().unwrap()
        ));
        let (db, ch) = (
            metrics::davies_bouldin(&x, &labels),
            metrics::calinski_harabasz(&x, &labels),
        );
        assert!(close(db.unwrap(), case["davies_bouldin"].as_f64().unwrap()));
        assert!(close(
            ch.unwrap(),
            case["calinski_harabasz"].as_f64().unwrap()
        ));
    }
}
