//! One call for many methods.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ndarray::Array2;
use telseg_cluster::compare::{Clusterer, CompareParams, Comparison, Method, Task, compare};
use telseg_cluster::{Hierarchical, Init, KMeans, Linkage};
use telseg_core::{Error, Seed};
use telseg_testkit::{blobs, pool};

fn params() -> CompareParams {
    CompareParams::default()
        .with_n_resamples(8)
        .with_n_references(4)
}

#[test]
fn blobs_are_found_by_all_and_the_table_says_so() {
    let (x, _) = blobs::<f32>(600, 3, 4, 3);
    let (kmeans, ward) = (KMeans::params(2), Hierarchical::params(2));
    let single = Hierarchical::params(2).with_linkage(Linkage::Single);
    let methods: [&dyn Clusterer<f32>; 3] = [&kmeans, &ward, &single];
    let found = compare(&x, 2..=6, &methods, &params()).unwrap();
    println!("{found}");
    assert_eq!(found.judged.len(), 15);
    let best = &found.judged[found.recommended.unwrap()];
    assert_eq!(best.n_clusters, 4);
    assert!(
        found
            .reason
            .starts_with("k-means with 4 clusters: its clusters lie farthest apart")
    );
    let table = found.to_string();
    let marked: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("* "))
        .collect();
    assert!(
        marked.len() == 1 && marked[0].contains("k-means"),
        "{table}"
    );
    let saved = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&saved).unwrap(), found);
}

#[test]
fn long_clusters_are_left_to_single_linkage_and_the_dissent_is_said() {
    // Two rings around each other: Ward and k-means cut both in halves, and every measure of roundness likes it.
    let ring = |i: usize| {
        (
            if i < 150 { 1.0 } else { 4.0 },
            (i % 150) as f64 / 150.0 * std::f64::consts::TAU,
        )
    };
    let x = Array2::from_shape_fn((300, 2), |(i, j)| {
        let (radius, angle) = ring(i);
        radius * if j == 0 { angle.cos() } else { angle.sin() }
    });
    let single = Hierarchical::params(2).with_linkage(Linkage::Single);
    let (ward, methods): (_, [&dyn Clusterer<f64>; 1]) = (Hierarchical::params(2), [&single]);
    let alone = compare(&x, 2..=2, &methods, &params()).unwrap();
    let rings = &alone.judged[0];
    assert!(rings.weakest() > 0.99 && rings.silhouette.unwrap().estimate < 0.4);
    let methods: [&dyn Clusterer<f64>; 2] = [&ward, &single];
    let found = compare(&x, 2..=2, &methods, &params()).unwrap();
    println!("{found}");
    assert_eq!(found.judged[found.recommended.unwrap()].method, "single");
    assert!(
        found.reason.contains("The measures disagree:"),
        "{}",
        found.reason
    );
}

#[test]
fn noise_is_counted_and_failures_are_told() {
    let (x, _) = blobs::<f32>(400, 2, 3, 3);
    // A method that finds its own number and calls every tenth row noise, and one that cannot.
    let tenth = Method::new("tenth", |task: Task<'_, f32>| {
        let labels = KMeans::params(3).fit(task.x)?;
        let label = |(i, l): (usize, &u32)| (i % 10 != 0).then_some(*l);
        Ok(labels.labels().iter().enumerate().map(label).collect())
    })
    .finds_k();
    let most = Method::new("most", |task: Task<'_, f32>| {
        let labels = KMeans::params(3).fit(task.x)?;
        Ok(labels
            .labels()
            .iter()
            .enumerate()
            .map(|(i, l)| (i % 10 == 0).then_some(*l))
            .collect())
    })
    .finds_k();
    let broken = Method::new("broken", |_: Task<'_, f32>| {
        Err(Error::data("x", "cannot be used"))
    });
    let methods: [&dyn Clusterer<f32>; 3] = [&tenth, &most, &broken];
    let found = compare(&x, 2..=3, &methods, &params()).unwrap();
    println!("{found}");
    assert_eq!(found.judged.len(), 4);
    assert_eq!((found.judged[0].k, found.judged[0].n_clusters), (None, 3));
    assert!((found.judged[0].noise - 0.1).abs() < 1e-12);
    assert_eq!(found.recommended, Some(0));
    assert_eq!(
        found.judged[3].problem.as_deref(),
        Some("x: cannot be used")
    );
    assert!(found.to_string().contains("x: cannot be used"));
    let methods: [&dyn Clusterer<f32>; 1] = [&broken];
    assert_eq!(
        compare(&x, 2..=3, &methods, &params())
            .unwrap_err()
            .to_string(),
        "x: cannot be used"
    );
    let given = KMeans::params(2)
        .with_n_init(1)
        .with_init(Init::Centers(Array2::zeros((2, 2))));
    let methods: [&dyn Clusterer<f32>; 1] = [&given];
    let error = compare(&x, 2..=3, &methods, &params())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("init: given centres"), "{error}");
}

#[test]
fn what_does_not_hold_is_not_recommended_without_a_warning() {
    let stream = Seed::new(4).stream("noise");
    let x = Array2::from_shape_fn((300, 2), |(i, j)| stream.unit((i * 2 + j) as u64));
    // Labels at random: anew for every set of rows.
    let guess = Method::new("guess", |task: Task<'_, f64>| {
        let seed = task.weights.map_or(0, |w| {
            w.iter()
                .take(64)
                .fold(1u64, |a, w| a.wrapping_mul(3).wrapping_add(*w as u64))
        });
        let stream = Seed::new(seed).stream("guess");
        Ok((0..task.x.nrows())
            .map(|i| Some((stream.bits(i as u64) % task.k as u64) as u32))
            .collect())
    });
    let methods: [&dyn Clusterer<f64>; 1] = [&guess];
    let found = compare(&x, 2..=4, &methods, &params()).unwrap();
    println!("{found}");
    assert!(
        found.reason.contains("Do not build on it"),
        "{}",
        found.reason
    );
}

#[test]
fn what_is_wrong_is_said() {
    let (x, _) = blobs::<f32>(50, 2, 3, 3);
    let kmeans = KMeans::params(2);
    let methods: [&dyn Clusterer<f32>; 1] = [&kmeans];
    let message =
        |ks, params: CompareParams| compare(&x, ks, &methods, &params).unwrap_err().to_string();
    assert_eq!(
        message(1..=3, params()),
        "ks: expected a range from at least 2 up, found 1..=3"
    );
    assert_eq!(
        message(2..=60, params()),
        "x: expected at least 60 rows (ks), found 50"
    );
    assert_eq!(
        message(2..=3, params().with_n_sample(3)),
        "n_sample: expected at least 10, found 3"
    );
    assert_eq!(
        message(2..=3, params().with_n_resamples(1)),
        "n_resamples: expected at least 2, found 1"
    );
    assert_eq!(
        message(2..=3, params().with_n_references(1)),
        "n_references: expected 0 or at least 2, found 1"
    );
    assert_eq!(
        message(2..=3, params().with_max_noise(2.0)),
        "max_noise: expected a number from 0 to 1, found 2"
    );
    let none: [&dyn Clusterer<f32>; 0] = [];
    assert_eq!(
        compare(&x, 2..=3, &none, &params())
            .unwrap_err()
            .to_string(),
        "methods: expected at least 1, found 0"
    );
}

#[test]
fn threads_change_nothing_but_the_time() {
    let (x, _) = blobs::<f32>(300, 3, 3, 8);
    let (kmeans, ward) = (KMeans::params(2), Hierarchical::params(2));
    let methods: [&dyn Clusterer<f32>; 2] = [&kmeans, &ward];
    let run = || {
        let mut found = compare(&x, 2..=4, &methods, &params()).unwrap();
        found.judged.iter_mut().for_each(|j| j.seconds = 0.0);
        found
    };
    let expected = pool(1, run);
    for threads in [2, 7] {
        assert_eq!(pool(threads, run), expected);
    }
}
