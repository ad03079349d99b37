//! One question for all leaves of a level: the gains of a candidate are added up over the leaves.
//!
//! A leaf that a candidate would leave with a side that breaks a rule adds nothing to it, and is not split by it.

use rayon::prelude::*;
use telseg_core::trees::Side;

use super::{BinSet, NodeSum, Reader, Search, Split, Sums, larger, numeric};
use crate::bins::ColumnBins;
use crate::constraints::FREE;

/// The question of a level.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Sum over the leaves, in quantised units.
    gain: f64,
    feature: usize,
    left: BinSet,
    last_bin: Option<usize>,
    missing: Side,
    subset: bool,
}

/// One leaf as a column's search sees it.
struct Node<'a> {
    cells: &'a [u64],
    packed: u64,
    total: Sums,
    reader: Reader,
    /// What it scores unsplit.
    parent: f64,
}

impl Node<'_> {
    /// Gain of a candidate whose left side has this sum.
    fn gain(&self, search: &Search<'_>, left: u64, l2: f64) -> f64 {
        let (l, r) = (
            self.reader.read(left),
            self.reader.read(self.packed.wrapping_sub(left)),
        );
        let score = search.rules.score(l, r, l2);
        score.map_or(0.0, |score| score - self.parent)
    }

    fn sum(&self, bins: impl Iterator<Item = usize>) -> u64 {
        bins.fold(0, |sum, bin| sum.wrapping_add(self.cells[bin]))
    }
}

impl Search<'_> {
    /// The question that gains most over all leaves of a level, the first among equals.
    pub(crate) fn best_of_level(
        &self,
        leaves: &[(&[u64], NodeSum)],
        features: &[usize],
    ) -> Option<Question> {
        let readers: Vec<_> = leaves.iter().map(|&(_, sum)| self.reader(sum)).collect();
        let of_column = |&feature: &usize| {
            let column = &self.data.columns()[feature];
            let start = feature * self.shape.stride;
            let nodes: Vec<Node<'_>> = (leaves.iter().zip(&readers))
                .map(|(&(histogram, sum), &(reader, total))| Node {
                    cells: &histogram[start..=start + column.n_bins()],
                    packed: sum.packed,
                    total,
                    reader,
                    parent: self.rules.parent(total),
                })
                .collect();
            match column {
                ColumnBins::Numeric(_) => self.numeric_of_level(&nodes, feature),
                ColumnBins::Categorical(_) => self.levels_of_level(&nodes, feature),
            }
        };
        let found: Vec<_> = features.par_iter().map(of_column).collect();
        let best =
            (found.into_iter().flatten()).reduce(|a, b| if b.gain > a.gain { b } else { a })?;
        let gain = best.gain * self.unit;
        (gain > self.min_gain && gain.is_finite()).then_some(best)
    }

    /// How the question of its level splits a leaf; not at all when a side would break a rule.
    pub(crate) fn split_by(
        &self,
        question: &Question,
        histogram: &[u64],
        sum: NodeSum,
    ) -> Option<Split> {
        let (reader, total) = self.reader(sum);
        let feature = question.feature;
        let cells = &histogram[feature * self.shape.stride..];
        let bins = 0..=self.data.columns()[feature].n_bins();
        let left_sum = (bins.filter(|&bin| question.left.contains(bin as u8)))
            .fold(0u64, |sum, bin| sum.wrapping_add(cells[bin]));
        let (l, r) = (
            reader.read(left_sum),
            reader.read(sum.packed.wrapping_sub(left_sum)),
        );
        let penalty = if question.subset {
            self.penalty[1]
        } else {
            0.0
        };
        let l2 = self.rules.l2
            + if question.subset {
                self.rules.cat_l2
            } else {
                0.0
            };
        let score = self.rules.score(l, r, l2)?;
        Some(Split {
            gain: (score - self.rules.parent(total)) * self.unit,
            feature,
            left: question.left,
            last_bin: question.last_bin,
            missing: question.missing,
            left_sum,
            l2: self.penalty[0] + penalty,
            bounds: [FREE; 2], // constraints ask for another growth
        })
    }

    fn numeric_of_level(&self, nodes: &[Node<'_>], feature: usize) -> Option<Question> {
        let n_bins = self.data.n_bins(feature);
        let some_missing = nodes.iter().any(|node| node.cells[0] != 0);
        let mut found = (0.0, 0, Side::Right);
        let mut keep = |gains: &[f64], side| {
            for (i, &gain) in gains.iter().enumerate() {
                if gain > found.0 {
                    found = (gain, i + 1, side);
                }
            }
        };
        // As in the search of one leaf: "is it known?" is a question where values are missing.
        let n_cuts = if some_missing { n_bins } else { n_bins - 1 };
        keep(&self.gains(nodes, n_cuts, |_| 0), Side::Right);
        if some_missing {
            keep(
                &self.gains(nodes, n_bins - 1, |node| node.cells[0]),
                Side::Left,
            );
        }
        let (gain, last, mut missing) = found;
        if gain <= 0.0 {
            return None;
        }
        if !some_missing {
            missing = self.larger(nodes, 1..=last);
        }
        let mut left = BinSet::default();
        (1..=last).for_each(|bin| left.insert(bin));
        if missing == Side::Left {
            left.insert(0);
        }
        Some(Question {
            gain,
            feature,
            left,
            last_bin: Some(last),
            missing,
            subset: false,
        })
    }

    /// Gains of the first `n_cuts` cuts of a numeric column, where left sides begin with what `first` says.
    fn gains(
        &self,
        nodes: &[Node<'_>],
        n_cuts: usize,
        first: impl Fn(&Node<'_>) -> u64,
    ) -> Vec<f64> {
        let (mut gains, mut sums, mut scores) =
            (vec![0.0; n_cuts], vec![0u64; n_cuts], vec![0.0; n_cuts]);
        for node in nodes {
            let mut sum = first(node);
            for (out, &cell) in sums.iter_mut().zip(&node.cells[1..]) {
                sum = sum.wrapping_add(cell);
                *out = sum;
            }
            let of_node = (node.packed, node.total);
            numeric::score(&sums, of_node, node.reader, &self.rules, &mut scores);
            for (gain, score) in gains.iter_mut().zip(&scores) {
                *gain += if *score < 0.0 {
                    0.0
                } else {
                    score - node.parent
                };
            }
        }
        gains
    }

    /// The side with more rows, for values that are missing nowhere.
    fn larger(&self, nodes: &[Node<'_>], bins: impl Iterator<Item = usize> + Clone) -> Side {
        let [left, total] = nodes.iter().fold([0.0; 2], |[left, total], node| {
            let sum = node.reader.read(node.sum(bins.clone()));
            [left + sum.n, total + node.total.n]
        });
        larger(left, total)
    }

    fn levels_of_level(&self, nodes: &[Node<'_>], feature: usize) -> Option<Question> {
        let other = self.data.n_bins(feature);
        let subset = other - 1 > self.rules.max_one_hot;
        let found = if subset {
            self.prefix_of_level(nodes, other)
        } else {
            let gain = |bin: usize| {
                let gains = nodes
                    .iter()
                    .map(|n| n.gain(self, n.cells[bin], self.rules.l2));
                (gains.sum::<f64>(), vec![bin])
            };
            let best = |a: (f64, Vec<usize>), b: (f64, Vec<usize>)| if b.0 > a.0 { b } else { a };
            (0..other).map(gain).reduce(best)
        };
        let (gain, bins) = found.filter(|f| f.0 > 0.0)?;
        let mut left = BinSet::default();
        bins.iter().for_each(|&bin| left.insert(bin));
        let missing = if nodes.iter().all(|node| node.cells[0] == 0) {
            self.larger(nodes, bins.iter().copied())
        } else if left.contains(0) {
            Side::Left
        } else {
            Side::Right
        };
        if missing == Side::Left {
            left.insert(0);
        }
        Some(Question {
            gain,
            feature,
            left,
            last_bin: None,
            missing,
            subset,
        })
    }

    /// The best prefix of the levels, in the order of their ratios over the whole level.
    fn prefix_of_level(&self, nodes: &[Node<'_>], other: usize) -> Option<(f64, Vec<usize>)> {
        let rules = &self.rules;
        let over_all = |bin: usize| {
            nodes.iter().fold([0.0; 3], |[g, h, n], node| {
                let s = node.reader.read(node.cells[bin]);
                [g + s.g, h + s.h, n + s.n]
            })
        };
        let mut levels: Vec<(f64, f64, usize)> = (0..other)
            .map(|bin| (over_all(bin), bin))
            .filter(|&([_, _, n], _)| n > 0.0 && n + 0.5 >= rules.cat_smooth_rows)
            .map(|([g, h, n], bin)| (g / (h + rules.cat_smooth_hessian), n, bin))
            .collect();
        levels.sort_by(|a, b| a.0.total_cmp(&b.0)); // stable: equal ratios stay in the order of the bins
        let most = rules.max_cat_threshold.min(levels.len().div_ceil(2));
        let l2 = rules.l2 + rules.cat_l2;
        let n_rows: f64 = nodes.iter().map(|node| node.total.n).sum();
        let mut found: Option<(f64, Vec<usize>)> = None;
        for backwards in [false, true] {
            if backwards {
                levels.reverse();
            }
            let (mut left, mut right_rows, mut group) = (vec![0u64; nodes.len()], n_rows, 0.0);
            for (i, &(_, n, bin)) in levels.iter().take(most).enumerate() {
                group += n;
                right_rows -= n;
                for (left, node) in left.iter_mut().zip(nodes) {
                    *left = left.wrapping_add(node.cells[bin]);
                }
                if right_rows < rules.min_rows_group {
                    break;
                }
                if group < rules.min_rows_group {
                    continue;
                }
                group = 0.0;
                let gains = nodes
                    .iter()
                    .zip(&left)
                    .map(|(n, &left)| n.gain(self, left, l2));
                let gain: f64 = gains.sum();
                if found.as_ref().is_none_or(|f| gain > f.0) {
                    found = Some((gain, levels[..=i].iter().map(|l| l.2).collect()));
                }
            }
        }
        found
    }
}
