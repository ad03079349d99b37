//! Statistics of parts that merge into those of the whole.
//!
//! Training that can be split is written as *summarise a part of the data, merge the summaries, update the state*. The
//! same summaries then serve threads, partitions of an engine, federated clients and windows of a stream.
//!
//! | summary | of | merging is |
//! | --- | --- | --- |
//! | [`Counts`] | categories | exact |
//! | [`Moments`] | each column: mean, variance, extremes, missing | exact up to rounding |
//! | [`CoMoments`] | columns together: covariance, correlation | exact up to rounding |
//! | [`QuantileSketch`] | one column: quantiles and ranks | exact while small, then within a stated error |
//!
//! **Order.** Merging is associative and commutative in the mathematics: up to the last bits for sums, up to its stated
//! error for the sketch. The same bits come out only for the same order, so whoever merges fixes one: fold the parts by
//! index ([`fold`]), never by who finishes first.
//!
//! # References
//! C.-T. Chu, S. K. Kim, Y.-A. Lin, Y. Yu, G. Bradski, A. Y. Ng, K. Olukotun (2006), "Map-Reduce for machine learning on
//! multicore".
//!
//! # Examples
//! ```
//! use ndarray::array;
//! use telseg_core::merge::{Merge, Moments};
//! let north = Moments::of(&array![[10.0f32, 1.0], [20.0, 3.0]], None)?; // minutes, MB
//! let south = Moments::of(&array![[30.0f32, f32::NAN]], None)?;
//! let mut all = north.clone();
//! all.merge(&south)?;
//! assert_eq!(all.mean(), array![20.0, 2.0]);
//! assert_eq!(all.n_missing(), [0, 1]);
//! # Ok::<(), telseg_core::Error>(())
//! ```

mod blocks;
mod comoments;
mod counts;
mod moments;
mod sketch;

pub use comoments::CoMoments;
pub use counts::Counts;
pub use moments::Moments;
pub use sketch::QuantileSketch;

use crate::Result;

/// A summary of some rows that takes in the summary of other rows.
///
/// After `a.merge(&b)`, `a` is what the rows of both would have given, up to rounding or a stated error; a summary of no
/// rows changes nothing.
pub trait Merge {
    /// Takes in the summary of other rows.
    ///
    /// # Errors
    /// When the summaries are not of the same kind of rows (other columns, other accuracy); `self` is then unchanged.
    fn merge(&mut self, other: &Self) -> Result<()>;
}

/// Merges parts in the order in which they come; `None` when there are none.
///
/// # Errors
/// As [`Merge::merge`].
pub fn fold<T: Merge>(parts: impl IntoIterator<Item = T>) -> Result<Option<T>> {
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else {
        return Ok(None);
    };
    for part in parts {
        whole.merge(&part)?;
    }
    Ok(Some(whole))
}
