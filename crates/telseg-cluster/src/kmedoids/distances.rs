//! Distances of pairs of rows, from wherever they come.

use telseg_core::{Error, Result, par};

/// The distances of all pairs of some rows: symmetric, at least 0, 0 of a row to itself.
pub trait Distances: Sync {
    /// Number of rows.
    fn n_rows(&self) -> usize;

    /// The distance of rows `a` and `b`.
    fn between(&self, a: usize, b: usize) -> f64;
}

/// Distances that were computed before: the upper triangle, row by row.
///
/// # Examples
/// ```
/// use telseg_cluster::kmedoids::{Condensed, Distances};
/// let three = Condensed::new(vec![0.5, 0.25, 1.0])?; // 0-1, 0-2, 1-2
/// assert_eq!((three.n_rows(), three.between(2, 1)), (3, 1.0));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Condensed {
    n_rows: usize,
    values: Vec<f64>,
}

impl Condensed {
    /// Distances of the pairs (0, 1), (0, 2) .. (1, 2) ..: `n (n - 1) / 2` numbers for `n` rows.
    ///
    /// # Errors
    /// When there is no such `n`, or a number is negative or not finite.
    pub fn new(values: Vec<f64>) -> Result<Self> {
        let n_rows = (((8.0 * values.len() as f64 + 1.0).sqrt() + 1.0) / 2.0).round() as usize;
        if n_rows * (n_rows - 1) / 2 != values.len() {
            let found = values.len().to_string();
            return Err(Error::shape("distances", "n (n - 1) / 2 numbers", found));
        }
        if let Some(v) = values.iter().find(|v| !(v.is_finite() && **v >= 0.0)) {
            let problem = format!("expected numbers of at least 0, found {v}");
            return Err(Error::data("distances", problem));
        }
        Ok(Self { n_rows, values })
    }

    /// The numbers, in the order of [`new`](Self::new).
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

impl Distances for Condensed {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    #[inline]
    fn between(&self, a: usize, b: usize) -> f64 {
        if a == b {
            return 0.0;
        }
        let (low, high) = (a.min(b), a.max(b));
        self.values[low * (2 * self.n_rows - low - 1) / 2 + high - low - 1]
    }
}

/// Distances by a function of two rows' numbers.
#[derive(Clone, Copy, Debug)]
pub struct Between<D> {
    n_rows: usize,
    distance: D,
}

impl<D: Fn(usize, usize) -> f64 + Sync> Between<D> {
    /// Distances of `n_rows` rows by a function.
    pub fn new(n_rows: usize, distance: D) -> Self {
        Self { n_rows, distance }
    }
}

impl<D: Fn(usize, usize) -> f64 + Sync> Distances for Between<D> {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    #[inline]
    fn between(&self, a: usize, b: usize) -> f64 {
        (self.distance)(a, b)
    }
}

/// The distances of all pairs of a few rows, kept row after row: computed once, where every pass asks for all of them.
pub(super) struct Kept {
    n_rows: usize,
    values: Vec<f64>,
}

/// Rows whose distances are kept, at most: those of all pairs take 128 MiB.
pub(super) const KEPT: usize = 4096;

/// Rows that one task computes the distances of.
const CHUNK: usize = 64;

impl Kept {
    pub(super) fn new<D: Distances>(distances: &D) -> Self {
        let n_rows = distances.n_rows();
        let mut values = vec![0.0; n_rows * n_rows];
        par::fill(&mut values, CHUNK * n_rows.max(1), |range, values| {
            let first = range.start / n_rows;
            for (a, row) in (first..).zip(values.chunks_exact_mut(n_rows)) {
                let pairs = row.iter_mut().enumerate();
                pairs.for_each(|(b, far)| *far = distances.between(a, b));
            }
        });
        Self { n_rows, values }
    }
}

impl Distances for Kept {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    #[inline]
    fn between(&self, a: usize, b: usize) -> f64 {
        self.values[b * self.n_rows + a] // a pass asks for all `a` of one `b`
    }
}
