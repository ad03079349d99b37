//! The saved form: what the model consists of; the rest is made anew, with the same bits.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::column::{self, LatentColumn};
use super::em::Density;
use super::model::{LatentClass, LatentReport};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    weights: Array1<f64>,
    columns: Vec<LatentColumn>,
    report: LatentReport,
}

impl From<LatentClass> for Saved {
    fn from(model: LatentClass) -> Self {
        Self {
            weights: model.weights,
            columns: model.columns,
            report: model.report,
        }
    }
}

impl TryFrom<Saved> for LatentClass {
    type Error = Error;

    fn try_from(saved: Saved) -> Result<Self> {
        column::check(&saved.weights, &saved.columns)?;
        let report = &saved.report;
        let mut judged = report.trace.iter().chain(&report.starts);
        let within = |c: &u32| (*c as usize) < saved.weights.len();
        if !(judged.all(|v| !v.is_nan())
            && report.criteria.check()
            && report.collapsed.iter().all(within))
        {
            return Err(Error::data("report", "holds what no fit reports"));
        }
        Ok(Self {
            density: Density::new(&saved.weights, &saved.columns),
            weights: saved.weights,
            columns: saved.columns,
            report: saved.report,
            labels: Array1::default(0),
        })
    }
}
