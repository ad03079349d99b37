//! Axes: from values to places on the page, with ticks at round numbers.

use crate::report::format;

/// How the ticks of an axis are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticks {
    /// As numbers.
    Number,
    /// As whole numbers, each of which may be a tick.
    Whole,
    /// As percentages of 1.
    Percent,
}

/// One axis of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) title: String,
    pub(crate) ticks: Vec<f64>,
    kind: Ticks,
    low: f64,
    high: f64,
}

impl Axis {
    /// From 0 to 1, in percent.
    pub(crate) fn share(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ticks: vec![0.0, 0.25, 0.5, 0.75, 1.0],
            kind: Ticks::Percent,
            low: 0.0,
            high: 1.0,
        }
    }

    /// Over all values and a little further, so that it ends at round numbers.
    pub(crate) fn around(
        title: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
        kind: Ticks,
    ) -> Self {
        let (low, high) = extent(values);
        let step = step(high - low, 5, kind);
        let low = (low / step + 1e-9).floor() * step;
        let high = (high / step - 1e-9).ceil() * step;
        Self::new(title, low, high, step, kind)
    }

    /// Exactly over the values; ticks at the round numbers between.
    pub(crate) fn tight(
        title: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
        kind: Ticks,
    ) -> Self {
        let (low, high) = extent(values);
        Self::new(title, low, high, step(high - low, 5, kind), kind)
    }

    fn new(title: impl Into<String>, low: f64, high: f64, step: f64, kind: Ticks) -> Self {
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        Self {
            title: title.into(),
            ticks: (first..=last).map(|i| i as f64 * step).collect(),
            kind,
            low,
            high,
        }
    }

    /// Where a value lies along the axis: 0 at its start, 1 at its end, held in between.
    pub(crate) fn at(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// A value as the axis writes it.
    pub(crate) fn written(&self, value: f64) -> String {
        match self.kind {
            Ticks::Percent => format::percent(value),
            Ticks::Number | Ticks::Whole => format::compact(value),
        }
    }
}

/// Smallest and largest finite value, apart from each other even when all are the same.
fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|v| v.is_finite())
        .map(|v| v.clamp(-1e300, 1e300))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
    if low > high {
        return (0.0, 1.0);
    }
    let span = high - low;
    // Beyond this the steps between ticks would be lost in rounding.
    let least = low.abs().max(high.abs()) * 1e-6;
    if span.is_finite() && span > least {
        (low, high)
    } else if low == 0.0 {
        (0.0, 1.0)
    } else {
        (low - low.abs() * 0.5, low + low.abs() * 0.5)
    }
}

/// A step of 1, 2 or 5 times a power of ten that cuts the span into about so many parts.
fn step(span: f64, parts: u32, kind: Ticks) -> f64 {
    let rough = span / f64::from(parts);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    if kind == Ticks::Whole {
        step.max(1.0).round()
    } else {
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        let axis = Axis::around("x", [0.13, 0.97], Ticks::Number);
        let ticks: Vec<_> = axis.ticks.iter().map(|t| axis.written(*t)).collect();
        // Span 0.84 in 5 parts is 0.168: the next of 1, 2, 5 is 0.2.
        assert_eq!(ticks, ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(
            (axis.at(0.0), axis.at(0.25), axis.at(1.0)),
            (0.0, 0.25, 1.0)
        );
    }

    #[test]
    fn tight_axis_keeps_its_ends() {
        let axis = Axis::tight("x", [18.25, 118.75], Ticks::Number);
        // Span 100.5 in 5 parts is 20.1: steps of 50.
        assert_eq!(axis.ticks, [50.0, 100.0]);
        assert_eq!(axis.at(18.25), 0.0);
        assert_eq!(axis.at(118.75), 1.0);
    }

    #[test]
    fn whole_numbers_have_whole_ticks() {
        let axis = Axis::tight("k", [2.0, 4.0], Ticks::Whole);
        assert_eq!(axis.ticks, [2.0, 3.0, 4.0]);
    }

    #[test]
    fn odd_values_still_make_an_axis() {
        for values in [
            vec![],
            vec![f64::NAN],
            vec![0.0],
            vec![5.0, 5.0],
            vec![-3.0],
            vec![1e300, -1e300],
            vec![f64::MIN, f64::MAX],
            vec![1e15, 1e15 + 1.0],
        ] {
            let axis = Axis::around("x", values.iter().copied(), Ticks::Number);
            assert!(axis.ticks.len() < 20, "{values:?}: {axis:?}");
            for v in values.into_iter().filter(|v| v.is_finite()) {
                assert!((0.0..=1.0).contains(&axis.at(v)), "{v}: {axis:?}");
            }
        }
    }
}
