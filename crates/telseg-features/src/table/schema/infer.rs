//! Finding out what each column is for.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;
use telseg_core::{Error, Result};

use super::{ColumnSchema, Role, SchemaParams, TableSchema, TargetSpec, leak};
use crate::table::{Column, Table};

/// Rows below which a column of different texts is not yet an identifier, unless its name says so.
const FEW_ROWS: usize = 20;
/// Share of different values from which an identifier is one in spite of some repeats.
const NEARLY: f64 = 0.95;
/// Levels up to which text is categorical in any table.
const FEW_LEVELS: usize = 50;
/// Share of different values above which text with many levels is free text.
const FREE: f64 = 0.5;

pub(super) fn infer(table: &Table, params: &SchemaParams) -> Result<TableSchema> {
    params.validate()?;
    let lists = [&params.numeric, &params.categorical, &params.ignore];
    let declared = params.id.iter().chain(lists.into_iter().flatten());
    for name in declared.clone().chain(&params.target) {
        if !table.has_column(name) {
            return Err(table.no_column(name));
        }
    }
    let taken: Vec<&str> = declared.map(String::as_str).collect();
    let (target, mut notes) = TargetSpec::find(
        table,
        params.target.as_deref(),
        params.positive.as_deref(),
        &taken,
    )?;
    let y = match &target {
        Some(spec) => Some(spec.extract(table)?.y),
        None => None,
    };
    let names = table.column_names();
    let mut columns: Vec<ColumnSchema> = names
        .par_iter()
        .enumerate()
        .map(|(j, name)| {
            let column = table.column_at(j);
            let (role, reason) = role(table, name, &column, params, target.as_ref())?;
            let given_away = match (&y, role.is_feature() && !params.keep_leaks) {
                (Some(y), true) if !is_declared(name, params) => leak::leak(&column, y),
                _ => None,
            };
            let (role, reason) = given_away.map_or((role, reason), |r| (Role::Leak, r));
            Ok(ColumnSchema {
                name: (*name).to_owned(),
                role,
                reason,
            })
        })
        .collect::<Result<_>>()?;
    duplicates(table, params, &mut columns);
    let leaks = columns.iter().filter(|c| c.role == Role::Leak);
    notes.extend(leaks.map(|c| {
        format!(
            "{} left out, it gives the target away: {}",
            c.name, c.reason
        )
    }));
    Ok(TableSchema {
        columns,
        target,
        notes,
    })
}

fn is_declared(name: &str, params: &SchemaParams) -> bool {
    let listed = |names: &[String]| names.iter().any(|n| n == name);
    listed(&params.numeric) || listed(&params.categorical)
}

fn role(
    table: &Table,
    name: &str,
    column: &Column<'_>,
    params: &SchemaParams,
    target: Option<&TargetSpec>,
) -> Result<(Role, String)> {
    let listed = |names: &[String]| names.iter().any(|n| n == name);
    let declared = || "as declared".to_owned();
    if params.id.as_deref() == Some(name) {
        return Ok((Role::Identifier, declared()));
    }
    if let Some(target) = target.filter(|t| t.column == name) {
        let reason = format!("{:?} is 1, {:?} is 0", target.positive, target.negative);
        return Ok((Role::Target, reason));
    }
    if listed(&params.ignore) {
        return Ok((Role::Ignored, declared()));
    }
    if listed(&params.categorical) {
        return Ok((Role::Categorical, declared()));
    }
    if listed(&params.numeric) {
        if matches!(column, Column::Text { .. }) {
            let what = format!("{}, column {name}", table.source());
            return Err(Error::data(what, "declared numeric, but it holds text"));
        }
        return Ok((Role::Numeric, declared()));
    }
    Ok(guess(name, column))
}

fn guess(name: &str, column: &Column<'_>) -> (Role, String) {
    let n = column.len();
    let n_missing = column.n_missing();
    let present = n - n_missing;
    let distinct = column.n_distinct();
    if present == 0 {
        return (Role::Constant, "all cells are missing".into());
    }
    if distinct == 1 && n_missing == 0 {
        return (Role::Constant, "one value only".into());
    }
    if let Some(reason) = identifier(name, column, present, distinct) {
        return (Role::Identifier, reason);
    }
    match column {
        Column::Date(_) => (Role::Date, "dates, taken as days since 1970-01-01".into()),
        Column::Number(_) => (Role::Numeric, format!("numbers, {distinct} different")),
        Column::Text { .. } if distinct > FEW_LEVELS && distinct as f64 > FREE * present as f64 => {
            let reason = format!("{distinct} different texts in {present} rows; left out");
            (Role::FreeText, reason)
        }
        Column::Text { .. } => (Role::Categorical, format!("text with {distinct} levels")),
    }
}

/// Why a column names its rows, if it does.
fn identifier(name: &str, column: &Column<'_>, present: usize, distinct: usize) -> Option<String> {
    let named = is_id_name(name);
    let all = distinct == present;
    let nearly = distinct as f64 >= NEARLY * present as f64;
    let how = if all {
        "all different".to_owned()
    } else {
        format!("{distinct} different in {present} rows")
    };
    if !nearly || present < 2 || (present < FEW_ROWS && !(named && all)) {
        return None;
    }
    match column {
        Column::Date(_) => None,
        Column::Text { levels, .. } => {
            let spaced = levels.iter().filter(|l| l.contains(' ')).count();
            (named || spaced * 2 < levels.len()).then(|| format!("texts, {how}"))
        }
        Column::Number(v) => {
            let values = || v.iter().filter(|v| !v.is_nan());
            if !values().all(|v| v.fract() == 0.0) {
                return None;
            }
            let (low, high) =
                values().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
            if named {
                return Some(format!("whole numbers, {how}, and named as one"));
            }
            (all && high - low + 1.0 == present as f64)
                .then(|| "whole numbers that count up one by one".into())
        }
    }
}

/// Whether a name is one of an identifier: `id`, `customerID`, `user_id`, `MSISDN`, ...
fn is_id_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let separated = ["_id", "-id", " id", ".id"];
    lower == "id"
        || name.ends_with("ID")
        || name.ends_with("Id")
        || separated.iter().any(|s| lower.ends_with(s))
        || lower.starts_with("id_")
        || [
            "uuid",
            "msisdn",
            "imsi",
            "imei",
            "iccid",
            "phone",
            "account_number",
        ]
        .iter()
        .any(|s| lower.contains(s))
}

/// Turns features that say the same as an earlier feature into duplicates.
fn duplicates(table: &Table, params: &SchemaParams, columns: &mut [ColumnSchema]) {
    let prints: Vec<Option<u64>> = columns
        .par_iter()
        .enumerate()
        .map(|(j, c)| {
            let candidate = c.role.is_feature() && !is_declared(&c.name, params);
            candidate.then(|| {
                let mut hasher = DefaultHasher::new();
                fingerprint(&table.column_at(j)).hash(&mut hasher);
                hasher.finish()
            })
        })
        .collect();
    let mut seen: HashMap<u64, Vec<usize>> = HashMap::new();
    for (j, print) in prints.into_iter().enumerate() {
        let Some(print) = print else { continue };
        let earlier = seen.entry(print).or_default();
        let own = fingerprint(&table.column_at(j));
        let same = earlier
            .iter()
            .find(|&&i| fingerprint(&table.column_at(i)) == own);
        match same {
            Some(&i) => {
                let of = columns[i].name.clone();
                columns[j].reason = format!("the same as {of} in every row");
                columns[j].role = Role::Duplicate { of };
            }
            None => earlier.push(j),
        }
    }
}

/// What a column says, row by row: bits of numbers, or the order in which its texts first occur.
fn fingerprint(column: &Column<'_>) -> (bool, Vec<u64>) {
    match column {
        Column::Number(v) | Column::Date(v) => {
            // 0 and -0 are one number, and so are all NaN.
            let bits = |v: &f64| {
                if v.is_nan() {
                    u64::MAX
                } else {
                    (v + 0.0).to_bits()
                }
            };
            (false, v.iter().map(bits).collect())
        }
        Column::Text { codes, levels } => {
            let mut order: Vec<Option<u64>> = vec![None; levels.len()];
            let mut next = 0;
            let ranks = codes.iter().map(|&c| {
                usize::try_from(c).map_or(u64::MAX, |c| {
                    *order[c].get_or_insert_with(|| {
                        next += 1;
                        next
                    })
                })
            });
            (true, ranks.collect())
        }
    }
}
