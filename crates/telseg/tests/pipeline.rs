//! The whole way: what is found, what is saved, what new rows get, and what real files give.
#![cfg(feature = "sim")]

use telseg::features::Cell;
use telseg::prelude::*;
use telseg::sim::{WorldConfig, customers};

fn base(n: usize) -> Table {
    let base = customers(&WorldConfig::default().with_n_subscribers(n), 5)
        .expect("the default world is valid");
    Table::from_batch(base.to_record_batch()).expect("its columns have types that tables have")
}

#[test]
fn a_saved_run_scores_the_same_bits_row_by_row_and_as_a_table() {
    let table = base(1200);
    let run = Pipeline::new().segments(4..=4).seed(3).fit(&table).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.telseg");
    run.save(&file).unwrap();
    let loaded = Run::load(&file).unwrap();
    let (fresh, again) = (run.score(&table).unwrap(), loaded.score(&table).unwrap());
    assert_eq!(fresh.segments, *run.labels());
    assert_eq!(
        (&fresh.segments, &fresh.scores),
        (&again.segments, &again.scores)
    );
    assert_eq!(loaded.summary(), run.summary());
    assert!(
        loaded.report().segmentation.map.is_none(),
        "a saved run holds no training row"
    );

    let names = table.column_names();
    let columns: Vec<_> = names
        .iter()
        .map(|name| table.column(name).unwrap())
        .collect();
    for i in 0..50 {
        let cells: Vec<(&str, Cell<'_>)> = names
            .iter()
            .zip(&columns)
            .map(|(n, c)| (*n, c.cell(i)))
            .collect();
        let one = loaded.score_row(&cells).unwrap();
        assert_eq!(one.segment, fresh.segments[i]);
        assert_eq!(one.score, fresh.scores.as_ref().map(|s| s[i]));
    }
}

#[test]
fn the_same_seed_gives_the_same_findings_on_any_number_of_threads() {
    let table = base(900);
    let fit = |threads: usize| {
        telseg_testkit::pool(threads, || {
            let run = Pipeline::new().segments(3..=5).seed(9).fit(&table).unwrap();
            let mut report = run.report().clone();
            report.making.seconds.clear();
            (
                report.to_json(),
                run.labels().clone(),
                run.out_of_fold().cloned(),
            )
        })
    };
    let one = fit(1);
    assert_eq!(one, fit(2));
    assert_eq!(one, fit(7));
}

#[test]
fn a_segmenter_of_ones_own_takes_the_place_of_k_means() {
    use ndarray::{Array1, ArrayRef2};
    use telseg::core::{Fit, Predict};
    struct ByFirstColumn;
    impl Fit<ArrayRef2<f32>> for ByFirstColumn {
        type Model = Self;
        fn fit(&self, _: &ArrayRef2<f32>, (): &()) -> Result<Self> {
            Ok(Self)
        }
    }
    impl Predict<ArrayRef2<f32>> for ByFirstColumn {
        type Output = Array1<u32>;
        fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>> {
            Ok(x.column(0).mapv(|v| u32::from(v > 0.0)))
        }
    }
    let table = base(500);
    let run = Pipeline::new()
        .segment_with(ByFirstColumn)
        .fit(&table)
        .unwrap();
    assert_eq!(run.summary().segments.len(), 2);
    assert_eq!(run.score(&table).unwrap().segments, *run.labels());
    let folder = tempfile::tempdir().unwrap();
    let error = run.save(folder.path().join("model.telseg")).unwrap_err();
    assert!(error.to_string().starts_with("segment_with: "), "{error}");
}

#[test]
fn a_table_without_a_target_has_segments_and_no_scores() {
    let table = base(400);
    let names: Vec<&str> = table
        .column_names()
        .into_iter()
        .filter(|n| *n != "churn")
        .collect();
    let table = table.select_columns(&names).unwrap();
    let run = Pipeline::new().segments(3..=3).fit(&table).unwrap();
    assert!(run.report().prediction.is_none() && run.out_of_fold().is_none());
    assert!(run.score(&table).unwrap().scores.is_none());
    assert_eq!(run.summary().churn_auc, None);
    assert_eq!(run.report().segmentation.segments.len(), 3);
}

#[test]
fn what_cannot_be_done_is_said() {
    let table = base(200);
    let said = |pipeline: Pipeline| pipeline.fit(&table).unwrap_err().to_string();
    assert!(
        said(Pipeline::new().target("left")).contains("tenure"),
        "the columns are listed"
    );
    assert!(said(Pipeline::new().segments(0..=3)).starts_with("segments: "));
    assert!(said(Pipeline::new().folds(1)).starts_with("folds: "));
    assert!(said(Pipeline::new().value("churn")).contains("churn"));
    assert!(said(Pipeline::new().segments(100..=100)).contains("100 segments"));
    let few = table.select_rows(&[0, 1, 2]).unwrap();
    assert!(
        Pipeline::new()
            .fit(&few)
            .unwrap_err()
            .to_string()
            .contains("at least 20 rows")
    );
}

/// Floors of the AUC as the mean of five folds: on the IBM set that of default LightGBM (0.8365); on the other set, where
/// LightGBM has 0.9149 with a standard deviation of 0.018 between folds, 0.90.
#[test]
fn real_churn_files_need_no_description() {
    for (file, rows, target, floor) in [
        ("telco_ibm/Telco-Customer-Churn.csv", 7043, "Churn", 0.8365),
        ("churn_3333/churnTrain.csv", 3333, "churn", 0.90),
    ] {
        let Some(path) = telseg_testkit::shared_data(file) else {
            continue;
        };
        let run = Pipeline::new()
            .segments(2..=5)
            .fit(&Table::read(path).unwrap())
            .unwrap();
        let found = run.report().prediction.as_ref().unwrap();
        assert_eq!((run.summary().rows, found.target.as_str()), (rows, target));
        let mean = run.summary().churn_auc_of_folds.unwrap();
        assert_eq!(found.auc_of_folds.len(), 5);
        assert!(mean >= floor, "{file}: {mean}");
        let pooled = found.auc.estimate;
        assert!((pooled - mean).abs() < 0.01, "{file}: {pooled} {mean}");
        println!("{file}: AUC {mean:.4} as the mean of folds, {pooled:.4} pooled");
    }
}

#[test]
fn a_card_does_not_say_what_is_lacked_where_it_says_what_is_had() {
    let run = Pipeline::new().segments(6..=6).fit(&base(3000)).unwrap();
    let mut of_two = 0;
    for card in &run.report().segmentation.segments {
        let said = card.statements.iter().filter(|s| s.column == "payment");
        let said: Vec<_> = said.map(|s| (s.segment_value, s.text.clone())).collect();
        of_two += said.len();
        assert!(said.len() <= 1, "prepaid and postpaid: {said:?}");
        assert!(said.iter().all(|s| s.0 > 0.2), "what it lacks: {said:?}");
    }
    assert!(of_two > 0, "no segment differs by how it pays");
}
