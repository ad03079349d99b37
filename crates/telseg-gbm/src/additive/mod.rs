//! Additive models: a curve for each column and a surface for some pairs, learnt by boosting (explainable boosting machine).
//!
//! # References
//! Y. Lou, R. Caruana, J. Gehrke (2012), "Intelligible models for classification and regression"; Y. Lou, R. Caruana,
//! J. Gehrke, G. Hooker (2013), "Accurate intelligible models with pairwise interactions".
//!
//! Here bags hold out rows without replacement, a missing value is a place of its own, and surfaces are purified.

mod axis;
mod cut;
mod cycle;
mod edit;
mod fit;
mod grid;
mod model;
mod params;
mod purify;
mod term;

pub use axis::Piece;
pub use edit::{Direction, Edit};
pub use model::{Ebm, EbmReport};
pub use params::{EbmParams, Pairs};
pub use term::{Curve, CurvePoint, Surface};
