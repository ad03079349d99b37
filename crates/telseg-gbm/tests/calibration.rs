//! Calibration held against scikit-learn 1.9.1 on data that both sides make from the same integers.
//!
//! References: `_sigmoid_calibration` on log-odds, `IsotonicRegression(out_of_bounds="clip")`, `LogisticRegression` without
//! penalty and with `tol=1e-12` on `ln p, -ln(1 - p)` (beta) and on the log-odds without intercept (temperature), and
//! `_TemperatureScaling` for three classes; without weights and with weights 1, 2, 3 in turn. scikit-learn's solvers stop
//! at gradients of 1e-6 to 1e-12, which leaves the probabilities right to 1e-5; isotonic maps are exact.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, array};
use telseg_core::artefact;
use telseg_core::metrics::binary::{Bins, calibration, log_loss};
use telseg_gbm::{
    Calibrated, Calibration, Calibrator, Ebm, Gbm, Objective, Temperature, cross_predict,
    fit_calibrated,
};
use telseg_testkit::{pool, table};

/// SplitMix64's finaliser of a counter, as 24 bits in [0, 1).
fn unit(i: u64) -> f64 {
    let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f64 / (1u64 << 24) as f64
}

const N: usize = 400;
const AT: [f64; 5] = [0.001, 0.2, 0.5, 0.77, 0.99];

fn data() -> (Array1<f64>, Array1<f32>, Array1<f32>) {
    let p = Array1::from_shape_fn(N, |i| ((unit(i as u64) * 1000.0).floor() + 1.0) / 1002.0);
    let y = Array1::from_shape_fn(N, |i| {
        (unit(1000 + i as u64) < p[i] * p[i] * 0.8 + 0.1) as u8 as f32
    });
    let weights = Array1::from_shape_fn(N, |i| (1 + i % 3) as f32);
    (p, y, weights)
}

#[test]
fn every_method_agrees_with_scikit_learn() {
    let (p, y, weights) = data();
    let expected = [
        (
            Calibration::Platt,
            1e-5,
            [
                0.0012945799515635568,
                0.1331918844046316,
                0.3376308257003533,
                0.5917802690600524,
                0.9644613545156601,
            ],
            [
                0.00235882297885877,
                0.15230017960218495,
                0.3476950526522748,
                0.5790026476259766,
                0.951454138636356,
            ],
        ),
        (
            Calibration::Isotonic,
            1e-12,
            [
                0.0,
                0.10101010101010101,
                0.30120481927710846,
                0.5714285714285714,
                1.0,
            ],
            [
                0.0,
                0.12234042553191489,
                0.31666666666666665,
                0.5454545454545454,
                1.0,
            ],
        ),
        (
            Calibration::Beta,
            1e-5,
            [
                0.01899439682746206,
                0.14108553489925538,
                0.3010344398347696,
                0.5929033715873627,
                0.9916695948341618,
            ],
            [
                0.02468197668448333,
                0.15994209904989345,
                0.3142742672961965,
                0.578018836080514,
                0.9858517194283324,
            ],
        ),
        (
            Calibration::Temperature,
            1e-5,
            [
                0.003363226443938558,
                0.2418853601099028,
                0.5,
                0.7302131669126097,
                0.9778299054052819,
            ],
            [
                0.005886091840233062,
                0.26317657189173316,
                0.5,
                0.7104035914103457,
                0.9680940857007531,
            ],
        ),
    ];
    for (method, tolerance, plain, weighted) in expected {
        let params = Calibrator::params(method);
        let fitted = [
            params.fit(&p, &y).unwrap(),
            params.fit_weighted(&p, &y, &weights).unwrap(),
        ];
        for (calibrator, expected) in fitted.iter().zip([plain, weighted]) {
            let found = calibrator.predict(&Array1::from(AT.to_vec())).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < tolerance,
                    "{method:?}: {found} {expected}"
                );
            }
            let bytes = artefact::to_bytes(calibrator, &[]).unwrap();
            assert_eq!(
                artefact::from_bytes::<Calibrator>(&bytes).unwrap().0,
                *calibrator
            );
        }
        // A weight is a repeated row, a row of weight 0 is absent.
        let repeated: Vec<usize> = (0..N)
            .flat_map(|i| std::iter::repeat_n(i, 1 + i % 3))
            .collect();
        let pick = |list: &Array1<f64>| Array1::from_iter(repeated.iter().map(|&i| list[i]));
        let again = params
            .fit(
                &pick(&p),
                &Array1::from_iter(repeated.iter().map(|&i| y[i])),
            )
            .unwrap();
        for at in AT {
            let gap = again.predict_one(at).unwrap() - fitted[1].predict_one(at).unwrap();
            assert!(gap.abs() < 1e-9, "{method:?} {gap}");
        }
    }
}

#[test]
fn the_temperature_of_several_classes_agrees_with_scikit_learn() {
    let scores =
        Array2::from_shape_fn((N, 3), |(i, k)| unit(5000 + (3 * i + k) as u64) * 8.0 - 4.0);
    let labels = Array1::from_shape_fn(N, |i| {
        let e: Vec<f64> = scores.row(i).iter().map(|s| (s / 2.5).exp()).collect();
        let total: f64 = e.iter().sum();
        let (u, mut sum) = (unit(9000 + i as u64), 0.0);
        let passed = e.iter().filter(|&&e| {
            sum += e / total;
            u > sum
        });
        passed.count() as u32
    });
    let found = Temperature::fit(&scores, &labels).unwrap();
    assert!(
        (found.temperature() - 2.4299814815).abs() < 1e-3,
        "{}",
        found.temperature()
    );
    let p = found.predict(&scores).unwrap();
    assert!(
        p.rows()
            .into_iter()
            .all(|row| (row.sum() - 1.0).abs() < 1e-12)
    );
    // The log loss is lowest there.
    let loss = |t: f64| -> f64 {
        let of = |i: usize| {
            let row: Vec<f64> = scores.row(i).iter().map(|s| s / t).collect();
            row.iter().map(|s| s.exp()).sum::<f64>().ln() - row[labels[i] as usize]
        };
        (0..N).map(of).sum()
    };
    let t = found.temperature();
    assert!(loss(t) < loss(t * 1.001) && loss(t) < loss(t / 1.001));
    let wrong = Temperature::fit(&scores, &Array1::from_elem(N, 3)).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "labels: must be below 3, found 3 in row 0"
    );
}

#[test]
fn beta_calibration_never_turns_the_ranking_round() {
    // The more likely is said to be, the rarer it is.
    let p = Array1::from_shape_fn(N, |i| (i as f64 + 0.5) / N as f64);
    let y = Array1::from_shape_fn(N, |i| (i < N / 3) as u8 as f32);
    let beta = Calibrator::params(Calibration::Beta).fit(&p, &y).unwrap();
    let out = beta.predict(&p).unwrap();
    assert!(out.iter().all(|v| (v - out[0]).abs() < 1e-9));
    assert!((out[0] - y.sum() as f64 / N as f64).abs() < 1e-9);
}

#[test]
fn out_of_fold_calibration_makes_an_overconfident_model_honest() {
    let data = table::<f32>(3000, 6, 4);
    // Half of the classes are noise, which many deep trees learn by heart.
    let y = Array1::from_shape_fn(3000, |i| {
        let sure = data.x[(i, 0)] > 0.0;
        (if unit(i as u64) < 0.5 {
            sure
        } else {
            unit(70_000 + i as u64) < 0.5
        }) as u8 as f32
    });
    let params = Gbm::params(Objective::Binary)
        .with_max_leaves(127)
        .with_min_rows_leaf(2);
    let raw = cross_predict(&params, &data.x, &y, 5, 0)
        .unwrap()
        .predictions;
    let events: Vec<bool> = y.iter().map(|&v| v > 0.5).collect();
    let error = |p: &Array1<f64>| {
        calibration(&events, p.as_slice().unwrap(), None, Bins::Quantile(10))
            .unwrap()
            .ece
    };
    let loss = |p: &Array1<f64>| log_loss(&events, p.as_slice().unwrap(), None).unwrap();
    for method in [
        Calibration::Platt,
        Calibration::Isotonic,
        Calibration::Beta,
        Calibration::Temperature,
    ] {
        let honest = Calibrator::params(method)
            .fit(&raw, &y)
            .unwrap()
            .predict(&raw)
            .unwrap();
        assert!(
            error(&honest) < 0.4 * error(&raw),
            "{method:?}: {} {}",
            error(&honest),
            error(&raw)
        );
        assert!(loss(&honest) < loss(&raw));
    }
    let small = params.with_n_trees(5);
    let model = fit_calibrated(&small, Calibration::Beta, (&data.x, &y), (3, 0)).unwrap();
    assert_eq!(
        pool(1, || fit_calibrated(
            &small,
            Calibration::Beta,
            (&data.x, &y),
            (3, 0)
        )
        .unwrap()),
        model
    );
    let p = model.predict(&data.x).unwrap();
    let row = data.x.row(7).to_vec();
    assert_eq!(model.predict_row(&row).unwrap(), p[7]);
    let bytes = artefact::to_bytes(&model, &[]).unwrap();
    assert_eq!(
        artefact::from_bytes::<Calibrated<Gbm>>(&bytes).unwrap().0,
        model
    );
    assert!(artefact::from_bytes::<Calibrated<Ebm>>(&bytes).is_err());
}

#[test]
fn odd_predictions_are_sentences_or_work() {
    let params = Calibrator::params(Calibration::Isotonic);
    let text = |p: &Array1<f64>, y: &Array1<f32>| params.fit(p, y).unwrap_err().to_string();
    assert_eq!(
        text(&array![0.5, f64::NAN], &array![0.0, 1.0]),
        "p: must be 0 to 1, found NaN in row 1"
    );
    assert_eq!(
        text(&array![0.5], &array![0.0, 1.0]),
        "y: expected 1 targets (as rows of x), found 2"
    );
    assert_eq!(
        text(&array![], &array![]),
        "p: expected at least one row, found 0"
    );
    assert_eq!(
        text(&array![0.5], &array![0.5]),
        "y: must be 0 or 1, found 0.5 in row 0"
    );
    // One row, one class, certainty: finite, within 0 and 1.
    for method in [
        Calibration::Platt,
        Calibration::Isotonic,
        Calibration::Beta,
        Calibration::Temperature,
    ] {
        for (p, y) in [
            (array![0.3], array![1.0f32]),
            (array![0.0, 1.0, 0.0, 1.0], array![0.0, 1.0, 1.0, 1.0]),
            (array![0.1, 0.2, 0.8, 0.9], array![0.0, 0.0, 1.0, 1.0]),
            (array![0.5, 0.5], array![0.0, 1.0]),
        ] {
            let fitted = Calibrator::params(method).fit(&p, &y).unwrap();
            for at in [0.0, 0.3, 1.0] {
                assert!(
                    (0.0..=1.0).contains(&fitted.predict_one(at).unwrap()),
                    "{method:?}"
                );
            }
            assert_eq!(
                fitted.predict_one(2.0).unwrap_err().to_string(),
                "p: must be 0 to 1, found 2"
            );
        }
    }
}
