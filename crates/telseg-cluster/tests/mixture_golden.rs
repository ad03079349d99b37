//! Against scikit-learn, StepMix and a direct EM; see the header of `golden/mixture.json` for versions and tolerance.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Array3};
use serde_json::Value;
use telseg_cluster::{
    Covariance, Covariances, Family, GaussianInit, GaussianMixture, LatentClass, LatentClassParams,
    LatentColumn, LatentInit,
};

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/mixture.json")).unwrap()
}

/// Numbers of any nesting; null is missing.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().unwrap_or(f64::NAN)],
    }
}

fn numbers(value: &Value) -> Array1<f64> {
    flat(value).into()
}

fn table(value: &Value) -> Array2<f64> {
    let rows = value.as_array().unwrap().len();
    let all = flat(value);
    Array2::from_shape_vec((rows, all.len() / rows), all).unwrap()
}

fn covariances(shape: &str, values: &Value, (k, d): (usize, usize)) -> Covariances {
    let values = flat(values);
    match shape {
        "full" => Covariances::Full(Array3::from_shape_vec((k, d, d), values).unwrap()),
        "tied" => Covariances::Tied(Array2::from_shape_vec((d, d), values).unwrap()),
        "diag" => Covariances::Diagonal(Array2::from_shape_vec((k, d), values).unwrap()),
        _ => Covariances::Spherical(values.into()),
    }
}

#[track_caller]
fn close<'a>(
    found: impl IntoIterator<Item = &'a f64>,
    expected: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) {
    let (mut found, mut expected) = (found.into_iter(), expected.into_iter());
    loop {
        match (found.next(), expected.next()) {
            (None, None) => break,
            (Some(a), Some(b)) => assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} {b}"),
            _ => panic!("lengths differ"),
        }
    }
}

/// All numbers of one component after the other.
fn matrices(covariances: &Covariances, k: usize, d: usize) -> Vec<f64> {
    (0..k).flat_map(|j| covariances.matrix(j, d)).collect()
}

#[test]
fn gaussian_mixtures_end_where_scikit_learn_does() {
    for case in golden()["gaussian"].as_array().unwrap() {
        let shape = case["shape"].as_str().unwrap();
        let (x, means) = (table(&case["x"]), table(&case["means_init"]));
        let (k, d) = means.dim();
        let precisions = covariances(shape, &case["precisions_init"], (k, d));
        let given = covariances(shape, &case["covariances_init"], (k, d));
        close(
            &matrices(&precisions.inverse().unwrap(), k, d),
            &matrices(&given, k, d),
            1e-9,
        );
        let params = GaussianMixture::params(k)
            .with_covariance(match shape {
                "full" => Covariance::Full,
                "tied" => Covariance::Tied,
                "diag" => Covariance::Diagonal,
                _ => Covariance::Spherical,
            })
            .with_init(GaussianInit::Parameters {
                weights: numbers(&case["weights_init"]),
                means,
                covariances: given,
            })
            .with_tol(0.0)
            .with_max_iter(30);
        let model = params.fit(&x).unwrap();
        let expected = covariances(shape, &case["covariances"], (k, d));
        close(model.weights(), &numbers(&case["weights"]), 1e-8);
        close(model.means(), &table(&case["means"]), 1e-8);
        close(
            &matrices(model.covariances(), k, d),
            &matrices(&expected, k, d),
            1e-8,
        );
        close(
            &model.predict_proba(&x).unwrap(),
            &table(&case["proba"]),
            1e-7,
        );
        close(
            &model.score_samples(&x).unwrap(),
            &numbers(&case["scores"]),
            1e-8,
        );
        assert_eq!(model.labels().mapv(f64::from), numbers(&case["labels"]));
        let criteria = model.report().criteria;
        close(
            &[criteria.bic, criteria.aic],
            &[case["bic"].as_f64().unwrap(), case["aic"].as_f64().unwrap()],
            1e-8,
        );
        // Rows in single precision are computed so; a column at 100 with a spread of 1 loses another two digits.
        let single = params.fit(&x.mapv(|v| v as f32)).unwrap();
        let (a, b) = (single.report().criteria, criteria);
        close([&a.log_likelihood], [&b.log_likelihood], 1e-4);
        close(single.means(), model.means(), 1e-3);
    }
}

fn exact(k: usize, families: impl IntoIterator<Item = Family>, case: &Value) -> LatentClassParams {
    LatentClass::params(k, families)
        .with_init(LatentInit::Responsibilities(table(&case["start"])))
        .with_n_init(1)
        .with_tol(0.0)
        .with_smoothing(0.0)
}

#[test]
fn latent_classes_with_missing_cells_end_where_stepmix_does() {
    let golden = golden();
    let case = &golden["latent"];
    let x = table(&case["x"]);
    let families = [
        Family::Normal,
        Family::Normal,
        Family::Categorical { n_levels: 3 },
        Family::Categorical { n_levels: 2 },
    ];
    // The first of its M steps is our start.
    let n_iter = case["n_steps"].as_u64().unwrap() as usize - 1;
    let model = exact(3, families, case)
        .with_max_iter(n_iter)
        .fit(&x)
        .unwrap();
    let (means, variances) = (table(&case["means"]), table(&case["variances"]));
    let probabilities = table(&case["probabilities"]); // three places for each column
    close(model.weights(), &numbers(&case["weights"]), 1e-8);
    for (j, column) in model.columns().iter().enumerate() {
        match column {
            LatentColumn::Normal {
                means: m,
                variances: v,
            } => {
                close(m, means.column(j), 1e-8);
                close(v, variances.column(j), 1e-8);
            }
            LatentColumn::Categorical { probabilities: p } => {
                for (level, p) in p.columns().into_iter().enumerate() {
                    close(p, probabilities.column((j - 2) * 3 + level), 1e-8);
                }
            }
            other => panic!("{other:?}"),
        }
    }
    close(
        &model.predict_proba(&x).unwrap(),
        &table(&case["proba"]),
        1e-7,
    );
    let criteria = model.report().criteria;
    close(
        [&criteria.log_likelihood],
        [&case["log_likelihood"].as_f64().unwrap()],
        1e-10,
    );
    // StepMix counts the third level that the second column does not have.
    assert_eq!(criteria.n_parameters, 2 + 12 + 3 * (2 + 1));
}

#[test]
fn counts_with_missing_cells_end_where_a_direct_em_does() {
    let golden = golden();
    let case = &golden["counts"];
    let x = table(&case["x"]);
    let families = [Family::Poisson, Family::ZeroInflatedPoisson];
    let model = exact(2, families, case).with_max_iter(60).fit(&x).unwrap();
    close(model.weights(), &numbers(&case["weights"]), 1e-8);
    match model.columns() {
        [
            LatentColumn::Poisson { rates },
            LatentColumn::ZeroInflatedPoisson {
                rates: inflated,
                zeros,
            },
        ] => {
            close(rates, &numbers(&case["rates"]), 1e-8);
            close(inflated, &numbers(&case["inflated"]), 1e-8);
            close(zeros, &numbers(&case["zeros"]), 1e-8);
        }
        other => panic!("{other:?}"),
    }
    close(
        &model.predict_proba(&x).unwrap(),
        &table(&case["proba"]),
        1e-7,
    );
    close(
        [&model.report().criteria.log_likelihood],
        [&case["log_likelihood"].as_f64().unwrap()],
        1e-10,
    );
}
