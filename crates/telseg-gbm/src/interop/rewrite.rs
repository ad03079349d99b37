//! Questions that a format cannot ask, asked in several steps.
//!
//! Two of our rules have no counterpart everywhere: a set of levels that missing values go left with, and a comparison
//! that zero goes against. Both become a comparison before the question, and the side that is reached by two ways is
//! written twice. What a way has found out about a column is remembered, so that it is not asked again below.

use telseg_core::trees::{Node, Rule, Side};

/// Most nodes that a tree may grow to.
const MOST_NODES: usize = 1 << 20;
/// Zero, for a comparison that it goes against.
const ZERO: f32 = 1e-35;

/// What the format can ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ability {
    /// Sets of levels that a missing value goes left with.
    pub(super) levels_with_missing: bool,
    /// Comparisons that zero goes against, when missing values go with zero.
    pub(super) zero_turned: bool,
}

/// What is known about a column on the way to a node.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fact {
    Missing,
    Present,
    Zero,
}

type Facts = Vec<(usize, Fact)>;

/// A place of the new tree that is to be filled: what it does, what is known there, and whose child it is.
type Open = (Step, Facts, Option<(usize, Side)>);

/// The same tree in questions that the format can ask.
///
/// # Errors
/// When the tree would have more than [`MOST_NODES`] nodes.
pub(super) fn rewrite(nodes: &[Node], ability: Ability) -> Result<Vec<Node>, String> {
    let mut out: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut stack: Vec<Open> = vec![(Step::Node(0), vec![], None)];
    while let Some((step, facts, parent)) = stack.pop() {
        if out.len() == MOST_NODES {
            return Err(format!(
                "it needs more than {MOST_NODES} nodes in this format, which cannot ask its questions at once"
            ));
        }
        let place = out.len();
        if let Some((parent, side)) = parent
            && let Node::Split { left, right, .. } = &mut out[parent]
        {
            *if side == Side::Left { left } else { right } = place;
        }
        let asked = ask(nodes, step, &facts, ability);
        out.push(asked.node);
        for (side, step, fact) in asked.below {
            let mut facts = facts.clone();
            facts.extend(fact);
            stack.push((step, facts, Some((place, side))));
        }
    }
    Ok(out)
}

/// What a place of the new tree does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// What this node of the old tree does.
    Node(usize),
    /// The comparison of a node that zero goes against: the zeros are dealt with elsewhere.
    Compare(usize),
    /// Tells the zeros of such a node from what lies beyond them.
    Zeros(usize),
}

/// A child: its side, what it does, and what is learnt on the way to it.
type Below = (Side, Step, Option<(usize, Fact)>);

/// A node of the new tree.
struct Asked {
    node: Node,
    /// Its children, right first, so that the left side is written first.
    below: Vec<Below>,
}

impl Asked {
    fn plain(node: Node, left: usize, right: usize) -> Self {
        let below = vec![
            (Side::Right, Step::Node(right), None),
            (Side::Left, Step::Node(left), None),
        ];
        Self { node, below }
    }
}

fn ask(nodes: &[Node], step: Step, facts: &[(usize, Fact)], ability: Ability) -> Asked {
    let (Step::Node(mut at) | Step::Compare(mut at) | Step::Zeros(mut at)) = step;
    loop {
        let node = &nodes[at];
        let Node::Split {
            feature,
            rule,
            missing,
            left,
            right,
            cover,
        } = node
        else {
            let (node, below) = (node.clone(), Vec::new());
            return Asked { node, below };
        };
        let has = |fact| facts.contains(&(*feature, fact));
        let to = |side: Side| if side == Side::Left { *left } else { *right };
        if has(Fact::Missing) {
            at = to(*missing);
            continue;
        }
        if has(Fact::Zero) {
            at = to(zero_side(rule));
            continue;
        }
        let question = |rule: Rule, missing: Side| Node::Split {
            feature: *feature,
            rule,
            missing,
            left: 0,
            right: 0,
            cover: *cover,
        };
        let hard_levels = matches!(rule, Rule::OneOf(_))
            && *missing == Side::Left
            && !ability.levels_with_missing;
        return match rule {
            Rule::OneOf(_) if hard_levels && has(Fact::Present) => {
                Asked::plain(question(rule.clone(), Side::Right), *left, *right)
            }
            Rule::OneOf(_) if hard_levels => Asked {
                node: question(Rule::AtMost(f32::INFINITY), Side::Right),
                below: vec![
                    (
                        Side::Right,
                        Step::Node(*left),
                        Some((*feature, Fact::Missing)),
                    ),
                    (Side::Left, Step::Node(at), Some((*feature, Fact::Present))),
                ],
            },
            Rule::ZeroTurned(threshold)
                if !(ability.zero_turned && zero_side(rule) == *missing) =>
            {
                let sides = [*left, *right];
                zero_against(
                    (at, *threshold, step),
                    (*missing, sides),
                    *feature,
                    question,
                )
            }
            _ => Asked::plain(node.clone(), *left, *right),
        };
    }
}

/// Where a zero goes.
fn zero_side(rule: &Rule) -> Side {
    let left = match rule {
        Rule::AtMost(threshold) => 0.0 <= *threshold,
        Rule::ZeroTurned(threshold) => 0.0 > *threshold,
        Rule::OneOf(codes) => codes.contains(&0),
    };
    if left { Side::Left } else { Side::Right }
}

/// `x <= t` with the zeros on the other side, in three comparisons: of the side where `t` lies, the zeros, and both.
///
/// Missing values go with `t`'s side, whose comparison then sends them where they belong.
fn zero_against(
    (at, threshold, step): (usize, f32, Step),
    (missing, [left, right]): (Side, [usize; 2]),
    feature: usize,
    question: impl Fn(Rule, Side) -> Node,
) -> Asked {
    let (below_zeros, zeros) = (Rule::AtMost((-ZERO).next_down()), Rule::AtMost(ZERO));
    let zero = Some((feature, Fact::Zero));
    match (step, threshold >= 0.0) {
        (Step::Compare(_), _) => {
            Asked::plain(question(Rule::AtMost(threshold), missing), left, right)
        }
        (Step::Node(_), true) => Asked {
            node: question(zeros, Side::Right),
            below: vec![
                (Side::Right, Step::Compare(at), None),
                (Side::Left, Step::Zeros(at), None),
            ],
        },
        (Step::Node(_), false) => Asked {
            node: question(below_zeros, Side::Left),
            below: vec![
                (Side::Right, Step::Zeros(at), None),
                (Side::Left, Step::Compare(at), None),
            ],
        },
        (Step::Zeros(_), true) => Asked {
            node: question(below_zeros, missing),
            below: vec![
                (Side::Right, Step::Node(right), zero),
                (Side::Left, Step::Node(left), None),
            ],
        },
        (Step::Zeros(_), false) => Asked {
            node: question(zeros, missing),
            below: vec![
                (Side::Right, Step::Node(right), None),
                (Side::Left, Step::Node(left), zero),
            ],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::trees::{Tree, TreeEnsemble};

    const NOTHING: Ability = Ability {
        levels_with_missing: false,
        zero_turned: false,
    };

    fn split(rule: Rule, missing: Side, left: usize, right: usize) -> Node {
        Node::Split {
            feature: 0,
            rule,
            missing,
            left,
            right,
            cover: 1.0,
        }
    }

    fn ends(mut nodes: Vec<Node>) -> Vec<Node> {
        let n = nodes.len();
        nodes.extend((0..=n).map(|i| Node::Leaf {
            value: vec![(i + 1) as f64],
            cover: 1.0,
        }));
        nodes
    }

    /// What the trees say of many values, NaN and zeros among them.
    fn says(nodes: Vec<Node>) -> Vec<f64> {
        let output = Some(0);
        let e = TreeEnsemble::new(1, vec![0.0], vec![Tree { nodes, output }]).unwrap();
        let values = [
            f32::NAN,
            0.0,
            -0.0,
            1e-35,
            -1e-35,
            1e-34,
            -1e-34,
            1.0,
            -1.0,
            3.0,
            70.0,
        ];
        let x = ndarray::Array2::from_shape_fn((11, 1), |(i, _)| values[i]);
        e.predict(&x).unwrap().column(0).to_vec()
    }

    #[test]
    fn what_cannot_be_asked_at_once_is_asked_in_steps() {
        let levels = || Rule::OneOf(vec![1, 70]);
        for missing in [Side::Left, Side::Right] {
            let mut trees = vec![ends(vec![split(levels(), missing, 1, 2)])];
            for threshold in [-1.0, -1e-34, 0.0, 1e-35, -1e-35, 0.5, 3.0] {
                trees.push(ends(vec![split(
                    Rule::ZeroTurned(threshold),
                    missing,
                    1,
                    2,
                )]));
                // Questions about the same column below, on both sides.
                trees.push(ends(vec![
                    split(Rule::ZeroTurned(threshold), missing, 1, 2),
                    split(levels(), Side::Left, 3, 4),
                    split(Rule::ZeroTurned(1.0), Side::Left, 5, 6),
                ]));
            }
            for nodes in trees {
                let simple = rewrite(&nodes, NOTHING).unwrap();
                for node in &simple {
                    if let Node::Split { rule, missing, .. } = node {
                        assert!(!matches!(rule, Rule::ZeroTurned(_)));
                        assert!(matches!(rule, Rule::AtMost(_)) || *missing == Side::Right);
                    }
                }
                assert_eq!(says(simple), says(nodes.clone()), "{nodes:?}");
            }
        }
    }

    #[test]
    fn what_can_be_asked_stays_and_what_grows_too_large_is_refused() {
        let able = Ability {
            levels_with_missing: true,
            zero_turned: true,
        };
        let nodes = ends(vec![split(Rule::ZeroTurned(1.0), Side::Right, 1, 2)]);
        assert_eq!(rewrite(&nodes, able).unwrap(), nodes);
        let nodes = ends(vec![split(Rule::OneOf(vec![3]), Side::Left, 1, 2)]);
        assert_eq!(rewrite(&nodes, able).unwrap(), nodes);
        // 30 columns, each asked on both ways of the one before: every level doubles the tree.
        let mut chain = Vec::new();
        for feature in 0..30 {
            let at = 2 * feature;
            chain.push(Node::Split {
                feature,
                rule: Rule::OneOf(vec![3]),
                missing: Side::Left,
                left: at + 2,
                right: at + 1,
                cover: 1.0,
            });
            chain.push(Node::Leaf {
                value: vec![0.0],
                cover: 1.0,
            });
        }
        chain.push(chain[1].clone());
        assert!(rewrite(&chain, able).is_ok());
        let error = rewrite(&chain, NOTHING).unwrap_err();
        assert!(
            error.starts_with("it needs more than 1048576 nodes"),
            "{error}"
        );
    }
}
