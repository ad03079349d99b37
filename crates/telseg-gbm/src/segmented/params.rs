//! What may be asked of a fit.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::{EbmParams, GbmParams, Pairs};

/// Parameters of a model by segments; [`Segmented::params`](crate::Segmented::params) starts from the defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SegmentedParams {
    /// The model of all rows.
    pub global: GbmParams,
    /// The corrections; objective and categorical columns are those of `global`. Default: curves without pairs,
    /// four bags, a learning rate of 0.1 and an early end after 20 rounds: many are tried, and few are kept.
    pub special: EbmParams,
    /// Fewest rows of a segment for a correction to be tried. Default 100.
    pub min_rows: usize,
    /// Folds that corrections are judged on. Default 5.
    pub n_folds: usize,
    /// How sure it must be that a correction helps, between 0.5 and 1. Default 0.95.
    pub level: f64,
    /// Root of the folds. Default 0.
    pub seed: u64,
}

impl SegmentedParams {
    pub(super) fn new(global: GbmParams) -> Self {
        let special = EbmParams::new(global.objective)
            .with_categorical(global.categorical.clone())
            .with_pairs(Pairs::Count(0))
            .with_n_bags(4)
            .with_learning_rate(0.1)
            .with_early_stopping(20);
        Self {
            global,
            special,
            min_rows: 100,
            n_folds: 5,
            level: 0.95,
            seed: 0,
        }
    }

    /// Sets [`special`](Self::special).
    #[must_use]
    pub fn with_special(mut self, special: EbmParams) -> Self {
        self.special = special;
        self
    }

    /// Sets [`min_rows`](Self::min_rows).
    #[must_use]
    pub fn with_min_rows(mut self, min_rows: usize) -> Self {
        self.min_rows = min_rows;
        self
    }

    /// Sets [`n_folds`](Self::n_folds).
    #[must_use]
    pub fn with_n_folds(mut self, n_folds: usize) -> Self {
        self.n_folds = n_folds;
        self
    }

    /// Sets [`level`](Self::level).
    #[must_use]
    pub fn with_level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Sets [`seed`](Self::seed).
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter alone and against the others; every fit does this first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        self.global.validate()?;
        self.special.validate()?;
        if self.special.objective != self.global.objective {
            return Err(Error::param(
                "special",
                "must have the objective of the global model",
            ));
        }
        if self.special.categorical != self.global.categorical {
            return Err(Error::param(
                "special",
                "must have the categorical columns of the global model",
            ));
        }
        if self.min_rows < 2 {
            return Err(Error::param(
                "min_rows",
                format!("must be at least 2, found {}", self.min_rows),
            ));
        }
        if self.n_folds < 2 {
            return Err(Error::param(
                "n_folds",
                format!("must be at least 2, found {}", self.n_folds),
            ));
        }
        if !(self.level > 0.5 && self.level < 1.0) {
            let problem = format!("must lie between 0.5 and 1, found {}", self.level);
            return Err(Error::param("level", problem));
        }
        Ok(())
    }
}
