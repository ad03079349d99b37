//! The stage that finds segments.

use std::sync::Arc;

use ndarray::{Array1, Array2};
use telseg_cluster::{Candidate, ChooseParams, Init, KMeans};
use telseg_core::{Error, Progress, Result};

use super::{Pipeline, Segmenter};
use crate::report::format::count;
use crate::run::SegmentModel;

/// What the stage found.
pub(super) struct Segmented {
    pub(super) model: SegmentModel,
    /// Group of each row: a segment, or the group after the last for rows in none.
    pub(super) labels: Array1<u32>,
    pub(super) n_segments: usize,
    pub(super) candidates: Vec<Candidate>,
    /// Why so many, in a sentence.
    pub(super) choice: String,
    /// How, in a sentence.
    pub(super) method: String,
}

impl Segmented {
    /// Segments, and the group of those in none where the model knows it.
    pub(super) fn n_groups(&self) -> usize {
        self.model.n_groups().unwrap_or(self.n_segments)
    }

    /// The segment of each row; `None` for rows in none.
    pub(super) fn clusters(&self) -> impl Iterator<Item = Option<u32>> {
        let segment = |&label: &u32| ((label as usize) < self.n_segments).then_some(label);
        self.labels.iter().map(segment)
    }
}

pub(super) fn segment(
    pipeline: &Pipeline,
    x: &Array2<f32>,
    progress: &dyn Progress,
) -> Result<Segmented> {
    if let Some(fit) = &pipeline.segmenter {
        return own(fit(x)?, x);
    }
    if let Some(segmented) = go_on(pipeline, x)? {
        return Ok(segmented);
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

/// k-means from the segments of the run before, where there is one and its number of segments is wanted.
fn go_on(pipeline: &Pipeline, x: &Array2<f32>) -> Result<Option<Segmented>> {
    let Some(SegmentModel::KMeans(before)) = pipeline.previous.as_ref().map(|p| &p.segment) else {
        return Ok(None);
    };
    let k = before.n_clusters();
    if !pipeline.segments.contains(&k)
        || clamp(pipeline, x.nrows()).is_ok_and(|ks| !ks.contains(&k))
    {
        return Ok(None);
    }
    let start = Init::Centers(before.centers().mapv(f64::from));
    let model = KMeans::params(k).with_init(start).with_n_init(1).fit(x)?;
    let method = format!(
        "k-means on {} features of {} subscribers, {} rounds from the segments of the run before.",
        x.ncols(),
        count(x.nrows() as u64),
        model.report().n_iter
    );
    Ok(Some(Segmented {
        labels: model.labels().clone(),
        n_segments: k,
        candidates: Vec::new(),
        choice: format!("As many segments as in the run before, {k}: they go on from there."),
        method,
        model: SegmentModel::KMeans(Box::new(model)),
    }))
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
