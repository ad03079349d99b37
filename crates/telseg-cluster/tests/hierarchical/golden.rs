//! Against SciPy and scikit-learn; see the header of `golden/hierarchical.json` for versions and tolerances.

use ndarray::{Array1, Array2};
use serde_json::Value;
use telseg_cluster::{Connectivity, Cut, Dendrogram, Hierarchical, Linkage};
use telseg_core::metrics::partition::ari;

const LINKAGES: [(&str, Linkage); 5] = [
    ("ward", Linkage::Ward),
    ("complete", Linkage::Complete),
    ("average", Linkage::Average),
    ("weighted", Linkage::Weighted),
    ("single", Linkage::Single),
];

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/hierarchical.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn labels(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|v| v as u32).collect()
}

fn table(value: &Value) -> Array2<f64> {
    let rows: Vec<_> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn heights(tree: &Dendrogram) -> Vec<f64> {
    tree.merges().iter().map(|m| m.height).collect()
}

fn agree(found: &[f64], expected: &[f64], tolerance: f64) -> bool {
    let most = expected.iter().copied().fold(1.0, f64::max);
    found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() <= tolerance * most)
}

#[test]
fn trees_are_those_of_scipy() {
    for (at, case) in golden()["cases"].as_array().unwrap().iter().enumerate() {
        let x = table(&case["x"]);
        for (name, linkage) in LINKAGES {
            let (tree, params) = (
                &case["trees"][name],
                Hierarchical::params(4).with_linkage(linkage),
            );
            let model = params.fit(&x).unwrap();
            let found = model.dendrogram().linkage_matrix();
            let expected = numbers(&tree["heights"]);
            if case["ties"] == true && linkage != Linkage::Single {
                // Which of the equally near pairs merges is free; how many are at the least height is not.
                let least = |heights: &[f64]| heights[0];
                assert_eq!(
                    least(&heights(model.dendrogram())),
                    least(&expected),
                    "{at} {name}"
                );
                continue;
            }
            assert!(
                agree(&heights(model.dendrogram()), &expected, 1e-9),
                "{at} {name}"
            );
            let same = ari(
                &labels(&tree["labels"]),
                model.labels().as_slice().unwrap(),
                None,
            );
            if case["ties"] == false {
                assert_eq!(same.unwrap(), 1.0, "{at} {name}");
            }
            if case["repeated"] != true && case["ties"] == false && distinct(&expected) {
                for (j, column) in ["left", "right", "heights", "sizes"].iter().enumerate() {
                    let found = found.column(j).to_vec();
                    assert!(
                        agree(&found, &numbers(&tree[*column]), 1e-9),
                        "{at} {name} {column}"
                    );
                }
            }
            // In f32 the input is rounded, by some 1e-7 of its largest number.
            let single = params.fit(&x.mapv(|v| v as f32)).unwrap();
            let largest = x.iter().fold(1.0f64, |a, b| a.max(b.abs()));
            if case["ties"] == false {
                assert!(
                    agree(&heights(single.dendrogram()), &expected, 1e-6 * largest),
                    "{at} {name}"
                );
            }
        }
    }
}

/// Whether no two merges are equally high.
fn distinct(heights: &[f64]) -> bool {
    heights.windows(2).all(|w| w[1] - w[0] > 1e-9)
}

#[test]
fn connected_trees_are_those_of_scikit_learn() {
    for case in golden()["connected"].as_array().unwrap() {
        let x = table(&case["x"]);
        let k = case["neighbours"].as_u64().unwrap() as usize;
        let pair = |pair: &Value| {
            (
                pair[0].as_u64().unwrap() as u32,
                pair[1].as_u64().unwrap() as u32,
            )
        };
        let pairs: Vec<(u32, u32)> = case["pairs"].as_array().unwrap().iter().map(pair).collect();
        for (name, linkage) in LINKAGES {
            let Some(tree) = case["trees"].get(name) else {
                continue;
            };
            let params = Hierarchical::params(3).with_linkage(linkage);
            for connectivity in [
                Connectivity::Neighbours(k),
                Connectivity::Pairs(pairs.clone()),
            ] {
                let model = params
                    .clone()
                    .with_connectivity(connectivity)
                    .fit(&x)
                    .unwrap();
                let (mut found, mut expected) =
                    (heights(model.dendrogram()), numbers(&tree["heights"]));
                // Merges that do not touch each other may come in another order.
                found.sort_by(f64::total_cmp);
                expected.sort_by(f64::total_cmp);
                assert!(agree(&found, &expected, 1e-9), "{name}");
                let found = model.labels().to_vec();
                assert_eq!(
                    ari(&labels(&tree["labels"]), &found, None).unwrap(),
                    1.0,
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_cut_by_height_is_the_cut_by_its_number() {
    let x = table(&golden()["cases"][1]["x"]);
    let model = Hierarchical::params(7).fit(&x).unwrap();
    let (below, above) = (model.report().below, model.report().above.unwrap());
    assert!(below < above);
    let by_height: Array1<u32> = model
        .dendrogram()
        .cut(Cut::Height(0.5 * (below + above)))
        .unwrap();
    assert_eq!(by_height, model.labels());
}
