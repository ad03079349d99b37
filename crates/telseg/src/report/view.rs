//! What the sections share: names and colours of segments, and the frames that things stand in.

use maud::{Markup, html};

use super::model::{Interval, Report, SegmentCard, Words};
use super::{format, theme};

/// A report as a section looks at it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) report: &'a Report,
}

impl<'a> View<'a> {
    pub(crate) fn words(&self) -> &'a Words {
        &self.report.words
    }

    pub(crate) fn segments(&self) -> &'a [SegmentCard] {
        &self.report.segmentation.segments
    }

    /// The class that colours a segment: by its number, so that it has the same colour every month.
    pub(crate) fn class(&self, id: u32) -> String {
        format!("s{}", id as usize % theme::SEGMENT_COLOURS)
    }

    /// A segment's number beside its colour.
    pub(crate) fn badge(&self, id: u32) -> Markup {
        html! { span.badge { i class={ "swatch " (self.class(id)) } {} (id) } }
    }

    /// A segment's number, colour and name.
    pub(crate) fn named(&self, id: u32) -> Markup {
        let name = self
            .segments()
            .iter()
            .find(|s| s.id == id)
            .map_or("", |s| &s.name);
        html! { (self.badge(id)) " " span.name { (name) } }
    }

    /// Share of all with the event: as the model's rows have it, else from the segments.
    pub(crate) fn base_rate(&self) -> Option<f64> {
        if let Some(p) = self.report.prediction.as_ref().filter(|p| p.n > 0) {
            return Some(p.positives as f64 / p.n as f64);
        }
        let (mut events, mut all) = (0.0, 0.0);
        for card in self.segments() {
            if let Some(rate) = known(card.churn_rate) {
                events += rate * card.n as f64;
                all += card.n as f64;
            }
        }
        (all > 0.0).then(|| events / all)
    }

    /// The segment with the highest rate, when there are several to compare.
    pub(crate) fn riskiest(&self) -> Option<(&'a SegmentCard, f64)> {
        let rates = || {
            let rate = |s: &'a SegmentCard| known(s.churn_rate).map(|r| (s, r));
            self.segments().iter().filter_map(rate)
        };
        let highest = rates().max_by(|a, b| a.1.total_cmp(&b.1));
        highest.filter(|_| rates().count() > 1)
    }

    /// Share of the money that each segment brings, when all of them say.
    pub(crate) fn revenue_shares(&self) -> Option<Vec<f64>> {
        let money = |s: &SegmentCard| known(s.arpu).map(|arpu| arpu * s.n as f64);
        let each: Vec<f64> = self.segments().iter().map(money).collect::<Option<_>>()?;
        let all: f64 = each.iter().sum();
        // A share of a sum with negative parts would mislead.
        let sound = all > 0.0 && each.iter().all(|m| *m >= 0.0);
        sound.then(|| each.iter().map(|m| m / all).collect())
    }
}

/// The estimate, if there is one.
pub(crate) fn known(interval: Option<Interval>) -> Option<f64> {
    interval.map(|i| i.estimate).filter(|e| e.is_finite())
}

/// The upper end of what an interval covers.
pub(crate) fn reach(interval: Option<Interval>) -> f64 {
    let Some(i) = interval else { return f64::NAN };
    i.ends()
        .map_or(i.estimate, |(_, high)| high.max(i.estimate))
}

/// "0.31 (0.29 to 0.33)".
pub(crate) fn with_range(interval: Interval, show: impl Fn(f64) -> String) -> String {
    let estimate = show(interval.estimate);
    match format::range(interval, show) {
        Some(range) => format!("{estimate} ({range})"),
        None => estimate,
    }
}

/// A picture with its heading and what it says.
pub(crate) fn figure(title: &str, picture: Markup, says: Markup) -> Markup {
    html! {
        figure.card {
            h4 { (title) }
            (picture)
            figcaption { (says) }
        }
    }
}

/// A section of the page.
pub(crate) fn section(id: &str, title: &str, body: Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            (body)
        }
    }
}

/// The value of a curve at x, on the straight line between its neighbours.
pub(crate) fn curve_at(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let mut points: Vec<_> = points
        .iter()
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let next = points.iter().position(|p| p.0 >= x)?;
    let (x1, y1) = *points[next];
    if next == 0 || x1 == x {
        return (x1 == x).then_some(y1);
    }
    let (x0, y0) = *points[next - 1];
    Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_read_between_their_points() {
        let curve = [(0.0, 0.0), (0.5, 1.0), (1.0, f64::NAN)];
        assert_eq!(curve_at(&curve, 0.25), Some(0.5));
        assert_eq!(curve_at(&curve, 0.5), Some(1.0));
        assert_eq!(curve_at(&curve, 0.75), None);
        assert_eq!(curve_at(&[], 0.5), None);
    }

    fn report(cards: &[(u64, f64, f64)]) -> Report {
        let mut report = Report::default();
        for (id, (n, arpu, rate)) in (0..).zip(cards) {
            report.segmentation.segments.push(SegmentCard {
                id,
                n: *n,
                arpu: Some(Interval::point(*arpu)),
                churn_rate: Some(Interval::point(*rate)),
                ..SegmentCard::default()
            });
        }
        report
    }

    #[test]
    fn rates_and_revenue_are_weighted_by_subscribers() {
        let report = report(&[(300, 10.0, 0.1), (100, 50.0, 0.5)]);
        let view = View { report: &report };
        // (300 * 0.1 + 100 * 0.5) / 400 = 0.2; money 3000 and 5000.
        assert!((view.base_rate().unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(view.revenue_shares().unwrap(), [0.375, 0.625]);
        assert_eq!(view.riskiest().unwrap().0.id, 1);
    }

    #[test]
    fn one_segment_is_not_the_riskiest() {
        let mut report = report(&[(300, -10.0, 0.1)]);
        let view = View { report: &report };
        assert!(view.riskiest().is_none());
        assert!(view.revenue_shares().is_none());
        report.segmentation.segments[0].churn_rate = None;
        assert_eq!(View { report: &report }.base_rate(), None);
    }
}
