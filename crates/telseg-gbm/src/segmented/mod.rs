//! One model for all subscribers, and corrections for those segments that need them.
//!
//! # References
//! The corrections continue boosting (J. Friedman 2001) from the scores of the global model, as curves (Y. Lou, R. Caruana,
//! J. Gehrke 2012), so that what is special about a segment can be read.

mod fit;
mod model;
mod params;

pub use model::{Choice, Gain, Judged, SegmentReport, Segmented};
pub use params::SegmentedParams;
