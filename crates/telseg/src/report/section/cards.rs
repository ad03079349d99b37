//! One card a segment: who they are and what sets them apart.

use maud::{Markup, html};

use super::summary::capital;
use crate::report::chart;
use crate::report::format::{count, fixed, money, number, percent, percent1, signed};
use crate::report::model::{SegmentCard, Statement, StatementKind};
use crate::report::view::{View, with_range};

/// Statements that are shown at once; the others unfold.
const SHOWN: usize = 5;
/// Standard deviations at which a bar is full.
const FULL_DIFFERENCE: f64 = 1.5;
/// Times as frequent (or as rare) at which a bar is full.
const FULL_LIFT: f64 = 4.0;

pub(crate) fn cards(view: View<'_>) -> Markup {
    html! { div.cards { @for segment in view.segments() { (card(view, segment)) } } }
}

fn card(view: View<'_>, segment: &SegmentCard) -> Markup {
    let words = view.words();
    let (shown, folded) = segment
        .statements
        .split_at(segment.statements.len().min(SHOWN));
    html! {
        article class={ "card segment " (view.class(segment.id)) } {
            h4 { (view.named(segment.id)) }
            p.facts {
                span { strong { (percent(segment.share)) } " " small { (count(segment.n)) " " (words.subscribers) } }
                @if let Some(arpu) = segment.arpu {
                    span title=(with_range(arpu, |x| money(x, &words.currency))) {
                        strong { (money(arpu.estimate, &words.currency)) } " " small { (words.arpu) }
                    }
                }
                @if let Some(rate) = segment.churn_rate {
                    span title=(with_range(rate, percent1)) {
                        strong { (percent(rate.estimate)) } " " small { (words.rate) }
                    }
                }
            }
            @for text in segment.description.iter().filter(|d| !d.is_empty()) { p { (text) } }
            @if let Some(persona) = &segment.persona {
                details {
                    summary { "In words" span.hidden { " about segment " (segment.id) } }
                    p { (persona.sentences.join(" ")) }
                    p { small {
                        "Every sentence was held against the segment's numbers; "
                        (percent(persona.faithfulness)) " of those written passed, and only those stand here."
                    } }
                }
            }
            @if shown.is_empty() {
                p.empty { "Nothing sets this segment clearly apart." }
            } @else {
                (statements(segment, shown))
            }
            @if let Some(told) = segment.told {
                details {
                    summary { "As rules" span.hidden { " for segment " (segment.id) } }
                    @if segment.rules.is_empty() {
                        p.empty { "No rule of three conditions finds them without too many others." }
                    } @else {
                        ul { @for rule in &segment.rules {
                            li {
                                (capital(&rule.text)) ". "
                                small {
                                    span title=(with_range(rule.precision, percent1)) { (percent(rule.precision.estimate)) }
                                    " of those are in this segment, and " (percent(rule.coverage)) " of this segment are among them."
                                }
                            }
                        } }
                    }
                    p { small {
                        "On " (words.subscribers) " who were held out, rules tell " (percent(told.by_rules))
                        " rightly (mean of inside and outside; 50% is chance), a forest on the same columns "
                        (percent(told.by_forest)) "."
                    } }
                }
            }
            @if !folded.is_empty() {
                details {
                    summary { (folded.len()) " more" span.hidden { " differences of segment " (segment.id) } }
                    (statements(segment, folded))
                }
            }
        }
    }
}

fn statements(segment: &SegmentCard, statements: &[Statement]) -> Markup {
    html! {
        table.statements {
            caption.hidden { "What sets segment " (segment.id) " apart" }
            thead.hidden { tr {
                th scope="col" { "Difference" } th scope="col" { "Strength" } th scope="col" { "Here and elsewhere" }
            } }
            tbody { @for one in statements { (row(one)) } }
        }
    }
}

fn row(one: &Statement) -> Markup {
    let values = format!(
        "{} against {} elsewhere",
        shown(one, one.segment_value),
        shown(one, one.rest_value)
    );
    let (part, strength) = match one.kind {
        StatementKind::Difference => (
            one.strength / FULL_DIFFERENCE,
            format!("{} standard deviations", signed(one.strength, 1)),
        ),
        StatementKind::Lift => (
            one.strength.max(1e-9).ln() / FULL_LIFT.ln(),
            format!("{} times as frequent as elsewhere", times(one.strength)),
        ),
    };
    html! {
        tr {
            th scope="row" {
                @if one.text.is_empty() { (capital(&one.column)) } @else { (one.text) }
                small { (values) }
            }
            td { (chart::diverging(&format!("{}: {strength}", one.column), part)) }
            td.number title=(strength) {
                @match one.kind {
                    StatementKind::Difference => { (signed(one.strength, 1)) small { " SD" } }
                    StatementKind::Lift => { (times(one.strength)) "×" }
                }
            }
        }
    }
}

/// A ratio: two decimals below one, where they matter.
fn times(ratio: f64) -> String {
    fixed(ratio, if ratio < 0.995 { 2 } else { 1 })
}

fn shown(one: &Statement, value: f64) -> String {
    match one.kind {
        StatementKind::Difference => number(value),
        StatementKind::Lift => percent(value),
    }
}
