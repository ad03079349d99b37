//! Columns cut into at most 255 value bins and one for missing values, so that a split search sees bytes.
//!
//! Bin 0 holds missing values. A numeric value falls into bin `1 + (number of cuts below it)`; a level has its own bin,
//! the most frequent first, and the last bin takes all levels that have none: the rare and those never seen.

mod cuts;
mod data;
mod levels;

pub use data::BinnedData;
pub(crate) use data::RowBlock;

use levels::Levels;
use telseg_core::kernel::CutTable;

/// How the values of one column become bins.
#[derive(Clone, Debug)]
pub(crate) enum ColumnBins {
    /// Ascending upper ends of all bins but the last.
    Numeric(Vec<f32>),
    /// Level codes.
    Categorical(Levels),
}

impl ColumnBins {
    /// Number of value bins: they are `1..=n_bins`, and 0 is the bin of missing values.
    pub(crate) fn n_bins(&self) -> usize {
        match self {
            Self::Numeric(cuts) => cuts.len() + 1,
            Self::Categorical(levels) => levels.other_bin(),
        }
    }

    /// The same, made ready for many values.
    fn binner(&self) -> Binner<'_> {
        match self {
            Self::Numeric(cuts) => Binner::Numeric(Box::new(CutTable::new(cuts))),
            Self::Categorical(levels) => Binner::Categorical(levels),
        }
    }
}

/// A column's bins, ready for many values.
#[derive(Debug)]
enum Binner<'a> {
    Numeric(Box<CutTable>),
    Categorical(&'a Levels),
}

impl Binner<'_> {
    /// Bins of a strip of values.
    fn bin_all(&self, values: &[f32], out: &mut [u8]) {
        match self {
            Self::Numeric(table) => table.bin_all(values, out),
            Self::Categorical(levels) => {
                for (&x, bin) in values.iter().zip(out) {
                    *bin = levels.bin(x);
                }
            }
        }
    }
}
