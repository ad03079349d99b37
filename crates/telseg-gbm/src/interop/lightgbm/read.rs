//! From LightGBM's text to trees.

use std::str::FromStr;

use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_core::{Error, Result};

use crate::interop::nodes::{arrange, at_most};
use crate::interop::{Link, SetBudget, TreeModel};

/// Most outputs of a model.
const MOST_OUTPUTS: usize = 65_536;
/// What LightGBM takes for zero.
const ZERO: f32 = 1e-35;

/// Reads a model from the text that LightGBM's `save_model` writes (version 3 or 4).
///
/// # Errors
/// [`Error::Artefact`] with the line, when the text is truncated, contradicts itself, has linear leaves or an objective
/// whose link is not known.
pub fn from_text(text: &str) -> Result<TreeModel> {
    read("LightGBM model", text)
}

/// Reads a model; `what` names it in errors.
pub(super) fn read(what: &str, text: &str) -> Result<TreeModel> {
    parse(text).map_err(|problem| Error::artefact(what.to_owned(), problem))
}

/// The settings before the trees.
struct Head<'a> {
    n_outputs: usize,
    n_features: usize,
    names: Vec<&'a str>,
    link: Link,
    average: bool,
}

fn parse(text: &str) -> Result<TreeModel, String> {
    let mut lines = Lines::new(text);
    let head = Section::read(&mut lines)?;
    if head.entries.first().is_none_or(|e| e.key != "tree") {
        return Err(
            "line 1: expected a LightGBM model, which begins with the line \"tree\"".into(),
        );
    }
    let head = Head::read(&head)?;
    let (mut trees, mut budget) = (Vec::new(), SetBudget::default());
    while let Some(line) = lines.next() {
        if line.text == "end of trees" {
            return head.finish(trees);
        }
        let expected = format!("Tree={}", trees.len());
        if line.text != expected {
            return Err(format!(
                "line {}: expected {expected:?} or \"end of trees\", found {:?}",
                line.number, line.text
            ));
        }
        let section = Section::read(&mut lines)?;
        let nodes = read_tree(&section, head.n_features, &mut budget)
            .map_err(|problem| format!("tree {}, {problem}", trees.len()))?;
        let output = Some(trees.len() % head.n_outputs);
        trees.push(Tree { nodes, output });
    }
    Err(format!(
        "line {}: the text ends before \"end of trees\": it is truncated",
        lines.number
    ))
}

impl<'a> Head<'a> {
    fn read(section: &Section<'a>) -> Result<Self, String> {
        let n_outputs: usize = section.number("num_tree_per_iteration")?;
        if !(1..=MOST_OUTPUTS).contains(&n_outputs) {
            let line = section.get("num_tree_per_iteration")?.line;
            return Err(format!(
                "line {line}, num_tree_per_iteration: must be 1 to {MOST_OUTPUTS}, found {n_outputs}"
            ));
        }
        let names: Vec<&str> = section.get("feature_names")?.value.split(' ').collect();
        let top: usize = section.number("max_feature_idx")?;
        if top.checked_add(1) != Some(names.len()) {
            return Err(format!(
                "line {}, feature_names: expected as many names as max_feature_idx {top} says, found {}",
                section.get("feature_names")?.line,
                names.len()
            ));
        }
        let link = match section.get("objective") {
            Ok(entry) => link(entry.value)
                .map_err(|problem| format!("line {}, objective: {problem}", entry.line))?,
            Err(_) => Link::Identity, // trained with an objective of the user's own
        };
        Ok(Self {
            n_outputs,
            n_features: names.len(),
            names,
            link,
            average: section.get("average_output").is_ok(),
        })
    }

    fn finish(self, mut trees: Vec<Tree>) -> Result<TreeModel, String> {
        let k = self.n_outputs;
        if !trees.len().is_multiple_of(k) {
            let found = trees.len();
            return Err(format!(
                "expected {k} trees a round (num_tree_per_iteration), found {found} in all: it is truncated"
            ));
        }
        if self.average && !trees.is_empty() {
            let n_rounds = (trees.len() / k) as f64;
            for node in trees.iter_mut().flat_map(|t| &mut t.nodes) {
                if let Node::Leaf { value, .. } = node {
                    value.iter_mut().for_each(|v| *v /= n_rounds);
                }
            }
        }
        let trees = TreeEnsemble::new(self.n_features, vec![0.0; k], trees);
        let model = trees.and_then(|trees| TreeModel::new(trees, self.link));
        let model = model.and_then(|model| model.with_feature_names(self.names));
        model.map_err(|e| e.to_string())
    }
}

/// The link of an objective, which is a name and settings: `binary sigmoid:1`.
fn link(objective: &str) -> Result<Link, String> {
    let mut words = objective.split_whitespace();
    let name = words.next().unwrap_or_default();
    let settings: Vec<&str> = words.collect();
    let slope = || {
        let found = settings.iter().find_map(|s| s.strip_prefix("sigmoid:"));
        let slope: f64 = found.map_or(Ok(1.0), parse_one)?;
        Ok(Link::Logistic { slope })
    };
    match name {
        "regression" if settings.contains(&"sqrt") => Ok(Link::SignedSquare),
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank"
        | "rank_xendcg" | "custom" | "none" | "" => Ok(Link::Identity),
        "binary" | "multiclassova" => slope(),
        "cross_entropy" => Ok(Link::Logistic { slope: 1.0 }),
        "cross_entropy_lambda" => Ok(Link::Softplus),
        "poisson" | "gamma" | "tweedie" => Ok(Link::Exp),
        "multiclass" => Ok(Link::Softmax),
        other => Err(format!("{other:?} is not known")),
    }
}

/// The nodes of one tree: splits as they are numbered in the file, then the leaves.
fn read_tree(
    section: &Section<'_>,
    n_features: usize,
    budget: &mut SetBudget,
) -> Result<Vec<Node>, String> {
    if let Ok(entry) = section.get("is_linear")
        && entry.value != "0"
    {
        return Err(format!(
            "line {}: linear leaves (linear_tree) are not supported",
            entry.line
        ));
    }
    let n_leaves: usize = section.number("num_leaves")?;
    let values: Vec<f64> = section.list("leaf_value", n_leaves)?;
    let Some(n_splits) = n_leaves.checked_sub(1) else {
        return Err(format!(
            "line {}: a tree has at least one leaf",
            section.get("num_leaves")?.line
        ));
    };
    let covers = |key: &str, n: usize| match section.get(key) {
        Ok(entry) if !entry.value.is_empty() => section.list::<f64>(key, n),
        _ => Ok(vec![0.0; n]),
    };
    let (leaf_covers, covers) = (
        covers("leaf_count", n_leaves)?,
        covers("internal_count", n_splits)?,
    );
    let splits = Splits::read(section, n_splits)?;
    let mut nodes = Vec::with_capacity(n_leaves + n_splits);
    for (i, cover) in covers.into_iter().enumerate() {
        let at = |problem| format!("{}, split {i}: {problem}", section.place());
        let (rule, missing) = splits.rule(i).map_err(at)?;
        if let Rule::OneOf(codes) = &rule {
            budget.take(codes).map_err(at)?;
        }
        let feature = splits.features[i];
        if feature >= n_features {
            return Err(at(format!("column {feature} of {n_features}")));
        }
        // Splits count from 0 up, leaves from -1 down.
        let child = |c: i64| {
            if c >= 0 {
                c as usize
            } else {
                n_splits + !c as usize
            }
        };
        nodes.push(Node::Split {
            feature,
            rule,
            missing,
            left: child(splits.left[i]),
            right: child(splits.right[i]),
            cover,
        });
    }
    let leaves = values.into_iter().zip(leaf_covers);
    nodes.extend(leaves.map(|(value, cover)| Node::Leaf {
        value: vec![value],
        cover,
    }));
    let n_nodes = nodes.len();
    let nodes = arrange(nodes).map_err(|problem| format!("{}: {problem}", section.place()))?;
    if nodes.len() < n_nodes {
        let found = nodes.len();
        return Err(format!(
            "{}: only {found} of {n_nodes} nodes can be reached",
            section.place()
        ));
    }
    Ok(nodes)
}

/// The splits of one tree, column by column as the file has them.
struct Splits {
    features: Vec<usize>,
    thresholds: Vec<f64>,
    types: Vec<u8>,
    left: Vec<i64>,
    right: Vec<i64>,
    set_bounds: Vec<usize>,
    set_words: Vec<u32>,
}

impl Splits {
    fn read(section: &Section<'_>, n: usize) -> Result<Self, String> {
        let n_sets: usize = match section.get("num_cat") {
            Ok(_) => section.number("num_cat")?,
            Err(_) => 0,
        };
        let (mut set_bounds, mut set_words) = (Vec::new(), Vec::new());
        if n_sets > 0 {
            set_bounds = section.list("cat_boundaries", n_sets.saturating_add(1))?;
            set_words = section.list("cat_threshold", set_bounds.last().copied().unwrap_or(0))?;
        }
        Ok(Self {
            features: section.list("split_feature", n)?,
            thresholds: section.list("threshold", n)?,
            types: section.list("decision_type", n)?,
            left: section.list("left_child", n)?,
            right: section.list("right_child", n)?,
            set_bounds,
            set_words,
        })
    }

    /// What a split asks, and where missing values go.
    fn rule(&self, i: usize) -> Result<(Rule, Side), String> {
        let (kind, threshold) = (self.types[i], self.thresholds[i]);
        if kind & 1 == 1 {
            // Missing values go right whatever the missing type.
            return Ok((Rule::OneOf(self.codes(threshold)?), Side::Right));
        }
        if threshold.is_nan() {
            return Err("the threshold is not a number".into());
        }
        let default = if kind & 2 == 2 {
            Side::Left
        } else {
            Side::Right
        };
        let threshold = comparable(threshold);
        match kind >> 2 {
            // Missing values are taken for 0.
            0 if threshold >= 0.0 => Ok((Rule::AtMost(threshold), Side::Left)),
            0 => Ok((Rule::AtMost(threshold), Side::Right)),
            1 => Ok((zeros_missing(threshold, default), default)),
            2 => Ok((Rule::AtMost(threshold), default)),
            other => Err(format!("missing type {other} is not known")),
        }
    }

    /// The levels of the set that a categorical split names in place of a threshold.
    fn codes(&self, index: f64) -> Result<Vec<u32>, String> {
        let set = index as usize; // saturates; what is no index is caught by the comparison
        let bounds = (set as f64 == index)
            .then(|| self.set_bounds.get(set..)?.get(..2))
            .flatten();
        let Some(words) = bounds.and_then(|b| self.set_words.get(b[0]..b[1])) else {
            return Err(format!("set {index} of levels does not exist"));
        };
        let mut codes = Vec::new();
        for (i, word) in words.iter().enumerate() {
            let bits = (0..32).filter(|bit| word >> bit & 1 == 1);
            codes.extend(bits.map(|bit| 32 * i as u32 + bit));
        }
        Ok(codes)
    }
}

/// The threshold for `f32`. LightGBM takes what lies within 1e-35 of 0 for 0: such values stay together on the side of 0.
fn comparable(threshold: f64) -> f32 {
    match at_most(threshold) {
        t if !(-ZERO..ZERO).contains(&t) => t,
        t if t >= 0.0 => ZERO,
        _ => (-ZERO).next_down(),
    }
}

/// The comparison of a split whose zeros go where missing values go.
fn zeros_missing(threshold: f32, default: Side) -> Rule {
    match default {
        Side::Left if threshold >= 0.0 => Rule::AtMost(threshold),
        Side::Right if threshold < 0.0 => Rule::AtMost(threshold),
        // Nothing lies between the zeros and the threshold.
        Side::Right if threshold == ZERO => Rule::AtMost((-ZERO).next_down()),
        _ => Rule::ZeroTurned(threshold),
    }
}

/// A line and its number, counted from 1.
struct Line<'a> {
    number: usize,
    text: &'a str,
}

struct Lines<'a> {
    number: usize,
    rest: std::str::Lines<'a>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            number: 0,
            rest: text.lines(),
        }
    }

    fn next_line(&mut self) -> Option<Line<'a>> {
        let text = self.rest.next()?.trim_end();
        self.number += 1;
        let number = self.number;
        Some(Line { number, text })
    }

    /// The next line that is not empty.
    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let line = self.next_line()?;
            if !line.text.is_empty() {
                return Some(line);
            }
        }
    }
}

/// Lines `key=value` up to an empty one.
struct Section<'a> {
    entries: Vec<Entry<'a>>,
    end: usize,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    line: usize,
    key: &'a str,
    value: &'a str,
}

impl<'a> Section<'a> {
    fn read(lines: &mut Lines<'a>) -> Result<Self, String> {
        let mut entries = Vec::new();
        while let Some(line) = lines.next_line() {
            if line.text.is_empty() {
                let end = line.number;
                return Ok(Self { entries, end });
            }
            let (key, value) = line.text.split_once('=').unwrap_or((line.text, ""));
            let line = line.number;
            entries.push(Entry { line, key, value });
        }
        Err(format!(
            "line {}: the text ends within a block: it is truncated",
            lines.number
        ))
    }

    /// Where the block is.
    fn place(&self) -> String {
        let start = self.entries.first().map_or(self.end, |e| e.line);
        format!("lines {start} to {}", self.end)
    }

    fn get(&self, key: &str) -> Result<Entry<'a>, String> {
        let found = self.entries.iter().find(|e| e.key == key);
        found
            .copied()
            .ok_or_else(|| format!("{}: {key} is missing", self.place()))
    }

    fn number<T: FromStr>(&self, key: &str) -> Result<T, String> {
        let entry = self.get(key)?;
        parse_one(entry.value).map_err(|problem| format!("line {}, {key}: {problem}", entry.line))
    }

    /// Exactly `n` numbers.
    fn list<T: FromStr>(&self, key: &str, n: usize) -> Result<Vec<T>, String> {
        let entry = match self.get(key) {
            Err(_) if n == 0 => return Ok(Vec::new()),
            entry => entry?,
        };
        let at = |problem| format!("line {}, {key}: {problem}", entry.line);
        let numbers: Vec<T> = entry
            .value
            .split_whitespace()
            .map(|word| parse_one(word))
            .collect::<Result<_, _>>()
            .map_err(at)?;
        if numbers.len() == n {
            return Ok(numbers);
        }
        Err(at(format!("expected {n} numbers, found {}", numbers.len())))
    }
}

fn parse_one<T: FromStr>(word: &str) -> Result<T, String> {
    word.trim().parse().map_err(|_| {
        let shown: String = word.chars().take(40).collect();
        format!("{shown:?} is not a number of its kind")
    })
}
