//! The stage that says what sets each segment apart.

use ndarray::Array1;
use telseg_core::Result;
use telseg_explain::{
    Column, Fact, FactSheet, MISSING, Persona, PersonaParams, ProfileParams, Role, SegmentProfile,
    SegmentRule, Statement, Surrogate, SurrogateParams, profile, surrogates,
};
use telseg_features::{Column as TableColumn, Role as Use, Table, TableSchema, TargetColumn};

use crate::report;

/// Columns in the heat map.
const HEATMAP: usize = 14;

/// A column's cells in the form that a profile reads.
enum Cells {
    Numbers(Vec<f64>),
    Levels(Vec<u32>, Vec<String>),
}

/// Profiles and rules over all feature columns, with the target and the value column as outcomes.
pub(super) fn profiles(
    table: &Table,
    schema: &TableSchema,
    target: Option<&TargetColumn>,
    value: Option<&str>,
    (labels, n_segments): (&Array1<u32>, usize),
) -> Result<(Vec<SegmentProfile>, Vec<Surrogate>)> {
    let mut columns: Vec<(&str, Role, Cells)> = Vec::new();
    for column in schema.columns() {
        let outcome = value == Some(column.name.as_str());
        let role = if outcome {
            Role::Outcome
        } else {
            Role::Describes
        };
        if matches!(column.role, Use::Numeric | Use::Categorical) {
            columns.push((&column.name, role, cells(table.column(&column.name)?)));
        }
    }
    if let Some(target) = target {
        columns.push((
            &target.name,
            Role::Outcome,
            Cells::Numbers(target.y.clone()),
        ));
    }
    let views: Vec<Column<'_>> = columns
        .iter()
        .map(|(name, role, cells)| {
            let column = match cells {
                Cells::Numbers(values) => Column::numeric(name, values),
                Cells::Levels(codes, levels) => Column::categorical(name, codes, levels),
            };
            column.with_role(*role)
        })
        .collect();
    let labels = labels.to_vec();
    let profiles = profile(&views, &labels, n_segments, &ProfileParams::default())?;
    let params = SurrogateParams::default();
    Ok((
        profiles,
        surrogates(&views, &labels, n_segments, None, &params)?,
    ))
}

fn cells(column: TableColumn<'_>) -> Cells {
    match column {
        TableColumn::Text { codes, levels } => Cells::Levels(
            codes
                .iter()
                .map(|&code| u32::try_from(code).unwrap_or(MISSING))
                .collect(),
            levels.iter().map(|&level| level.to_owned()).collect(),
        ),
        TableColumn::Number(values) | TableColumn::Date(values) => Cells::Numbers(values),
        _ => Cells::Numbers(Vec::new()),
    }
}

/// A profile as the report shows it.
pub(super) fn card(
    profile: &SegmentProfile,
    surrogate: &Surrogate,
    target: Option<&str>,
    value: Option<&str>,
) -> Result<report::SegmentCard> {
    let about = |name| {
        profile
            .statements
            .iter()
            .filter(move |s| Some(s.column.as_str()) == name)
    };
    let arpu = about(value).find_map(|s| match &s.fact {
        Fact::Mean { mean, interval, .. } => {
            Some(report::Interval::new(*mean, interval[0], interval[1]))
        }
        _ => None,
    });
    // The target is a flag: its event is the level that a flag's ones have.
    let churn_rate = about(target).find_map(|s| match &s.fact {
        Fact::Share {
            level,
            share,
            interval,
            ..
        } if level == "Yes" => Some(report::Interval::new(*share, interval[0], interval[1])),
        _ => None,
    });
    let statements = profile
        .statements
        .iter()
        .filter(|s| s.role == Role::Describes && s.q_value <= ProfileParams::default().max_q)
        .filter(|s| !is_mirrored(s, &profile.statements))
        .take(STATEMENTS)
        .map(|s| {
            let (text, kind, segment_value, rest_value, strength) = match &s.fact {
                Fact::Mean {
                    mean, rest_mean, ..
                } => (
                    s.column.clone(),
                    report::StatementKind::Difference,
                    *mean,
                    *rest_mean,
                    s.effect,
                ),
                Fact::Share {
                    level,
                    share,
                    rest_share,
                    lift,
                    ..
                } => {
                    let text = format!("{}: {level}", s.column);
                    (
                        text,
                        report::StatementKind::Lift,
                        *share,
                        *rest_share,
                        *lift,
                    )
                }
                Fact::Missing {
                    share,
                    rest_share,
                    lift,
                    ..
                } => {
                    let text = format!("{}: missing", s.column);
                    (
                        text,
                        report::StatementKind::Lift,
                        *share,
                        *rest_share,
                        *lift,
                    )
                }
            };
            report::Statement {
                column: s.column.clone(),
                text,
                segment_value,
                rest_value,
                strength,
                kind,
            }
        })
        .collect();
    let persona = Persona::new(
        &FactSheet::new(profile, &ProfileParams::default()),
        &PersonaParams::default(),
    )?;
    Ok(report::SegmentCard {
        id: profile.id,
        name: profile.name.clone(),
        description: profile.description.clone(),
        persona: Some(report::Persona {
            sentences: persona.sentences.into_iter().map(|s| s.text).collect(),
            faithfulness: persona.faithfulness,
        }),
        n: profile.n as u64,
        share: profile.share,
        arpu,
        churn_rate,
        statements,
        rules: surrogate.rules.iter().map(rule).collect(),
        told: surrogate
            .tree
            .zip(surrogate.forest)
            .map(|(tree, forest)| report::Told {
                by_rules: tree.balanced_accuracy,
                by_forest: forest.balanced_accuracy,
            }),
    })
}

fn rule(rule: &SegmentRule) -> report::Rule {
    let [low, high] = rule.interval;
    report::Rule {
        text: rule.to_string(),
        precision: report::Interval::new(rule.precision, low, high),
        coverage: rule.coverage,
    }
}

/// Whether a statement is the other side of one that says what the segment has: of two levels, the one it lacks.
fn is_mirrored(statement: &Statement, all: &[Statement]) -> bool {
    let share = |s: &Statement| match s.fact {
        Fact::Share {
            share, rest_share, ..
        } => Some((share, rest_share)),
        _ => None,
    };
    let whole = |a: f64, b: f64| (a + b - 1.0).abs() < 1e-9;
    let Some(lacks) = share(statement).filter(|_| statement.effect < 0.0) else {
        return false;
    };
    all.iter()
        .filter(|s| s.column == statement.column && s.effect > 0.0)
        .filter_map(share)
        .any(|has| whole(has.0, lacks.0) && whole(has.1, lacks.1))
}

/// Statements on a card.
const STATEMENTS: usize = 8;

/// The numeric columns that tell segments apart best, by segment.
pub(super) fn heatmap(profiles: &[SegmentProfile]) -> Option<report::Heatmap> {
    let effect = |profile: &SegmentProfile, column: &str| {
        let mut numeric = profile
            .statements
            .iter()
            .filter(|s| matches!(s.fact, Fact::Mean { .. }));
        numeric.find(|s| s.column == column).map(|s| s.effect)
    };
    let first = profiles.first()?;
    let names = first
        .statements
        .iter()
        .filter(|s| matches!(s.fact, Fact::Mean { .. }) && s.role == Role::Describes);
    let mut rows: Vec<(f64, String, Vec<f64>)> = names
        .map(|s| {
            let values: Vec<f64> = profiles
                .iter()
                .map(|p| effect(p, &s.column).unwrap_or(f64::NAN))
                .collect();
            let largest = values
                .iter()
                .filter(|v| v.is_finite())
                .fold(0.0f64, |m, v| m.max(v.abs()));
            (largest, s.column.clone(), values)
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    rows.truncate(HEATMAP);
    let segments = profiles.iter().map(|p| p.id).collect();
    let (columns, values) = rows
        .into_iter()
        .map(|(_, column, values)| (column, values))
        .unzip();
    Some(report::Heatmap {
        columns,
        segments,
        values,
    })
}
