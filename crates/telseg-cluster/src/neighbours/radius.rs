//! "Within a radius", decided in double precision where the data's precision leaves it open.

use telseg_core::Scalar;
use telseg_core::kernel::{BUCKET, Level, bucket_mask};

use super::KdTree;

/// A squared radius, inclusive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Radius<F> {
    squared: f64,
    /// At most this in the data's precision is surely within.
    pub(crate) sure: F,
    /// At least this is surely not: the bound for searching.
    pub(crate) bound: F,
}

impl<F: Scalar> Radius<F> {
    /// The radius `r` for points of `d` columns: a computed squared distance errs by at most `(d + 2) u` of itself.
    pub(crate) fn new(r: f64, d: usize) -> Self {
        let squared = r * r;
        let margin = if F::NAME == f64::NAME {
            0.0
        } else {
            (d + 4) as f64 * F::epsilon().into_f64()
        };
        // What underflows is left open too.
        let least = if margin > 0.0 {
            F::min_positive_value().into_f64()
        } else {
            0.0
        };
        // Places without a point, infinitely far, are never within.
        let finite = |v: f64| F::from_f64(v).min(F::max_value());
        let bound = finite((squared * (1.0 + margin) + least) * (1.0 + 1e-12));
        Self {
            squared,
            sure: finite(squared * (1.0 - margin) - least),
            bound: (bound * (F::one() + F::epsilon()) + F::min_positive_value())
                .min(F::max_value()),
        }
    }

    /// Whether a squared distance in double precision is within.
    #[inline(always)]
    pub(crate) fn holds(&self, squared: f64) -> bool {
        squared <= self.squared
    }

    /// Of the lanes with computed distances at most the bound, those that are within.
    #[inline]
    pub(crate) fn within(
        &self,
        level: Level,
        mask: u32,
        distances: &[F; BUCKET],
        (tree, leaf, point): (&KdTree<F>, u32, &[F]),
    ) -> u32 {
        let mut within = mask & bucket_mask(level, distances, self.sure);
        let mut open = mask & !within;
        while open != 0 {
            let lane = open.trailing_zeros() as usize;
            open &= open - 1;
            if self.holds(exact(tree, leaf as usize * BUCKET + lane, point)) {
                within |= 1 << lane;
            }
        }
        within
    }
}

/// Squared distance of a point in the tree to another, in double precision.
#[inline]
pub(crate) fn exact<F: Scalar>(tree: &KdTree<F>, position: usize, point: &[F]) -> f64 {
    let square = |(j, &p): (usize, &F)| (tree.at(position, j).into_f64() - p.into_f64()).powi(2);
    point.iter().enumerate().map(square).sum()
}
