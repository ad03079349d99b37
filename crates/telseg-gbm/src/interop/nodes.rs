//! Trees as lists of nodes: put in order when they are read, taken out of the ensemble when they are written.

use telseg_core::trees::{Node, NodeView, Rule, TreeEnsemble};

/// The greatest `f32` that is at most `t`: `x <= t` is the same question for every `f32`.
pub(super) fn at_most(t: f64) -> f32 {
    let nearest = t as f32;
    if f64::from(nearest) > t {
        nearest.next_down()
    } else {
        nearest
    }
}

/// The nodes that are reached from the first one, whatever their order was: children after their parents, and the right
/// one just after the left one.
pub(super) fn arrange(nodes: Vec<Node>) -> Result<Vec<Node>, String> {
    let n = nodes.len();
    let (mut place, mut order) = (vec![None; n], Vec::with_capacity(n));
    if n > 0 {
        place[0] = Some(0);
        order.push(0);
    }
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        if let Node::Split { left, right, .. } = nodes[at] {
            for child in [left, right] {
                match place.get_mut(child) {
                    None => return Err(format!("node {at}: child {child} of {n} nodes")),
                    Some(Some(_)) => return Err(format!("node {child} is reached twice")),
                    Some(empty) => *empty = Some(order.len()),
                }
                order.push(child);
            }
        }
        next += 1;
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let moved = order.iter().filter_map(|&at| nodes[at].take());
    Ok(moved
        .map(|mut node| {
            if let Node::Split { left, right, .. } = &mut node {
                *left = place[*left].unwrap_or_default();
                *right = place[*right].unwrap_or_default();
            }
            node
        })
        .collect())
}

/// The nodes of a tree as far as one output sees them: each leaf has one value.
pub(super) fn nodes_for(trees: &TreeEnsemble, tree: usize, output: usize) -> Vec<Node> {
    let range = trees.tree_nodes(tree);
    let start = range.start;
    let own = trees.tree_output(tree);
    range
        .map(|at| match trees.node(tree, at) {
            NodeView::Leaf(value) => Node::Leaf {
                value: vec![if own.is_some() {
                    value[0]
                } else {
                    value[output]
                }],
                cover: trees.cover(at),
            },
            NodeView::Split {
                feature,
                rule,
                missing,
                left,
                right,
            } => Node::Split {
                feature,
                rule: Rule::from(rule),
                missing,
                left: left - start,
                right: right - start,
                cover: trees.cover(at),
            },
        })
        .collect()
}

/// A tree that adds the same to every row.
pub(super) fn constant(value: f64) -> Vec<Node> {
    vec![Node::Leaf {
        value: vec![value],
        cover: 0.0,
    }]
}

/// The trees as rounds of one tree an output, as LightGBM and XGBoost keep them; the base is a round of its own, and an
/// output that has fewer trees than another gets trees that add nothing.
pub(super) fn rounds(trees: &TreeEnsemble) -> Vec<Vec<Node>> {
    let k = trees.n_outputs();
    let of_output = |output: usize| {
        let adds = move |t: &usize| trees.tree_output(*t).is_none_or(|own| own == output);
        (0..trees.n_trees()).filter(adds)
    };
    let mut lists: Vec<_> = (0..k).map(of_output).collect();
    let length = (0..k).map(|o| of_output(o).count()).max().unwrap_or(0);
    let mut rounds = Vec::with_capacity(k * (length + 1));
    if length == 0 || trees.base().iter().any(|b| *b != 0.0) {
        rounds.extend(trees.base().iter().map(|b| constant(*b)));
    }
    for _ in 0..length {
        for (output, list) in lists.iter_mut().enumerate() {
            let tree = list.next().map(|t| nodes_for(trees, t, output));
            rounds.push(tree.unwrap_or_else(|| constant(0.0)));
        }
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::trees::Side;

    fn split(left: usize, right: usize) -> Node {
        Node::Split {
            feature: 0,
            rule: Rule::AtMost(0.0),
            missing: Side::Left,
            left,
            right,
            cover: 0.0,
        }
    }

    #[test]
    fn thresholds_are_rounded_down() {
        assert_eq!(at_most(16.0), 16.0);
        assert_eq!(at_most(0.1), 0.1f32.next_down()); // the nearest f32 is above 0.1
        assert_eq!(at_most(0.3), 0.3f32.next_down());
        assert_eq!(at_most(0.7), 0.7f32); // the nearest is below
        assert_eq!(at_most(1e300), f32::MAX);
        assert_eq!(at_most(f64::INFINITY), f32::INFINITY);
        assert_eq!(at_most(-1e300), f32::NEG_INFINITY);
    }

    #[test]
    fn nodes_in_any_order_are_arranged() {
        // 0 -> (3, 1), 3 -> (2, 4); 5 hangs in the air.
        let leaf = |v: f64| constant(v).remove(0);
        let nodes = vec![split(3, 1), leaf(1.0), leaf(2.0), split(2, 4), leaf(4.0)];
        let mut with_orphan = nodes.clone();
        with_orphan.push(leaf(5.0));
        let expected = vec![split(1, 2), split(3, 4), leaf(1.0), leaf(2.0), leaf(4.0)];
        assert_eq!(arrange(nodes), Ok(expected.clone()));
        assert_eq!(arrange(with_orphan), Ok(expected));
        assert_eq!(
            arrange(vec![split(1, 1), leaf(0.0)]),
            Err("node 1 is reached twice".into())
        );
        assert_eq!(
            arrange(vec![split(0, 1), leaf(0.0)]),
            Err("node 0 is reached twice".into())
        );
        assert_eq!(
            arrange(vec![split(1, 7), leaf(0.0)]),
            Err("node 0: child 7 of 2 nodes".into())
        );
    }
}
