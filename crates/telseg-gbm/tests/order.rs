//! Ranking and times held against LightGBM 4.7.0 and XGBoost 3.2.0 on data that all sides make from the same integers.
//!
//! Reference: `lightgbm.train({objective: lambdarank, lambdarank_truncation_level: 5})` with groups of 20 rows;
//! `xgboost.train` with `eta` 0.1, `max_leaves` 31, leaf-wise, `rank:pairwise` (all pairs), `survival:cox` and
//! `survival:aft` (scale 1); 100 rounds on the first 8000 rows, judged on the others by NDCG, Harrell's C and the negative
//! log-likelihood of `scipy.stats`. Penalties, cuts and ties differ; 0.006 is about one standard error of C and of NDCG.

#[allow(dead_code)] // no test file uses all of it
mod made;

use made::{Made, N, made, unit};
use ndarray::{Array1, s};
use telseg_gbm::{AftDistribution, FitOptions, Gbm, Metric, Objective, Stop, concordance};

/// Grade of each row and its group of 20.
fn graded() -> (Array1<f32>, Array1<u32>) {
    let grade =
        |v: &f32| f32::from(u8::from(*v >= 1.5) + u8::from(*v >= 3.0) + u8::from(*v >= 4.5));
    let groups = Array1::from_shape_fn(2 * N, |i| (i / 20) as u32);
    (made().number.map(grade), groups)
}

/// Mean NDCG of groups of 20 rows, by its definition.
fn ndcg(scores: &Array1<f64>, grades: &[f32], at: usize) -> f64 {
    let gains = |order: &[usize]| -> f64 {
        let places = order.iter().take(at).enumerate();
        places
            .map(|(place, &i)| (f64::from(grades[i]).exp2() - 1.0) / (place as f64 + 2.0).log2())
            .sum()
    };
    let groups = (0..grades.len() / 20).map(|g| {
        let mut order: Vec<usize> = (20 * g..20 * g + 20).collect();
        order.sort_by(|&a, &b| grades[b].total_cmp(&grades[a]));
        let best = gains(&order);
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        if best == 0.0 {
            1.0
        } else {
            gains(&order) / best
        }
    });
    groups.sum::<f64>() / (grades.len() / 20) as f64
}

#[test]
fn as_good_an_order_as_lightgbm_and_xgboost() {
    let (x, (grade, groups)) = (made().x, graded());
    let (train, test) = (s![..N, ..], s![N.., ..]);
    let (y, ids) = (grade.slice(s![..N]), groups.slice(s![..N]));
    for (objective, theirs) in [
        (Objective::LambdaMart { at: 5 }, [0.92198, 0.95833]),
        (Objective::Pairwise, [0.91909, 0.95754]),
    ] {
        let params = Gbm::params(objective).with_categorical([6]);
        let options = FitOptions::default().with_groups(&ids);
        let model = params.fit_with(&x.slice(train), &y, options).unwrap();
        let scores = model.predict(&x.slice(test)).unwrap();
        let judged = grade.slice(s![N..]).to_vec();
        for (at, theirs) in [5, 20].into_iter().zip(theirs) {
            let found = ndcg(&scores, &judged, at);
            assert!(found > theirs - 0.006, "{objective:?} at {at}: {found}");
        }
    }
}

#[test]
fn groups_are_held_out_whole_and_judged_by_ndcg() {
    let (x, (grade, groups)) = (made().x, graded());
    let n = 2000;
    let (x, y, ids) = (
        x.slice(s![..n, ..]),
        grade.slice(s![..n]),
        groups.slice(s![..n]),
    );
    // The same groups under other names, their rows far apart.
    let mixed = Array1::from_shape_fn(n, |i| (i % 100) as u32);
    for ids in [&ids.to_owned(), &mixed] {
        let params = Gbm::params(Objective::LambdaMart { at: 3 })
            .with_metric(Metric::Ndcg { at: 3 })
            .with_validation_share(0.3)
            .with_early_stopping(5)
            .with_n_trees(200);
        let options = FitOptions::default().with_groups(ids);
        let model = params.fit_with(&x, &y, options).unwrap();
        let report = model.report();
        assert_eq!(report.stop, Stop::Early);
        let best = report.valid_loss[report.best_iteration.unwrap() - 1];
        assert!(report.valid_loss.iter().all(|&v| v <= best) && best > 0.7 && best <= 1.0);
        // What is traced in training is 1 - NDCG of the others.
        assert!(report.train_loss[0] > *report.train_loss.last().unwrap());
    }
}

/// Times with a share of a quarter that are not over, and whether they are.
fn times() -> (Array1<f32>, Array1<bool>) {
    let Made { score, .. } = made();
    let row = |i: usize| {
        let u = unit(30_000_000 + i as u64);
        let time = (-score[i] / 2.0).exp() * -(1.0 - u * 0.999).ln() * 10.0;
        let seen = 1.0 + 14.0 * unit(40_000_000 + i as u64);
        (time.min(seen).max(1e-3) as f32, time <= seen)
    };
    let rows: Vec<(f32, bool)> = (0..2 * N).map(row).collect();
    (
        rows.iter().map(|r| r.0).collect(),
        rows.iter().map(|r| r.1).collect(),
    )
}

#[test]
fn as_good_on_times_as_xgboost() {
    let (x, (time, event)) = (made().x, times());
    let (y, ended) = (time.slice(s![..N]), event.slice(s![..N]));
    let judged: Vec<f64> = time.slice(s![N..]).mapv(f64::from).to_vec();
    let judged_event = event.slice(s![N..]).to_vec();
    let fit = |objective| {
        let options = FitOptions::default().with_events(&ended);
        let params = Gbm::params(objective).with_categorical([6]);
        let model = params.fit_with(&x.slice(s![..N, ..]), &y, options).unwrap();
        model.predict(&x.slice(s![N.., ..])).unwrap().to_vec()
    };
    let risk = fit(Objective::Cox);
    let found = concordance(&judged, &judged_event, &risk, None).unwrap();
    assert!(found > 0.68551 - 0.006, "cox {found}");
    // Negative log-likelihoods that the implementation under test has no part in.
    type Likelihood = fn(f64, bool) -> f64;
    let extreme: Likelihood = |z, event| z.exp() - if event { z } else { 0.0 };
    let logistic: Likelihood = |z, event| {
        let survived = (1.0 + z.exp()).ln();
        if event { 2.0 * survived - z } else { survived }
    };
    for (distribution, theirs, likelihood) in [
        (AftDistribution::Logistic, 1.52156, Some(logistic)),
        (AftDistribution::Extreme, 1.49195, Some(extreme)),
        (AftDistribution::Normal, 0.0, None),
    ] {
        let median = fit(Objective::Aft {
            distribution,
            scale: 1.0,
        });
        let risk: Vec<f64> = median.iter().map(|t| -t).collect();
        let found = concordance(&judged, &judged_event, &risk, None).unwrap();
        assert!(found > 0.6865 - 0.006, "{distribution:?} {found}");
        let Some(likelihood) = likelihood else {
            continue;
        };
        let loss = |i: usize| likelihood((judged[i] / median[i]).ln(), judged_event[i]);
        let loss = (0..N).map(loss).sum::<f64>() / N as f64;
        assert!(loss < theirs + 0.015, "{distribution:?} {loss}");
    }
}

#[test]
fn what_an_order_needs_is_named() {
    let x = ndarray::Array2::from_shape_fn((60, 1), |(i, _)| i as f32);
    let y = Array1::from_shape_fn(60, |i| (i % 3) as f32 + 1.0);
    let ids = Array1::from_shape_fn(60, |i| i as u32);
    let never = Array1::from_elem(60, false);
    let refuse = |objective, options| {
        let fit = Gbm::params(objective).fit_with(&x, &y, options);
        fit.unwrap_err().to_string()
    };
    let none = FitOptions::default();
    assert_eq!(
        refuse(Objective::Pairwise, none),
        "groups: Pairwise compares rows of a group: give them by with_groups"
    );
    assert_eq!(
        refuse(Objective::Pairwise, none.with_groups(&ids)),
        "groups: no group has rows of different targets"
    );
    assert_eq!(
        refuse(Objective::Cox, none.with_events(&never)),
        "events: no time ended: there is no risk to learn"
    );
    assert_eq!(
        refuse(Objective::SquaredError, none.with_events(&never)),
        "events: SquaredError takes no times that are not over"
    );
    let short = Array1::from_elem(59, true);
    assert_eq!(
        refuse(Objective::Cox, none.with_events(&short)),
        "events: expected 60 (as rows of x), found 59"
    );
    let error = Gbm::params(Objective::Cox).fit(&x, &y.mapv(|v| v - 2.5));
    assert_eq!(
        error.unwrap_err().to_string(),
        "y: must be 0 or more, and finite, found -1.5 in row 0"
    );
}
