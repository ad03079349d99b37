//! Two labellings of the same rows: how far do they agree?
//!
//! Labels are names, not numbers: renaming them changes nothing. For one figure call [`ari`], [`nmi`] or [`purity`]; for
//! several, or for bootstrap resamples, count once with [`Contingency`].
//!
//! A row of weight 3 is three rows. The bootstrap repeats rows, and copies of a row always agree, so bootstrap intervals
//! of these indices lie a little high when segments are small.

use ndarray::Array2;

use crate::metrics::check;
use crate::{Error, Result};

/// The contingency table of two labellings: which pairs of labels occur, and which of them each row has.
///
/// # Cost
/// `new` is O(n log n); each index is one O(n) pass. Cells that no row has take no memory.
///
/// # Examples
/// ```
/// use telseg_core::metrics::partition::Contingency;
/// let pairs = Contingency::new(&[0, 0, 1, 1], &[7, 7, 7, 9])?;
/// assert_eq!(pairs.row_labels(), [0, 1]);
/// assert_eq!(pairs.column_labels(), [7, 9]);
/// assert_eq!(pairs.table(None)?, ndarray::array![[2.0, 0.0], [1.0, 1.0]]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingency {
    row_labels: Vec<u32>,
    column_labels: Vec<u32>,
    /// The row and column of each cell that occurs, in ascending order.
    cells: Vec<(u32, u32)>,
    /// The cell of each row of the data.
    cell_of: Vec<u32>,
}

/// Weights of cells, rows and columns.
struct Weights {
    cells: Vec<f64>,
    rows: Vec<f64>,
    columns: Vec<f64>,
    total: f64,
}

impl Contingency {
    /// Counts which labels of `a` (rows) and `b` (columns) occur together.
    ///
    /// # Errors
    /// When lengths differ or there are no rows.
    pub fn new(a: &[u32], b: &[u32]) -> Result<Self> {
        check::not_empty("a", a.len())?;
        check::same_len("b", b.len(), "a", a.len())?;
        let row_labels = distinct(a.to_vec());
        let column_labels = distinct(b.to_vec());
        let pairs: Vec<(u32, u32)> = a
            .iter()
            .zip(b)
            .map(|(label_a, label_b)| (place(&row_labels, label_a), place(&column_labels, label_b)))
            .collect();
        let cells = distinct(pairs.clone());
        let cell_of = pairs.iter().map(|pair| place(&cells, pair)).collect();
        Ok(Self {
            row_labels,
            column_labels,
            cells,
            cell_of,
        })
    }

    /// The labels of `a`, ascending: the rows of the table.
    pub fn row_labels(&self) -> &[u32] {
        &self.row_labels
    }

    /// The labels of `b`, ascending: the columns of the table.
    pub fn column_labels(&self) -> &[u32] {
        &self.column_labels
    }

    /// The weight of each pair of labels, as a dense table.
    ///
    /// # Errors
    /// When weights do not fit.
    pub fn table(&self, weights: Option<&[f64]>) -> Result<Array2<f64>> {
        let counted = self.count(weights)?;
        let mut table = Array2::zeros((self.row_labels.len(), self.column_labels.len()));
        for (&(row, column), &w) in self.cells.iter().zip(&counted.cells) {
            table[[row as usize, column as usize]] = w;
        }
        Ok(table)
    }

    /// Adjusted Rand index; see [`ari`].
    ///
    /// # Errors
    /// As [`ari`].
    pub fn ari(&self, weights: Option<&[f64]>) -> Result<f64> {
        let counted = self.count(weights)?;
        if counted.total <= 1.0 {
            return Err(Error::data(
                "weights",
                format!(
                    "sum to {}: pairs are counted, which takes more than one row",
                    counted.total
                ),
            ));
        }
        if counted.is_one_segment_each() {
            return Ok(1.0);
        }
        let pairs = |w: &[f64]| w.iter().map(|&w| 0.5 * w * (w - 1.0)).sum::<f64>();
        let both = pairs(&counted.cells);
        let (in_a, in_b) = (pairs(&counted.rows), pairs(&counted.columns));
        let expected = in_a * in_b / pairs(&[counted.total]);
        let most = 0.5 * (in_a + in_b);
        // Only two partitions into single rows (or into one segment, above) leave no room for chance.
        Ok(if most == expected {
            1.0
        } else {
            (both - expected) / (most - expected)
        })
    }

    /// Normalised mutual information; see [`nmi`].
    ///
    /// # Errors
    /// As [`nmi`].
    pub fn nmi(&self, weights: Option<&[f64]>) -> Result<f64> {
        let counted = self.count(weights)?;
        if counted.is_one_segment_each() {
            return Ok(1.0);
        }
        let total = counted.total;
        let entropy = |w: &[f64]| -> f64 {
            w.iter()
                .filter(|&&w| w > 0.0)
                .map(|&w| -(w / total) * (w / total).ln())
                .sum()
        };
        let information: f64 = self
            .cells
            .iter()
            .zip(&counted.cells)
            .filter(|(_, w)| **w > 0.0)
            .map(|(&(row, column), &w)| {
                let (a, b) = (counted.rows[row as usize], counted.columns[column as usize]);
                w / total * ((w / a) * (total / b)).ln()
            })
            .sum();
        let mean = 0.5 * (entropy(&counted.rows) + entropy(&counted.columns));
        Ok((information / mean).clamp(0.0, 1.0))
    }

    /// Purity of the columns; see [`purity`].
    ///
    /// # Errors
    /// As [`purity`].
    pub fn purity(&self, weights: Option<&[f64]>) -> Result<f64> {
        let counted = self.count(weights)?;
        let mut largest = vec![0.0f64; self.column_labels.len()];
        for (&(_, column), &w) in self.cells.iter().zip(&counted.cells) {
            let best = &mut largest[column as usize];
            *best = best.max(w);
        }
        Ok((largest.iter().sum::<f64>() / counted.total).min(1.0))
    }

    /// Weights of cells and margins.
    fn count(&self, weights: Option<&[f64]>) -> Result<Weights> {
        check::weights(weights, "a", self.cell_of.len())?;
        let mut counted = Weights {
            cells: vec![0.0; self.cells.len()],
            rows: vec![0.0; self.row_labels.len()],
            columns: vec![0.0; self.column_labels.len()],
            total: 0.0,
        };
        for (i, &cell) in self.cell_of.iter().enumerate() {
            counted.cells[cell as usize] += check::weight(weights, i);
        }
        for (&(row, column), &w) in self.cells.iter().zip(&counted.cells) {
            counted.rows[row as usize] += w;
            counted.columns[column as usize] += w;
            counted.total += w;
        }
        Ok(counted)
    }
}

impl Weights {
    /// Whether either labelling puts all weight under one label.
    fn is_one_segment_each(&self) -> bool {
        let n_used = |w: &[f64]| w.iter().filter(|&&w| w > 0.0).count();
        n_used(&self.rows) == 1 && n_used(&self.columns) == 1
    }
}

/// The distinct values, ascending.
fn distinct<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// Where a value stands among the distinct ones.
fn place<T: Ord>(distinct: &[T], value: &T) -> u32 {
    let i = distinct
        .binary_search(value)
        .expect("invariant: values come from the same rows");
    u32::try_from(i).expect("invariant: labels are u32, and cells are no more than rows")
}

/// The contingency table of two labellings: labels of `a` by labels of `b`.
///
/// # Errors
/// When lengths differ or there are no rows.
/// # Cost
/// O(n log n).
/// # Examples
/// ```
/// use telseg_core::metrics::partition::contingency;
/// assert_eq!(contingency(&[0, 1, 1], &[4, 4, 5])?.table(None)?, ndarray::array![[1.0, 0.0], [1.0, 1.0]]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn contingency(a: &[u32], b: &[u32]) -> Result<Contingency> {
    Contingency::new(a, b)
}

/// Adjusted Rand index: the share of pairs of rows on which two labellings agree, adjusted for chance.
///
/// With `C(x) = x (x − 1) / 2`: `ARI = (Σ_ij C(n_ij) − E) / (½ (Σ_i C(a_i) + Σ_j C(b_j)) − E)`,
/// `E = Σ_i C(a_i) Σ_j C(b_j) / C(n)`. 1 for the same partition, 0 on average for random ones, below 0 for worse. Two
/// partitions into one segment each, or into single rows, are the same: 1.
///
/// # Units
/// Weights count rows (pairs are formed from them): a weight of 2 is a repeated row, weights that sum to 1 or less are
/// refused.
/// # Errors
/// When lengths differ, there are fewer than two rows, or weights do not fit.
/// # Cost
/// O(n log n); with a [`Contingency`] O(n).
/// # References
/// L. Hubert, P. Arabie (1985), "Comparing partitions", eq. 5.
/// # Examples
/// ```
/// use telseg_core::metrics::partition::ari;
/// assert_eq!(ari(&[0, 0, 1, 1], &[5, 5, 3, 3], None)?, 1.0);
/// // No pair stays together.
/// assert!((ari(&[0, 0, 1, 1], &[0, 1, 0, 1], None)? + 0.5).abs() < 1e-15);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn ari(a: &[u32], b: &[u32], weights: Option<&[f64]>) -> Result<f64> {
    Contingency::new(a, b)?.ari(weights)
}

/// Normalised mutual information: what one labelling says about the other, from 0 to 1.
///
/// `NMI = I(a; b) / (½ (H(a) + H(b)))`: arithmetic normalisation, as scikit-learn's default. Not adjusted for chance: it
/// grows with the number of labels. Two partitions into one segment each: 1.
///
/// # Errors
/// When lengths differ, there are no rows, or weights do not fit.
/// # Cost
/// O(n log n); with a [`Contingency`] O(n).
/// # References
/// N. X. Vinh, J. Epps, J. Bailey (2010), "Information theoretic measures for clusterings comparison".
/// # Examples
/// ```
/// use telseg_core::metrics::partition::nmi;
/// assert!((nmi(&[0, 0, 1, 1], &[1, 1, 0, 0], None)? - 1.0).abs() < 1e-15);
/// assert_eq!(nmi(&[0, 0, 1, 1], &[0, 1, 0, 1], None)?, 0.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn nmi(a: &[u32], b: &[u32], weights: Option<&[f64]>) -> Result<f64> {
    Contingency::new(a, b)?.nmi(weights)
}

/// Purity: the share of rows whose class is the commonest of their segment.
///
/// `Σ_j max_i n_ij / n`. Not symmetric, and 1 for segments of single rows.
///
/// # Shapes
/// `classes` is the truth, `segments` the labelling that is judged.
/// # Errors
/// When lengths differ, there are no rows, or weights do not fit.
/// # Cost
/// O(n log n); with a [`Contingency`] O(n).
/// # References
/// C. D. Manning, P. Raghavan, H. Schütze (2008), "Introduction to information retrieval", ch. 16.3.
/// # Examples
/// ```
/// use telseg_core::metrics::partition::purity;
/// assert_eq!(purity(&[0, 0, 1, 1], &[3, 3, 3, 8], None)?, 0.75);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn purity(classes: &[u32], segments: &[u32], weights: Option<&[f64]>) -> Result<f64> {
    Contingency::new(classes, segments)?.purity(weights)
}
