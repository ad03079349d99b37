//! k-medoids against FasterPAM of the kmedoids package, and what holds whatever the data.

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use telseg_cluster::kmedoids::{Between, Condensed, MedoidInit, MedoidMethod, Metric};
use telseg_cluster::{Gower, GowerColumn, KMedoids};
use telseg_testkit::{blobs, pool};

use crate::data::{cases, close, indices, mixed, numbers, table};

fn metric(name: &str) -> Metric {
    match name {
        "manhattan" => Metric::Manhattan,
        _ => Metric::Euclidean,
    }
}

#[test]
fn same_start_same_swaps_as_fasterpam() {
    for case in cases("kmedoids") {
        let (x, init) = (table(&case["x"]), indices(&case["init"]));
        let metric = metric(case["metric"].as_str().unwrap());
        let params = KMedoids::params(init.len())
            .with_metric(metric)
            .with_init(MedoidInit::Rows(init));
        let model = params.fit(&x).unwrap();
        let report = model.report();
        assert_eq!(model.medoid_rows(), indices(&case["medoids"]));
        assert_eq!(model.labels().mapv(f64::from), numbers(&case["labels"]));
        assert_eq!(report.n_swap as u64, case["n_swap"].as_u64().unwrap());
        assert!(close(report.loss, case["loss"].as_f64().unwrap()));
        assert!(report.converged);
        let near = |i: usize| x.row(i).to_vec();
        let distance = |a: usize, b: usize| {
            let pairs = near(a).into_iter().zip(near(b));
            match params.metric {
                Metric::Manhattan => pairs.map(|(a, b)| (a - b).abs()).sum(),
                _ => pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
            }
        };
        // The same by a function and by a matrix.
        let n = x.nrows();
        let found = params
            .fit_distances(&Between::new(n, distance), None)
            .unwrap();
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        let matrix = Condensed::new(pairs.map(|(a, b)| distance(a, b)).collect()).unwrap();
        assert_eq!(found, params.fit_distances(&matrix, None).unwrap());
        assert_eq!(found.rows, model.medoid_rows());
        let far = Array2::from_shape_fn((n, found.rows.len()), |(i, j)| distance(i, found.rows[j]));
        assert_eq!(found.assign(&far).unwrap(), found.labels);
    }
}

/// No swap of a medoid with another row lowers the loss: what PAM promises.
fn is_swap_optimal(x: &Array2<f64>, weights: &[f64], medoids: &[usize], loss: f64) {
    let distance = |a: usize, b: usize| {
        let pairs = x.row(a).into_iter().zip(x.row(b));
        pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    let total = |medoids: &[usize]| -> f64 {
        let near = |o: usize| {
            medoids
                .iter()
                .map(|&m| distance(o, m))
                .fold(f64::INFINITY, f64::min)
        };
        weights.iter().enumerate().map(|(o, w)| w * near(o)).sum()
    };
    assert!(close(total(medoids), loss));
    for position in 0..medoids.len() {
        for row in (0..x.nrows()).filter(|&r| weights[r] > 0.0) {
            let mut other = medoids.to_vec();
            other[position] = row;
            assert!(total(&other) >= loss - 1e-9 * (1.0 + loss));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_swap_is_left(seed: u64, n in 8usize..50, k in 1usize..5, weights in prop::collection::vec(0usize..4, 50)) {
        let weights: Vec<f64> = weights.iter().take(n).map(|&w| w as f64).collect();
        prop_assume!(weights.iter().filter(|&&w| w > 0.0).count() >= k);
        let x = blobs::<f64>(n, 2, 4, seed).0;
        for init in [MedoidInit::Lab, MedoidInit::Build, MedoidInit::Random] {
            let params = KMedoids::params(k).with_init(init).with_seed(seed);
            let model = params.fit_weighted(&x, &Array1::from(weights.clone())).unwrap();
            is_swap_optimal(&x, &weights, model.medoid_rows(), model.report().loss);
        }
    }

    #[test]
    fn a_weight_is_so_many_rows(seed: u64, weights in prop::collection::vec(1usize..4, 30)) {
        let x = blobs::<f64>(30, 3, 3, seed).0;
        let each: Vec<usize> = weights.iter().enumerate().flat_map(|(i, &w)| vec![i; w]).collect();
        let first = |row: usize| each.iter().position(|&r| r == row).unwrap();
        let params = KMedoids::params(3).with_init(MedoidInit::Rows(vec![0, 1, 2]));
        let weighted = params
            .fit_weighted(&x, &Array1::from_iter(weights.iter().map(|&w| w as f64)))
            .unwrap();
        let params = params.with_init(MedoidInit::Rows(vec![first(0), first(1), first(2)]));
        let repeated = params.fit(&x.select(Axis(0), &each)).unwrap();
        prop_assert!(close(weighted.report().loss, repeated.report().loss));
        prop_assert_eq!(&weighted.report().sizes, &repeated.report().sizes);
    }
}

#[test]
fn samples_come_close_to_all_rows() {
    let (x, of) = blobs::<f32>(6000, 4, 6, 9);
    let all = KMedoids::params(6)
        .with_method(MedoidMethod::Pam)
        .fit(&x)
        .unwrap();
    let few = KMedoids::params(6).fit(&x).unwrap();
    let method = few.report().method;
    assert_eq!(
        method,
        MedoidMethod::Clara {
            n_samples: 5,
            sample_size: 2000
        }
    );
    let (least, loss) = (all.report().loss, few.report().loss);
    assert!(
        loss >= least * (1.0 - 1e-9) && loss <= least * 1.02,
        "{loss} {least}"
    );
    assert_eq!(few.report().starts.len(), 5);
    let ari = telseg_core::metrics::partition::ari;
    assert!(ari(&of.to_vec(), &few.labels().to_vec(), None).unwrap() > 0.999);
    assert_eq!(&few.predict(&x).unwrap(), few.labels());
}

#[test]
fn threads_do_not_matter_and_missing_cells_are_fine() {
    let x = mixed::<f32>(700, 3, 2, 4, 5);
    let mut x = x;
    x.indexed_iter_mut()
        .filter(|((i, j), _)| (i + 5 * j) % 13 == 3)
        .for_each(|(_, v)| *v = f32::NAN);
    let (n, c) = (GowerColumn::Numeric, GowerColumn::Categorical);
    let gower = Gower::params(&[n, n, n, c, c]);
    let params = KMedoids::params(5)
        .with_metric(Metric::Gower(gower))
        .with_n_init(2);
    let one = pool(1, || params.fit(&x).unwrap());
    for threads in [2, 7] {
        let other = pool(threads, || params.fit(&x).unwrap());
        assert_eq!(one, other);
        assert_eq!(one.labels(), other.labels());
    }
    assert_eq!(&one.predict(&x).unwrap(), one.labels());
}

#[test]
fn what_is_wrong_is_said() {
    let x = array![[1.0f32], [2.0], [3.0]];
    let message = |r: telseg_core::Result<KMedoids<f32>>| r.unwrap_err().to_string();
    let two = KMedoids::params(2);
    let rows = |rows: &[usize]| two.clone().with_init(MedoidInit::Rows(rows.to_vec()));
    assert_eq!(message(rows(&[0, 0]).fit(&x)), "init: row 0 is named twice");
    assert_eq!(
        message(rows(&[0, 7]).fit(&x)),
        "init: row 7 is not there: x has 3 rows"
    );
    assert_eq!(
        message(two.fit_weighted(&x, &array![1.0, 0.0, 0.0])),
        "weights: fewer than 2 (n_clusters) are above 0"
    );
    let clara = MedoidMethod::Clara {
        n_samples: 1,
        sample_size: 1,
    };
    assert_eq!(
        message(two.clone().with_method(clara).fit(&x)),
        "method: expected samples of at least 2 rows (n_clusters), found 1"
    );
    assert_eq!(
        Condensed::new(vec![1.0, 2.0]).unwrap_err().to_string(),
        "distances: expected n (n - 1) / 2 numbers, found 2"
    );
}
