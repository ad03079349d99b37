//! Cuts trees into the pieces that the kernel works on: splits, root-to-leaf paths with repeated features merged, and
//! groups of neighbouring leaves that one lookup table serves.

use telseg_core::trees::{NodeView, RuleView, Side, TreeEnsemble};

/// A question of a tree, asked once for each row however many leaves it decides about.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    pub(crate) feature: usize,
    pub(crate) rule: Rule,
    pub(crate) missing_left: bool,
}

/// [`RuleView`], owned.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    AtMost(f32),
    ZeroTurned(f32),
    OneOf(Box<[u64]>),
}

impl Split {
    /// Does a row with this value go left?
    #[inline(always)]
    pub(crate) fn goes_left(&self, x: f32) -> bool {
        if x.is_nan() {
            return self.missing_left;
        }
        match &self.rule {
            Rule::AtMost(threshold) => x <= *threshold,
            Rule::ZeroTurned(threshold) => RuleView::ZeroTurned(*threshold).holds(x),
            Rule::OneOf(bits) => RuleView::OneOf(bits).holds(x),
        }
    }
}

/// What a path needs of one answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ask {
    /// Index of the split within its tree.
    pub(crate) split: u32,
    pub(crate) left: bool,
}

/// One feature on the way to a leaf, with all its splits on that way merged.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) feature: usize,
    /// The part of the cover that goes the leaf's way at this feature's splits (a product when it is repeated).
    pub(crate) follows: f64,
    /// The row goes the leaf's way when all hold.
    pub(crate) asks: Vec<Ask>,
}

/// The way to a leaf, one step for each distinct feature.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) steps: Vec<Step>,
    pub(crate) value: Vec<f64>,
}

/// Neighbouring leaves that share one code of the row: a bit for each feature above them, one for each split between.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Each bit is set when all its asks hold.
    pub(crate) bits: Vec<Vec<Ask>>,
    pub(crate) leaves: std::ops::Range<usize>,
}

/// A tree in pieces. Features are named as in the ensemble.
#[derive(Clone, Debug)]
pub(crate) struct Pieces {
    pub(crate) splits: Vec<Split>,
    pub(crate) leaves: Vec<Path>,
    pub(crate) groups: Vec<Group>,
    /// Leaves whose paths have too many features for a table.
    pub(crate) deep: Vec<usize>,
}

/// Cuts one tree; a group of several leaves has at most `group_bits` bits, a leaf alone at most `leaf_bits`.
pub(crate) fn cut(
    ensemble: &TreeEnsemble,
    tree: usize,
    group_bits: usize,
    leaf_bits: usize,
) -> Pieces {
    let nodes = ensemble.tree_nodes(tree);
    let first = nodes.start;
    let leaves_below = count_leaves(ensemble, tree);
    let mut pieces = Pieces {
        splits: Vec::new(),
        leaves: Vec::new(),
        groups: Vec::new(),
        deep: Vec::new(),
    };
    // Depth first, left before right: the leaves below a node are a range.
    let mut stack: Vec<(usize, Vec<Step>, Option<usize>)> = vec![(first, Vec::new(), None)];
    while let Some((node, steps, mut open)) = stack.pop() {
        let below = leaves_below[node - first];
        if open.is_none() {
            let bits = steps.len() + below - 1;
            if bits <= group_bits || (below == 1 && bits <= leaf_bits) {
                let start = pieces.leaves.len();
                open = Some(pieces.groups.len());
                pieces.groups.push(Group {
                    bits: steps.iter().map(|s| s.asks.clone()).collect(),
                    leaves: start..start + below,
                });
            }
        }
        match ensemble.node(tree, node) {
            NodeView::Leaf(value) => {
                if open.is_none() {
                    pieces.deep.push(pieces.leaves.len());
                }
                pieces.leaves.push(Path {
                    steps,
                    value: value.to_vec(),
                });
            }
            NodeView::Split {
                feature,
                rule,
                missing,
                left,
                right,
            } => {
                let split = pieces.splits.len() as u32;
                if let Some(group) = open {
                    pieces.groups[group]
                        .bits
                        .push(vec![Ask { split, left: true }]);
                }
                pieces.splits.push(Split {
                    feature,
                    rule: match rule {
                        RuleView::AtMost(threshold) => Rule::AtMost(threshold),
                        RuleView::ZeroTurned(threshold) => Rule::ZeroTurned(threshold),
                        RuleView::OneOf(bits) => Rule::OneOf(bits.into()),
                    },
                    missing_left: missing == Side::Left,
                });
                let share = left_share(ensemble.cover(left), ensemble.cover(right));
                let way = |ask: Ask, part: f64| with_step(&steps, feature, ask, part);
                let to_right = way(Ask { split, left: false }, 1.0 - share);
                let to_left = way(Ask { split, left: true }, share);
                stack.push((right, to_right, open));
                stack.push((left, to_left, open));
            }
        }
    }
    pieces
}

/// Children share their parent's cover in proportion to their own; where nothing was covered, in halves.
pub(crate) fn left_share(left: f64, right: f64) -> f64 {
    if left + right > 0.0 {
        left / (left + right)
    } else {
        0.5
    }
}

fn with_step(steps: &[Step], feature: usize, ask: Ask, part: f64) -> Vec<Step> {
    let mut steps = steps.to_vec();
    match steps.iter_mut().find(|s| s.feature == feature) {
        Some(step) => {
            step.follows *= part;
            step.asks.push(ask);
        }
        None => steps.push(Step {
            feature,
            follows: part,
            asks: vec![ask],
        }),
    }
    steps
}

fn count_leaves(ensemble: &TreeEnsemble, tree: usize) -> Vec<usize> {
    let nodes = ensemble.tree_nodes(tree);
    let mut below = vec![1usize; nodes.len()];
    for node in nodes.clone().rev() {
        if let NodeView::Split { left, right, .. } = ensemble.node(tree, node) {
            below[node - nodes.start] = below[left - nodes.start] + below[right - nodes.start];
        }
    }
    below
}
