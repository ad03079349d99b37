//! Segments over time: against SciPy, by hand, and what holds whatever the data.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use serde_json::Value;
use telseg_cluster::KMeans;
use telseg_cluster::temporal::{
    AlarmKind, Event, Hysteresis, Month, Place, SegmentHistory, SegmentId, Since, Transition,
    cheapest_pairs,
};
use telseg_core::{Seed, artefact};

fn seg(n: u32) -> Place {
    Place::Segment(SegmentId(n))
}

/// `n` ids from `first`.
fn ids(first: u64, n: usize) -> Vec<u64> {
    (first..first + n as u64).collect()
}

/// Rows around `centers[label]`, of spread about 1, different for each seed.
fn rows(labels: &[u32], centers: &[[f64; 2]], seed: u64) -> Array2<f32> {
    let stream = Seed::new(seed).stream("rows");
    let bell = |at: u64| (0..12).map(|k| stream.unit(at * 12 + k)).sum::<f64>() - 6.0;
    Array2::from_shape_fn((labels.len(), 2), |(i, j)| {
        (centers[labels[i] as usize][j] + bell(2 * i as u64 + j as u64)) as f32
    })
}

#[test]
fn assignments_agree_with_scipy() {
    let golden: Value = serde_json::from_str(include_str!("golden/assignment.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let table = case["cost"].as_array().unwrap();
        let cell = |i: usize, j: usize| table[i][j].as_f64().unwrap_or(f64::INFINITY);
        let shape = (table.len(), table[0].as_array().unwrap().len());
        let cost = Array2::from_shape_fn(shape, |(i, j)| cell(i, j));
        let pairs = cheapest_pairs(&cost).unwrap();
        let total: f64 = pairs.iter().map(|&at| cost[at]).sum();
        assert!(
            (total - case["total"].as_f64().unwrap()).abs() < 1e-9,
            "{shape:?}"
        );
        if case["kind"] != "integer" {
            let expected: Vec<(usize, usize)> =
                serde_json::from_value(case["pairs"].clone()).unwrap();
            assert_eq!(pairs, expected, "{shape:?}");
        }
    }
}

#[test]
fn a_month_by_hand() {
    // Last month: 1..=4 in segment 0, 5..=8 in 1, 9 in none. Now 4 and 8 are gone, 10 and 11 are new, 3 has moved to the
    // cluster of 5, 6, 7, and 9 to that of 1, 2.
    let mut history = SegmentHistory::params().start().unwrap();
    let before = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    let labels = [
        Some(5),
        Some(5),
        Some(5),
        Some(5),
        Some(9),
        Some(9),
        Some(9),
        Some(9),
        None,
    ];
    history
        .update(&Month::without_rows(&before, labels))
        .unwrap();
    let now = [11, 10, 9, 7, 6, 5, 3, 2, 1];
    let labels = [
        None,
        Some(0),
        Some(1),
        Some(0),
        Some(0),
        Some(0),
        Some(0),
        Some(1),
        Some(1),
    ];
    let change = history.update(&Month::without_rows(&now, labels)).unwrap();
    let flows = change.migration.as_ref().unwrap();
    assert_eq!(
        flows.from,
        [seg(0), seg(1), Place::NoSegment, Place::Outside]
    );
    assert_eq!(flows.to, flows.from);
    assert_eq!(
        flows.counts,
        array![[2, 1, 0, 1], [0, 3, 0, 1], [1, 0, 0, 0], [0, 1, 1, 0]]
    );
    assert_eq!(flows.rates()[[0, 0]], 0.5);
    // scipy.stats.binomtest(2, 4).proportion_ci(method="wilson"): 0.150 to 0.850.
    let (rate, [low, high]) = flows.rate(seg(0), seg(0)).unwrap();
    assert_eq!(rate, 0.5);
    assert!(
        (low - 0.150_0).abs() < 1e-3 && (high - 0.850_0).abs() < 1e-3,
        "{low} {high}"
    );
    // Of six who were in a segment and are here, one moved.
    assert!((flows.stayed() - 5.0 / 6.0).abs() < 1e-15);
    // Jaccard of segment 0 and cluster 1 among those of both months: {1, 2} of {1, 2, 3, 9}.
    assert_eq!(
        (change.matches[1].segment, change.matches[1].shared),
        (SegmentId(0), Some(0.5))
    );
    assert_eq!(change.matches[0].shared, Some(0.75));
    assert_eq!((change.n_shared, change.id_weight), (7, 1.0));
    assert_eq!(change.segments()[0], None);
    assert_eq!(change.segments()[6], Some(SegmentId(1)));
    assert_eq!(change.relabel(&array![0, 1]).unwrap(), array![1, 0]);
    let unknown = change.relabel(&array![0, 7]).unwrap_err().to_string();
    assert_eq!(unknown, "labels: 7 in row 1 is no label of month 2");
    assert!(change.events.is_empty() && change.alarms.is_empty());
    assert_eq!(change.sizes[0].change, Some(-0.25));
}

/// A history whose last month has ids `1..` in runs of so many for segments 0, 1, ...
fn after(sizes: &[usize]) -> SegmentHistory {
    let mut history = SegmentHistory::params().start().unwrap();
    let labels: Vec<u32> = (0..).zip(sizes).flat_map(|(s, &n)| vec![s; n]).collect();
    history
        .update(&Month::without_rows(&ids(1, labels.len()), labels))
        .unwrap();
    history
}

fn runs(sizes: &[(u32, usize)]) -> Vec<u32> {
    sizes
        .iter()
        .flat_map(|&(label, n)| vec![label; n])
        .collect()
}

#[test]
fn splits_merges_births_and_deaths() {
    // 0 (100) splits 60 : 40; 1 (50) and 2 (50) merge; 3 (80) goes on; 4 (9) scatters and dies; 30 joiners are born as one.
    let mut history = after(&[100, 50, 50, 80, 9]);
    let labels = runs(&[(0, 60), (1, 40), (2, 100), (3, 80), (3, 5), (2, 4), (7, 30)]);
    let change = history
        .update(&Month::without_rows(&ids(1, labels.len()), labels))
        .unwrap();
    let told: Vec<&str> = change.alarms.iter().map(|a| a.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "Segment 0 split into segment 0 (60 %) and segment 5 (40 %).",
            "Segment 1 (48 %) and segment 2 (48 %) merged into segment 1.",
            "Segment 4 is gone: segment 3 (56 %) and segment 1 (44 %).",
            "Segment 6 is new, with 30 subscribers: joined the base (100 %).",
        ]
    );
    let Event::Split { segment, into } = &change.events[0] else {
        panic!("{:?}", change.events)
    };
    assert_eq!(
        (*segment, into[1].place, into[1].share),
        (SegmentId(0), seg(5), 0.4)
    );
    assert!(into[1].interval[0] < 0.4 && 0.4 < into[1].interval[1]);
    let lives: Vec<_> = history.records().iter().map(|r| (r.born, r.died)).collect();
    assert_eq!(
        lives,
        [
            (0, None),
            (0, None),
            (0, Some(1)),
            (0, None),
            (0, Some(1)),
            (1, None),
            (1, None)
        ]
    );
}

#[test]
fn a_number_is_never_given_again() {
    let mut history = after(&[40, 40]);
    // Segment 1 is gone for a month, then the same people are a cluster again: a new segment.
    history
        .update(&Month::without_rows(&ids(1, 40), vec![0u32; 40]))
        .unwrap();
    let labels = runs(&[(0, 40), (1, 40)]);
    let change = history
        .update(&Month::without_rows(&ids(1, 80), labels))
        .unwrap();
    assert_eq!(change.segment_of(1), Some(SegmentId(2)));
    assert_eq!(history.segments(), [SegmentId(0), SegmentId(2)]);
}

#[test]
fn without_common_ids_centres_decide() {
    let centers = [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]];
    let labels: Vec<u32> = (0..300).map(|i| i % 3).collect();
    let x = rows(&labels, &centers, 1);
    let mut history = SegmentHistory::params().start().unwrap();
    history
        .update(&Month::new(&ids(1, 300), labels.clone(), &x))
        .unwrap();
    let turned: Vec<u32> = labels.iter().map(|l| (l + 1) % 3).collect();
    let other = rows(&labels, &centers, 2);
    let mut by_centers = history.clone();
    let change = by_centers
        .update(&Month::new(&ids(1000, 300), turned.clone(), &other))
        .unwrap();
    assert_eq!((change.id_weight, change.n_shared), (0.0, 0));
    let segments: Vec<u32> = change.matches.iter().map(|m| m.segment.0).collect();
    assert_eq!(segments, [2, 0, 1]); // label 0 is what was label 2
    // Half of `enough_shared` found again: ids count by half.
    let some: Vec<u64> = ids(1, 30).into_iter().chain(ids(1000, 270)).collect();
    let change = history
        .clone()
        .update(&Month::new(&some, turned.clone(), &other))
        .unwrap();
    assert!(
        (change.id_weight - 0.5).abs() < 1e-12,
        "{}",
        change.id_weight
    );
    // Forgetting subscribers is the same as meeting none again.
    history.forget_subscribers();
    let forgotten = history
        .update(&Month::new(&ids(1, 300), turned, &other))
        .unwrap();
    assert_eq!(
        forgotten
            .matches
            .iter()
            .map(|m| m.segment.0)
            .collect::<Vec<_>>(),
        segments
    );
}

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
fn who_leaves_faster_is_told() {
    let mut history = after(&[1000, 1000, 1000]);
    history.set_name(SegmentId(1), "Prepaid youth").unwrap();
    // 30 of segment 0 leave, 120 of 1, 40 of 2.
    let mut stay = ids(1, 970);
    stay.extend(ids(1001, 880));
    stay.extend(ids(2001, 960));
    let labels = runs(&[(0, 970), (1, 880), (2, 960)]);
    let change = history.update(&Month::without_rows(&stay, labels)).unwrap();
    let leaving: Vec<_> = change
        .alarms
        .iter()
        .filter(|a| a.kind == AlarmKind::Leaving)
        .collect();
    assert_eq!(leaving.len(), 1);
    let expected = "Segment 1 \"Prepaid youth\" loses subscribers 3.4 times as fast as the rest: 12 % left the base this month, of the others 3.5 %.";
    assert_eq!(leaving[0].text, expected);
}

/// Months of `n` subscribers of a base that does not change, but for noise.
fn still(history: &mut SegmentHistory, n: usize, months: u64, seed: u64) -> Vec<Transition> {
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 4).collect();
    let centers = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]];
    let one = |month| {
        let x = rows(&labels, &centers, seed * 1000 + month);
        history
            .update(&Month::new(&ids(1, n), labels.clone(), &x))
            .unwrap()
    };
    (0..months).map(one).collect()
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

#[test]
fn hysteresis_by_hand() {
    // Centres of clusters 0 and 1: 0 and 10 (four subscribers each at exactly those places, besides the one in question).
    let month = |who: f64, label: u32| {
        let mut x = Array2::zeros((9, 1));
        (4..8).for_each(|i| x[[i, 0]] = 10.0);
        x[[8, 0]] = who;
        (x, [0, 0, 0, 0, 1, 1, 1, 1, label])
    };
    let everyone = ids(1, 9);
    let run = |rule: Hysteresis, path: &[(f64, u32)]| {
        let mut history = SegmentHistory::params()
            .with_hysteresis(rule)
            .start()
            .unwrap();
        let one = |&(who, label): &(f64, u32)| {
            let (x, labels) = month(who, label);
            let change = history.update(&Month::new(&everyone, labels, &x)).unwrap();
            (change.segments()[8].unwrap().0, change.held)
        };
        path.iter().map(one).collect::<Vec<_>>()
    };
    let path = [(4.0, 0), (5.4, 1), (4.0, 0), (5.4, 1), (5.4, 1), (9.9, 1)];
    let segments = |rule| {
        run(rule, &path)
            .into_iter()
            .map(|r| r.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(segments(Hysteresis::margin(0.0)), [0, 1, 0, 1, 1, 1]);
    assert_eq!(segments(Hysteresis::patience(1)), [0, 1, 0, 1, 1, 1]);
    assert_eq!(segments(Hysteresis::patience(2)), [0, 0, 0, 0, 1, 1]);
    assert_eq!(segments(Hysteresis::patience(3)), [0, 0, 0, 0, 0, 1]);
    // In cluster 1 the mean is (40 + 5.4) / 5 = 9.08: distance 3.68, against 5.4 to the other: nearer by 32 %.
    assert_eq!(segments(Hysteresis::margin(0.3)), [0, 1, 0, 1, 1, 1]);
    assert_eq!(segments(Hysteresis::margin(0.35)), [0, 0, 0, 0, 0, 1]);
    assert_eq!(
        segments(Hysteresis::margin(0.35).with_patience(2)),
        [0, 0, 0, 0, 1, 1]
    );
    let told = run(Hysteresis::margin(0.35), &path);
    assert!(told[0].1.is_none());
    let (held, back) = (told[1].1.unwrap(), told[2].1.unwrap());
    assert_eq!(
        (
            held.n_would_move,
            held.n_held,
            held.weight,
            held.flaps_prevented
        ),
        (1, 1, 1.0, 0)
    );
    assert_eq!(
        (back.n_would_move, back.n_held, back.flaps_prevented),
        (0, 0, 1)
    );
    // Inertia of the clusters as found: 4 (10 - 9.08)^2 + 3.68^2 = 16.928; held: 5.4^2 - 3.68^2 = 15.6176 more.
    assert!((held.inertia_cost.unwrap() - 15.6176 / 16.928).abs() < 1e-12);
}

#[test]
fn noise_waits_for_patience_and_the_dead_hold_nobody() {
    let everyone = ids(1, 9);
    let rule = Hysteresis::patience(2);
    let mut history = SegmentHistory::params()
        .with_hysteresis(rule)
        .start()
        .unwrap();
    let labels = |last: Option<u32>| {
        let mut labels: Vec<Option<u32>> = (0..9).map(|i| Some(i / 5)).collect();
        labels[8] = last;
        labels
    };
    history
        .update(&Month::without_rows(&everyone, labels(Some(1))))
        .unwrap();
    let mut at = |last| {
        history
            .update(&Month::without_rows(&everyone, labels(last)))
            .unwrap()
            .segments()[8]
    };
    assert_eq!(at(None), Some(SegmentId(1)));
    assert_eq!(at(None), None);
    assert_eq!(at(Some(1)), Some(SegmentId(1))); // out of no segment at once
    // Segment 1 dissolves into 0: nothing to stay in.
    let all = vec![0u32; 9];
    let change = history
        .update(&Month::without_rows(&everyone, all))
        .unwrap();
    assert_eq!(change.segments(), [Some(SegmentId(0)); 9]);
    assert_eq!(change.held.unwrap().n_held, 0);
}

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

#[test]
fn k_means_goes_on_from_last_month() {
    let labels: Vec<u32> = (0..600).map(|i| i % 3).collect();
    let centers = [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]];
    let mut history = SegmentHistory::params().start().unwrap();
    assert!(history.warm_start().is_none());
    for month in 0..4 {
        let x = rows(&labels, &centers, month);
        let params = match history.warm_start() {
            None => KMeans::params(3).with_seed(5),
            Some(start) => KMeans::params(3).with_init(start).with_n_init(1),
        };
        let model = params.fit(&x).unwrap();
        let change = history
            .update(&Month::new(
                &ids(1, 600),
                model.labels().iter().copied(),
                &x,
            ))
            .unwrap();
        // From last month's means, labels and numbers are the same.
        assert!(month == 0 || change.matches.iter().all(|m| m.label == m.segment.0));
    }
    assert_eq!(history.records().len(), 3);
}

fn thread_free(threads: usize) -> (Vec<u8>, Vec<Option<SegmentId>>) {
    telseg_testkit::pool(threads, || {
        let rule = Hysteresis::margin(0.1).with_patience(3);
        let mut history = SegmentHistory::params()
            .with_hysteresis(rule)
            .start()
            .unwrap();
        let mut last = Vec::new();
        for month in 0..3 {
            let labels: Vec<u32> = (0..20_000u32)
                .map(|i| (i.wrapping_mul(2_654_435_761 + month) >> 20) % 5)
                .collect();
            let x = rows(
                &labels,
                &[[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0], [5.0, 5.0]],
                u64::from(month),
            );
            let w = Array1::from_shape_fn(20_000, |i| 0.1 + (i % 7) as f64);
            let everyone = ids(u64::from(month) * 100, 20_000);
            let month = Month::new(&everyone, labels, &x)
                .with_weights(&w)
                .with_name("m");
            last = history.update(&month).unwrap().segments().to_vec();
        }
        (artefact::to_bytes(&history, &[]).unwrap(), last)
    })
}

#[test]
fn the_picture_says_what_it_shows() {
    let mut history = after(&[60, 40]);
    history.set_name(SegmentId(0), "Voice & <text>").unwrap();
    let labels = runs(&[(0, 50), (1, 50)]);
    history
        .update(&Month::without_rows(&ids(1, 100), labels))
        .unwrap();
    let picture = history.alluvial();
    let flows: Vec<_> = picture.months[1]
        .ribbons
        .iter()
        .map(|r| (r.from, r.to, r.n))
        .collect();
    assert_eq!(flows, [(0, 0, 50), (0, 1, 10), (1, 1, 40)]);
    assert!((picture.months[1].ribbons[1].share_of_to - 0.2).abs() < 1e-12);
    let svg = picture.to_svg();
    assert!(svg.contains("<title>10 from Voice &amp; &lt;text&gt; to segment 1</title>"));
    assert!(svg.contains("month 2: 90 % stayed in their segment."));
    assert_eq!(svg.matches("<rect").count(), 4);
    // A picture that was read from elsewhere may claim anything.
    let mut broken = picture;
    broken.months[1].ribbons[0].from = 99;
    assert_eq!(broken.to_svg().matches("<path").count(), 2);
}

#[test]
fn threads_change_no_bit() {
    let one = thread_free(1);
    assert!(one == thread_free(2) && one == thread_free(7));
}

#[test]
fn hostile_files_are_refused_or_sound() {
    let mut history = SegmentHistory::params()
        .with_hysteresis(Hysteresis::margin(0.2))
        .start()
        .unwrap();
    still(&mut history, 200, 3, 1);
    let labels: Vec<u32> = (0..200).map(|i| i % 4).collect();
    let x = rows(
        &labels,
        &[[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]],
        77,
    );
    let body = postcard_of(&history);
    let stream = Seed::new(3).stream("flip");
    let mut sound = 0;
    for i in 0..500 {
        let mut bytes = body.clone();
        let at = stream.bits(i) as usize % bytes.len();
        bytes[at] ^= 1 << (stream.bits(1000 + i) % 8);
        if let Ok(mut loaded) = artefact::decode::<SegmentHistory>(&bytes)
            && artefact::Artefact::validate(&loaded).is_ok()
        {
            sound += 1;
            let _ = loaded.update(&Month::new(&ids(1, 200), labels.clone(), &x));
            let _ = (loaded.to_string(), loaded.centers());
        }
    }
    assert!(sound < 500);
}

/// The body of a saved history, without header and sums.
fn postcard_of(history: &SegmentHistory) -> Vec<u8> {
    let bytes = artefact::to_bytes(history, &[]).unwrap();
    let header = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    bytes[32 + header..].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_other_pairing_is_cheaper(rows in 1usize..6, columns in 1usize..6, seed: u64) {
        let stream = Seed::new(seed).stream("cost");
        let cost = Array2::from_shape_fn((rows, columns), |(i, j)| (stream.unit((i * 6 + j) as u64) * 8.0).floor());
        let pairs = cheapest_pairs(&cost).unwrap();
        prop_assert_eq!(pairs.len(), rows.min(columns));
        let total: f64 = pairs.iter().map(|&at| cost[at]).sum();
        prop_assert_eq!(total, least(&cost, 0, &mut vec![false; columns], rows.min(columns)));
    }

    #[test]
    fn names_of_clusters_and_order_of_rows_do_not_matter(seed: u64, turn in 1u32..5) {
        let stream = Seed::new(seed).stream("month");
        let label = |i: usize, month: usize| (stream.unit((month * 1000 + i) as u64) * 5.0) as u32;
        let first: Vec<u32> = (0..200).map(|i| label(i, 0)).collect();
        let moved = |i: usize| stream.unit(5000 + i as u64) < 0.2;
        let second: Vec<u32> = (0..200).map(|i| if moved(i) { label(i, 1) } else { first[i] }).collect();
        let mut history = SegmentHistory::params().start().unwrap();
        history.update(&Month::without_rows(&ids(1, 200), first)).unwrap();
        let plain = history.clone().update(&Month::without_rows(&ids(1, 200), second.clone())).unwrap();
        let backwards: Vec<u64> = ids(1, 200).into_iter().rev().collect();
        let renamed = second.iter().rev().map(|l| 10 + (l + turn) % 5);
        let other = history.update(&Month::without_rows(&backwards, renamed)).unwrap();
        let segments: Vec<_> = other.segments().iter().rev().copied().collect();
        // Segments that go on are the same ones. (New ones take numbers in the order of the labels.)
        let old = |s: &Option<SegmentId>| s.filter(|s| s.0 < 5);
        prop_assert!(plain.segments().iter().map(old).eq(segments.iter().map(old)));
    }

    #[test]
    fn flows_add_up(seed: u64, n in 20usize..300) {
        let stream = Seed::new(seed).stream("flows");
        let draw = |at: usize| stream.unit(at as u64);
        let label = |at: usize| (draw(at) < 0.9).then(|| (draw(at + 7) * 4.0) as u32);
        let weights = |at: usize, n: usize| Array1::from_shape_fn(n, |i| (draw(at + i) * 3.0).floor() + 1.0);
        let mut history = SegmentHistory::params().start().unwrap();
        let (w1, w2) = (weights(10_000, n), weights(20_000, n));
        history.update(&Month::without_rows(&ids(1, n), (0..n).map(&label)).with_weights(&w1)).unwrap();
        let then: Vec<u64> = history.transitions()[0].sizes.iter().map(|s| s.n).collect();
        let month = ids(1 + n as u64 / 3, n);
        let change = history.update(&Month::without_rows(&month, (0..n).map(|i| label(3000 + i))).with_weights(&w2)).unwrap();
        let flows = change.migration.unwrap();
        let k = then.len();
        let row_sums: Vec<u64> = flows.counts.rows().into_iter().map(|r| r.iter().sum()).collect();
        prop_assert_eq!(&row_sums[..k], &then[..]);
        let (joined, left) = (row_sums[k + 1], flows.counts.column(flows.to.len() - 1).iter().sum::<u64>());
        prop_assert_eq!((joined, left), (n as u64 / 3, n as u64 / 3));
        for (size, (place, weight)) in change.sizes.iter().zip(flows.to.iter().zip(flows.column_weights())) {
            prop_assert_eq!(Place::Segment(size.segment), *place);
            prop_assert!((size.weight - weight).abs() < 1e-9);
        }
        let rates = flows.rates().sum_axis(Axis(1));
        prop_assert!(rates.iter().zip(&row_sums).all(|(r, &n)| n == 0 || (r - 1.0).abs() < 1e-12));
    }

    #[test]
    fn no_margin_or_no_patience_is_plain(seed: u64) {
        let plain = path(SegmentHistory::params(), seed);
        prop_assert_eq!(&plain, &path(SegmentHistory::params().with_hysteresis(Hysteresis::margin(0.0)), seed));
        prop_assert_eq!(&plain, &path(SegmentHistory::params().with_hysteresis(Hysteresis::patience(1)), seed));
        let moves = |path: &[Vec<Option<SegmentId>>]| {
            let pairs = path.windows(2).flat_map(|m| m[0].iter().zip(&m[1]));
            pairs.filter(|(a, b)| a != b).count()
        };
        let calm = |margin| moves(&path(SegmentHistory::params().with_hysteresis(Hysteresis::margin(margin)), seed));
        prop_assert!(calm(0.3) <= moves(&plain));
        prop_assert!(calm(0.99) <= calm(0.3));
    }

    #[test]
    fn equal_weights_change_nothing(seed: u64) {
        let labels: Vec<u32> = (0..400u32).map(|i| (i + (seed as u32 % 7)) % 3).collect();
        let x = rows(&labels, &[[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]], seed);
        let y = rows(&labels, &[[0.5, 0.0], [3.0, 0.0], [0.0, 3.0]], seed ^ 1);
        let run = |weights: Option<&Array1<f64>>| {
            let mut history = SegmentHistory::params().start().unwrap();
            let everyone = ids(1, 400);
            let month = |x| {
                let month = Month::new(&everyone, labels.clone(), x);
                match weights { Some(w) => month.with_weights(w), None => month }
            };
            history.update(&month(&x)).unwrap();
            history.update(&month(&y)).unwrap()
        };
        let (one, none) = (run(Some(&Array1::ones(400))), run(None));
        prop_assert_eq!(&one, &none);
        let two = run(Some(&Array1::from_elem(400, 2.0)));
        for (a, b) in two.drift.iter().zip(&none.drift) {
            prop_assert!((a.shift - b.shift).abs() < 1e-9 && (a.q_value - b.q_value).abs() < 1e-9);
            prop_assert!((a.psi - b.psi).abs() < 1e-9);
        }
    }
}

/// The least total cost by trying all pairings of `left` more.
fn least(cost: &Array2<f64>, row: usize, used: &mut Vec<bool>, left: usize) -> f64 {
    if left == 0 {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    if cost.nrows() - row > left {
        best = least(cost, row + 1, used, left); // this row may stay alone
    }
    for j in 0..cost.ncols() {
        if !used[j] {
            used[j] = true;
            best = best.min(cost[[row, j]] + least(cost, row + 1, used, left - 1));
            used[j] = false;
        }
    }
    best
}

/// Segments of 300 subscribers over five months of k-means on overlapping clusters.
fn path(params: telseg_cluster::temporal::HistoryParams, seed: u64) -> Vec<Vec<Option<SegmentId>>> {
    let labels: Vec<u32> = (0..300).map(|i| i % 3).collect();
    let centers = [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]];
    let mut history = params.start().unwrap();
    let month = |month: u64| {
        let x = rows(
            &labels,
            &centers,
            seed.wrapping_mul(100).wrapping_add(month),
        );
        let params = KMeans::params(3).with_init(telseg_cluster::Init::Centers(array![
            [0.0, 0.0],
            [3.0, 0.0],
            [0.0, 3.0]
        ]));
        let model = params.with_n_init(1).fit(&x).unwrap();
        history
            .update(&Month::new(
                &ids(1, 300),
                model.labels().iter().copied(),
                &x,
            ))
            .unwrap()
            .segments()
            .to_vec()
    };
    (0..5).map(month).collect()
}
