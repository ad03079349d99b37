//! The best question for a node of a forest's tree.
//!
//! With class weights `W_c` of a side, `sum W_c² / sum W_c` grows by what a split takes off the Gini impurity (times the
//! weight); with weight `W` and sum `S` of targets, `S² / W` grows by what it takes off the sum of squares (Breiman et al.
//! 1984, sections 4.3 and 8.4). So one search serves both.

use rand::Rng as _;
use telseg_core::seed::Rng;
use telseg_core::trees::Side;

use super::params::{Cutting, Task};
use crate::bins::ColumnBins;
use crate::split::BinSet;

/// A training row in a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) row: u32,
    /// How often it was drawn, times its weight.
    pub(super) weight: f32,
    /// Its class, or its target less the mean.
    pub(super) y: f32,
}

/// A chosen question.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) gain: f64,
    pub(super) feature: usize,
    /// Bins that go left, that of missing values included when they do.
    pub(super) left: BinSet,
    /// The last bin that goes left; `None` for a subset of levels.
    pub(super) last_bin: Option<usize>,
    pub(super) missing: Side,
}

/// What is searched by, and room for it.
#[derive(Debug)]
pub(super) struct Search {
    task: Task,
    min_weight: f64,
    channels: usize,
    /// Sums by bin.
    cells: Vec<f64>,
    /// Bins that have rows, ascending.
    bins: Vec<usize>,
    left: Vec<f64>,
    right: Vec<f64>,
}

/// A candidate within one column.
struct Candidate {
    score: f64,
    left: BinSet,
    last_bin: Option<usize>,
    missing: Side,
}

impl Search {
    pub(super) fn new(task: Task, min_weight: f64) -> Self {
        let channels = task.channels();
        Self {
            task,
            min_weight,
            channels,
            cells: vec![0.0; 256 * channels],
            bins: Vec::with_capacity(256),
            left: vec![0.0; channels],
            right: vec![0.0; channels],
        }
    }

    pub(super) fn weight(&self, sums: &[f64]) -> f64 {
        match self.task {
            Task::Regression => sums[0],
            Task::Classification { .. } => sums.iter().sum(),
        }
    }

    /// What grows when impurity falls; 0 for a side without rows.
    pub(super) fn score(&self, sums: &[f64]) -> f64 {
        let weight = self.weight(sums);
        if weight <= 0.0 {
            return 0.0;
        }
        match self.task {
            Task::Regression => sums[1] * sums[1] / weight,
            Task::Classification { .. } => sums.iter().map(|w| w * w).sum::<f64>() / weight,
        }
    }

    /// Adds the items up.
    pub(super) fn sum(&self, items: &[Item], sums: &mut [f64]) {
        sums.fill(0.0);
        for item in items {
            match self.task {
                Task::Regression => {
                    sums[0] += f64::from(item.weight);
                    sums[1] += f64::from(item.weight) * f64::from(item.y);
                }
                Task::Classification { .. } => sums[item.y as usize] += f64::from(item.weight),
            }
        }
    }

    /// The best question about one column; `None` when it is constant in the node. The flag says whether it gained.
    pub(super) fn column(
        &mut self,
        items: &[Item],
        (feature, bins, kind): (usize, &[u8], &ColumnBins),
        (total, parent): (&[f64], f64),
        (cutting, rng): (Cutting, &mut Rng),
    ) -> Option<Option<Question>> {
        self.fill(items, bins);
        let found = (self.bins.len() > 1).then(|| match (kind, cutting) {
            (ColumnBins::Numeric(_), Cutting::Best) => self.numeric(total),
            (ColumnBins::Numeric(_), Cutting::Random) => self.random_cut(total, rng),
            (ColumnBins::Categorical(levels), _) => {
                self.levels(levels.other_bin(), total, (cutting, rng))
            }
        });
        self.clear();
        let candidate = found?;
        Some(candidate.and_then(|c| {
            let gain = c.score - parent;
            (gain > 1e-12 * parent.abs().max(1e-12)).then_some(Question {
                gain,
                feature,
                left: c.left,
                last_bin: c.last_bin,
                missing: c.missing,
            })
        }))
    }

    /// Sums by bin, and the bins that have rows.
    fn fill(&mut self, items: &[Item], column: &[u8]) {
        let mut seen = [0u64; 4];
        let channels = self.channels;
        match self.task {
            Task::Regression => {
                for item in items {
                    let bin = column[item.row as usize] as usize;
                    seen[bin / 64] |= 1 << (bin % 64);
                    let weight = f64::from(item.weight);
                    self.cells[2 * bin] += weight;
                    self.cells[2 * bin + 1] += weight * f64::from(item.y);
                }
            }
            Task::Classification { .. } => {
                for item in items {
                    let bin = column[item.row as usize] as usize;
                    seen[bin / 64] |= 1 << (bin % 64);
                    self.cells[channels * bin + item.y as usize] += f64::from(item.weight);
                }
            }
        }
        self.bins.clear();
        for (word, mut bits) in seen.into_iter().enumerate() {
            while bits != 0 {
                self.bins.push(64 * word + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }

    fn clear(&mut self) {
        for &bin in &self.bins {
            self.cells[bin * self.channels..][..self.channels].fill(0.0);
        }
    }

    fn cell(&self, bin: usize) -> &[f64] {
        &self.cells[bin * self.channels..][..self.channels]
    }

    /// Score of the split that has `left` on its left; `None` when a side is too light.
    fn judge(&mut self, total: &[f64]) -> Option<f64> {
        for (right, (total, left)) in self.right.iter_mut().zip(total.iter().zip(&self.left)) {
            *right = total - left;
        }
        let lightest = self.weight(&self.left).min(self.weight(&self.right));
        // Weights are sums of f32: what is left after subtracting may miss the limit by rounding.
        (lightest > self.min_weight * (1.0 - 1e-9))
            .then(|| self.score(&self.left) + self.score(&self.right))
    }

    fn add(&mut self, bin: usize) {
        let cell = &self.cells[bin * self.channels..][..self.channels];
        self.left.iter_mut().zip(cell).for_each(|(l, c)| *l += c);
    }

    /// The heavier side of the split that has `left` on its left.
    fn heavier(&self, total: &[f64]) -> Side {
        if 2.0 * self.weight(&self.left) > self.weight(total) {
            Side::Left
        } else {
            Side::Right
        }
    }

    fn numeric(&mut self, total: &[f64]) -> Option<Candidate> {
        let missing = usize::from(self.bins[0] == 0);
        let mut best: Option<(f64, usize, Side)> = None;
        for side in [Side::Right, Side::Left].into_iter().take(1 + missing) {
            self.left.fill(0.0);
            if side == Side::Left {
                self.add(0);
            }
            // With missing values on the right, all known ones may go left.
            let ends = self.bins.len() - usize::from(missing == 0 || side == Side::Left);
            for i in missing..ends {
                self.add(self.bins[i]);
                if let Some(score) = self.judge(total)
                    && best.is_none_or(|b| score > b.0)
                {
                    let side = if missing == 1 {
                        side
                    } else {
                        self.heavier(total)
                    };
                    best = Some((score, i, side));
                }
            }
        }
        let (score, i, missing) = best?;
        // In the middle of the bins without rows that follow.
        let last_bin = match self.bins.get(i + 1) {
            Some(next) => usize::midpoint(self.bins[i], *next - 1),
            None => 255, // all that is known
        };
        Some(cut(score, last_bin, missing))
    }

    fn random_cut(&mut self, total: &[f64], rng: &mut Rng) -> Option<Candidate> {
        let missing = usize::from(self.bins[0] == 0);
        let (low, high) = (self.bins[missing], self.bins[self.bins.len() - 1]);
        let last_bin = if low < high {
            rng.random_range(low..high)
        } else {
            low
        };
        let mut best: Option<(f64, Side)> = None;
        for side in [Side::Right, Side::Left].into_iter().take(1 + missing) {
            self.left.fill(0.0);
            for i in 0..self.bins.len() {
                let bin = self.bins[i];
                let goes = match bin {
                    0 => side == Side::Left,
                    _ => bin <= last_bin,
                };
                if goes {
                    self.add(bin);
                }
            }
            if let Some(score) = self.judge(total)
                && best.is_none_or(|b| score > b.0)
            {
                let side = if missing == 1 {
                    side
                } else {
                    self.heavier(total)
                };
                best = Some((score, side));
            }
        }
        best.map(|(score, missing)| cut(score, last_bin, missing))
    }

    /// A subset of levels; missing values are a level, and the bin of unnamed levels always goes right.
    fn levels(
        &mut self,
        other: usize,
        total: &[f64],
        (cutting, rng): (Cutting, &mut Rng),
    ) -> Option<Candidate> {
        let mut order: Vec<usize> = self
            .bins
            .iter()
            .copied()
            .filter(|&bin| bin != other)
            .collect();
        let n_tried = match cutting {
            Cutting::Best => {
                self.sort_levels(&mut order, total);
                order.len().min(self.bins.len() - 1)
            }
            Cutting::Random => {
                // A random order, and a random part of it.
                (1..order.len()).for_each(|i| order.swap(i, rng.random_range(0..=i)));
                0
            }
        };
        self.left.fill(0.0);
        let mut best: Option<(f64, usize, Side)> = None;
        if cutting == Cutting::Random {
            let n = rng.random_range(1..=order.len().min(self.bins.len() - 1));
            order[..n].iter().for_each(|&bin| self.add(bin));
            best = self
                .judge(total)
                .map(|score| (score, n, self.heavier(total)));
        }
        for (i, &bin) in order.iter().enumerate().take(n_tried) {
            self.add(bin);
            if let Some(score) = self.judge(total)
                && best.is_none_or(|b| score > b.0)
            {
                best = Some((score, i + 1, self.heavier(total)));
            }
        }
        let (score, n, heavier) = best?;
        let mut left = BinSet::default();
        order[..n].iter().for_each(|&bin| left.insert(bin));
        let missing = match (self.bins[0] == 0, left.contains(0)) {
            (true, true) => Side::Left,
            (true, false) => Side::Right,
            (false, _) => heavier,
        };
        if missing == Side::Left {
            left.insert(0);
        }
        Some(Candidate {
            score,
            left,
            last_bin: None,
            missing,
        })
    }

    /// By mean target, or by the share of the class that is nearest to half of the node: for numbers and two classes the
    /// best subset is then a prefix (Breiman et al. 1984, theorem 4.5); for more classes it is a good one.
    fn sort_levels(&self, order: &mut [usize], total: &[f64]) {
        let whole = self.weight(total);
        let class = match self.task {
            Task::Regression => 1,
            Task::Classification { .. } => {
                let gap = |c: &usize| (total[*c] / whole - 0.5).abs();
                let classes = 0..self.channels;
                classes
                    .min_by(|a, b| gap(a).total_cmp(&gap(b)))
                    .unwrap_or(0)
            }
        };
        let mean = |bin: usize| {
            let cell = self.cell(bin);
            cell[class] / self.weight(cell).max(f64::MIN_POSITIVE)
        };
        order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b))); // stable: equal means stay in the order of the bins
    }
}

fn cut(score: f64, last_bin: usize, missing: Side) -> Candidate {
    let mut left = BinSet::default();
    (1..=last_bin).for_each(|bin| left.insert(bin));
    if missing == Side::Left {
        left.insert(0);
    }
    Candidate {
        score,
        left,
        last_bin: Some(last_bin),
        missing,
    }
}
