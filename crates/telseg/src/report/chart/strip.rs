//! Small pictures that stand in a row of a table: bars, dots with their interval, histograms.
//!
//! Widths are percentages of the cell, so a strip fits a phone without its letters shrinking.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::px;
use crate::report::format;

/// A bar from the left; `share` is its part of the full width.
pub(crate) fn bar(label: &str, class: &str, share: f64) -> Markup {
    html! {
        svg.strip role="img" aria-label=(label) {
            title { (label) }
            rect.track x="0" y="3" width="100%" height="10" rx="2" {}
            rect class={ "fill " (class) } x="0" y="3" width=(percent(share)) height="10" rx="2" {}
        }
    }
}

/// A bar from the middle: to the right when `part` is positive, -1 to 1.
pub(crate) fn diverging(label: &str, part: f64) -> Markup {
    let part = if part.is_finite() {
        part.clamp(-1.0, 1.0)
    } else {
        0.0
    };
    let (class, start) = if part < 0.0 {
        ("neg", 0.5 + part / 2.0)
    } else {
        ("pos", 0.5)
    };
    html! {
        svg.strip role="img" aria-label=(label) {
            title { (label) }
            rect class={ "fill " (class) } x=(percent(start)) y="3" width=(percent(part.abs() / 2.0))
                height="10" rx="2" {}
            line.zero x1="50%" x2="50%" y1="0" y2="16" {}
        }
    }
}

/// A dot at its place between 0 and 1, the interval around it, and a mark to compare it with.
pub(crate) fn interval_dot(
    label: &str,
    class: &str,
    at: f64,
    ends: Option<(f64, f64)>,
    reference: Option<f64>,
) -> Markup {
    html! {
        svg.strip role="img" aria-label=(label) {
            title { (label) }
            line.track x1="0" x2="100%" y1="8" y2="8" {}
            @if let Some(reference) = reference.filter(|r| r.is_finite()) {
                line.reference x1=(percent(reference)) x2=(percent(reference)) y1="0" y2="16" {}
            }
            @if let Some((low, high)) = ends {
                line class={ "range " (class) } x1=(percent(low)) x2=(percent(high)) y1="8" y2="8" {}
            }
            @if at.is_finite() {
                circle class={ "dot " (class) } cx=(percent(at)) cy="8" r="4.5" {}
            }
        }
    }
}

/// A histogram as small as a word.
pub(crate) fn histogram(label: &str, counts: &[f64]) -> Markup {
    let most = counts
        .iter()
        .copied()
        .filter(|c| c.is_finite())
        .fold(0.0, f64::max);
    let width = 100.0 / counts.len().max(1) as f64;
    let mut path = String::new();
    for (at, count) in counts
        .iter()
        .enumerate()
        .filter(|(_, c)| **c > 0.0 && c.is_finite())
    {
        let left = px(at as f64 * width);
        // What is there is seen, however little it is.
        let height = (count / most * 22.0).max(1.0);
        let _ = write!(path, "M{left} 24v-{}h{}V24Z", px(height), px(width * 0.86));
    }
    html! {
        svg.spark role="img" aria-label=(label) viewBox="0 0 100 24" preserveAspectRatio="none" {
            title { (label) }
            path.fill d=(path) {}
            path.axis d="M0 24H100" {}
        }
    }
}

/// Shares of a whole side by side, each fainter than the one before.
pub(crate) fn stacked(label: &str, shares: &[(&str, f64)]) -> Markup {
    let mut start = 0.0;
    let mut parts = Vec::new();
    for (name, share) in shares.iter().filter(|(_, s)| *s > 0.0 && s.is_finite()) {
        let share = share.min(1.0 - start);
        parts.push((*name, start, share));
        start += share;
    }
    html! {
        svg.spark role="img" aria-label=(label) {
            title { (label) }
            rect.track x="0" y="6" width="100%" height="12" {}
            @for (at, (name, start, share)) in parts.iter().enumerate() {
                rect class={ "level l" (at.min(5)) } x=(percent(*start)) y="6"
                    width=(percent(*share)) height="12" {
                    title { (name) " " (format::percent(*share)) }
                }
            }
        }
    }
}

/// A place or length in percent of the width, held between its ends.
fn percent(share: f64) -> String {
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    format!("{}%", px(share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_their_share() {
        assert!(bar("l", "s1", 0.25).0.contains(r#"width="25%""#));
        assert!(bar("l", "s1", f64::NAN).0.contains(r#"width="0%""#));
        assert!(
            bar("l", "s1", 7.0)
                .0
                .contains(r#"width="100%" height="10""#)
        );
    }

    #[test]
    fn diverging_bars_grow_from_the_middle() {
        let left = diverging("l", -0.5).0;
        assert!(left.contains(r#"fill neg" x="25%""#), "{left}");
        let right = diverging("l", 0.5).0;
        assert!(right.contains(r#"fill pos" x="50%""#), "{right}");
        assert!(right.contains(r#"width="25%""#), "{right}");
    }

    #[test]
    fn histogram_is_one_path() {
        let svg = histogram("l", &[1.0, 0.0, 4.0, f64::NAN]).0;
        // Four bins of 25: the first is a quarter of 22 high, the third all of it.
        assert!(
            svg.contains("M0 24v-5.5h21.5V24ZM50 24v-22h21.5V24Z"),
            "{svg}"
        );
        assert!(histogram("l", &[]).0.contains(r#"d="""#));
    }

    #[test]
    fn levels_never_pass_the_end() {
        let svg = stacked("l", &[("a", 0.7), ("b", 0.7), ("c", f64::NAN)]).0;
        assert!(svg.contains(r#"x="70%" y="6" width="30%""#), "{svg}");
    }

    #[test]
    fn dots_have_a_range_and_a_reference() {
        let svg = interval_dot("l", "s0", 0.5, Some((0.4, 0.65)), Some(0.2)).0;
        assert!(
            svg.contains(r#"x1="40%" x2="65%""#) && svg.contains(r#"cx="50%""#),
            "{svg}"
        );
        let bare = interval_dot("l", "s0", f64::NAN, None, None).0;
        assert!(!bare.contains("circle") && !bare.contains("reference"));
    }
}
