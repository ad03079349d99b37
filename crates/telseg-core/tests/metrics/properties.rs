//! What must hold for any data.

use proptest::prelude::*;
use telseg_core::metrics::binary::{self, Bins, Ranking};
use telseg_core::metrics::{partition, regression};

/// Rows of (outcome, tied score, whole weight) with both classes.
fn rows() -> impl Strategy<Value = Vec<(bool, f64, usize)>> {
    prop::collection::vec((any::<bool>(), 0u8..=8, 1usize..4), 2..60)
        .prop_filter("two classes", |rows| {
            rows.iter().any(|r| r.0) && rows.iter().any(|r| !r.0)
        })
        .prop_map(|rows| {
            let scaled = |(y, s, w): (bool, u8, usize)| (y, f64::from(s) / 8.0, w);
            rows.into_iter().map(scaled).collect()
        })
}

type Columns = (Vec<bool>, Vec<f64>, Vec<f64>);

fn columns(rows: &[(bool, f64, usize)]) -> Columns {
    let y = rows.iter().map(|r| r.0).collect();
    let s = rows.iter().map(|r| r.1).collect();
    (y, s, rows.iter().map(|r| r.2 as f64).collect())
}

fn repeated(rows: &[(bool, f64, usize)]) -> (Vec<bool>, Vec<f64>) {
    let copies = rows
        .iter()
        .flat_map(|&(y, s, w)| std::iter::repeat_n((y, s), w));
    copies.unzip()
}

/// All figures of two classes, by name.
fn figures(y: &[bool], p: &[f64], w: Option<&[f64]>) -> Vec<(&'static str, f64)> {
    let ranking = Ranking::new(y, p).unwrap();
    let ece = |bins| binary::calibration(y, p, w, bins).unwrap().ece;
    vec![
        ("auc", ranking.auc(w).unwrap()),
        ("ap", ranking.average_precision(w).unwrap()),
        ("gain", ranking.gain_at(0.3, w).unwrap()),
        ("lift", ranking.lift_at(0.7, w).unwrap()),
        ("log_loss", binary::log_loss(y, p, w).unwrap()),
        ("brier", binary::brier(y, p, w).unwrap()),
        ("ece, uniform", ece(Bins::Uniform(4))),
        ("ece, quantile", ece(Bins::Quantile(4))),
    ]
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(1.0)
}

proptest! {
    #[test]
    fn auc_is_the_share_of_pairs_in_order(rows in rows()) {
        let (y, s, w) = columns(&rows);
        let (mut right, mut all) = (0.0, 0.0);
        for i in (0..y.len()).filter(|&i| y[i]) {
            for j in (0..y.len()).filter(|&j| !y[j]) {
                let pair = w[i] * w[j];
                all += pair;
                right += pair * if s[i] > s[j] { 1.0 } else if s[i] == s[j] { 0.5 } else { 0.0 };
            }
        }
        prop_assert!(close(binary::auc(&y, &s, Some(&w)).unwrap(), right / all));
    }

    #[test]
    fn turning_scores_round_turns_auc_round(rows in rows()) {
        let (y, s, w) = columns(&rows);
        let turned: Vec<f64> = s.iter().map(|s| 1.0 - s).collect();
        let sum = binary::auc(&y, &s, Some(&w)).unwrap() + binary::auc(&y, &turned, Some(&w)).unwrap();
        prop_assert!(close(sum, 1.0));
    }

    #[test]
    fn whole_weight_is_repeated_row(rows in rows()) {
        let (y, p, w) = columns(&rows);
        let (many_y, many_p) = repeated(&rows);
        for ((name, weighted), (_, copied)) in figures(&y, &p, Some(&w)).into_iter().zip(figures(&many_y, &many_p, None)) {
            prop_assert!(close(weighted, copied), "{name}: {weighted}, repeated {copied}");
        }
    }

    #[test]
    fn scale_of_weights_and_order_of_rows_do_not_matter(rows in rows().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle()))) {
        let (y, p, w) = columns(&rows.0);
        let (other_y, other_p, other_w) = columns(&rows.1);
        let scaled: Vec<f64> = other_w.iter().map(|w| 0.125 * w).collect();
        for ((name, one), (_, other)) in figures(&y, &p, Some(&w)).into_iter().zip(figures(&other_y, &other_p, Some(&scaled))) {
            prop_assert!(close(one, other), "{name}: {one}, shuffled and scaled {other}");
        }
    }

    #[test]
    fn weight_zero_is_no_row(rows in rows(), extra in (any::<bool>(), 0.0f64..1.0)) {
        let (mut y, mut p, mut w) = columns(&rows);
        let before = figures(&y, &p, Some(&w));
        y.push(extra.0);
        p.push(extra.1);
        w.push(0.0);
        for ((name, one), (_, other)) in before.into_iter().zip(figures(&y, &p, Some(&w))) {
            prop_assert!(close(one, other), "{name}: {one}, with a row of weight 0 {other}");
        }
    }

    #[test]
    fn curves_rise_and_hold_the_figures(rows in rows(), max_points in 2usize..12) {
        let (y, s, w) = columns(&rows);
        let ranking = Ranking::new(&y, &s).unwrap();
        let roc = ranking.roc_curve(Some(&w), usize::MAX).unwrap();
        let area: f64 = roc.windows(2).map(|p| {
            (p[1].false_positive_rate - p[0].false_positive_rate) * 0.5 * (p[0].true_positive_rate + p[1].true_positive_rate)
        }).sum();
        prop_assert!(close(area, ranking.auc(Some(&w)).unwrap()));
        for point in &ranking.lift_curve(Some(&w), usize::MAX).unwrap()[1..] {
            prop_assert!(close(point.gain, ranking.gain_at(point.share, Some(&w)).unwrap()));
        }
        let thin = ranking.roc_curve(Some(&w), max_points).unwrap();
        prop_assert_eq!(thin.len(), max_points.min(roc.len()));
        prop_assert_eq!(thin[0], roc[0]);
        prop_assert_eq!(thin.last(), roc.last());
        prop_assert!(thin.iter().all(|p| roc.contains(p)));
        prop_assert!(thin.windows(2).all(|p| p[0].threshold > p[1].threshold));
    }

    #[test]
    fn calibration_keeps_all_rows(rows in rows(), n in 1usize..9) {
        let (y, p, w) = columns(&rows);
        for bins in [Bins::Uniform(n), Bins::Quantile(n)] {
            let report = binary::calibration(&y, &p, Some(&w), bins).unwrap();
            let sum = |f: fn(&binary::CalibrationBin) -> f64| report.bins.iter().map(|b| b.weight * f(b)).sum::<f64>();
            prop_assert!(report.bins.len() <= n);
            prop_assert!(close(sum(|_| 1.0), w.iter().sum()));
            prop_assert!(close(sum(|b| b.mean_predicted), p.iter().zip(&w).map(|(p, w)| p * w).sum()));
            prop_assert!(report.bins.iter().all(|b| b.low - 1e-12 <= b.mean_predicted && b.mean_predicted <= b.high + 1e-12));
            prop_assert!((0.0..=1.0).contains(&report.ece));
        }
    }

    #[test]
    fn regression_weights_are_repeated_rows(rows in prop::collection::vec((-9i8..9, -9i8..9, 1usize..4), 2..40)) {
        prop_assume!(rows.iter().any(|r| r.0 != rows[0].0));
        let y: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let p: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
        let w: Vec<f64> = rows.iter().map(|r| r.2 as f64).collect();
        let copies = rows.iter().flat_map(|r| std::iter::repeat_n((f64::from(r.0), f64::from(r.1)), r.2));
        let (many_y, many_p): (Vec<f64>, Vec<f64>) = copies.unzip();
        let all = |y: &[f64], p: &[f64], w: Option<&[f64]>| [
            regression::rmse(y, p, w).unwrap(),
            regression::mae(y, p, w).unwrap(),
            regression::quantile_loss(y, p, 0.8, w).unwrap(),
            regression::r2(y, p, w).unwrap(),
        ];
        for (a, b) in all(&y, &p, Some(&w)).into_iter().zip(all(&many_y, &many_p, None)) {
            prop_assert!((a - b).abs() <= 1e-11 * a.abs().max(1.0), "{a}, repeated {b}");
        }
        let half = regression::quantile_loss(&y, &p, 0.5, Some(&w)).unwrap();
        prop_assert!(close(2.0 * half, regression::mae(&y, &p, Some(&w)).unwrap()));
    }

    #[test]
    fn partitions(rows in prop::collection::vec((0u32..4, 0u32..5, 1usize..4), 2..50)) {
        let a: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let b: Vec<u32> = rows.iter().map(|r| r.1).collect();
        let w: Vec<f64> = rows.iter().map(|r| r.2 as f64).collect();
        let w = Some(&w[..]);
        // Symmetric, blind to names, 1 for the same partition.
        let renamed: Vec<u32> = b.iter().map(|&l| 1000 - 7 * l).collect();
        let (ari, nmi, purity) = (partition::ari(&a, &b, w).unwrap(), partition::nmi(&a, &b, w).unwrap(), partition::purity(&a, &b, w).unwrap());
        prop_assert!(close(ari, partition::ari(&b, &a, w).unwrap()));
        prop_assert!(close(nmi, partition::nmi(&b, &a, w).unwrap()));
        prop_assert!(close(ari, partition::ari(&a, &renamed, w).unwrap()));
        prop_assert!(close(nmi, partition::nmi(&a, &renamed, w).unwrap()));
        prop_assert!(close(purity, partition::purity(&a, &renamed, w).unwrap()));
        prop_assert!(close(partition::ari(&b, &renamed, w).unwrap(), 1.0));
        prop_assert!(close(partition::nmi(&b, &renamed, w).unwrap(), 1.0));
        prop_assert!(ari <= 1.0 + 1e-12 && (0.0..=1.0).contains(&nmi) && purity > 0.0 && purity <= 1.0);
        // A whole weight is a repeated row.
        let copies = rows.iter().flat_map(|r| std::iter::repeat_n((r.0, r.1), r.2));
        let (many_a, many_b): (Vec<u32>, Vec<u32>) = copies.unzip();
        prop_assert!(close(ari, partition::ari(&many_a, &many_b, None).unwrap()));
        prop_assert!(close(nmi, partition::nmi(&many_a, &many_b, None).unwrap()));
        prop_assert!(close(purity, partition::purity(&many_a, &many_b, None).unwrap()));
    }
}
