//! What the stages found, in the form that the report shows.

use telseg_core::Result;
use telseg_explain::{SegmentProfile, Surrogate};
use telseg_features::{ColumnQuality, FeatureKind, Role, Table, TableEncoder, TableSchema};

use super::Pipeline;
use super::predict::Predicted;
use super::profile;
use super::segment::Segmented;
use crate::report;

/// Bins of a column's histogram.
const BINS: usize = 20;
/// Messages about bad cells that are listed.
const MESSAGES: usize = 50;

pub(super) fn data_quality(
    table: &Table,
    schema: &TableSchema,
    found: &[ColumnQuality],
    encoder: &TableEncoder,
    value: Option<&str>,
) -> report::DataQuality {
    let winsorised =
        |name: &str| encoder.source_columns().contains(&name) && has_numeric(encoder, name);
    let columns = found
        .iter()
        .zip(schema.columns())
        .map(|(quality, column)| report::ColumnQuality {
            name: quality.name.clone(),
            role: shown_role(
                &column.role,
                value == Some(column.name.as_str()),
                quality.n_distinct,
            ),
            reason: column.reason.clone(),
            missing_share: quality.n_missing as f64 / quality.n.max(1) as f64,
            distinct: quality.n_distinct as u64,
            summary: summary(table, quality, &column.role),
            bad_cells: quality.n_bad as u64,
            outliers_winsorised: match quality.numbers {
                Some(numbers) if winsorised(&quality.name) => numbers.n_outliers as u64,
                _ => 0,
            },
        })
        .collect();
    let left_out = schema
        .columns()
        .iter()
        .filter(|c| !c.role.is_feature() && !matches!(c.role, Role::Identifier | Role::Target))
        .map(|c| report::LeftOut {
            column: c.name.clone(),
            reason: c.reason.clone(),
        })
        .collect();
    let read = table.report();
    let bad_cells = read
        .bad_sentences()
        .chain(read.missing_sentences())
        .take(MESSAGES)
        .collect();
    report::DataQuality {
        columns,
        bad_cells,
        left_out,
    }
}

fn has_numeric(encoder: &TableEncoder, name: &str) -> bool {
    let mut features = encoder
        .source_columns()
        .into_iter()
        .zip(encoder.feature_kinds());
    features.any(|(source, kind)| source == name && *kind == FeatureKind::Numeric)
}

fn shown_role(role: &Role, is_value: bool, n_distinct: usize) -> report::Role {
    match role {
        Role::Identifier => report::Role::Id,
        Role::Target => report::Role::Target,
        Role::Numeric if is_value => report::Role::Value,
        Role::Numeric | Role::Categorical if n_distinct == 2 => report::Role::Binary,
        Role::Numeric => report::Role::Numeric,
        Role::Categorical => report::Role::Categorical,
        Role::Date => report::Role::Time,
        _ => report::Role::LeftOut,
    }
}

fn summary(table: &Table, quality: &ColumnQuality, role: &Role) -> report::Summary {
    if *role == Role::Identifier {
        return report::Summary::Unknown;
    }
    if let Some(numbers) = quality.numbers {
        let values = table.numbers(&quality.name).unwrap_or_default();
        // A typing error of 999 must not squeeze everybody else into one bin: it is counted in the last one.
        let margin = 0.5 * (numbers.q99 - numbers.q01);
        let low = numbers.min.max(numbers.q01 - margin);
        let high = numbers.max.min(numbers.q99 + margin);
        let (low, high) = match margin > 0.0 {
            true => (low, high),
            false => (numbers.min, numbers.max),
        };
        return report::Summary::Numeric {
            min: numbers.min,
            q25: numbers.q25,
            median: numbers.q50,
            q75: numbers.q75,
            max: numbers.max,
            mean: numbers.mean,
            histogram: histogram(&values, low, high),
        };
    }
    let known = (quality.n - quality.n_missing).max(1) as f64;
    let levels = quality
        .top
        .iter()
        .map(|top| report::LevelShare::new(&top.level, top.n as f64 / known))
        .collect();
    report::Summary::Categorical { levels }
}

/// Counts in bins from `min` to `max`; what lies outside is counted in the outer bins.
fn histogram(values: &[f64], min: f64, max: f64) -> Vec<f64> {
    let mut counts = vec![0.0; BINS];
    let width = (max - min) / BINS as f64;
    for value in values.iter().filter(|v| v.is_finite()) {
        let bin = if width > 0.0 {
            ((value - min) / width) as usize
        } else {
            0
        };
        counts[bin.min(BINS - 1)] += 1.0;
    }
    counts
}

pub(super) fn segmentation(
    segmented: &Segmented,
    (profiles, surrogates): (&[SegmentProfile], &[Surrogate]),
    target: Option<&str>,
    value: Option<&str>,
) -> Result<report::Segmentation> {
    Ok(report::Segmentation {
        method: segmented.method.clone(),
        k: segmented.n_segments as u32,
        candidates: segmented.candidates.clone(),
        choice: segmented.choice.clone(),
        segments: profiles
            .iter()
            .zip(surrogates)
            .map(|(p, s)| profile::card(p, s, target, value))
            .collect::<Result<_>>()?,
        comparison: None,
        heatmap: profile::heatmap(profiles),
        map: None,
    })
}

pub(super) fn making(
    pipeline: &Pipeline,
    segmented: &Segmented,
    predicted: Option<&Predicted>,
) -> report::Making {
    let mut methods = vec![
        "Roles of columns are found from names and values; for distances, missing numbers are filled with the median, \
         numbers are clipped at the 1st and 99th percentile and standardised, levels become 0/1 features."
            .to_owned(),
        segmented.method.clone(),
        "Segments are described by differences that hold at a false discovery rate of 5%.".to_owned(),
    ];
    let mut limits = vec![
        "Segments describe; they do not say why. Differences between them are not effects of what was done.".to_owned(),
    ];
    if let Some(predicted) = predicted {
        methods.push(predicted.report.method.clone());
        methods.push(
            "Attributions are path-dependent TreeSHAP values of the final model, in log-odds."
                .to_owned(),
        );
        limits.push(
            "Quality was measured on rows of the same table; on another month, expect somewhat less.".to_owned(),
        );
    }
    report::Making {
        seed: Some(pipeline.seed),
        versions: vec![("telseg".to_owned(), env!("CARGO_PKG_VERSION").to_owned())],
        methods,
        limits,
        seconds: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_does_not_squeeze_the_histogram() {
        let mut csv = String::from("age\n");
        (0..1000).for_each(|i| csv += &format!("{}\n", 20 + i % 60));
        csv += "999\n999\n";
        let table = Table::from_csv_bytes("a.csv", csv.as_bytes(), &Default::default())
            .expect("a table of numbers");
        let quality = &telseg_features::quality(&table)[0];
        let report::Summary::Numeric { histogram, max, .. } =
            summary(&table, quality, &Role::Numeric)
        else {
            panic!("age is a number");
        };
        assert_eq!(max, 999.0);
        assert_eq!(histogram.iter().sum::<f64>(), 1002.0);
        assert!(histogram.iter().filter(|n| **n > 50.0).count() >= 10);
        assert_eq!(histogram[BINS - 1], 2.0);
    }
}
