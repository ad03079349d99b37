//! Other methods on the same table.

use maud::{Markup, html};

use crate::report::format::{count, fixed, percent};
use crate::report::view::{View, with_range};

pub(crate) fn comparison(view: View<'_>) -> Markup {
    let Some(found) = &view.report.segmentation.comparison else {
        return html! {};
    };
    let caption = "Methods judged alike";
    html! {
        h3 { "Other methods" }
        p { (found.reason) " Judged on " (count(found.n_rows)) " " (view.words().subscribers) "." }
        div.card {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table.numbers {
                    caption { (caption) }
                    thead { tr {
                        th scope="col" { "Method" } th scope="col" { "Segments" } th scope="col" { "Silhouette" }
                        th scope="col" { "Weakest segment" } th scope="col" { "In none" }
                    } }
                    tbody {
                        @for row in &found.rows {
                            tr class=[row.recommended.then_some("chosen")] {
                                th scope="row" { (row.method) @if row.recommended { " (recommended)" } }
                                @if row.problem.is_empty() {
                                    td { (row.k) }
                                    td { (row.silhouette.map_or("–".into(), |s| with_range(s, |x| fixed(x, 3)))) }
                                    td { (fixed(row.weakest, 2)) }
                                    td { (percent(row.noise)) }
                                } @else {
                                    td colspan="4" { (row.problem) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
