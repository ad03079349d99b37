//! One row against 16 others, or against 16 boxes: the steps of a search that prunes.
//!
//! Results are in units of `2 |x - y|^2 / (1/w_x + 1/w_y)`: the squared distance between points of weight 1, and what
//! Ward's criterion asks of two clusters of weights `w` (twice the growth of the sum of squares when they merge).

use num_traits::Float;

use super::{Kernel, Level, fma};
use crate::Scalar;

/// Rows or boxes that are looked at together.
pub const LANES: usize = 16;

/// Rows `lanes[column][lane]`, each with the reciprocal of its weight. A lane of infinite coordinates holds no row: it is
/// infinitely far from everything.
#[derive(Clone, Copy, Debug)]
pub struct RowLanes<'a, T> {
    /// One column after the other.
    pub columns: &'a [[T; LANES]],
    /// Reciprocals of the weights.
    pub inverse: &'a [T; LANES],
}

/// Boxes by their corners, each with the largest reciprocal of a weight in it. A box from infinity to minus infinity is
/// empty.
#[derive(Clone, Copy, Debug)]
pub struct BoxLanes<'a, T> {
    /// Lower corners, one column after the other.
    pub low: &'a [[T; LANES]],
    /// Upper corners.
    pub high: &'a [[T; LANES]],
    /// Largest reciprocals.
    pub inverse: &'a [T; LANES],
}

/// A row that is searched for, with the reciprocal of its weight.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a, T> {
    /// The row.
    pub row: &'a [T],
    /// The reciprocal of its weight.
    pub inverse: T,
}

impl<T: Scalar> Probe<'_, T> {
    /// Distances to 16 rows; returns the least.
    #[inline]
    pub fn to_rows(&self, level: Level, lanes: RowLanes<'_, T>, out: &mut [T; LANES]) -> T {
        <T as Kernel>::probe_rows(level, *self, lanes, out)
    }

    /// Lower bounds of the distances to whatever 16 boxes hold; returns the least. Each operation is monotone in its
    /// operands and in the order of [`to_rows`](Self::to_rows), so the bounds hold to the last bit.
    #[inline]
    pub fn to_boxes(&self, level: Level, lanes: BoxLanes<'_, T>, out: &mut [T; LANES]) -> T {
        <T as Kernel>::probe_boxes(level, *self, lanes, out)
    }
}

#[inline(always)]
pub(super) fn rows_body<T: Float, const FMA: bool>(
    probe: Probe<'_, T>,
    lanes: RowLanes<'_, T>,
    out: &mut [T; LANES],
) -> T {
    let mut sums = [T::zero(); LANES];
    for (column, &v) in lanes.columns.iter().zip(probe.row) {
        for l in 0..LANES {
            let off = column[l] - v;
            sums[l] = fma::<T, FMA>(off, off, sums[l]);
        }
    }
    scale(sums, probe.inverse, lanes.inverse, out)
}

#[inline(always)]
pub(super) fn boxes_body<T: Float, const FMA: bool>(
    probe: Probe<'_, T>,
    lanes: BoxLanes<'_, T>,
    out: &mut [T; LANES],
) -> T {
    let mut sums = [T::zero(); LANES];
    for ((low, high), &v) in lanes.low.iter().zip(lanes.high).zip(probe.row) {
        for l in 0..LANES {
            let (below, above) = (low[l] - v, v - high[l]);
            let off = if below > above { below } else { above };
            let off = if off > T::zero() { off } else { T::zero() };
            sums[l] = fma::<T, FMA>(off, off, sums[l]);
        }
    }
    scale(sums, probe.inverse, lanes.inverse, out)
}

#[inline(always)]
fn scale<T: Float>(sums: [T; LANES], of_probe: T, inverse: &[T; LANES], out: &mut [T; LANES]) -> T {
    for l in 0..LANES {
        out[l] = (sums[l] + sums[l]) / (of_probe + inverse[l]);
    }
    let mut least = *out;
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            if least[l + half] < least[l] {
                least[l] = least[l + half];
            }
        }
        half /= 2;
    }
    least[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn distances_and_bounds_are_right_on_every_level() {
        let stream = Seed::new(5).stream("test");
        for d in [1usize, 2, 7, 16, 33] {
            let cell = |part: usize, j: usize, l: usize| {
                10.0 * stream.unit(((part * 40 + j) * 16 + l) as u64) - 5.0
            };
            let columns: Vec<[f64; LANES]> = (0..d)
                .map(|j| {
                    std::array::from_fn(|l| if l == 3 { f64::INFINITY } else { cell(0, j, l) })
                })
                .collect();
            let inverse: [f64; LANES] = std::array::from_fn(|l| 0.25 + l as f64);
            let row: Vec<f64> = (0..d).map(|j| cell(1, j, 0)).collect();
            let probe = Probe {
                row: &row,
                inverse: 0.5,
            };
            // The box of lane l holds row l and another one, of less weight.
            let low: Vec<[f64; LANES]> = columns
                .iter()
                .enumerate()
                .map(|(j, c)| std::array::from_fn(|l| c[l].min(cell(2, j, l))))
                .collect();
            let high: Vec<[f64; LANES]> = columns
                .iter()
                .enumerate()
                .map(|(j, c)| std::array::from_fn(|l| c[l].max(cell(2, j, l))))
                .collect();
            let largest = inverse.map(|v| v + 1.0);
            for level in Level::available() {
                let (mut out, mut bounds) = ([0.0; LANES], [0.0; LANES]);
                let rows = RowLanes {
                    columns: &columns,
                    inverse: &inverse,
                };
                let least = probe.to_rows(level, rows, &mut out);
                let boxes = BoxLanes {
                    low: &low,
                    high: &high,
                    inverse: &largest,
                };
                let lowest = probe.to_boxes(level, boxes, &mut bounds);
                for l in 0..LANES {
                    let square: f64 = (0..d).map(|j| (columns[j][l] - row[j]).powi(2)).sum();
                    let expected = 2.0 * square / (0.5 + inverse[l]);
                    if l == 3 {
                        assert_eq!(out[l], f64::INFINITY);
                    } else {
                        assert!(
                            (out[l] - expected).abs() <= 1e-13 * expected,
                            "{level:?} {d} {l}"
                        );
                    }
                    assert!(bounds[l] <= out[l], "{level:?} {d} {l}");
                }
                assert_eq!(least, out.iter().copied().fold(f64::INFINITY, f64::min));
                assert_eq!(lowest, bounds.iter().copied().fold(f64::INFINITY, f64::min));
            }
        }
    }

    #[test]
    fn an_empty_box_is_infinitely_far() {
        let (low, high) = ([[f32::INFINITY; LANES]], [[f32::NEG_INFINITY; LANES]]);
        let lanes = BoxLanes {
            low: &low,
            high: &high,
            inverse: &[1.0; LANES],
        };
        let probe = Probe {
            row: &[3.0],
            inverse: 1.0,
        };
        for level in Level::available() {
            let least = probe.to_boxes(level, lanes, &mut [0.0; LANES]);
            assert_eq!(least, f32::INFINITY);
        }
    }
}
