use super::*;
use ndarray::array;

fn leaf(value: f64) -> Node {
    Node::Leaf {
        value: vec![value],
        cover: 1.0,
    }
}

fn split(feature: usize, rule: Rule, missing: Side, left: usize, right: usize) -> Node {
    Node::Split {
        feature,
        rule,
        missing,
        left,
        right,
        cover: 2.0,
    }
}

fn two_trees() -> TreeEnsemble {
    let numeric = Tree {
        nodes: vec![
            split(0, Rule::AtMost(1.5), Side::Left, 1, 2),
            leaf(1.0),
            leaf(2.0),
        ],
        output: Some(0),
    };
    let categorical = Tree {
        nodes: vec![
            split(1, Rule::OneOf(vec![0, 70]), Side::Right, 1, 2),
            leaf(10.0),
            leaf(20.0),
        ],
        output: Some(0),
    };
    TreeEnsemble::new(2, vec![100.0], vec![numeric, categorical]).unwrap()
}

#[test]
fn walks_follow_the_rules() {
    let nan = f32::NAN;
    let x = array![
        [1.5f32, 0.0],
        [1.6, 70.0],
        [nan, nan],
        [0.0, 5.0],
        [0.0, -1.0],
        [0.0, 0.5],
        [0.0, 1e9]
    ];
    let scores = two_trees().predict(&x).unwrap();
    assert_eq!(
        scores.column(0).to_vec(),
        [111.0, 112.0, 121.0, 121.0, 121.0, 121.0, 121.0]
    );
}

#[test]
fn trees_are_appended() {
    let tree = |value| Tree {
        nodes: vec![leaf(value)],
        output: Some(0),
    };
    let mut grown = TreeEnsemble::new(1, vec![0.5], vec![tree(1.0)]).unwrap();
    grown.append(vec![tree(2.0), tree(4.0)]).unwrap();
    let all = vec![tree(1.0), tree(2.0), tree(4.0)];
    assert_eq!(grown, TreeEnsemble::new(1, vec![0.5], all).unwrap());
    assert!(grown.append(vec![tree(f64::NAN)]).is_err());
}

#[test]
fn zero_is_turned_alone() {
    // Zeros on either side of the threshold go the other way; their neighbours do not.
    let x = array![[0.0f32], [-0.0], [1e-35], [2e-35], [-1e-3], [1.0], [2.0]];
    let scores = |threshold| {
        let nodes = vec![
            split(0, Rule::ZeroTurned(threshold), Side::Left, 1, 2),
            leaf(1.0),
            leaf(2.0),
        ];
        let output = Some(0);
        let e = TreeEnsemble::new(1, vec![0.0], vec![Tree { nodes, output }]).unwrap();
        assert_eq!(e.node(0, 0), {
            NodeView::Split {
                feature: 0,
                rule: RuleView::ZeroTurned(threshold),
                missing: Side::Left,
                left: 1,
                right: 2,
            }
        });
        let many = ndarray::concatenate(ndarray::Axis(0), &vec![x.view(); 200]).unwrap();
        let scores = e.predict(&many).unwrap().column(0).to_vec();
        let rule = RuleView::ZeroTurned(threshold);
        for (x, score) in x.iter().zip(&scores) {
            assert_eq!(rule.holds(*x), *score == 1.0);
        }
        scores[..7].to_vec()
    };
    assert_eq!(scores(1.0), [2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 2.0]);
    assert_eq!(scores(-1.0), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
}

#[test]
fn rows_alone_score_as_in_a_batch_and_strides_do_not_matter() {
    let ensemble = two_trees();
    let x =
        ndarray::Array2::from_shape_fn((1000, 2), |(i, j)| ((i * 7 + j * 13) % 90) as f32 / 10.0);
    let batch = ensemble.predict(&x).unwrap();
    let mut out = [0.0];
    for (row, expected) in x.rows().into_iter().zip(batch.column(0)) {
        ensemble
            .predict_row_into(row.as_slice().unwrap(), &mut out)
            .unwrap();
        assert_eq!(out[0], *expected);
    }
    let turned = x.t().as_standard_layout().into_owned();
    assert_eq!(ensemble.predict(&turned.t()).unwrap(), batch);
}

#[test]
fn vector_leaves_and_truncation() {
    let vector = Tree {
        nodes: vec![Node::Leaf {
            value: vec![1.0, 2.0],
            cover: 3.0,
        }],
        output: None,
    };
    let second = Tree {
        nodes: vec![leaf(5.0)],
        output: Some(1),
    };
    let both = TreeEnsemble::new(1, vec![0.0, 0.5], vec![vector, second]).unwrap();
    assert_eq!(both.predict(&array![[0.0f32]]).unwrap(), array![[1.0, 7.5]]);
    assert_eq!(
        both.truncated(1).predict(&array![[0.0f32]]).unwrap(),
        array![[1.0, 2.5]]
    );
    assert_eq!(
        both.truncated(0).predict(&array![[0.0f32]]).unwrap(),
        array![[0.0, 0.5]]
    );
}

#[test]
fn broken_trees_are_refused() {
    let refuse = |nodes: Vec<Node>, base: Vec<f64>, part: &str| {
        let error = TreeEnsemble::new(
            1,
            base,
            vec![Tree {
                nodes,
                output: Some(0),
            }],
        )
        .unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    };
    refuse(vec![], vec![0.0], "at least one node");
    refuse(
        vec![split(0, Rule::AtMost(0.0), Side::Left, 0, 1), leaf(0.0)],
        vec![0.0],
        "after its parent",
    );
    refuse(
        vec![split(0, Rule::AtMost(0.0), Side::Left, 1, 1), leaf(0.0)],
        vec![0.0],
        "more than one",
    );
    refuse(
        vec![
            split(1, Rule::AtMost(0.0), Side::Left, 1, 2),
            leaf(0.0),
            leaf(0.0),
        ],
        vec![0.0],
        "column",
    );
    refuse(vec![leaf(f64::NAN)], vec![0.0], "finite");
    refuse(vec![leaf(0.0), leaf(0.0)], vec![0.0], "no parent");
    refuse(vec![leaf(0.0)], vec![], "output");
    let error = two_trees().predict(&array![[0.0f32]]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x: expected 2 columns (as at fit), found 1"
    );
}

#[test]
fn many_rows_score_as_one_by_one() {
    // Trees of 1, 2, 63 and 64 leaves that lean to either side, for two outputs; the last threshold asks "is it known?".
    let tree = |n: usize, seed: usize| {
        let mut nodes = Vec::new();
        for i in 0..n - 1 {
            let missing = if (i + seed).is_multiple_of(3) {
                Side::Left
            } else {
                Side::Right
            };
            let threshold = match i {
                7 => f32::INFINITY,
                i => ((i * 7 + seed) % 19) as f32 - 9.0,
            };
            // A balanced heap: node i's children are 2i + 1 and 2i + 2.
            nodes.push(split(
                (i + seed) % 3,
                Rule::AtMost(threshold),
                missing,
                2 * i + 1,
                2 * i + 2,
            ));
        }
        nodes.extend((0..n).map(|i| leaf(1.0 / (i + seed + 1) as f64)));
        Tree {
            nodes,
            output: Some(seed % 2),
        }
    };
    let chain = |n: usize| {
        let mut nodes = Vec::new();
        for i in 0..n - 1 {
            nodes.push(split(
                i % 3,
                Rule::AtMost(9.0 - i as f32 / 5.0),
                Side::Left,
                2 * i + 2,
                2 * i + 1,
            ));
            nodes.push(leaf(i as f64 / 3.0));
        }
        nodes.push(leaf(-1.0));
        Tree {
            nodes,
            output: Some(1),
        }
    };
    let trees = vec![
        tree(1, 0),
        tree(2, 1),
        tree(63, 2),
        tree(64, 3),
        chain(64),
        tree(40, 5),
    ];
    let ensemble = TreeEnsemble::new(3, vec![0.25, -0.5], trees).unwrap();
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, -9.0];
    let x = ndarray::Array2::from_shape_fn((3001, 3), |(i, j)| {
        let k = (i * 2_654_435_761 + j * 40_503) >> 7;
        match k % 31 {
            s @ 0..5 => special[s],
            _ => (k % 211) as f32 / 10.0 - 10.5,
        }
    });
    assert!(super::score::Scorer::new(&ensemble).is_some());
    let batch = ensemble.predict(&x).unwrap();
    for (row, scores) in x.rows().into_iter().zip(batch.rows()) {
        let mut one = [0.0; 2];
        ensemble.predict_row_into(&row.to_vec(), &mut one).unwrap();
        assert_eq!(scores.to_vec(), one, "{row}");
    }
    // Beyond 64 leaves the walk is used.
    let wide = TreeEnsemble::new(3, vec![0.0, 0.0], vec![tree(65, 1)]).unwrap();
    assert!(super::score::Scorer::new(&wide).is_none());
}

/// The walk as its rules say it, on the nodes as they are read.
fn plain_score(ensemble: &TreeEnsemble, row: &[f32]) -> Vec<f64> {
    let mut scores = ensemble.base().to_vec();
    for tree in 0..ensemble.n_trees() {
        let mut node = ensemble.tree_nodes(tree).start;
        let values = loop {
            match ensemble.node(tree, node) {
                NodeView::Leaf(values) => break values,
                NodeView::Split {
                    feature,
                    rule,
                    missing,
                    left,
                    right,
                } => {
                    let yes = if row[feature].is_nan() {
                        missing == Side::Left
                    } else {
                        rule.holds(row[feature])
                    };
                    node = if yes { left } else { right };
                }
            }
        };
        match ensemble.tree_output(tree) {
            Some(output) => scores[output] += values[0],
            None => scores.iter_mut().zip(values).for_each(|(s, v)| *s += v),
        }
    }
    scores
}

#[test]
fn walks_abreast_equal_the_plain_walk() {
    // Trees of 1 to 43 leaves, lopsided, with levels, missing values on either side and vector leaves.
    let tree = |seed: usize| {
        let n = seed * 2 % 43;
        let mut nodes = Vec::new();
        for i in 0..n {
            let draw = (i * 31 + seed * 17) % 23;
            let rule = if draw.is_multiple_of(3) {
                Rule::OneOf((0..90).filter(|c| (c * 7 + draw as u32) % 5 < 2).collect())
            } else {
                Rule::AtMost(draw as f32 * 3.0 - 10.0)
            };
            let missing = [Side::Left, Side::Right][draw % 2];
            let (here, next) = (2 * i + 1, 2 * i + 2);
            let (a, b) = if draw % 5 < 3 {
                (here, next)
            } else {
                (next, here)
            };
            nodes.push(split(draw % 4, rule, missing, a, b));
            nodes.push(leaf((i + 1) as f64 / (seed + 1) as f64));
        }
        nodes.push(leaf(-(seed as f64) / 7.0));
        let output = (seed % 4 != 3).then_some(seed % 2);
        if output.is_none() {
            for node in &mut nodes {
                if let Node::Leaf { value, .. } = node {
                    value.push(value[0] / 3.0);
                }
            }
        }
        Tree { nodes, output }
    };
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.5, 1e9];
    let x = ndarray::Array2::from_shape_fn((1203, 4), |(i, j)| {
        let k = (i * 2_654_435_761 + j * 40_503) >> 7;
        special
            .get(k % 29)
            .copied()
            .unwrap_or((k % 83) as f32 - 12.0)
    });
    for n_trees in [0, 1, 7, 8, 9, 21] {
        let trees = (0..n_trees).map(tree).collect();
        let ensemble = TreeEnsemble::new(4, vec![0.25, -0.5], trees).unwrap();
        for n_rows in [1, 5, 8, 300, 1203] {
            let x = x.slice(ndarray::s![..n_rows, ..]);
            let batch = ensemble.predict(&x).unwrap();
            for (row, scores) in x.rows().into_iter().zip(batch.rows()) {
                let expected = plain_score(&ensemble, &row.to_vec());
                let mut one = [0.0; 2];
                ensemble.predict_row_into(&row.to_vec(), &mut one).unwrap();
                assert_eq!(
                    (&scores.to_vec(), &one[..]),
                    (&expected, &expected[..]),
                    "{row}"
                );
            }
        }
    }
    let blind = TreeEnsemble::new(
        0,
        vec![1.0],
        vec![Tree {
            nodes: vec![leaf(2.0)],
            output: Some(0),
        }],
    )
    .unwrap();
    assert_eq!(
        blind.predict(&ndarray::Array2::zeros((3, 0))).unwrap(),
        array![[3.0], [3.0], [3.0]]
    );
}
