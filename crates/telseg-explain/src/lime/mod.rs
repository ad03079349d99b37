//! LIME: a linear stand-in for a model around one row, from the model's answers to rows nearby.
//!
//! # References
//! M. Ribeiro, S. Singh, C. Guestrin (2016), "Why should I trust you? Explaining the predictions of any classifier";
//! B. Efron et al. (2004), "Least angle regression"; G. Visani et al. (2022), "Statistical stability indices for LIME".

mod lars;
mod local;
mod stability;
mod tabular;
mod text;

pub use local::{LocalModel, LocalModelParams, Selection};
pub use stability::{Stability, StableFeature};
pub use tabular::{Bins, Lime, LimeParams, LocalCondition, LocalExplanation, Part};
pub use text::{LimeText, LimeTextParams, TextExplanation, WordPart};
