//! From scores to predictions.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// How the scores of a row become its predictions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Link {
    /// The score itself.
    Identity,
    /// `1 / (1 + exp(-slope * score))`, each score alone: a probability.
    Logistic {
        /// LightGBM's `sigmoid`; 1 elsewhere.
        slope: f64,
    },
    /// `exp(score)`: a mean of counts or amounts.
    Exp,
    /// `exp(score) / sum of exp(scores)`: the probabilities of several classes.
    Softmax,
    /// `sign(score) * score²`: LightGBM's `reg_sqrt`.
    SignedSquare,
    /// `ln(1 + exp(score))`: LightGBM's `cross_entropy_lambda`.
    Softplus,
    /// 1 where the score is above 0, else 0: XGBoost's `binary:hinge`.
    Step,
}

impl Link {
    /// Turns the scores of one row into its predictions.
    pub fn apply(self, scores: &mut [f64]) {
        match self {
            Self::Softmax => {
                let top = scores.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
                scores.iter_mut().for_each(|s| *s = (*s - top).exp());
                let sum: f64 = scores.iter().sum();
                scores.iter_mut().for_each(|s| *s /= sum);
            }
            _ => scores.iter_mut().for_each(|s| *s = self.of_one(*s)),
        }
    }

    fn of_one(self, score: f64) -> f64 {
        match self {
            Self::Identity | Self::Softmax => score,
            Self::Logistic { slope } => 1.0 / (1.0 + (-slope * score).exp()),
            Self::Exp => score.exp(),
            Self::SignedSquare => score * score.abs(),
            // ln(1 + exp(s)) without overflow.
            Self::Softplus => score.max(0.0) + (-score.abs()).exp().ln_1p(),
            Self::Step => f64::from(u8::from(score > 0.0)),
        }
    }

    pub(super) fn validate(self) -> Result<()> {
        match self {
            Self::Logistic { slope } if !(slope > 0.0 && slope.is_finite()) => Err(Error::data(
                "link",
                format!("the slope must be above 0, found {slope}"),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(link: Link, scores: [f64; 2]) -> [f64; 2] {
        let mut out = scores;
        link.apply(&mut out);
        out
    }

    #[test]
    fn links_are_their_formulas() {
        let ln3 = 3.0f64.ln();
        assert_eq!(linked(Link::Identity, [-2.0, 5.0]), [-2.0, 5.0]);
        // 1 / (1 + 1/3) and 1 / (1 + 3).
        let [p, q] = linked(Link::Logistic { slope: 2.0 }, [ln3 / 2.0, -ln3 / 2.0]);
        assert!((p - 0.75).abs() < 1e-15 && (q - 0.25).abs() < 1e-15);
        let [a, b] = linked(Link::Softmax, [1000.0 + ln3, 1000.0]);
        assert!((a - 0.75).abs() < 1e-12 && (b - 0.25).abs() < 1e-12);
        assert_eq!(linked(Link::SignedSquare, [-3.0, 2.0]), [-9.0, 4.0]);
        let [far, zero] = linked(Link::Softplus, [800.0, 0.0]);
        assert!(far == 800.0 && (zero - 2.0f64.ln()).abs() < 1e-15);
        assert_eq!(linked(Link::Step, [0.0, 1e-9]), [0.0, 1.0]);
        assert_eq!(linked(Link::Exp, [0.0, ln3]), [1.0, ln3.exp()]);
    }
}
