//! Histograms of quantised gradients: sums of integers, so that no order of addition changes a bit.
//!
//! Each row's gradient and hessian are rounded, up or down at random in proportion, to whole steps and packed into one
//! 64-bit integer with, on tables of up to 65,536 rows, a count of 1. A cell of a histogram is the plain integer sum of
//! its rows: one addition for all three. Parent minus child is exact, and so is any split of the rows over threads.
//!
//! # References
//! Y. Shi, G. Ke et al. (2022), "Quantized Training of Gradient Boosting Decision Trees", NeurIPS 35. Ours keeps as many
//! bits as fit into 64 for the table at hand (11 at a million rows, 16 at 65,536) where the paper takes 2 to 5.

pub(crate) mod kernel;

use rayon::prelude::*;
use telseg_core::seed::Stream;

use crate::bins::BinnedData;
use crate::objective::Slope;

/// Tables of up to so many rows count rows exactly.
const EXACT_ROWS: usize = 65_536;
/// Finest quantisation: no more levels than an `f32` gradient tells apart.
const MAX_LEVELS: u64 = 1 << 22;
/// Rows that are quantised by one task.
const CHUNK: usize = 16_384;
/// Rows below which a histogram is built by one thread.
const PARALLEL_ROWS: usize = 8192;

/// How gradient, hessian and count share 64 bits: signed gradient on top, then hessian, then count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Packing {
    count_bits: u32,
    hessian_bits: u32,
    /// What one step of the packed gradient and hessian stands for.
    pub(crate) steps: [f64; 2],
}

impl Packing {
    /// The finest packing in which `n_rows` rows with slopes up to `largest` cannot overflow.
    pub(crate) fn new(n_rows: usize, largest: Slope) -> Self {
        let n = n_rows.max(1) as u64;
        let count_bits = if n_rows <= EXACT_ROWS {
            64 - n.leading_zeros()
        } else {
            0
        };
        let hessian_bits = (64 - count_bits) / 2;
        let gradient_bits = 64 - count_bits - hessian_bits;
        // A rounded gradient exceeds its exact value by less than one step: hence the level kept free.
        let levels = |bits: u32| ((((1u64 << bits) - 1) / n).min(MAX_LEVELS) as f64 - 1.0).max(1.0);
        let step = |largest: f32, levels: f64| match f64::from(largest) / levels {
            step if step > 0.0 => step,
            _ => 1.0,
        };
        let steps = [
            step(largest[0], levels(gradient_bits - 1)),
            step(largest[1], levels(hessian_bits)),
        ];
        Self {
            count_bits,
            hessian_bits,
            steps,
        }
    }

    /// Whether cells count rows.
    pub(crate) fn counts(&self) -> bool {
        self.count_bits > 0
    }

    /// Packs one row; `random` decides the rounding.
    #[inline(always)]
    fn pack(&self, [g, h]: Slope, inverse: [f64; 2], random: u64) -> u64 {
        // Adding ROUND leaves the nearest whole number in the low bits; a uniform shift in [-1/2, 1/2) before that
        // rounds up with the probability of the fraction.
        const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
        let shift = |bits: u64| f64::from(bits as u32 as i32) * (1.0 / 4_294_967_296.0);
        let whole = |x: f64| x.to_bits().wrapping_sub(ROUND.to_bits());
        let g = whole(f64::from(g) * inverse[0] + shift(random >> 32) + ROUND);
        let h = whole(f64::from(h) * inverse[1] + shift(random) + ROUND);
        (g << (self.count_bits + self.hessian_bits))
            .wrapping_add(h << self.count_bits)
            .wrapping_add(u64::from(self.counts()))
    }

    /// Packs the rows named by `rows`, in parallel; the rounding of a row depends on the stream and its number only.
    pub(crate) fn pack_all(&self, slopes: &[Slope], rows: &[u32], stream: Stream, out: &mut [u64]) {
        let inverse = self.steps.map(|s| 1.0 / s);
        out.par_chunks_mut(CHUNK)
            .zip(rows.par_chunks(CHUNK))
            .for_each(|(out, rows)| {
                for (cell, &row) in out.iter_mut().zip(rows) {
                    *cell = self.pack(slopes[row as usize], inverse, stream.bits(row.into()));
                }
            });
    }

    /// Gradient and hessian of a cell, in steps.
    #[inline(always)]
    pub(crate) fn slope(&self, cell: u64) -> [f64; 2] {
        // Both fields are read as unsigned numbers below 2^52, which are turned into floats by setting exponent bits:
        // three vector instructions, where AVX2 has none for the conversion or for an arithmetic shift.
        const TWO_52: f64 = 4_503_599_627_370_496.0;
        let float = |bits: u64| f64::from_bits(bits | TWO_52.to_bits()) - TWO_52;
        let shift = self.count_bits + self.hessian_bits;
        let bias = (1u64 << (63 - shift)) as f64;
        let h = (cell >> self.count_bits) & ((1u64 << self.hessian_bits) - 1);
        [float((cell ^ (1 << 63)) >> shift) - bias, float(h)]
    }

    /// Rows of a cell; 0 when cells do not count.
    #[inline(always)]
    pub(crate) fn count(&self, cell: u64) -> f64 {
        (cell & ((1u64 << self.count_bits) - 1)) as u32 as i32 as f64
    }
}

/// The histograms of all columns of one node, [`stride`](Shape::stride) cells a column.
pub(crate) type Histogram = Vec<u64>;

/// Where the columns lie in a histogram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    n_features: usize,
    /// Cells of a column. Never a power of two: the busy low bins of all columns would fall into the same sets of the
    /// first cache.
    pub(crate) stride: usize,
}

impl Shape {
    pub(crate) fn of(data: &BinnedData) -> Self {
        let n_features = data.n_features();
        let most = (0..n_features)
            .map(|j| data.n_bins(j) + 1)
            .max()
            .unwrap_or(1);
        Self {
            n_features,
            stride: most.next_multiple_of(8) + 8,
        }
    }

    /// Cells of a histogram.
    pub(crate) fn len(&self) -> usize {
        self.n_features * self.stride
    }

    /// Adds the cells of rows, on several threads when they are many.
    pub(crate) fn add(
        &self,
        data: &BinnedData,
        rows: &[u32],
        cells: &[u64],
        histogram: &mut [u64],
    ) {
        let threads = rayon::current_num_threads().min(rows.len() / PARALLEL_ROWS);
        if threads < 2 {
            kernel::accumulate(
                data.rows(),
                (self.n_features, self.stride),
                rows,
                cells,
                histogram,
            );
            return;
        }
        let middle = rows.len() / threads * (threads / 2);
        let (first_rows, rows) = rows.split_at(middle);
        let (first_cells, cells) = cells.split_at(middle);
        let mut second = vec![0; self.len()];
        rayon::join(
            || self.add_parts(data, first_rows, first_cells, histogram, threads / 2),
            || self.add_parts(data, rows, cells, &mut second, threads - threads / 2),
        );
        histogram
            .iter_mut()
            .zip(&second)
            .for_each(|(a, b)| *a = a.wrapping_add(*b));
    }

    fn add_parts(
        &self,
        data: &BinnedData,
        rows: &[u32],
        cells: &[u64],
        histogram: &mut [u64],
        parts: usize,
    ) {
        if parts < 2 {
            kernel::accumulate(
                data.rows(),
                (self.n_features, self.stride),
                rows,
                cells,
                histogram,
            );
        } else {
            self.add(data, rows, cells, histogram);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::Seed;

    #[test]
    fn packing_neither_overflows_nor_drifts() {
        for n in [1usize, 10, 65_535, 65_536, 65_537, 1_000_000] {
            let packing = Packing::new(n, [3.0, 0.25]);
            let inverse = packing.steps.map(|s| 1.0 / s);
            for (slope, random) in [
                ([3.0, 0.25], 0x7fff_ffff_7fff_ffff),
                ([-3.0, 0.25], 0x8000_0000_7fff_ffff),
            ] {
                let one = packing.pack(slope, inverse, random);
                let all = one.wrapping_mul(n as u64);
                let [g, h] = packing.slope(all);
                // The rounding draws are the worst ones: each row may be off by one step.
                let off = |mean: f64, step: f64, exact: f32| {
                    (mean * step - f64::from(exact)).abs() / step
                };
                assert!(
                    off(g / n as f64, packing.steps[0], slope[0]) <= 1.0,
                    "{n} {g}"
                );
                assert!(
                    off(h / n as f64, packing.steps[1], slope[1]) <= 1.0,
                    "{n} {h}"
                );
                assert_eq!(packing.count(all), if n <= 65_536 { n as f64 } else { 0.0 });
            }
        }
    }

    #[test]
    fn rounding_is_right_on_average() {
        // Coarse steps of 1: 0.3 becomes 0 or 1, -0.75 becomes -1 or 0.
        let packing = Packing {
            count_bits: 0,
            hessian_bits: 32,
            steps: [1.0, 1.0],
        };
        let stream = Seed::new(1).stream("test");
        let n = 100_000;
        let sum = (0..n).fold(0u64, |sum, i| {
            sum.wrapping_add(packing.pack([-0.75, 0.3], [1.0, 1.0], stream.bits(i)))
        });
        let [g, h] = packing.slope(sum).map(|v| v / n as f64);
        // Standard errors 0.0014 and 0.0015: four of them.
        assert!(
            (g + 0.75).abs() < 0.006 && (h - 0.3).abs() < 0.006,
            "{g} {h}"
        );
    }
}
