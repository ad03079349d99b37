//! Measures of a clustering: weights, threads, and data whose answer is known.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use telseg_cluster::metrics::{self, GapParams, Reference, StabilityParams};
use telseg_cluster::{Hierarchical, KMeans};
use telseg_core::{Scalar, Seed};
use telseg_testkit::{blobs, pool};

fn rows<F: Scalar>(n: usize, d: usize, seed: u64) -> Array2<F> {
    let stream = Seed::new(seed).stream("rows");
    Array2::from_shape_fn((n, d), |(i, j)| {
        F::from_f64(stream.unit((i * d + j) as u64) + ((i % 3) * (j + 1)) as f64)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn a_weight_is_so_many_rows(d in 1usize..5, seed: u64, weights in prop::collection::vec(0usize..4, 90)) {
        let x = rows::<f64>(90, d, seed);
        let labels = Array1::from_shape_fn(90, |i| (i % 3) as u32);
        prop_assume!((0..3).all(|g| (0..90).filter(|i| i % 3 == g).map(|i| weights[i]).sum::<usize>() > 1));
        let each: Vec<usize> = weights.iter().enumerate().flat_map(|(i, &w)| vec![i; w]).collect();
        let weights: Array1<f64> = weights.iter().map(|&w| w as f64).collect();
        let (of_each, labels_of_each) = (x.select(Axis(0), &each), labels.select(Axis(0), &each));
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
        let weighted = metrics::silhouette_samples_weighted(&x, &labels, &weights).unwrap();
        let repeated = metrics::silhouette_samples(&of_each, &labels_of_each).unwrap();
        for (&i, value) in each.iter().zip(&repeated) {
            prop_assert!(close(weighted[i], *value), "{} {value}", weighted[i]);
        }
        prop_assert!(close(
            metrics::silhouette_weighted(&x, &labels, &weights).unwrap(),
            metrics::silhouette(&of_each, &labels_of_each).unwrap()
        ));
        prop_assert!(close(
            metrics::davies_bouldin_weighted(&x, &labels, &weights).unwrap(),
            metrics::davies_bouldin(&of_each, &labels_of_each).unwrap()
        ));
        prop_assert!(close(
            metrics::calinski_harabasz_weighted(&x, &labels, &weights).unwrap(),
            metrics::calinski_harabasz(&of_each, &labels_of_each).unwrap()
        ));
    }

    #[test]
    fn a_sample_tells_of_all_rows(seed in 0u64..20) {
        let (x, labels) = blobs::<f32>(3000, 4, 5, seed);
        let all = metrics::silhouette(&x, &labels).unwrap();
        let sample = metrics::silhouette_sampled(&x, &labels, 600, seed).unwrap();
        // The interval covers 95 of 100; widened to a width more on either side, all but a few in a million.
        let width = sample.high - sample.low;
        prop_assert!(sample.low - width <= all && all <= sample.high + width, "{all} {sample:?}");
    }
}

#[test]
fn the_gap_finds_planted_blobs_and_nothing_in_noise() {
    let cluster = |x: &ndarray::ArrayRef2<f32>, k: usize| {
        Ok(KMeans::params(k).with_n_init(5).fit(x)?.labels().clone())
    };
    for reference in [Reference::Columns, Reference::PrincipalAxes] {
        let params = GapParams::default().with_reference(reference);
        let (x, _) = blobs::<f32>(400, 3, 4, 3);
        let found = metrics::gap(&x, 1..=7, &params, cluster).unwrap();
        assert_eq!(found.chosen, Some(4), "{found:?}");
        let stream = Seed::new(9).stream("noise");
        let noise =
            Array2::from_shape_fn((400, 3), |(i, j)| stream.unit((i * 3 + j) as u64) as f32);
        let found = metrics::gap(&noise, 1..=4, &params, cluster).unwrap();
        assert_eq!(found.chosen, Some(1), "{found:?}");
    }
}

#[test]
fn a_gap_by_hand() {
    // One column, two points a distance 1 apart and two labels given: log W = log(1/2) for one cluster of two rows.
    let x = array![[0.0f64], [1.0]];
    let cluster = |x: &ndarray::ArrayRef2<f64>, _: usize| Ok(Array1::zeros(x.nrows()));
    let found = metrics::gap(
        &x,
        1..=1,
        &GapParams::default().with_n_references(5000),
        cluster,
    )
    .unwrap();
    let step = found.steps[0];
    assert!((step.log_within - 0.5f64.ln()).abs() < 1e-12);
    // Two even draws u, v: E log((u - v)^2 / 2) = log(1/2) - 3; the variance of log((u - v)^2) is 5.
    let error = (5.0f64 / 5000.0).sqrt();
    assert!((step.gap + 3.0).abs() < 5.0 * error, "{step:?}");
    assert!((step.error - 5.0f64.sqrt()).abs() < 0.2, "{step:?}");
    assert_eq!(found.chosen, None);
}

#[test]
fn stability_tells_kinds_from_cuts_at_random() {
    let (x, _) = blobs::<f32>(300, 3, 3, 1);
    let params = StabilityParams::default().with_n_resamples(20);
    let of = |k: usize| {
        let params_of_k = KMeans::params(k);
        let labels = params_of_k.fit(&x).unwrap().labels().mapv(Some).to_vec();
        metrics::stability(&labels, None, &params, |weights, _| {
            Ok(params_of_k
                .fit_weighted(&x, weights)?
                .labels()
                .mapv(Some)
                .to_vec())
        })
        .unwrap()
    };
    assert!(of(3).weakest() > 0.99);
    // Five of three: blobs are cut in two at random.
    assert!(of(5).weakest() < 0.7, "{}", of(5).weakest());
    let none = metrics::stability(&[], None, &params, |_, _| Ok(Vec::new())).unwrap_err();
    assert_eq!(none.to_string(), "labels: expected at least 1 row, found 0");
    let one = StabilityParams::default().with_n_resamples(1);
    let error = metrics::stability(&[None], None, &one, |_, _| Ok(vec![None])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "n_resamples: expected at least 2, found 1"
    );
}

#[test]
fn threads_change_no_bit() {
    let (x, labels) = blobs::<f32>(700, 4, 3, 2);
    let ward = Hierarchical::params(4);
    let all = || {
        let marked = labels.mapv(Some).to_vec();
        let stability = metrics::stability(
            &marked,
            None,
            &StabilityParams::default().with_n_resamples(6),
            |w, _| Ok(ward.fit_weighted(&x, w)?.labels().mapv(Some).to_vec()),
        );
        let gap = metrics::gap(
            &x,
            1..=4,
            &GapParams::default().with_n_references(4),
            |x, k| Ok(KMeans::params(k).fit(x)?.labels().clone()),
        );
        (
            metrics::silhouette_samples(&x, &labels).unwrap(),
            metrics::davies_bouldin(&x, &labels).unwrap(),
            metrics::calinski_harabasz(&x, &labels).unwrap(),
            stability.unwrap(),
            gap.unwrap(),
        )
    };
    let expected = pool(1, all);
    for threads in [2, 7] {
        assert_eq!(pool(threads, all), expected);
    }
}
