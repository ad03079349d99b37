//! One file for a whole run.

use std::path::Path;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use telseg_cluster::kmeans::KMeansV1;
use telseg_cluster::temporal::SegmentHistory;
use telseg_core::artefact::{self, Artefact, Feature};
use telseg_core::{Error, Result};
use telseg_features::{FeatureKind, TableEncoder};

use super::{Model, Predictor, Run, SegmentModel, SegmentName};
use crate::report::Report;

/// What is written: models and aggregates; of subscribers their ids, when the run is to remember them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    id: Option<String>,
    distances: TableEncoder,
    columns: Option<TableEncoder>,
    segment: SegmentModel,
    segments: Vec<SegmentName>,
    predictor: Option<Predictor>,
    history: Option<SegmentHistory>,
    /// The report as JSON, without the map, whose points are rows.
    report: String,
}

/// Version 1: k-means alone, segments numbered by their labels, no history.
#[derive(Deserialize)]
struct Saved1 {
    id: Option<String>,
    distances: TableEncoder,
    segment: KMeansV1<f32>,
    segments: Vec<SegmentName1>,
    predictor: Option<Predictor>,
    report: String,
}

#[derive(Deserialize)]
struct SegmentName1 {
    name: String,
    description: [String; 2],
}

impl From<Saved1> for Saved {
    fn from(old: Saved1) -> Self {
        let numbered = (0..).zip(old.segments).map(|(id, s)| SegmentName {
            id,
            name: s.name,
            description: s.description,
        });
        Self {
            id: old.id,
            distances: old.distances,
            columns: None,
            segment: SegmentModel::KMeans(Box::new(old.segment.into())),
            segments: numbered.collect(),
            predictor: old.predictor,
            history: None,
            report: old.report,
        }
    }
}

impl Artefact for Saved {
    const KIND: &'static str = "pipeline";
    const VERSION: u32 = 2;

    fn from_older(version: u32, body: &[u8]) -> Result<Self> {
        match version {
            1 => Ok(artefact::decode::<Saved1>(body)?.into()),
            _ => Err(Error::artefact(
                Self::KIND,
                format!("version {version} is not known"),
            )),
        }
    }

    fn validate(&self) -> Result<()> {
        self.distances.validate()?;
        self.segment.validate()?;
        let broken = |problem: String| Err(Error::data("pipeline", problem));
        if let Some(columns) = &self.columns {
            columns.validate()?;
        }
        let makes = self
            .columns
            .as_ref()
            .unwrap_or(&self.distances)
            .n_features();
        if let Some(takes) = self.segment.n_features().filter(|takes| *takes != makes) {
            return broken(format!(
                "the segments' model takes {takes} features, its encoder makes {makes}"
            ));
        }
        let names = self.segments.len();
        if let Some(groups) = self.segment.n_groups().filter(|groups| *groups != names) {
            return broken(format!("{names} names for {groups} segments"));
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
        self.history.as_ref().map_or(Ok(()), Artefact::validate)
    }
}

impl Run {
    /// Writes the run to one file, complete or not at all: encoders, models, names, the report's aggregates, and what a run
    /// that follows needs. It holds no training row (but see [`Method`](crate::pipeline::Method)), and nothing of a subscriber unless
    /// [`remember_subscribers`](crate::Pipeline::remember_subscribers) was asked for.
    ///
    /// # Errors
    /// When the segments come from a method of the caller's own, or the system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        if !self.model.segment.has_saved_form() {
            return Err(Error::param(
                "segment_with",
                "a method of your own has no saved form; save its parts yourself",
            ));
        }
        let mut report = self.report.clone();
        report.segmentation.map = None;
        let saved = Saved {
            id: self.model.id.clone(),
            distances: self.model.distances.clone(),
            columns: self.model.columns.clone(),
            segment: self.model.segment.clone(),
            segments: self.model.segments.clone(),
            predictor: self.model.predictor.clone(),
            history: self.model.history.clone(),
            report: report.to_json(),
        };
        artefact::save(path, &saved, &features(&self.model.distances))
    }

    /// Reads a run from a file, of this version or an older one.
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
            columns: saved.columns,
            segment: saved.segment,
            segments: saved.segments,
            predictor: saved.predictor,
            history: saved.history,
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
