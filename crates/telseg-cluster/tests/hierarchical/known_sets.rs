//! Public sets with known clusters: Ward next to scikit-learn's.

use ndarray::{Array2, Axis};
use telseg_cluster::Hierarchical;
use telseg_core::metrics::partition::ari;
use telseg_testkit::shared_data;

/// Standardised coordinates.
fn standardised(cells: Vec<f64>, n_columns: usize) -> Array2<f64> {
    let x = Array2::from_shape_vec((cells.len() / n_columns, n_columns), cells).unwrap();
    let (mean, spread) = (x.mean_axis(Axis(0)).unwrap(), x.std_axis(Axis(0), 0.0));
    (x - mean) / spread
}

fn sipu(name: &str, labels: &str) -> Option<(Array2<f64>, Vec<u32>)> {
    let read = |file: &str| -> Option<Vec<f64>> {
        let text =
            std::fs::read_to_string(shared_data(&format!("cluster_sipu/{file}.txt"))?).ok()?;
        Some(
            text.split_whitespace()
                .filter_map(|v| v.parse().ok())
                .collect(),
        )
    };
    let (x, truth) = (standardised(read(name)?, 2), read(labels)?);
    let truth = truth[truth.len() - x.nrows()..]
        .iter()
        .map(|&l| l as u32)
        .collect();
    Some((x, truth))
}

fn shapes(name: &str) -> Option<(Array2<f64>, Vec<u32>)> {
    let text = std::fs::read_to_string(shared_data(&format!("cluster_shapes/{name}.csv"))?).ok()?;
    let (mut cells, mut truth, mut names) = (Vec::new(), Vec::new(), Vec::<&str>::new());
    for line in text.lines().skip(1) {
        let parts: Vec<&str> = line.trim().split(',').collect();
        cells.extend(parts[..2].iter().map(|v| v.parse::<f64>().unwrap()));
        let place = names.iter().position(|n| *n == parts[2]);
        truth.push(place.unwrap_or(names.len()) as u32);
        if place.is_none() {
            names.push(parts[2]);
        }
    }
    Some((standardised(cells, 2), truth))
}

#[test]
fn ward_finds_what_it_finds_in_scikit_learn() {
    let sets = [
        ("s1", sipu("s1", "s1-label"), 0.9833),
        ("s4", sipu("s4", "s4-label"), 0.5945),
        ("a1", sipu("a1", "a1-ga"), 0.9028),
        ("unbalance", sipu("unbalance", "unbalance-gt-pt"), 1.0),
        ("aggregation", shapes("aggregation"), 0.8019),
        ("compound", shapes("compound"), 0.5011),
        ("jain", shapes("jain"), 0.5692),
        ("R15", shapes("R15"), 0.9820),
        ("D31", shapes("D31"), 0.9167),
        ("flame", shapes("flame"), 0.2889),
        ("3-spiral", shapes("3-spiral"), -0.0043),
    ];
    for (name, set, peer) in sets {
        let Some((x, truth)) = set else {
            continue;
        };
        let k = truth.iter().max().unwrap() + u32::from(truth.contains(&0));
        let model = Hierarchical::params(k as usize).fit(&x).unwrap();
        let found = ari(&truth, model.labels().as_slice().unwrap(), None).unwrap();
        println!("{name}: adjusted Rand index {found:.4}, scikit-learn {peer}");
        // In two sets many pairs are equally near (coordinates have few digits), and which of them merges first is free.
        let free = if ["compound", "aggregation"].contains(&name) {
            0.002
        } else {
            6e-5
        };
        assert!((found - peer).abs() < free, "{name}: {found} is not {peer}");
    }
}
