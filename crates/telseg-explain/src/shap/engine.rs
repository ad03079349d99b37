//! Trees compiled into tables, and rows sent through them: the part that values and interactions share.

use std::sync::Arc;

use ndarray::{Array1, ArrayRef1, ArrayRef2, ArrayView2, Axis};
use rayon::prelude::*;
use telseg_core::trees::TreeEnsemble;
use telseg_core::{Error, Result};

use super::background::{Background, Shares};
use super::deep::{Deep, Parts, Patterns};
use super::game::{Game, Index, STEPS};
use super::kernel::{self, Block, Compiled};
use super::paths::{Group, Pieces, cut, left_share};
use super::table;

/// Numbers of a block's sums: a block is as many rows as make so many, so that they stay in the cache.
const SUMS: usize = 64 << 10;
/// Rows of a block, at most and at least.
const ROWS: std::ops::RangeInclusive<usize> = 64..=1024;
/// Bits of a code that several leaves share, at most.
const GROUP_BITS: usize = 8;
/// Bits of the code of a leaf alone, at most.
const LEAF_BITS: usize = 10;
/// What all tables may take, in numbers; codes get shorter until they fit.
const TABLE_NUMBERS: usize = 16 << 20;

/// What an attribution replaces unknown features by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Unknown<'a> {
    /// At a split on an unknown feature both ways are taken, in proportion to the covers (Lundberg et al. 2018,
    /// Algorithm 1): what rows like this one usually have there. Needs no data.
    Covers,
    /// The values of these rows, each in turn (interventional values): the question is "why is this row different from
    /// those?". The background may be a sample of all subscribers, or another segment. Rows by features.
    Rows(&'a ArrayRef2<f32>),
    /// As `Rows`, with a weight of at least 0 for each.
    Weighted(&'a ArrayRef2<f32>, &'a ArrayRef1<f64>),
}

/// An ensemble ready for rows.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    n_features: usize,
    expected: Array1<f64>,
    /// The features that some tree asks about, ascending.
    used: Vec<usize>,
    /// What is attributed to: pairs of features, ascending; a feature alone is a pair with itself.
    terms: Vec<(usize, usize)>,
    trees: Vec<Compiled>,
}

impl Engine {
    pub(crate) fn new(
        ensemble: &TreeEnsemble,
        index: Index,
        pairs: bool,
        unknown: Unknown<'_>,
    ) -> Result<Self> {
        ensemble.validate()?;
        let (rows, weights) = match unknown {
            Unknown::Covers => (None, None),
            Unknown::Rows(rows) => (Some(rows), None),
            Unknown::Weighted(rows, weights) => (Some(rows), Some(weights)),
        };
        if let Some(rows) = rows
            && rows.ncols() != ensemble.n_features()
        {
            let expected = format!("{} columns (as the trees)", ensemble.n_features());
            return Err(Error::shape(
                "background",
                expected,
                rows.ncols().to_string(),
            ));
        }
        let sizes = Game::new(index, pairs, 0);
        let mut pieces = fitting_pieces(ensemble, &sizes);
        let leaves = || pieces.iter().flat_map(|p| &p.leaves);
        let longest = leaves().map(|leaf| leaf.steps.len()).max().unwrap_or(0);
        if longest > STEPS && (pairs || rows.is_some()) {
            let problem = format!(
                "a path asks {longest} different features; with background rows or interactions {STEPS} is the most"
            );
            return Err(Error::data("trees", problem));
        }
        let splits = pieces.iter().flat_map(|p| &p.splits);
        let used = distinct(splits.map(|s| s.feature).collect());
        pieces.par_iter_mut().for_each(|p| renumber(p, &used));
        let game = Arc::new(Game::new(index, pairs, longest));
        let terms = distinct(
            pieces
                .par_iter()
                .flat_map_iter(|p| distinct(p.leaves.iter().flat_map(|l| game.terms(l)).collect()))
                .collect(),
        );
        let background = rows
            .map(|rows| Background::new(rows, weights, &used))
            .transpose()?;
        let expected = match (rows, &background) {
            (Some(rows), Some(background)) => {
                let scores = ensemble.predict(rows)?;
                let means = scores.axis_iter(Axis(1));
                means.map(|s| background.mean(s.iter().copied())).collect()
            }
            _ => expected_by_covers(ensemble),
        };
        let maker = Maker {
            game,
            terms: &terms,
            n_outputs: ensemble.n_outputs(),
        };
        let trees = pieces
            .into_par_iter()
            .enumerate()
            .map(|(tree, pieces)| {
                let shares = background.as_ref().map(|b| b.shares(&pieces));
                maker.compile(pieces, ensemble.tree_output(tree), shares)
            })
            .collect();
        Ok(Self {
            n_features: ensemble.n_features(),
            expected,
            terms: terms.iter().map(|&(a, b)| (used[a], used[b])).collect(),
            used,
            trees,
        })
    }

    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.expected.len()
    }

    pub(crate) fn expected(&self) -> &Array1<f64> {
        &self.expected
    }

    /// Pairs of features, the lower first; slot `s` of a row's sums is term `s / outputs` and output `s % outputs`.
    pub(crate) fn terms(&self) -> &[(usize, usize)] {
        &self.terms
    }

    /// Rows that are worked on together.
    pub(crate) fn block(&self) -> usize {
        let slots = self.terms.len() * self.n_outputs();
        (SUMS / slots.max(1)).clamp(*ROWS.start(), *ROWS.end())
    }

    /// The sums of a block of rows: `slots x rows`.
    pub(crate) fn sums(&self, x: ArrayView2<'_, f32>) -> Vec<f64> {
        let rows = x.nrows();
        let slots = self.terms.len() * self.n_outputs();
        let mut block = Block::new(rows, self.used.len(), slots);
        for (column, &feature) in block.columns.chunks_exact_mut(rows).zip(&self.used) {
            let values = column.iter_mut().zip(x.column(feature));
            values.for_each(|(to, from)| *to = *from);
        }
        for tree in &self.trees {
            block.add(tree);
        }
        block.sums
    }

    /// Adds up the sums of one row, slot by slot.
    pub(crate) fn add_row(&self, row: &[f32], mut add: impl FnMut(usize, f64)) {
        for tree in &self.trees {
            kernel::add_row(tree, |feature| row[self.used[feature]], &mut add);
        }
    }

    pub(crate) fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features {
            return Ok(());
        }
        let expected = format!("{} columns (as at fit)", self.n_features);
        Err(Error::shape("x", expected, found.to_string()))
    }

    pub(crate) fn check_output(&self, output: usize) -> Result<()> {
        if output < self.n_outputs() {
            return Ok(());
        }
        let outputs = self.n_outputs();
        let problem = format!("{output} does not exist, the model has {outputs} (counted from 0)");
        Err(Error::param("output", problem))
    }
}

/// The trees in pieces, with codes so short that all tables together stay within bounds.
fn fitting_pieces(ensemble: &TreeEnsemble, game: &Game) -> Vec<Pieces> {
    let (mut group_bits, mut leaf_bits) = (GROUP_BITS, LEAF_BITS);
    loop {
        let pieces: Vec<Pieces> = (0..ensemble.n_trees())
            .into_par_iter()
            .map(|tree| cut(ensemble, tree, group_bits, leaf_bits))
            .collect();
        let numbers: usize = pieces.iter().map(|p| table_numbers(p, game)).sum();
        if numbers <= TABLE_NUMBERS || leaf_bits == 0 {
            return pieces;
        }
        leaf_bits -= 1;
        group_bits = group_bits.min(leaf_bits);
    }
}

/// How many numbers the tables of a tree would hold, at most.
fn table_numbers(pieces: &Pieces, game: &Game) -> usize {
    let width = pieces.leaves.first().map_or(1, |leaf| leaf.value.len());
    let numbers = |bits: usize| (game.entries(bits) * width) << bits;
    pieces.groups.iter().map(|g| numbers(g.bits.len())).sum()
}

fn distinct<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}

/// Names features by their place among those that are used.
fn renumber(pieces: &mut Pieces, used: &[usize]) {
    let local = |feature: usize| {
        used.binary_search(&feature)
            .expect("invariant: `used` holds all features of all splits")
    };
    for split in &mut pieces.splits {
        split.feature = local(split.feature);
    }
    for step in pieces.leaves.iter_mut().flat_map(|leaf| &mut leaf.steps) {
        step.feature = local(step.feature);
    }
}

/// What the trees of an ensemble are compiled with.
struct Maker<'a> {
    game: Arc<Game>,
    terms: &'a [(usize, usize)],
    n_outputs: usize,
}

impl Maker<'_> {
    fn slot(&self, term: (usize, usize), output: usize) -> u32 {
        let place = self.terms.binary_search(&term);
        let place = place.expect("invariant: `terms` holds all terms of all leaves");
        (place * self.n_outputs + output) as u32
    }

    fn compile(&self, pieces: Pieces, output: Option<usize>, shares: Option<Shares>) -> Compiled {
        let outputs: Vec<usize> = match output {
            Some(output) => vec![output],
            None => (0..self.n_outputs).collect(),
        };
        let slot = |term, output| self.slot(term, output);
        let table = |(g, group): (usize, &Group)| {
            let shares = shares.as_ref().map(|s| &s.groups[g][..]);
            table::build(&pieces, group, &self.game, shares, &outputs, slot)
        };
        let tables = pieces.groups.iter().enumerate().map(table).collect();
        let deep = |(d, &leaf): (usize, &usize)| {
            let path = &pieces.leaves[leaf];
            let terms = self.game.terms(path);
            let slots = terms.flat_map(|t| outputs.iter().map(move |&o| slot(t, o)));
            let slots = slots.collect();
            if shares.is_none() && !self.game.pairs() {
                return Deep::Parts(Parts::new(path, slots, &self.game));
            }
            let background = shares.as_ref().map(|s| s.deep[d].clone());
            Deep::Patterns(Patterns::new(path, slots, &self.game, background))
        };
        let deep = pieces.deep.iter().enumerate().map(deep).collect();
        Compiled {
            tables,
            deep,
            splits: pieces.splits,
        }
    }
}

/// What the ensemble is expected to say when nothing is known.
fn expected_by_covers(ensemble: &TreeEnsemble) -> Array1<f64> {
    use telseg_core::trees::NodeView;
    let mut expected = Array1::from(ensemble.base().to_vec());
    for tree in 0..ensemble.n_trees() {
        let nodes = ensemble.tree_nodes(tree);
        let mut reach = vec![0.0; nodes.len()];
        reach[0] = 1.0;
        for node in nodes.clone() {
            let here = reach[node - nodes.start];
            match ensemble.node(tree, node) {
                NodeView::Split { left, right, .. } => {
                    let share = left_share(ensemble.cover(left), ensemble.cover(right));
                    reach[left - nodes.start] = here * share;
                    reach[right - nodes.start] = here * (1.0 - share);
                }
                NodeView::Leaf(values) => match ensemble.tree_output(tree) {
                    Some(output) => expected[output] += here * values[0],
                    None => expected
                        .iter_mut()
                        .zip(values)
                        .for_each(|(e, v)| *e += here * v),
                },
            }
        }
    }
    expected
}
