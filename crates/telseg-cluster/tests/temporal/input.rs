//! What months may lack, and what is refused.

use ndarray::array;
use telseg_cluster::temporal::{Hysteresis, Month, SegmentHistory, SegmentId};
use telseg_core::artefact;

use super::data::ids;

#[test]
fn what_is_wrong_is_said() {
    let mut history = SegmentHistory::params().start().unwrap();
    let x = array![[1.0f32], [2.0]];
    let mut message = |month: &Month<'_, f32>| history.update(month).unwrap_err().to_string();
    let w = array![1.0];
    let two = [1u64, 2];
    assert_eq!(
        message(&Month::without_rows::<u32>(&[], [])),
        "ids: expected at least 1 subscriber, found 0"
    );
    assert_eq!(
        message(&Month::without_rows(&two, [0])),
        "labels: expected 2 (a row for each of ids), found 1"
    );
    assert_eq!(
        message(&Month::new(&[1], [0], &x)),
        "x: expected 1 (a row for each of ids), found 2"
    );
    assert_eq!(
        message(&Month::without_rows(&[7, 7], [0, 0])),
        "ids: rows 0 and 1 are the same subscriber, 7"
    );
    assert_eq!(
        message(&Month::new(&two, [0, 0], &x).with_weights(&w)),
        "weights: expected 2 (rows of x), found 1"
    );
    assert_eq!(
        message(&Month::new(&two, [0, 0], &x).with_columns(["a", "b"])),
        "columns: expected 1 (columns of x), found 2"
    );
    let infinite = array![[1.0f32], [f32::INFINITY]];
    assert_eq!(
        message(&Month::new(&two, [0, 0], &infinite)),
        "x: inf in row 1, column 0"
    );
    let month = Month::new(&two, [0, 0], &x).with_columns(["minutes"]);
    history.update(&month).unwrap();
    let other = history
        .update(&month.clone().with_columns(["gigabytes"]))
        .unwrap_err()
        .to_string();
    assert_eq!(
        other,
        "columns: expected \"minutes\" (as in the months before), found \"gigabytes\""
    );
    let wide = history
        .update(&Month::new(
            &two,
            [0, 0],
            &array![[1.0f32, 2.0], [1.0, 2.0]],
        ))
        .unwrap_err();
    assert_eq!(
        wide.to_string(),
        "x: expected 1 columns (as in the months before), found 2"
    );
    assert_eq!(history.transitions().len(), 1);
    assert!(history.set_name(SegmentId(9), "x").is_err());
    let params = SegmentHistory::params();
    for (name, bad) in [
        ("same", params.clone().with_same(0.0)),
        ("enough_shared", params.clone().with_enough_shared(1.5)),
        ("part", params.clone().with_part(f64::NAN)),
        (
            "hysteresis",
            params.clone().with_hysteresis(Hysteresis::margin(1.0)),
        ),
        (
            "hysteresis",
            params.clone().with_hysteresis(Hysteresis::patience(0)),
        ),
        ("max_q", params.clone().with_max_q(0.0)),
        ("min_rows", params.clone().with_min_rows(1)),
        ("size_alarm", params.clone().with_size_alarm(-1.0)),
        (
            "drift_alarm",
            params.clone().with_drift_alarm(f64::INFINITY),
        ),
        ("psi_alarm", params.clone().with_psi_alarm(f64::NAN)),
        ("leaving_alarm", params.clone().with_leaving_alarm(-0.1)),
    ] {
        let error = bad.start().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: ")), "{error}");
    }
    let mut history = params
        .with_hysteresis(Hysteresis::margin(0.1))
        .start()
        .unwrap();
    history.update(&Month::without_rows(&two, [0, 0])).unwrap();
    let error = history
        .update(&Month::without_rows(&two, [0, 0]))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "hysteresis: a margin needs the rows: this month has none"
    );
}

#[test]
fn rows_may_miss_values_and_months_rows() {
    let mut history = SegmentHistory::params().with_min_rows(2).start().unwrap();
    let everyone = ids(1, 6);
    let x = array![
        [1.0f32, f32::NAN],
        [2.0, 1.0],
        [f32::NAN, 2.0],
        [5.0, f32::NAN],
        [6.0, f32::NAN],
        [7.0, f32::NAN]
    ];
    let labels = [0, 0, 0, 1, 1, 1];
    history
        .update(&Month::without_rows(&everyone, labels))
        .unwrap();
    history.update(&Month::new(&everyone, labels, &x)).unwrap();
    assert!(history.centers().is_none()); // segment 1 has no value in the second column
    let change = history.update(&Month::new(&everyone, labels, &x)).unwrap();
    assert!(change.alarms.is_empty());
    assert!(change.drift.iter().all(|d| d.shift == 0.0 && d.psi == 0.0));
    let change = history
        .update(&Month::without_rows(&everyone, labels))
        .unwrap();
    assert!(change.drift.is_empty() && change.events.is_empty());
    let change = history.update(&Month::new(&everyone, labels, &x)).unwrap();
    assert_eq!(change.matches[0].similarity, 1.0);
    let bytes = artefact::to_bytes(&history, &[]).unwrap();
    assert_eq!(
        artefact::from_bytes::<SegmentHistory>(&bytes).unwrap().0,
        history
    );
}
