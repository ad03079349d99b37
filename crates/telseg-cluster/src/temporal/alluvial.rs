//! The flow of subscribers between segments over the months, as a picture.

use std::fmt::Write as _;

use super::alarm::count;
use super::history::SegmentHistory;
use super::migration::{Migration, Place};
use super::transition::{SegmentId, Transition};

/// Colours of segments by number, used again after the last; a page can set its own as `--s0` ... `--s8`.
const COLOURS: [&str; 9] = [
    "#4b3fa8", "#c4566a", "#21917f", "#a8851b", "#8a2358", "#3d93c6", "#15733a", "#78781f",
    "#9a469a",
];
/// Width of a bar, distance between the bars of two months, space above and beside, all in pixels.
const BAR: f64 = 14.0;
const STEP: f64 = 150.0;
const TOP: f64 = 44.0;
const SIDE: f64 = 170.0;
/// Height of the whole base, and the gap between bars.
const HEIGHT: f64 = 380.0;
const GAP: f64 = 12.0;

/// A segment in one month.
struct Bar {
    place: Place,
    n: u64,
    top: f64,
    height: f64,
}

impl SegmentHistory {
    /// The flow of subscribers over the months as an SVG: a bar a segment and month, a ribbon for those who were in the one
    /// and are in the other. The part of a bar without a ribbon joined or left. Its text alternative says the numbers;
    /// colours are the page's variables `--s0` to `--s8`, `--ink` and `--muted` where it has them.
    ///
    /// # Cost
    /// Its length grows with the number of months and segments, not with that of subscribers.
    pub fn alluvial_svg(&self) -> String {
        let columns: Vec<Vec<Bar>> = self.bars();
        let width = 2.0 * SIDE + BAR + STEP * (columns.len().max(1) - 1) as f64;
        let most = columns.iter().map(Vec::len).max().unwrap_or(0);
        let height = TOP + HEIGHT + GAP * most as f64 + 12.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             role=\"img\" font-family=\"system-ui,sans-serif\" font-size=\"12\"><title>Subscribers in each segment, month by \
             month</title><desc>{}</desc>",
            escape(&self.in_words())
        );
        for (t, transition) in self.transitions.iter().enumerate().skip(1) {
            if let Some(migration) = &transition.migration {
                self.ribbons(&mut svg, t, migration, (&columns[t - 1], &columns[t]));
            }
        }
        for (t, (bars, transition)) in columns.iter().zip(&self.transitions).enumerate() {
            self.column(&mut svg, (t, columns.len()), bars, transition);
        }
        svg.push_str("</svg>");
        svg
    }

    /// Bars of each month, from the lowest number down; no segment comes last.
    fn bars(&self) -> Vec<Vec<Bar>> {
        let sizes = |t: &Transition| {
            let segments = t
                .sizes
                .iter()
                .map(|s| (Place::Segment(s.segment), s.n, s.weight, s.share));
            segments.collect::<Vec<_>>()
        };
        let totals = self.transitions.iter().map(total).fold(0.0, f64::max);
        let scale = if totals > 0.0 { HEIGHT / totals } else { 0.0 };
        let column = |transition: &Transition| {
            let (mut top, mut bars) = (TOP, Vec::new());
            let rest = total(transition) - transition.sizes.iter().map(|s| s.weight).sum::<f64>();
            let none = (rest > 1e-9 * total(transition)).then(|| {
                let n = transition
                    .migration
                    .as_ref()
                    .map_or(0, |m| count_to(m, Place::NoSegment));
                (Place::NoSegment, n, rest, 0.0)
            });
            for (place, n, weight, _) in sizes(transition).into_iter().chain(none) {
                let height = weight * scale;
                bars.push(Bar {
                    place,
                    n,
                    top,
                    height,
                });
                top += height + GAP;
            }
            bars
        };
        self.transitions.iter().map(column).collect()
    }

    fn ribbons(
        &self,
        svg: &mut String,
        t: usize,
        migration: &Migration,
        (old, new): (&[Bar], &[Bar]),
    ) {
        let (left, right) = (x(t - 1) + BAR, x(t));
        let weights = (migration.row_weights(), migration.column_weights());
        let mut from: Vec<f64> = migration
            .from
            .iter()
            .map(|p| bar(old, *p).map_or(0.0, |b| b.top))
            .collect();
        let mut to: Vec<f64> = migration
            .to
            .iter()
            .map(|p| bar(new, *p).map_or(0.0, |b| b.top))
            .collect();
        for (i, &origin) in migration.from.iter().enumerate() {
            for (j, &target) in migration.to.iter().enumerate() {
                let (Some(a), Some(b), w) = (
                    bar(old, origin),
                    bar(new, target),
                    migration.weights[[i, j]],
                ) else {
                    continue;
                };
                if w <= 0.0 {
                    continue;
                }
                let thick = (a.height * w / weights.0[i], b.height * w / weights.1[j]);
                let (y0, y1) = (from[i], to[j]);
                from[i] += thick.0;
                to[j] += thick.1;
                if thick.0.max(thick.1) < 0.2 {
                    continue; // thinner than anybody sees
                }
                let (middle, opacity) = (
                    (left + right) / 2.0,
                    if origin == target { 0.28 } else { 0.6 },
                );
                let _ = write!(
                    svg,
                    "<path d=\"M{left:.1} {y0:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {right:.1} {y1:.1}V{:.1}\
                     C{middle:.1} {:.1} {middle:.1} {:.1} {left:.1} {:.1}Z\" style=\"fill:{}\" fill-opacity=\"{opacity}\"><title>{}</title></path>",
                    y1 + thick.1,
                    y1 + thick.1,
                    y0 + thick.0,
                    y0 + thick.0,
                    colour(origin),
                    escape(&format!(
                        "{} from {} to {}",
                        migration.counts[[i, j]],
                        self.call(origin),
                        self.call(target)
                    )),
                );
            }
        }
    }

    fn column(
        &self,
        svg: &mut String,
        (t, n_months): (usize, usize),
        bars: &[Bar],
        transition: &Transition,
    ) {
        let (left, ink) = (x(t), "style=\"fill:var(--ink,#1c2126)\"");
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"24\" text-anchor=\"middle\" font-weight=\"600\" {ink}>{}</text>",
            left + BAR / 2.0,
            escape(&transition.month)
        );
        for bar in bars {
            let _ = write!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{BAR}\" height=\"{:.1}\" rx=\"2\" style=\"fill:{}\"><title>{}</title></rect>",
                bar.top,
                bar.height.max(1.0),
                colour(bar.place),
                escape(&format!(
                    "{}: {} subscribers in {}",
                    self.call(bar.place),
                    bar.n,
                    transition.month
                )),
            );
            // A name where a segment is seen first, and at the end.
            let is_new = transition
                .matches
                .iter()
                .any(|m| m.is_new && Place::Segment(m.segment) == bar.place);
            let mut label = |at: f64, anchor: &str, text: String| {
                let middle = bar.top + bar.height / 2.0 + 4.0;
                let _ = write!(
                    svg,
                    "<text x=\"{at:.1}\" y=\"{middle:.1}\" text-anchor=\"{anchor}\" {ink}>{}</text>",
                    escape(&text)
                );
            };
            match (t == 0, t + 1 == n_months) {
                (_, true) => label(
                    left + BAR + 8.0,
                    "start",
                    format!("{} · {}", self.call(bar.place), count(bar.n)),
                ),
                (true, _) => label(
                    left - 8.0,
                    "end",
                    format!("{} · {}", self.call(bar.place), count(bar.n)),
                ),
                _ if is_new => label(
                    left + BAR + 6.0,
                    "start",
                    format!("new: {}", self.call(bar.place)),
                ),
                _ => {}
            }
        }
    }

    /// A segment's name where it has one: pictures have little space.
    fn call(&self, place: Place) -> String {
        match place {
            Place::Segment(segment) => self
                .name(segment)
                .map_or_else(|| segment.to_string(), str::to_owned),
            other => other.to_string(),
        }
    }

    /// The picture in words: sizes at both ends, and what happened in between.
    fn in_words(&self) -> String {
        let sizes = |t: &Transition| {
            let sizes = t
                .sizes
                .iter()
                .map(|s| format!("{} {}", self.call(Place::Segment(s.segment)), s.n));
            format!("{}: {}", t.month, sizes.collect::<Vec<_>>().join(", "))
        };
        let ends = match self.transitions.as_slice() {
            [] => return "No month yet.".into(),
            [one] => sizes(one),
            [first, .., last] => format!("{}; {}", sizes(first), sizes(last)),
        };
        let moved = self.transitions.iter().filter_map(|t| {
            let stayed = t.migration.as_ref()?.stayed();
            Some(format!(
                "{}: {:.0} % stayed in their segment",
                t.month,
                100.0 * stayed
            ))
        });
        let born = self
            .records
            .iter()
            .filter(|r| r.born > 0)
            .map(|r| life(r.segment, "is new in", self, r.born));
        let died = self
            .records
            .iter()
            .filter_map(|r| Some(life(r.segment, "is gone in", self, r.died?)));
        let parts: Vec<String> = moved.chain(born).chain(died).collect();
        format!("{ends}. {}.", parts.join(". "))
    }
}

fn life(segment: SegmentId, what: &str, history: &SegmentHistory, month: usize) -> String {
    let name = history.call(Place::Segment(segment));
    let month = history
        .transitions
        .get(month)
        .map_or("", |t| t.month.as_str());
    format!("{name} {what} {month}")
}

/// The weight of a month's base.
fn total(transition: &Transition) -> f64 {
    let largest = transition.sizes.iter().find(|s| s.share > 0.0);
    largest.map_or(0.0, |s| s.weight / s.share)
}

fn count_to(migration: &Migration, place: Place) -> u64 {
    let at = migration.to.iter().position(|&p| p == place);
    at.map_or(0, |j| migration.counts.column(j).iter().sum())
}

fn bar(bars: &[Bar], place: Place) -> Option<&Bar> {
    bars.iter().find(|b| b.place == place)
}

fn x(month: usize) -> f64 {
    SIDE + STEP * month as f64
}

fn colour(place: Place) -> String {
    match place {
        Place::Segment(segment) => {
            let i = segment.0 as usize % COLOURS.len();
            format!("var(--s{i},{})", COLOURS[i])
        }
        _ => "var(--muted,#8a929a)".into(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
