//! Saved forms of older versions.

use ndarray::{Array1, Array2};
use serde::Deserialize;
use telseg_core::Scalar;

use super::codebook::Codebook;
use super::model::{KMeans, KMeansReport};
use super::params::Distance;

/// The body of a [`KMeans`] of version 1, which knew one distance; for saved forms that hold such a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound = "")]
pub struct KMeansV1<F: Scalar> {
    centers: Array2<F>,
    shift: Array1<F>,
    report: KMeansReport,
}

impl<F: Scalar> From<KMeansV1<F>> for KMeans<F> {
    fn from(old: KMeansV1<F>) -> Self {
        let codebook = Codebook {
            centers: old.centers,
            shift: old.shift,
            distance: Distance::Euclidean,
        };
        Self::loaded(codebook, old.report)
    }
}
