//! Exact Shapley and Banzhaf values of tree ensembles, and their interactions.
//!
//! The game: `v(S)` is what the ensemble is expected to say when only the features in `S` are known. It is a sum over
//! leaves. For one leaf of value `v` whose path asks the distinct features `1..m`, with unknown features taken both ways
//! in proportion to the covers (path-dependent; Algorithm 1 of Lundberg et al. 2018),
//!
//! `v(S) = v * prod_{j in S} o_j * prod_{j not in S} z_j` (1)
//!
//! where `o_j` is 1 when the row goes the leaf's way at all splits on feature `j`, else 0, and `z_j` is the product of
//! the parts of the cover that go the leaf's way there. Because `|S|! (m - |S| - 1)! / m!` is the integral of
//! `t^|S| (1 - t)^(m - |S| - 1)` over [0, 1], the Shapley value of feature `i` is
//!
//! `phi_i = v * (o_i - z_i) * integral over t of prod_{j != i} (o_j t + z_j (1 - t))` (2)
//!
//! and the Shapley interaction of two features, shared between its two places,
//!
//! `phi_ij = v / 2 * (o_i - z_i) * (o_j - z_j) * integral of prod_{k != i, j} (o_k t + z_k (1 - t))` (3)
//!
//! The integrands are polynomials of degree below `m`, for which Gauss-Legendre quadrature with `ceil(m / 2)` nodes is
//! exact; all factors are positive, so nothing cancels and no division is needed (the recursive form divides by `z_j`).
//! The Banzhaf index is the integrand at `t = 1/2`.
//!
//! Where a background row stands for what is unknown (interventional), `z_j` is its own answer, 0 or 1. With `a` steps
//! that only the row follows and `b` that only the background row follows, the integral is a beta function: a step of
//! the first kind gets
//!
//! `phi_i = v * integral of t^(a - 1) (1 - t)^b = v (a - 1)! b! / (a + b)!` (4)
//!
//! one of the second kind `-v a! (b - 1)! / (a + b)!`, pairs accordingly; and where neither follows, nobody gets
//! anything. Averaged over the background this depends on nothing but the share of background rows with each pattern of
//! answers. So the background is counted once, and costs a row that is explained nothing.
//!
//! `phi` depends on the row only through the bits `o`, too. So it is tabulated: leaves that lie together share a code of
//! a few bits, and a row costs one look-up for each group and feature. Paths with too many features for one table are
//! cut into parts with a table each, and (2) is summed up row by row; or, for (3) and (4), each pattern is worked out
//! when it is met.
//!
//! # References
//! S. Lundberg, G. Erion, S.-I. Lee (2018), "Consistent individualized feature attribution for tree ensembles";
//! J. Yang (2021), "Fast TreeSHAP" (tables of subsets, v2); P. Yu et al. (2022), "Linear TreeShap" (the polynomial);
//! R. Mitchell, E. Frank, G. Holmes (2022), "GPUTreeShap" (paths with merged features);
//! A. Nadel, R. Wettenstein (2026), "WOODELF" (decision patterns, of rows and of background rows); J. Banzhaf (1965),
//! "Weighted voting doesn't work". The quadrature and the shared codes are our own.

mod background;
mod deep;
mod engine;
mod game;
mod importance;
mod interactions;
mod kernel;
mod params;
mod paths;
mod quadrature;
mod table;
mod values;

pub use engine::Unknown;
pub use game::Index;
pub use importance::{Dependence, DependenceBin, FeatureImportance, dependence, importance};
pub use interactions::TreeInteractions;
pub use params::TreeShapParams;
pub use values::TreeShap;
