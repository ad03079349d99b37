//! Public sets whose clusters are known: the shapes that clustering by density is for.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ndarray::{Array1, Array2, Axis};
use telseg_cluster::{Assignment, Dbscan, Hdbscan, Optics};
use telseg_core::metrics::partition::ari;
use telseg_testkit::shared_data;

/// Standardised coordinates and classes; `None` where the file is missing.
fn shapes(name: &str) -> Option<(Array2<f64>, Vec<u32>)> {
    let path = shared_data(&format!("cluster_shapes/{name}.csv"))?;
    let text = std::fs::read_to_string(path).unwrap();
    let (mut cells, mut truth, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split(',').collect();
        cells.extend(fields[..2].iter().map(|v| v.parse::<f64>().unwrap()));
        let known = names.iter().position(|name| *name == fields[2]);
        truth.push(known.unwrap_or(names.len()) as u32);
        if known.is_none() {
            names.push(fields[2]);
        }
    }
    Some((standardised(cells), truth))
}

fn sipu(name: &str, labels: &str) -> Option<(Array2<f64>, Vec<u32>)> {
    let numbers = |name: &str| -> Option<Vec<f64>> {
        let text = std::fs::read_to_string(shared_data(&format!("cluster_sipu/{name}.txt"))?);
        let text = text.unwrap();
        Some(
            text.split_whitespace()
                .filter_map(|v| v.parse().ok())
                .collect(),
        )
    };
    let (cells, truth) = (numbers(name)?, numbers(labels)?);
    let truth = &truth[truth.len() - cells.len() / 2..];
    Some((
        standardised(cells),
        truth.iter().map(|&l| l as u32).collect(),
    ))
}

fn standardised(cells: Vec<f64>) -> Array2<f64> {
    let x = Array2::from_shape_vec((cells.len() / 2, 2), cells).unwrap();
    let (mean, spread) = (x.mean_axis(Axis(0)).unwrap(), x.std_axis(Axis(0), 0.0));
    (x - mean) / spread
}

/// Noise is a label of its own.
fn agreement(truth: &[u32], labels: &Array1<Assignment>) -> f64 {
    let label = |l: &Assignment| l.cluster().map_or(0, |c| c + 1);
    ari(truth, &labels.iter().map(label).collect::<Vec<_>>(), None).unwrap()
}

/// HDBSCAN of at least 15 rows against scikit-learn 1.9.1 on the same coordinates.
#[test]
fn hdbscan_is_as_good_as_its_peer() {
    let sipu = [
        ("s1", "s1-label", 0.9235),
        ("s4", "s4-label", 0.1557),
        ("a1", "a1-ga", 0.6432),
        ("unbalance", "unbalance-gt-pt", 0.9998),
    ]
    .map(|(name, labels, peer)| (name, sipu(name, labels), peer));
    let shapes = [
        ("aggregation", 0.7338),
        ("compound", 0.7872),
        ("jain", 0.9356),
        ("R15", 0.2637),
        ("D31", 0.4420),
        ("flame", 0.3638),
        ("3-spiral", 0.1584),
        ("cluto-t4-8k", 0.6739),
    ]
    .map(|(name, peer)| (name, shapes(name), peer));
    for (name, set, peer) in sipu.into_iter().chain(shapes) {
        let Some((x, truth)) = set else { return };
        // scikit-learn counts the row itself among its neighbours.
        let params = Hdbscan::params(15);
        let model = params.clone().with_min_samples(14).fit(&x).unwrap();
        let found = agreement(&truth, model.labels());
        let finer = agreement(&truth, params.with_min_samples(4).fit(&x).unwrap().labels());
        println!("{name:12} ARI {found:.4}, scikit-learn {peer:.4}; with min_samples 4 {finer:.4}");
        assert!(found >= peer - 0.03, "{name}: {found} {peer}");
        assert_eq!(&model.predict(&x).unwrap(), model.labels());
        // What it is known to solve when fewer neighbours are asked for.
        if ["3-spiral", "jain", "unbalance"].contains(&name) {
            assert!(finer > 0.9, "{name}: {finer}");
        }
    }
}

/// Radii that suit the sets, in units of the columns' spread.
#[test]
fn dbscan_solves_the_shapes_it_is_for() {
    for (name, eps, min_points, least) in [
        ("3-spiral", 0.17, 3, 1.0),
        ("jain", 0.23, 14, 1.0),
        ("aggregation", 0.22, 13, 0.99),
        ("compound", 0.20, 4, 0.94),
        ("flame", 0.44, 12, 0.96),
        ("R15", 0.20, 21, 0.98),
        ("cluto-t4-8k", 0.08, 14, 0.96),
    ] {
        let Some((x, truth)) = shapes(name) else {
            return;
        };
        let params = Dbscan::params(eps).with_min_points(min_points);
        let model = params.fit(&x).unwrap();
        let found = agreement(&truth, model.labels());
        let optics = Optics::params(min_points).fit(&x).unwrap();
        let cut = agreement(&truth, &optics.cut(eps).unwrap());
        println!("{name:12} DBSCAN ARI {found:.4}, OPTICS cut at the same radius {cut:.4}");
        assert!(found >= least, "{name}: {found}");
        // They differ in border rows only, which the walk may leave out.
        assert!((found - cut).abs() < 0.1, "{name}: {found} {cut}");
        assert_eq!(&model.predict(&x).unwrap(), model.labels());
    }
}
