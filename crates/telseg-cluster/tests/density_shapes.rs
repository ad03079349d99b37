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

/// Radii that suit the sets, in units of the columns' spread; against scikit-learn 1.9.1 with the same parameters: DBSCAN,
/// OPTICS cut at the radius, and OPTICS by steepness (0.05).
#[test]
fn dbscan_and_optics_solve_the_shapes_they_are_for() {
    for (name, eps, min_points, peers) in [
        ("3-spiral", 0.17, 3, [1.0000, 0.9951, 0.0260]),
        ("jain", 0.23, 14, [1.0000, 0.9444, 0.1003]),
        ("aggregation", 0.22, 13, [0.9898, 0.9747, 0.9619]),
        ("compound", 0.20, 4, [0.9489, 0.9417, 0.1306]),
        ("flame", 0.44, 12, [0.9658, 0.9017, 0.9175]),
        ("R15", 0.20, 21, [0.9823, 0.9458, 0.9599]),
        ("cluto-t4-8k", 0.08, 14, [0.9620, 0.9618, -0.0016]),
    ] {
        let Some((x, truth)) = shapes(name) else {
            return;
        };
        let dbscan = Dbscan::params(eps).with_min_points(min_points);
        let dbscan = dbscan.fit(&x).unwrap();
        let optics = Optics::params(min_points).fit(&x).unwrap();
        let found = [
            agreement(&truth, dbscan.labels()),
            agreement(&truth, &optics.cut(eps).unwrap()),
            agreement(&truth, optics.labels()),
        ];
        println!("{name:12} DBSCAN, cut and steepness: ARI {found:.4?}, scikit-learn {peers:.4?}");
        // Border rows differ: here they go to the nearest core row.
        assert!(found[0] > peers[0] - 0.005, "{name}: {found:?}");
        for (found, peer) in found.iter().zip(peers).skip(1) {
            assert!((found - peer).abs() < 0.01, "{name}: {found} {peer}");
        }
        assert_eq!(&dbscan.predict(&x).unwrap(), dbscan.labels());
        assert_eq!(&optics.predict(&x).unwrap(), optics.labels());
    }
}
