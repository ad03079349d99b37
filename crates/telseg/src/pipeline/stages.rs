//! The stages in the order in which a subscriber's data travels.

use std::time::Instant;

use telseg_core::{Error, Progress, Result};
use telseg_features::{Role, Table, TableEncoderParams, TableSchema, quality};

use super::{Pipeline, findings, plane, predict, profile, segment, value};
use crate::report;
use crate::run::{Model, Predictor, Run, SegmentName};

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
    let distances = pipeline.distances.fit(table, &schema)?;
    let trees = TableEncoderParams::for_trees().fit(table, &schema)?;
    let x = distances.transform(table)?.x;
    let quality = quality(table);
    progress.finish();
    watch.lap("prepare");

    let segmented = segment::segment(pipeline, &x, progress)?;
    watch.lap("segment");

    progress.start("Profile the segments", None);
    let groups = (&segmented.labels, segmented.n_segments);
    let profiles = profile::profiles(table, &schema, target.as_ref(), value.as_deref(), groups)?;
    let map = plane::map(&x, &segmented.labels, segmented.n_segments, pipeline.seed);
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
                segmented.n_segments,
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
            &profiles,
            target.as_ref().map(|t| t.name.as_str()),
            value.as_deref(),
        ),
        making: findings::making(pipeline, &segmented, predicted.as_ref()),
        ..report::Report::default()
    };
    report.segmentation.map = map;
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
    let segments = profiles
        .iter()
        .map(|p| SegmentName {
            name: p.name.clone(),
            description: p.description.clone(),
        })
        .collect();
    let id = schema
        .columns()
        .iter()
        .find(|c| c.role == Role::Identifier)
        .map(|c| c.name.clone());
    let model = Model {
        id,
        distances,
        segment: segmented.model,
        segments,
        predictor,
    };
    Ok(Run::new(model, report, segmented.labels, out_of_fold))
}

/// Fewest rows to learn from.
const MIN_ROWS: usize = 20;
