//! Losses: how far a score is from its target, and which way down.

mod leaf;
mod loss;
mod rank;
mod rows;
mod softmax;
mod survival;

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

pub(crate) use leaf::{LeafRule, quantile, weighted_quantile};
pub use loss::LossAt;
pub(crate) use loss::UserLoss;
pub(crate) use loss::{Loss, Targets};
pub(crate) use rows::{Pass, Slope};
pub use survival::AftDistribution;

/// What is predicted, and by which loss.
///
/// With `s` the score (the sum of the trees) and `y` the target:
///
/// | objective | prediction | loss | leaf values |
/// | --- | --- | --- | --- |
/// | `SquaredError` | `s` | `(s - y)²` | Newton |
/// | `Binary` | `1 / (1 + e^-s)` | logistic | Newton |
/// | `Softmax` | `e^s_k / Σ e^s_j` | `-ln p_y` | Newton, a tree a class and round |
/// | `AbsoluteError` | `s` | `\|s - y\|` | median of what is left |
/// | `Quantile` | `s` | pinball | quantile of what is left |
/// | `Quantiles` | ascending | mean pinball | the same, a tree a level and round |
/// | `Huber` | `s` | quadratic up to `delta`, then straight | mean of clipped gaps |
/// | `Pairwise` | `s`, to sort by | logistic, of pairs within a group | Newton |
/// | `LambdaMart` | `s`, to sort by | `1 - NDCG` of a group | Newton, on pairs by what their exchange would change |
/// | `Cox` | `e^s`, a relative risk | partial likelihood | Newton |
/// | `Aft` | `e^s`, a time | likelihood | Newton |
/// | `Custom` | `s` | the user's own | Newton |
/// | `Poisson`, `Gamma`, `Tweedie` | `e^s` | negative log-likelihood (unit deviance up to terms of `y`) | Newton or the exact optimum, the shorter |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Objective {
    /// A number, by squared error. Gradient `score - y`, hessian 1.
    SquaredError,
    /// A probability, by logistic loss; targets are 0 and 1. Gradient `p - y`, hessian `p (1 - p)`.
    Binary,
    /// A probability a class; targets are class codes from 0. Gradient `p_k - [y = k]`, hessian `K/(K-1) p_k (1 - p_k)`
    /// with `K` classes (Friedman 2001, algorithm 6).
    Softmax {
        /// Number of classes, at least 2.
        n_classes: u32,
    },
    /// The median, by absolute error: outliers pull no harder than others.
    AbsoluteError,
    /// A number, by a loss that is quadratic near the target and straight beyond.
    Huber {
        /// Where it turns straight, in the units of the target.
        delta: f64,
    },
    /// A quantile of the target, by pinball loss.
    Quantile {
        /// Its level, between 0 and 1.
        level: f64,
    },
    /// Several quantiles at once, which never cross: the predictions of a row are put in order (Chernozhukov,
    /// Fernández-Val and Galichon 2010, "Quantile and probability curves without crossing": this never adds to the loss).
    Quantiles(Quantiles),
    /// A count or a rate, 0 or more: calls to support, top-ups a month.
    Poisson,
    /// A positive amount whose spread grows with its mean.
    Gamma,
    /// An amount that is often exactly 0: spend on roaming.
    Tweedie {
        /// Power of the variance, between 1 (Poisson) and 2 (Gamma).
        power: f64,
    },
    /// An order within groups ([`FitOptions::with_groups`](crate::FitOptions::with_groups)), by pairs: of a subscriber's
    /// offers, those with the higher target first.
    Pairwise,
    /// The same, where the first places matter most (LambdaMART); targets are grades from 0 to 31.
    LambdaMart {
        /// How many places are judged.
        at: u32,
    },
    /// A relative risk from times of which some are not over yet
    /// ([`FitOptions::with_events`](crate::FitOptions::with_events)), by Cox's partial likelihood with Breslow's rule for
    /// ties. Nothing is said of when: the model has no baseline.
    Cox,
    /// A time of which some are not over yet, by an accelerated failure time model: `ln t = s + scale * noise`.
    Aft {
        /// How the noise is spread.
        distribution: AftDistribution,
        /// How far it is spread.
        scale: f64,
    },
    /// A loss of the user's own ([`FitOptions::with_loss`](crate::FitOptions::with_loss)); predictions are scores.
    Custom,
}

/// Levels of quantiles, ascending; at most 16.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    n: u8,
    levels: [f64; 16],
}

impl std::fmt::Debug for Quantiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.levels()).finish()
    }
}

impl Quantiles {
    /// Takes the levels.
    ///
    /// # Errors
    /// When there are none or more than 16, one is not between 0 and 1, or they do not ascend.
    pub fn new(levels: &[f64]) -> Result<Self> {
        let mut own = [0.0; 16];
        if levels.len() > own.len() {
            let problem = format!("at most {} are taken, found {}", own.len(), levels.len());
            return Err(Error::param("quantiles", problem));
        }
        own[..levels.len()].copy_from_slice(levels);
        let quantiles = Self {
            n: levels.len() as u8,
            levels: own,
        };
        quantiles.validate()?;
        Ok(quantiles)
    }

    /// The levels.
    pub fn levels(&self) -> &[f64] {
        &self.levels[..(self.n as usize).min(self.levels.len())]
    }

    fn validate(&self) -> Result<()> {
        let levels = self.levels();
        if levels.is_empty() || usize::from(self.n) > self.levels.len() {
            return Err(Error::param("quantiles", "there must be 1 to 16 levels"));
        }
        let good =
            |i: usize| levels[i] > 0.0 && levels[i] < 1.0 && (i == 0 || levels[i] > levels[i - 1]);
        match (0..levels.len()).find(|&i| !good(i)) {
            None => Ok(()),
            Some(i) => {
                let problem = format!("must ascend between 0 and 1, found {} at {i}", levels[i]);
                Err(Error::param("quantiles", problem))
            }
        }
    }
}

/// Probabilities are kept this far from 0 and 1 in the starting score.
const EDGE: f64 = 1e-15;

impl Objective {
    /// Several quantiles at once.
    ///
    /// # Errors
    /// As [`Quantiles::new`].
    pub fn quantiles(levels: &[f64]) -> Result<Self> {
        Quantiles::new(levels).map(Self::Quantiles)
    }

    /// Predictions of a row: one, or one a class or level.
    pub fn n_outputs(&self) -> usize {
        match self {
            Self::Softmax { n_classes } => *n_classes as usize,
            Self::Quantiles(quantiles) => quantiles.levels().len(),
            _ => 1,
        }
    }

    /// Classes of the target; `None` for numbers.
    pub fn n_classes(&self) -> Option<usize> {
        match self {
            Self::Binary => Some(2),
            Self::Softmax { n_classes } => Some(*n_classes as usize),
            _ => None,
        }
    }

    /// Refuses numbers that the objective is not defined for.
    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |name: &'static str, rule: &str, found: f64| {
            Err(Error::param(name, format!("must be {rule}, found {found}")))
        };
        match *self {
            Self::Softmax { n_classes } if !(2..=1 << 16).contains(&n_classes) => {
                refuse("n_classes", "2 to 65536", n_classes.into())
            }
            Self::Huber { delta } if !(delta > 0.0 && delta.is_finite()) => {
                refuse("delta", "above 0", delta)
            }
            Self::Quantile { level } if !(level > 0.0 && level < 1.0) => {
                refuse("level", "between 0 and 1", level)
            }
            Self::Tweedie { power } if !(power > 1.0 && power < 2.0) => {
                refuse("power", "between 1 and 2", power)
            }
            Self::LambdaMart { at: 0 } => refuse("at", "at least 1", 0.0),
            Self::Aft { scale, .. } if !(scale > 0.0 && scale.is_finite()) => {
                refuse("scale", "above 0", scale)
            }
            Self::Quantiles(quantiles) => quantiles.validate(),
            _ => Ok(()),
        }
    }

    /// Whether rows are compared within groups.
    pub(crate) fn needs_groups(&self) -> bool {
        matches!(self, Self::Pairwise | Self::LambdaMart { .. })
    }

    /// Whether targets are times, some of which may not be over.
    pub(crate) fn takes_events(&self) -> bool {
        matches!(self, Self::Cox | Self::Aft { .. })
    }

    /// Whether a higher prediction means later.
    pub(crate) fn predicts_time(&self) -> bool {
        !matches!(self, Self::Cox)
    }

    /// Whether the loss is a sum over rows.
    pub(crate) fn is_by_row(&self) -> bool {
        !self.needs_groups() && !matches!(self, Self::Cox)
    }

    /// Refuses targets that the loss is not made for.
    pub(crate) fn check(self, y: &[f32]) -> Result<()> {
        let good = |y: f32| match self {
            Self::Binary => y == 0.0 || y == 1.0,
            Self::Softmax { n_classes } => y >= 0.0 && y < n_classes as f32 && y.fract() == 0.0,
            Self::Poisson | Self::Tweedie { .. } => y >= 0.0 && y.is_finite(),
            Self::Gamma | Self::Aft { .. } => y > 0.0 && y.is_finite(),
            Self::Cox => y >= 0.0 && y.is_finite(),
            Self::LambdaMart { .. } => (0.0..=31.0).contains(&y),
            _ => y.is_finite(),
        };
        if let Some(row) = y.iter().position(|&y| !good(y)) {
            let rule = match self {
                Self::Binary => "0 or 1".into(),
                Self::Softmax { n_classes } => {
                    format!("a whole number from 0 to {}", n_classes.saturating_sub(1))
                }
                Self::Poisson | Self::Tweedie { .. } | Self::Cox => "0 or more, and finite".into(),
                Self::Gamma | Self::Aft { .. } => "above 0, and finite".into(),
                Self::LambdaMart { .. } => "a grade from 0 to 31".into(),
                _ => String::from("a finite number"),
            };
            let problem = format!("must be {rule}, found {} in row {row}", y[row]);
            return Err(Error::data("y", problem));
        }
        let needs_some = matches!(self, Self::Poisson | Self::Tweedie { .. });
        if needs_some && !y.is_empty() && y.iter().all(|&y| y == 0.0) {
            return Err(Error::data("y", "all are 0: there is no rate to learn"));
        }
        Ok(())
    }

    /// The one score that fits all rows best, from the weighted mean of the targets; for objectives where it follows from
    /// that.
    pub(crate) fn base(self, mean: f64) -> f64 {
        match self {
            Self::Binary => {
                let p = mean.clamp(EDGE, 1.0 - EDGE);
                (p / (1.0 - p)).ln()
            }
            Self::Poisson | Self::Gamma | Self::Tweedie { .. } => mean.max(EDGE).ln(),
            _ => mean,
        }
    }

    /// The prediction that a score stands for; that of a softmax score needs its neighbours.
    #[inline]
    pub(crate) fn link(self, score: f64) -> f64 {
        match self {
            Self::Binary => 1.0 / (1.0 + (-score).exp()),
            Self::Poisson | Self::Gamma | Self::Tweedie { .. } | Self::Cox | Self::Aft { .. } => {
                score.exp()
            }
            _ => score,
        }
    }

    /// Turns the scores of a row into its predictions.
    pub(crate) fn link_row(self, row: &mut [f64]) {
        match self {
            Self::Softmax { .. } => {
                let most = row.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                row.iter_mut().for_each(|s| *s = (*s - most).exp());
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            Self::Quantiles(_) => row.sort_unstable_by(f64::total_cmp),
            _ => row.iter_mut().for_each(|s| *s = self.link(*s)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_targets_are_named_with_their_row() {
        let refuse = |o: Objective, y: &[f32]| o.check(y).unwrap_err().to_string();
        assert_eq!(
            refuse(Objective::Binary, &[0.0, 1.0, 2.0]),
            "y: must be 0 or 1, found 2 in row 2"
        );
        for numeric in [
            Objective::SquaredError,
            Objective::AbsoluteError,
            Objective::Huber { delta: 1.0 },
            Objective::Quantile { level: 0.5 },
        ] {
            assert_eq!(
                refuse(numeric, &[0.0, f32::NAN]),
                "y: must be a finite number, found NaN in row 1"
            );
        }
        assert_eq!(
            refuse(Objective::Softmax { n_classes: 3 }, &[2.0, 1.5]),
            "y: must be a whole number from 0 to 2, found 1.5 in row 1"
        );
        assert_eq!(
            refuse(Objective::Softmax { n_classes: 3 }, &[3.0]),
            "y: must be a whole number from 0 to 2, found 3 in row 0"
        );
        assert_eq!(
            refuse(Objective::Poisson, &[0.0, -1.0]),
            "y: must be 0 or more, and finite, found -1 in row 1"
        );
        assert_eq!(
            refuse(Objective::Gamma, &[1.0, 0.0]),
            "y: must be above 0, and finite, found 0 in row 1"
        );
        assert_eq!(
            refuse(Objective::Tweedie { power: 1.5 }, &[0.0, 0.0]),
            "y: all are 0: there is no rate to learn"
        );
    }

    #[test]
    fn wrong_numbers_of_an_objective_are_named() {
        let refuse = |o: Objective| o.validate().unwrap_err().to_string();
        assert_eq!(
            refuse(Objective::Softmax { n_classes: 1 }),
            "n_classes: must be 2 to 65536, found 1"
        );
        assert_eq!(
            refuse(Objective::Huber { delta: 0.0 }),
            "delta: must be above 0, found 0"
        );
        assert_eq!(
            refuse(Objective::Quantile { level: 1.0 }),
            "level: must be between 0 and 1, found 1"
        );
        assert_eq!(
            refuse(Objective::Tweedie { power: 2.0 }),
            "power: must be between 1 and 2, found 2"
        );
        assert_eq!(
            Objective::quantiles(&[0.5, 0.5]).unwrap_err().to_string(),
            "quantiles: must ascend between 0 and 1, found 0.5 at 1"
        );
        assert!(Objective::quantiles(&[]).is_err() && Objective::quantiles(&[0.1; 17]).is_err());
    }

    #[test]
    fn links_turn_scores_into_predictions() {
        // e^0 : e^ln 3 = 1 : 3.
        let mut row = [1000.0, 1000.0 + 3f64.ln()];
        Objective::Softmax { n_classes: 2 }.link_row(&mut row);
        assert!((row[0] - 0.25).abs() < 1e-12 && (row[1] - 0.75).abs() < 1e-12);
        let mut row = [3.0, 1.0, 2.0];
        let quantiles = Objective::quantiles(&[0.1, 0.5, 0.9]).unwrap();
        quantiles.link_row(&mut row);
        assert_eq!(row, [1.0, 2.0, 3.0]);
        assert_eq!(Objective::Poisson.link(0.0), 1.0);
    }
}
