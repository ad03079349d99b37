//! Mixtures: each segment is a distribution, and a row belongs to each of them with a probability.
//!
//! `p(x) = sum_j w_j p_j(x)`, fitted by expectation-maximisation (EM): the E step finds the probability `r_ij` that row
//! `i` is of component `j`, the M step fits every component to the rows weighted by it. The likelihood never falls.
//!
//! - [`gaussian`]: numbers, components of any elliptical shape; no missing values.
//! - [`latent`]: numbers, codes and counts together, independent within a segment; missing values are fine.
//!
//! # References
//! - A. Dempster, N. Laird, D. Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm".
//! - C. Biernacki, G. Celeux, G. Govaert (2000), "Assessing a mixture model for clustering with the integrated completed
//!   likelihood".

mod check;
mod criteria;
pub mod gaussian;
pub mod latent;
mod tiles;

pub use criteria::{Criteria, Criterion, MixtureCandidate, MixtureChoice};
