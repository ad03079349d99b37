#![doc = include_str!("../README.md")]

mod agnostic;
mod counterfactual;
mod dense;
mod effects;
mod importance;
mod lime;
#[cfg(feature = "llm")]
pub mod llm;
mod medoids;
mod persona;
mod profile;
mod shap;
mod stats;
mod surrogate;

pub use agnostic::{
    Attribution, Coalitions, KernelShap, KernelShapParams, LinearBackground, LinearShap,
    LinearShapParams, Pairing, PermutationShap, PermutationShapParams,
};
pub use counterfactual::{
    Answer, Bundle, Change, Counterfactual, CounterfactualParams, Counterfactuals, Ended,
    FeatureRule, Goal, Moved,
};
pub use effects::{
    AccumulatedEffect, AccumulatedLevels, AccumulatedPair, AccumulatedParams, PairStrength,
    PairStrengths, PairStrengthsParams, PartialDependence, PartialDependenceParams, PartialPair,
};
pub use importance::{
    Better, GroupImportance, PermutationImportance, PermutationImportanceParams, SharedCredit,
    shared_credit,
};
pub use lime::{
    Bins, Lime, LimeParams, LimeText, LimeTextParams, LocalCondition, LocalExplanation, LocalModel,
    LocalModelParams, Part, Selection, Stability, StableFeature, TextExplanation, WordPart,
};
pub use medoids::medoids;
pub use persona::{
    Author, Draft, FactSheet, Measure, Persona, PersonaParams, Rejected, Sentence, SheetFact,
    TextGenerator, TextRequest, Violation, verify,
};
pub use profile::{
    Column, ColumnValues, Fact, MISSING, ProfileParams, Role, SegmentProfile, Statement, profile,
    profile_weighted,
};
pub use shap::{
    Dependence, DependenceBin, FeatureImportance, Index, TreeInteractions, TreeShap,
    TreeShapParams, Unknown, dependence, importance,
};
pub use surrogate::{Condition, Fidelity, SegmentRule, Surrogate, SurrogateParams, surrogates};
