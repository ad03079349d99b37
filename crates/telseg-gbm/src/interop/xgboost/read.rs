//! From XGBoost's files to trees.

use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_core::{Error, Result};

use super::schema::{Booster, Columns, File, Forest, Learner};
use super::ubjson;
use crate::interop::nodes::arrange;
use crate::interop::{Link, SetBudget, TreeModel};

/// Most outputs of a model.
const MOST_OUTPUTS: usize = 65_536;
/// Most columns of a model.
const MOST_FEATURES: usize = 1 << 24;
/// Codes of levels lie below this in XGBoost.
const CODES: u32 = 1 << 24;

/// Reads a model from the bytes of a JSON or UBJSON file of XGBoost 1.0 or later.
///
/// # Errors
/// [`Error::Artefact`] with the line and column (JSON), the byte (UBJSON) or the part of the model, when the bytes are
/// truncated, contradict themselves, are of another booster than trees, or have an objective whose link is not known.
pub fn from_bytes(bytes: &[u8]) -> Result<TreeModel> {
    read("XGBoost model", bytes)
}

/// Reads a model; `what` names it in errors.
pub(super) fn read(what: &str, bytes: &[u8]) -> Result<TreeModel> {
    parse(bytes).map_err(|problem| Error::artefact(what.to_owned(), problem))
}

fn parse(bytes: &[u8]) -> Result<TreeModel, String> {
    let second = bytes.iter().skip(1).find(|b| !b.is_ascii_whitespace());
    let file: File = match (bytes.first(), second) {
        // JSON goes on with a name, UBJSON with the length of a name.
        (Some(b'{'), Some(b'"' | b'}')) => {
            serde_json::from_slice(bytes).map_err(|e| e.to_string())?
        }
        (Some(b'{'), _) => ubjson::from_slice(bytes)?,
        (Some(b'b' | b'C'), _) => {
            return Err(
                "expected JSON or UBJSON, found the binary format of old versions: save it as .json with XGBoost 1 or 2"
                    .into(),
            );
        }
        _ => return Err("expected JSON or UBJSON, which begins with {".into()),
    };
    model(file.learner)
}

fn model(learner: Learner) -> Result<TreeModel, String> {
    let param = &learner.learner_model_param;
    let number = |name: &str, text: &str| {
        let parsed = text.trim().parse::<usize>();
        parsed.map_err(|_| format!("learner_model_param, {name}: {text:?} is not a whole number"))
    };
    let n_features = number("num_feature", &param.num_feature)?;
    let n_targets = number("num_target", param.num_target.as_deref().unwrap_or("1"))?;
    let n_outputs = number("num_class", &param.num_class)?.max(n_targets).max(1);
    if n_outputs > MOST_OUTPUTS || n_features > MOST_FEATURES {
        return Err(format!(
            "learner_model_param: at most {MOST_OUTPUTS} outputs and {MOST_FEATURES} columns, found {n_outputs} and {n_features}"
        ));
    }
    let (link, space) = objective(&learner.objective.name)?;
    let base = base(&param.base_score, n_outputs, space)?;
    let (forest, factors) = forest(learner.gradient_booster)?;
    if forest.tree_info.len() != forest.trees.len() {
        return Err(format!(
            "tree_info: expected {} numbers (as trees), found {}",
            forest.trees.len(),
            forest.tree_info.len()
        ));
    }
    let mut budget = SetBudget::default();
    let mut trees = Vec::with_capacity(forest.trees.len());
    for (i, (columns, output)) in forest.trees.iter().zip(forest.tree_info).enumerate() {
        let factor = factors.as_ref().map_or(1.0, |f| f[i]);
        let tree = tree(
            columns,
            output,
            (n_outputs, n_features),
            factor,
            &mut budget,
        );
        trees.push(tree.map_err(|problem| format!("trees[{i}]: {problem}"))?);
    }
    let trees = TreeEnsemble::new(n_features, base, trees);
    let model = trees.and_then(|trees| TreeModel::new(trees, link));
    let model = model.and_then(|model| model.with_feature_names(learner.feature_names));
    model.map_err(|e| e.to_string())
}

/// The trees of a booster, and what dart multiplies each with.
fn forest(booster: Booster) -> Result<(Forest, Option<Vec<f32>>), String> {
    let missing = |part: &str| format!("gradient_booster: {part} is missing");
    match booster.name.as_str() {
        "gbtree" => Ok((booster.model.ok_or_else(|| missing("model"))?, None)),
        "dart" => {
            let forest = booster.gbtree.ok_or_else(|| missing("gbtree"))?.model;
            let factors = booster.weight_drop.ok_or_else(|| missing("weight_drop"))?;
            if factors.len() != forest.trees.len() {
                return Err(format!(
                    "weight_drop: expected {} numbers (as trees), found {}",
                    forest.trees.len(),
                    factors.len()
                ));
            }
            Ok((forest, Some(factors)))
        }
        other => Err(format!(
            "gradient_booster: expected trees (gbtree or dart), found {other:?}"
        )),
    }
}

/// The space in which a file keeps its base score.
#[derive(Clone, Copy, PartialEq)]
enum Space {
    Score,
    Probability,
    Mean,
}

fn objective(name: &str) -> Result<(Link, Space), String> {
    let logistic = Link::Logistic { slope: 1.0 };
    Ok(match name {
        "reg:squarederror"
        | "reg:squaredlogerror"
        | "reg:absoluteerror"
        | "reg:quantileerror"
        | "reg:expectileerror"
        | "reg:pseudohubererror"
        | "reg:linear"
        | "rank:ndcg"
        | "rank:map"
        | "rank:pairwise"
        | "binary:logitraw" => (Link::Identity, Space::Score),
        "binary:logistic" | "reg:logistic" => (logistic, Space::Probability),
        "binary:hinge" => (Link::Step, Space::Score),
        "multi:softprob" | "multi:softmax" => (Link::Softmax, Space::Score),
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
            (Link::Exp, Space::Mean)
        }
        other => return Err(format!("objective: {other:?} is not known")),
    })
}

/// Base scores: one number for all outputs, or a list.
fn base(text: &str, n_outputs: usize, space: Space) -> Result<Vec<f64>, String> {
    let inner = text.trim();
    let inner = inner
        .strip_prefix('[')
        .and_then(|s| s.strip_suffix(']'))
        .unwrap_or(inner);
    let mut scores = Vec::new();
    for word in inner.split(',') {
        let Ok(value) = word.trim().parse::<f32>() else {
            return Err(format!("base_score: {:?} is not a number", short(word)));
        };
        let value = f64::from(value);
        let score = match space {
            Space::Score => value,
            Space::Probability => -(1.0 / value - 1.0).ln(),
            Space::Mean => value.ln(),
        };
        if !score.is_finite() {
            return Err(format!("base_score: {value} stands for no finite score"));
        }
        scores.push(score);
    }
    match scores.len() {
        1 => Ok(scores.repeat(n_outputs)),
        n if n == n_outputs => Ok(scores),
        n => Err(format!(
            "base_score: expected 1 or {n_outputs} numbers, found {n}"
        )),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn tree(
    columns: &Columns,
    output: usize,
    (n_outputs, n_features): (usize, usize),
    factor: f32,
    budget: &mut SetBudget,
) -> Result<Tree, String> {
    let n = columns.left_children.len();
    for (name, found) in [
        ("right_children", columns.right_children.len()),
        ("split_indices", columns.split_indices.len()),
        ("split_conditions", columns.split_conditions.len()),
        ("default_left", columns.default_left.len()),
        ("sum_hessian", columns.sum_hessian.len()),
    ] {
        if found != n {
            return Err(format!(
                "{name}: expected {n} values (as left_children), found {found}"
            ));
        }
    }
    let width = match columns.tree_param.size_leaf_vector.as_deref() {
        None | Some("0" | "1") => 1,
        Some(text) if text.parse() == Ok(n_outputs) => n_outputs,
        Some(text) => {
            let found = short(text);
            return Err(format!(
                "size_leaf_vector: expected {n_outputs} (as outputs), found {found:?}"
            ));
        }
    };
    let sets = sets(columns, n)?;
    let mut nodes = Vec::with_capacity(n);
    for (i, set) in sets.iter().enumerate() {
        let node = node(columns, i, (width, n_features), *set, factor);
        let node = node.map_err(|problem| format!("node {i}: {problem}"))?;
        if let Node::Split {
            rule: Rule::OneOf(codes),
            ..
        } = &node
        {
            budget.take(codes)?;
        }
        nodes.push(node);
    }
    let nodes = arrange(nodes)?; // nodes that pruning deleted are not reached
    let output = (width == 1).then_some(output);
    Ok(Tree { nodes, output })
}

/// The levels of each node that splits by a set.
fn sets(columns: &Columns, n: usize) -> Result<Vec<Option<&[u32]>>, String> {
    let mut sets = vec![None; n];
    let places = columns
        .categories_segments
        .iter()
        .zip(&columns.categories_sizes);
    if columns.categories_nodes.len() != places.len() {
        return Err(format!(
            "categories_nodes: {} nodes, but {} stretches of categories",
            columns.categories_nodes.len(),
            places.len()
        ));
    }
    for (&node, (&start, &size)) in columns.categories_nodes.iter().zip(places) {
        let codes = start
            .checked_add(size)
            .and_then(|end| columns.categories.get(start..end));
        let (Some(codes), Some(set)) = (codes, sets.get_mut(node)) else {
            return Err(format!("categories of node {node} do not exist"));
        };
        if let Some(code) = codes.iter().find(|code| **code >= CODES) {
            return Err(format!(
                "categories: {code} of node {node} is not below {CODES}"
            ));
        }
        *set = Some(codes);
    }
    Ok(sets)
}

fn node(
    columns: &Columns,
    i: usize,
    (width, n_features): (usize, usize),
    set: Option<&[u32]>,
    factor: f32,
) -> Result<Node, String> {
    let cover = f64::from(columns.sum_hessian[i].max(0.0));
    let (Ok(left), right) = (
        usize::try_from(columns.left_children[i]),
        columns.right_children[i],
    ) else {
        let value = leaf(columns, i, width)?;
        let value = value.iter().map(|v| f64::from(factor * v)).collect();
        return Ok(Node::Leaf { value, cover });
    };
    let right = usize::try_from(right).map_err(|_| "it has a left child only")?;
    let feature = columns.split_indices[i];
    if feature >= n_features {
        return Err(format!("column {feature} of {n_features}"));
    }
    let default = columns.default_left[i];
    let split = |rule, missing_left, [left, right]: [usize; 2]| Node::Split {
        feature,
        rule,
        missing: if missing_left {
            Side::Left
        } else {
            Side::Right
        },
        left,
        right,
        cover,
    };
    if columns.split_type.get(i) == Some(&true) {
        // There, what is in the set goes right.
        let mut codes = set
            .ok_or("it splits by a set, but has no categories")?
            .to_vec();
        codes.sort_unstable();
        codes.dedup();
        return Ok(split(Rule::OneOf(codes), !default, [right, left]));
    }
    let threshold = columns.split_conditions[i];
    if threshold.is_nan() {
        return Err("the threshold is not a number".into());
    }
    let rule = match threshold {
        f32::NEG_INFINITY => Rule::OneOf(Vec::new()), // nothing lies below it
        t => Rule::AtMost(t.next_down()),
    };
    Ok(split(rule, default, [left, right]))
}

/// What a leaf adds.
fn leaf(columns: &Columns, i: usize, width: usize) -> Result<&[f32], String> {
    if width == 1 {
        return Ok(&columns.split_conditions[i..=i]);
    }
    // Leaves are numbered where right children stand; before, they had the numbers of their nodes.
    let (weights, at) = match &columns.leaf_weights {
        Some(weights) => (weights, usize::try_from(columns.right_children[i]).ok()),
        None => (&columns.base_weights, Some(i)),
    };
    let start = at.and_then(|at| at.checked_mul(width));
    let values = start.and_then(|start| weights.get(start..)?.get(..width));
    values.ok_or_else(|| "its leaf values do not exist".into())
}
