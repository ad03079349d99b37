//! The saved form: what the model consists of; the layout for the kernels is made anew, with the same bits.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar};

use super::covariance::Covariances;
use super::density::{self, Density, Parameters};
use super::model::{GaussianMixture, GaussianReport};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Saved<F: Scalar> {
    weights: Array1<f64>,
    means: Array2<f64>,
    covariances: Covariances,
    shift: Array1<F>,
    report: GaussianReport,
}

impl<F: Scalar> From<GaussianMixture<F>> for Saved<F> {
    fn from(model: GaussianMixture<F>) -> Self {
        Self {
            shift: Array1::from(model.density.shift),
            weights: model.parameters.weights,
            means: model.parameters.means,
            covariances: model.parameters.covariances,
            report: model.report,
        }
    }
}

impl<F: Scalar> TryFrom<Saved<F>> for GaussianMixture<F> {
    type Error = Error;

    fn try_from(saved: Saved<F>) -> Result<Self> {
        density::check(&saved.weights, &saved.means, &saved.covariances)?;
        if saved.shift.len() != saved.means.ncols() || !saved.shift.iter().all(|s| s.is_finite()) {
            return Err(Error::data("shift", "expected a finite number a column"));
        }
        let report = &saved.report;
        let mut judged = report.trace.iter().chain(&report.starts);
        let within = |j: &u32| (*j as usize) < saved.weights.len();
        if !(judged.all(|v| !v.is_nan())
            && report.criteria.check()
            && report.collapsed.iter().all(within))
        {
            return Err(Error::data("report", "holds what no fit reports"));
        }
        let parameters = Parameters {
            weights: saved.weights,
            means: saved.means,
            covariances: saved.covariances,
        };
        let density = Density::new(&parameters, &saved.shift.to_vec())?;
        Ok(Self {
            parameters,
            density,
            report: saved.report,
            labels: Array1::default(0),
        })
    }
}
