//! The binned table: rows of bytes for histograms, a column copy for partitions.

use ndarray::{ArrayRef1, ArrayRef2, ArrayView2, Axis};
use rayon::prelude::*;
use telseg_core::{Error, Result, Seed};

use super::levels::Levels;
use super::{Binner, ColumnBins, cuts};
use crate::GbmParams;

/// Cuts are found on at most so many rows, drawn evenly.
const SAMPLE: usize = 200_000;
/// Rows that are binned by one task.
const STRIP: usize = 4096;
/// Rows whose cells stay in the first cache while their columns are binned one after the other.
const TILE: usize = 256;

/// A cache line of bins.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Line(pub(crate) [u64; 8]);

/// Bins row by row, padded so that a row of up to 64 columns never straddles a cache line.
#[derive(Clone, Debug)]
pub(crate) struct RowBlock {
    lines: Vec<Line>,
    words: usize,
    n_rows: usize,
}

impl RowBlock {
    fn new(n_rows: usize, n_features: usize) -> Self {
        let words = match n_features.div_ceil(8).max(1) {
            words @ 1..=8 => words.next_power_of_two(),
            words => words.next_multiple_of(4),
        };
        let lines = vec![Line([0; 8]); (n_rows * words).div_ceil(8)];
        Self {
            lines,
            words,
            n_rows,
        }
    }

    /// Bin of one cell.
    #[inline(always)]
    pub(crate) fn bin(&self, row: usize, feature: usize) -> u8 {
        let word = row * self.words + feature / 8;
        (self.lines[word / 8].0[word % 8] >> (feature % 8 * 8)) as u8
    }

    /// The words, and how many make a row.
    pub(crate) fn lines(&self) -> (&[Line], usize) {
        (&self.lines, self.words)
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }
}

/// A table whose columns are cut into bins, ready for any number of fits on the same rows.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_gbm::{BinnedData, FitOptions, Gbm, Objective};
/// let x = array![[1.0f32], [2.0], [3.0], [4.0]];
/// let params = Gbm::params(Objective::SquaredError).with_min_rows_leaf(1);
/// let binned = BinnedData::new(&x, &params)?;
/// assert_eq!(binned.n_bins(0), 4);
/// let spend = params.fit_binned(&binned, &array![1.0f32, 1.0, 5.0, 5.0], FitOptions::default())?;
/// let minutes = params.fit_binned(&binned, &array![7.0f32, 3.0, 3.0, 3.0], FitOptions::default())?;
/// assert!(spend.predict(&x)?[3] > 4.9 && minutes.predict(&x)?[0] > 6.9);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BinnedData {
    columns: Vec<ColumnBins>,
    rows: RowBlock,
    by_column: Vec<u8>,
    max_bins: usize,
    categorical: Vec<usize>,
}

impl BinnedData {
    /// Cuts the columns of `x` by the parameters `max_bins` and `categorical`.
    ///
    /// # Shapes
    /// `x`: a subscriber a row. Missing values are NaN; infinite values fall into the outermost bins.
    ///
    /// # Errors
    /// When a parameter is wrong, `x` is empty, or a categorical column holds something that is no level code.
    ///
    /// # Cost
    /// A sort of at most 200,000 values and a search of 8 steps per cell, in parallel; two bytes per cell are kept.
    pub fn new(x: &ArrayRef2<f32>, params: &GbmParams) -> Result<Self> {
        Self::build(x, None, params)
    }

    /// The same, with each row counted by its weight.
    ///
    /// # Errors
    /// As [`new`](Self::new), or when a weight is negative or not finite.
    pub fn weighted(
        x: &ArrayRef2<f32>,
        weights: &ArrayRef1<f32>,
        params: &GbmParams,
    ) -> Result<Self> {
        let weights = crate::options::checked_weights(weights, x.nrows())?;
        Self::build(x, Some(&weights), params)
    }

    pub(crate) fn build(
        x: &ArrayRef2<f32>,
        weights: Option<&[f32]>,
        params: &GbmParams,
    ) -> Result<Self> {
        params.validate()?;
        let (n, d) = x.dim();
        if n == 0 || d == 0 {
            return Err(Error::shape(
                "x",
                "at least one row and one column",
                format!("{n} by {d}"),
            ));
        }
        if n > (u32::MAX / 2) as usize {
            return Err(Error::shape("x", "at most 2147483647 rows", n.to_string()));
        }
        if let Some(column) = params.categorical.iter().find(|&&c| c >= d) {
            return Err(Error::param(
                "categorical",
                format!("column {column} of a table of {d} columns"),
            ));
        }
        let sample = sample(n, params.seed);
        let columns = (0..d)
            .into_par_iter()
            .map(|j| {
                let column = x.column(j);
                if params.categorical.contains(&j) {
                    let weight = |i: usize| weights.map_or(1.0, |w| w[i].into());
                    let values = column.iter().copied();
                    return Levels::count(values, weight, (j, params.max_bins))
                        .map(ColumnBins::Categorical);
                }
                let values: Vec<f32> = sample.iter().map(|&i| column[i]).collect();
                let weights: Option<Vec<f32>> =
                    weights.map(|w| sample.iter().map(|&i| w[i]).collect());
                let distinct = cuts::distinct(&values, weights.as_deref());
                Ok(ColumnBins::Numeric(cuts::cuts(&distinct, params.max_bins)))
            })
            .collect::<Vec<Result<_>>>() // so that the first column's error is the one reported
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        let mut by_column = vec![0; n * d];
        let rows = fill(&columns, &x.view(), Some(&mut by_column));
        let (max_bins, categorical) = (params.max_bins, params.categorical.clone());
        Ok(Self {
            columns,
            rows,
            by_column,
            max_bins,
            categorical,
        })
    }

    /// Bins other rows by the same cuts.
    pub(crate) fn bin_like(&self, x: &ArrayRef2<f32>) -> RowBlock {
        fill(&self.columns, &x.view(), None)
    }

    /// Refuses parameters that would have given other bins.
    pub(crate) fn check(&self, params: &GbmParams) -> Result<()> {
        if params.max_bins != self.max_bins {
            let problem = format!(
                "{}, but the data was binned with {}",
                params.max_bins, self.max_bins
            );
            return Err(Error::param("max_bins", problem));
        }
        if params.categorical != self.categorical {
            let problem = format!(
                "{:?}, but the data was binned with {:?}",
                params.categorical, self.categorical
            );
            return Err(Error::param("categorical", problem));
        }
        Ok(())
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows.n_rows
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// Number of value bins of a column; missing values have one more.
    ///
    /// # Panics
    /// When there is no such column.
    pub fn n_bins(&self, feature: usize) -> usize {
        self.columns[feature].n_bins()
    }

    pub(crate) fn columns(&self) -> &[ColumnBins] {
        &self.columns
    }

    pub(crate) fn rows(&self) -> &RowBlock {
        &self.rows
    }

    /// Bins of one column.
    pub(crate) fn column(&self, feature: usize) -> &[u8] {
        &self.by_column[feature * self.n_rows()..][..self.n_rows()]
    }
}

/// Ascending row indices, one from each of [`SAMPLE`] equal stretches.
fn sample(n: usize, seed: u64) -> Vec<usize> {
    if n <= SAMPLE {
        return (0..n).collect();
    }
    let stream = Seed::new(seed).stream("gbm.bins");
    let stretch = n as f64 / SAMPLE as f64;
    let pick = |i: usize| ((i as f64 + stream.unit(i as u64)) * stretch) as usize;
    (0..SAMPLE).map(|i| pick(i).min(n - 1)).collect()
}

/// Bins of all cells, strip by strip in parallel: the row block, and the column copy where it is wanted.
fn fill(columns: &[ColumnBins], x: &ArrayView2<'_, f32>, by_column: Option<&mut [u8]>) -> RowBlock {
    let (n, d) = x.dim();
    let mut block = RowBlock::new(n, d);
    let words = block.words;
    let n_strips = n.div_ceil(STRIP);
    // The column copy's strips, regrouped so that each task owns its piece of every column.
    let mut pieces: Vec<Vec<&mut [u8]>> = (0..n_strips).map(|_| Vec::with_capacity(d)).collect();
    if let Some(by_column) = by_column {
        for column in by_column.chunks_mut(n.max(1)) {
            column
                .chunks_mut(STRIP)
                .zip(&mut pieces)
                .for_each(|(part, strip)| strip.push(part));
        }
    }
    let binners: Vec<Binner<'_>> = columns.iter().map(ColumnBins::binner).collect();
    let lines = block.lines.chunks_mut(STRIP * words / 8);
    let strips: Vec<_> = x
        .axis_chunks_iter(Axis(0), STRIP)
        .zip(pieces)
        .zip(lines)
        .collect();
    strips.into_par_iter().for_each(|((x, mut pieces), lines)| {
        let mut bins = vec![[0u8; TILE]; words * 8];
        for (t, x) in x.axis_chunks_iter(Axis(0), TILE).enumerate() {
            for (j, binner) in binners.iter().enumerate() {
                let mut values = [0.0f32; TILE];
                values
                    .iter_mut()
                    .zip(x.column(j))
                    .for_each(|(v, &x)| *v = x);
                binner.bin_all(&values[..x.nrows()], &mut bins[j]);
                if let Some(piece) = pieces.get_mut(j) {
                    piece[t * TILE..][..x.nrows()].copy_from_slice(&bins[j][..x.nrows()]);
                }
            }
            pack_rows(&bins, x.nrows(), words, &mut lines[t * TILE * words / 8..]);
        }
    });
    block
}

/// Writes the bins of a tile, which lie column by column, as rows.
fn pack_rows(bins: &[[u8; TILE]], n_rows: usize, words: usize, lines: &mut [Line]) {
    for (w, eight) in bins.chunks_exact(8).enumerate() {
        (0..n_rows).for_each(|i| {
            let word = i * words + w;
            lines[word / 8].0[word % 8] =
                u64::from_le_bytes(std::array::from_fn(|column| eight[column][i]));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gbm, Objective};
    use ndarray::Array2;

    #[test]
    fn rows_and_columns_hold_the_same_bins() {
        for d in [1, 8, 9, 30, 70] {
            let x = Array2::from_shape_fn((5000, d), |(i, j)| ((i * (j + 3)) % 400) as f32);
            let binned = BinnedData::new(&x, &Gbm::params(Objective::Binary)).unwrap();
            let like = binned.bin_like(&x);
            for j in 0..d {
                let ColumnBins::Numeric(cuts) = &binned.columns[j] else {
                    unreachable!()
                };
                for i in (0..5000).step_by(7) {
                    let expected = 1 + cuts.iter().filter(|&&c| c < x[(i, j)]).count();
                    assert_eq!(binned.column(j)[i] as usize, expected);
                    assert_eq!(binned.rows.bin(i, j) as usize, expected);
                    assert_eq!(like.bin(i, j) as usize, expected);
                }
            }
        }
    }

    #[test]
    fn the_sample_is_even_and_in_order() {
        let picked = sample(1_000_003, 5);
        assert_eq!(picked.len(), SAMPLE);
        assert!(picked.windows(2).all(|w| w[0] <= w[1]) && picked[SAMPLE - 1] < 1_000_003);
    }
}
