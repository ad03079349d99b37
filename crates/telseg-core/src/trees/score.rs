//! Many rows at once: every question of a tree is asked of 64 rows side by side, and no walk waits for a load or a branch.
//!
//! Rows are binned by the thresholds that the ensemble asks of each column, a byte a cell. A tree's leaves are numbered
//! from left to right, a bit each; a question that a row answers with no clears the leaves of the left child, and the
//! lowest bit that is left is the row's leaf.
//!
//! # References
//! C. Lucchese et al. (2015), "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression
//! trees", SIGIR, for the bits; where it visits the false nodes of one row column by column, ours asks all nodes of all
//! 64 rows, as T. Ye et al. (2018), "RapidScorer", KDD, does by other means.

use ndarray::{ArrayRef2, ArrayViewMut2, s};

use super::{CATEGORICAL, Cell, FEATURE, MISSING_LEFT, TreeEnsemble, ZERO_TURNED};
use crate::kernel::{CutTable, Level, dispatch};

/// Rows side by side.
const LANES: usize = 64;

/// An ensemble made ready for many rows.
#[derive(Debug)]
pub(super) struct Scorer<'a> {
    ensemble: &'a TreeEnsemble,
    /// Columns that are asked, with their cuts.
    columns: Vec<(usize, CutTable)>,
    questions: Vec<Question>,
    trees: Vec<ScorerTree>,
    values: Vec<f64>,
}

#[derive(Debug)]
struct ScorerTree {
    questions: std::ops::Range<usize>,
    /// Where its leaf values start.
    values: usize,
    output: usize,
}

/// No, when `bin - skip > most`; skipping 1 turns the bin of missing values, 0, into the highest one.
#[derive(Clone, Copy, Debug)]
struct Question {
    /// Leaves that are left when the answer is no.
    no: u64,
    /// Index into the scorer's columns.
    column: u32,
    skip: u8,
    most: u8,
}

impl<'a> Scorer<'a> {
    /// `None` when a tree has more than 64 leaves, asks for a level or about zero, or adds to several outputs, or when a column is asked
    /// for more thresholds than bytes can tell apart.
    pub(super) fn new(ensemble: &'a TreeEnsemble) -> Option<Self> {
        let mut cuts: Vec<Vec<f32>> = vec![Vec::new(); ensemble.n_features];
        for cell in ensemble.nodes.iter().filter(|c| c.left != 0) {
            if cell.feature & (CATEGORICAL | ZERO_TURNED) != 0 {
                return None;
            }
            cuts[(cell.feature & FEATURE) as usize].push(f32::from_bits(cell.split));
        }
        let mut at = vec![0u32; cuts.len()];
        let mut columns = Vec::new();
        for (feature, cuts) in cuts.iter_mut().enumerate() {
            cuts.sort_by(f32::total_cmp);
            cuts.dedup_by(|a, b| a == b);
            if cuts.iter().filter(|c| **c < f32::INFINITY).count() > 254 {
                return None;
            }
            at[feature] = columns.len() as u32;
            if !cuts.is_empty() {
                columns.push((feature, CutTable::new(cuts)));
            }
        }
        let mut scorer = Self {
            ensemble,
            columns,
            questions: Vec::new(),
            trees: Vec::with_capacity(ensemble.n_trees()),
            values: Vec::new(),
        };
        for tree in 0..ensemble.n_trees() {
            let start = scorer.questions.len();
            let values = scorer.values.len();
            let output = ensemble.outputs[tree]? as usize;
            if ensemble.tree_nodes(tree).len() > 2 * 64 - 1 {
                return None;
            }
            scorer.push(ensemble.roots[tree] as usize, values, (&cuts, &at))?;
            scorer.trees.push(ScorerTree {
                questions: start..scorer.questions.len(),
                values,
                output,
            });
        }
        Some(scorer)
    }

    /// Adds the nodes of a subtree; its leaves are numbered from those that are there already.
    fn push(&mut self, node: usize, first: usize, columns: (&[Vec<f32>], &[u32])) -> Option<()> {
        let cell: Cell = self.ensemble.nodes[node];
        if cell.left == 0 {
            self.values.push(self.ensemble.values[cell.right as usize]);
            return Some(());
        }
        let feature = (cell.feature & FEATURE) as usize;
        let threshold = f32::from_bits(cell.split);
        let below = columns.0[feature]
            .iter()
            .filter(|c| **c < threshold)
            .count() as u8;
        let (skip, most) = match cell.feature & MISSING_LEFT {
            0 => (1, below),
            _ => (0, below + 1),
        };
        let place = self.questions.len();
        self.questions.push(Question {
            no: 0,
            column: columns.1[feature],
            skip,
            most,
        });
        let start = self.values.len() - first;
        self.push(cell.left as usize, first, columns)?;
        let end = self.values.len() - first;
        self.questions[place].no = !((u64::MAX >> (64 - (end - start))) << start);
        self.push(cell.right as usize, first, columns)
    }

    /// Scores of a block of rows, the same bits as row by row.
    pub(super) fn score(&self, x: &ArrayRef2<f32>, mut out: ArrayViewMut2<'_, f64>) {
        let base = self.ensemble.base();
        let mut bins = vec![[0u8; LANES]; self.columns.len()];
        let mut scores = vec![[0.0f64; LANES]; base.len()];
        for start in (0..x.nrows()).step_by(LANES) {
            let n = LANES.min(x.nrows() - start);
            for ((feature, table), bins) in self.columns.iter().zip(&mut bins) {
                let mut values = [0.0f32; LANES];
                let column = x.slice(s![start..start + n, *feature]);
                values.iter_mut().zip(column).for_each(|(v, &x)| *v = x);
                table.bin_all(&values, bins);
            }
            scores.iter_mut().zip(base).for_each(|(s, b)| s.fill(*b));
            for tree in &self.trees {
                let mut leaves = [u64::MAX; LANES];
                ask_all(&self.questions[tree.questions.clone()], &bins, &mut leaves);
                let values = &self.values[tree.values..];
                let scores = scores[tree.output].iter_mut().zip(&leaves);
                scores.for_each(|(s, l)| *s += values[l.trailing_zeros() as usize]);
            }
            for (output, scores) in scores.iter().enumerate() {
                let column = out.slice_mut(s![start..start + n, output]);
                column.into_iter().zip(scores).for_each(|(o, s)| *o = *s);
            }
        }
    }
}

fn ask_all(questions: &[Question], bins: &[[u8; LANES]], leaves: &mut [u64; LANES]) {
    dispatch!(Level::best(), ask, ask, ask;
        (questions: &[Question], bins: &[[u8; LANES]], leaves: &mut [u64; LANES]) -> ())
}

#[inline(always)]
fn ask(questions: &[Question], bins: &[[u8; LANES]], leaves: &mut [u64; LANES]) {
    for question in questions {
        let bins = &bins[question.column as usize];
        for (leaves, bin) in leaves.iter_mut().zip(bins) {
            let no = bin.wrapping_sub(question.skip) > question.most;
            // Not a choice: the compiler would load `question.no` again in every lane that needs it.
            *leaves &= question.no | u64::from(no).wrapping_sub(1);
        }
    }
}
