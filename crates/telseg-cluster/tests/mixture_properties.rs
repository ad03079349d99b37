//! What holds of mixtures whatever the data, and of statistics of parts.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Axis, array, s};
use proptest::prelude::*;
use telseg_cluster::{
    Covariance, Covariances, Criterion, Family, GaussianInit, GaussianMixture, LatentClass,
    LatentColumn, LatentInit,
};
use telseg_core::Seed;
use telseg_core::merge::{Merge, fold};

const SHAPES: [Covariance; 4] = [
    Covariance::Full,
    Covariance::Tied,
    Covariance::Diagonal,
    Covariance::Spherical,
];
const FAMILIES: [Family; 4] = [
    Family::Normal,
    Family::Categorical { n_levels: 3 },
    Family::Poisson,
    Family::ZeroInflatedPoisson,
];

/// Overlapping groups of rows.
fn numbers(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let stream = Seed::new(seed).stream("mixture.numbers");
    Array2::from_shape_fn((n, d), |(i, j)| {
        let at = |part: usize| stream.unit(((i * d + j) * 4 + part) as u64);
        2.0 * ((i % 3) * (j + 1) % 4) as f64 + at(0) + at(1) + at(2) - at(3)
    })
}

/// A number, a code, a count and a count with many zeros; some cells are missing.
fn mixed(n: usize, seed: u64) -> Array2<f64> {
    let stream = Seed::new(seed).stream("mixture.mixed");
    Array2::from_shape_fn((n, 4), |(i, j)| {
        let (u, kind) = (stream.unit((i * 4 + j) as u64), (i % 3) as f64);
        match j {
            _ if stream.unit((n * 4 + i * 4 + j) as u64) < 0.1 => f64::NAN,
            0 => 1.5 * kind + 2.0 * u,
            1 => ((kind + 3.0 * u) / 2.0).floor().min(2.0),
            2 => (2.0 * kind + 4.0 * u).floor(),
            _ if u < 0.4 => 0.0,
            _ => (2.0 + 6.0 * u - kind).floor(),
        }
    })
}

fn never_falls(trace: &[f64]) -> bool {
    trace
        .windows(2)
        .all(|w| w[1] >= w[0] - 1e-9 * (1.0 + w[0].abs()))
}

fn repeated(x: &Array2<f64>, weights: &[usize]) -> Array2<f64> {
    let each = weights.iter().enumerate().flat_map(|(i, &w)| vec![i; w]);
    x.select(Axis(0), &each.collect::<Vec<_>>())
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-8 * (1.0 + b.abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn gaussian_likelihood_never_falls(n in 30usize..300, d in 1usize..6, k in 1usize..5, shape in 0usize..4, seed: u64) {
        let x = numbers(n, d, seed);
        let params = GaussianMixture::params(k).with_covariance(SHAPES[shape]).with_reg_covar(0.0);
        let model = params.with_tol(0.0).with_max_iter(40).with_seed(seed).fit(&x).unwrap();
        if model.report().collapsed.is_empty() {
            prop_assert!(never_falls(&model.report().trace), "{:?}", model.report().trace);
        }
        let proba = model.predict_proba(&x).unwrap();
        for (row, &label) in proba.rows().into_iter().zip(model.labels()) {
            prop_assert!((row.sum() - 1.0).abs() < 1e-12);
            prop_assert!(row.iter().all(|&p| p <= row[label as usize] + 1e-12));
        }
        let total = model.score_samples(&x).unwrap().sum();
        prop_assert!(near(total, model.report().criteria.log_likelihood));
    }

    #[test]
    fn latent_objective_never_falls(n in 30usize..300, k in 1usize..5, smoothing in 0.0f64..3.0, seed: u64) {
        let x = mixed(n, seed);
        let params = LatentClass::params(k, FAMILIES).with_smoothing(smoothing).with_n_init(1);
        let model = params.with_tol(0.0).with_max_iter(40).with_seed(seed).fit(&x).unwrap();
        if model.report().collapsed.is_empty() {
            prop_assert!(never_falls(&model.report().trace), "{:?}", model.report().trace);
        }
        let total = model.score_samples(&x).unwrap().sum();
        prop_assert!(near(total, model.report().criteria.log_likelihood));
    }

    #[test]
    fn a_weight_is_so_many_rows(seed: u64, shape in 0usize..4, weights in prop::collection::vec(0usize..4, 60)) {
        prop_assume!(weights.iter().filter(|&&w| w > 0).count() > 20);
        let as_weights: Array1<f64> = weights.iter().map(|&w| w as f64).collect();
        let x = numbers(60, 2, seed);
        let init = GaussianInit::Means(x.slice(s![..3, ..]).to_owned());
        let params = GaussianMixture::params(3).with_covariance(SHAPES[shape]).with_reg_covar(0.1).with_init(init);
        let params = params.with_max_iter(10).with_tol(0.0);
        let (a, b) = (params.fit_weighted(&x, &as_weights).unwrap(), params.fit(&repeated(&x, &weights)).unwrap());
        prop_assert!(a.means().iter().zip(b.means()).all(|(a, b)| near(*a, *b)), "{:?} {:?}", a.means(), b.means());
        prop_assert!(near(a.report().criteria.bic, b.report().criteria.bic));

        let x = mixed(60, seed);
        let start = Array2::from_shape_fn((60, 2), |(i, c)| if (i + c) % 2 == 0 { 0.8 } else { 0.2 });
        let params = |start: &Array2<f64>| LatentClass::params(2, FAMILIES).with_n_init(1).with_max_iter(10).with_tol(0.0)
            .with_init(LatentInit::Responsibilities(start.clone()));
        let a = params(&start).fit_weighted(&x, &as_weights).unwrap();
        let b = params(&repeated(&start, &weights)).fit(&repeated(&x, &weights)).unwrap();
        prop_assert!(near(a.report().criteria.icl, b.report().criteria.icl));
        prop_assert!(a.weights().iter().zip(b.weights()).all(|(a, b)| near(*a, *b)));
    }
}

#[test]
fn seven_parts_train_the_model_of_the_whole() {
    let x = numbers(5000, 3, 1);
    let weights = Array1::from_shape_fn(5000, |i| 0.5 + (i % 4) as f64);
    let edges = [0, 10, 900, 1700, 2500, 3000, 4999, 5000];
    for shape in SHAPES {
        let means = x.slice(s![..3, ..]).to_owned();
        let params = GaussianMixture::params(3)
            .with_covariance(shape)
            .with_tol(0.0);
        let start = params
            .clone()
            .with_init(GaussianInit::Means(means))
            .with_max_iter(1);
        let start = start.fit_weighted(&x, &weights).unwrap();
        let whole = params.with_init(start.to_init()).with_max_iter(20);
        let whole = whole.fit_weighted(&x, &weights).unwrap();
        let mut model = GaussianMixture::from_parameters(
            start.weights().clone(),
            start.means().clone(),
            start.covariances().clone(),
        )
        .unwrap();
        for _ in 0..20 {
            let parts = edges.windows(2).map(|w| {
                let (x, weights) = (x.slice(s![w[0]..w[1], ..]), weights.slice(s![w[0]..w[1]]));
                model.summarise(&x, Some(&weights)).unwrap()
            });
            let stats = fold(parts).unwrap().unwrap();
            model = model.update(&stats, 1e-6).unwrap();
        }
        // The order of the sums differs, and so does the point that everything is computed relative to.
        let pairs = model.means().iter().zip(whole.means());
        assert!(
            pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-9),
            "{shape:?}"
        );
        let trace = model.report().trace.iter().zip(&whole.report().trace);
        assert!(
            trace.into_iter().all(|(a, b)| (a - b).abs() < 1e-11),
            "{shape:?}"
        );
    }
}

#[test]
fn seven_parts_train_the_latent_classes_of_the_whole() {
    let x = mixed(5000, 1);
    let params = LatentClass::params(3, FAMILIES)
        .with_n_init(1)
        .with_tol(0.0);
    let start = params.clone().with_max_iter(1).fit(&x).unwrap();
    let whole = params
        .with_init(start.to_init())
        .with_max_iter(20)
        .fit(&x)
        .unwrap();
    let mut model =
        LatentClass::from_parameters(start.weights().clone(), start.columns().to_vec()).unwrap();
    for _ in 0..20 {
        let parts = x.axis_chunks_iter(Axis(0), 715);
        let parts: Vec<_> = parts.map(|x| model.summarise(&x, None).unwrap()).collect();
        assert_eq!(parts.len(), 7);
        model = model.update(&fold(parts).unwrap().unwrap(), 1.0).unwrap();
    }
    let proba = [&model, &whole].map(|m| m.predict_proba(&x).unwrap());
    let pairs = proba[0].iter().zip(&proba[1]);
    assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-9));
}

#[test]
fn statistics_of_other_models_are_refused() {
    let x = numbers(100, 2, 1);
    let model = GaussianMixture::params(2).fit(&x).unwrap();
    let mut stats = model.summarise(&x, None).unwrap();
    let next = model.update(&stats, 1e-6).unwrap();
    let error = next.update(&stats, 1e-6).unwrap_err().to_string();
    assert_eq!(error, "stats: were not taken under this model");
    let other = next.summarise(&x, None).unwrap();
    let error = stats.merge(&other).unwrap_err().to_string();
    assert!(error.starts_with("stats to merge: "), "{error}");
    let saved = serde_json::to_string(&stats).unwrap();
    assert_eq!(stats, serde_json::from_str(&saved).unwrap());
}

#[test]
fn a_component_without_rows_or_shrunk_to_a_point_is_reported() {
    // Ten rows in one spot, and twenty spread out.
    let x = Array2::from_shape_fn((30, 2), |(i, j)| {
        if i < 10 {
            50.0
        } else {
            ((i * (j + 3)) % 7) as f64
        }
    });
    let model = GaussianMixture::params(2).with_seed(1).fit(&x).unwrap();
    let spot = model.labels()[0];
    assert_eq!(model.report().collapsed, [spot]);
    assert!(
        model
            .score_samples(&x)
            .unwrap()
            .iter()
            .all(|s| s.is_finite())
    );
    // Nobody is near the third mean, whose component is narrow.
    let init = GaussianInit::Parameters {
        weights: array![0.4, 0.4, 0.2],
        means: array![[50.0, 50.0], [3.0, 3.0], [1e4, 1e4]],
        covariances: Covariances::Spherical(array![1.0, 4.0, 1e-3]),
    };
    let params = GaussianMixture::params(3).with_covariance(Covariance::Spherical);
    let model = params.with_init(init).fit(&x).unwrap();
    assert_eq!(model.weights()[2], 0.0);
    assert!(model.report().collapsed.contains(&2));
    assert!(
        model
            .predict_proba(&x)
            .unwrap()
            .column(2)
            .iter()
            .all(|&p| p == 0.0)
    );
}

#[test]
fn samples_come_from_the_mixture() {
    let means = array![[-4.0, 1.0], [5.0, 0.0]];
    let covariance = array![[[1.0, 0.5], [0.5, 2.0]], [[0.5, 0.0], [0.0, 0.1]]];
    let model = GaussianMixture::<f64>::from_parameters(
        array![0.25, 0.75],
        means.clone(),
        Covariances::Full(covariance.clone()),
    )
    .unwrap();
    let (x, of) = model.sample(20_000, 7);
    assert_eq!(model.sample(20_000, 7).0, x);
    assert_eq!(model.sample(10, 7).0, x.slice(s![..10, ..]));
    let share = of.iter().filter(|&&j| j == 1).count() as f64 / 20_000.0;
    assert!((share - 0.75).abs() < 0.015, "{share}"); // five standard errors of 0.003
    let learnt = GaussianMixture::params(2)
        .with_seed(1)
        .with_tol(1e-9)
        .fit(&x)
        .unwrap();
    let first = usize::from(learnt.means()[[0, 0]] > 0.0); // the place of the component at -4
    for (j, found) in [(0, first), (1, 1 - first)] {
        assert!((learnt.means()[[found, 0]] - means[[j, 0]]).abs() < 0.08);
        let found = learnt.covariances().matrix(found, 2);
        let pairs = found.iter().zip(covariance.index_axis(Axis(0), j));
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 0.2));
    }
}

#[test]
fn criteria_choose_the_planted_number() {
    let x = Array2::from_shape_fn((600, 2), |(i, j)| {
        let normal = (0..12).map(|p| Seed::new(3).stream("n").unit(((i * 2 + j) * 12 + p) as u64));
        6.0 * ((i % 3) * (j + 1) % 3) as f64 + normal.sum::<f64>() - 6.0
    });
    for criterion in [Criterion::Bic, Criterion::Icl] {
        let params = GaussianMixture::params(1).with_n_init(3);
        let choice = params.choose(1..=6, &x, criterion).unwrap();
        assert_eq!(choice.model.n_components(), 3, "{}", choice.reason);
        let families = [Family::Normal, Family::Normal];
        let choice = LatentClass::params(1, families)
            .choose(1..=6, &x, criterion)
            .unwrap();
        assert_eq!(choice.model.n_components(), 3, "{}", choice.reason);
        assert!(choice.candidates[2].chosen && choice.candidates.len() == 6);
        assert!(choice.model.report().criteria.entropy_r2 > 0.9);
    }
}

#[test]
fn smoothing_leaves_no_probability_at_zero() {
    let x = array![
        [0.0, 0.0],
        [0.0, 0.0],
        [0.0, 0.0],
        [1.0, 9.0],
        [1.0, 8.0],
        [1.0, 9.0]
    ];
    let families = [
        Family::Categorical { n_levels: 4 },
        Family::ZeroInflatedPoisson,
    ];
    let model = LatentClass::params(2, families)
        .with_seed(2)
        .fit(&x)
        .unwrap();
    for column in model.columns() {
        match column {
            LatentColumn::Categorical { probabilities } => {
                assert!(probabilities.iter().all(|&p| p > 0.01), "{probabilities}");
            }
            LatentColumn::ZeroInflatedPoisson { rates, zeros } => {
                assert!(rates.iter().all(|&r| r > 0.1), "{rates}");
                assert!(zeros.iter().all(|&z| z > 0.01 && z < 0.99), "{zeros}");
            }
            other => panic!("{other:?}"),
        }
    }
    let unseen = model.score_samples(&array![[3.0, 100.0]]).unwrap();
    assert!(unseen[0].is_finite());
}

#[test]
fn cells_that_a_column_cannot_hold_are_named() {
    let families = [Family::Categorical { n_levels: 2 }, Family::Poisson];
    let params = LatentClass::params(1, families);
    let error = |x: Array2<f64>| params.fit(&x).unwrap_err().to_string();
    assert_eq!(
        error(array![[0.0, 1.0], [2.0, 1.0]]),
        "x: 2 is not a code from 0 to 1 in row 1, column 0"
    );
    assert_eq!(
        error(array![[0.0, 1.5]]),
        "x: 1.5 is not a count in row 0, column 1"
    );
    assert_eq!(
        error(array![[0.0]]),
        "x: expected 2 columns (families), found 1"
    );
}
