//! Small trees by hand, and what is wrong said in a sentence.

use ndarray::{Array2, array};
use telseg_cluster::{
    Assign, Connectivity, Cut, Hierarchical, HierarchicalParams, Linkage, SvgParams,
};

fn heights(params: &HierarchicalParams, x: &Array2<f64>) -> Vec<f64> {
    let model = params.fit(x).unwrap();
    model
        .dendrogram()
        .merges()
        .iter()
        .map(|m| m.height)
        .collect()
}

#[test]
fn four_points_on_a_line() {
    // 0, 1, 3, 7: 0 and 1 merge at 1.
    let x = array![[0.0], [1.0], [3.0], [7.0]];
    let by = |linkage| heights(&Hierarchical::params(2).with_linkage(linkage), &x);
    assert_eq!(by(Linkage::Single), [1.0, 2.0, 4.0]);
    assert_eq!(by(Linkage::Complete), [1.0, 3.0, 7.0]);
    // (3 + 2) / 2, then (7 + 6 + 4) / 3; by parts, ((7 + 6) / 2 + 4) / 2.
    let close = |found: Vec<f64>, expected: [f64; 3]| {
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-14),
            "{found:?}"
        );
    };
    close(by(Linkage::Average), [1.0, 2.5, 17.0 / 3.0]);
    close(by(Linkage::Weighted), [1.0, 2.5, 5.25]);
    // sqrt(4/3) * 2.5; mean 4/3 of three: sqrt(2 * 3 / 4) * (7 - 4/3).
    close(
        by(Linkage::Ward),
        [
            1.0,
            (4.0f64 / 3.0).sqrt() * 2.5,
            1.5f64.sqrt() * (7.0 - 4.0 / 3.0),
        ],
    );
}

#[test]
fn rows_all_alike_are_one_cluster() {
    let same = Array2::from_elem((20_000, 3), 2.5f32);
    let model = Hierarchical::params(1).fit(&same).unwrap();
    assert_eq!((model.n_clusters(), model.report().sizes[0]), (1, 20_000.0));
    assert!(model.dendrogram().merges().iter().all(|m| m.height == 0.0));
    let error = Hierarchical::params(2).fit(&same).unwrap_err().to_string();
    assert_eq!(
        error,
        "x: expected at least 2 different rows (n_clusters), found 1"
    );
}

#[test]
fn rows_without_weight_are_no_leaves_and_labelled_all_the_same() {
    let x = array![[0.0f64], [4.0], [1.0], [9.0], [10.0]];
    for assign in [Assign::NearestRow, Assign::NearestCenter] {
        let params = Hierarchical::params(2).with_assign(assign);
        let model = params
            .fit_weighted(&x, &array![1.0, 0.0, 2.0, 1.0, 1.0])
            .unwrap();
        assert_eq!(model.dendrogram().n_leaves(), 4);
        assert_eq!(model.labels(), array![0, 0, 0, 1, 1]);
        assert_eq!(model.report().sizes, [3.0, 2.0]);
        assert_eq!(model.centers(), array![[2.0 / 3.0], [9.5]]);
    }
}

#[test]
fn rows_nearer_to_another_mean_leave_by_the_rule_of_centres() {
    // Single linkage follows the chain 0 .. 8; its mean 4 is farther from 8 than 10 is.
    let x = array![[0.0f64], [2.0], [4.0], [6.0], [8.0], [10.5]];
    let params = Hierarchical::params(2).with_linkage(Linkage::Single);
    let model = params.fit(&x).unwrap();
    assert_eq!(model.labels(), array![0, 0, 0, 0, 0, 1]);
    assert_eq!(model.report().n_moved, 0);
    let model = params.with_assign(Assign::NearestCenter).fit(&x).unwrap();
    assert_eq!(model.labels(), array![0, 0, 0, 0, 1, 1]);
    assert_eq!(
        (model.report().n_moved, model.report().sizes.clone()),
        (1, vec![4.0, 2.0])
    );
    assert_eq!(&model.predict(&x).unwrap(), model.labels());
}

#[test]
fn merges_keep_to_the_connections() {
    // Neighbours in space, but only rows 0-2 and 1-3 may merge, and 2-3 in the end.
    let x = array![[0.0f64], [0.1], [5.0], [5.2]];
    let pairs = Connectivity::Pairs(vec![(0, 2), (3, 1), (2, 3)]);
    let model = Hierarchical::params(1)
        .with_linkage(Linkage::Single)
        .with_connectivity(pairs)
        .fit(&x)
        .unwrap();
    let heights: Vec<f64> = model
        .dendrogram()
        .merges()
        .iter()
        .map(|m| m.height)
        .collect();
    for (found, expected) in heights.iter().zip([0.2, 5.0, 5.1]) {
        assert!((found - expected).abs() < 1e-12, "{heights:?}");
    }
    let two = Connectivity::Pairs(vec![(0, 2), (1, 3)]);
    let params = Hierarchical::params(2).with_connectivity(two);
    let model = params.fit(&x).unwrap();
    assert_eq!(
        (model.report().n_trees, model.labels().clone()),
        (2, array![0, 1, 0, 1])
    );
    let error = params
        .with_cut(Cut::Clusters(1))
        .fit(&x)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("n_clusters: the connectivity leaves 2 parts"),
        "{error}"
    );
}

#[test]
fn what_is_wrong_is_said() {
    let x = array![[1.0f64, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let message = |params: HierarchicalParams| params.fit(&x).unwrap_err().to_string();
    let two = || Hierarchical::params(2);
    assert_eq!(
        message(Hierarchical::params(4)),
        "x: expected at least 4 rows (n_clusters), found 3"
    );
    assert_eq!(
        message(two().with_connectivity(Connectivity::Pairs(vec![(0, 1), (1, 3)]))),
        "connectivity: pair 1 names row 3, there are 3 rows"
    );
    assert_eq!(
        message(
            two()
                .with_linkage(Linkage::Complete)
                .with_max_matrix_bytes(20)
        ),
        "x: complete linkage keeps the distances of all pairs: 24 bytes for 3 different rows, max_matrix_bytes is 20; take \
         Ward or single linkage, a connectivity, or a sample"
    );
    let far = array![[1e200f64], [-1e200]];
    assert_eq!(
        two().fit(&far).unwrap_err().to_string(),
        "x: squared distances overflow: scale the columns"
    );
    let model = two().fit(&x).unwrap();
    assert_eq!(
        model
            .dendrogram()
            .cut(Cut::Clusters(4))
            .unwrap_err()
            .to_string(),
        "n_clusters: expected at most 3 (rows), found 4"
    );
}

#[test]
fn pictures_say_what_they_show() {
    let x = Array2::from_shape_fn((400, 2), |(i, j)| {
        ((i % 4) * (3 + 4 * j)) as f64 + ((i * (7 + 6 * j) * 31) % 97) as f64 * 0.01
    });
    let model = Hierarchical::params(4).fit(&x).unwrap();
    let params = SvgParams::default()
        .with_cut(Cut::Clusters(4))
        .with_title("A < B & C");
    let svg = model.dendrogram().svg(&params).unwrap();
    assert!(svg.contains("<title id=\"dendrogram-title\">A &lt; B &amp; C</title>"));
    assert!(
        svg.contains("A tree over 400 rows, drawn with 30 leaves;"),
        "{svg}"
    );
    assert!(svg.contains("cluster 0: 100, cluster 1: 100, cluster 2: 100, cluster 3: 100."));
    assert_eq!(
        (
            svg.matches("class=\"branch ").count(),
            svg.matches("class=\"bar ").count()
        ),
        (29, 4)
    );
    let parts = Connectivity::Pairs(
        (0..399)
            .filter(|i| i % 100 != 99)
            .map(|i| (i, i + 1))
            .collect(),
    );
    let forest = Hierarchical::params(4)
        .with_connectivity(parts)
        .fit(&x)
        .unwrap();
    let svg = forest.dendrogram().svg(&SvgParams::default()).unwrap();
    assert!(svg.contains("There are 4 trees that are not connected."));
    let one = Hierarchical::params(1).fit(&array![[1.0]]).unwrap();
    assert!(
        one.dendrogram()
            .svg(&SvgParams::default())
            .unwrap()
            .contains("A tree over 1 rows")
    );
    let error = |params: SvgParams| model.dendrogram().svg(&params).unwrap_err().to_string();
    assert_eq!(
        error(SvgParams::default().with_n_leaves(1)),
        "n_leaves: expected from 2 to 500, found 1"
    );
    assert_eq!(
        error(SvgParams::default().with_size(f64::NAN, 300.0)),
        "width: expected a number of at least 200, found NaN"
    );
}
