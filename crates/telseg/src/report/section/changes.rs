//! What changed since the run before: alarms, who moved where, the flow over the months.

use maud::{Markup, PreEscaped, html};

use crate::report::format::{count, percent, percent1};
use crate::report::model::{Changes, FlowPlace};
use crate::report::view::{self, View, figure};

/// What a picture says of its language when it stands alone; a page needs no address for that.
const XMLNS: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

pub(crate) fn section(view: View<'_>) -> Markup {
    let Some(changes) = &view.report.changes else {
        return html! {};
    };
    view::section(
        "changes",
        "Since last month",
        html! {
            p { (lead(view, changes)) }
            @if changes.alarms.is_empty() {
                p { "No alarm: nothing changed that is both large and no accident." }
            } @else {
                div.notes role="note" {
                    h3 { "Look at this" }
                    ul { @for alarm in &changes.alarms { li { (alarm) } } }
                }
            }
            @if changes.n_shared > 0 { (flows(view, changes)) }
            @if changes.picture.months.len() > 1 {
                (figure(
                    "The flow over the months",
                    html! { div.scroll tabindex="0" role="region" aria-label="The flow over the months" {
                        (PreEscaped(changes.picture.to_svg().replacen(XMLNS, "", 1)))
                    } },
                    html! { "A bar a segment and month, a ribbon for those who were in the one and are in the other. The part of a bar \
                             without a ribbon joined or left." },
                ))
            }
        },
    )
}

fn lead(view: View<'_>, changes: &Changes) -> Markup {
    let words = view.words();
    html! {
        (changes.month) " against " (changes.before) ": "
        @match changes.stayed {
            Some(stayed) => {
                "of " (count(changes.n_shared)) " " (words.subscribers) " who are in both, " strong { (percent(stayed)) " are in the same \
                segment" } "; " (count(changes.joined)) " joined and " (count(changes.left)) " left."
            }
            None => {
                "segments were matched by their centres, as the run before does not remember who was in which. They keep their \
                 numbers and names."
            }
        }
    }
}

/// The migration matrix as a table, coloured by the share of each row.
fn flows(view: View<'_>, changes: &Changes) -> Markup {
    let total = |i: usize| {
        changes
            .counts
            .get(i)
            .map_or(0, |row| row.iter().sum::<u64>())
    };
    let column = |j: usize| {
        changes
            .counts
            .iter()
            .filter_map(|row| row.get(j))
            .sum::<u64>()
    };
    let rows: Vec<usize> = (0..changes.from.len()).filter(|&i| total(i) > 0).collect();
    let columns: Vec<usize> = (0..changes.to.len()).filter(|&j| column(j) > 0).collect();
    let caption = "Where subscribers of each row are now, percent of the row";
    html! {
        h3 { "Who moved where" }
        div.card {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table.heat {
                    caption { (caption) }
                    thead { tr {
                        th scope="col" { "From" }
                        @for &j in &columns { th scope="col" { (place(view, &changes.to[j])) } }
                        th scope="col" { "All" }
                    } }
                    tbody {
                        @for &i in &rows {
                            tr {
                                th scope="row" { (place(view, &changes.from[i])) " " (name(&changes.from[i])) }
                                @for &j in &columns {
                                    @let share = changes.counts[i].get(j).copied().unwrap_or(0) as f64 / total(i) as f64;
                                    td class=(shade(share)) { (percent1(share)) }
                                }
                                td.h0 { (count(total(i))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A segment's number with its colour, or the place's name.
fn place(view: View<'_>, place: &FlowPlace) -> Markup {
    match place.segment {
        Some(id) => view.badge(id),
        None => html! { (place.name) },
    }
}

/// The name of a segment; other places have said theirs.
fn name(place: &FlowPlace) -> &str {
    if place.segment.is_some() {
        &place.name
    } else {
        ""
    }
}

/// `h0` to `p5` by share.
fn shade(share: f64) -> String {
    let bounds = [0.005, 0.02, 0.05, 0.2, 0.5];
    match bounds.iter().filter(|bound| share >= **bound).count() {
        0 => "h0".into(),
        level => format!("p{level}"),
    }
}
