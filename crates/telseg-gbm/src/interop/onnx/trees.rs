//! All trees as the two operators want them: one list of splits, one of leaves.

use telseg_core::trees::{Node, Rule, Side};

use super::graph::{
    attribute_bytes, attribute_doubles, attribute_int, attribute_ints, attribute_text,
    attribute_texts, operator,
};
use super::proto::Message;
use crate::interop::TreeModel;
use crate::interop::nodes::nodes_for;
use crate::interop::rewrite::{Ability, rewrite};

const ABILITY: Ability = Ability {
    levels_with_missing: true,
    zero_turned: false,
};

/// Trees of one output each.
pub(super) struct Flat {
    trees: Vec<(usize, Vec<Node>)>,
}

/// What a split asks, as the operators name it.
enum Asks<'a> {
    AtMost(f64),
    Never,
    Member(&'a [u32]),
}

fn asks(rule: &Rule) -> Asks<'_> {
    match rule {
        Rule::AtMost(t) | Rule::ZeroTurned(t) => Asks::AtMost(f64::from(*t)),
        Rule::OneOf(codes) if codes.is_empty() => Asks::Never,
        Rule::OneOf(codes) => Asks::Member(codes),
    }
}

impl Flat {
    pub(super) fn of(model: &TreeModel) -> Result<Self, String> {
        let ensemble = model.trees();
        let mut trees = Vec::new();
        for tree in 0..ensemble.n_trees() {
            let own = ensemble.tree_output(tree);
            let outputs = own.map_or(0..ensemble.n_outputs(), |o| o..o + 1);
            for output in outputs {
                let nodes = rewrite(&nodes_for(ensemble, tree, output), ABILITY);
                let nodes = nodes.map_err(|problem| format!("tree {tree}: {problem}"))?;
                trees.push((output, nodes));
            }
        }
        Ok(Self { trees })
    }

    pub(super) fn has_sets(&self) -> bool {
        let mut nodes = self.trees.iter().flat_map(|(_, nodes)| nodes);
        nodes.any(|node| {
            matches!(node, Node::Split { rule, .. } if matches!(asks(rule), Asks::Member(_)))
        })
    }

    /// `TreeEnsembleRegressor` of ai.onnx.ml 3: nodes are named by tree and number.
    pub(super) fn regressor(
        &self,
        inputs: &[&str],
        output: &str,
        (k, base): (usize, &[f64]),
    ) -> Message {
        let (mut tree_ids, mut node_ids, mut features, mut modes) =
            (vec![], vec![], vec![], vec![]);
        let (mut values, mut yes, mut no, mut missing) = (vec![], vec![], vec![], vec![]);
        let (mut leaf_trees, mut leaf_nodes, mut targets, mut weights) =
            (vec![], vec![], vec![], vec![]);
        for (t, (target, nodes)) in self.trees.iter().enumerate() {
            for (i, node) in nodes.iter().enumerate() {
                tree_ids.push(t as i64);
                node_ids.push(i as i64);
                match node {
                    Node::Leaf { value, .. } => {
                        features.push(0);
                        modes.push("LEAF");
                        values.push(0.0);
                        yes.push(0);
                        no.push(0);
                        missing.push(0);
                        leaf_trees.push(t as i64);
                        leaf_nodes.push(i as i64);
                        targets.push(*target as i64);
                        weights.push(value[0]);
                    }
                    Node::Split {
                        feature,
                        rule,
                        missing: side,
                        left,
                        right,
                        ..
                    } => {
                        let (mode, value) = match asks(rule) {
                            Asks::AtMost(threshold) => ("BRANCH_LEQ", threshold),
                            Asks::Never | Asks::Member(_) => ("BRANCH_LT", f64::NEG_INFINITY),
                        };
                        features.push(*feature as i64);
                        modes.push(mode);
                        values.push(value);
                        yes.push(*left as i64);
                        no.push(*right as i64);
                        missing.push(i64::from(*side == Side::Left));
                    }
                }
            }
        }
        operator("TreeEnsembleRegressor", inputs, output)
            .message(5, attribute_text("aggregate_function", "SUM"))
            .message(5, attribute_text("post_transform", "NONE"))
            .message(5, attribute_int("n_targets", k as i64))
            .message(5, attribute_doubles("base_values_as_tensor", base))
            .message(5, attribute_ints("nodes_treeids", tree_ids))
            .message(5, attribute_ints("nodes_nodeids", node_ids))
            .message(5, attribute_ints("nodes_featureids", features))
            .message(5, attribute_texts("nodes_modes", modes))
            .message(5, attribute_doubles("nodes_values_as_tensor", &values))
            .message(5, attribute_ints("nodes_truenodeids", yes))
            .message(5, attribute_ints("nodes_falsenodeids", no))
            .message(
                5,
                attribute_ints("nodes_missing_value_tracks_true", missing),
            )
            .message(5, attribute_ints("target_treeids", leaf_trees))
            .message(5, attribute_ints("target_nodeids", leaf_nodes))
            .message(5, attribute_ints("target_ids", targets))
            .message(5, attribute_doubles("target_weights_as_tensor", &weights))
            .bytes(7, "ai.onnx.ml")
    }

    /// `TreeEnsemble` of ai.onnx.ml 5: splits and leaves lie in two lists, and sets are members of a third, ended by NaN.
    pub(super) fn ensemble(&self, inputs: &[&str], output: &str, k: usize) -> Message {
        let (mut roots, mut features, mut modes, mut splits) = (vec![], vec![], vec![], vec![]);
        let (mut yes, mut yes_leaf, mut no, mut no_leaf) = (vec![], vec![], vec![], vec![]);
        let (mut missing, mut members, mut targets, mut weights) = (vec![], vec![], vec![], vec![]);
        for (target, nodes) in &self.trees {
            roots.push(features.len() as i64);
            // The place of each node in its list.
            let (first_split, first_leaf) = (features.len(), weights.len());
            let mut counts = [first_split, first_leaf];
            let places: Vec<(usize, bool)> = nodes
                .iter()
                .map(|node| {
                    let leaf = matches!(node, Node::Leaf { .. });
                    let count = &mut counts[usize::from(leaf)];
                    *count += 1;
                    (*count - 1, leaf)
                })
                .collect();
            let mut push =
                |asks: Asks<'_>, feature: usize, [left, right]: [usize; 2], side: Side| {
                    let (mode, split) = match asks {
                        Asks::AtMost(threshold) => (0u8, threshold),
                        Asks::Never => (1, f64::NEG_INFINITY),
                        Asks::Member(codes) => {
                            members.extend(codes.iter().map(|code| f64::from(*code)));
                            members.push(f64::NAN);
                            (6, 0.0)
                        }
                    };
                    features.push(feature as i64);
                    modes.push(mode);
                    splits.push(split);
                    yes.push(places[left].0 as i64);
                    yes_leaf.push(i64::from(places[left].1));
                    no.push(places[right].0 as i64);
                    no_leaf.push(i64::from(places[right].1));
                    missing.push(i64::from(side == Side::Left));
                };
            for node in nodes {
                match node {
                    Node::Leaf { value, .. } => {
                        targets.push(*target as i64);
                        weights.push(value[0]);
                    }
                    Node::Split {
                        feature,
                        rule,
                        missing,
                        left,
                        right,
                        ..
                    } => push(asks(rule), *feature, [*left, *right], *missing),
                }
            }
            if nodes.len() == 1 {
                // A tree needs a split: both answers end in the one leaf.
                push(Asks::AtMost(0.0), 0, [0, 0], Side::Left);
            }
        }
        operator("TreeEnsemble", inputs, output)
            .message(5, attribute_int("aggregate_function", 1))
            .message(5, attribute_int("post_transform", 0))
            .message(5, attribute_int("n_targets", k as i64))
            .message(5, attribute_ints("tree_roots", roots))
            .message(5, attribute_ints("nodes_featureids", features))
            .message(5, attribute_bytes("nodes_modes", &modes))
            .message(5, attribute_doubles("nodes_splits", &splits))
            .message(5, attribute_ints("nodes_truenodeids", yes))
            .message(5, attribute_ints("nodes_trueleafs", yes_leaf))
            .message(5, attribute_ints("nodes_falsenodeids", no))
            .message(5, attribute_ints("nodes_falseleafs", no_leaf))
            .message(
                5,
                attribute_ints("nodes_missing_value_tracks_true", missing),
            )
            .message(5, attribute_doubles("membership_values", &members))
            .message(5, attribute_ints("leaf_targetids", targets))
            .message(5, attribute_doubles("leaf_weights", &weights))
            .bytes(7, "ai.onnx.ml")
    }
}
