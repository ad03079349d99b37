//! How well a mixture describes rows, and at what price in parameters.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// Likelihood, its penalised forms, and how sure the memberships are; where smaller is better, it says so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Criteria {
    /// Free parameters of the model.
    pub n_parameters: usize,
    /// Number of rows, or their total weight.
    pub weight: f64,
    /// Log-likelihood of all rows.
    pub log_likelihood: f64,
    /// `-sum_ij w_i r_ij ln r_ij`: 0 when every row is sure of its component.
    pub entropy: f64,
    /// `p ln n - 2 L`: Schwarz's criterion; smaller is better.
    pub bic: f64,
    /// `2 p - 2 L`: Akaike's criterion; smaller is better.
    pub aic: f64,
    /// `BIC + 2 entropy`: the integrated completed likelihood, which also asks that components lie apart; smaller is
    /// better.
    pub icl: f64,
    /// `1 - entropy / (n ln k)`: from 0, memberships say nothing, to 1, every row is sure.
    pub entropy_r2: f64,
}

impl Criteria {
    pub(crate) fn new(
        n_components: usize,
        n_parameters: usize,
        weight: f64,
        log_likelihood: f64,
        entropy: f64,
    ) -> Self {
        let p = n_parameters as f64;
        let bic = p * weight.ln() - 2.0 * log_likelihood;
        let most = weight * (n_components as f64).ln();
        Self {
            n_parameters,
            weight,
            log_likelihood,
            entropy,
            bic,
            aic: 2.0 * p - 2.0 * log_likelihood,
            icl: bic + 2.0 * entropy,
            entropy_r2: if most > 0.0 {
                1.0 - entropy / most
            } else {
                1.0
            },
        }
    }

    /// The value of one criterion; smaller is better.
    pub fn value(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Bic => self.bic,
            Criterion::Aic => self.aic,
            Criterion::Icl => self.icl,
        }
    }

    /// Refuses what no fit reports.
    pub(crate) fn check(&self) -> bool {
        let all = [
            self.log_likelihood,
            self.entropy,
            self.bic,
            self.aic,
            self.icl,
        ];
        self.weight > 0.0 && self.weight.is_finite() && all.iter().all(|v| !v.is_nan())
    }
}

/// What decides between models of different sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Criterion {
    /// Finds the number of components that generated the rows, given enough of them.
    Bic,
    /// Prefers larger models: for densities, not for segments.
    Aic,
    /// Prefers components that lie apart: for segments that people are assigned to.
    Icl,
}

/// One model that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MixtureCandidate {
    /// Its number of components.
    pub n_components: usize,
    /// How well it describes the rows.
    pub criteria: Criteria,
    /// Whether EM converged.
    pub converged: bool,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// The model with the best criterion, and what it was compared with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MixtureChoice<M> {
    /// The chosen model.
    pub model: M,
    /// All models that were tried, smallest first.
    pub candidates: Vec<MixtureCandidate>,
    /// Why the chosen one, in a sentence.
    pub reason: String,
}

/// Fits every size and keeps the model with the least criterion, the smallest of equals.
pub(crate) fn choose<M>(
    sizes: RangeInclusive<usize>,
    criterion: Criterion,
    mut fit: impl FnMut(usize) -> Result<(M, Criteria, bool)>,
) -> Result<MixtureChoice<M>> {
    if sizes.is_empty() || *sizes.start() == 0 {
        let found = format!("{}..={}", sizes.start(), sizes.end());
        return Err(Error::param(
            "n_components",
            format!("expected a range of at least one number above 0, found {found}"),
        ));
    }
    let (mut best, mut candidates) = (None::<(f64, usize, M)>, Vec::new());
    for n_components in sizes {
        let (model, criteria, converged) = fit(n_components)?;
        let value = criteria.value(criterion);
        if best.as_ref().is_none_or(|(least, ..)| value < *least) {
            best = Some((value, candidates.len(), model));
        }
        candidates.push(MixtureCandidate {
            n_components,
            criteria,
            converged,
            chosen: false,
        });
    }
    let (value, at, model) = best.expect("invariant: the range is not empty");
    candidates[at].chosen = true;
    let others = candidates.iter().filter(|c| !c.chosen);
    let next = others.min_by(|a, b| {
        let (a, b) = (a.criteria.value(criterion), b.criteria.value(criterion));
        a.total_cmp(&b)
    });
    let name = match criterion {
        Criterion::Bic => "BIC",
        Criterion::Aic => "AIC",
        Criterion::Icl => "ICL",
    };
    let mut reason = format!(
        "{} components: least {name}, {value:.1}",
        candidates[at].n_components
    );
    if let Some(next) = next {
        let behind = next.criteria.value(criterion) - value;
        reason += &format!("; next {} components, {behind:.1} more", next.n_components);
    }
    Ok(MixtureChoice {
        model,
        candidates,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_as_defined() {
        // L = -100, p = 5, n = e^2, entropy 1, two components.
        let n = 1f64.exp().powi(2);
        let c = Criteria::new(2, 5, n, -100.0, 1.0);
        assert!((c.bic - 210.0).abs() < 1e-12 && (c.icl - 212.0).abs() < 1e-12);
        assert_eq!(c.aic, 210.0);
        assert!((c.entropy_r2 - (1.0 - 1.0 / (n * 2f64.ln()))).abs() < 1e-12);
        assert_eq!(Criteria::new(1, 5, n, -100.0, 0.0).entropy_r2, 1.0);
    }

    #[test]
    fn the_least_wins_and_the_smallest_of_equals() {
        let fit = |k: usize| {
            let log_likelihood = [0.0, -10.0, -5.0, -5.0][k];
            Ok((k, Criteria::new(k, 0, 1.0, log_likelihood, 0.0), true))
        };
        let choice = choose(1..=3, Criterion::Bic, fit).unwrap();
        assert_eq!(choice.model, 2);
        assert_eq!(
            choice.reason,
            "2 components: least BIC, 10.0; next 3 components, 0.0 more"
        );
        assert!(choose(0..=3, Criterion::Bic, fit).is_err());
    }
}
