//! What holds whatever the data.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use telseg_cluster::{Algorithm, Init, KMeans, KMeansParams};
use telseg_core::Scalar;

/// Rows that are hard on bounds: a lattice (ties, duplicates), offsets, heavy tails.
fn hard<F: Scalar>(n: usize, d: usize, kind: u8, seed: u64) -> Array2<F> {
    let stream = telseg_core::Seed::new(seed).stream("hard");
    Array2::from_shape_fn((n, d), |(i, j)| {
        let u = stream.unit((i * d + j) as u64);
        F::from_f64(match kind {
            0 => (u * 4.0).floor(),
            1 => 1e6 + u,
            2 => (u - 0.5) / (1e-6 + u * (1.0 - u)).powi(3),
            3 => 1e-20 * u,
            _ => ((i % 5) * (j + 1)) as f64 + 0.1 * u,
        })
    })
}

const BOUNDED: [Algorithm; 2] = [Algorithm::Hamerly, Algorithm::Exponion];

fn same_bits<F: Scalar>(x: &Array2<F>, k: usize, seed: u64) {
    let params = KMeans::params(k)
        .with_n_init(1)
        .with_tol(0.0)
        .with_max_iter(60)
        .with_seed(seed);
    let fit = |algorithm| params.clone().with_algorithm(algorithm).fit(x).unwrap();
    let lloyd = fit(Algorithm::Lloyd);
    for algorithm in BOUNDED {
        let bounded = fit(algorithm);
        assert_eq!(lloyd.labels(), bounded.labels(), "{algorithm:?}");
        assert_eq!(lloyd.centers(), bounded.centers());
        assert_eq!(lloyd.report().n_iter, bounded.report().n_iter);
        assert_eq!(lloyd.report().trace, bounded.report().trace);
    }
    assert_eq!(&lloyd.predict(x).unwrap(), lloyd.labels());
    for (row, &label) in x.rows().into_iter().zip(lloyd.labels()) {
        assert_eq!(lloyd.predict_row(&row).unwrap(), label);
    }
}

fn from(init: &Array2<f64>) -> KMeansParams {
    KMeans::params(init.nrows())
        .with_init(Init::Centers(init.clone()))
        .with_n_init(1)
        .with_tol(0.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn bounds_change_no_bit(n in 20usize..700, d in 1usize..20, k in 1usize..20, kind in 0u8..5, seed: u64) {
        same_bits(&hard::<f32>(n, d, kind, seed), k, seed);
        same_bits(&hard::<f64>(n, d, kind, seed), k, seed);
    }

    #[test]
    fn the_trace_never_rises_and_labels_are_nearest(n in 20usize..300, d in 1usize..6, k in 1usize..9, seed: u64) {
        let x = hard::<f64>(n, d, 4, seed);
        let model = KMeans::params(k).with_seed(seed).fit(&x).unwrap();
        let trace = &model.report().trace;
        let whole: f64 = trace[0] + 1.0;
        prop_assert!(trace.windows(2).all(|w| w[1] <= w[0] + 1e-9 * whole), "{trace:?}");
        let distances = model.transform(&x).unwrap();
        for (row, &label) in distances.rows().into_iter().zip(model.labels()) {
            let least = row.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(row[label as usize] <= least + 1e-9);
        }
        let sum: f64 = model.labels().iter().zip(distances.rows()).map(|(&l, r)| r[l as usize].powi(2)).sum();
        prop_assert!((sum - model.report().inertia).abs() <= 1e-9 * (1.0 + sum));
    }

    #[test]
    fn a_weight_is_so_many_rows(seed: u64, weights in prop::collection::vec(0usize..4, 30)) {
        prop_assume!(weights.iter().filter(|&&w| w > 0).count() > 4);
        let x = hard::<f64>(30, 3, 4, seed);
        let each: Vec<usize> = weights.iter().enumerate().flat_map(|(i, &w)| vec![i; w]).collect();
        let init = x.select(Axis(0), &[0, 7, 13]);
        let weighted = from(&init).fit_weighted(&x, &Array1::from_iter(weights.iter().map(|&w| w as f64))).unwrap();
        let repeated = from(&init).fit(&x.select(Axis(0), &each)).unwrap();
        let (a, b) = (weighted.report().inertia, repeated.report().inertia);
        prop_assert!((a - b).abs() <= 1e-9 * (1.0 + b));
        prop_assert_eq!(&weighted.report().sizes, &repeated.report().sizes);
    }

    #[test]
    fn the_order_of_columns_does_not_matter(seed: u64) {
        let x = hard::<f64>(200, 4, 4, seed);
        let order = [2, 0, 3, 1];
        let init = x.select(Axis(0), &[1, 50, 99]);
        let a = from(&init).fit(&x).unwrap();
        let b = from(&init.select(Axis(1), &order)).fit(&x.select(Axis(1), &order)).unwrap();
        prop_assert!((a.report().inertia - b.report().inertia).abs() <= 1e-9 * (1.0 + a.report().inertia));
    }
}

#[test]
fn ties_go_to_the_lowest_index() {
    // 0 lies as far from -1 as from 1; a single round leaves the centres' labels as they were found.
    let x = array![[-1.0f32], [1.0], [0.0]];
    let model = from(&array![[-1.0], [1.0]])
        .with_max_iter(1)
        .fit(&x)
        .unwrap();
    // Round 1: {-1, 0} and {1}; means -0.5 and 1.
    assert_eq!(model.centers(), array![[-0.5f32], [1.0]]);
    assert_eq!(model.labels(), array![0, 1, 0]);
    assert_eq!(model.report().inertia, 0.5);
}

#[test]
fn an_empty_cluster_takes_the_farthest_row() {
    // The second centre is nearest to no row. Round 1 gives it 10, the farthest from 0: means 0.5 and 10.
    let x = array![[0.0f64], [1.0], [10.0]];
    for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly, Algorithm::Exponion] {
        let model = from(&array![[0.0], [100.0]])
            .with_algorithm(algorithm)
            .fit(&x)
            .unwrap();
        // Means are taken relative to 11/3, which is rounded.
        let off = (model.centers() - &array![[0.5], [10.0]])
            .mapv(f64::abs)
            .sum();
        assert!(off < 1e-12, "{off}");
        assert_eq!(model.report().sizes, [2.0, 1.0]);
    }
}

#[test]
fn rows_without_variance_and_as_many_clusters_as_rows() {
    let same = Array2::from_elem((9, 2), 5.0f32);
    let model = KMeans::params(3).fit(&same).unwrap();
    assert_eq!(
        (model.report().inertia, model.report().sizes[0]),
        (0.0, 9.0)
    );
    let x = array![[1.0f64], [4.0], [2.0], [8.0]];
    let model = KMeans::params(4).fit(&x).unwrap();
    assert_eq!(
        (model.report().inertia, model.report().sizes.clone()),
        (0.0, vec![1.0; 4])
    );
}

#[test]
fn what_is_wrong_is_said() {
    let x = array![[1.0f32, 2.0], [3.0, 4.0]];
    let message = |result: telseg_core::Result<KMeans<f32>>| result.unwrap_err().to_string();
    let two = KMeans::params(2);
    assert_eq!(
        message(KMeans::params(3).fit(&x)),
        "x: expected at least 3 rows (n_clusters), found 2"
    );
    assert_eq!(
        message(two.fit_weighted(&x, &array![1.0, -1.0])),
        "weights: expected numbers of at least 0, found -1 in row 1"
    );
    assert_eq!(
        message(two.fit_weighted(&x, &array![0.0, 0.0])),
        "weights: at least one must be above 0"
    );
    assert_eq!(
        message(two.fit(&(&x * 1e30))),
        "x: squared distances overflow f32: scale the columns"
    );
    let init = Init::Centers(array![[1.0], [2.0]]);
    let problem = message(two.clone().with_init(init).with_n_init(1).fit(&x));
    assert_eq!(
        problem,
        "init: expected centres of 2 columns (as x), found 1"
    );
}

#[test]
fn silhouettes_keep_their_digits_in_tight_clusters() {
    // Two clusters of 40 rows at two places each, 0.001 apart, the clusters 1000 apart: a = 0.001 * 20 / 39.
    let x = Array2::from_shape_fn((80, 1), |(i, _)| {
        (i % 2) as f32 * 1000.0 + (i / 2 % 2) as f32 * 0.001
    });
    let labels = Array1::from_shape_fn(80, |i| (i % 2) as u32);
    let s = telseg_cluster::metrics::silhouette(&x, &labels).unwrap();
    assert!(
        (s - (1.0 - 0.001 * 20.0 / 39.0 / 1000.0)).abs() < 1e-7,
        "{s}"
    );
    let alone = telseg_cluster::metrics::silhouette_samples(
        &array![[0.0f64], [1.0], [5.0]],
        &array![0, 0, 1],
    )
    .unwrap();
    // 1 - 1/5, 1 - 1/4, and 0 for the row alone.
    assert_eq!(alone, array![0.8, 0.75, 0.0]);
}
