//! The reachability plot as a picture.

use std::fmt::Write;

use crate::Assignment;

/// Bars at most: of more rows, the highest of those side by side is drawn.
const BARS: usize = 1200;

/// Colours that are told apart, also by those who see fewer.
const COLOURS: [&str; 8] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7f00", "#5d3a9b",
];

/// A bar a row in the order of the walk, as high as its reachability, in the colour of its cluster.
pub(super) fn svg(reach: &[f64], labels: &[Assignment]) -> String {
    let (width, height) = (BARS as f64, 240.0);
    let finite = reach.iter().copied().filter(|r| r.is_finite());
    let top = finite.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let step = reach.len().div_ceil(BARS).max(1);
    let wide = width / reach.len().div_ceil(step).max(1) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\
         <title>Reachability of {} rows; the highest finite one is {top:.4}</title>",
        reach.len()
    );
    for (i, (reach, labels)) in reach.chunks(step).zip(labels.chunks(step)).enumerate() {
        let high = reach.iter().copied().fold(0.0, f64::max).min(top) / top * height;
        let label = labels.iter().find_map(|label| label.cluster());
        let colour = label.map_or("#999999", |label| COLOURS[label as usize % COLOURS.len()]);
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{wide:.2}\" height=\"{high:.2}\" fill=\"{colour}\"/>",
            i as f64 * wide,
            height - high
        );
    }
    svg.push_str("</svg>");
    svg
}
