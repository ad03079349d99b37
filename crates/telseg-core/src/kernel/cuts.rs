//! Which bin of a column a value falls into.

use super::level::{self, Level};

/// Values whose searches go in step.
const LANES: usize = 16;

/// Ascending cuts, padded with infinity to a fixed size, so that a search has a fixed number of steps and no branch.
#[derive(Clone, Debug)]
pub struct CutTable {
    cuts: [f32; 256],
    /// Cells that the first step of a search passes.
    first: u32,
}

impl CutTable {
    /// At most 255 ascending cuts.
    ///
    /// # Panics
    /// When there are more than 256.
    pub fn new(cuts: &[f32]) -> Self {
        let mut table = [f32::INFINITY; 256];
        table[..cuts.len()].copy_from_slice(cuts);
        Self {
            cuts: table,
            first: (cuts.len() as u32 + 1).next_power_of_two() / 2,
        }
    }

    /// Bins of a strip of values: 0 for NaN, else 1 + the number of cuts below the value. Infinite values fall into the
    /// first and the last bin.
    pub fn bin_all(&self, values: &[f32], out: &mut [u8]) {
        let table = self;
        level::dispatch!(Level::best(), search, search, search;
            (table: &CutTable, values: &[f32], out: &mut [u8]) -> ())
    }
}

#[inline(always)]
fn search(table: &CutTable, values: &[f32], out: &mut [u8]) {
    let (strips, rest) = values.as_chunks::<LANES>();
    let (bins, bins_rest) = out[..values.len()].as_chunks_mut::<LANES>();
    for (x, bin) in strips.iter().zip(bins) {
        search_strip(table, x, bin);
    }
    let (mut x, mut bin) = ([0.0; LANES], [0; LANES]);
    x[..rest.len()].copy_from_slice(rest);
    search_strip(table, &x, &mut bin);
    bins_rest.copy_from_slice(&bin[..rest.len()]);
}

#[inline(always)]
fn search_strip(table: &CutTable, x: &[f32; LANES], bin: &mut [u8; LANES]) {
    let (mut below, mut step) = ([0u32; LANES], table.first);
    while step > 0 {
        for (below, &x) in below.iter_mut().zip(x) {
            // A product, not a choice: a branch here is mispredicted half of the time.
            *below += step * u32::from(table.cuts[((*below + step - 1) & 255) as usize] < x);
        }
        step /= 2;
    }
    for ((bin, below), x) in bin.iter_mut().zip(below).zip(x) {
        *bin = if x.is_nan() { 0 } else { below as u8 + 1 };
    }
}
