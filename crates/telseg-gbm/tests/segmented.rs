//! Models by segments: corrections where they help, and only there.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, array};
use telseg_core::Result;
use telseg_core::artefact;
use telseg_core::seed::Seed;
use telseg_gbm::{Choice, Ebm, Gbm, Objective, Pairs, Segmented, SegmentedParams};
use telseg_testkit::{Facts, Subject, as_rows, conformance, table};

/// The segment is told by the last column, so that the suite need not know of it.
struct ByLastColumn(SegmentedParams);

fn segments(x: &ArrayRef2<f32>) -> Array1<u32> {
    let last = x.ncols().checked_sub(1);
    Array1::from_shape_fn(x.nrows(), |i| {
        last.map_or(0, |j| u32::from(x[(i, j)] > 0.3))
    })
}

impl Subject for ByLastColumn {
    type F = f32;
    type Model = Segmented;

    fn facts(&self) -> Facts {
        Facts::classifier(2)
            .accepts_missing()
            .rows_for_threads(9000)
    }

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f64>) -> Result<Segmented> {
        self.0.fit((x, &y.mapv(|v| v as f32)), &segments(x))
    }

    fn predict(&self, model: &Segmented, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x, &segments(x))?))
    }

    fn predict_row(&self, model: &Segmented, row: &ArrayRef1<f32>) -> Option<Result<Vec<f64>>> {
        let segment = row.last().map_or(0, |&v| u32::from(v > 0.3));
        Some(model.predict_row(&row.to_vec(), segment).map(|v| vec![v]))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let p = || self.0.clone();
        [
            ("min_rows", p().with_min_rows(1)),
            ("n_folds", p().with_n_folds(1)),
            ("level", p().with_level(0.5)),
            (
                "special",
                p().with_special(Ebm::params(Objective::SquaredError)),
            ),
            (
                "special",
                p().with_special(Ebm::params(Objective::Binary).with_categorical([1])),
            ),
        ]
        .map(|(name, params)| (name, Self(params)))
        .into()
    }
}

fn quick(objective: Objective) -> SegmentedParams {
    let special = Ebm::params(objective)
        .with_pairs(Pairs::Count(0))
        .with_n_bags(4);
    let global = Gbm::params(objective).with_n_trees(10).with_max_leaves(6);
    Segmented::params(global)
        .with_special(
            special
                .with_learning_rate(0.2)
                .with_early_stopping(10)
                .with_max_rounds(100),
        )
        .with_n_folds(3)
}

conformance!(
    by_last_column,
    ByLastColumn(quick(Objective::Binary).with_min_rows(40))
);

#[test]
fn corrections_come_where_a_segment_differs_and_can_be_read() {
    // Segment 1 turns the effect of column 0 round; segment 2 has twenty rows; segment 3 none.
    let data = table::<f32>(3000, 4, 8);
    let segment = Array1::from_shape_fn(3000, |i| match i % 150 {
        0 => 2,
        i if i % 3 == 0 => 1,
        _ => 0,
    });
    let noise = Seed::new(3).stream("test.noise");
    let y = Array1::from_shape_fn(3000, |i| {
        let sign = if segment[i] == 1 { -1.0 } else { 1.0 };
        sign * data.x[(i, 0)] + data.x[(i, 1)] + noise.unit(i as u64) as f32
    });
    let params = quick(Objective::SquaredError);
    let judged = params.fit_judged((&data.x, &y), &segment).unwrap();
    let (model, out_of_fold) = (judged.model, judged.predictions);
    assert_eq!(judged.folds.iter().max(), Some(&2));
    let report = model.report();
    assert_eq!(report.len(), 3);
    assert_eq!(
        (report[1].choice, report[2].choice, report[2].rows),
        (Choice::Special, Choice::TooFewRows, 20)
    );
    let gain = report[1].gain.unwrap();
    assert!(gain.interval()[0] > 0.0);
    assert!((report[1].global_loss - report[1].special_loss.unwrap() - gain.estimate).abs() < 1e-9);
    // The losses are those of the predictions that are handed out.
    let rows: Vec<usize> = (0..3000).filter(|&i| segment[i] == 1).collect();
    let loss = rows
        .iter()
        .map(|&i| (out_of_fold[i] - f64::from(y[i])).powi(2))
        .sum::<f64>()
        / rows.len() as f64;
    assert!((loss - report[1].special_loss.unwrap()).abs() < 1e-9);
    assert!(loss < 0.5 * report[1].global_loss);
    // What is special can be read: the curve of column 0 falls, most of all.
    let special = model.special(1).unwrap();
    let importance = special.importance();
    assert!(
        importance[0] > 3.0 * importance[2] && importance[0] > 3.0 * importance[3],
        "{importance:?}"
    );
    let points = special.curve(0).unwrap().points;
    assert!(points[10].value > points[points.len() - 10].value);
    assert!(model.special(2).is_none() && model.special(9).is_none());
    let row = data.x.row(0).to_vec();
    assert_eq!(
        model.predict_row(&row, 9).unwrap(),
        model.global().predict_row(&row).unwrap()
    );
    let bytes = artefact::to_bytes(&model, &[]).unwrap();
    assert_eq!(artefact::from_bytes::<Segmented>(&bytes).unwrap().0, model);
}

#[test]
fn segments_that_do_not_differ_keep_the_global_model() {
    // 60 segments by chance: at 95 % some three in sixty corrections would pass by luck if judged fairly; eight or more have a
    // probability of 1 %.
    let data = table::<f32>(6000, 3, 2);
    let dice = Seed::new(4).stream("test.segments");
    let segment = Array1::from_shape_fn(6000, |i| (dice.unit(i as u64) * 60.0) as u32);
    let y = data.classes(2).mapv(|c| c as f32);
    // The common model must know what there is to know, or any segment's correction would make up for it.
    let mut params = quick(Objective::Binary);
    params.global = params.global.with_n_trees(60);
    let model = params
        .with_min_rows(50)
        .fit((&data.x, &y), &segment)
        .unwrap();
    let special = model
        .report()
        .iter()
        .filter(|r| r.choice == Choice::Special)
        .count();
    assert!(special < 8, "{special} of 60");
}

#[test]
fn a_row_of_weight_zero_is_absent_and_arguments_are_named() {
    let data = table::<f32>(400, 3, 6);
    let mut y = data.y.mapv(|v| v as f32);
    let segment = segments(&data.x);
    let weights = Array1::from_shape_fn(400, |i| f32::from(u8::from(i < 300)));
    let fit = |y: &Array1<f32>| {
        quick(Objective::SquaredError)
            .fit_weighted((&data.x, y), &segment, &weights)
            .unwrap()
    };
    let first = fit(&y);
    y.iter_mut().skip(300).for_each(|v| *v = 1e6);
    assert_eq!(first, fit(&y));
    let short = array![0, 1];
    let error = quick(Objective::SquaredError)
        .fit((&data.x, &y), &short)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "segments: expected 400 segments (as rows of x), found 2"
    );
    let error = first.predict(&data.x, &short).unwrap_err();
    assert_eq!(
        error.to_string(),
        "segments: expected 400 rows (as x), found 2"
    );
    let wild = Array1::from_elem(400, u32::MAX);
    let error = quick(Objective::SquaredError)
        .fit((&data.x, &y), &wild)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("segments: must be below 65536")
    );
}
