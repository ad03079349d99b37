//! What a model leans on over all rows: how much worse it gets without a column, and which columns share their credit.

mod permutation;
mod shared;

pub use permutation::{
    Better, GroupImportance, PermutationImportance, PermutationImportanceParams,
};
pub use shared::{SharedCredit, shared_credit};
