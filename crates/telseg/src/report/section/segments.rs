//! The segments beside each other: size, money, risk, place, differences.

use maud::{Markup, html};

use super::summary::capital;
use super::{cards, choice, comparison};
use crate::report::chart::{self, Axis, HeatRow, Plot, Ticks};
use crate::report::format::{count, listed, money, percent, percent1, range, shortened};
use crate::report::model::{Heatmap, Interval, Map, SegmentCard};
use crate::report::view::{self, View, figure, known, reach};

/// Rows of the heat table that are shown at once; the others unfold.
const HEAT_ROWS: usize = 24;
/// Points of the map that are drawn.
const MAP_POINTS: usize = 1000;

pub(crate) fn section(view: View<'_>) -> Markup {
    let segmentation = &view.report.segmentation;
    view::section(
        "segments",
        "Segments",
        html! {
            @if view.segments().is_empty() {
                p.empty { "No segments were made in this run." }
            } @else {
                @if !segmentation.method.is_empty() { p { (segmentation.method) } }
                (overview(view))
                (pictures(view))
                h3 { "Who they are" }
                (cards::cards(view))
                @if let Some(heatmap) = &segmentation.heatmap { (heat(view, heatmap)) }
                (choice::choice(view))
                (comparison::comparison(view))
            }
        },
    )
}

/// What a column of the overview needs to place its dots.
struct Spread {
    most: f64,
    average: Option<f64>,
}

impl Spread {
    fn of(view: View<'_>, field: impl Fn(&SegmentCard) -> Option<Interval>) -> Option<Self> {
        let segments = view.segments();
        segments.iter().find_map(|s| known(field(s)))?;
        let most = segments
            .iter()
            .map(|s| reach(field(s)))
            .filter(|m| m.is_finite());
        let (mut sum, mut n) = (0.0, 0.0);
        for s in segments {
            if let Some(value) = known(field(s)) {
                sum += value * s.n as f64;
                n += s.n as f64;
            }
        }
        Some(Self {
            most: most.fold(f64::MIN_POSITIVE, f64::max) * 1.06,
            average: (n > 0.0).then_some(sum / n),
        })
    }
}

fn overview(view: View<'_>) -> Markup {
    let words = view.words();
    let rates = Spread::of(view, |s| s.churn_rate);
    let arpus = Spread::of(view, |s| s.arpu);
    let revenue = view.revenue_shares().filter(|r| r.len() > 1);
    let largest = view
        .segments()
        .iter()
        .map(|s| s.share)
        .filter(|s| s.is_finite())
        .fold(0.01, f64::max);
    html! {
        div.card {
        table.stack.overview {
            caption { "Segments by size, value and risk" }
            thead { tr {
                th scope="col" { "Segment" }
                th scope="col" { "Share of " (words.subscribers) }
                @if revenue.is_some() { th scope="col" { "Share of revenue" } }
                @if arpus.is_some() { th scope="col" { (words.arpu) } }
                @if rates.is_some() { th scope="col" { (capital(&words.rate)) } }
            } }
            tbody {
                @for (at, card) in view.segments().iter().enumerate() {
                    @let class = view.class(card.id);
                    tr {
                        th scope="row" { (view.named(card.id)) }
                        td data-label={ "Share of " (words.subscribers) } {
                            (chart::bar(&format!("{} {}, {}", count(card.n), words.subscribers, percent1(card.share)), &class, card.share / largest))
                            span.figure { (percent1(card.share)) small { (count(card.n)) } }
                        }
                        @if let Some(share) = revenue.as_ref().map(|r| r[at]) {
                            td.plain data-label="Share of revenue" { span.figure { (percent1(share)) } }
                        }
                        @if let Some(spread) = &arpus {
                            (measure(&words.arpu, &class, card.arpu, spread, |x| money(x, &words.currency)))
                        }
                        @if let Some(spread) = &rates {
                            (measure(&capital(&words.rate), &class, card.churn_rate, spread, percent1))
                        }
                    }
                }
            }
        }
        @if rates.is_some() || arpus.is_some() {
            p.key {
                "Dots are estimates, bars through them their intervals, the thin upright line the average of all "
                (words.subscribers) "."
            }
        }
        }
    }
}

/// A cell with a dot, its interval and the number.
fn measure(
    name: &str,
    class: &str,
    value: Option<Interval>,
    spread: &Spread,
    show: impl Fn(f64) -> String + Copy,
) -> Markup {
    let value = value.unwrap_or_default();
    let ends = range(value, show);
    let mut label = format!("{name} {}", show(value.estimate));
    if let Some(ends) = &ends {
        label += &format!(", interval {ends}");
    }
    if let Some(average) = spread.average {
        label += &format!("; {} on average", show(average));
    }
    let part = |x: f64| x / spread.most;
    html! {
        td data-label=(name) {
            (chart::interval_dot(
                &label,
                class,
                part(value.estimate),
                value.ends().map(|(low, high)| (part(low), part(high))),
                spread.average.map(part),
            ))
            span.figure { (show(value.estimate)) @if let Some(ends) = ends { small { (ends) } } }
        }
    }
}

fn pictures(view: View<'_>) -> Markup {
    let bubbles = bubbles(view);
    let map = view
        .report
        .segmentation
        .map
        .as_ref()
        .filter(|m| !m.points.is_empty());
    html! {
        @if bubbles.is_some() || map.is_some() {
            div.grid {
                @if let Some(bubbles) = bubbles { (bubbles) }
                @if let Some(map) = map { (map_figure(view, map)) }
            }
        }
    }
}

/// Value against risk, the size of a disc showing the share.
fn bubbles(view: View<'_>) -> Option<Markup> {
    let words = view.words();
    let place = |s: &SegmentCard| Some((known(s.arpu)?, known(s.churn_rate)?));
    let mut placed: Vec<_> = view
        .segments()
        .iter()
        .filter_map(|s| Some((s, place(s)?)))
        .collect();
    if placed.len() < 2 {
        return None;
    }
    // Large ones first, so that they do not hide the small.
    placed.sort_by(|a, b| b.0.share.total_cmp(&a.0.share));
    let x = Axis::around(
        format!("{} →", words.arpu),
        padded(placed.iter().map(|p| p.1.0)),
        Ticks::Number,
    );
    let y = Axis::around(
        format!("↑ {}", capital(&words.rate)),
        padded(placed.iter().map(|p| p.1.1))
            .into_iter()
            .chain([0.0])
            .map(|r| r.clamp(0.0, 1.0)),
        Ticks::Percent,
    );
    let (card, (arpu, rate)) = placed.iter().max_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
    let says = format!(
        "Segment {}, {}, has the highest {} ({}) at {} of {}.",
        card.id,
        card.name,
        words.rate,
        percent(*rate),
        words.arpu,
        money(*arpu, &words.currency)
    );
    let mut plot = Plot::new(
        format!(
            "{} against {} by segment. {says}",
            capital(&words.rate),
            words.arpu
        ),
        x,
        y,
    );
    for (card, at) in &placed {
        let tip = format!(
            "{} {}: {} of all, {} {}, {} {}",
            card.id,
            card.name,
            percent(card.share),
            words.arpu,
            money(at.0, &words.currency),
            words.rate,
            percent(at.1)
        );
        let radius = (card.share.max(0.0).sqrt() * 44.0).clamp(4.0, 40.0);
        plot = plot.dot(
            &format!("bubble {}", view.class(card.id)),
            *at,
            radius,
            &tip,
        );
    }
    for (card, at) in &placed {
        plot = plot.text("middle strong", *at, (0.0, 4.0), &card.id.to_string());
    }
    Some(figure(
        "Value and risk",
        plot.draw(),
        html! { (says) " Areas show the share of " (words.subscribers) "." },
    ))
}

/// The ends of the values and some room beyond, in which a bubble at the end finds place.
fn padded(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let room = (high - low) * 0.12;
    [low - room, high + room]
}

fn map_figure(view: View<'_>, map: &Map) -> Markup {
    let points = &map.points[..map.points.len().min(MAP_POINTS)];
    let all = || points.iter().chain(&map.centres);
    let mut x = Axis::tight("", all().map(|p| p.x), Ticks::Number);
    let mut y = Axis::tight("", all().map(|p| p.y), Ticks::Number);
    // The directions of a projection have no unit that a reader could use.
    x.ticks.clear();
    y.ticks.clear();
    let label = format!(
        "Map of {} sampled {} in {} segments; those near each other are alike.",
        count(points.len() as u64),
        view.words().subscribers,
        view.segments().len()
    );
    let mut plot = Plot::new(label, x, y);
    for card in view.segments() {
        let own: Vec<_> = points
            .iter()
            .filter(|p| p.segment == card.id)
            .map(|p| (p.x, p.y))
            .collect();
        plot = plot.specks(&view.class(card.id), &own);
    }
    for centre in &map.centres {
        let (at, id) = ((centre.x, centre.y), centre.segment.to_string());
        plot = plot.text("middle strong big", at, (0.0, 5.0), &id);
    }
    let says = html! {
        "Each point is one of " (count(points.len() as u64)) " sampled " (view.words().subscribers)
        "; near means alike. Numbers stand at the segments' centres. " (map.method)
    };
    figure("Map", plot.draw(), says)
}

fn heat(view: View<'_>, heatmap: &Heatmap) -> Markup {
    if heatmap.columns.is_empty() || heatmap.segments.is_empty() {
        return html! {};
    }
    let head: Vec<_> = heatmap.segments.iter().map(|id| view.badge(*id)).collect();
    let empty: &[f64] = &[];
    let rows: Vec<_> = (heatmap.columns.iter().enumerate())
        .map(|(at, name)| HeatRow {
            name,
            values: heatmap.values.get(at).map_or(empty, Vec::as_slice),
        })
        .collect();
    let (shown, folded) = rows.split_at(rows.len().min(HEAT_ROWS));
    html! {
        h3 { "Where they differ" }
        div.card {
            p {
                "Standard deviations above (" span.pos { "orange" } ") or below (" span.neg { "blue" }
                ") the average of all " (view.words().subscribers) ". " (most_extreme(heatmap))
            }
            (chart::heat_table("Differences by column and segment", &head, shown))
            @if !folded.is_empty() {
                details {
                    summary { (folded.len()) " more columns" }
                    (chart::heat_table("Differences by column and segment, continued", &head, folded))
                }
            }
        }
    }
}

/// The largest difference of each of the three columns that have one, in words.
fn most_extreme(heatmap: &Heatmap) -> String {
    let mut all: Vec<(&str, u32, f64)> = Vec::new();
    for (name, values) in heatmap.columns.iter().zip(&heatmap.values) {
        let pairs = heatmap
            .segments
            .iter()
            .zip(values)
            .filter(|(_, v)| v.is_finite());
        if let Some((id, value)) = pairs.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) {
            all.push((name, *id, *value));
        }
    }
    all.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    let said: Vec<String> = (all.iter().take(3))
        .map(|(name, id, value)| {
            let way = if *value < 0.0 { "low" } else { "high" };
            format!("{} ({way} in segment {id})", shortened(name, 40))
        })
        .collect();
    if said.is_empty() {
        return String::new();
    }
    format!("Farthest apart: {}.", listed(&said))
}
