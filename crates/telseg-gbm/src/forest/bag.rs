//! What rows say of the trees that did not see them.

use ndarray::Array2;
use rand::Rng as _;
use rayon::prelude::*;
use telseg_core::par;
use telseg_core::seed::Stream;

use super::grow::{Ground, Grown};
use super::params::Task;

/// Rows of a task.
const CHUNK: usize = 4096;

/// Sums of the predictions by trees that had not seen the row, and their number.
pub(super) struct OutOfBag {
    sums: Vec<f64>,
    width: usize,
}

impl OutOfBag {
    pub(super) fn new(n_rows: usize, outputs: usize) -> Self {
        let width = outputs + 1;
        Self {
            sums: vec![0.0; n_rows * width],
            width,
        }
    }

    /// Adds what trees say of the rows that they had not seen; row by row in the order of the trees.
    pub(super) fn add(&mut self, ground: &Ground<'_>, trees: &[(Grown, Vec<u16>)]) {
        let (width, channels) = (self.width, ground.params.task.channels());
        par::fill(&mut self.sums, CHUNK * width, |range, sums| {
            let first = range.start / width;
            for (row, sums) in (first..).zip(sums.chunks_exact_mut(width)) {
                for (tree, _) in trees.iter().filter(|(_, counts)| counts[row] == 0) {
                    let node = ground.end(tree, row, None);
                    let said = ground.leaf(tree.sums(node, channels));
                    sums.iter_mut().zip(said).for_each(|(s, v)| *s += v);
                    sums[width - 1] += 1.0;
                }
            }
        });
    }

    /// Means, NaN for rows that every tree has seen.
    pub(super) fn predictions(&self) -> Array2<f64> {
        let (n, width) = (self.sums.len() / self.width, self.width);
        Array2::from_shape_fn((n, width - 1), |(i, k)| {
            self.sums[i * width + k] / self.sums[i * width + width - 1]
        })
    }
}

/// The class or the number that outputs stand for.
pub(super) fn decide(task: Task, outputs: &[f64]) -> f64 {
    match task {
        Task::Regression => outputs[0],
        Task::Classification { n_classes: 2 } => f64::from(u8::from(outputs[0] > 0.5)),
        Task::Classification { .. } => {
            let better = |best: usize, k: usize| if outputs[k] > outputs[best] { k } else { best };
            (1..outputs.len()).fold(0, better) as f64
        }
    }
}

/// How wrong a decision is: 0 or 1 for a class, the squared gap for a number.
pub(super) fn fault(task: Task, decided: f64, y: f64) -> f64 {
    match task {
        Task::Regression => (decided - y).powi(2),
        Task::Classification { .. } => f64::from(u8::from(decided != y)),
    }
}

/// What a tree's mean fault on its out-of-bag rows grows by when a column is shuffled among them, by column.
pub(super) fn permuted(
    ground: &Ground<'_>,
    (tree, counts): &(Grown, Vec<u16>),
    stream: Stream,
) -> Vec<f64> {
    let task = ground.params.task;
    let (n_features, n_shuffles) = (ground.data.n_features(), ground.params.n_permutations);
    let mut growth = vec![0.0; n_features];
    let rows: Vec<usize> = (0..counts.len())
        .filter(|&row| counts[row] == 0 && ground.weights.is_none_or(|w| w[row] > 0.0))
        .collect();
    if rows.is_empty() {
        return growth;
    }
    let faults = |other: Option<(usize, &[usize])>| {
        let one = |(i, &row): (usize, &usize)| {
            let other = other.map(|(feature, shuffled)| (feature, shuffled[i]));
            let sums = tree.sums(ground.end(tree, row, other), task.channels());
            let y = f64::from(ground.y[row]) + ground.mean;
            fault(task, decide(task, &ground.leaf(sums)), y)
        };
        rows.iter().enumerate().map(one).sum::<f64>() / rows.len() as f64
    };
    let before = faults(None);
    let asked = |feature: usize| {
        tree.questions
            .iter()
            .flatten()
            .any(|(q, _)| q.feature == feature)
    };
    for feature in (0..n_features).filter(|&f| asked(f)) {
        for shuffle in 0..n_shuffles {
            let mut rng = stream.index((feature * n_shuffles + shuffle) as u64);
            let mut shuffled = rows.clone();
            (1..shuffled.len()).for_each(|i| shuffled.swap(i, rng.random_range(0..=i)));
            growth[feature] += faults(Some((feature, &shuffled[..]))) - before;
        }
        growth[feature] /= n_shuffles as f64;
    }
    growth
}

/// The growths of all trees of a batch, in their order.
pub(super) fn permuted_all(
    ground: &Ground<'_>,
    trees: &[(Grown, Vec<u16>)],
    stream: impl Fn(usize) -> Stream + Sync,
) -> Vec<Vec<f64>> {
    let each = trees.par_iter().enumerate();
    each.map(|(i, tree)| permuted(ground, tree, stream(i)))
        .collect()
}
