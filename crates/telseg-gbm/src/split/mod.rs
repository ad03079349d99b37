//! The best question for a node, from its histogram.
//!
//! All sums are whole numbers of quantisation steps; penalties are brought to the same unit once per tree, so that the
//! inner loops multiply by nothing. In these units the gain of a split is
//! `T(GL)^2 / (HL + l2) + T(GR)^2 / (HR + l2) - T(G)^2 / (H + l2)` with `T` the soft threshold of the L1 penalty
//! (Chen and Guestrin 2016, "XGBoost: A scalable tree boosting system", eq. 7, without its factor 1/2, as in LightGBM).

mod bounded;
mod categorical;
mod level;
mod numeric;

use rayon::prelude::*;
use telseg_core::trees::Side;

use crate::GbmParams;
use crate::bins::{BinnedData, ColumnBins};
use crate::constraints::FREE;
use crate::histogram::{Packing, Shape};
use bounded::Limits;

/// Columns that are searched by one task.
const COLUMNS: usize = 64;

/// A set of bins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BinSet([u64; 4]);

impl BinSet {
    pub(crate) fn insert(&mut self, bin: usize) {
        self.0[bin / 64] |= 1 << (bin % 64);
    }

    #[inline(always)]
    pub(crate) fn contains(&self, bin: u8) -> bool {
        self.0[(bin / 64) as usize] >> (bin % 64) & 1 == 1
    }
}

/// A chosen question.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    /// Gain in units of the loss.
    pub(crate) gain: f64,
    pub(crate) feature: usize,
    /// Bins that go left, that of missing values included when they do.
    pub(crate) left: BinSet,
    /// The last bin that goes left; `None` for a subset of levels.
    pub(crate) last_bin: Option<usize>,
    pub(crate) missing: Side,
    /// Packed sum of the left side.
    pub(crate) left_sum: u64,
    /// L2 penalty of the two children's values.
    pub(crate) l2: f64,
    /// Bounds of the two children's values.
    pub(crate) bounds: [[f64; 2]; 2],
}

/// A candidate within one column; gain in quantised units, before the parent's term is taken off.
#[derive(Clone, Debug)]
struct Candidate {
    score: f64,
    left: BinSet,
    last_bin: Option<usize>,
    missing: Side,
    left_sum: u64,
    subset: bool,
}

/// The sums of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeSum {
    pub(crate) packed: u64,
    pub(crate) n_rows: usize,
    /// Least and largest value that the node may have.
    pub(crate) bounds: [f64; 2],
}

/// The rules of a split in quantised units.
#[derive(Clone, Copy, Debug)]
struct Rules {
    l1: f64,
    l2: f64,
    cat_l2: f64,
    cat_smooth_rows: f64,
    cat_smooth_hessian: f64,
    max_cat_threshold: usize,
    max_one_hot: usize,
    min_rows: f64,
    min_rows_group: f64,
    min_hessian: f64,
}

impl Rules {
    /// What a node scores that is not split.
    fn parent(&self, total: Sums) -> f64 {
        self.squared(total.g) / (total.h + self.l2)
    }

    /// What two sides score, or `None` when one breaks a rule.
    fn score(&self, l: Sums, r: Sums, l2: f64) -> Option<f64> {
        let fine = l.n.min(r.n) >= self.min_rows && l.h.min(r.h) >= self.min_hessian;
        fine.then(|| self.squared(l.g) / (l.h + l2) + self.squared(r.g) / (r.h + l2))
    }

    /// `T(g)^2`.
    #[inline(always)]
    fn squared(&self, g: f64) -> f64 {
        let beyond = (g.abs() - self.l1).max(0.0);
        beyond * beyond
    }
}

/// Sums of one side in steps, and its rows.
#[derive(Clone, Copy, Debug)]
struct Sums {
    g: f64,
    h: f64,
    n: f64,
}

/// How packed sums of one node are read.
#[derive(Clone, Copy, Debug)]
struct Reader {
    packing: Packing,
    /// Rows per step of hessian, where cells do not count.
    rows_per_step: f64,
}

impl Reader {
    #[inline(always)]
    fn read(&self, cell: u64) -> Sums {
        let [g, h] = self.packing.slope(cell);
        Sums {
            g,
            h,
            n: self.packing.count(cell) + h * self.rows_per_step,
        }
    }
}

/// Searches the nodes of one tree.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    data: &'a BinnedData,
    shape: Shape,
    packing: Packing,
    rules: Rules,
    /// Gain of one quantised unit.
    unit: f64,
    min_gain: f64,
    penalty: [f64; 2],
    params: &'a GbmParams,
    /// Leaf value of one quantised unit.
    step: f64,
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        data: &'a BinnedData,
        params: &'a GbmParams,
        shape: Shape,
        packing: Packing,
    ) -> Self {
        let [g, h] = packing.steps;
        let rules = Rules {
            l1: params.l1 / g,
            l2: params.l2 / h,
            cat_l2: params.cat_l2 / h,
            cat_smooth_rows: params.cat_smooth,
            cat_smooth_hessian: params.cat_smooth / h,
            max_cat_threshold: params.max_cat_threshold,
            max_one_hot: params.max_one_hot,
            min_rows: params.min_rows_leaf as f64 - 0.5, // estimated counts are rounded
            min_rows_group: params.min_rows_group as f64 - 0.5,
            min_hessian: (params.min_hessian_leaf / h).max(0.5), // never a side without any hessian
        };
        let penalty = [params.l2, params.cat_l2];
        Self {
            data,
            shape,
            packing,
            rules,
            unit: g * g / h,
            min_gain: params.min_gain,
            penalty,
            params,
            step: g / h,
        }
    }

    /// What the children of a node keep to when it is split by a column.
    fn limits(&self, node: NodeSum, feature: usize) -> Limits {
        Limits {
            bounds: node.bounds.map(|bound| bound / self.step),
            direction: self.params.direction(feature),
        }
    }

    /// The bounds of a split's children.
    fn bounds(
        &self,
        node: NodeSum,
        (feature, c): (usize, &Candidate),
        reader: Reader,
    ) -> [[f64; 2]; 2] {
        let limits = self.limits(node, feature);
        if limits.direction.is_none() {
            return [node.bounds; 2];
        }
        let right = node.packed.wrapping_sub(c.left_sum);
        let values = [c.left_sum, right]
            .map(|sum| limits.value(reader.read(sum), self.rules.l2, &self.rules));
        limits
            .below(values)
            .map(|bounds| bounds.map(|bound| bound * self.step))
    }

    /// How the sums of a node are read, and their total.
    fn reader(&self, node: NodeSum) -> (Reader, Sums) {
        let [g, h] = self.packing.slope(node.packed);
        let n = node.n_rows as f64;
        let rows_per_step = if self.packing.counts() {
            0.0
        } else {
            n / h.max(1.0)
        };
        let reader = Reader {
            packing: self.packing,
            rows_per_step,
        };
        (reader, Sums { g, h, n })
    }

    /// The best split of a node over `features` (ascending); the first among equals.
    pub(crate) fn best(
        &self,
        histogram: &[u64],
        node: NodeSum,
        features: &[usize],
    ) -> Option<Split> {
        let (reader, total) = self.reader(node);
        let parent = self.rules.parent(total);
        let of_column = |&feature: &usize| {
            let cells = &histogram[feature * self.shape.stride..][..self.shape.stride];
            let limits = self.limits(node, feature);
            let bounded = node.bounds != FREE || limits.direction.is_some();
            let candidate = match &self.data.columns()[feature] {
                column @ ColumnBins::Numeric(_) if bounded => bounded::best(
                    &cells[..=column.n_bins()],
                    (node.packed, total),
                    reader,
                    &self.rules,
                    limits,
                ),
                column @ ColumnBins::Numeric(_) => numeric::best(
                    &cells[..=column.n_bins()],
                    (node.packed, total),
                    reader,
                    &self.rules,
                ),
                column @ ColumnBins::Categorical(_) => categorical::best(
                    &cells[..=column.n_bins()],
                    (node.packed, total),
                    reader,
                    &self.rules,
                ),
            }?;
            Some((feature, candidate))
        };
        let better = |a: Option<(usize, Candidate)>, b: Option<(usize, Candidate)>| match (a, b) {
            (Some(a), Some(b)) if b.1.score > a.1.score => Some(b),
            (None, b) => b,
            (a, _) => a,
        };
        let best = if features.len() <= COLUMNS {
            features.iter().map(of_column).fold(None, better)
        } else {
            let parts = features
                .par_chunks(COLUMNS)
                .map(|f| f.iter().map(of_column).fold(None, better));
            parts.collect::<Vec<_>>().into_iter().fold(None, better)
        };
        let (feature, c) = best?;
        let gain = (c.score - parent) * self.unit;
        (gain > self.min_gain && gain.is_finite()).then(|| Split {
            gain,
            feature,
            bounds: self.bounds(node, (feature, &c), reader),
            left: c.left,
            last_bin: c.last_bin,
            missing: c.missing,
            left_sum: c.left_sum,
            l2: self.penalty[0] + if c.subset { self.penalty[1] } else { 0.0 },
        })
    }
}

/// The side that a missing value takes where the node has none to learn from: the one with more rows.
fn larger(left: f64, total: f64) -> Side {
    if 2.0 * left >= total {
        Side::Left
    } else {
        Side::Right
    }
}
