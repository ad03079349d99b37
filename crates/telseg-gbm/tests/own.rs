//! Losses and metrics of the user's own.

use ndarray::{Array1, Array2};
use telseg_gbm::{Better, FitOptions, Gbm, GbmParams, LossAt, Metric, MetricRows, Objective, Stop};

fn data(n: usize) -> (Array2<f32>, Array1<f32>) {
    let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * (7 + 4 * j)) % 101) as f32);
    let y = x
        .rows()
        .into_iter()
        .map(|r| f32::from(u8::from(r[0] + r[1] > 110.0)));
    (x.clone(), y.collect())
}

fn params(objective: Objective) -> GbmParams {
    Gbm::params(objective).with_max_leaves(8).with_n_trees(30)
}

#[test]
fn a_logistic_loss_of_ones_own_is_the_known_one() {
    let (x, y) = data(3000);
    let logistic = |score: f64, y: f32| {
        let p = 1.0 / (1.0 + (-score).exp());
        LossAt {
            loss: -(if y > 0.5 { p } else { 1.0 - p }).ln(),
            gradient: p - f64::from(y),
            hessian: p * (1.0 - p),
        }
    };
    let options = FitOptions::default().with_loss(&logistic);
    let own = params(Objective::Custom).fit_with(&x, &y, options).unwrap();
    let known = params(Objective::Binary).fit(&x, &y).unwrap();
    let (own, known) = (own.predict(&x).unwrap(), known.predict(&x).unwrap());
    // Scores, as a custom loss has no link; the base differs by Newton's last step, and rounding with it.
    let gap = |(s, p): (&f64, &f64)| (1.0 / (1.0 + (-s).exp()) - p).abs();
    let mean = own.iter().zip(&known).map(gap).sum::<f64>() / 3000.0;
    assert!(mean < 1e-3, "{mean}");
}

#[test]
fn early_stopping_looks_at_any_metric() {
    let (x, y) = data(3000);
    // Noise in the targets of the judged rows, so that there is a best round.
    let (vx, vy) = data(500);
    let vy = Array1::from_shape_fn(500, |i| if i % 7 == 0 { 1.0 - vy[i] } else { vy[i] });
    let base = params(Objective::Binary)
        .with_early_stopping(4)
        .with_n_trees(400);
    let options = FitOptions::default().with_validation(&vx, &vy);
    for metric in [
        Metric::Loss,
        Metric::Auc,
        Metric::Accuracy,
        Metric::AbsoluteError,
        Metric::RootSquaredError,
    ] {
        let params = base.clone().with_metric(metric);
        let model = params.fit_with(&x, &y, options).unwrap();
        let (report, p) = (model.report(), model.predict(&vx).unwrap());
        let best = report.valid_loss[report.best_iteration.unwrap() - 1];
        // The traced value is that of the model that is kept.
        let by_hand = |f: &dyn Fn(f64, f64) -> f64| {
            let pairs = p.iter().zip(&vy);
            pairs.map(|(p, y)| f(*p, f64::from(*y))).sum::<f64>() / 500.0
        };
        let found = match metric {
            Metric::Loss => by_hand(&|p, y| -(if y > 0.5 { p } else { 1.0 - p }).ln()),
            Metric::Accuracy => by_hand(&|p, y| f64::from(u8::from((p > 0.5) == (y > 0.5)))),
            Metric::AbsoluteError => by_hand(&|p, y| (p - y).abs()),
            Metric::RootSquaredError => by_hand(&|p, y| (p - y) * (p - y)).sqrt(),
            _ => {
                let rank = |i: usize| {
                    p.iter()
                        .map(|q| {
                            f64::from(u8::from(*q < p[i])) + 0.5 * f64::from(u8::from(*q == p[i]))
                        })
                        .sum::<f64>()
                        - 0.5
                };
                let ones: Vec<usize> = (0..500).filter(|&i| vy[i] > 0.5).collect();
                let n = ones.len() as f64;
                let sum: f64 = ones.iter().map(|&i| rank(i)).sum();
                (sum - n * (n - 1.0) / 2.0) / (n * (500.0 - n))
            }
        };
        assert!((found - best).abs() < 1e-9, "{metric:?}: {found} {best}");
        let higher = matches!(metric, Metric::Auc | Metric::Accuracy);
        let beats = |v: &f64| if higher { *v > best } else { *v < best };
        assert!(!report.valid_loss.iter().any(beats), "{metric:?}");
    }
    let own = |judged: &MetricRows<'_>| judged.predictions[(0, 0)];
    for better in [Better::Higher, Better::Lower] {
        // The probability of one row, which is on its way to 0 or 1.
        let options = options.with_metric(better, &own);
        let model = base.fit_with(&x, &y, options).unwrap();
        let trace = &model.report().valid_loss;
        let up = trace[1] > trace[0];
        let good = up == (better == Better::Higher);
        assert_eq!(model.report().best_iteration == Some(1), !good);
        assert!(good || model.report().stop == Stop::Early);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let (x, y) = data(100);
    let refuse = |p: GbmParams, o: FitOptions<'_>| p.fit_with(&x, &y, o).unwrap_err().to_string();
    let none = FitOptions::default();
    let flat = |_: f64, _: f32| LossAt {
        loss: 0.0,
        gradient: f64::NAN,
        hessian: 1.0,
    };
    assert_eq!(
        refuse(params(Objective::Custom), none),
        "loss: the custom objective has none: give it by with_loss"
    );
    assert_eq!(
        refuse(params(Objective::Binary), none.with_loss(&flat)),
        "loss: Binary has its own: ask for Objective::Custom"
    );
    assert_eq!(
        refuse(params(Objective::Custom), none.with_loss(&flat)),
        "loss: must be finite and its hessian not negative, found 0, gradient NaN, hessian 1 at score 0 of row 0"
    );
    assert_eq!(
        refuse(
            params(Objective::SquaredError).with_metric(Metric::Auc),
            none
        ),
        "metric: Auc says nothing of SquaredError"
    );
    let own = |_: &MetricRows<'_>| 0.0;
    assert_eq!(
        refuse(
            params(Objective::Binary).with_metric(Metric::Auc),
            none.with_metric(Better::Lower, &own)
        ),
        "metric: a metric of your own is given too: choose one"
    );
}
