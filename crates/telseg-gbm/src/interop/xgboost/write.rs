//! From trees to XGBoost's files.

use telseg_core::trees::{Node, Rule, Side};
use telseg_core::{Error, Result};

use super::document::Doc;
use crate::interop::nodes::{arrange, rounds};
use crate::interop::rewrite::{Ability, rewrite};
use crate::interop::{Link, TreeModel};

const ABILITY: Ability = Ability {
    levels_with_missing: true,
    zero_turned: false,
};
/// The parent of a root.
const NO_PARENT: i32 = i32::MAX;

/// The JSON of a model, as XGBoost 1.6 and later read it: the same predictions for every row of finite `f32`, to the
/// rounding of XGBoost's `f32` sums.
///
/// A base score becomes a first tree of one leaf, and a tree that adds to several outputs becomes one for each.
///
/// # Errors
/// When a link has no objective in XGBoost ([`Link::SignedSquare`], [`Link::Softplus`]), a leaf is too large for `f32`, a
/// level code is not below 2²⁴, or a tree would need more than 1,048,576 nodes.
pub fn to_json(model: &TreeModel) -> Result<String> {
    let mut text = String::new();
    document(model)?.json(&mut text);
    Ok(text)
}

/// The same as UBJSON.
///
/// # Errors
/// As [`to_json`].
pub fn to_ubjson(model: &TreeModel) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    document(model)?.ubjson(&mut bytes);
    Ok(bytes)
}

fn document(model: &TreeModel) -> Result<Doc> {
    let trees = model.trees();
    let (k, n_features) = (trees.n_outputs(), trees.n_features());
    let (objective, base_score, factor) = objective(model.link(), k)?;
    let (num_class, num_target) = match model.link() {
        Link::Softmax => (k, 1),
        _ => (0, k),
    };
    let rounds = rounds(trees);
    let mut categorical = vec![false; n_features];
    let mut list = Vec::with_capacity(rounds.len());
    for (i, nodes) in rounds.iter().enumerate() {
        let refuse = |problem| Error::data("model", format!("tree {i}: {problem}"));
        let nodes = rewrite(nodes, ABILITY).and_then(siblings).map_err(refuse)?;
        list.push(tree(i, &nodes, factor, &mut categorical, n_features).map_err(refuse)?);
    }
    let n = rounds.len() as i32;
    let groups = (0..n).map(|i| i % k as i32);
    let starts = (0..=n).step_by(k);
    let forest = Doc::Map(vec![
        (
            "gbtree_model_param",
            Doc::Map(vec![
                ("num_parallel_tree", Doc::text(1)),
                ("num_trees", Doc::text(n)),
            ]),
        ),
        ("iteration_indptr", Doc::plain_ints(starts)),
        ("tree_info", Doc::plain_ints(groups)),
        ("trees", Doc::List(list)),
    ]);
    let kinds = categorical.iter().map(|c| if *c { "c" } else { "float" });
    let learner = Doc::Map(vec![
        ("attributes", Doc::Map(vec![])),
        ("feature_names", Doc::texts(model.feature_names())),
        ("feature_types", Doc::texts(kinds)),
        (
            "gradient_booster",
            Doc::Map(vec![("model", forest), ("name", Doc::text("gbtree"))]),
        ),
        (
            "learner_model_param",
            Doc::Map(vec![
                ("base_score", Doc::text(base_score)),
                ("boost_from_average", Doc::text(0)),
                ("num_class", Doc::text(num_class)),
                ("num_feature", Doc::text(n_features)),
                ("num_target", Doc::text(num_target)),
            ]),
        ),
        ("objective", objective),
    ]);
    Ok(Doc::Map(vec![
        ("learner", learner),
        ("version", Doc::plain_ints([2, 1, 0])),
    ]))
}

/// The objective, the base score that stands for a score of 0, and what leaves are multiplied with.
fn objective(link: Link, n_outputs: usize) -> Result<(Doc, &'static str, f64)> {
    let named = |name: &str, part: &'static str, setting: (&'static str, String)| {
        Doc::Map(vec![
            ("name", Doc::text(name)),
            (part, Doc::Map(vec![(setting.0, Doc::Text(setting.1))])),
        ])
    };
    let plain = |name| named(name, "reg_loss_param", ("scale_pos_weight", "1".into()));
    Ok(match (link, n_outputs) {
        (Link::Identity, _) => (plain("reg:squarederror"), "0E0", 1.0),
        (Link::Logistic { slope }, _) => (plain("binary:logistic"), "5E-1", slope),
        (Link::Softmax, 2..) => {
            let classes = ("num_class", n_outputs.to_string());
            (
                named("multi:softprob", "softmax_multiclass_param", classes),
                "0E0",
                1.0,
            )
        }
        (Link::Exp, 1) => {
            let step = ("max_delta_step", "0.7".into());
            (
                named("count:poisson", "poisson_regression_param", step),
                "1E0",
                1.0,
            )
        }
        (Link::Step, 1) => (
            Doc::Map(vec![("name", Doc::text("binary:hinge"))]),
            "0E0",
            1.0,
        ),
        (link, k) => {
            let problem = format!("XGBoost has no objective with {link:?} and {k} outputs");
            return Err(Error::data("link", problem));
        }
    })
}

/// The sides as XGBoost has them, each right child just after its left sibling, which is where XGBoost looks for it.
///
/// There, what is in a set goes right.
fn siblings(mut nodes: Vec<Node>) -> Result<Vec<Node>, String> {
    for node in &mut nodes {
        if let Node::Split {
            rule: Rule::OneOf(_),
            missing,
            left,
            right,
            ..
        } = node
        {
            std::mem::swap(left, right);
            *missing = if *missing == Side::Left {
                Side::Right
            } else {
                Side::Left
            };
        }
    }
    arrange(nodes)
}

/// Columns of a tree as the file has them.
#[derive(Default)]
struct Columns {
    left: Vec<i32>,
    right: Vec<i32>,
    features: Vec<i32>,
    conditions: Vec<f32>,
    kinds: Vec<u8>,
    default_left: Vec<u8>,
    covers: Vec<f32>,
    codes: Vec<i32>,
    set_nodes: Vec<i32>,
    set_starts: Vec<i64>,
    set_sizes: Vec<i64>,
}

fn tree(
    id: usize,
    nodes: &[Node],
    factor: f64,
    categorical: &mut [bool],
    n_features: usize,
) -> Result<Doc, String> {
    let mut c = Columns::default();
    let mut parents = vec![NO_PARENT; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        match node {
            Node::Leaf { value, cover } => {
                let value = (value[0] * factor) as f32;
                if !value.is_finite() {
                    return Err(format!("node {i}: its leaf is too large for f32"));
                }
                c.push([-1, -1], 0, (value, 0), Side::Right, *cover);
            }
            Node::Split {
                feature,
                rule,
                missing,
                left,
                right,
                cover,
            } => {
                parents[*left] = i as i32;
                parents[*right] = i as i32;
                let children = [*left as i32, *right as i32];
                let question = match rule {
                    Rule::AtMost(t) | Rule::ZeroTurned(t) => (t.next_up().min(f32::MAX), 0),
                    Rule::OneOf(codes) => {
                        categorical[*feature] = true;
                        c.push_set(i, codes)?;
                        (0.0, 1)
                    }
                };
                c.push(children, *feature, question, *missing, *cover);
            }
        }
    }
    Ok(c.document(id, parents, n_features))
}

impl Columns {
    fn push(
        &mut self,
        [left, right]: [i32; 2],
        feature: usize,
        (condition, kind): (f32, u8),
        missing: Side,
        cover: f64,
    ) {
        self.left.push(left);
        self.right.push(right);
        self.features.push(feature as i32);
        self.conditions.push(condition);
        self.kinds.push(kind);
        self.default_left.push(u8::from(missing == Side::Left));
        self.covers.push(cover as f32);
    }

    fn push_set(&mut self, node: usize, codes: &[u32]) -> Result<(), String> {
        if let Some(code) = codes.iter().find(|code| **code >= 1 << 24) {
            return Err(format!("node {node}: level {code} is not below 2^24"));
        }
        self.set_nodes.push(node as i32);
        self.set_starts.push(self.codes.len() as i64);
        self.set_sizes.push(codes.len() as i64);
        self.codes.extend(codes.iter().map(|code| *code as i32));
        Ok(())
    }

    fn document(self, id: usize, parents: Vec<i32>, n_features: usize) -> Doc {
        let n = self.left.len();
        let param = vec![
            ("num_deleted", Doc::text(0)),
            ("num_feature", Doc::text(n_features)),
            ("num_nodes", Doc::text(n)),
            ("size_leaf_vector", Doc::text(1)),
        ];
        Doc::Map(vec![
            ("base_weights", Doc::Floats(self.conditions.clone())),
            ("categories", Doc::Ints(self.codes)),
            ("categories_nodes", Doc::Ints(self.set_nodes)),
            ("categories_segments", Doc::Longs(self.set_starts)),
            ("categories_sizes", Doc::Longs(self.set_sizes)),
            ("default_left", Doc::Bytes(self.default_left)),
            ("id", Doc::Int(id as i32)),
            ("left_children", Doc::Ints(self.left)),
            ("loss_changes", Doc::Floats(vec![0.0; n])),
            ("parents", Doc::Ints(parents)),
            ("right_children", Doc::Ints(self.right)),
            ("split_conditions", Doc::Floats(self.conditions)),
            ("split_indices", Doc::Ints(self.features)),
            ("split_type", Doc::Bytes(self.kinds)),
            ("sum_hessian", Doc::Floats(self.covers)),
            ("tree_param", Doc::Map(param)),
        ])
    }
}
