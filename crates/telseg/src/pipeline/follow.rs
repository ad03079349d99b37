//! The stage that holds this month's segments against last month's.

use std::collections::BTreeSet;

use ndarray::{Array1, Array2};
use telseg_cluster::temporal::{
    Month, Place, SegmentHistory, SegmentId, Transition, subscriber_key,
};
use telseg_core::{Error, Result};
use telseg_explain::SegmentProfile;
use telseg_features::{Column, Table, TableEncoder};

use super::Pipeline;
use super::segment::Segmented;
use crate::report;
use crate::run::SegmentName;

/// Names of this month's segments, and what is remembered of them.
pub(super) struct Followed {
    /// By the label that the model gives.
    pub(super) segments: Vec<SegmentName>,
    /// `None` where a label has no subscriber, so that the history would count segments otherwise.
    pub(super) history: Option<SegmentHistory>,
    /// What changed since the run before, where there is one.
    pub(super) changes: Option<report::Changes>,
}

/// A table, and how it was made into rows.
pub(super) struct Base<'a> {
    pub(super) table: &'a Table,
    /// The column that names subscribers.
    pub(super) id: Option<&'a str>,
    pub(super) encoder: &'a TableEncoder,
    pub(super) x: &'a Array2<f32>,
}

/// What those in no segment are called.
const NO_SEGMENT: &str = "No segment";

/// Numbers and names of the segments: those of the run before where they go on.
pub(super) fn follow(
    pipeline: &Pipeline,
    base: &Base<'_>,
    segmented: &Segmented,
    profiles: &[SegmentProfile],
) -> Result<Followed> {
    let fresh = || -> Vec<SegmentName> {
        let is_none = |group: u32| group as usize >= segmented.n_segments;
        let name = |p: &SegmentProfile| SegmentName {
            id: p.id,
            name: if is_none(p.id) {
                NO_SEGMENT.to_owned()
            } else {
                p.name.clone()
            },
            description: p.description.clone(),
        };
        let none = |group: usize| SegmentName {
            id: group as u32,
            name: NO_SEGMENT.to_owned(),
            description: <[String; 2]>::default(),
        };
        // New rows may be in no segment where none of these is.
        let groups = segmented.model.n_groups().unwrap_or(0);
        profiles
            .iter()
            .map(name)
            .chain((profiles.len()..groups).map(none))
            .collect()
    };
    let Some(mut history) = start(pipeline, segmented)? else {
        return Ok(Followed {
            segments: fresh(),
            history: None,
            changes: None,
        });
    };
    let ids = ids(base, pipeline.previous.is_some())?;
    let (columns, rows) = rows(base)?;
    let mut month = Month::new(&ids, segmented.clusters(), &rows).with_columns(columns);
    if let Some(name) = &pipeline.month {
        month = month.with_name(name);
    }
    let change = history.update(&month)?;
    let mut segments = fresh();
    rename(&mut segments, segmented, &history, &change);
    for segment in segments
        .iter()
        .filter(|s| change.sizes.iter().any(|size| size.segment.0 == s.id))
    {
        history.set_name(SegmentId(segment.id), &segment.name)?;
    }
    if !pipeline.remember {
        history.forget_subscribers();
    }
    let changes = pipeline
        .previous
        .as_ref()
        .map(|_| changes(&history, &change));
    Ok(Followed {
        segments,
        history: Some(history),
        changes,
    })
}

/// The history that this month is added to.
fn start(pipeline: &Pipeline, segmented: &Segmented) -> Result<Option<SegmentHistory>> {
    let mut sizes = vec![0; segmented.n_groups()];
    segmented
        .labels
        .iter()
        .for_each(|&label| sizes[label as usize] += 1);
    let complete = !sizes.contains(&0) && sizes.len() <= MOST_SEGMENTS;
    let Some(previous) = &pipeline.previous else {
        return complete
            .then(|| SegmentHistory::params().start())
            .transpose();
    };
    let problem = match &previous.history {
        None => {
            "the earlier run keeps no history of its segments (an older version saved it, or one has no subscriber)"
        }
        Some(_) if !complete => {
            "a segment of this run has no subscriber, so it cannot be held against the earlier run"
        }
        Some(history) => return Ok(Some(history.clone())),
    };
    Err(Error::param("follow", problem))
}

/// Segments that a history can follow.
const MOST_SEGMENTS: usize = 4096;

/// Gives segments that go on their number and name of before, and new ones a number that none had.
fn rename(
    segments: &mut [SegmentName],
    segmented: &Segmented,
    history: &SegmentHistory,
    change: &Transition,
) {
    let mut taken = BTreeSet::new();
    for (label, segment) in (0..).zip(&mut segments[..segmented.n_segments]) {
        if let Some(id) = change.segment_of(label) {
            segment.id = id.0;
            if let Some(name) = history.name(id) {
                segment.name = name.to_owned();
                taken.insert(name.to_owned());
            }
        }
    }
    for segment in &mut segments[..segmented.n_segments] {
        let is_new = history.name(SegmentId(segment.id)).is_none();
        if is_new && !taken.insert(segment.name.clone()) {
            segment.name = format!("{} {}", segment.name, segment.id);
        }
    }
    // Those in no segment come after all numbers that segments ever had.
    for none in &mut segments[segmented.n_segments..] {
        none.id = history.records().len() as u32;
    }
}

/// A number for each subscriber: from the column that names them, or the row's where there is none.
fn ids(base: &Base<'_>, must_differ: bool) -> Result<Vec<u64>> {
    let by_row = || {
        (0..base.table.n_rows())
            .map(|row| subscriber_key(&row.to_string(), ROWS))
            .collect()
    };
    let Some(id) = base.id else {
        return Ok(by_row());
    };
    let ids: Vec<u64> = match base.table.column(id)? {
        Column::Text { codes, levels } => {
            let keys: Vec<u64> = levels
                .iter()
                .map(|level| subscriber_key(level, 0))
                .collect();
            let key = |(row, &code): (usize, &i32)| {
                let known = usize::try_from(code)
                    .ok()
                    .and_then(|code| keys.get(code).copied());
                known.unwrap_or_else(|| subscriber_key(&row.to_string(), ROWS))
            };
            codes.iter().enumerate().map(key).collect()
        }
        Column::Number(values) | Column::Date(values) => values
            .iter()
            .map(|value| subscriber_key(&value.to_string(), 0))
            .collect(),
        _ => by_row(),
    };
    let mut seen = BTreeSet::new();
    match ids.iter().position(|key| !seen.insert(*key)) {
        None => Ok(ids),
        Some(row) if must_differ => {
            let problem =
                format!("row {row} has an id that another row has: who moved cannot be told");
            Err(Error::data(id.to_owned(), problem))
        }
        Some(_) => Ok(by_row()),
    }
}

/// Keeps numbers of rows apart from those of ids.
const ROWS: u64 = 1;

/// The columns that segments are judged by, in their own units: numbers as they are in the table, levels as shares.
fn rows(base: &Base<'_>) -> Result<(Vec<String>, Array2<f32>)> {
    let (mut names, mut rows) = (base.encoder.feature_names().to_vec(), base.x.clone());
    for (j, source) in base.encoder.source_columns().into_iter().enumerate() {
        if base.encoder.inverse_value(j, 0.0).is_some() {
            let values = base.table.numbers(source)?;
            let finite = |v: &f64| if v.is_finite() { *v as f32 } else { f32::NAN };
            rows.column_mut(j)
                .assign(&values.iter().map(finite).collect::<Array1<f32>>());
            names[j] = source.to_owned();
        }
    }
    rows.mapv_inplace(|v| if v.is_finite() { v } else { f32::NAN });
    Ok((names, rows))
}

/// What changed, in the form that the report shows.
fn changes(history: &SegmentHistory, change: &Transition) -> report::Changes {
    let months = history.transitions();
    let before = months
        .len()
        .checked_sub(2)
        .map_or(String::new(), |i| months[i].month.clone());
    let mut changes = report::Changes {
        month: change.month.clone(),
        before,
        n_shared: change.n_shared,
        alarms: change.alarms.iter().map(ToString::to_string).collect(),
        picture: history.alluvial(),
        ..report::Changes::default()
    };
    let Some(migration) = change.migration.as_ref().filter(|_| change.n_shared > 0) else {
        return changes;
    };
    let place = |place: &Place| match place {
        Place::Segment(id) => report::FlowPlace {
            segment: Some(id.0),
            name: history.name(*id).unwrap_or_default().to_owned(),
        },
        Place::NoSegment => report::FlowPlace::named("No segment"),
        _ => report::FlowPlace::default(),
    };
    let (rows, columns) = (migration.counts.nrows(), migration.counts.ncols());
    let counts = |of: ndarray::ArrayView1<'_, u64>| of.iter().sum::<u64>();
    changes.joined = counts(migration.counts.row(rows - 1));
    changes.left = counts(migration.counts.column(columns - 1));
    changes.stayed = Some(migration.stayed());
    changes.from = migration.from.iter().map(place).collect();
    changes.to = migration.to.iter().map(place).collect();
    changes.from[rows - 1].name = "Joined".into();
    changes.to[columns - 1].name = "Left".into();
    changes.counts = migration
        .counts
        .rows()
        .into_iter()
        .map(|row| row.to_vec())
        .collect();
    changes
}
