//! Constrained k-means against a linear programme, and what holds whatever the data.

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use telseg_cluster::constrained::{ConstrainedInit, ConstrainedKMeansParams};
use telseg_cluster::{ConstrainedKMeans, KMeans};
use telseg_core::Scalar;
use telseg_testkit::{blobs, pool};

use crate::data::{cases, close, numbers, table};

#[test]
fn same_start_same_end_as_the_linear_programme() {
    for case in cases("constrained") {
        let (x, init) = (table(&case["x"]), table(&case["init"]));
        let size = |name: &str| case[name].as_u64().unwrap() as usize;
        let params = ConstrainedKMeans::params(init.nrows())
            .with_min_size(size("least"))
            .with_max_size(size("most"))
            .with_tol(0.0)
            .with_init(ConstrainedInit::Centers(init));
        let model = params.fit_weighted(&x, &numbers(&case["weights"])).unwrap();
        assert_eq!(model.labels().mapv(f64::from), numbers(&case["labels"]));
        assert!(close(
            model.report().inertia,
            case["inertia"].as_f64().unwrap()
        ));
        assert!(model.report().converged);
    }
}

/// Every constraint is obeyed, the trace never rises, the inertia and the centres are those of the labels.
fn check<F: Scalar>(x: &Array2<F>, params: &ConstrainedKMeansParams) -> ConstrainedKMeans<F> {
    let model = params.fit(x).unwrap();
    let (labels, report) = (model.labels(), model.report());
    let mut sizes = vec![0; params.n_clusters];
    labels.iter().for_each(|&l| sizes[l as usize] += 1);
    let most = params.max_size.unwrap_or(x.nrows());
    assert!(
        sizes.iter().all(|&s| params.min_size <= s && s <= most),
        "{sizes:?}"
    );
    assert_eq!(sizes, report.sizes);
    assert!(
        params
            .must_link
            .iter()
            .all(|&(a, b)| labels[a] == labels[b])
    );
    assert!(
        params
            .cannot_link
            .iter()
            .all(|&(a, b)| labels[a] != labels[b])
    );
    assert!(
        report
            .trace
            .windows(2)
            .all(|w| w[1] <= w[0] * (1.0 + 1e-12))
    );
    let centers = model.centers();
    let far = |(row, &l): (ndarray::ArrayView1<'_, F>, &u32)| -> f64 {
        let pairs = row.into_iter().zip(centers.row(l as usize));
        pairs
            .map(|(a, b)| (a.into_f64() - b.into_f64()).powi(2))
            .sum()
    };
    let inertia: f64 = x.rows().into_iter().zip(labels).map(far).sum();
    assert!((inertia - report.inertia).abs() <= 1e-5 * (1.0 + inertia));
    let predicted = model.predict(x).unwrap();
    let displaced = predicted.iter().zip(labels).filter(|(a, b)| a != b).count();
    assert!(displaced.abs_diff(report.n_displaced) <= x.nrows() / 100);
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn constraints_are_obeyed(
        seed: u64, n in 30usize..300, k in 2usize..7, slack in 0usize..6,
        must in prop::collection::vec((0usize..30, 0usize..30), 0..8),
        cannot in prop::collection::vec((0usize..30, 0usize..30), 0..4),
    ) {
        let x = blobs::<f64>(n, 3, k + 1, seed).0;
        let (least, most) = ((n / k).saturating_sub(slack).max(1), n / k + 1 + slack);
        let params = ConstrainedKMeans::params(k).with_seed(seed);
        let sized = params.clone().with_min_size(least).with_max_size(most);
        check(&x, &sized);
        check(&x.mapv(|v| v as f32), &sized);
        // Links that can be obeyed: pairs within one half, kept apart across halves.
        let must: Vec<_> = must.into_iter().filter(|(a, b)| a % 2 == b % 2).collect();
        let cannot: Vec<_> = cannot.into_iter().filter(|(a, b)| a % 2 != b % 2).collect();
        check(&x, &params.clone().with_must_link(&must).with_cannot_link(&cannot));
        let loose = params.with_min_size(1).with_max_size(n / k + 20);
        check(&x, &loose.with_must_link(&must).with_cannot_link(&cannot));
    }

    #[test]
    fn without_constraints_it_is_kmeans(seed: u64) {
        let x = blobs::<f64>(200, 3, 5, seed).0;
        let plain = KMeans::params(5).with_seed(seed).with_tol(0.0).fit(&x).unwrap();
        let model = ConstrainedKMeans::params(5).with_seed(seed).with_tol(0.0).fit(&x).unwrap();
        prop_assert!(close(model.report().inertia, plain.report().inertia));
        prop_assert_eq!(model.report().n_displaced, 0);
        prop_assert_eq!(&model.predict(&x).unwrap(), model.labels());
    }
}

/// Numbers, then codes as 0/1 columns times `sqrt(gamma / 2)`.
fn spread_out(x: &Array2<f64>, n_numbers: usize, n_levels: usize, gamma: f64) -> Array2<f64> {
    let width = n_numbers + (x.ncols() - n_numbers) * n_levels;
    Array2::from_shape_fn((x.nrows(), width), |(i, j)| {
        if j < n_numbers {
            return x[[i, j]];
        }
        let (column, level) = ((j - n_numbers) / n_levels, (j - n_numbers) % n_levels);
        match x[[i, n_numbers + column]] == level as f64 {
            true => (gamma / 2.0).sqrt(),
            false => 0.0,
        }
    })
}

#[test]
fn mixed_rows_obey_constraints_as_zeros_and_ones() {
    // Two groups by usage, three plans that cut across them; the plans count for much.
    let x = Array2::from_shape_fn((120, 2), |(i, j)| match j {
        0 => (i % 2) as f64 + 0.01 * (i / 6) as f64,
        _ => (i % 3) as f64,
    });
    let wide = spread_out(&x, 1, 3, 8.0);
    // Rows 0 and 3 differ by their usage only, rows 0 and 4 in the plan too.
    let square = |a: usize, b: usize| {
        let (a, b) = (wide.row(a), wide.row(b));
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
    };
    assert!(close(square(0, 3), 1.0) && close(square(0, 4), 8.0));
    let free = check(&wide, &ConstrainedKMeans::params(3));
    assert!((0..120).all(|i| free.labels()[i] == free.labels()[i % 3])); // by plan
    let bound = ConstrainedKMeans::params(3)
        .with_min_size(30)
        .with_max_size(45)
        .with_must_link(&[(0, 1)])
        .with_cannot_link(&[(0, 3)]);
    let model = check(&wide, &bound);
    assert!(model.report().n_displaced >= 2);
}

#[test]
fn links_change_what_distance_alone_would_say() {
    let x = array![[0.0f64], [0.1], [0.2], [9.0], [9.1], [9.2]];
    let params = ConstrainedKMeans::params(2);
    let linked = check(&x, &params.clone().with_must_link(&[(0, 3), (3, 4)]));
    assert_eq!(linked.labels()[0], linked.labels()[4]);
    let apart = check(&x, &params.clone().with_cannot_link(&[(0, 1), (3, 4)]));
    assert_ne!(apart.labels()[0], apart.labels()[1]);
    // A ring of five kept apart needs three clusters; the search has to step back for some orders.
    let ring: Vec<(usize, usize)> = (0..5).map(|i| (i, (i + 1) % 5)).collect();
    check(&x, &ConstrainedKMeans::params(3).with_cannot_link(&ring));
}

#[test]
fn what_cannot_be_is_said_with_the_rows() {
    let x = Array2::from_shape_fn((10, 1), |(i, _)| i as f32);
    let message = |p: ConstrainedKMeansParams| p.fit(&x).unwrap_err().to_string();
    let three = || ConstrainedKMeans::params(3);
    assert_eq!(
        message(three().with_min_size(4)),
        "min_size: 3 clusters of at least 4 rows do not fit x of 10 rows"
    );
    assert_eq!(
        message(three().with_max_size(3)),
        "max_size: 3 clusters of at most 3 rows do not hold x of 10 rows"
    );
    assert_eq!(
        message(three().with_min_size(3).with_max_size(2)),
        "max_size: expected at least 3 (min_size), found 2"
    );
    assert_eq!(
        message(
            three()
                .with_must_link(&[(2, 4), (4, 6)])
                .with_cannot_link(&[(6, 2)])
        ),
        "cannot_link: rows 6 and 2 must share a cluster: must_link chains rows 6, 4, 2"
    );
    let clique = [(1, 3), (1, 5), (1, 7), (3, 5), (3, 7), (5, 7)];
    assert_eq!(
        message(three().with_cannot_link(&clique)),
        "cannot_link: no assignment to 3 clusters obeys all links and sizes; the search ended at rows 1, 3, 5, 7"
    );
    // Pairs of rows do not fit clusters of exactly three and four: 10 = 3 + 3 + 4 leaves no even halves.
    let pairs: Vec<(usize, usize)> = (0..5).map(|i| (2 * i, 2 * i + 1)).collect();
    let error = message(
        three()
            .with_min_size(3)
            .with_max_size(4)
            .with_must_link(&pairs),
    );
    assert!(
        error.starts_with("must_link: no assignment to 3 clusters obeys"),
        "{error}"
    );
    let chain: Vec<(usize, usize)> = (0..4).map(|i| (i, i + 1)).collect();
    assert_eq!(
        message(three().with_max_size(4).with_must_link(&chain)),
        "must_link: rows 0, 1, 2, 3, 4 (5 linked) do not fit max_size 4"
    );
}

#[test]
fn weights_pull_centres_and_threads_do_not_matter() {
    let x = blobs::<f32>(5000, 4, 7, 3).0;
    let weights = Array1::from_shape_fn(5000, |i| (i % 3) as f64);
    let params = ConstrainedKMeans::params(6)
        .with_min_size(700)
        .with_max_size(900);
    let fit = || params.fit_weighted(&x, &weights).unwrap();
    let one = pool(1, fit);
    for threads in [2, 7] {
        let other = pool(threads, fit);
        assert_eq!(one, other);
        assert_eq!(one.labels(), other.labels());
    }
    assert_ne!(one.centers(), params.fit(&x).unwrap().centers());
}
