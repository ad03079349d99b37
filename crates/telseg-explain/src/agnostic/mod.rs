//! Attributions of any model: a closure from rows to scores is all that is known of it.
//!
//! The game: `v(S)` is the mean score of the background rows after the features in `S` have got the values of the row that
//! is explained (Lundberg & Lee 2017, with independent replacement). [`KernelShap`] and [`PermutationShap`] estimate its
//! Shapley values from some coalitions and say how far off they may be; [`LinearShap`] knows them.
//!
//! # References
//! S. Lundberg, S.-I. Lee (2017), "A unified approach to interpreting model predictions"; I. Covert, S.-I. Lee (2021),
//! "Improving KernelSHAP: practical Shapley value estimation via linear regression"; E. Strumbelj, I. Kononenko (2014),
//! "Explaining prediction models and individual predictions with feature contributions"; R. Mitchell et al. (2022),
//! "Sampling permutations for Shapley value estimation"; K. Aas, M. Jullum, A. Loland (2021), "Explaining individual
//! predictions when features are dependent".

mod coalitions;
mod game;
mod kernel;
mod linear;
mod permutations;

pub use coalitions::{Coalitions, Pairing};
pub use game::Attribution;
pub(crate) use game::{ask, check_groups};
pub use kernel::{KernelShap, KernelShapParams};
pub use linear::{LinearBackground, LinearShap, LinearShapParams};
pub use permutations::{PermutationShap, PermutationShapParams};
