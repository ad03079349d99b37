//! The flow of subscribers between segments over the months, as data and as a picture.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

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
const SIDE: f64 = 200.0;
/// Height of the whole base, and the gap between bars.
const HEIGHT: f64 = 380.0;
const GAP: f64 = 12.0;

/// Who was where, month by month: a bar a segment and month, a ribbon for those who were in the one and are in the other.
/// [`SegmentHistory::alluvial`] gives it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Alluvial {
    /// The months, the first one first.
    pub months: Vec<AlluvialMonth>,
    /// The picture in words.
    pub description: String,
}

/// One month of an [`Alluvial`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AlluvialMonth {
    /// Its name.
    pub name: String,
    /// Its segments, from the lowest number; those in no segment at the end, where there are any.
    pub bars: Vec<AlluvialBar>,
    /// Those who were in the base the month before.
    pub ribbons: Vec<AlluvialRibbon>,
}

/// A segment in one month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AlluvialBar {
    /// Its number; `None`: no segment.
    pub segment: Option<u32>,
    /// What it is called.
    pub name: String,
    /// Its subscribers.
    pub n: u64,
    /// Their weight.
    pub weight: f64,
    /// Whether it is new this month.
    pub is_new: bool,
}

/// Subscribers who went from a bar of the month before to one of this month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AlluvialRibbon {
    /// Place of the bar of the month before.
    pub from: usize,
    /// Place of the bar of this month.
    pub to: usize,
    /// How many.
    pub n: u64,
    /// Their share of the bar of the month before.
    pub share_of_from: f64,
    /// Their share of the bar of this month.
    pub share_of_to: f64,
}

impl SegmentHistory {
    /// The flow of subscribers over the months; its size grows with months and segments, not with subscribers.
    pub fn alluvial(&self) -> Alluvial {
        let mut months: Vec<AlluvialMonth> = Vec::new();
        for transition in &self.transitions {
            let mut month = AlluvialMonth {
                name: transition.month.clone(),
                bars: self.bars(transition),
                ribbons: Vec::new(),
            };
            if let (Some(migration), Some(before)) = (&transition.migration, months.last()) {
                month.ribbons = ribbons(migration, &before.bars, &month.bars);
            }
            months.push(month);
        }
        Alluvial {
            months,
            description: self.in_words(),
        }
    }

    fn bars(&self, transition: &Transition) -> Vec<AlluvialBar> {
        let is_new = |segment| {
            transition
                .matches
                .iter()
                .any(|m| m.is_new && m.segment == segment)
        };
        let mut bars: Vec<AlluvialBar> = (transition.sizes.iter())
            .map(|size| AlluvialBar {
                segment: Some(size.segment.0),
                name: self.call(size.segment),
                n: size.n,
                weight: size.weight,
                is_new: is_new(size.segment),
            })
            .collect();
        let total = transition
            .sizes
            .iter()
            .find(|s| s.share > 0.0)
            .map_or(0.0, |s| s.weight / s.share);
        let rest = total - bars.iter().map(|b| b.weight).sum::<f64>();
        if rest > 1e-9 * total {
            let n = transition.migration.as_ref().map_or(0, |m| {
                let at = m.to.iter().position(|&p| p == Place::NoSegment);
                at.map_or(0, |j| m.counts.column(j).iter().sum())
            });
            bars.push(AlluvialBar {
                segment: None,
                name: "no segment".into(),
                n,
                weight: rest,
                is_new: false,
            });
        }
        bars
    }

    /// A segment's name where it has one: pictures have little space.
    fn call(&self, segment: SegmentId) -> String {
        self.name(segment)
            .map_or_else(|| segment.to_string(), str::to_owned)
    }

    /// The picture in words: sizes at both ends, and what happened in between.
    fn in_words(&self) -> String {
        let sizes = |t: &Transition| {
            let sizes = t
                .sizes
                .iter()
                .map(|s| format!("{} {}", self.call(s.segment), count(s.n)));
            format!("{}: {}", t.month, sizes.collect::<Vec<_>>().join(", "))
        };
        let ends = match self.transitions.as_slice() {
            [] => return "No month yet.".into(),
            [one] => return format!("{}.", sizes(one)),
            [first, .., last] => format!("{}; {}", sizes(first), sizes(last)),
        };
        let moved = self
            .transitions
            .iter()
            .filter(|t| t.n_shared > 0)
            .filter_map(|t| {
                let stayed = t.migration.as_ref()?.stayed();
                Some(format!(
                    "{}: {:.0} % stayed in their segment",
                    t.month,
                    100.0 * stayed
                ))
            });
        let life = |segment: SegmentId, what: &str, month: usize| {
            let month = self.transitions.get(month).map_or("", |t| t.month.as_str());
            format!("{} {what} {month}", self.call(segment))
        };
        let born = self
            .records
            .iter()
            .filter(|r| r.born > 0)
            .map(|r| life(r.segment, "is new in", r.born));
        let died = self
            .records
            .iter()
            .filter_map(|r| Some(life(r.segment, "is gone in", r.died?)));
        let parts: Vec<String> = [ends]
            .into_iter()
            .chain(moved)
            .chain(born)
            .chain(died)
            .collect();
        format!("{}.", parts.join(". "))
    }
}

fn ribbons(migration: &Migration, old: &[AlluvialBar], new: &[AlluvialBar]) -> Vec<AlluvialRibbon> {
    let find = |bars: &[AlluvialBar], place: Place| match place {
        Place::Segment(segment) => bars.iter().position(|b| b.segment == Some(segment.0)),
        Place::NoSegment => bars.iter().position(|b| b.segment.is_none()),
        Place::Outside => None,
    };
    let (rows, columns) = (migration.row_weights(), migration.column_weights());
    let mut ribbons = Vec::new();
    for ((i, j), &weight) in migration.weights.indexed_iter().filter(|(_, w)| **w > 0.0) {
        let (from, to) = (find(old, migration.from[i]), find(new, migration.to[j]));
        if let (Some(from), Some(to)) = (from, to) {
            ribbons.push(AlluvialRibbon {
                from,
                to,
                n: migration.counts[[i, j]],
                share_of_from: weight / rows[i],
                share_of_to: weight / columns[j],
            });
        }
    }
    ribbons
}

/// A bar on the picture.
#[derive(Clone, Copy)]
struct Placed {
    top: f64,
    height: f64,
}

impl Alluvial {
    /// The picture as an SVG that stands alone or in a page. The part of a bar without a ribbon joined or left. Its text
    /// alternative is [`description`](Self::description); colours are the page's variables `--s0` to `--s8`, `--ink` and
    /// `--muted` where it has them.
    pub fn to_svg(&self) -> String {
        let placed = self.place();
        let width = 2.0 * SIDE + BAR + STEP * self.months.len().saturating_sub(1) as f64;
        let most = self.months.iter().map(|m| m.bars.len()).max().unwrap_or(0);
        let height = TOP + HEIGHT + GAP * most as f64 + 12.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             role=\"img\" aria-label=\"{}\" font-family=\"system-ui,sans-serif\" font-size=\"12\"><title>Subscribers in each \
             segment, month by month</title>",
            escape(&self.description)
        );
        for t in 1..self.months.len() {
            self.draw_ribbons(&mut svg, t, (&placed[t - 1], &placed[t]));
        }
        for (t, placed) in placed.iter().enumerate() {
            self.draw_bars(&mut svg, t, placed);
        }
        svg.push_str("</svg>");
        svg
    }

    fn place(&self) -> Vec<Vec<Placed>> {
        let total = |month: &AlluvialMonth| month.bars.iter().map(|b| b.weight).sum::<f64>();
        let most = self.months.iter().map(total).fold(0.0, f64::max);
        let scale = if most > 0.0 { HEIGHT / most } else { 0.0 };
        let column = |month: &AlluvialMonth| {
            let mut top = TOP;
            let place = |bar: &AlluvialBar| {
                let placed = Placed {
                    top,
                    height: bar.weight * scale,
                };
                top += placed.height + GAP;
                placed
            };
            month.bars.iter().map(place).collect()
        };
        self.months.iter().map(column).collect()
    }

    fn draw_ribbons(&self, svg: &mut String, t: usize, (old, new): (&[Placed], &[Placed])) {
        let (left, right) = (x(t - 1) + BAR, x(t));
        let middle = (left + right) / 2.0;
        let mut from: Vec<f64> = old.iter().map(|p| p.top).collect();
        let mut to: Vec<f64> = new.iter().map(|p| p.top).collect();
        for ribbon in &self.months[t].ribbons {
            let (Some(a), Some(b)) = (old.get(ribbon.from), new.get(ribbon.to)) else {
                continue;
            };
            let (bar, goal) = (
                &self.months[t - 1].bars[ribbon.from],
                &self.months[t].bars[ribbon.to],
            );
            let thick = (
                a.height * ribbon.share_of_from,
                b.height * ribbon.share_of_to,
            );
            let (y0, y1) = (from[ribbon.from], to[ribbon.to]);
            from[ribbon.from] += thick.0;
            to[ribbon.to] += thick.1;
            if thick.0.max(thick.1) < 0.2 {
                continue; // thinner than anybody sees
            }
            let (end0, end1) = (y0 + thick.0, y1 + thick.1);
            let opacity = if bar.segment == goal.segment {
                0.28
            } else {
                0.6
            };
            let tip = format!("{} from {} to {}", count(ribbon.n), bar.name, goal.name);
            let _ = write!(
                svg,
                "<path d=\"M{left:.1} {y0:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {right:.1} {y1:.1}V{end1:.1}C{middle:.1} \
                 {end1:.1} {middle:.1} {end0:.1} {left:.1} {end0:.1}Z\" fill=\"{}\" fill-opacity=\"{opacity}\"><title>{}\
                 </title></path>",
                colour(bar.segment),
                escape(&tip),
            );
        }
    }

    fn draw_bars(&self, svg: &mut String, t: usize, placed: &[Placed]) {
        let (left, ink) = (x(t), "fill=\"var(--ink,#1c2126)\"");
        let month = &self.months[t];
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"24\" text-anchor=\"middle\" font-weight=\"600\" {ink}>{}</text>",
            left + BAR / 2.0,
            escape(&month.name)
        );
        for (bar, place) in month.bars.iter().zip(placed) {
            let tip = format!(
                "{}: {} subscribers in {}",
                bar.name,
                count(bar.n),
                month.name
            );
            let _ = write!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{BAR}\" height=\"{:.1}\" rx=\"2\" fill=\"{}\"><title>{}</title>\
                 </rect>",
                place.top,
                place.height.max(1.0),
                colour(bar.segment),
                escape(&tip),
            );
            // A name at both ends, and where a segment is seen first.
            let sized = format!("{} · {}", bar.name, count(bar.n));
            let (at, anchor, text) = match (t == 0, t + 1 == self.months.len(), bar.is_new) {
                (_, true, _) => (left + BAR + 8.0, "start", sized),
                (true, ..) => (left - 8.0, "end", sized),
                (_, _, true) => (left + BAR + 6.0, "start", format!("new: {}", bar.name)),
                _ => continue,
            };
            let middle = place.top + place.height / 2.0 + 4.0;
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{middle:.1}\" text-anchor=\"{anchor}\" {ink}>{}</text>",
                escape(&text)
            );
        }
    }
}

fn x(month: usize) -> f64 {
    SIDE + STEP * month as f64
}

fn colour(segment: Option<u32>) -> String {
    match segment {
        Some(segment) => {
            let i = segment as usize % COLOURS.len();
            format!("var(--s{i},{})", COLOURS[i])
        }
        None => "var(--muted,#8a929a)".into(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
