//! Plots on two axes: lines, bands, dots, bubbles, whiskers, labels.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{Axis, px};

// Drawn at about the size at which it is shown, so that its letters match those around it.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 40.0;

/// A plot in the making; marks are drawn in the order in which they were added.
pub(crate) struct Plot {
    label: String,
    x: Axis,
    y: Axis,
    marks: Vec<Markup>,
}

impl Plot {
    /// An empty plot; the label says in words what it shows.
    pub(crate) fn new(label: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            label: label.into(),
            x,
            y,
            marks: Vec::new(),
        }
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            LEFT + self.x.at(x) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - self.y.at(y) * (HEIGHT - TOP - BOTTOM),
        )
    }

    fn path(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (at, point) in points.into_iter().filter(finite).enumerate() {
            let (x, y) = self.place(point);
            let command = if at == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{} {}", px(x), px(y));
        }
        path
    }

    /// A line through the points.
    pub(crate) fn line(mut self, class: &str, points: &[(f64, f64)]) -> Self {
        let path = self.path(points.iter().copied());
        if !path.is_empty() {
            self.marks
                .push(html! { path class={ "line " (class) } d=(path) {} });
        }
        self
    }

    /// The area between two lines over the same places: x, low, high.
    pub(crate) fn band(mut self, class: &str, points: &[(f64, f64, f64)]) -> Self {
        let whole = |p: &&(f64, f64, f64)| p.0.is_finite() && p.1.is_finite() && p.2.is_finite();
        let up = points.iter().filter(whole).map(|p| (p.0, p.2));
        let down = points.iter().rev().filter(whole).map(|p| (p.0, p.1));
        let path = self.path(up.chain(down));
        if !path.is_empty() {
            self.marks
                .push(html! { path class={ "band " (class) } d={ (path) "Z" } {} });
        }
        self
    }

    /// A disc with a tip that is shown when it is pointed at.
    pub(crate) fn dot(mut self, class: &str, at: (f64, f64), radius: f64, tip: &str) -> Self {
        if finite(&at) && radius.is_finite() {
            let (x, y) = self.place(at);
            self.marks.push(html! {
                circle class={ "dot " (class) } cx=(px(x)) cy=(px(y)) r=(px(radius)) {
                    @if !tip.is_empty() { title { (tip) } }
                }
            });
        }
        self
    }

    /// Many small discs of one class, as one path.
    pub(crate) fn specks(mut self, class: &str, points: &[(f64, f64)]) -> Self {
        let mut path = String::new();
        for point in points.iter().filter(|p| finite(p)) {
            let (x, y) = self.place(*point);
            // A line of no length with round ends is a disc.
            let _ = write!(path, "M{} {}h0", px(x), px(y));
        }
        if !path.is_empty() {
            self.marks
                .push(html! { path class={ "specks " (class) } d=(path) {} });
        }
        self
    }

    /// An upright stroke from low to high.
    pub(crate) fn whisker(mut self, class: &str, x: f64, low: f64, high: f64) -> Self {
        let path = self.path([(x, low), (x, high)]);
        if path.contains('L') {
            self.marks
                .push(html! { path class={ "whisker " (class) } d=(path) {} });
        }
        self
    }

    /// Words at a point, moved by so many pixels.
    pub(crate) fn text(
        mut self,
        class: &str,
        at: (f64, f64),
        (dx, dy): (f64, f64),
        text: &str,
    ) -> Self {
        if finite(&at) {
            let (x, y) = self.place(at);
            self.marks.push(html! {
                text class={ "note " (class) } x=(px(x + dx)) y=(px(y + dy)) { (text) }
            });
        }
        self
    }

    fn ticks(&self) -> Markup {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        html! {
            @for tick in &self.y.ticks {
                @let (_, y) = self.place((0.0, *tick));
                path class="gridline" d={ "M" (px(LEFT)) " " (px(y)) "H" (px(right)) } {}
                text class="tick end" x=(px(LEFT - 6.0)) y=(px(y + 3.5)) { (self.y.written(*tick)) }
            }
            @if !self.x.ticks.is_empty() {
                path class="axis" d={ "M" (px(LEFT)) " " (px(bottom)) "H" (px(right)) } {}
            }
            @for tick in &self.x.ticks {
                @let (x, _) = self.place((*tick, 0.0));
                path class="axis" d={ "M" (px(x)) " " (px(bottom)) "v4" } {}
                text class="tick middle" x=(px(x)) y=(px(bottom + 16.0)) {
                    (self.x.written(*tick))
                }
            }
            @if !self.y.title.is_empty() { text x="2" y="12" { (self.y.title) } }
            @if !self.x.title.is_empty() {
                text.end x=(px(right)) y=(px(HEIGHT - 5.0)) { (self.x.title) }
            }
        }
    }

    /// The picture.
    pub(crate) fn draw(self) -> Markup {
        html! {
            svg.plot role="img" aria-label=(self.label) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
                (self.ticks())
                @for mark in &self.marks { (mark) }
            }
        }
    }
}

fn finite(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> Plot {
        Plot::new("it \"rises\" <fast>", Axis::share("x"), Axis::share("y"))
    }

    #[test]
    fn line_runs_from_corner_to_corner() {
        let svg = plot().line("a", &[(0.0, 0.0), (1.0, 1.0)]).draw();
        // x: 46 to 360 - 14; y: 250 - 40 up to 28.
        assert!(svg.0.contains(r#"d="M46 210L346 28""#), "{}", svg.0);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let nan = f64::NAN;
        let svg = plot()
            .line("a", &[(0.0, nan), (nan, 1.0)])
            .band("b", &[(0.0, nan, 1.0)])
            .dot("c", (f64::INFINITY, 0.0), 3.0, "tip")
            .whisker("d", 0.5, nan, 1.0)
            .text("e", (nan, 0.0), (0.0, 0.0), "text")
            .specks("f", &[(nan, 0.0)])
            .draw();
        assert_eq!(svg.0, plot().draw().0);
        assert!(!svg.0.contains("NaN"));
    }

    #[test]
    fn words_are_escaped() {
        let svg = plot().dot("c", (0.5, 0.5), 3.0, "<b>").draw();
        assert!(svg.0.contains("it &quot;rises&quot; &lt;fast&gt;"));
        assert!(svg.0.contains("<title>&lt;b&gt;</title>"));
    }
}
