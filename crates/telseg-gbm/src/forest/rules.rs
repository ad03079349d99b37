//! The leaves of a tree as sentences.

use std::fmt::Write;

use telseg_core::trees::{NodeView, RuleView, Side, TreeEnsemble};
use telseg_core::{Error, Result};

use super::bag::decide;
use super::params::Task;

/// What a way says of one column.
#[derive(Clone, Debug)]
struct Known {
    feature: usize,
    above: Option<f32>,
    at_most: Option<f32>,
    /// Sets of levels that it is in, or is not in.
    sets: Vec<(bool, Vec<usize>)>,
    /// Whether a missing value goes this way.
    missing: bool,
}

/// One sentence a leaf, from left to right.
pub(super) fn sentences<S: AsRef<str>>(
    trees: &TreeEnsemble,
    task: Task,
    names: &[S],
) -> Result<Vec<String>> {
    if names.len() != trees.n_features() {
        let expected = format!("{} names (as columns)", trees.n_features());
        return Err(Error::shape("names", expected, names.len().to_string()));
    }
    let mut sentences = Vec::new();
    let mut open: Vec<(usize, Vec<Known>)> = vec![(0, Vec::new())];
    while let Some((node, way)) = open.pop() {
        match trees.node(0, node) {
            NodeView::Leaf(value) => {
                let mut said: Vec<String> = way
                    .iter()
                    .map(|k| k.text(names[k.feature].as_ref()))
                    .collect();
                if said.is_empty() {
                    said.push("always".into());
                }
                let rows = format!("{} of {}", trees.cover(node), trees.cover(0));
                sentences.push(format!(
                    "{}: {} ({rows})",
                    said.join(" and "),
                    prediction(task, value)
                ));
            }
            NodeView::Split {
                feature,
                rule,
                missing,
                left,
                right,
            } => {
                for (side, child) in [(Side::Right, right), (Side::Left, left)] {
                    let mut way = way.clone();
                    step(&mut way, feature, rule, (side, missing));
                    open.push((child, way));
                }
            }
        }
    }
    Ok(sentences)
}

fn prediction(task: Task, value: &[f64]) -> String {
    let class = decide(task, value);
    match task {
        Task::Regression => format!("{:.4}", value[0]),
        Task::Classification { n_classes: 2 } => {
            let p = if class == 1.0 {
                value[0]
            } else {
                1.0 - value[0]
            };
            format!("class {class} with probability {p:.3}")
        }
        Task::Classification { .. } => {
            format!(
                "class {class} with probability {:.3}",
                value[class as usize]
            )
        }
    }
}

/// Adds one answer to what is known.
fn step(way: &mut Vec<Known>, feature: usize, rule: RuleView<'_>, (side, missing): (Side, Side)) {
    let at = way
        .iter()
        .position(|k| k.feature == feature)
        .unwrap_or_else(|| {
            way.push(Known {
                feature,
                above: None,
                at_most: None,
                sets: Vec::new(),
                missing: true,
            });
            way.len() - 1
        });
    let known = &mut way[at];
    known.missing &= side == missing;
    match rule {
        RuleView::AtMost(t) | RuleView::ZeroTurned(t) => match side {
            Side::Left => known.at_most = Some(known.at_most.map_or(t, |old| old.min(t))),
            Side::Right => known.above = Some(known.above.map_or(t, |old| old.max(t))),
        },
        RuleView::OneOf(bits) => {
            let codes = (0..64 * bits.len()).filter(|c| bits[c / 64] >> (c % 64) & 1 == 1);
            known.sets.push((side == Side::Left, codes.collect()));
        }
    }
}

impl Known {
    fn text(&self, name: &str) -> String {
        let mut text = match (self.above, self.at_most) {
            (Some(t), _) if t == f32::INFINITY => return format!("{name} is missing"),
            (None, Some(t)) if t == f32::INFINITY => format!("{name} is known"),
            (Some(a), Some(t)) if t < f32::INFINITY => format!("{a} < {name} <= {t}"),
            (Some(a), _) => format!("{name} > {a}"),
            (None, Some(t)) => format!("{name} <= {t}"),
            (None, None) => String::new(),
        };
        for (inside, codes) in &self.sets {
            let codes: Vec<String> = codes.iter().map(usize::to_string).collect();
            let word = if *inside { "in" } else { "not in" };
            let and = if text.is_empty() { "" } else { " and " };
            // Writing to a string does not fail.
            let _ = write!(text, "{and}{name} {word} {{{}}}", codes.join(", "));
        }
        if self.missing {
            text.push_str(" (or missing)");
        }
        text
    }
}
