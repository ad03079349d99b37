//! Gower's distance with the ranges and ranks that it learnt.

use ndarray::{ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar, par};

use super::params::{GowerColumn, GowerParams};
use crate::kmedoids::Condensed;
use crate::rows::{check_shape, contiguous};

/// Rows that one task works on.
const CHUNK: usize = 64;

/// Gower's distance with the ranges and ranks of the rows it was fitted on.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::{Gower, GowerColumn::{Asymmetric, Categorical, Numeric}};
/// // Bill a month, handset (a code), roams abroad (a flag); NaN where not known.
/// let base = array![[10.0f32, 3.0, 0.0], [30.0, 3.0, 0.0], [20.0, f32::NAN, 1.0]];
/// let gower = Gower::params(&[Numeric, Categorical, Asymmetric]).fit(&base)?;
/// // The bill differs by the whole range, the handset not at all; neither roams, which is not compared.
/// assert_eq!(gower.distance(&base.row(0), &base.row(1))?, 0.5);
/// // Half the range, and one of two roams; the handset cannot be compared.
/// assert_eq!(gower.distance(&base.row(0), &base.row(2))?, 0.75);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gower {
    scales: Vec<Scale>,
    weights: Vec<f64>,
}

/// What a column learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Scale {
    /// One over the range; 0 where nothing varies.
    Numeric(f64),
    /// The levels, in rising order.
    Ordinal(Vec<f64>),
    Categorical,
    Asymmetric,
}

impl Gower {
    /// What to ask for: what each column holds; all columns count the same unless told.
    pub fn params(columns: &[GowerColumn]) -> GowerParams {
        GowerParams::new(columns)
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.scales.len()
    }

    /// The distance of two rows, from 0 to 1.
    ///
    /// # Errors
    /// When a width is not the one at fit, or a cell is infinite, or a flag is neither 0 nor 1; the message names the
    /// argument.
    pub fn distance<F: Scalar>(&self, a: &ArrayRef1<F>, b: &ArrayRef1<F>) -> Result<f64> {
        for (name, row) in [("a", a), ("b", b)] {
            if row.len() != self.n_features() {
                let expected = format!("{} columns (as at fit)", self.n_features());
                return Err(Error::shape(name, expected, row.len().to_string()));
            }
            self.check_cells(row.iter().map(|v| v.into_f64()), name, 0)?;
        }
        Ok(self.between(|j| a[j].into_f64(), |j| b[j].into_f64()))
    }

    /// The distances of all pairs of rows of `x`; in parallel over rows. Memory: `4 n (n - 1)` bytes.
    ///
    /// # Errors
    /// As [`distance`](Self::distance); the message names `x`.
    pub fn matrix<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Condensed> {
        self.check_rows(x)?;
        let (rows, n, d) = (contiguous(x), x.nrows(), self.n_features());
        let coded = self.encode(&rows);
        let parts = par::map(n, CHUNK, |range| -> Vec<f64> {
            let pairs = range.flat_map(|a| (a + 1..n).map(move |b| (a, b)));
            let row = |i: usize| &coded[i * d..][..d];
            pairs.map(|(a, b)| self.coded(row(a), row(b))).collect()
        });
        Condensed::new(parts.concat())
    }

    /// Checks the width and every cell of `x`.
    pub(crate) fn check_rows<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<()> {
        if x.ncols() != self.n_features() {
            let expected = format!("{} columns (as at fit)", self.n_features());
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        for (i, row) in x.rows().into_iter().enumerate() {
            self.check_cells(row.iter().map(|v| v.into_f64()), "x", i)?;
        }
        Ok(())
    }

    fn check_cells(
        &self,
        cells: impl Iterator<Item = f64>,
        name: &'static str,
        row: usize,
    ) -> Result<()> {
        for ((column, v), scale) in cells.enumerate().zip(&self.scales) {
            if v.is_infinite() {
                return Err(Error::value(
                    name,
                    format!("{v} is not finite"),
                    (row, column),
                ));
            }
            if matches!(scale, Scale::Asymmetric) && !(v.is_nan() || v == 0.0 || v == 1.0) {
                let problem = format!("{v} is no flag (0, 1, or NaN)");
                return Err(Error::value(name, problem, (row, column)));
            }
        }
        Ok(())
    }

    /// Rows as [`coded`](Self::coded) takes them: scaled numbers, positions of ranks, codes.
    pub(crate) fn encode<F: Scalar>(&self, rows: &[F]) -> Vec<f64> {
        let columns = self.scales.iter().cycle();
        let cells = rows.iter().zip(columns);
        cells.map(|(v, scale)| scale.of(v.into_f64())).collect()
    }

    /// The distance of two encoded rows.
    #[inline]
    pub(crate) fn coded(&self, a: &[f64], b: &[f64]) -> f64 {
        self.sum(|j, _| (a[j], b[j]))
    }

    /// The distance of two rows, by their cells: the same bits as that of the encoded rows.
    pub(crate) fn between(&self, a: impl Fn(usize) -> f64, b: impl Fn(usize) -> f64) -> f64 {
        self.sum(|j, scale| (scale.of(a(j)), scale.of(b(j))))
    }

    #[inline(always)]
    fn sum(&self, cells: impl Fn(usize, &Scale) -> (f64, f64)) -> f64 {
        let (mut top, mut bottom) = (0.0, 0.0);
        for (j, (scale, &weight)) in self.scales.iter().zip(&self.weights).enumerate() {
            let (a, b) = cells(j, scale);
            let (far, known) = match scale {
                Scale::Numeric(_) | Scale::Ordinal(_) => {
                    let far = (a - b).abs();
                    (far.min(1.0), !far.is_nan())
                }
                Scale::Categorical => (f64::from(a != b), !(a.is_nan() || b.is_nan())),
                Scale::Asymmetric => (
                    f64::from(a != b),
                    !(a.is_nan() || b.is_nan()) && (a != 0.0 || b != 0.0),
                ),
            };
            if known {
                top += weight * far;
                bottom += weight;
            }
        }
        if bottom > 0.0 { top / bottom } else { 1.0 }
    }

    /// Whether all that the other functions rely on holds, for a loaded model.
    pub(crate) fn is_sound(&self) -> bool {
        let scale = |scale: &Scale| match scale {
            Scale::Numeric(factor) => *factor >= 0.0 && factor.is_finite(),
            Scale::Ordinal(levels) => {
                levels.windows(2).all(|w| w[0] < w[1]) && levels.iter().all(|v| v.is_finite())
            }
            Scale::Categorical | Scale::Asymmetric => true,
        };
        self.scales.len() == self.weights.len()
            && self.scales.iter().all(scale)
            && self.weights.iter().all(|w| w.is_finite() && *w >= 0.0)
    }
}

impl Scale {
    /// A cell as it is compared: scaled, or as the position of its rank from 0 to 1; NaN stays.
    #[inline]
    fn of(&self, value: f64) -> f64 {
        match self {
            Self::Numeric(factor) => value * factor,
            Self::Ordinal(levels) => position(levels, value),
            Self::Categorical | Self::Asymmetric => value,
        }
    }
}

/// The rank of a value among the levels over the greatest rank; between two levels in proportion.
fn position(levels: &[f64], value: f64) -> f64 {
    if value.is_nan() {
        return value;
    }
    let greatest = levels.len().saturating_sub(1);
    if greatest == 0 {
        return 0.0;
    }
    let above = levels.partition_point(|&level| level < value);
    let rank = if above > greatest {
        greatest as f64
    } else if above == 0 {
        0.0
    } else {
        let (low, high) = (levels[above - 1], levels[above]);
        (above - 1) as f64 + (value - low) / (high - low)
    };
    rank / greatest as f64
}

impl GowerParams {
    /// Learns the ranges of the numeric columns and the ranks of the ordered ones from the rows of `x`; NaN is left out.
    ///
    /// # Shapes
    /// `x`: at least one row, a column for each of `columns`.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Gower> {
        self.validate()?;
        check_shape(x, 1, "Gower's distance")?;
        if x.ncols() != self.columns.len() {
            let expected = format!("{} columns (columns)", self.columns.len());
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        let known = |j: usize| {
            let cells = x.column(j);
            let cells = cells.iter().map(|v| v.into_f64());
            cells.filter(|v| !v.is_nan()).collect::<Vec<f64>>()
        };
        let scale = |(j, column): (usize, &GowerColumn)| match column {
            GowerColumn::Numeric => {
                let cells = known(j);
                let low = cells.iter().copied().fold(f64::INFINITY, f64::min);
                let high = cells.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let factor = 1.0 / (high - low);
                // A range of 0, or one that overflows or underflows, leaves nothing to compare by.
                Scale::Numeric(if factor.is_finite() && factor > 0.0 {
                    factor
                } else {
                    0.0
                })
            }
            GowerColumn::Ordinal => {
                let mut levels = known(j);
                levels.sort_by(f64::total_cmp);
                levels.dedup();
                Scale::Ordinal(levels)
            }
            GowerColumn::Categorical => Scale::Categorical,
            GowerColumn::Asymmetric => Scale::Asymmetric,
        };
        let gower = Gower {
            scales: self.columns.iter().enumerate().map(scale).collect(),
            weights: self.weights.clone().unwrap_or_else(|| vec![1.0; x.ncols()]),
        };
        gower.check_rows(x)?;
        Ok(gower)
    }
}
