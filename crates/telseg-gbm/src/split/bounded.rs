//! Cuts of nodes whose values are bounded, or whose children must be in order.
//!
//! The basic method of LightGBM and XGBoost: a cut of a monotone column counts only when the values of its sides are in
//! order, and the middle between them bounds all that is grown below; values are clipped to their bounds, and gains are
//! those of the clipped values. So every leaf left of the cut is on one side of the middle, every leaf right of it on the
//! other.

use super::numeric::best_by;
use super::{Candidate, Reader, Rules, Sums};
use crate::Monotone;

/// What a node's children must keep to, in quantised units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) bounds: [f64; 2],
    pub(super) direction: Option<Monotone>,
}

impl Limits {
    /// The value of a side, within the bounds.
    pub(super) fn value(&self, s: Sums, l2: f64, rules: &Rules) -> f64 {
        let beyond = (s.g.abs() - rules.l1).max(0.0).copysign(s.g);
        // As `clamp`, which panics on bounds that are not in order.
        (-beyond / (s.h + l2))
            .max(self.bounds[0])
            .min(self.bounds[1])
    }

    /// What a value scores: `T(g)² / (h + l2)` at the best one.
    fn score(s: Sums, value: f64, rules: &Rules) -> f64 {
        let beyond = (s.g.abs() - rules.l1).max(0.0).copysign(s.g);
        -(2.0 * beyond + (s.h + rules.l2) * value) * value
    }

    fn in_order(&self, left: f64, right: f64) -> bool {
        match self.direction {
            None => true,
            Some(Monotone::Rising) => left <= right,
            Some(Monotone::Falling) => left >= right,
        }
    }

    /// The bounds of two children whose values are given.
    pub(super) fn below(&self, [left, right]: [f64; 2]) -> [[f64; 2]; 2] {
        let ([low, high], middle) = (self.bounds, 0.5 * (left + right));
        match self.direction {
            None => [self.bounds; 2],
            Some(Monotone::Rising) => [[low, middle], [middle, high]],
            Some(Monotone::Falling) => [[middle, high], [low, middle]],
        }
    }
}

/// The best cut of a column within limits; scores are such that the parent's plain score is left of them as the gain of
/// the clipped values.
pub(super) fn best(
    cells: &[u64],
    (packed, total): (u64, Sums),
    reader: Reader,
    rules: &Rules,
    limits: Limits,
) -> Option<Candidate> {
    let own = limits.value(total, rules.l2, rules);
    let shift = rules.parent(total) - Limits::score(total, own, rules);
    let score = |left_sums: &[u64], scores: &mut [f64]| {
        for (score, &left) in scores.iter_mut().zip(left_sums) {
            let (l, r) = (reader.read(left), reader.read(packed.wrapping_sub(left)));
            let values = [l, r].map(|side| limits.value(side, rules.l2, rules));
            let fine =
                rules.score(l, r, rules.l2).is_some() && limits.in_order(values[0], values[1]);
            let both = Limits::score(l, values[0], rules) + Limits::score(r, values[1], rules);
            *score = if fine { both + shift } else { -1.0 };
        }
    };
    best_by(cells, (packed, total), reader, score)
}
