//! What holds of clustering by density, whatever the rows.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Axis, concatenate};
use proptest::prelude::*;
use telseg_cluster::{Assignment, Dbscan, Hdbscan, Selection};
use telseg_core::Scalar;

/// Rows on a coarse grid, so that equal rows and equal distances are common, or anywhere.
fn rows() -> impl Strategy<Value = Array2<f64>> {
    (1usize..4, 1usize..90, prop::bool::ANY).prop_flat_map(|(d, n, on_grid)| {
        prop::collection::vec(0.0..6.0f64, n * d).prop_map(move |mut cells| {
            if on_grid {
                cells.iter_mut().for_each(|v| *v = v.round());
            }
            Array2::from_shape_vec((n, d), cells).unwrap()
        })
    })
}

fn distance(x: &Array2<f64>, a: usize, b: usize) -> f64 {
    let square = |(a, b): (&f64, &f64)| (a - b).powi(2);
    x.row(a).iter().zip(x.row(b)).map(square).sum::<f64>()
}

/// DBSCAN as its definition says it, with the rule for border rows.
fn by_definition(x: &Array2<f64>, weights: &Array1<f64>, eps: f64, least: f64) -> Vec<Assignment> {
    let n = x.nrows();
    let near = |a: usize, b: usize| distance(x, a, b) <= eps * eps;
    let weigh = |a: usize| {
        (0..n)
            .filter(|&b| near(a, b))
            .map(|b| weights[b])
            .sum::<f64>()
    };
    let core: Vec<bool> = (0..n).map(|a| weigh(a) >= least).collect();
    let (mut labels, mut next) = (vec![Assignment::Noise; n], 0);
    for start in (0..n).filter(|&i| core[i]) {
        if !labels[start].is_noise() {
            continue;
        }
        let mut stack = vec![start];
        while let Some(at) = stack.pop() {
            if labels[at].is_noise() {
                labels[at] = Assignment::Cluster(next);
                stack.extend((0..n).filter(|&b| core[b] && near(at, b)));
            }
        }
        next += 1;
    }
    let of_core = labels.clone();
    for i in (0..n).filter(|&i| !core[i]) {
        let nearest = (0..n).filter(|&b| core[b] && near(i, b));
        let nearest = nearest.min_by(|&a, &b| distance(x, i, a).total_cmp(&distance(x, i, b)));
        labels[i] = nearest.map_or(Assignment::Noise, |b| of_core[b]);
    }
    labels
}

fn repeated(x: &Array2<f64>, weights: &Array1<f64>) -> Array2<f64> {
    let rows: Vec<usize> = (0..x.nrows())
        .flat_map(|i| std::iter::repeat_n(i, weights[i] as usize))
        .collect();
    x.select(Axis(0), &rows)
}

/// Of repeated rows, the first of each.
fn firsts<T: Clone>(labels: &[T], weights: &Array1<f64>) -> Vec<T> {
    let mut at = 0;
    let of = |w: &f64| {
        let first = (*w > 0.0).then(|| labels[at].clone());
        at += *w as usize;
        first
    };
    weights.iter().filter_map(of).collect()
}

fn narrow<F: Scalar>(x: &Array2<f64>) -> Array2<F> {
    x.mapv(F::from_f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn dbscan_is_its_definition(x in rows(), least in 1usize..8, eps in 0.2..2.5f64) {
        let params = Dbscan::params(eps).with_min_points(least);
        let expected = by_definition(&x, &Array1::ones(x.nrows()), eps, least as f64);
        let model = params.fit(&x).unwrap();
        prop_assert_eq!(model.labels().to_vec(), expected);
        // In f32 double precision decides, on the rows as they are there.
        let single = narrow::<f32>(&x);
        let expected = by_definition(&single.mapv(f64::from), &Array1::ones(x.nrows()), eps, least as f64);
        let model = params.fit(&single).unwrap();
        prop_assert_eq!(model.labels().to_vec(), expected);
        prop_assert_eq!(model.predict(&single).unwrap(), model.labels().clone());
    }

    #[test]
    fn dbscan_radius_is_inclusive_on_a_grid(x in rows(), least in 1usize..8) {
        let x = x.mapv(f64::round);
        for eps in [1.0, 2.0, 2f64.sqrt()] {
            let expected = by_definition(&x, &Array1::ones(x.nrows()), eps, least as f64);
            let params = Dbscan::params(eps).with_min_points(least);
            prop_assert_eq!(params.fit(&x).unwrap().labels().to_vec(), expected.clone());
            prop_assert_eq!(params.fit(&narrow::<f32>(&x)).unwrap().labels().to_vec(), expected);
        }
    }

    #[test]
    fn weights_are_repeated_rows(x in rows(), seed in prop::collection::vec(0u8..5, 90), least in 2usize..8) {
        let weights: Array1<f64> = (0..x.nrows()).map(|i| f64::from(seed[i])).collect();
        prop_assume!(weights.sum() > 0.0);
        let many = repeated(&x, &weights);
        let dbscan = Dbscan::params(0.9).with_min_points(least);
        let (a, b) = (dbscan.fit_weighted(&x, &weights).unwrap(), dbscan.fit(&many).unwrap());
        let kept: Vec<usize> = (0..x.nrows()).filter(|&i| weights[i] > 0.0).collect();
        let of = |labels: &[Assignment]| kept.iter().map(|&i| labels[i]).collect::<Vec<_>>();
        prop_assert_eq!(of(&a.labels().to_vec()), firsts(&b.labels().to_vec(), &weights));
        prop_assert_eq!(&a.report().sizes.len(), &b.report().sizes.len());
        for selection in [Selection::ExcessOfMass, Selection::Leaf] {
            let hdbscan = Hdbscan::params(least).with_min_samples(3).with_selection(selection);
            let (a, b) = (hdbscan.fit_weighted(&x, &weights).unwrap(), hdbscan.fit(&many).unwrap());
            prop_assert_eq!(of(&a.labels().to_vec()), firsts(&b.labels().to_vec(), &weights));
            let (a, b) = (a.outlier_scores().to_vec(), firsts(&b.outlier_scores().to_vec(), &weights));
            let a: Vec<f64> = kept.iter().map(|&i| a[i]).collect();
            prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }

    #[test]
    fn order_of_rows_does_not_matter(x in rows(), seed in 0u64..1000, least in 2usize..6) {
        let n = x.nrows();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(seed.wrapping_mul(2) + 0x9e37_79b9_7f4a_7c15));
        let turned = x.select(Axis(0), &order);
        let params = Hdbscan::params(least).with_min_samples(2);
        let (a, b) = (params.fit(&x).unwrap(), params.fit(&turned).unwrap());
        for (i, &from) in order.iter().enumerate() {
            prop_assert_eq!(b.labels()[i].is_noise(), a.labels()[from].is_noise());
            prop_assert!((b.strengths()[i] - a.strengths()[from]).abs() < 1e-9);
            prop_assert!((b.outlier_scores()[i] - a.outlier_scores()[from]).abs() < 1e-9);
            for (j, &other) in order.iter().enumerate() {
                prop_assert_eq!(b.labels()[i] == b.labels()[j], a.labels()[from] == a.labels()[other]);
            }
        }
    }

    #[test]
    fn hdbscan_says_the_same_of_rows_it_knows(x in rows(), least in 2usize..8, single in prop::bool::ANY, epsilon in 0.0..1.5f64) {
        let mut params = Hdbscan::params(least).with_min_samples(3).with_epsilon(epsilon);
        if single {
            params = params.with_single_cluster();
        }
        let model = params.fit(&x).unwrap();
        prop_assert_eq!(&model.predict(&x).unwrap(), model.labels());
        let members = model.predict_members(&x).unwrap();
        prop_assert_eq!(members.as_slice(), model.members());
        let sizes = &model.report().sizes;
        let labelled = (x.nrows() - model.report().n_noise) as f64;
        prop_assert_eq!(sizes.iter().sum::<f64>(), labelled);
        for member in model.members() {
            prop_assert!((0.0..=1.0).contains(&member.strength) && (0.0..=1.0).contains(&member.outlier_score));
        }
    }

    #[test]
    fn a_cluster_is_as_large_as_asked(x in rows(), least in 2usize..8) {
        let model = Hdbscan::params(least).with_min_samples(2).fit(&x).unwrap();
        prop_assert!(model.report().sizes.iter().all(|&size| size >= least as f64));
        let twice = concatenate(Axis(0), &[x.view(), x.view()]).unwrap();
        prop_assert_eq!(model.predict(&twice).unwrap().len(), 2 * x.nrows());
    }
}
