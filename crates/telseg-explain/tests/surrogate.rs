//! Rules and medoids of planted segments.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use telseg_core::Seed;
use telseg_explain::{Column, Condition, MISSING, SurrogateParams, medoids, surrogates};

const N: usize = 6_000;

/// Segment 1: young with much data. Segment 2: on the gold plan with a missing tenure. Segment 0: the rest.
struct Planted {
    age: Vec<f64>,
    gb: Vec<f64>,
    tenure: Vec<f64>,
    plan: Vec<u32>,
    noise: Vec<f64>,
    labels: Vec<u32>,
}

fn plans() -> Vec<String> {
    ["basic", "silver", "gold"].map(String::from).to_vec()
}

fn planted() -> Planted {
    let draw = |name: &str, i: usize| Seed::new(4).stream(name).unit(i as u64);
    let age: Vec<f64> = (0..N)
        .map(|i| (18.0 + 60.0 * draw("age", i)).round())
        .collect();
    let gb: Vec<f64> = (0..N).map(|i| 30.0 * draw("gb", i)).collect();
    let known = |i: usize| draw("known", i) < 0.6;
    let tenure: Vec<f64> = (0..N)
        .map(|i| {
            if known(i) {
                (72.0 * draw("tenure", i)).floor()
            } else {
                f64::NAN
            }
        })
        .collect();
    let plan: Vec<u32> = (0..N).map(|i| (3.0 * draw("plan", i)) as u32).collect();
    let noise: Vec<f64> = (0..N).map(|i| draw("noise", i)).collect();
    let labels = (0..N)
        .map(|i| {
            if age[i] <= 30.0 && gb[i] > 12.0 {
                1
            } else if plan[i] == 2 && tenure[i].is_nan() {
                2
            } else {
                0
            }
        })
        .collect();
    Planted {
        age,
        gb,
        tenure,
        plan,
        noise,
        labels,
    }
}

impl Planted {
    fn columns<'a>(&'a self, plans: &'a [String]) -> Vec<Column<'a>> {
        vec![
            Column::numeric("age", &self.age),
            Column::numeric("data_gb_mean", &self.gb),
            Column::numeric("tenure", &self.tenure),
            Column::categorical("plan", &self.plan, plans),
            Column::numeric("noise", &self.noise),
        ]
    }
}

#[test]
fn planted_rules_are_found_and_measured() {
    let (base, plans) = (planted(), plans());
    let found = surrogates(
        &base.columns(&plans),
        &base.labels,
        3,
        None,
        &SurrogateParams::default(),
    )
    .unwrap();
    let young = &found[1].rules[0];
    // The bins' cuts need not fall on the planted ones.
    assert!(
        matches!(&young.conditions[..], [Condition::Between { column: a, .. }, Condition::Between { column: b, .. }, ..]
        if a == "age" && b == "data_gb_mean"),
        "{young}"
    );
    assert!(young.precision > 0.9 && young.coverage > 0.9, "{young:?}");
    assert!(young.interval[0] < young.precision && young.precision < young.interval[1]);
    let share = base.labels.iter().filter(|l| **l == 1).count() as f64 / N as f64;
    assert!(
        (young.lift - young.precision / share).abs() < 0.6,
        "{young:?} {share}"
    );

    let gold = found[2].rules[0].to_string();
    assert!(
        gold.contains("tenure is unknown") && gold.contains("plan is gold"),
        "{gold}"
    );
    assert!(found[2].rules.iter().all(|r| r.conditions.len() <= 3));
    for surrogate in &found {
        let (tree, forest) = (surrogate.tree.unwrap(), surrogate.forest.unwrap());
        assert!(tree.balanced_accuracy > 0.8, "{surrogate:?}");
        assert!(forest.balanced_accuracy > 0.95, "{surrogate:?}");
        let noise = surrogate
            .importance
            .iter()
            .find(|(name, _)| name == "noise");
        assert!(
            noise.is_none_or(|(_, share)| *share < 0.05),
            "{:?}",
            surrogate.importance
        );
        let sum: f64 = surrogate.importance.iter().map(|(_, s)| s).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}

#[test]
fn precision_and_coverage_are_those_of_the_rows() {
    // One flag that the segment has in 90 of 100 and others in 30 of 900: precision 0.75, coverage 0.9.
    let flag: Vec<f64> = (0..20_000)
        .map(|i| {
            f64::from(u8::from(if i % 10 == 0 {
                i % 100 != 0
            } else {
                i % 30 == 1
            }))
        })
        .collect();
    let labels: Vec<u32> = (0..20_000).map(|i| u32::from(i % 10 == 0)).collect();
    let found = surrogates(
        &[Column::numeric("pays_late", &flag)],
        &labels,
        2,
        None,
        &SurrogateParams::default(),
    )
    .unwrap();
    let rule = &found[1].rules[0];
    assert_eq!(rule.to_string(), "pays late is Yes");
    assert!(
        (rule.precision - 0.73).abs() < 0.04 && (rule.coverage - 0.9).abs() < 0.02,
        "{rule:?}"
    );
    assert_eq!(found[0].rules[0].to_string(), "pays late is No");
    let strict = SurrogateParams::default().with_min_precision(0.9);
    assert!(
        surrogates(
            &[Column::numeric("pays_late", &flag)],
            &labels,
            2,
            None,
            &strict
        )
        .unwrap()[1]
            .rules
            .is_empty()
    );
    // A weight of ten for the segment: precision 10 * 0.9 / (10 * 0.9 + 0.3).
    let weights: Vec<f64> = labels
        .iter()
        .map(|l| if *l == 1 { 10.0 } else { 1.0 })
        .collect();
    let heavy = surrogates(
        &[Column::numeric("pays_late", &flag)],
        &labels,
        2,
        Some(&weights),
        &SurrogateParams::default(),
    );
    assert!(heavy.unwrap()[1].rules[0].precision > 0.95);
}

#[test]
fn edges_have_rules_and_threads_give_the_same() {
    let (base, plans) = (planted(), plans());
    let columns = base.columns(&plans);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            surrogates(&columns, &base.labels, 4, None, &SurrogateParams::default()).unwrap()
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
    // Segment 3 is empty.
    assert!(one[3].rules.is_empty() && one[3].tree.is_none() && one[3].importance.is_empty());
    // All rows in one segment: there is no rest.
    let whole = surrogates(&columns, &vec![0; N], 1, None, &SurrogateParams::default()).unwrap();
    assert!(whole[0].rules.is_empty() && whole[0].tree.is_none());
    // A constant column and no column tell nothing.
    let constant = vec![1.0; N];
    for columns in [&[Column::numeric("constant", &constant)][..], &[]] {
        let found =
            surrogates(columns, &base.labels, 3, None, &SurrogateParams::default()).unwrap();
        assert!(found.iter().all(|s| s.rules.is_empty()), "{found:?}");
    }
    let refuse = |params: SurrogateParams| {
        surrogates(&columns, &base.labels, 3, None, &params)
            .unwrap_err()
            .to_string()
    };
    let good = SurrogateParams::default;
    assert_eq!(
        refuse(good().with_max_conditions(4)),
        "max_conditions: must be 1 to 3, found 4"
    );
    assert_eq!(
        refuse(good().with_min_precision(f64::NAN)),
        "min_precision: must be 0 to 1, found NaN"
    );
    let error = surrogates(&columns, &base.labels, 2, None, &good())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("labels: segment 2 in row"), "{error}");
    let error = surrogates(&columns, &base.labels[1..], 3, None, &good())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("column age: expected 5999 rows"),
        "{error}"
    );
}

#[test]
fn medoids_are_rows_of_the_middle() {
    let (base, plans) = (planted(), plans());
    let columns = base.columns(&plans);
    let rows = medoids(&columns, &base.labels, 3, 3, 10, 0).unwrap();
    for (segment, rows) in rows.iter().enumerate() {
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|r| base.labels[*r] as usize == segment));
        assert!(rows[0] != rows[1] && rows[1] != rows[2] && rows[0] != rows[2]);
    }
    // The young are 18 to 30 with 12 to 30 GB: the medoid is neither the youngest nor the oldest.
    let first = rows[1][0];
    assert!((20.0..=28.0).contains(&base.age[first]) && (15.0..=27.0).contains(&base.gb[first]));
    assert_eq!(medoids(&columns, &base.labels, 3, 3, 10, 0).unwrap(), rows);
    // Nine rows: nobody is held up. Rows of no segment take no part.
    let labels: Vec<u32> = (0..N).map(|i| if i < 9 { 0 } else { MISSING }).collect();
    assert!(medoids(&columns, &labels, 1, 3, 10, 0).unwrap()[0].is_empty());
    assert_eq!(medoids(&columns, &labels, 1, 20, 5, 0).unwrap()[0].len(), 9);
}
