#![doc = include_str!("../README.md")]

pub mod array;
#[cfg(feature = "arrow")]
pub mod table;

pub use array::{
    ImputeWith, Imputer, ImputerParams, LevelOrder, Log1p, MissingIndicator,
    MissingIndicatorParams, NumericPipeline, NumericPipelineParams, OneHot, OneHotParams,
    OrdinalEncoder, OrdinalEncoderParams, QuantileOutput, QuantileTransformer,
    QuantileTransformerParams, RobustScaler, RobustScalerParams, ScaleWith, StandardScaler,
    StandardScalerParams, UnseenCode, Winsorizer, WinsorizerParams,
};
#[cfg(feature = "arrow")]
pub use table::{
    CategoryEncoding, Cell, Column, ColumnQuality, CsvOptions, Encoding, FeatureKind, Features,
    ReadReport, Role, SchemaParams, Table, TableEncoder, TableEncoderParams, TableSchema,
    TargetColumn, quality,
};
