//! What the score rests on.

use maud::{Markup, html};

use crate::report::chart::{self, Axis, Plot, Ticks};
use crate::report::format::{fixed, listed, number, percent, shortened, signed};
use crate::report::model::{Dependence, DependencePoint, Direction, Importance, LevelEffect};
use crate::report::view::{self, View, figure};

/// Features that are shown at once; the others unfold.
const SHOWN: usize = 12;
/// Features whose effect is drawn.
const DRAWN: usize = 6;
/// Levels that are drawn of one feature.
const LEVELS: usize = 8;

pub(crate) fn section(view: View<'_>) -> Markup {
    let importances = view
        .report
        .prediction
        .as_ref()
        .map_or(&[][..], |p| &p.importances);
    view::section(
        "drivers",
        "Drivers",
        html! {
            @if importances.is_empty() {
                p.empty { "No model was explained in this run." }
            } @else {
                p { (in_words(view, importances)) }
                (bars(view, importances))
                (effects(view, importances))
            }
        },
    )
}

fn in_words(view: View<'_>, importances: &[Importance]) -> Markup {
    let all: f64 = importances
        .iter()
        .map(|i| i.mean_abs_shap)
        .filter(|s| s.is_finite())
        .sum();
    let top: Vec<_> = importances
        .iter()
        .take(3)
        .map(|i| shortened(&i.feature, 60))
        .collect();
    let part: f64 = importances.iter().take(3).map(|i| i.mean_abs_shap).sum();
    html! {
        "The " (view.words().event) " score rests most on " strong { (listed(&top)) }
        @if importances.len() > 3 && all > 0.0 && part.is_finite() {
            ": " (percent(part / all)) " of all that moves it"
        }
        ". These are patterns that the model uses, not proof of causes."
    }
}

fn bars(view: View<'_>, importances: &[Importance]) -> Markup {
    let most = importances
        .iter()
        .map(|i| i.mean_abs_shap)
        .filter(|s| s.is_finite())
        .fold(f64::MIN_POSITIVE, f64::max);
    let (shown, folded) = importances.split_at(importances.len().min(SHOWN));
    html! {
        div.card {
            (table(shown, most, "How much each feature moves the score"))
            @if !folded.is_empty() {
                details {
                    summary { (folded.len()) " more features" }
                    (table(folded, most, "How much each feature moves the score, continued"))
                }
            }
            p.key {
                "Mean absolute SHAP value, in log-odds: 0.7 about doubles or halves the odds to " (view.words().happen) ". "
                span.pos { "Orange" } ": higher values raise the score. " span.neg { "Blue" }
                ": they lower it. Grey: it depends."
            }
        }
    }
}

fn table(importances: &[Importance], most: f64, caption: &str) -> Markup {
    html! {
        table.drivers {
            caption { (caption) }
            thead.hidden { tr {
                th scope="col" { "Feature" } th scope="col" { "Bar" }
                th scope="col" { "Mean absolute SHAP" } th scope="col" { "Direction" }
            } }
            tbody {
                @for one in importances {
                    @let (class, arrow, words) = direction(one.direction);
                    tr {
                        th scope="row" { (one.feature) }
                        td.bar {
                            (chart::bar(
                                &format!("{}: moves the log-odds by {} on average; {words}", one.feature, fixed(one.mean_abs_shap, 3)),
                                class,
                                one.mean_abs_shap / most,
                            ))
                        }
                        td.number { (fixed(one.mean_abs_shap, 3)) }
                        td.way title=(words) { span.hidden { (words) } span aria-hidden="true" { (arrow) } }
                    }
                }
            }
        }
    }
}

fn direction(direction: Direction) -> (&'static str, &'static str, &'static str) {
    match direction {
        Direction::Raises => ("pos", "▲", "higher values raise the score"),
        Direction::Lowers => ("neg", "▼", "higher values lower the score"),
        Direction::Mixed => ("mixed", "◆", "the direction depends on the value"),
    }
}

/// Small multiples on one scale, so that they can be compared.
fn effects(view: View<'_>, importances: &[Importance]) -> Markup {
    let drawn: Vec<_> = importances
        .iter()
        .filter(|i| has_effect(&i.dependence))
        .take(DRAWN)
        .collect();
    let scale: Vec<f64> = drawn
        .iter()
        .flat_map(|i| reach(&i.dependence))
        .chain([0.0])
        .collect();
    html! {
        @if !drawn.is_empty() {
            h3 { "How they move the score" }
            p {
                "Effect on the score by value, in log-odds, on one scale: above zero more likely to "
                (view.words().happen) ", below less likely. Lines are averages, bands the middle 80% of "
                (view.words().subscribers) "."
            }
            div.grid.small {
                @for one in drawn {
                    @match &one.dependence {
                        Dependence::Numeric(points) => { (curve(one, points, &scale)) }
                        Dependence::Levels(levels) => { (level_bars(one, levels, &scale)) }
                        Dependence::Unknown => {}
                    }
                }
            }
        }
    }
}

fn has_effect(dependence: &Dependence) -> bool {
    reach(dependence).iter().any(|v| v.is_finite())
}

/// All values that the drawing of an effect must hold.
fn reach(dependence: &Dependence) -> Vec<f64> {
    match dependence {
        Dependence::Unknown => Vec::new(),
        Dependence::Numeric(points) => {
            let ends = points.iter().filter(|p| p.x.is_finite());
            ends.flat_map(|p| [p.effect.estimate, p.effect.low, p.effect.high])
                .collect()
        }
        Dependence::Levels(levels) => levels.iter().map(|l| l.effect).collect(),
    }
}

fn curve(one: &Importance, points: &[DependencePoint], scale: &[f64]) -> Markup {
    let line: Vec<_> = (points.iter())
        .map(|p| (p.x, p.effect.estimate))
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .collect();
    let says = match (line.first(), line.last()) {
        (Some(first), Some(last)) => format!(
            "From {} at {} to {} at {}.",
            signed(first.1, 2),
            number(first.0),
            signed(last.1, 2),
            number(last.0)
        ),
        _ => String::new(),
    };
    let x = Axis::tight("", line.iter().map(|p| p.0), Ticks::Number);
    let y = Axis::around("↑ Effect, log-odds", scale.iter().copied(), Ticks::Number);
    let label = format!("Effect of {} on the score. {says}", one.feature);
    let band: Vec<_> = points
        .iter()
        .map(|p| (p.x, p.effect.low, p.effect.high))
        .collect();
    let ends = line.first().map_or(0.0, |p| p.0)..=line.last().map_or(0.0, |p| p.0);
    let mut plot = Plot::new(label, x, y)
        .line("base", &[(*ends.start(), 0.0), (*ends.end(), 0.0)])
        .band("accent", &band)
        .line("accent", &line);
    if line.len() <= 40 {
        for (x, effect) in &line {
            let tip = format!("{} at {}", signed(*effect, 2), number(*x));
            plot = plot.dot("accent small", (*x, *effect), 2.2, &tip);
        }
    }
    figure(&shortened(&one.feature, 60), plot.draw(), html! { (says) })
}

fn level_bars(one: &Importance, levels: &[LevelEffect], scale: &[f64]) -> Markup {
    let most = scale
        .iter()
        .filter(|v| v.is_finite())
        .fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let shown = &levels[..levels.len().min(LEVELS)];
    html! {
        figure.card {
            h4 { (shortened(&one.feature, 60)) }
            table.levels {
                caption.hidden { "Effect of " (one.feature) " on the score" }
                thead.hidden { tr { th scope="col" { "Level" } th scope="col" { "Bar" } th scope="col" { "Effect" } } }
                tbody {
                    @for level in shown {
                        tr {
                            th scope="row" { (level.level) small { (percent(level.share)) " of all" } }
                            td.bar {
                                (chart::diverging(&format!("{}: {}", level.level, signed(level.effect, 2)), level.effect / most))
                            }
                            td.number { (signed(level.effect, 2)) }
                        }
                    }
                }
            }
            @if levels.len() > shown.len() {
                figcaption { (levels.len() - shown.len()) " more levels are in the JSON report." }
            }
        }
    }
}
