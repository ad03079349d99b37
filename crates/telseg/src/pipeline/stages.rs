//! The stages in the order in which a subscriber's data travels.

use std::time::Instant;

use telseg_core::{Error, Progress, Result};
use telseg_features::{Role, Table, TableEncoderParams, TableSchema, quality};

use super::{Pipeline, findings, follow, plane, predict, profile, segment, value};
use crate::report;
use crate::run::{Model, Predictor, Run};

/// Seconds by stage, as they pass.
struct Watch(Vec<(String, f64)>, Instant);

impl Watch {
    fn lap(&mut self, stage: &str) {
        self.0
            .push((stage.to_owned(), self.1.elapsed().as_secs_f64()));
        self.1 = Instant::now();
    }
}

pub(super) fn run(pipeline: &Pipeline, table: &Table, progress: &dyn Progress) -> Result<Run> {
    let mut watch = Watch(Vec::new(), Instant::now());
    if table.n_rows() < MIN_ROWS {
        let expected = format!("at least {MIN_ROWS} rows to learn from");
        return Err(Error::shape(
            table.source().to_owned(),
            expected,
            table.n_rows().to_string(),
        ));
    }
    progress.start("Prepare the table", None);
    let schema = TableSchema::infer(table, &pipeline.schema)?;
    let value = value::find(table, &schema, pipeline.value.as_deref())?;
    let target = schema
        .target_spec()
        .map(|_| schema.target(table))
        .transpose()?;
    let distances = match &pipeline.previous {
        Some(previous) => previous.distances.clone(),
        None => pipeline.distances.fit(table, &schema)?,
    };
    let trees = TableEncoderParams::for_trees().fit(table, &schema)?;
    let id = schema
        .columns()
        .iter()
        .find(|c| c.role == Role::Identifier)
        .map(|c| c.name.clone());
    let x = distances.transform(table)?.x;
    let quality = quality(table);
    progress.finish();
    watch.lap("prepare");

    let of_method = match (
        &pipeline.previous,
        pipeline.method.columns(&pipeline.distances),
    ) {
        (_, None) => None,
        (Some(previous), Some(_)) if previous.columns.is_some() => previous.columns.clone(),
        (_, Some(params)) => Some(params.fit(table, &schema)?),
    };
    let own = of_method
        .as_ref()
        .map(|encoder| encoder.transform(table))
        .transpose()?;
    let rows = segment::Rows {
        x: &x,
        own: own.as_ref().map_or(&x, |own| &own.x),
        encoder: of_method.as_ref().unwrap_or(&distances),
    };
    let mut segmented = segment::segment(pipeline, &rows, progress)?;
    segmented.method.extend(segmented.model.remark());
    drop(own);
    watch.lap("segment");

    progress.start("Profile the segments", None);
    let groups = (&segmented.labels, segmented.n_groups());
    let (profiles, surrogates) =
        profile::profiles(table, &schema, target.as_ref(), value.as_deref(), groups)?;
    let map = plane::map(&x, &segmented.labels, segmented.n_groups(), pipeline.seed);
    let base = follow::Base {
        table,
        id: id.as_deref(),
        encoder: &distances,
        x: &x,
    };
    let followed = follow::follow(pipeline, &base, &segmented, &profiles)?;
    drop(x);
    progress.finish();
    watch.lap("profile");

    let predicted = match &target {
        None => None,
        Some(target) => {
            let training = predict::Training::new(&trees.transform(table)?.x, target);
            let mut predicted = predict::predict(pipeline, &trees, &training, target, progress)?;
            watch.lap("predict");
            progress.start("Explain the model", None);
            predicted.report.importances =
                predict::explain(&predicted.model, &trees, &training, pipeline.seed)?;
            predicted.report.by_segment = predict::by_segment(
                target,
                &predicted.out_of_fold,
                &segmented.labels,
                segmented.n_groups(),
            );
            progress.finish();
            watch.lap("explain");
            Some(predicted)
        }
    };

    let mut report = report::Report {
        source: table.source().to_owned(),
        rows: table.n_rows() as u64,
        columns: table.n_columns() as u64,
        notes: schema.notes().to_vec(),
        quality: findings::data_quality(table, &schema, &quality, &distances, value.as_deref()),
        segmentation: findings::segmentation(
            &segmented,
            (&profiles, &surrogates),
            target.as_ref().map(|t| t.name.as_str()),
            value.as_deref(),
        )?,
        making: findings::making(pipeline, &segmented, predicted.as_ref()),
        ..report::Report::default()
    };
    report.segmentation.map = map;
    report.changes = followed.changes;
    report.making.seconds = watch.0;
    let (predictor, out_of_fold) = match predicted {
        None => (None, None),
        Some(predicted) => {
            report.prediction = Some(predicted.report);
            let target = target.as_ref().map_or(String::new(), |t| t.name.clone());
            (
                Some(Predictor {
                    target,
                    encoder: trees,
                    model: predicted.model,
                }),
                Some(predicted.out_of_fold),
            )
        }
    };
    let model = Model {
        id,
        distances,
        columns: of_method,
        segment: segmented.model,
        segments: followed.segments,
        predictor,
        history: followed.history,
    };
    let labels = segmented.labels.mapv(|group| model.number(group));
    renumber(&mut report, &model);
    Ok(Run::new(model, report, labels, out_of_fold))
}

/// Gives groups the numbers and names of their segments, in the order of the numbers.
fn renumber(report: &mut report::Report, model: &Model) {
    let segmentation = &mut report.segmentation;
    for card in &mut segmentation.segments {
        card.name = model.name(card.id).to_owned();
        card.id = model.number(card.id);
    }
    segmentation.segments.sort_by_key(|card| card.id);
    if let Some(heatmap) = &mut segmentation.heatmap {
        heatmap
            .segments
            .iter_mut()
            .for_each(|id| *id = model.number(*id));
    }
    if let Some(map) = &mut segmentation.map {
        let points = map.points.iter_mut().chain(&mut map.centres);
        points.for_each(|point| point.segment = model.number(point.segment));
    }
    if let Some(prediction) = &mut report.prediction {
        for score in &mut prediction.by_segment {
            score.segment = model.number(score.segment);
        }
        prediction.by_segment.sort_by_key(|score| score.segment);
    }
}

/// Fewest rows to learn from.
const MIN_ROWS: usize = 20;
