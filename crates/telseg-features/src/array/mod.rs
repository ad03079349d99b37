//! Cleaning, scaling and encoding of plain arrays, a column at a time.
//!
//! Every piece here works on each column for itself: what is learnt of a column does not depend on the others, columns
//! are learnt in parallel, and the result has the same bits for any number of threads. Statistics are kept in double
//! precision whatever the table's type. NaN means missing: it is left out when learning and kept when transforming,
//! except by [`Imputer`] and [`NumericPipeline`], which fill it. Infinite values are errors.

mod codes;
mod columns;
mod impute;
mod normal;
mod pipeline;
mod quantile;
mod quantile_transform;
mod saved;
mod scale;
mod winsor;

pub use codes::{
    LevelOrder, OneHot, OneHotColumn, OneHotParams, OrdinalColumn, OrdinalEncoder,
    OrdinalEncoderParams, Slot, UnseenCode,
};
pub use impute::{
    ImputeWith, ImputedColumn, Imputer, ImputerParams, MissingIndicator, MissingIndicatorParams,
};
pub use pipeline::{
    Log1p, NumericColumn, NumericPipeline, NumericPipelineParams, ScaleWith, ScaledColumn,
};
pub use quantile_transform::{
    QuantileColumn, QuantileOutput, QuantileTransformer, QuantileTransformerParams,
};
pub use scale::{
    AffineColumn, RobustScaler, RobustScalerParams, StandardScaler, StandardScalerParams,
};
pub use winsor::{WinsorColumn, Winsorizer, WinsorizerParams};

#[cfg(feature = "arrow")]
pub(crate) use columns::Sample;
#[cfg(feature = "arrow")]
pub(crate) use quantile::quantiles;
#[cfg(feature = "arrow")]
pub(crate) use saved::Sound;
