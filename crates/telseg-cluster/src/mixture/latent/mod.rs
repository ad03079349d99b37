//! Latent classes: a mixture for numbers, codes and counts together, with missing values.
//!
//! Within a class the columns are independent: `p(x) = sum_c w_c prod_j p_cj(x_j)`. Each column is normal, categorical,
//! Poisson or zero-inflated Poisson ([`Family`]). A missing cell drops out of the product, which is the likelihood of
//! what was observed (full information): no imputation, no row left out. That is right when whether a cell is missing
//! does not depend on its value once the observed ones are known (missing at random).
//!
//! EM in log space and double precision. The M step is exact for every family; `smoothing` adds pseudo-rows to each
//! class, so that no probability becomes 0 and no variance vanishes. It then maximises likelihood times prior, which
//! never falls:
//!
//! | of a class with `R` observed rows | with `a = smoothing` pseudo-rows |
//! | --- | --- |
//! | share | `(R + a) / (n + k a)` |
//! | categorical, `L` levels | `(R_l + a / L) / (R + a)` |
//! | normal | mean as observed; variance `(sum r (x - m)^2 + a s^2) / (R + a)`, `s^2` of all rows |
//! | Poisson | `(sum r x + a m) / (R + a)`, `m` of all rows |
//! | zero-inflated Poisson | as Poisson among rows that are not structural zeros, `m` of all positive cells; share of those zeros `(Z + a / 2) / (R + a)` |
//!
//! # References
//! - P. Lazarsfeld, N. Henry (1968), "Latent Structure Analysis".
//! - D. Lambert (1992), "Zero-inflated Poisson regression, with an application to defects in manufacturing".
//! - S. Morin, R. Legault, F. Laliberté, Z. Bakk, C.-É. Giguère, R. de la Sablonnière, É. Lacourse (2025), "StepMix: a
//!   Python package for pseudo-likelihood estimation of generalized mixture models with external variables".

mod cells;
mod column;
mod counts;
mod em;
mod model;
mod params;
mod saved;
mod start;
mod stats;
mod update;

pub use column::LatentColumn;
pub use model::{LatentClass, LatentReport};
pub use params::{Family, LatentClassParams, LatentInit};
pub use stats::{LatentColumnStats, LatentStats};
