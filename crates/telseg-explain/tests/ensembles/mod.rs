//! Random ensembles and rows, and the game that they play by covers.

#![allow(dead_code)] // each test file uses its part

use ndarray::Array2;
use telseg_core::Seed;
use telseg_core::trees::{Node, NodeView, Rule, Side, Tree, TreeEnsemble};

/// EXPVALUE: the expected score when only the features in `known` are.
pub(crate) fn expected(e: &TreeEnsemble, row: &[f32], known: usize, output: usize) -> f64 {
    fn at(e: &TreeEnsemble, t: usize, node: usize, row: &[f32], known: usize, o: usize) -> f64 {
        match e.node(t, node) {
            NodeView::Leaf(v) => match e.tree_output(t) {
                Some(own) => {
                    if own == o {
                        v[0]
                    } else {
                        0.0
                    }
                }
                None => v[o],
            },
            NodeView::Split {
                feature,
                rule,
                missing,
                left,
                right,
            } => {
                let below = |child| at(e, t, child, row, known, o);
                if known >> feature & 1 == 1 {
                    let x = row[feature];
                    let goes = if x.is_nan() {
                        missing == Side::Left
                    } else {
                        rule.holds(x)
                    };
                    return below(if goes { left } else { right });
                }
                let (a, b) = (e.cover(left), e.cover(right));
                if a + b == 0.0 {
                    return 0.5 * (below(left) + below(right));
                }
                (a * below(left) + b * below(right)) / (a + b)
            }
        }
    }
    e.base()[output]
        + (0..e.n_trees())
            .map(|t| at(e, t, e.tree_nodes(t).start, row, known, output))
            .sum::<f64>()
}

/// A random ensemble: numeric (even columns) and categorical splits, repeated features, missing ways, vector leaves,
/// children without cover. The last column is never asked.
pub(crate) fn ensemble(
    seed: u64,
    n: usize,
    splits: usize,
    outputs: usize,
    chain: bool,
) -> TreeEnsemble {
    let tree = |t: u64| {
        let draws = Seed::new(seed).stream("trees").child(t);
        let vector = outputs > 1 && t.is_multiple_of(2);
        let width = if vector { outputs } else { 1 };
        let leaf = |at: u64| Node::Leaf {
            value: (0..width as u64)
                .map(|o| draws.unit(at * 7 + o + 90_000) - 0.4)
                .collect(),
            cover: (draws.unit(at + 50_000) * 9.0 - 1.0).max(0.0).round(),
        };
        let mut nodes = vec![leaf(0)];
        for s in 0..splits as u64 {
            let ends: Vec<usize> = (0..nodes.len())
                .filter(|&i| matches!(nodes[i], Node::Leaf { .. }))
                .collect();
            let pick = if chain {
                ends.len() - 1
            } else {
                draws.bits(s * 5) as usize % ends.len()
            };
            let feature = (draws.bits(s * 5 + 1) % (n as u64 - 1)) as usize;
            let bits = draws.bits(s * 5 + 2);
            let cover = match &nodes[ends[pick]] {
                Node::Leaf { cover, .. } | Node::Split { cover, .. } => *cover,
            };
            let at = nodes.len();
            nodes.push(leaf(2 * s + 1));
            nodes.push(leaf(2 * s + 2));
            nodes[ends[pick]] = Node::Split {
                feature,
                rule: if feature.is_multiple_of(2) {
                    Rule::AtMost((bits % 10) as f32)
                } else {
                    Rule::OneOf((0..10).filter(|c| bits >> c & 1 == 1).collect())
                },
                missing: if bits >> 20 & 1 == 1 {
                    Side::Left
                } else {
                    Side::Right
                },
                left: at,
                right: at + 1,
                cover,
            };
        }
        Tree {
            nodes,
            output: (!vector).then_some(t as usize % outputs),
        }
    };
    TreeEnsemble::new(n, vec![0.25; outputs], (0..3).map(tree).collect()).unwrap()
}

pub(crate) fn rows(seed: u64, n_rows: usize, n: usize) -> Array2<f32> {
    let draws = Seed::new(seed).stream("rows");
    Array2::from_shape_fn((n_rows, n), |(i, j)| {
        match draws.bits((i * n + j) as u64) % 12 {
            11 => f32::NAN,
            v => v as f32,
        }
    })
}
