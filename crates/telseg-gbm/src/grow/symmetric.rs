//! Level by level: every leaf of a level is asked the same question, the one that gains most over all of them.
//!
//! A leaf that the question would leave with a side that breaks a rule (too few rows, too little hessian) stays whole, and
//! may be split by the question of a later level.
//!
//! # References
//! L. Prokhorenkova et al. (2018), "CatBoost: unbiased boosting with categorical features", NeurIPS 31, section 4, for
//! trees of one question a level.

use super::{ALONE, BinTree, Buffers, Grower, Leaf, Next};

impl Grower<'_> {
    /// Splits levels until the next one could have more leaves than are allowed.
    pub(super) fn grow_levels(
        &self,
        tree: &mut BinTree,
        leaves: &mut Vec<Leaf>,
        buffers: &mut Buffers,
    ) {
        let most = self.params.max_leaves.ilog2() as usize;
        let n_levels = self.params.max_depth.map_or(most, |depth| depth.min(most));
        for level in 0..n_levels {
            let asked: Vec<usize> = (0..leaves.len())
                .filter(|&i| leaves[i].histogram.is_some())
                .collect();
            let nodes: Vec<_> = (asked.iter().map(|&i| &leaves[i]))
                .filter_map(|leaf| Some((leaf.histogram.as_deref()?, leaf.sum())))
                .collect();
            let features = self.features_of(level as u64);
            let Some(question) = self.search.best_of_level(&nodes, &features) else {
                break;
            };
            let splits: Vec<_> = (nodes.iter())
                .map(|&(histogram, sum)| self.search.split_by(&question, histogram, sum))
                .collect();
            let mut small = Vec::new();
            let next = if level + 1 == n_levels {
                Next::Nothing
            } else {
                Next::Level
            };
            for (i, split) in asked.into_iter().zip(splits) {
                let Some(split) = split else { continue };
                leaves[i].best = Some(split);
                if leaves[i].n_rows() < ALONE {
                    small.push(i);
                } else {
                    self.make_batch(leaves, &[i], next, buffers);
                }
            }
            if !small.is_empty() {
                self.make_batch(leaves, &small, next, buffers);
            }
            (0..leaves.len()).for_each(|i| tree.split(leaves, i));
        }
    }
}
