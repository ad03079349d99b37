//! Where boosting starts and where it stops.

use std::ops::ControlFlow;
use std::time::Duration;

use ndarray::{Array1, Array2, s};
use telseg_gbm::{FitOptions, Gbm, GbmParams, Objective, Stop};

/// Rows of two columns, and a number that both matter to.
fn data(n: usize) -> (Array2<f32>, Array1<f32>) {
    let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * (7 + 4 * j)) % 101) as f32);
    let y = x
        .rows()
        .into_iter()
        .map(|r| (r[0] / 20.0).sin() * 3.0 + f32::from(u8::from(r[1] > 50.0)))
        .collect();
    (x, y)
}

fn params() -> GbmParams {
    Gbm::params(Objective::SquaredError).with_max_leaves(8)
}

#[test]
fn training_goes_on_where_it_ended() {
    let (x, y) = data(2000);
    let whole = params().with_n_trees(40).fit(&x, &y).unwrap();
    let half = params().with_n_trees(20).fit(&x, &y).unwrap();
    let options = FitOptions::default().with_start(&half);
    let rest = params().with_n_trees(20).fit_with(&x, &y, options).unwrap();
    assert_eq!(rest.trees(), whole.trees()); // to the last bit: the same streams, the same order of additions
    assert_eq!(rest.importance(), whole.importance());
    assert_eq!(rest.report().n_trees, 40);
    assert_eq!(rest.report().train_loss, whole.report().train_loss[20..]);
}

#[test]
fn an_earlier_model_that_cannot_be_bettered_stays() {
    let (x, y) = data(600);
    let start = params().with_n_trees(30).fit(&x, &y).unwrap();
    // Validation targets are exactly what the model says.
    let own = start.predict(&x).unwrap().mapv(|v| v as f32);
    let options = FitOptions::default()
        .with_start(&start)
        .with_validation(&x, &own);
    let shifted = y.mapv(|v| v + 1.0);
    let after = params()
        .with_early_stopping(3)
        .fit_with(&x, &shifted, options)
        .unwrap();
    assert_eq!(after.trees(), start.trees());
    assert_eq!(after.report().best_iteration, Some(30));
    assert_eq!(after.report().stop, Stop::Early);
}

#[test]
fn base_scores_are_added_to_and_left_out() {
    let (x, y) = data(2000);
    // What the first column does is known; the trees find the second.
    let known: Array1<f64> = x.column(0).mapv(|v| f64::from((v / 20.0).sin() * 3.0));
    let options = FitOptions::default().with_base_scores(&known);
    let stumps = params().with_max_leaves(2);
    let model = stumps.fit_with(&x, &y, options).unwrap();
    assert_eq!(model.importance().splits[0], 0);
    let own = model.predict(&x).unwrap();
    for (i, p) in own.iter().enumerate() {
        assert!(
            (p - f64::from(u8::from(x[(i, 1)] > 50.0))).abs() < 1e-3,
            "{p}"
        );
    }
    // An exposure: calls of one month or of twelve at a rate that the column says.
    let months = Array1::from_shape_fn(2000, |i| if i % 3 == 0 { 12.0f64 } else { 1.0 });
    let rate = |i: usize| if x[(i, 1)] > 50.0 { 2.0 } else { 0.5 };
    let calls = Array1::from_shape_fn(2000, |i| (months[i] * rate(i)) as f32);
    let log = months.mapv(f64::ln);
    let options = FitOptions::default().with_base_scores(&log);
    let poisson = Gbm::params(Objective::Poisson).with_max_leaves(2);
    let model = poisson.fit_with(&x, &calls, options).unwrap();
    for (i, p) in model.predict(&x).unwrap().iter().enumerate() {
        assert!((p / rate(i) - 1.0).abs() < 0.01, "{p} {}", rate(i));
    }
}

#[test]
fn several_outputs_start_anywhere_too() {
    let (x, y) = data(900);
    let class = y.mapv(|v| f32::from(u8::from(v > 0.0) + u8::from(v > 2.0)));
    let params = Gbm::params(Objective::Softmax { n_classes: 3 }).with_max_leaves(4);
    let whole = params.clone().with_n_trees(8).fit(&x, &class).unwrap();
    let half = params.clone().with_n_trees(4).fit(&x, &class).unwrap();
    let options = FitOptions::default().with_start(&half);
    let rest = params.clone().with_n_trees(4);
    let rest = rest.fit_with(&x, &class, options).unwrap();
    assert_eq!(rest.trees(), whole.trees());
    let scores = half.trees().predict(&x).unwrap();
    let options = FitOptions::default().with_base_scores_of_outputs(&scores);
    let above = params.clone().with_n_trees(4).fit_with(&x, &class, options);
    let above = above.unwrap();
    let loss = |scores: &Array2<f64>| {
        let rows = scores.rows().into_iter().zip(&class);
        let of_row = |(row, y): (ndarray::ArrayView1<'_, f64>, &f32)| {
            row.mapv(f64::exp).sum().ln() - row[*y as usize]
        };
        rows.map(of_row).sum::<f64>()
    };
    let after = &scores + &above.trees().predict(&x).unwrap();
    assert!(loss(&after) < 0.8 * loss(&scores));
}

#[test]
fn callbacks_and_time_end_a_fit() {
    let (x, y) = data(500);
    let stop = |round: &telseg_gbm::Round| {
        assert!(round.valid_loss.is_none());
        if round.n_rounds == 5 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let options = FitOptions::default().with_callback(&stop);
    let model = params().fit_with(&x, &y, options).unwrap();
    assert_eq!(
        (model.trees().n_trees(), model.report().stop),
        (5, Stop::Asked)
    );
    let options = FitOptions::default().with_time_limit(Duration::ZERO);
    let model = params().fit_with(&x, &y, options).unwrap();
    assert_eq!(
        (model.trees().n_trees(), model.report().stop),
        (0, Stop::Time)
    );
    let mean = f64::from(y.mean().unwrap());
    assert!((model.predict(&x).unwrap()[0] - mean).abs() < 1e-5);
    let limit = Duration::from_millis(300);
    let began = std::time::Instant::now();
    let many = params().with_n_trees(1_000_000);
    let options = FitOptions::default().with_time_limit(limit);
    let model = many.fit_with(&x, &y, options).unwrap();
    // A busy machine may be late; a million trees would take far longer.
    assert!(began.elapsed() < Duration::from_secs(60) && model.trees().n_trees() > 0);
}

#[test]
fn what_does_not_fit_is_named() {
    let (x, y) = data(100);
    let start = params().with_n_trees(2).fit(&x, &y).unwrap();
    let (short, long) = (Array1::<f64>::zeros(99), Array1::<f64>::zeros(100));
    let refuse = |p: GbmParams, o: FitOptions<'_>| p.fit_with(&x, &y, o).unwrap_err().to_string();
    let none = FitOptions::default();
    assert_eq!(
        refuse(params(), none.with_base_scores(&short)),
        "base_scores: expected 100 rows by 1 outputs, found 99 by 1"
    );
    let mut odd = long.clone();
    odd[7] = f64::NAN;
    assert_eq!(
        refuse(params(), none.with_base_scores(&odd)),
        "base_scores: must be finite, found NaN in row 7"
    );
    assert_eq!(
        refuse(params(), none.with_base_scores(&long).with_start(&start)),
        "base_scores: an earlier model is given too: choose one"
    );
    assert_eq!(
        refuse(
            params(),
            none.with_base_scores(&long).with_validation(&x, &y)
        ),
        "validation_base_scores: the training rows have base scores: give those of the validation rows too"
    );
    assert_eq!(
        refuse(
            Gbm::params(Objective::AbsoluteError),
            none.with_start(&start)
        ),
        "start: was trained for SquaredError, this fit is for AbsoluteError"
    );
    let narrow = x.slice(s![.., ..1]);
    let error = params().fit_with(&narrow, &y, none.with_start(&start));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("expected 2 columns")
    );
}
