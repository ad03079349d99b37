#![doc = include_str!("../README.md")]

mod additive;
mod bins;
mod boost;
mod calibrate;
mod conformal;
mod constraints;
mod cv;
pub mod forest;
mod grow;
mod histogram;
pub mod interop;
mod isotonic;
mod judge;
mod kernel;
mod leaves;
mod measure;
mod metric;
mod model;
mod objective;
mod options;
mod params;
mod report;
mod sampling;
mod segmented;
mod split;
mod start;

pub use additive::{
    Curve, CurvePoint, Direction, Ebm, EbmParams, EbmReport, Edit, Pairs, Piece, Surface,
};
pub use bins::BinnedData;
pub use calibrate::{
    Calibrated, Calibration, Calibrator, CalibratorParams, Temperature, fit_calibrated,
};
pub use conformal::{
    ConformalIntervals, ConformalSets, CvPlus, IntervalParams, SetParams, SetScore, Sparse,
    Threshold, fit_cv_plus,
};
pub use constraints::Monotone;
pub use cv::{CrossOutputs, CrossPrediction, cross_predict, cross_predict_outputs};
pub use measure::concordance;
pub use metric::{Better, Metric, MetricRows};
pub use model::{Gbm, Importance};
pub use objective::{AftDistribution, LossAt, Objective, Quantiles};
pub use options::{FitOptions, Round};
pub use params::{GbmParams, Growth, Refit};
pub use report::{FitReport, Stop};
pub use sampling::Sampling;
pub use segmented::{Choice, Gain, Judged, SegmentReport, Segmented, SegmentedParams};
