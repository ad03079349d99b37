//! What is asked of an explanation.

use serde::{Deserialize, Serialize};
use telseg_core::Result;
use telseg_core::trees::TreeEnsemble;

use super::engine::{Engine, Unknown};
use super::game::Index;
use super::interactions::TreeInteractions;
use super::values::TreeShap;

/// Parameters of [`TreeShap`] and [`TreeInteractions`]; start from [`TreeShap::params`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TreeShapParams {
    /// How coalitions are weighted. Default: Shapley.
    pub index: Index,
}

impl TreeShapParams {
    /// Sets how coalitions are weighted.
    pub fn with_index(mut self, index: Index) -> Self {
        self.index = index;
        self
    }

    /// Makes ready to attribute scores to features.
    ///
    /// # Errors
    /// When the ensemble breaks one of its invariants; when the background has the wrong width, no row or weights that
    /// are none; with a background, when a path asks more than 64 different features.
    ///
    /// # Cost
    /// About 2^8 times the number of leaves, in parallel over trees; the tables take at most 128 MB. A background adds
    /// one pass over its rows and, while it lasts, a copy of the columns that the trees ask about.
    pub fn fit(&self, ensemble: &TreeEnsemble, unknown: Unknown<'_>) -> Result<TreeShap> {
        Engine::new(ensemble, self.index, false, unknown).map(TreeShap::of)
    }

    /// Makes ready to attribute scores to features and pairs of features.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); a path that asks more than 64 different features is refused without a background too.
    ///
    /// # Cost
    /// As `fit`, times half the number of features of a path.
    pub fn fit_interactions(
        &self,
        ensemble: &TreeEnsemble,
        unknown: Unknown<'_>,
    ) -> Result<TreeInteractions> {
        let engine = Engine::new(ensemble, self.index, true, unknown)?;
        Ok(TreeInteractions::of(engine, self.index))
    }
}
