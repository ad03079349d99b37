//! The model behind the segments.

use std::sync::Arc;

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis};
use serde::{Deserialize, Serialize};
use telseg_cluster::{
    ConstrainedKMeans, GaussianMixture, Hdbscan, Hierarchical, KMeans, KMedoids, KPrototypes,
    LatentClass,
};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result};

use crate::pipeline::Segmenter;
use crate::report::format::count;

/// A model that puts rows into groups: segments, counted from 0, and after the last those in none, where it knows such.
///
/// Part of a saved run: new methods go before the last, the caller's own, which has no saved form.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum SegmentModel {
    KMeans(Box<KMeans<f32>>),
    Sized(Box<ConstrainedKMeans<f32>>),
    KPrototypes(Box<KPrototypes<f32>>),
    Gaussian(Box<GaussianMixture<f32>>),
    Latent(Box<LatentClass>),
    Hdbscan(Box<Hdbscan<f32>>),
    Ward(Box<Hierarchical<f32>>),
    KMedoids(Box<KMedoids<f32>>),
    #[serde(skip)]
    Own(Arc<Segmenter>),
}

/// What the models have in common.
trait Grouping {
    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>>;
    fn predict_row(&self, row: &ArrayRef1<f32>) -> Result<u32>;
    fn n_groups(&self) -> usize;
    fn n_features(&self) -> usize;
    fn validate(&self) -> Result<()>;
}

macro_rules! grouping {
    ($($model:ty: $n:ident),* $(,)?) => {$(
        impl Grouping for $model {
            fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>> {
                self.predict(x)
            }

            fn predict_row(&self, row: &ArrayRef1<f32>) -> Result<u32> {
                self.predict_row(row)
            }

            fn n_groups(&self) -> usize {
                self.$n()
            }

            fn n_features(&self) -> usize {
                self.n_features()
            }

            fn validate(&self) -> Result<()> {
                Artefact::validate(self)
            }
        }
    )*};
}

grouping! {
    KMeans<f32>: n_clusters,
    ConstrainedKMeans<f32>: n_clusters,
    KPrototypes<f32>: n_clusters,
    GaussianMixture<f32>: n_components,
    LatentClass: n_components,
    Hierarchical<f32>: n_clusters,
    KMedoids<f32>: n_clusters,
}

/// The group after the last cluster holds the noise.
impl Grouping for Hdbscan<f32> {
    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>> {
        let none = self.n_clusters() as u32;
        Ok(self
            .predict(x)?
            .mapv(|label| label.cluster().unwrap_or(none)))
    }

    fn predict_row(&self, row: &ArrayRef1<f32>) -> Result<u32> {
        let none = self.n_clusters() as u32;
        Ok(self.predict_row(row)?.cluster().unwrap_or(none))
    }

    fn n_groups(&self) -> usize {
        self.n_clusters() + 1
    }

    fn n_features(&self) -> usize {
        self.n_features()
    }

    fn validate(&self) -> Result<()> {
        Artefact::validate(self)
    }
}

impl std::fmt::Debug for SegmentModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Self::KMeans(_) => "KMeans",
            Self::Sized(_) => "Sized",
            Self::KPrototypes(_) => "KPrototypes",
            Self::Gaussian(_) => "Gaussian",
            Self::Latent(_) => "Latent",
            Self::Hdbscan(_) => "Hdbscan",
            Self::Ward(_) => "Ward",
            Self::KMedoids(_) => "KMedoids",
            Self::Own(_) => "Own",
        };
        f.write_str(name)
    }
}

impl SegmentModel {
    /// What a reader should know of how the segments came about, as a further sentence.
    pub(crate) fn remark(&self) -> Option<String> {
        let Self::Sized(model) = self else {
            return None;
        };
        let report = model.report();
        let (least, most) = (report.sizes.iter().min()?, report.sizes.iter().max()?);
        let who = match report.n_displaced as u64 {
            0 => "everyone is in the nearest".to_owned(),
            1 => "1 is not in the nearest, so that the sizes hold".to_owned(),
            n => format!(
                "{} are not in the nearest, so that the sizes hold",
                count(n)
            ),
        };
        let (least, most) = (count(*least as u64), count(*most as u64));
        Some(format!(" Each has {least} to {most} of them; {who}."))
    }

    /// The built-in model, or the caller's own.
    fn inner(&self) -> std::result::Result<&dyn Grouping, &Segmenter> {
        match self {
            Self::KMeans(model) => Ok(&**model),
            Self::Sized(model) => Ok(&**model),
            Self::KPrototypes(model) => Ok(&**model),
            Self::Gaussian(model) => Ok(&**model),
            Self::Latent(model) => Ok(&**model),
            Self::Hdbscan(model) => Ok(&**model),
            Self::Ward(model) => Ok(&**model),
            Self::KMedoids(model) => Ok(&**model),
            Self::Own(model) => Err(&**model),
        }
    }

    /// The group of each row.
    pub(crate) fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<u32>> {
        match self.inner() {
            Ok(model) => model.predict(x),
            Err(own) => own.predict(x),
        }
    }

    /// The group of one row.
    pub(crate) fn predict_row(&self, row: &ArrayRef1<f32>) -> Result<u32> {
        match self.inner() {
            Ok(model) => model.predict_row(row),
            Err(own) => {
                let labels = own.predict(&row.view().insert_axis(Axis(0)))?;
                let first = labels.first().copied();
                first.ok_or_else(|| Error::shape("segment_with", "1 label", "0"))
            }
        }
    }

    /// How many groups there are; `None` when only the caller knows.
    pub(crate) fn n_groups(&self) -> Option<usize> {
        self.inner().ok().map(Grouping::n_groups)
    }

    /// How many of them are segments.
    pub(crate) fn n_segments(&self) -> Option<usize> {
        let noise = usize::from(matches!(self, Self::Hdbscan(_)));
        self.n_groups().map(|n| n - noise)
    }

    /// Columns that it takes; `None` when only the caller knows.
    pub(crate) fn n_features(&self) -> Option<usize> {
        self.inner().ok().map(Grouping::n_features)
    }

    /// Whether it can be saved.
    pub(crate) fn has_saved_form(&self) -> bool {
        self.inner().is_ok()
    }

    /// Checks what was loaded.
    pub(crate) fn validate(&self) -> Result<()> {
        self.inner().map_or(Ok(()), Grouping::validate)
    }
}
