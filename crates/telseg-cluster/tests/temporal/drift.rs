//! Drift that is there is found, and none where there is none.

use telseg_cluster::temporal::{Month, SegmentHistory, SegmentId, Since, Transition};

use super::data::{ids, rows, still};

#[test]
fn planted_drift_is_found_and_named() {
    let labels: Vec<u32> = (0..2000).map(|i| i % 2).collect();
    let everyone = ids(1, 2000);
    let mut history = SegmentHistory::params().start().unwrap();
    let mut last = None;
    for (month, at) in [0.0, 0.0, 0.5, 1.0].into_iter().enumerate() {
        // Segment 1 creeps up in its second column; the base's standard deviation there is 1 to 1.1.
        let x = rows(&labels, &[[0.0, 0.0], [8.0, at]], month as u64);
        let month = Month::new(&everyone, labels.clone(), &x).with_columns(["minutes", "data_gb"]);
        last = Some(history.update(&month).unwrap());
        if at == 0.0 {
            assert!(last.as_ref().unwrap().alarms.is_empty());
        }
    }
    let change = last.unwrap();
    let of = |since| {
        let found = change
            .drift
            .iter()
            .find(|d| (d.segment, d.since, d.column) == (Some(SegmentId(1)), since, 1));
        found.unwrap().clone()
    };
    let (step, whole) = (of(Since::LastMonth), of(Since::Birth));
    assert!(
        (step.shift - 0.48).abs() < 0.1 && (whole.shift - 0.96).abs() < 0.15,
        "{} {}",
        step.shift,
        whole.shift
    );
    assert!(step.interval[0] < step.shift && step.shift < step.interval[1]);
    assert!(whole.psi > 0.5 && whole.psi_q_value < 1e-6);
    let texts: Vec<_> = change.alarms.iter().map(|a| a.text.clone()).collect();
    let drifted = |t: &&String| {
        t.starts_with("Segment 1 drifted by ") && t.contains("in data_gb since its first month")
    };
    assert!(texts.iter().any(|t| drifted(&t)), "{texts:#?}");
    assert!(
        change
            .alarms
            .iter()
            .all(|a| a.segment != Some(SegmentId(0))),
        "{texts:#?}"
    );
    // Accepted, it is no news since birth any more.
    history.accept_drift(SegmentId(1)).unwrap();
    let x = rows(&labels, &[[0.0, 0.0], [8.0, 1.0]], 9);
    let change = history.update(&Month::new(&everyone, labels, &x)).unwrap();
    assert!(
        change.alarms.iter().all(|a| a.segment.is_none()),
        "{:#?}",
        change.alarms
    );
    assert!(history.accept_drift(SegmentId(7)).is_err());
}

#[test]
fn a_still_base_raises_no_alarms() {
    // 40 worlds of 5 months, thresholds of size nearly 0, so that significance alone decides: with rows drawn anew each
    // month (the tests' own assumption) at most 1 in 100 months may raise a false alarm, a few more by luck.
    let params = SegmentHistory::params()
        .with_drift_alarm(1e-9)
        .with_psi_alarm(1e-9)
        .with_size_alarm(1e-9);
    let months: Vec<Transition> = (0..40)
        .flat_map(|seed| still(&mut params.start().unwrap(), 1200, 5, seed))
        .collect();
    let false_alarms = months.iter().filter(|m| !m.alarms.is_empty()).count();
    assert!(false_alarms <= 6, "{false_alarms} of {}", months.len());
    let tested: usize = months.iter().map(|m| m.drift.len()).sum();
    assert!(tested > 2000);
}
