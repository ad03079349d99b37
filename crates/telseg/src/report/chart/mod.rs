//! A small kit of SVG charts.
//!
//! Charts know nothing of segments or churn: they take numbers, words and the class that colours
//! a mark. Every picture carries its finding in words (`role="img"` and a label). Colours are CSS
//! variables, so one picture serves the light and the dark page. Numbers that are not finite are
//! left out of a drawing.

mod axis;
mod heat;
mod plot;
mod strip;

pub(crate) use axis::{Axis, Ticks};
pub(crate) use heat::{HeatRow, heat_table};
pub(crate) use plot::Plot;
pub(crate) use strip::{bar, diverging, histogram, interval_dot, stacked};

/// A coordinate with at most one decimal: enough for a screen, and short.
fn px(x: f64) -> String {
    let tenths = (x * 10.0).round() / 10.0;
    if tenths == 0.0 {
        "0".into()
    } else {
        format!("{tenths}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn coordinates_are_short() {
        assert_eq!(super::px(12.0), "12");
        assert_eq!(super::px(12.26), "12.3");
        assert_eq!(super::px(-0.01), "0");
    }
}
