//! What holds whatever the data.

use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;
use telseg_cluster::{Connectivity, Cut, Hierarchical, Linkage};

const LINKAGES: [Linkage; 5] = [
    Linkage::Ward,
    Linkage::Complete,
    Linkage::Average,
    Linkage::Weighted,
    Linkage::Single,
];

/// Rows without order (0), on a lattice (1: ties and repeated rows), far from the origin (2), in clumps (3).
fn rows(n: usize, d: usize, kind: u8, seed: u64) -> Array2<f64> {
    let stream = telseg_core::Seed::new(seed).stream("rows");
    Array2::from_shape_fn((n, d), |(i, j)| {
        let u = stream.unit((i * d + j) as u64);
        match kind {
            0 => u,
            1 => (u * 4.0).floor(),
            2 => 1e5 + u,
            _ => ((i % 5) * (j + 1)) as f64 + 0.1 * u,
        }
    })
}

/// The distance of two clusters from all distances between members: the definition.
fn between(x: &Array2<f64>, weights: &[f64], linkage: Linkage, a: &[usize], b: &[usize]) -> f64 {
    let distance = |i: usize, j: usize| {
        let square: f64 = (&x.row(i) - &x.row(j)).mapv(|v| v * v).sum();
        square.sqrt()
    };
    let all = || a.iter().flat_map(|&i| b.iter().map(move |&j| (i, j)));
    let weight = |of: &[usize]| of.iter().map(|&i| weights[i]).sum::<f64>();
    match linkage {
        Linkage::Complete => all().map(|(i, j)| distance(i, j)).fold(0.0, f64::max),
        Linkage::Single => all()
            .map(|(i, j)| distance(i, j))
            .fold(f64::INFINITY, f64::min),
        Linkage::Average => {
            let sum: f64 = all()
                .map(|(i, j)| weights[i] * weights[j] * distance(i, j))
                .sum();
            sum / weight(a) / weight(b)
        }
        _ => {
            let mean = |of: &[usize]| {
                let rows = of.iter().map(|&i| x.row(i).mapv(|v| v * weights[i]));
                rows.fold(Array1::zeros(x.ncols()), |a, b| a + b) / weight(of)
            };
            let square: f64 = (mean(a) - mean(b)).mapv(|v: f64| v * v).sum();
            (2.0 * square / (1.0 / weight(a) + 1.0 / weight(b))).sqrt()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Each merge, when its turn comes, is of two clusters than which no two are nearer: also where many are as near, so
    /// that there is more than one such tree.
    #[test]
    fn every_merge_is_of_a_nearest_pair(n in 2usize..36, d in 1usize..5, kind in 0u8..4, seed: u64) {
        let x = rows(n, d, kind, seed);
        let weights = Array1::from_shape_fn(n, |i| 0.5 + (i % 4) as f64);
        for linkage in [Linkage::Ward, Linkage::Complete, Linkage::Average, Linkage::Single] {
            let model = Hierarchical::params(1).with_linkage(linkage).fit_weighted(&x, &weights).unwrap();
            let of = |a: &[usize], b: &[usize]| between(&x, weights.as_slice().unwrap(), linkage, a, b);
            let mut clusters: Vec<Option<Vec<usize>>> = (0..n).map(|i| Some(vec![i])).collect();
            for merge in model.dendrogram().merges() {
                let left: Vec<&Vec<usize>> = clusters.iter().flatten().collect();
                let mut least = f64::INFINITY;
                for (i, a) in left.iter().enumerate() {
                    least = left[i + 1..].iter().map(|b| of(a, b)).fold(least, f64::min);
                }
                let (a, b) = (clusters[merge.left as usize].take().unwrap(), clusters[merge.right as usize].take().unwrap());
                let own = of(&a, &b);
                prop_assert!((merge.height - own).abs() <= 1e-9 * own.max(1.0), "{linkage:?}: {} {own}", merge.height);
                prop_assert!(own <= least + 1e-9 * least.max(1.0), "{linkage:?}: {own} {least}");
                clusters.push(Some(a.into_iter().chain(b).collect()));
            }
        }
    }

    #[test]
    fn heights_rise_sizes_add_up_and_cuts_nest(n in 2usize..400, d in 1usize..6, kind in 0u8..4, seed: u64) {
        let x = rows(n, d, kind, seed);
        for linkage in LINKAGES {
            let model = Hierarchical::params(1).with_linkage(linkage).fit(&x).unwrap();
            let tree = model.dendrogram();
            prop_assert!(tree.merges().windows(2).all(|w| w[0].height <= w[1].height));
            prop_assert_eq!(tree.merges().len(), n - 1);
            prop_assert_eq!(tree.merges()[n - 2].size, n as f64);
            let (fine, coarse) = (tree.cut(Cut::Clusters(n.min(7))).unwrap(), tree.cut(Cut::Clusters(n.min(3))).unwrap());
            let mut of = vec![None; n];
            for (&fine, &coarse) in fine.iter().zip(&coarse) {
                prop_assert_eq!(*of[fine as usize].get_or_insert(coarse), coarse);
            }
        }
    }

    #[test]
    fn rows_at_fit_keep_their_label(n in 8usize..300, d in 1usize..6, kind in 0u8..4, k in 1usize..5, seed: u64) {
        let x = rows(n, d, kind, seed);
        for linkage in LINKAGES {
            for connectivity in [Connectivity::Full, Connectivity::Neighbours(4)] {
                let params = Hierarchical::params(k).with_linkage(linkage).with_connectivity(connectivity);
                // Fewer different rows than clusters, or more unconnected parts, are refused.
                let Ok(model) = params.fit(&x) else { continue };
                prop_assert_eq!(&model.predict(&x).unwrap(), model.labels());
                let single = params.fit(&x.mapv(|v| v as f32));
                let Ok(single) = single else { continue };
                prop_assert_eq!(&single.predict(&x.mapv(|v| v as f32)).unwrap(), single.labels());
            }
        }
    }

    #[test]
    fn a_weight_is_so_many_rows(d in 1usize..4, kind in prop::sample::select(vec![0u8, 2, 3]), seed: u64, weights in prop::collection::vec(0usize..4, 30)) {
        prop_assume!(weights.iter().filter(|&&w| w > 0).count() > 4);
        let x = rows(30, d, kind, seed);
        let each: Vec<usize> = weights.iter().enumerate().flat_map(|(i, &w)| vec![i; w]).collect();
        let weights: Array1<f64> = weights.iter().map(|&w| w as f64).collect();
        // Not for weighted linkage: it does not ask for sizes.
        for linkage in [Linkage::Ward, Linkage::Complete, Linkage::Average, Linkage::Single] {
            let params = Hierarchical::params(3).with_linkage(linkage);
            let weighted = params.fit_weighted(&x, &weights).unwrap();
            let repeated = params.fit(&x.select(Axis(0), &each)).unwrap();
            prop_assert_eq!(&weighted.report().sizes, &repeated.report().sizes);
            for (&i, label) in each.iter().zip(repeated.labels()) {
                prop_assert_eq!(weighted.labels()[i], *label);
            }
        }
    }

    #[test]
    fn all_neighbours_are_no_constraint(n in 8usize..80, d in 1usize..4, seed: u64) {
        let x = rows(n, d, 0, seed);
        for linkage in LINKAGES {
            let params = Hierarchical::params(3).with_linkage(linkage);
            let free = params.fit(&x).unwrap();
            let bound = params.with_connectivity(Connectivity::Neighbours(n)).fit(&x).unwrap();
            prop_assert_eq!(free.labels(), bound.labels());
        }
    }

    #[test]
    fn the_order_of_columns_does_not_matter(seed: u64) {
        let x = rows(120, 4, 0, seed);
        for linkage in LINKAGES {
            let params = Hierarchical::params(5).with_linkage(linkage);
            let turned = params.fit(&x.select(Axis(1), &[2, 0, 3, 1])).unwrap();
            let model = params.fit(&x).unwrap();
            prop_assert_eq!(model.labels(), turned.labels());
        }
    }
}
