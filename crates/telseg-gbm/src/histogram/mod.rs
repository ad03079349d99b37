//! Histograms of quantised gradients: sums of integers, so that no order of addition changes a bit.
//!
//! Each row's gradient and hessian are rounded, up or down at random in proportion, to whole steps of at most 16 bits.
//! Spread over a 64-bit integer, with a count of 1 on tables of up to 65,536 rows, they are what is added. A cell of a
//! histogram is the plain integer sum of
//! its rows: one addition for all three. Parent minus child is exact, and so is any split of the rows over threads.
//!
//! # References
//! Y. Shi, G. Ke et al. (2022), "Quantized Training of Gradient Boosting Decision Trees", NeurIPS 35. Ours keeps as many
//! bits as fit into 64 for the table at hand where the paper takes 2 to 5: 11 for gradients at a million rows, up to 15 on
//! small tables, and 7 just below 65,536 rows, where the count takes its share.

use rayon::prelude::*;
use telseg_core::kernel::{Level, dispatch};
use telseg_core::seed::Stream;

use crate::bins::BinnedData;
use crate::kernel::accumulate::{STRIDES, accumulate};
use crate::objective::Slope;

/// Tables of up to so many rows count rows exactly.
const EXACT_ROWS: usize = 65_536;
/// Finest quantisation of gradients (one sign) and hessians: what 16 bits hold.
const MAX_LEVELS: [u64; 2] = [i16::MAX as u64, u16::MAX as u64];
/// Rows that are quantised before they are added: their cells stay in the first cache.
const STRIP: usize = 512;
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
        let levels =
            |bits: u32, most: u64| ((((1u64 << bits) - 1) / n).min(most) as f64 - 1.0).max(1.0);
        let step = |largest: f32, levels: f64| match f64::from(largest) / levels {
            step if step > 0.0 => step,
            _ => 1.0,
        };
        let steps = [
            step(largest[0], levels(gradient_bits - 1, MAX_LEVELS[0])),
            step(largest[1], levels(hessian_bits, MAX_LEVELS[1])),
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

    /// Packs one row into 16 bits of gradient above 16 of hessian; `random` decides the rounding.
    #[inline(always)]
    fn pack(&self, [g, h]: Slope, inverse: [f64; 2], random: u64) -> u32 {
        // Adding ROUND leaves the nearest whole number in the low bits; a uniform shift in [-1/2, 1/2) before that
        // rounds up with the probability of the fraction.
        const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
        let shift = |bits: u64| f64::from(bits as u32 as i32) * (1.0 / 4_294_967_296.0);
        let whole = |x: f64| x.to_bits() as u32; // the low bits of ROUND are 0
        let g = whole(f64::from(g) * inverse[0] + shift(random >> 32) + ROUND);
        let h = whole(f64::from(h) * inverse[1] + shift(random) + ROUND);
        g << 16 | h
    }

    /// A row's cell as it is added to a histogram.
    #[inline(always)]
    pub(crate) fn widen(&self, cell: u32) -> u64 {
        let g = (cell as i32 >> 16) as i64 as u64;
        (g << (self.count_bits + self.hessian_bits))
            .wrapping_add(u64::from(cell & 0xffff) << self.count_bits)
            .wrapping_add(u64::from(self.counts()))
    }

    /// Packs the rows named by `rows`; the rounding of a row depends on the stream and its number only.
    pub(crate) fn pack_all(&self, slopes: &[Slope], rows: &[u32], stream: Stream, out: &mut [u32]) {
        let packing = *self;
        dispatch!(Level::best(), pack_body, pack_body, pack_body;
            (packing: Packing, slopes: &[Slope], rows: &[u32], stream: Stream, out: &mut [u32]) -> ())
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

#[inline(always)]
fn pack_body(packing: Packing, slopes: &[Slope], rows: &[u32], stream: Stream, out: &mut [u32]) {
    let inverse = packing.steps.map(|s| 1.0 / s);
    let (Some(&first), Some(&last)) = (rows.first(), rows.last()) else {
        return;
    };
    if (last - first) as usize + 1 == rows.len() {
        // Ascending rows without a gap: no list of them is read.
        let slopes = &slopes[first as usize..=last as usize];
        for (i, (cell, &slope)) in out.iter_mut().zip(slopes).enumerate() {
            *cell = packing.pack(slope, inverse, stream.bits(u64::from(first) + i as u64));
        }
        return;
    }
    for (cell, &row) in out.iter_mut().zip(rows) {
        *cell = packing.pack(slopes[row as usize], inverse, stream.bits(row.into()));
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
        let fits = STRIDES.into_iter().find(|&stride| stride > most);
        Self {
            n_features,
            stride: fits.unwrap_or(STRIDES[2]),
        }
    }

    /// Cells of a histogram.
    pub(crate) fn len(&self) -> usize {
        self.n_features * self.stride
    }

    /// Adds the cells of rows, by all threads `together` when they are many.
    pub(crate) fn add(
        &self,
        data: &BinnedData,
        packing: Packing,
        (rows, cells): (&[u32], &[u32]),
        histogram: &mut [u64],
        together: bool,
    ) {
        let (shape, part) = ((self.n_features, self.stride), self.part(rows.len()));
        let one = |(rows, cells): (&[u32], &[u32]), histogram: &mut [u64]| {
            accumulate(data.rows(), shape, packing, (rows, cells), histogram);
        };
        if !together || rows.len() <= part {
            return one((rows, cells), histogram);
        }
        let parts = rows.par_chunks(part).zip(cells.par_chunks(part));
        self.sum(histogram, parts, one);
    }

    /// Writes the cells of rows and adds them, a strip at a time: they are read back from the first cache.
    pub(crate) fn pack_and_add(
        &self,
        data: &BinnedData,
        packing: Packing,
        (rows, cells): (&[u32], &mut [u32]),
        pack: &(impl Fn(&[u32], &mut [u32]) + Sync),
        histogram: &mut [u64],
    ) {
        let (shape, part) = ((self.n_features, self.stride), self.part(rows.len()));
        let one = |(rows, cells): (&[u32], &mut [u32]), histogram: &mut [u64]| {
            for (rows, cells) in rows.chunks(STRIP).zip(cells.chunks_mut(STRIP)) {
                pack(rows, cells);
                accumulate(data.rows(), shape, packing, (rows, &*cells), histogram);
            }
        };
        if rows.len() <= part {
            return one((rows, cells), histogram);
        }
        let parts = rows.par_chunks(part).zip(cells.par_chunks_mut(part));
        self.sum(histogram, parts, one);
    }

    /// Rows of one task: one a thread, unless they are few.
    fn part(&self, n_rows: usize) -> usize {
        n_rows
            .div_ceil(rayon::current_num_threads())
            .max(PARALLEL_ROWS)
    }

    /// Adds what `add` does with each part, each thread to a histogram of its own.
    fn sum<T: Send>(
        &self,
        histogram: &mut [u64],
        parts: impl IndexedParallelIterator<Item = T>,
        add: impl Fn(T, &mut [u64]) + Sync + Send,
    ) {
        let sums = parts.map(|part| {
            let mut sum = vec![0; self.len()];
            add(part, &mut sum);
            sum
        });
        for sum in sums.collect::<Vec<_>>() {
            let pairs = histogram.iter_mut().zip(&sum);
            pairs.for_each(|(a, b)| *a = a.wrapping_add(*b));
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
                let one = packing.widen(packing.pack(slope, inverse, random));
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
            sum.wrapping_add(packing.widen(packing.pack([-0.75, 0.3], [1.0, 1.0], stream.bits(i))))
        });
        let [g, h] = packing.slope(sum).map(|v| v / n as f64);
        // Standard errors 0.0014 and 0.0015: four of them.
        assert!(
            (g + 0.75).abs() < 0.006 && (h - 0.3).abs() < 0.006,
            "{g} {h}"
        );
    }
}
