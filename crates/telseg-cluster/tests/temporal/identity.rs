//! Which cluster of a month is which segment.

use ndarray::{Array1, Axis, array};
use proptest::prelude::*;
use telseg_cluster::KMeans;
use telseg_cluster::temporal::{Month, Place, SegmentHistory, SegmentId};
use telseg_core::Seed;

use super::data::{after, ids, rows, runs, seg};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

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
