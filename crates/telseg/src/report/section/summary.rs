//! What a reader who stops after one paragraph should know.

use maud::{Markup, html};

use crate::report::format::{count, fixed, number, percent};
use crate::report::model::{Interval, Prediction};
use crate::report::view::{self, View, with_range};

pub(crate) fn section(view: View<'_>) -> Markup {
    let report = view.report;
    view::section(
        "summary",
        "Summary",
        html! {
            p.lead { (lead(view)) }
            dl.figures { (figures(view)) }
            @if !report.notes.is_empty() {
                div.notes role="note" {
                    h3 { "Before you read on" }
                    ul { @for note in &report.notes { li { (note) } } }
                }
            }
            (truth(view))
        },
    )
}

/// The finding in words.
fn lead(view: View<'_>) -> Markup {
    let (report, words) = (view.report, view.words());
    let k = view.segments().len();
    html! {
        @match k {
            0 => { "The table holds " strong { (count(report.rows)) " " (words.subscribers) } ". " }
            1 => { "All " strong { (count(report.rows)) " " (words.subscribers) } " form one segment. " }
            _ => {
                "These " strong { (count(report.rows)) " " (words.subscribers) } " fall into "
                strong { (k) " segments" } ". "
            }
        }
        @if let Some((card, rate)) = view.riskiest() {
            "Most at risk is " (view.named(card.id)) ": " (percent(card.share)) " of all, of whom "
            strong { (percent(rate)) " " (words.happen) }
            @if let Some(base) = view.base_rate().filter(|b| *b > 0.0) {
                ", " (times(rate / base)) " the average of " (percent(base))
            }
            ". "
        }
        @if let Some(prediction) = &report.prediction { (model_in_words(view, prediction)) }
    }
}

fn model_in_words(view: View<'_>, prediction: &Prediction) -> Markup {
    let words = view.words();
    let lift = prediction.lift_at_10.estimate;
    let auc = prediction.auc.estimate;
    html! {
        @match view.base_rate() {
            Some(base) if lift.is_finite() => {
                "Of the 10% that the " (words.event) " model scores highest, "
                strong { (percent((lift * base).min(1.0))) " " (words.happen) }
                ": " (times(lift)) " the base rate. "
            }
            _ => {}
        }
        @if auc.is_finite() { (ranking(words, auc)) }
    }
}

/// What an AUC means, in pairs.
pub(crate) fn ranking(words: &crate::report::Words, auc: f64) -> Markup {
    html! {
        "Of one who is going to " (words.happen) " and one who is not, it scores the first higher "
        (fixed(auc * 100.0, 0)) " times in 100."
    }
}

fn figures(view: View<'_>) -> Markup {
    let (report, words) = (view.report, view.words());
    html! {
        (figure(&capital(&words.subscribers), &count(report.rows), &format!("{} columns", count(report.columns))))
        (figure("Segments", &view.segments().len().to_string(), &chosen(view)))
        @match (view.riskiest(), view.base_rate()) {
            (Some((card, rate)), Some(base)) => {
                (figure(
                    &format!("Highest {}", words.rate),
                    &percent(rate),
                    &format!("segment {}; {} on average", card.id, percent(base)),
                ))
            }
            (None, Some(base)) => { (figure(&capital(&words.rate), &percent(base), "of all")) }
            _ => {}
        }
        @if let Some(p) = &report.prediction {
            @if p.auc.estimate.is_finite() {
                (figure("Ranking (AUC)", &fixed(p.auc.estimate, 3), &between(p.auc, 3, "0.5 is chance")))
            }
            @if p.lift_at_10.estimate.is_finite() {
                (figure("Lift in the top 10%", &format!("{}×", fixed(p.lift_at_10.estimate, 1)),
                    &between(p.lift_at_10, 1, "1 is chance")))
            }
        }
    }
}

fn figure(name: &str, value: &str, note: &str) -> Markup {
    html! { div { dt { (name) } dd.value { (value) } dd.note { (note) } } }
}

fn between(interval: Interval, decimals: usize, chance: &str) -> String {
    match crate::report::format::range(interval, |x| fixed(x, decimals)) {
        Some(range) => format!("{range}; {chance}"),
        None => chance.into(),
    }
}

fn chosen(view: View<'_>) -> String {
    let candidates = &view.report.segmentation.candidates;
    match (candidates.first(), candidates.last()) {
        (Some(first), Some(last)) if first.k < last.k => {
            format!("chosen among {} to {}", first.k, last.k)
        }
        _ if view.segments().is_empty() => "none were made".into(),
        _ => "as asked for".into(),
    }
}

/// How near a simulated truth the run came.
fn truth(view: View<'_>) -> Markup {
    let Some(world) = &view.report.world else {
        return html! {};
    };
    let auc = view.report.prediction.as_ref().map(|p| p.auc);
    html! {
        @if world.ari.is_some() || world.best_auc.is_some() {
            div.truth {
                h3 { "Held against the simulated truth" }
                p {
                    @if let Some(ari) = world.ari {
                        "The segments agree with the true ones to an adjusted Rand index of "
                        strong { (number(ari)) } " (1 is perfect, 0 is chance). "
                    }
                    @if let Some(best) = world.best_auc {
                        "Not even the true probabilities rank better than an AUC of "
                        strong { (fixed(best, 3)) }
                        @if let Some(auc) = auc.filter(|a| a.estimate.is_finite()) {
                            "; the model reaches " (with_range(auc, |x| fixed(x, 3)))
                        }
                        "."
                    }
                }
            }
        }
    }
}

/// "3.2 times".
pub(crate) fn times(ratio: f64) -> String {
    format!("{} times", fixed(ratio, 1))
}

/// The first letter as a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
