//! What holds of clustering by density, whatever the rows.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Axis, concatenate};
use proptest::prelude::*;
use telseg_cluster::{Assignment, Dbscan, Extraction, Hdbscan, Optics, Selection, XiParams};
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
    fn soft_memberships_are_shares(x in rows(), least in 2usize..8, single in prop::bool::ANY, leaf in prop::bool::ANY) {
        let mut params = Hdbscan::params(least).with_min_samples(2);
        if single {
            params = params.with_single_cluster();
        }
        if leaf {
            params = params.with_selection(Selection::Leaf);
        }
        let model = params.fit(&x).unwrap();
        let new = x.mapv(|v| v * 1.1 - 0.3);
        for rows in [&x, &new] {
            let soft = model.predict_proba(rows).unwrap();
            prop_assert_eq!(soft.dim(), (rows.nrows(), model.n_clusters()));
            let labels = model.predict_members(rows).unwrap();
            for (i, (row, member)) in soft.rows().into_iter().zip(&labels).enumerate() {
                prop_assert!(row.iter().all(|share| (0.0..=1.0).contains(share)));
                prop_assert!(row.sum() <= 1.0 + 1e-12);
                prop_assert_eq!(model.predict_proba_row(&rows.row(i)).unwrap(), row);
                // Rows of a cluster belong to it as strongly as they lie in it, where it is not cut above its first split.
                if let (Assignment::Cluster(_), false) = (member.assignment, single) {
                    prop_assert!((row.sum() - member.strength).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn a_cluster_is_as_large_as_asked(x in rows(), least in 2usize..8) {
        let model = Hdbscan::params(least).with_min_samples(2).fit(&x).unwrap();
        prop_assert!(model.report().sizes.iter().all(|&size| size >= least as f64));
        let twice = concatenate(Axis(0), &[x.view(), x.view()]).unwrap();
        prop_assert_eq!(model.predict(&twice).unwrap().len(), 2 * x.nrows());
    }

    #[test]
    fn optics_cut_is_dbscan_but_for_border_rows(x in rows(), least in 2usize..8, eps in 0.2..2.5f64) {
        let dbscan = Dbscan::params(eps).with_min_points(least).fit(&x).unwrap();
        let params = Optics::params(least).with_extraction(Extraction::Cut { eps });
        let optics = params.fit(&x).unwrap();
        prop_assert_eq!(optics.n_clusters(), dbscan.n_clusters());
        for (i, &core) in dbscan.core().iter().enumerate() {
            // The square of `eps` rounds: a distance that is equal may be on either side.
            prop_assert!(core == (optics.core_distances()[i] <= eps) || (optics.core_distances()[i] - eps).abs() < 1e-12);
            for j in (0..i).filter(|&j| core && dbscan.core()[j]) {
                let (a, b) = (optics.labels(), dbscan.labels());
                prop_assert_eq!(a[i] == a[j], b[i] == b[j]);
            }
            prop_assert!(!dbscan.labels()[i].is_noise() || optics.labels()[i].is_noise());
        }
    }

    #[test]
    fn optics_says_the_same_of_rows_it_knows(x in rows(), least in 2usize..8, eps in 0.2..2.5f64, xi in 0.01..0.5f64) {
        let valleys = Extraction::Xi(XiParams::default().with_xi(xi));
        for extraction in [valleys, Extraction::Cut { eps }] {
            let params = Optics::params(least).with_max_eps(3.0).with_extraction(extraction);
            let model = params.fit(&x).unwrap();
            prop_assert_eq!(&model.predict(&x).unwrap(), model.labels());
            let single = narrow::<f32>(&x);
            let model = params.fit(&single).unwrap();
            prop_assert_eq!(&model.predict(&single).unwrap(), model.labels());
            let report = model.report();
            prop_assert_eq!(report.sizes.iter().sum::<f64>(), (x.nrows() - report.n_noise) as f64);
        }
    }

    #[test]
    fn optics_reaches_new_rows_as_it_reaches_its_own(x in rows(), new in prop::collection::vec(0.0..6.0f64, 3), least in 2usize..8, eps in 0.2..2.5f64) {
        let params = Optics::params(least).with_extraction(Extraction::Cut { eps });
        let model = params.fit(&x).unwrap();
        let new = Array1::from(new[..x.ncols()].to_vec());
        let apart = |i: usize| {
            let square = |(a, b): (&f64, &f64)| (a - b).powi(2);
            x.row(i).iter().zip(&new).map(square).sum::<f64>().sqrt()
        };
        prop_assume!((0..x.nrows()).all(|i| apart(i) > 0.0));
        let reach = |i: usize| apart(i).max(model.core_distances()[i]);
        let easiest = (0..x.nrows()).min_by(|&a, &b| {
            reach(a).total_cmp(&reach(b)).then(apart(a).total_cmp(&apart(b)))
        });
        let easiest = easiest.filter(|&i| reach(i) <= eps);
        let expected = easiest.map_or(Assignment::Noise, |i| model.labels()[i]);
        prop_assert_eq!(model.predict_row(&new).unwrap(), expected);
    }

    #[test]
    fn optics_weights_are_repeated_rows_at_a_cut(x in rows(), seed in prop::collection::vec(1u8..5, 90), least in 2usize..8, eps in 0.2..2.5f64) {
        let weights: Array1<f64> = (0..x.nrows()).map(|i| f64::from(seed[i])).collect();
        let params = Optics::params(least).with_extraction(Extraction::Cut { eps });
        let one = params.fit_weighted(&x, &weights).unwrap();
        let many = params.fit(&repeated(&x, &weights)).unwrap();
        let core = firsts(many.core_distances(), &weights);
        prop_assert_eq!(one.core_distances(), &core[..]);
        prop_assert_eq!(one.n_clusters(), many.n_clusters());
        let labels = firsts(&many.labels().to_vec(), &weights);
        for i in (0..x.nrows()).filter(|&i| core[i] <= eps) {
            for j in (0..i).filter(|&j| core[j] <= eps) {
                prop_assert_eq!(one.labels()[i] == one.labels()[j], labels[i] == labels[j]);
            }
        }
    }
}
