//! What the columns hold and what was wrong with them.

use maud::{Markup, html};

use crate::report::chart;
use crate::report::format::{count, number, percent, percent1, shortened};
use crate::report::model::{ColumnQuality, DataQuality, Role, Summary};
use crate::report::view::{self, View};

/// Columns that are shown at once; the others unfold.
const SHOWN: usize = 30;
/// Messages about cells that are shown at once.
const MESSAGES: usize = 5;

pub(crate) fn section(view: View<'_>) -> Markup {
    let quality = &view.report.quality;
    let (shown, folded) = quality.columns.split_at(quality.columns.len().min(SHOWN));
    view::section(
        "quality",
        "Data",
        html! {
            p { (in_words(view, quality)) }
            @if !quality.bad_cells.is_empty() { (bad_cells(&quality.bad_cells)) }
            @if !quality.left_out.is_empty() { (left_out(quality)) }
            @if !shown.is_empty() {
                div.card {
                    (table("Columns", shown))
                    @if !folded.is_empty() {
                        details {
                            summary { (folded.len()) " more columns" }
                            (table("Columns, continued", folded))
                        }
                    }
                }
            }
        },
    )
}

fn in_words(view: View<'_>, quality: &DataQuality) -> Markup {
    let gaps = quality
        .columns
        .iter()
        .filter(|c| c.missing_share > 0.0)
        .count();
    let bad: u64 = quality.columns.iter().map(|c| c.bad_cells).sum();
    let pulled: u64 = quality.columns.iter().map(|c| c.outliers_winsorised).sum();
    html! {
        (count(view.report.rows)) " rows and " (count(view.report.columns)) " columns were read. "
        @if !quality.columns.is_empty() {
            @match gaps {
                0 => { "No cell is empty. " }
                1 => { "One column has empty cells. " }
                _ => { (gaps) " columns have empty cells. " }
            }
        }
        @if bad > 0 { (count(bad)) " " (cells(bad)) " could not be read and " (are(bad)) " treated as missing. " }
        @if pulled > 0 { (count(pulled)) " extreme values were pulled in. " }
        @match quality.left_out.len() {
            0 => {}
            1 => { "One column took no part." }
            n => { (n) " columns took no part." }
        }
    }
}

fn cells(n: u64) -> &'static str {
    if n == 1 { "cell" } else { "cells" }
}

fn are(n: u64) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

fn bad_cells(messages: &[String]) -> Markup {
    let (shown, folded) = messages.split_at(messages.len().min(MESSAGES));
    let list = |messages: &[String]| html! { ul { @for message in messages { li { code { (message) } } } } };
    html! {
        div.notes role="note" {
            h3 { "Cells that could not be read" }
            (list(shown))
            @if !folded.is_empty() {
                details { summary { (folded.len()) " more" } (list(folded)) }
            }
        }
    }
}

fn left_out(quality: &DataQuality) -> Markup {
    html! {
        h3 { "Columns that took no part" }
        dl.reasons {
            @for one in &quality.left_out { div { dt { (one.column) } dd { (one.reason) } } }
        }
    }
}

fn table(caption: &str, columns: &[ColumnQuality]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.columns {
                caption { (caption) }
                thead { tr {
                    th scope="col" { "Column" } th scope="col" { "Used as" }
                    th.number scope="col" { "Missing" } th.number scope="col" { "Distinct" }
                    th scope="col" { "Distribution" } th scope="col" { "Values" }
                } }
                tbody { @for column in columns { (row(column)) } }
            }
        }
    }
}

fn row(column: &ColumnQuality) -> Markup {
    let missing = column.missing_share > 0.0;
    html! {
        tr {
            th scope="row" { (column.name) }
            td {
                (role(column.role))
                @if !column.reason.is_empty() { small { (column.reason) } }
            }
            td class=(if missing { "number some" } else { "number none" }) {
                (if missing { percent1(column.missing_share) } else if column.missing_share == 0.0 { "0".into() } else { "–".into() })
            }
            td.number { (count(column.distinct)) }
            td { (picture(column)) }
            td.values {
                (values(&column.summary))
                @if column.bad_cells > 0 || column.outliers_winsorised > 0 {
                    small {
                        @if column.bad_cells > 0 { (count(column.bad_cells)) " unreadable. " }
                        @if column.outliers_winsorised > 0 { (count(column.outliers_winsorised)) " pulled in." }
                    }
                }
            }
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Id => "id",
        Role::Numeric => "number",
        Role::Categorical => "levels",
        Role::Binary => "yes or no",
        Role::Time => "time",
        Role::Target => "target",
        Role::Value => "value",
        Role::Weight => "weight",
        Role::LeftOut => "left out",
    }
}

fn picture(column: &ColumnQuality) -> Markup {
    match &column.summary {
        Summary::Numeric {
            min,
            q25,
            median,
            q75,
            max,
            histogram,
            ..
        } if !histogram.is_empty() => {
            let label = format!(
                "{}: half of the values lie between {} and {} around {}; all between {} and {}",
                column.name,
                number(*q25),
                number(*q75),
                number(*median),
                number(*min),
                number(*max)
            );
            chart::histogram(&label, histogram)
        }
        Summary::Categorical { levels } if !levels.is_empty() => {
            let shares: Vec<_> = levels
                .iter()
                .take(12)
                .map(|l| (l.level.as_str(), l.share))
                .collect();
            let most = &levels[0];
            let label = format!(
                "{}: most often {} ({})",
                column.name,
                most.level,
                percent(most.share)
            );
            chart::stacked(&label, &shares)
        }
        _ => html! {},
    }
}

fn values(summary: &Summary) -> Markup {
    match summary {
        Summary::Unknown => html! {},
        Summary::Numeric {
            min,
            median,
            max,
            mean,
            ..
        } => html! {
            (number(*min)) " … " strong { (number(*median)) } " … " (number(*max))
            small { "mean " (number(*mean)) }
        },
        Summary::Categorical { levels } => html! {
            @for (at, level) in levels.iter().take(3).enumerate() {
                @if at > 0 { ", " }
                (shortened(&level.level, 28)) " " strong { (percent(level.share)) }
            }
            @if levels.len() > 3 { ", …" }
        },
    }
}
