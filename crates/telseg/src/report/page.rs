//! The frame of the page: head, title, way around, sections.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::model::Report;
use super::view::View;
use super::{section, theme};

/// No script, no frame, nothing from elsewhere: the browser holds the page to it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// Ids of the sections and their names in the list of contents.
const CONTENTS: [(&str, &str); 7] = [
    ("summary", "Summary"),
    ("changes", "Since last month"),
    ("segments", "Segments"),
    ("model", "Prediction"),
    ("drivers", "Drivers"),
    ("quality", "Data"),
    ("making", "How it was made"),
];

pub(crate) fn page(report: &Report) -> Markup {
    let view = View { report };
    let title = match report.title.trim() {
        "" => "Segments and churn",
        title => title,
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(concat!("telseg ", env!("CARGO_PKG_VERSION")));
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(theme::style())) }
            }
            body {
                a.skip href="#summary" { "Skip to the summary" }
                (header(title, report))
                div.frame {
                    nav aria-label="Contents" {
                        ul {
                            @for (id, name) in contents(report) {
                                li { a href={ "#" (id) } { (name) } }
                            }
                        }
                    }
                    main {
                        (section::summary::section(view))
                        (section::changes::section(view))
                        (section::segments::section(view))
                        (section::prediction::section(view))
                        (section::drivers::section(view))
                        (section::quality::section(view))
                        (section::making::section(view))
                    }
                }
            }
        }
    }
}

/// The sections that this report has.
fn contents(report: &Report) -> impl Iterator<Item = (&'static str, &'static str)> {
    let follows = report.changes.is_some();
    CONTENTS
        .into_iter()
        .filter(move |(id, _)| *id != "changes" || follows)
}

fn header(title: &str, report: &Report) -> Markup {
    html! {
        header {
            div {
                h1 { (title) }
                @if !report.source.is_empty() { p.source { (report.source) } }
            }
            fieldset.theme {
                legend { "Colours" }
                @for (id, name) in [("auto", "Auto"), ("light", "Light"), ("dark", "Dark")] {
                    input type="radio" name="theme" id={ "theme-" (id) } checked[id == "auto"];
                    label for={ "theme-" (id) } { (name) }
                }
            }
        }
    }
}
