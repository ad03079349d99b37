//! What an encoder is asked to do.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::array::{
    ImputeWith, LevelOrder, Log1p, NumericPipeline, NumericPipelineParams, ScaleWith, UnseenCode,
};

/// How texts become numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CategoryEncoding {
    /// A 0/1 feature for each level, `(missing)` among them when cells were missing at fit. A column with two levels
    /// and no missing cell becomes one feature, for the second level.
    OneHot {
        /// Levels that keep a feature of their own, the most frequent ones; the rest share `(other)`.
        max_levels: usize,
        /// Levels in a smaller share of the rows share `(other)`, too.
        min_share: f64,
    },
    /// One feature that holds the level's code; NaN for missing cells and levels not seen at fit.
    Ordinal {
        /// Which code goes to which level.
        order: LevelOrder,
    },
}

/// What a [`TableEncoder`](super::TableEncoder) is asked to do: start from [`for_distances`](Self::for_distances) or
/// [`for_trees`](Self::for_trees).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableEncoderParams {
    /// Steps for numbers and dates.
    pub numeric: NumericPipelineParams,
    /// Columns with a larger share of missing cells get an indicator; `None` makes none.
    pub missing_indicator: Option<f64>,
    /// How texts become numbers.
    pub categories: CategoryEncoding,
    /// What happens to levels not seen at fit: `(other)` if the column has it, else zeros or NaN; or an error.
    pub unseen: UnseenCode,
}

impl TableEncoderParams {
    /// For methods that measure distances or add columns up (k-means, SOM, linear models): numbers are filled with the
    /// median, clipped at the 1st and 99th percentile, replaced by `ln(1 + x)` where skewed and standardised; texts
    /// become 0/1 features, 20 levels at most and none below 1 % of the rows; columns with more than 2 % missing get an
    /// indicator.
    pub fn for_distances() -> Self {
        Self {
            numeric: NumericPipeline::params().with_log1p(Log1p::Skewed),
            missing_indicator: Some(0.02),
            categories: CategoryEncoding::OneHot {
                max_levels: 20,
                min_share: 0.01,
            },
            unseen: UnseenCode::Ignore,
        }
    }

    /// For trees: numbers as they are, missing ones NaN; texts as codes in the order of the alphabet, missing and
    /// unseen ones NaN.
    pub fn for_trees() -> Self {
        Self {
            numeric: NumericPipeline::params()
                .with_impute(None)
                .with_winsor(None)
                .with_scale(ScaleWith::None),
            missing_indicator: None,
            categories: CategoryEncoding::Ordinal {
                order: LevelOrder::Value,
            },
            unseen: UnseenCode::Ignore,
        }
    }

    /// What fills missing numbers; `None` leaves NaN.
    pub fn with_impute(mut self, impute: Option<ImputeWith>) -> Self {
        self.numeric.impute = impute;
        self
    }

    /// Quantiles that numbers are clipped to; `None` does not clip.
    pub fn with_winsor(mut self, quantiles: Option<(f64, f64)>) -> Self {
        self.numeric.winsor = quantiles;
        self
    }

    /// Whether numbers are replaced by `ln(1 + x)`.
    pub fn with_log1p(mut self, log1p: Log1p) -> Self {
        self.numeric.log1p = log1p;
        self
    }

    /// How numbers are brought to a common scale.
    pub fn with_scale(mut self, scale: ScaleWith) -> Self {
        self.numeric.scale = scale;
        self
    }

    /// The share of missing cells above which a number column gets an indicator; `None` makes none.
    pub fn with_missing_indicator(mut self, min_share: Option<f64>) -> Self {
        self.missing_indicator = min_share;
        self
    }

    /// How texts become numbers.
    pub fn with_categories(mut self, categories: CategoryEncoding) -> Self {
        self.categories = categories;
        self
    }

    /// What happens to levels not seen at fit.
    pub fn with_unseen(mut self, unseen: UnseenCode) -> Self {
        self.unseen = unseen;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When a value is out of range; the message names the parameter.
    pub fn validate(&self) -> Result<()> {
        self.numeric.validate()?;
        let share = |name: &'static str, v: f64| {
            if (0.0..=1.0).contains(&v) {
                return Ok(());
            }
            Err(Error::param(
                name,
                format!("must be within 0 to 1, not {v}"),
            ))
        };
        if let Some(v) = self.missing_indicator {
            share("missing_indicator", v)?;
        }
        if let CategoryEncoding::OneHot {
            max_levels,
            min_share,
        } = self.categories
        {
            share("min_share", min_share)?;
            if max_levels == 0 {
                return Err(Error::param("max_levels", "must be at least 1"));
            }
        }
        Ok(())
    }
}
