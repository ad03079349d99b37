//! The walk of rows through the trees.

use std::hint::select_unpredictable;

use ndarray::{ArrayRef1, ArrayRef2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use super::score::Scorer;
use super::{CATEGORICAL, Cell, FEATURE, MISSING_LEFT, TreeEnsemble, ZERO_TURNED};
use super::{in_set, zero_turned};
use crate::{Error, Result};

/// Rows that are walked through one tree before the next is taken: the tree stays in L1.
const BLOCK: usize = 256;
/// Rows that are worth making the ensemble ready for, and that one task scores then.
const MANY: usize = 1024;
/// Walks that go side by side: while one waits for its node to be loaded, the others take their steps.
const ABREAST: usize = 8;

impl TreeEnsemble {
    /// The index of the node that ends a row's walk through a tree.
    pub fn leaf(&self, tree: usize, row: &[f32]) -> usize {
        let mut node = self.roots[tree] as usize;
        while self.nodes[node].left != 0 {
            node = self.step(self.nodes[node], row) as usize;
        }
        node
    }

    /// Scores of one row, written to `out`; allocates nothing.
    ///
    /// # Errors
    /// When the row or `out` has the wrong length.
    pub fn predict_row_into(&self, row: &[f32], out: &mut [f64]) -> Result<()> {
        self.check_width(row.len())?;
        if out.len() != self.n_outputs() {
            return Err(Error::shape(
                "out",
                format!("{} outputs", self.n_outputs()),
                out.len().to_string(),
            ));
        }
        out.copy_from_slice(&self.base);
        for first in (0..self.n_trees()).step_by(ABREAST) {
            // The last trees are few: the walks that are left over repeat the last one's.
            let tree = |lane: usize| (first + lane).min(self.n_trees() - 1);
            let ends = self.walk(std::array::from_fn(|lane| self.roots[tree(lane)]), |_| row);
            for (tree, end) in (first..self.n_trees()).zip(ends) {
                self.add_leaf(tree, end, out);
            }
        }
        Ok(())
    }

    /// Scores of all rows, in parallel; the same bits as row by row.
    ///
    /// # Shapes
    /// `x`: rows by [`n_features`](Self::n_features); returns rows by [`n_outputs`](Self::n_outputs).
    ///
    /// # Errors
    /// When `x` has the wrong width.
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<ndarray::Array2<f64>> {
        let mut out = ndarray::Array2::zeros((x.nrows(), self.n_outputs()));
        self.predict_into(x, &mut out)?;
        Ok(out)
    }

    /// Scores of all rows, written to `out` (rows by outputs).
    ///
    /// # Errors
    /// When `x` or `out` has the wrong shape.
    pub fn predict_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef2<f64>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.dim() != (x.nrows(), self.n_outputs()) {
            let expected = format!("{} rows by {} outputs", x.nrows(), self.n_outputs());
            return Err(Error::shape("out", expected, format!("{:?}", out.dim())));
        }
        let scorer = (x.nrows() >= MANY).then(|| Scorer::new(self)).flatten();
        let block = if scorer.is_some() { MANY } else { BLOCK };
        let rows = x.axis_chunks_iter(Axis(0), block);
        let parts = out.axis_chunks_iter_mut(Axis(0), block);
        rows.zip(parts)
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(|(x, out)| match &scorer {
                Some(scorer) => scorer.score(&x, out),
                None => self.predict_block(&x, out),
            });
        Ok(())
    }

    fn predict_block(&self, x: &ArrayRef2<f32>, mut out: ArrayViewMut2<'_, f64>) {
        let k = self.n_outputs();
        let owned = x.as_standard_layout();
        let rows = owned.as_slice().expect("invariant: standard layout");
        let row = |i: usize| &rows[i * self.n_features..][..self.n_features];
        let mut scores = self.base.repeat(x.nrows());
        for tree in 0..self.n_trees() {
            for (strip, scores) in scores.chunks_mut(ABREAST * k).enumerate() {
                let n = scores.len() / k;
                let abreast: [&[f32]; ABREAST] =
                    std::array::from_fn(|lane| row(strip * ABREAST + lane.min(n - 1)));
                let ends = self.walk([self.roots[tree]; ABREAST], |lane| abreast[lane]);
                for (score, end) in scores.chunks_exact_mut(k).zip(ends) {
                    self.add_leaf(tree, end, score);
                }
            }
        }
        out.iter_mut().zip(scores).for_each(|(o, s)| *o = s);
    }

    /// The leaves that end the walks from given nodes, each with a row of its own.
    ///
    /// Nothing branches on what a row holds, except on levels: a walk that has ended stays where it is until all have.
    #[inline(always)]
    fn walk<'r>(&self, mut at: [u32; ABREAST], row: impl Fn(usize) -> &'r [f32]) -> [u32; ABREAST] {
        if self.n_features == 0 {
            return at; // all trees are leaves, and there is no column to ask
        }
        loop {
            let mut inner = 0;
            for (lane, at) in at.iter_mut().enumerate() {
                let cell = self.nodes[*at as usize];
                inner |= cell.left;
                // A leaf asks column 0, in vain.
                let next = self.step(cell, row(lane));
                *at = select_unpredictable(cell.left == 0, *at, next);
            }
            if inner == 0 {
                return at;
            }
        }
    }

    /// Adds what a leaf of a tree holds.
    #[inline(always)]
    fn add_leaf(&self, tree: usize, leaf: u32, out: &mut [f64]) {
        let start = self.nodes[leaf as usize].right as usize;
        match self.outputs[tree] {
            Some(output) => out[output as usize] += self.values[start],
            None => out
                .iter_mut()
                .zip(&self.values[start..])
                .for_each(|(o, v)| *o += v),
        }
    }

    #[inline(always)]
    fn step(&self, cell: Cell, row: &[f32]) -> u32 {
        let x = row[(cell.feature & FEATURE) as usize];
        let missing_left = x.is_nan() & (cell.feature & MISSING_LEFT != 0);
        let holds = if cell.feature & (CATEGORICAL | ZERO_TURNED) != 0 {
            self.holds_otherwise(cell, x)
        } else {
            x <= f32::from_bits(cell.split) // not of NaN
        };
        select_unpredictable(holds | missing_left, cell.left, cell.right)
    }

    /// The answer to a question that is no plain comparison; no for NaN.
    #[inline(always)]
    fn holds_otherwise(&self, cell: Cell, x: f32) -> bool {
        if cell.feature & CATEGORICAL != 0 {
            !x.is_nan() && in_set(self.set(cell.split), x)
        } else {
            zero_turned(f32::from_bits(cell.split), x)
        }
    }
}

impl crate::Predict<ArrayRef2<f32>> for TreeEnsemble {
    type Output = ndarray::Array2<f64>;

    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Self::Output> {
        TreeEnsemble::predict(self, x)
    }
}

/// A row as a slice: borrowed where it is contiguous, copied where it is not.
pub fn row_slice<'a>(row: &'a ArrayRef1<f32>, buffer: &'a mut Vec<f32>) -> &'a [f32] {
    match row.as_slice() {
        Some(slice) => slice,
        None => {
            buffer.clear();
            buffer.extend(row.iter());
            buffer
        }
    }
}
