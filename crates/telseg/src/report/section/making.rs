//! How the run was made, for those who want to repeat it.

use maud::{Markup, html};

use crate::report::chart;
use crate::report::format::{percent, seconds};
use crate::report::model::Making;
use crate::report::view::{self, View};

pub(crate) fn section(view: View<'_>) -> Markup {
    let making = &view.report.making;
    view::section(
        "making",
        "How it was made",
        html! {
            @if !making.methods.is_empty() {
                h3 { "Methods" }
                ol { @for method in &making.methods { li { (method) } } }
            }
            @if !making.limits.is_empty() {
                h3 { "Limits" }
                ul { @for limit in &making.limits { li { (limit) } } }
            }
            @if !making.seconds.is_empty() { (times(making)) }
            h3 { "To repeat it" }
            dl.reasons {
                @if !view.report.source.is_empty() { div { dt { "source" } dd { (view.report.source) } } }
                @if let Some(seed) = making.seed { div { dt { "seed" } dd { (seed) } } }
                @for (name, version) in &making.versions { div { dt { (name) } dd { (version) } } }
                div { dt { "page" } dd { "telseg " (env!("CARGO_PKG_VERSION")) } }
            }
        },
    )
}

fn times(making: &Making) -> Markup {
    let all: f64 = making
        .seconds
        .iter()
        .map(|s| s.1)
        .filter(|s| s.is_finite())
        .sum();
    let most = making
        .seconds
        .iter()
        .map(|s| s.1)
        .filter(|s| s.is_finite())
        .fold(f64::MIN_POSITIVE, f64::max);
    html! {
        h3 { "Time" }
        div.card {
            table.drivers {
                caption { "Wall time of each stage, " (seconds(all)) " in all" }
                thead.hidden { tr { th scope="col" { "Stage" } th scope="col" { "Bar" } th scope="col" { "Time" } } }
                tbody {
                    @for (stage, time) in &making.seconds {
                        tr {
                            th scope="row" { (stage) }
                            td.bar {
                                (chart::bar(&format!("{stage}: {}, {} of all", seconds(*time), percent(time / all)), "mixed", time / most))
                            }
                            td.number { (seconds(*time)) }
                        }
                    }
                }
            }
        }
    }
}
