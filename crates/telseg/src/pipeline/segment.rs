//! The stage that finds segments.

use std::sync::Arc;

use ndarray::{Array1, Array2};
use telseg_cluster::{Candidate, ChooseParams, KMeans};
use telseg_core::{Error, Progress, Result};

use super::{Pipeline, Segmenter};
use crate::report::format::count;
use crate::run::SegmentModel;

/// What the stage found.
pub(super) struct Segmented {
    pub(super) model: SegmentModel,
    pub(super) labels: Array1<u32>,
    pub(super) n_segments: usize,
    pub(super) candidates: Vec<Candidate>,
    /// Why so many, in a sentence.
    pub(super) choice: String,
    /// How, in a sentence.
    pub(super) method: String,
}

pub(super) fn segment(
    pipeline: &Pipeline,
    x: &Array2<f32>,
    progress: &dyn Progress,
) -> Result<Segmented> {
    if let Some(fit) = &pipeline.segmenter {
        return own(fit(x)?, x);
    }
    let params = KMeans::params(*pipeline.segments.start()).with_seed(pipeline.seed);
    let ks = clamp(pipeline, x.nrows())?;
    let choice = params.choose_observed(
        ks,
        x,
        &ChooseParams::default().with_seed(pipeline.seed),
        progress,
    )?;
    let report = choice.model.report();
    let method = format!(
        "k-means on {} features of {} subscribers, {} rounds in the best of {} starts.",
        x.ncols(),
        count(x.nrows() as u64),
        report.n_iter,
        report.starts.len()
    );
    Ok(Segmented {
        labels: choice.model.labels().clone(),
        n_segments: choice.model.n_clusters(),
        candidates: choice.candidates,
        choice: choice.reason,
        method,
        model: SegmentModel::KMeans(Box::new(choice.model)),
    })
}

/// Fewer segments where there are too few rows to tell more apart.
fn clamp(pipeline: &Pipeline, n_rows: usize) -> Result<std::ops::RangeInclusive<usize>> {
    let (low, high) = (*pipeline.segments.start(), *pipeline.segments.end());
    let most = n_rows / MIN_ROWS;
    if low > most.max(1) {
        let expected = format!("at least {} rows for {low} segments", low * MIN_ROWS);
        return Err(Error::shape("table", expected, format!("{n_rows}")));
    }
    Ok(low..=high.min(most.max(low)))
}

/// Fewest rows a segment: below, profiles and rates say nothing.
const MIN_ROWS: usize = 10;

fn own(model: Arc<Segmenter>, x: &Array2<f32>) -> Result<Segmented> {
    let labels = model.predict(x)?;
    if labels.len() != x.nrows() {
        let expected = format!("{} labels (rows of the table)", x.nrows());
        return Err(Error::shape(
            "segment_with",
            expected,
            labels.len().to_string(),
        ));
    }
    let n_segments = labels.iter().max().map_or(0, |&top| top as usize + 1);
    if n_segments > MAX_SEGMENTS {
        let expected = format!("labels below {MAX_SEGMENTS}");
        return Err(Error::shape(
            "segment_with",
            expected,
            (n_segments - 1).to_string(),
        ));
    }
    Ok(Segmented {
        model: SegmentModel::Own(model),
        labels,
        n_segments,
        candidates: Vec::new(),
        choice: String::new(),
        method: format!(
            "A method of the caller's own, on {} features of {} subscribers.",
            x.ncols(),
            count(x.nrows() as u64)
        ),
    })
}

/// More segments than this are a mistake, not a segmentation.
const MAX_SEGMENTS: usize = 10_000;
