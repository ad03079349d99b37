//! From trees to LightGBM's text.

use std::fmt::{Display, Write};

use telseg_core::trees::{Node, Rule, Side};
use telseg_core::{Error, Result};

use crate::interop::nodes::rounds;
use crate::interop::rewrite::{Ability, rewrite};
use crate::interop::{Link, TreeModel};

/// Sets send missing values right; zeros may go with missing values.
const ABILITY: Ability = Ability {
    levels_with_missing: false,
    zero_turned: true,
};

/// The text of a model, as LightGBM 4 reads it: the same predictions for every row of `f32`.
///
/// A base score becomes a first tree of one leaf, and a tree that adds to several outputs becomes one for each.
///
/// # Errors
/// When a link has no objective in LightGBM ([`Link::Step`]), a tree would need more than 1,048,576 nodes, or column
/// names are empty, repeated or hold one of `[]{}":,=`.
pub fn to_text(model: &TreeModel) -> Result<String> {
    let names = names(model)?;
    let k = model.trees().n_outputs();
    let mut domains = vec![Domain::default(); names.len()];
    let mut trees = Vec::new();
    for (i, nodes) in rounds(model.trees()).iter().enumerate() {
        let nodes = rewrite(nodes, ABILITY)
            .map_err(|problem| Error::data("model", format!("tree {i}: {problem}")))?;
        nodes.iter().for_each(|node| note(node, &mut domains));
        trees.push(format!("Tree={i}\n{}\n\n", tree(&nodes)));
    }
    let mut text = String::from("tree\nversion=v4\n");
    let mut put = |key: &str, value: &dyn Display| {
        let _ = writeln!(text, "{key}={value}"); // writing to a string does not fail
    };
    put("num_class", &k);
    put("num_tree_per_iteration", &k);
    put("label_index", &0);
    put("max_feature_idx", &names.len().saturating_sub(1));
    put("objective", &objective(model.link(), k)?);
    put("feature_names", &names.join(" "));
    put("feature_infos", &joined(domains.iter()));
    put("tree_sizes", &joined(trees.iter().map(String::len)));
    text.push('\n');
    trees.iter().for_each(|tree| text.push_str(tree));
    text.push_str("end of trees\n\nfeature_importances:\n\nparameters:\nend of parameters\n\n");
    text.push_str("pandas_categorical:null\n");
    Ok(text)
}

/// Names of the columns, `Column_0` and so on when they have none; with `_` for white space, as LightGBM itself does.
fn names(model: &TreeModel) -> Result<Vec<String>> {
    let n = model.trees().n_features();
    if n == 0 {
        let problem = "LightGBM's format needs at least one column";
        return Err(Error::data("model", problem));
    }
    if model.feature_names().is_empty() {
        return Ok((0..n).map(|i| format!("Column_{i}")).collect());
    }
    let refuse = |problem: String| Err(Error::data("feature_names", problem));
    let given = model.feature_names().iter();
    let names: Vec<String> = given
        .map(|name| name.replace(char::is_whitespace, "_"))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    for name in &names {
        if name.is_empty() || name.contains(|c| "[]{}\":,=".contains(c)) {
            return refuse(format!(
                "LightGBM has no place for []{{}}\":,= in names, found {name:?}"
            ));
        }
        if !seen.insert(name) {
            return refuse(format!("{name:?} is the name of two columns"));
        }
    }
    Ok(names)
}

fn objective(link: Link, n_outputs: usize) -> Result<String> {
    Ok(match (link, n_outputs) {
        (Link::Identity, 1) => "regression".into(),
        (Link::Identity, _) => "custom".into(),
        (Link::Logistic { slope }, 1) => format!("binary sigmoid:{slope}"),
        (Link::Logistic { slope }, k) => format!("multiclassova num_class:{k} sigmoid:{slope}"),
        (Link::Softmax, k) => format!("multiclass num_class:{k}"),
        (Link::Exp, 1) => "poisson".into(),
        (Link::SignedSquare, 1) => "regression sqrt".into(),
        (Link::Softplus, 1) => "cross_entropy_lambda".into(),
        (link, k) => {
            let problem = format!("LightGBM has no objective with {link:?} and {k} outputs");
            return Err(Error::data("link", problem));
        }
    })
}

/// What a column is asked about.
#[derive(Clone, Debug, Default)]
enum Domain {
    #[default]
    Unused,
    Range(f32, f32),
    Levels(std::collections::BTreeSet<u32>),
}

impl Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unused => f.write_str("none"),
            Self::Range(low, high) => write!(f, "[{low:e}:{high:e}]"),
            Self::Levels(codes) => {
                let codes: Vec<String> = codes.iter().map(u32::to_string).collect();
                f.write_str(&codes.join(":"))
            }
        }
    }
}

fn note(node: &Node, domains: &mut [Domain]) {
    let Node::Split { feature, rule, .. } = node else {
        return;
    };
    let domain = &mut domains[*feature];
    match (rule, domain) {
        (Rule::OneOf(codes), Domain::Levels(known)) => known.extend(codes),
        (Rule::OneOf(codes), domain) => *domain = Domain::Levels(codes.iter().copied().collect()),
        (Rule::AtMost(t) | Rule::ZeroTurned(t), Domain::Range(low, high)) => {
            (*low, *high) = (low.min(*t), high.max(*t));
        }
        (Rule::AtMost(t) | Rule::ZeroTurned(t), domain @ Domain::Unused) => {
            *domain = Domain::Range(*t, *t);
        }
        (Rule::AtMost(_) | Rule::ZeroTurned(_), Domain::Levels(_)) => {} // whether a level is known
    }
}

/// Columns of a tree as the text has them.
#[derive(Default)]
struct Columns {
    split_feature: Vec<usize>,
    threshold: Vec<f64>,
    decision_type: Vec<u8>,
    left_child: Vec<i64>,
    right_child: Vec<i64>,
    internal_value: Vec<f64>,
    internal_count: Vec<f64>,
    leaf_value: Vec<f64>,
    leaf_count: Vec<f64>,
    cat_boundaries: Vec<usize>,
    cat_threshold: Vec<u32>,
}

fn tree(nodes: &[Node]) -> String {
    let means = means(nodes);
    // Splits count from 0 up, leaves from -1 down.
    let mut counts = [0i64; 2];
    let ids: Vec<i64> = nodes
        .iter()
        .map(|node| {
            let leaf = matches!(node, Node::Leaf { .. });
            let count = &mut counts[usize::from(leaf)];
            *count += 1;
            if leaf { -*count } else { *count - 1 }
        })
        .collect();
    let mut c = Columns {
        cat_boundaries: vec![0],
        ..Columns::default()
    };
    for (node, mean) in nodes.iter().zip(&means) {
        match node {
            Node::Leaf { value, cover } => {
                c.leaf_value.push(value[0]);
                c.leaf_count.push(*cover);
            }
            Node::Split {
                feature,
                rule,
                missing,
                left,
                right,
                cover,
            } => {
                let (threshold, kind) = question(rule, *missing, &mut c);
                c.split_feature.push(*feature);
                c.threshold.push(threshold);
                c.decision_type.push(kind);
                c.left_child.push(ids[*left]);
                c.right_child.push(ids[*right]);
                c.internal_value.push(*mean);
                c.internal_count.push(*cover);
            }
        }
    }
    c.text()
}

/// The threshold (or the number of the set) and the bits of the decision type.
fn question(rule: &Rule, missing: Side, columns: &mut Columns) -> (f64, u8) {
    let left = if missing == Side::Left { 2 } else { 0 };
    match rule {
        Rule::AtMost(threshold) => (f64::from(*threshold), 8 | left),
        Rule::ZeroTurned(threshold) => (f64::from(*threshold), 4 | left),
        Rule::OneOf(codes) => {
            let set = columns.cat_boundaries.len() - 1;
            let start = columns.cat_threshold.len();
            let words = codes.iter().max().map_or(1, |&top| top as usize / 32 + 1);
            columns.cat_threshold.resize(start + words, 0);
            for &code in codes {
                columns.cat_threshold[start + code as usize / 32] |= 1 << (code % 32);
            }
            columns.cat_boundaries.push(columns.cat_threshold.len());
            (set as f64, 9)
        }
    }
}

/// Mean leaf value below each node, by cover.
fn means(nodes: &[Node]) -> Vec<f64> {
    let mut sums = vec![[0.0; 2]; nodes.len()];
    let mean = |[sum, weight]: [f64; 2]| if weight > 0.0 { sum / weight } else { 0.0 };
    for (i, node) in nodes.iter().enumerate().rev() {
        sums[i] = match node {
            Node::Leaf { value, cover } => [value[0] * cover, *cover],
            Node::Split { left, right, .. } => {
                std::array::from_fn(|k| sums[*left][k] + sums[*right][k])
            }
        };
    }
    sums.into_iter().map(mean).collect()
}

impl Columns {
    fn text(&self) -> String {
        let n_sets = self.cat_boundaries.len() - 1;
        let mut text = String::new();
        let mut put = |key: &str, value: String| {
            let _ = writeln!(text, "{key}={value}"); // writing to a string does not fail
        };
        put("num_leaves", self.leaf_value.len().to_string());
        put("num_cat", n_sets.to_string());
        put("split_feature", joined(&self.split_feature));
        put("split_gain", joined(self.threshold.iter().map(|_| 0)));
        put("threshold", joined(&self.threshold));
        put("decision_type", joined(&self.decision_type));
        put("left_child", joined(&self.left_child));
        put("right_child", joined(&self.right_child));
        put("leaf_value", joined(&self.leaf_value));
        put("leaf_weight", joined(&self.leaf_count));
        let whole = |counts: &[f64]| joined(counts.iter().map(|c| c.round() as i32));
        put("leaf_count", whole(&self.leaf_count));
        put("internal_value", joined(&self.internal_value));
        put("internal_weight", joined(&self.internal_count));
        put("internal_count", whole(&self.internal_count));
        if n_sets > 0 {
            put("cat_boundaries", joined(&self.cat_boundaries));
            put("cat_threshold", joined(&self.cat_threshold));
        }
        put("is_linear", "0".into());
        put("shrinkage", "1".into());
        text
    }
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|v| v.to_string()).collect();
    words.join(" ")
}
