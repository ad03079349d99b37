//! The report of a run: one HTML file for people, the same content as JSON for scripts.
//!
//! The page stands alone. It asks the network for nothing (its content security policy forbids
//! it to), runs no script, follows the light or dark setting of the reader, fits a phone and
//! prints. It holds aggregates only: its size depends on the numbers of columns and segments,
//! never on the number of rows.
//!
//! Fill a [`Report`] and write it; what is not known is left at its default and the page says so
//! or leaves it out.
//!
//! ```
//! use telseg::report::{Interval, Report, SegmentCard, Segmentation};
//!
//! let card = |id, name: &str, share, churn| SegmentCard {
//!     id,
//!     name: name.into(),
//!     n: (share * 7_043.0) as u64,
//!     share,
//!     churn_rate: Some(Interval::point(churn)),
//!     ..SegmentCard::default()
//! };
//! let report = Report {
//!     source: "customers.csv".into(),
//!     rows: 7_043,
//!     columns: 21,
//!     segmentation: Segmentation {
//!         k: 2,
//!         segments: vec![
//!             card(0, "Loyal on contract", 0.6, 0.09),
//!             card(1, "New on fibre", 0.4, 0.52),
//!         ],
//!         ..Segmentation::default()
//!     },
//!     ..Report::default()
//! };
//! let html = report.to_html();
//! assert!(html.contains("New on fibre"));
//! assert!(!html.contains("<script"));
//! ```

mod chart;
pub(crate) mod format;
mod model;
mod page;
mod section;
mod theme;
mod view;
mod write;

pub use model::{
    Calibration, Changes, ColumnQuality, ComparedMethod, DataQuality, Dependence, DependencePoint,
    Direction, FlowPlace, Heatmap, Importance, Interval, KCandidate, LeftOut, LevelEffect,
    LevelShare, Making, Map, MapPoint, MethodComparison, Persona, Prediction, Report, Role, Rule,
    SegmentCard, SegmentScore, Segmentation, Statement, StatementKind, Summary, Told, Words, World,
};
