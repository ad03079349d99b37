//! The stage that finds segments.

use std::sync::Arc;

use ndarray::{Array1, Array2};
use telseg_cluster::{ChooseParams, Init, KMeans};
use telseg_core::{Error, Progress, Result};
use telseg_features::TableEncoder;

use super::method::Found;
use super::{Method, Pipeline, Segmenter, number};
use crate::report::KCandidate;
use crate::report::format::count;
use crate::run::SegmentModel;

/// What the stage found.
pub(super) struct Segmented {
    pub(super) model: SegmentModel,
    /// Group of each row: a segment, or the group after the last for rows in none.
    pub(super) labels: Array1<u32>,
    pub(super) n_segments: usize,
    pub(super) candidates: Vec<KCandidate>,
    /// Why so many, in a sentence.
    pub(super) choice: String,
    /// How, in a sentence.
    pub(super) method: String,
}

impl Segmented {
    /// Segments, and the group of those in none where there are such.
    pub(super) fn n_groups(&self) -> usize {
        let has_noise = self
            .labels
            .iter()
            .any(|&label| label as usize >= self.n_segments);
        self.n_segments + usize::from(has_noise)
    }

    /// The segment of each row; `None` for rows in none.
    pub(super) fn clusters(&self) -> impl Iterator<Item = Option<u32>> {
        let segment = |&label: &u32| ((label as usize) < self.n_segments).then_some(label);
        self.labels.iter().map(segment)
    }
}

/// The rows that k-means groups, and those that the method does where it takes others.
pub(super) struct Rows<'a> {
    pub(super) x: &'a Array2<f32>,
    pub(super) own: &'a Array2<f32>,
    /// What made the method's rows.
    pub(super) encoder: &'a TableEncoder,
}

pub(super) fn segment(
    pipeline: &Pipeline,
    rows: &Rows<'_>,
    progress: &dyn Progress,
) -> Result<Segmented> {
    let x = rows.x;
    if let Some(fit) = &pipeline.segmenter {
        return own(fit(x)?, x);
    }
    if pipeline.method == Method::KMeans
        && let Some(segmented) = go_on(pipeline, x)?
    {
        return Ok(segmented);
    }
    if !pipeline.method.takes_k() {
        return by_method(pipeline, 0, rows);
    }
    let ks = clamp(pipeline, x.nrows())?;
    if pipeline.method != Method::KMeans {
        if ks.start() == ks.end() {
            return by_method(pipeline, *ks.start(), rows);
        }
        let chosen = number::choose(pipeline, ks, rows, progress)?;
        let mut segmented = of_method(pipeline, chosen.found, 0, rows);
        segmented.candidates = chosen.candidates;
        segmented.choice = chosen.reason;
        return Ok(segmented);
    }
    let params = KMeans::params(*ks.start()).with_seed(pipeline.seed);
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
        candidates: choice.candidates.iter().map(number::candidate).collect(),
        choice: choice.reason,
        method,
        model: SegmentModel::KMeans(Box::new(choice.model)),
    })
}

/// Segments by the method that was asked for.
fn by_method(pipeline: &Pipeline, k: usize, rows: &Rows<'_>) -> Result<Segmented> {
    let found = pipeline
        .method
        .fit(k, rows.own, rows.encoder, pipeline.seed)?;
    Ok(of_method(pipeline, found, k, rows))
}

/// What the method found, where it was told to find `k` segments or knows itself how many there are.
fn of_method(pipeline: &Pipeline, found: Found, k: usize, rows: &Rows<'_>) -> Segmented {
    let n_segments = found.model.n_segments().unwrap_or(k);
    let method = format!(
        "{} on {} features of {} subscribers.",
        pipeline.method.name(),
        rows.own.ncols(),
        count(rows.own.nrows() as u64)
    );
    let choice = match pipeline.method.takes_k() {
        true => String::new(),
        false => format!("The method finds their number itself: {n_segments}."),
    };
    Segmented {
        labels: found.labels,
        n_segments,
        candidates: Vec::new(),
        choice,
        method,
        model: found.model,
    }
}

/// k-means from the segments of the run before, where there is one and its number of segments is wanted.
fn go_on(pipeline: &Pipeline, x: &Array2<f32>) -> Result<Option<Segmented>> {
    let Some(SegmentModel::KMeans(before)) = pipeline.previous.as_ref().map(|p| &p.segment) else {
        return Ok(None);
    };
    let k = before.n_clusters();
    if !pipeline.wanted().contains(&k)
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
pub(super) fn clamp(pipeline: &Pipeline, n_rows: usize) -> Result<std::ops::RangeInclusive<usize>> {
    let (low, high) = pipeline.wanted().into_inner();
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
