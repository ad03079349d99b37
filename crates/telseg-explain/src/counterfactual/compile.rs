//! The trees as they look from one row: questions about columns that cannot change are answered, the rest are asked of
//! cells and options.

use telseg_core::trees::{self, NodeView, RuleView, TreeEnsemble};

use super::space::{Dimension, Side, cell};

/// The largest number that counts as zero, and the largest below all that do ([`RuleView::ZeroTurned`]).
pub(super) const ZERO: f32 = 1e-35;
pub(super) const BELOW_ZERO: f32 = (-ZERO).next_down();

/// A node of a tree that only asks what may change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    /// A leaf.
    Leaf(f64),
    /// Cells up to `last` go left.
    Cell {
        dimension: u32,
        last: u32,
        left: u32,
        right: u32,
    },
    /// Options with their bit set go left.
    Option {
        dimension: u32,
        bits: u128,
        left: u32,
        right: u32,
    },
}

/// All trees of one output for one row; scores are negated where more is wanted, so that less is always better.
#[derive(Debug)]
pub(super) struct Compiled {
    nodes: Vec<Ask>,
    roots: Vec<u32>,
    /// What every row starts from.
    base: f64,
}

impl Compiled {
    pub(super) fn new(
        model: &TreeEnsemble,
        output: usize,
        sign: f64,
        row: &[f32],
        dimensions: &[Dimension],
        of: &[Option<usize>],
    ) -> Self {
        let mut compiled = Self {
            nodes: Vec::new(),
            roots: Vec::new(),
            base: sign * model.base()[output],
        };
        let mut builder = Builder {
            model,
            sign,
            row,
            dimensions,
            of,
            nodes: Vec::new(),
            tree: 0,
            leaf: 0,
        };
        for tree in 0..model.n_trees() {
            builder.leaf = match model.tree_output(tree) {
                Some(of) if of == output => 0,
                Some(_) => continue,
                None => output,
            };
            builder.tree = tree;
            // Trees that ask nothing stay, too: sums in the same order are the same bits as the model's.
            let root = builder.build(model.tree_nodes(tree).start);
            compiled.roots.push(root);
        }
        compiled.nodes = builder.nodes;
        compiled
    }

    /// A lower bound of the score in a box: the sum of the best leaves that each tree can still reach.
    pub(super) fn bound(&self, sides: &[Side]) -> f64 {
        self.roots
            .iter()
            .fold(self.base, |sum, &root| sum + self.best(root, sides))
    }

    /// The score of a point, given as the place in each dimension.
    pub(super) fn score(&self, places: &[u32]) -> f64 {
        self.roots
            .iter()
            .fold(self.base, |sum, &root| sum + self.leaf(root, places))
    }

    fn best(&self, node: u32, sides: &[Side]) -> f64 {
        match self.nodes[node as usize] {
            Ask::Leaf(value) => value,
            ask => {
                let (left, right, to_left, to_right) = reach(ask, sides);
                match (to_left, to_right) {
                    (true, true) => self.best(left, sides).min(self.best(right, sides)),
                    (true, false) => self.best(left, sides),
                    _ => self.best(right, sides),
                }
            }
        }
    }

    fn leaf(&self, mut node: u32, places: &[u32]) -> f64 {
        loop {
            match self.nodes[node as usize] {
                Ask::Leaf(value) => return value,
                ask => node = step(ask, places),
            }
        }
    }

    /// The question that separates a point from the best leaf of the tree that has most to gain in a box.
    pub(super) fn separating(&self, sides: &[Side], places: &[u32]) -> Option<Ask> {
        let gain = |root: u32| self.leaf(root, places) - self.best(root, sides);
        let mut most = (0.0, None);
        for &root in &self.roots {
            let gain = gain(root);
            if gain > most.0 {
                most = (gain, Some(root));
            }
        }
        let mut node = most.1?;
        loop {
            let ask = self.nodes[node as usize];
            if matches!(ask, Ask::Leaf(_)) {
                return None;
            }
            let (left, right, to_left, to_right) = reach(ask, sides);
            let near = step(ask, places);
            let far = if near == left { right } else { left };
            if to_left && to_right && self.best(far, sides) < self.best(near, sides) {
                return Some(ask);
            }
            node = near;
        }
    }
}

/// Children, and whether a box reaches each.
fn reach(ask: Ask, sides: &[Side]) -> (u32, u32, bool, bool) {
    match ask {
        Ask::Leaf(_) => (0, 0, false, false),
        Ask::Cell {
            dimension,
            last,
            left,
            right,
        } => match sides[dimension as usize] {
            Side::Cells(low, high) => (left, right, low <= last, high > last),
            Side::Options(_) => (left, right, true, true),
        },
        Ask::Option {
            dimension,
            bits,
            left,
            right,
        } => match sides[dimension as usize] {
            Side::Options(own) => (left, right, own & bits != 0, own & !bits != 0),
            Side::Cells(..) => (left, right, true, true),
        },
    }
}

/// The child that a point goes to.
fn step(ask: Ask, places: &[u32]) -> u32 {
    match ask {
        Ask::Leaf(_) => 0,
        Ask::Cell {
            dimension,
            last,
            left,
            right,
        } => {
            if places[dimension as usize] <= last {
                left
            } else {
                right
            }
        }
        Ask::Option {
            dimension,
            bits,
            left,
            right,
        } => {
            if bits >> places[dimension as usize] & 1 == 1 {
                left
            } else {
                right
            }
        }
    }
}

struct Builder<'a> {
    model: &'a TreeEnsemble,
    sign: f64,
    row: &'a [f32],
    dimensions: &'a [Dimension],
    of: &'a [Option<usize>],
    nodes: Vec<Ask>,
    tree: usize,
    leaf: usize,
}

impl Builder<'_> {
    /// The place of a node, or of the only one below it that matters.
    fn build(&mut self, node: usize) -> u32 {
        match self.model.node(self.tree, node) {
            NodeView::Leaf(values) => self.push(Ask::Leaf(self.sign * values[self.leaf])),
            NodeView::Split {
                feature,
                rule,
                missing,
                left,
                right,
            } => {
                let Some(dimension) = self.of[feature] else {
                    let goes_left = answer(rule, missing, self.row[feature]);
                    return self.build(if goes_left { left } else { right });
                };
                let (left, right) = (self.build(left), self.build(right));
                let ask = match (&self.dimensions[dimension], rule) {
                    (Dimension::Cells { cuts, .. }, RuleView::ZeroTurned(threshold)) => {
                        self.zero_turned(dimension, cuts, threshold, left, right)
                    }
                    _ => self.ask(dimension, feature, rule, missing, left, right),
                };
                self.push(ask)
            }
        }
    }

    fn ask(
        &self,
        dimension: usize,
        feature: usize,
        rule: RuleView<'_>,
        missing: trees::Side,
        left: u32,
        right: u32,
    ) -> Ask {
        let place = dimension as u32;
        match (&self.dimensions[dimension], rule) {
            (Dimension::Cells { cuts, .. }, RuleView::AtMost(threshold)) => Ask::Cell {
                dimension: place,
                last: cell(cuts, threshold),
                left,
                right,
            },
            (
                Dimension::Options {
                    features, values, ..
                },
                rule,
            ) => {
                let at = features.iter().position(|f| *f == feature).unwrap_or(0);
                let mut bits = 0u128;
                for (i, option) in values.iter().enumerate() {
                    bits |= u128::from(answer(rule, missing, option[at])) << i;
                }
                Ask::Option {
                    dimension: place,
                    bits,
                    left,
                    right,
                }
            }
            // A column of quantities that is asked for a level has levels, see `Counterfactuals::new`.
            (Dimension::Cells { own, .. }, rule) => {
                let goes_left = answer(rule, missing, *own);
                self.nodes[if goes_left { left } else { right } as usize]
            }
        }
    }

    /// A comparison that zeros answer the other way, as comparisons.
    fn zero_turned(
        &mut self,
        dimension: usize,
        cuts: &[f32],
        threshold: f32,
        left: u32,
        right: u32,
    ) -> Ask {
        let at_most = |cut: f32, left: u32, right: u32| Ask::Cell {
            dimension: dimension as u32,
            last: cell(cuts, cut),
            left,
            right,
        };
        // Zeros are on the left of the threshold, or on its right; there they part from their neighbours.
        let (zeros, neighbours) = if threshold >= 0.0 {
            (right, left)
        } else {
            (left, right)
        };
        let upper = at_most(ZERO, zeros, neighbours);
        let upper = self.push(upper);
        let around = at_most(BELOW_ZERO, neighbours, upper);
        let around = self.push(around);
        if threshold >= 0.0 {
            at_most(threshold, around, right)
        } else {
            at_most(threshold, left, around)
        }
    }

    fn push(&mut self, ask: Ask) -> u32 {
        self.nodes.push(ask);
        (self.nodes.len() - 1) as u32
    }
}

fn answer(rule: RuleView<'_>, missing: trees::Side, value: f32) -> bool {
    if value.is_nan() {
        missing == trees::Side::Left
    } else {
        rule.holds(value)
    }
}
