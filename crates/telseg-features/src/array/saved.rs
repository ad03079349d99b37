//! The array pieces as saved models, and what must hold of each column for them to work.

use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result};

use super::{
    AffineColumn, ImputedColumn, Imputer, MissingIndicator, NumericColumn, NumericPipeline, OneHot,
    OneHotColumn, OrdinalColumn, OrdinalEncoder, QuantileColumn, QuantileTransformer, RobustScaler,
    ScaledColumn, StandardScaler, WinsorColumn, Winsorizer,
};

/// What was learnt of one column, when it may come from a file.
pub(crate) trait Sound {
    /// Whether everything holds that transforming relies on.
    fn is_sound(&self) -> bool;
}

impl Sound for ImputedColumn {
    fn is_sound(&self) -> bool {
        self.fill.is_finite()
    }
}

impl Sound for WinsorColumn {
    fn is_sound(&self) -> bool {
        self.low.is_finite() && self.high.is_finite() && self.low <= self.high
    }
}

impl Sound for AffineColumn {
    fn is_sound(&self) -> bool {
        self.shift.is_finite() && self.scale.is_finite() && self.scale != 0.0
    }
}

impl Sound for QuantileColumn {
    fn is_sound(&self) -> bool {
        let quantiles = &self.quantiles;
        // None: a column without any value. One alone leaves nothing to interpolate between.
        quantiles.len() != 1 && quantiles.iter().all(|v| v.is_finite()) && quantiles.is_sorted()
    }
}

impl Sound for NumericColumn {
    fn is_sound(&self) -> bool {
        let scale = match &self.scale {
            ScaledColumn::Affine(affine) => affine.is_sound(),
            ScaledColumn::Quantile(quantile) => quantile.is_sound(),
        };
        scale
            && self.impute.is_none_or(|c| c.is_sound())
            && self.winsor.is_none_or(|c| c.is_sound())
    }
}

impl Sound for OneHotColumn {
    fn is_sound(&self) -> bool {
        let ascending = |codes: &[i32]| codes.is_sorted_by(|a, b| a < b);
        ascending(&self.levels)
            && ascending(&self.rare)
            && self
                .rare
                .iter()
                .all(|c| self.levels.binary_search(c).is_err())
            && self.width() > 0
    }
}

impl Sound for OrdinalColumn {
    fn is_sound(&self) -> bool {
        let mut codes = self.levels.clone();
        codes.sort_unstable();
        !codes.is_empty() && codes.is_sorted_by(|a, b| a < b)
    }
}

/// There is a column, and each is sound.
fn check<C: Sound>(columns: &[C]) -> Result<()> {
    if columns.is_empty() {
        return Err(Error::data("columns", "there are none"));
    }
    match columns.iter().position(|c| !c.is_sound()) {
        None => Ok(()),
        Some(at) => {
            let problem = format!("what was learnt of column {at} is not sound");
            Err(Error::data("columns", problem))
        }
    }
}

macro_rules! saved {
    ($($model:ident $kind:literal,)*) => {$(
        impl Artefact for $model {
            const KIND: &'static str = $kind;
            const VERSION: u32 = 1;

            fn validate(&self) -> Result<()> {
                check(self.columns())
            }

            fn n_features(&self) -> Option<usize> {
                Some(self.columns().len())
            }
        }
    )*};
}

saved! {
    Imputer "imputer",
    Winsorizer "winsorizer",
    StandardScaler "standard_scaler",
    RobustScaler "robust_scaler",
    QuantileTransformer "quantile_transformer",
    NumericPipeline "numeric_pipeline",
    OneHot "one_hot",
    OrdinalEncoder "ordinal_encoder",
}

impl Artefact for MissingIndicator {
    const KIND: &'static str = "missing_indicator";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        let columns = self.columns();
        let within = columns.iter().all(|&j| (j as usize) < self.n_features());
        if self.n_features() > 0 && within && columns.is_sorted_by(|a, b| a < b) {
            return Ok(());
        }
        Err(Error::data(
            "columns",
            "must be ascending and below their number",
        ))
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.n_features())
    }
}
