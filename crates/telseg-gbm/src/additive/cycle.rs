//! Cyclic boosting: round by round, one small step of every term on the slopes that the steps before it have left.
//!
//! Bags run side by side, a round at a time; within a bag, rows are summed in order.

use rayon::prelude::*;

use super::EbmParams;
use crate::objective::Slope;

/// Rows of a block whose scores, slopes and cells stay in cache between the three passes over them.
const BLOCK: usize = 1024;
/// Copies of a small histogram, so that rows of one cell in a row do not wait for each other.
const COPIES: usize = 4;
/// Cells up to which a histogram is small.
const SMALL: usize = 512;

/// Sum of gradients and of hessians in one cell.
pub(super) type Sums = [f64; 2];

/// Rows, the cell of each in every term, and their scores so far.
#[derive(Debug)]
pub(super) struct Rows<C> {
    pub(super) cells: Vec<Vec<C>>,
    pub(super) y: Vec<f32>,
    pub(super) weights: Option<Vec<f32>>,
    pub(super) scores: Vec<f64>,
}

/// One bag: the rows that it learns from, those that it is judged by, and how sums of slopes become a step of a term.
#[derive(Debug)]
pub(super) struct Bag<C, S> {
    pub(super) train: Rows<C>,
    pub(super) valid: Rows<C>,
    pub(super) step: S,
}

/// What all bags learnt.
#[derive(Clone, Debug)]
pub(super) struct Boosted {
    /// Bag by bag and term by term, what is added to the score in each cell.
    pub(super) tables: Vec<Vec<Vec<f64>>>,
    /// Rounds that were kept.
    pub(super) rounds: usize,
    /// Mean validation loss of the bags after them; none where there was nothing to learn or to judge by.
    pub(super) loss: Option<f64>,
}

impl<C: Copy + Into<usize>> Rows<C> {
    fn add(&mut self, term: usize, table: &[f64]) {
        for (score, &cell) in self.scores.iter_mut().zip(&self.cells[term]) {
            *score += table[cell.into()];
        }
    }

    /// Mean loss of the rows.
    fn loss(&self, params: &EbmParams, slopes: &mut [Slope]) -> f64 {
        let mut sum = 0.0;
        for from in (0..self.y.len()).step_by(BLOCK) {
            let to = (from + BLOCK).min(self.y.len());
            let weights = self.weights.as_ref().map(|w| &w[from..to]);
            let out = &mut slopes[..to - from];
            let pass =
                params
                    .objective
                    .slopes(&self.scores[from..to], &self.y[from..to], weights, out);
            sum += pass.loss;
        }
        sum / self.total()
    }

    pub(super) fn total(&self) -> f64 {
        match &self.weights {
            Some(weights) => weights.iter().map(|&w| f64::from(w)).sum(),
            None => self.y.len() as f64,
        }
    }

    /// Adds the step of the term before, then sums the slopes of all rows in the cells of `term`.
    fn pass(
        &mut self,
        params: &EbmParams,
        before: Option<(usize, &[f64])>,
        term: usize,
        scratch: &mut Scratch,
    ) {
        let Scratch {
            slopes,
            copies,
            sums,
        } = scratch;
        let size = sums.len();
        let n_copies = if size <= SMALL { COPIES } else { 1 };
        copies.clear();
        copies.resize(size * n_copies, [0.0; 2]);
        for from in (0..self.y.len()).step_by(BLOCK) {
            let to = (from + BLOCK).min(self.y.len());
            let scores = &mut self.scores[from..to];
            if let Some((term, table)) = before {
                for (score, &cell) in scores.iter_mut().zip(&self.cells[term][from..to]) {
                    *score += table[cell.into()];
                }
            }
            let weights = self.weights.as_ref().map(|w| &w[from..to]);
            let slopes = &mut slopes[..to - from];
            params
                .objective
                .slopes(scores, &self.y[from..to], weights, slopes);
            let cells = &self.cells[term][from..to];
            if n_copies == 1 {
                sum_cells(cells, slopes, copies);
            } else {
                sum_cells_apart(cells, slopes, copies, size);
            }
        }
        for (cell, sum) in sums.iter_mut().enumerate() {
            *sum = copies[cell];
            for copy in 1..n_copies {
                let [g, h] = copies[copy * size + cell];
                *sum = [sum[0] + g, sum[1] + h];
            }
        }
    }
}

fn sum_cells<C: Copy + Into<usize>>(cells: &[C], slopes: &[Slope], sums: &mut [Sums]) {
    for (&cell, &[g, h]) in cells.iter().zip(slopes) {
        let sum = &mut sums[cell.into()];
        *sum = [sum[0] + f64::from(g), sum[1] + f64::from(h)];
    }
}

fn sum_cells_apart<C: Copy + Into<usize>>(
    cells: &[C],
    slopes: &[Slope],
    copies: &mut [Sums],
    size: usize,
) {
    let (first, rest) = copies.split_at_mut(size);
    let (second, rest) = rest.split_at_mut(size);
    let (third, fourth) = rest.split_at_mut(size);
    let (cells, cells_rest) = cells.as_chunks::<COPIES>();
    let (slopes, slopes_rest) = slopes.as_chunks::<COPIES>();
    for (cells, slopes) in cells.iter().zip(slopes) {
        let lanes = [&mut *first, &mut *second, &mut *third, &mut *fourth];
        for (sums, (&cell, &[g, h])) in lanes.into_iter().zip(cells.iter().zip(slopes)) {
            let sum = &mut sums[cell.into()];
            *sum = [sum[0] + f64::from(g), sum[1] + f64::from(h)];
        }
    }
    sum_cells(cells_rest, slopes_rest, first);
}

/// What a bag needs while it learns.
struct Work<'a, C, S> {
    bag: &'a mut Bag<C, S>,
    tables: Vec<Vec<f64>>,
    best: Vec<Vec<f64>>,
    steps: Vec<Vec<f64>>,
    /// The term whose step is not yet in the scores of the training rows.
    before: Option<usize>,
    scratch: Scratch,
}

/// What passes need besides rows.
struct Scratch {
    slopes: Vec<Slope>,
    copies: Vec<Sums>,
    sums: Vec<Sums>,
}

impl<C: Copy + Into<usize>, S: FnMut(usize, &[Sums], &mut [f64])> Work<'_, C, S> {
    /// A step of every term; returns the validation loss after them.
    fn round(&mut self, params: &EbmParams) -> f64 {
        for term in 0..self.tables.len() {
            self.scratch.sums.resize(self.tables[term].len(), [0.0; 2]);
            let before = self.before.map(|t| (t, &self.steps[t][..]));
            self.bag.train.pass(params, before, term, &mut self.scratch);
            let step = &mut self.steps[term];
            (self.bag.step)(term, &self.scratch.sums, step);
            self.bag.valid.add(term, step);
            self.tables[term]
                .iter_mut()
                .zip(&*step)
                .for_each(|(t, s)| *t += s);
            self.before = Some(term);
        }
        self.bag.valid.loss(params, &mut self.scratch.slopes)
    }
}

/// Boosts all terms in turn, all bags side by side, until the rows that they hold out no longer gain on average; keeps the
/// best round. The scores of all rows are then those of that round.
///
/// One number of rounds for all: a bag that stopped by its own few rows would add their noise to its curves.
pub(super) fn boost<C, S>(params: &EbmParams, sizes: &[usize], bags: &mut [Bag<C, S>]) -> Boosted
where
    C: Copy + Into<usize> + Send + Sync,
    S: FnMut(usize, &[Sums], &mut [f64]) + Send,
{
    let empty: Vec<Vec<f64>> = sizes.iter().map(|&size| vec![0.0; size]).collect();
    let starts: Vec<[Vec<f64>; 2]> = bags
        .iter()
        .map(|b| [b.train.scores.clone(), b.valid.scores.clone()])
        .collect();
    let mut work: Vec<Work<'_, C, S>> = bags
        .iter_mut()
        .map(|bag| Work {
            bag,
            tables: empty.clone(),
            best: empty.clone(),
            steps: empty.clone(),
            before: None,
            scratch: Scratch {
                slopes: vec![[0.0; 2]; BLOCK],
                copies: Vec::new(),
                sums: Vec::new(),
            },
        })
        .collect();
    let mean = |losses: Vec<f64>| losses.iter().sum::<f64>() / losses.len() as f64;
    let first = work
        .par_iter_mut()
        .map(|w| w.bag.valid.loss(params, &mut w.scratch.slopes));
    let mut best = (0, mean(first.collect()));
    let able = !sizes.is_empty() && work.iter().all(|w| !w.bag.valid.y.is_empty());
    for round in 1..=if able { params.max_rounds } else { 0 } {
        let loss = mean(work.par_iter_mut().map(|w| w.round(params)).collect());
        if loss < best.1 {
            best = (round, loss);
            work.par_iter_mut()
                .for_each(|w| w.best.clone_from(&w.tables));
        }
        if round - best.0 >= params.early_stopping || !loss.is_finite() {
            break;
        }
    }
    let tables: Vec<Vec<Vec<f64>>> = work.into_iter().map(|w| w.best).collect();
    for ((bag, tables), [train, valid]) in bags.iter_mut().zip(&tables).zip(starts) {
        (bag.train.scores, bag.valid.scores) = (train, valid);
        for (term, table) in tables.iter().enumerate() {
            bag.train.add(term, table);
            bag.valid.add(term, table);
        }
    }
    Boosted {
        tables,
        rounds: best.0,
        loss: able.then_some(best.1),
    }
}
