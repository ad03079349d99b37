//! Subscribers that are held where they were.

use ndarray::{Array2, array};
use proptest::prelude::*;
use telseg_cluster::temporal::{HistoryParams, Hysteresis, Month, SegmentHistory, SegmentId};
use telseg_cluster::{Init, KMeans};

use super::data::{ids, rows};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

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
}

/// Segments of 300 subscribers over five months of k-means on overlapping clusters.
fn path(params: HistoryParams, seed: u64) -> Vec<Vec<Option<SegmentId>>> {
    let labels: Vec<u32> = (0..300).map(|i| i % 3).collect();
    let centers = [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]];
    let mut history = params.start().unwrap();
    let month = |month: u64| {
        let x = rows(
            &labels,
            &centers,
            seed.wrapping_mul(100).wrapping_add(month),
        );
        let params =
            KMeans::params(3).with_init(Init::Centers(array![[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]]));
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
