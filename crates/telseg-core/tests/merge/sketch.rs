//! The quantile sketch against exact ranks.

use proptest::prelude::*;
use telseg_core::Seed;
use telseg_core::merge::{Merge, QuantileSketch, fold};

fn sketch(k: usize, seed: u64, rows: impl IntoIterator<Item = (f64, f64)>) -> QuantileSketch {
    let mut sketch = QuantileSketch::new(k).unwrap().with_seed(seed);
    for (value, weight) in rows {
        sketch.push_weighted(value, weight).unwrap();
    }
    sketch.validate().unwrap();
    sketch
}

fn rank(rows: &[(f64, f64)], value: f64) -> f64 {
    let below = rows.iter().filter(|r| r.0 <= value).map(|r| r.1);
    below.sum::<f64>() / rows.iter().map(|r| r.1).sum::<f64>()
}

/// The smallest value at or below which a share `q` of the weight lies.
fn quantile(rows: &[(f64, f64)], q: f64) -> f64 {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = rows.iter().map(|r| r.1).sum();
    let mut sum = 0.0;
    for (value, weight) in &sorted {
        sum += weight;
        if sum >= q * total * (1.0 - 1e-12) {
            return *value;
        }
    }
    sorted[sorted.len() - 1].0
}

/// Values in several orders and with several weightings.
fn worlds(n: usize, world: u64) -> Vec<(&'static str, Vec<(f64, f64)>)> {
    let stream = Seed::new(world).stream("test.sketch");
    let unit = |i: usize| stream.unit(i as u64);
    let rows = |f: &dyn Fn(usize) -> (f64, f64)| (0..n).map(f).collect();
    vec![
        ("random", rows(&|i| (unit(i), 1.0))),
        ("ascending", rows(&|i| (i as f64, 1.0))),
        (
            "zigzag",
            rows(&|i| (if i % 2 == 0 { i as f64 } else { -(i as f64) }, 1.0)),
        ),
        ("tied", rows(&|i| ((40.0 * unit(i) * unit(i)).floor(), 1.0))),
        ("weighted", rows(&|i| (unit(i), 0.1 + 5.0 * unit(n + i)))),
        // Heavy customers are the high values.
        (
            "skewed",
            rows(&|i| (unit(i), 1.0 / (1.001 - unit(i)).powi(2))),
        ),
    ]
}

const QS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

#[test]
fn stated_error_holds() {
    let (n, k) = (20_000, 100);
    let (mut n_checked, mut n_outside, mut sum) = (0, 0, 0.0);
    for world in 0..6 {
        for (name, rows) in worlds(n, world) {
            let whole = sketch(k, world, rows.iter().copied());
            let parts = rows
                .chunks(n / 7 + 1)
                .enumerate()
                .map(|(i, part)| sketch(k, i as u64, part.iter().copied()));
            let merged = fold(parts).unwrap().unwrap();
            merged.validate().unwrap();
            for sketch in [&whole, &merged] {
                let stated = sketch.rank_error(0.99).unwrap();
                assert!(0.0 < stated && stated < 0.1, "{name}: {stated}");
                assert!(sketch.n_kept() <= 3 * k + 8 * 24, "{}", sketch.n_kept());
                assert_eq!(sketch.n(), n as u64);
                for q in QS {
                    let value = quantile(&rows, q);
                    let error = (sketch.rank(value).unwrap() - rank(&rows, value)).abs();
                    n_checked += 1;
                    n_outside += usize::from(error > stated);
                    sum += error / stated;
                }
                assert_eq!(sketch.quantile(0.0).unwrap(), quantile(&rows, 0.0));
                assert_eq!(sketch.quantile(1.0).unwrap(), quantile(&rows, 1.0));
            }
        }
    }
    // At most 1 in 100 may lie outside, and Hoeffding's inequality is generous.
    assert!(n_outside * 100 <= n_checked, "{n_outside} of {n_checked}");
    let mean = sum / f64::from(n_checked as u32);
    assert!((0.05..0.4).contains(&mean), "{mean}");
}

#[test]
fn ranks_are_unbiased() {
    // Over seeds, the mean error of a rank is 0: a coin that favours a side would show.
    let rows: Vec<(f64, f64)> = worlds(3000, 1).swap_remove(4).1;
    for value in [0.1, 0.5, 0.8] {
        let truth = rank(&rows, value);
        let errors: Vec<f64> = (0..200)
            .map(|seed| {
                let sketch = sketch(16, seed, rows.iter().copied());
                sketch.rank(value).unwrap() - truth
            })
            .collect();
        let mean = errors.iter().sum::<f64>() / 200.0;
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / 200.0;
        assert!(
            mean.abs() < 4.0 * (variance / 200.0).sqrt(),
            "{mean}, {variance}"
        );
    }
}

#[test]
fn same_rows_same_bytes() {
    let rows = worlds(5000, 3).swap_remove(4).1;
    let build = || sketch(64, 5, rows.iter().copied());
    let saved = postcard::to_stdvec(&build()).unwrap();
    assert_eq!(saved, postcard::to_stdvec(&build()).unwrap());
    let mut loaded: QuantileSketch = postcard::from_bytes(&saved).unwrap();
    assert_eq!(loaded, build());
    // A loaded sketch goes on as if it had never been saved.
    let mut kept = build();
    for i in 0..1000 {
        kept.push(f64::from(i) / 500.0);
        loaded.push(f64::from(i) / 500.0);
    }
    assert_eq!(kept, loaded);
    assert_ne!(build(), sketch(64, 6, rows));
}

#[test]
fn one_value_many_times_stays_exact() {
    let sketch = sketch(8, 0, (0..100_000).map(|_| (3.5, 1.0)));
    assert!(sketch.is_exact());
    assert_eq!(sketch.rank_error(0.99).unwrap(), 0.0);
    assert_eq!(sketch.rank(3.5).unwrap(), 1.0);
    assert_eq!(sketch.rank(3.4).unwrap(), 0.0);
}

fn few() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((-20i8..20, 1u8..4), 1..30).prop_map(|rows| {
        rows.into_iter()
            .map(|(v, w)| (f64::from(v), f64::from(w)))
            .collect()
    })
}

proptest! {
    #[test]
    fn few_values_are_exact_and_merge_exactly(a in few(), b in few(), c in few()) {
        let all: Vec<(f64, f64)> = [&a[..], &b, &c].concat();
        let [a, b, c] = [a, b, c].map(|rows| sketch(100, 0, rows));
        let join = |x: &QuantileSketch, y: &QuantileSketch| {
            let mut joined = x.clone();
            joined.merge(y).unwrap();
            joined
        };
        for joined in [join(&join(&a, &b), &c), join(&a, &join(&b, &c)), join(&join(&c, &b), &a)] {
            prop_assert!(joined.is_exact());
            prop_assert_eq!(joined.weight(), all.iter().map(|r| r.1).sum::<f64>());
            for q in QS {
                prop_assert_eq!(joined.quantile(q).unwrap(), quantile(&all, q));
            }
            for value in [-20.5, -3.0, 0.0, 7.0, 30.0] {
                prop_assert_eq!(joined.rank(value).unwrap(), rank(&all, value));
            }
        }
    }
}
