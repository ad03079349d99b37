//! Why there are as many segments as there are.

use maud::{Markup, html};

use crate::report::chart::{Axis, Plot, Ticks};
use crate::report::format::{fixed, listed, number};
use crate::report::model::{Interval, KCandidate};
use crate::report::view::{View, figure, with_range};

pub(crate) fn choice(view: View<'_>) -> Markup {
    let segmentation = &view.report.segmentation;
    let candidates = &segmentation.candidates;
    html! {
        h3 { "How many segments" }
        p { (in_words(view)) }
        @if candidates.len() > 1 {
            div.grid.small {
                (picture(candidates, "Silhouette", |c| c.silhouette,
                    "How much nearer subscribers are to their own segment than to the next: higher is clearer."))
                (picture(candidates, "Stability", |c| c.stability,
                    "How well segmentations of resampled data agree: 1 means the same segments every time."))
                (picture(candidates, "Inertia", |c| Some(Interval::point(c.inertia)),
                    "Squared distances to the centres. It always falls; a bend shows where more segments stop paying."))
                (picture(candidates, "ICL", |c| c.icl.map(Interval::point),
                    "Completed likelihood less what parameters and doubtful memberships cost: lower is better."))
            }
            (numbers(candidates))
        }
    }
}

fn in_words(view: View<'_>) -> Markup {
    let segmentation = &view.report.segmentation;
    let chosen = segmentation.candidates.iter().find(|c| c.chosen);
    html! {
        @if !segmentation.choice.is_empty() {
            (segmentation.choice)
        } @else if let Some(chosen) = chosen.filter(|_| segmentation.candidates.len() > 1) {
            (chosen.k) " segments were chosen among " (segmentation.candidates.len()) " candidates"
            @if let Some(silhouette) = chosen.silhouette { ", with a silhouette of " (with_range(silhouette, number)) }
            @if let Some(stability) = chosen.stability { " and a stability of " (with_range(stability, number)) }
            "."
        } @else {
            "The number of segments, " (segmentation.k) ", was given; no others were tried."
        }
    }
}

fn picture(
    candidates: &[KCandidate],
    name: &str,
    value: impl Fn(&KCandidate) -> Option<Interval>,
    read: &str,
) -> Markup {
    let points: Vec<_> = (candidates.iter())
        .filter_map(|c| Some((c, value(c)?)))
        .filter(|(_, i)| i.estimate.is_finite())
        .collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return html! {};
    };
    let mut said = vec![first];
    said.extend(
        points
            .iter()
            .filter(|(c, _)| c.chosen && c.k != first.0.k && c.k != last.0.k),
    );
    said.push(last);
    let said: Vec<_> = (said.iter())
        .map(|(c, i)| {
            format!(
                "{} at {}{}",
                number(i.estimate),
                c.k,
                if c.chosen { " (chosen)" } else { "" }
            )
        })
        .collect();
    let label = format!("{name} by number of segments: {}.", listed(&said));
    let reach = points.iter().flat_map(|(_, i)| [i.estimate, i.low, i.high]);
    let x = Axis::tight(
        "Segments →",
        points.iter().map(|(c, _)| f64::from(c.k)),
        Ticks::Whole,
    );
    let mut plot = Plot::new(
        label,
        x,
        Axis::around(format!("↑ {name}"), reach, Ticks::Number),
    );
    let line: Vec<_> = points
        .iter()
        .map(|(c, i)| (f64::from(c.k), i.estimate))
        .collect();
    plot = plot.line("accent", &line);
    for (candidate, interval) in &points {
        let at = (f64::from(candidate.k), interval.estimate);
        let tip = format!(
            "{} segments: {}",
            candidate.k,
            with_range(*interval, number)
        );
        let (class, radius) = if candidate.chosen {
            ("accent", 6.0)
        } else {
            ("accent open", 3.5)
        };
        plot = plot
            .whisker("accent", at.0, interval.low, interval.high)
            .dot(class, at, radius, &tip);
    }
    figure(name, plot.draw(), html! { (read) })
}

fn numbers(candidates: &[KCandidate]) -> Markup {
    let with_icl = candidates.iter().any(|c| c.icl.is_some());
    let cell = |i: Option<Interval>| i.map_or("–".into(), |i| with_range(i, |x| fixed(x, 3)));
    html! {
        details {
            summary { "The numbers" }
            div.scroll tabindex="0" role="region" aria-label="Candidates for the number of segments" {
                table.numbers {
                    thead { tr {
                        th scope="col" { "Segments" } th scope="col" { "Silhouette" }
                        th scope="col" { "Stability" } th scope="col" { "Inertia" }
                        @if with_icl { th scope="col" { "ICL" } }
                    } }
                    tbody {
                        @for c in candidates {
                            tr class=[c.chosen.then_some("chosen")] {
                                th scope="row" { (c.k) @if c.chosen { " (chosen)" } }
                                td { (cell(c.silhouette)) } td { (cell(c.stability)) } td { (number(c.inertia)) }
                                @if with_icl { td { (number(c.icl.unwrap_or(f64::NAN))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
