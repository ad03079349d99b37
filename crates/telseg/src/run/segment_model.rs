//! The model behind the segments.

use std::sync::Arc;

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis};
use serde::{Deserialize, Serialize};
use telseg_cluster::KMeans;
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result};

use crate::pipeline::Segmenter;

/// A model that puts rows into groups: segments, counted from 0, and after the last those in none, where it knows such.
///
/// Part of a saved run: new methods go before the last, the caller's own, which has no saved form.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum SegmentModel {
    KMeans(Box<KMeans<f32>>),
    #[serde(skip)]
    Own(Arc<Segmenter>),
}

impl std::fmt::Debug for SegmentModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KMeans(model) => f.debug_tuple("KMeans").field(model).finish(),
            Self::Own(_) => f.write_str("Own"),
        }
    }
}

impl SegmentModel {
    /// The group of each row.
    pub(crate) fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>> {
        match self {
            Self::KMeans(model) => model.predict(x),
            Self::Own(model) => model.predict(x),
        }
    }

    /// The group of one row.
    pub(crate) fn predict_row(&self, row: &ArrayRef1<f32>) -> Result<u32> {
        match self {
            Self::KMeans(model) => model.predict_row(row),
            Self::Own(model) => {
                let labels = model.predict(&row.view().insert_axis(Axis(0)))?;
                let first = labels.first().copied();
                first.ok_or_else(|| Error::shape("segment_with", "1 label", "0"))
            }
        }
    }

    /// How many groups there are; `None` when only the caller knows.
    pub(crate) fn n_groups(&self) -> Option<usize> {
        match self {
            Self::KMeans(model) => Some(model.n_clusters()),
            Self::Own(_) => None,
        }
    }

    /// Columns that it takes; `None` when only the caller knows.
    pub(crate) fn n_features(&self) -> Option<usize> {
        match self {
            Self::KMeans(model) => Some(model.n_features()),
            Self::Own(_) => None,
        }
    }

    /// Whether it can be saved.
    pub(crate) fn has_saved_form(&self) -> bool {
        !matches!(self, Self::Own(_))
    }

    /// Checks what was loaded.
    pub(crate) fn validate(&self) -> Result<()> {
        match self {
            Self::KMeans(model) => Artefact::validate(&**model),
            Self::Own(_) => Ok(()),
        }
    }
}
