//! One file for a whole run.

use std::path::Path;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use telseg_cluster::KMeans;
use telseg_core::artefact::{self, Artefact, Feature};
use telseg_core::{Error, Result};
use telseg_features::{FeatureKind, TableEncoder};

use super::{Model, Predictor, Run, SegmentModel, SegmentName};
use crate::report::Report;

/// What is written: models and aggregates, no training row.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    id: Option<String>,
    distances: TableEncoder,
    segment: KMeans<f32>,
    segments: Vec<SegmentName>,
    predictor: Option<Predictor>,
    /// The report as JSON, without the map, whose points are rows.
    report: String,
}

impl Artefact for Saved {
    const KIND: &'static str = "pipeline";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.distances.validate()?;
        self.segment.validate()?;
        let broken = |problem: String| Err(Error::data("pipeline", problem));
        if self.segment.n_features() != self.distances.n_features() {
            return broken(format!(
                "the segments' model takes {} features, its encoder makes {}",
                self.segment.n_features(),
                self.distances.n_features()
            ));
        }
        if self.segments.len() != self.segment.n_clusters() {
            return broken(format!(
                "{} names for {} segments",
                self.segments.len(),
                self.segment.n_clusters()
            ));
        }
        if let Some(predictor) = &self.predictor {
            predictor.encoder.validate()?;
            predictor.model.validate()?;
            let (takes, makes) = (
                predictor.model.trees().n_features(),
                predictor.encoder.n_features(),
            );
            if takes != makes {
                return broken(format!(
                    "the target's model takes {takes} features, its encoder makes {makes}"
                ));
            }
        }
        Ok(())
    }
}

impl Run {
    /// Writes the run to one file, complete or not at all: encoders, models, names and the report's aggregates.
    ///
    /// # Errors
    /// When the segments come from a method of the caller's own, or the system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let SegmentModel::KMeans(segment) = &self.model.segment else {
            return Err(Error::param(
                "segment_with",
                "a method of your own has no saved form; save its parts yourself",
            ));
        };
        let mut report = self.report.clone();
        report.segmentation.map = None;
        let saved = Saved {
            id: self.model.id.clone(),
            distances: self.model.distances.clone(),
            segment: KMeans::clone(segment),
            segments: self.model.segments.clone(),
            predictor: self.model.predictor.clone(),
            report: report.to_json(),
        };
        artefact::save(path, &saved, &features(&self.model.distances))
    }

    /// Reads a run from a file.
    ///
    /// # Errors
    /// When the file is not there, truncated, altered, of another kind or of a newer version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let (saved, _) = artefact::load::<Saved>(path.as_ref())?;
        let report: Report = serde_json::from_str(&saved.report).map_err(|e| {
            Error::artefact(
                path.as_ref().display().to_string(),
                format!("its report is damaged: {e}"),
            )
        })?;
        let model = Model {
            id: saved.id,
            distances: saved.distances,
            segment: SegmentModel::KMeans(Box::new(saved.segment)),
            segments: saved.segments,
            predictor: saved.predictor,
        };
        Ok(Self::new(model, report, Array1::zeros(0), None))
    }
}

/// The columns that the header lists.
fn features(encoder: &TableEncoder) -> Vec<Feature> {
    let kinds = encoder.feature_names().iter().zip(encoder.feature_kinds());
    kinds
        .map(|(name, kind)| match kind {
            FeatureKind::Numeric => Feature::numeric(name),
            _ => Feature::categorical(name),
        })
        .collect()
}
