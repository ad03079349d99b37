//! One column a level.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar};

use super::{Lookup, NONE, UnseenCode, learn, refuse_in_row, refuse_unseen};
use crate::array::columns::{check_out, check_width, check_width_out, map_rows};

/// What a [`OneHot`] encoder is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OneHotParams {
    /// Keep this many levels of a column at most, the most frequent ones (of equally frequent ones those with the smaller
    /// code); the rest share one column. `None` keeps all.
    pub max_levels: Option<usize>,
    /// Levels with less weight than this share one column.
    pub min_weight: f64,
    /// What happens to codes not seen at fit.
    pub unseen: UnseenCode,
}

impl OneHotParams {
    /// Keep this many levels of a column at most.
    pub fn with_max_levels(mut self, n: Option<usize>) -> Self {
        self.max_levels = n;
        self
    }

    /// Levels with less weight (fewer rows) than this share one column.
    pub fn with_min_weight(mut self, weight: f64) -> Self {
        self.min_weight = weight;
        self
    }

    /// What happens to codes not seen at fit.
    pub fn with_unseen(mut self, unseen: UnseenCode) -> Self {
        self.unseen = unseen;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When no level could be kept, or the weight is negative or not a number.
    pub fn validate(&self) -> Result<()> {
        if self.max_levels == Some(0) {
            return Err(Error::param("max_levels", "must be at least 1"));
        }
        if self.min_weight.is_nan() || self.min_weight < 0.0 {
            let problem = format!("must be 0 or more, not {}", self.min_weight);
            return Err(Error::param("min_weight", problem));
        }
        Ok(())
    }

    /// Learns the levels of each column.
    ///
    /// # Errors
    /// When a parameter is out of range or `x` is empty.
    pub fn fit(&self, x: &ArrayRef2<i32>) -> Result<OneHot> {
        self.fit_any(x, None)
    }

    /// As [`fit`](Self::fit), with weighted rows.
    ///
    /// # Errors
    /// Also when there is not one finite, non-negative weight for each row.
    pub fn fit_weighted(&self, x: &ArrayRef2<i32>, weights: &ArrayRef1<f64>) -> Result<OneHot> {
        self.fit_any(x, Some(weights))
    }

    fn fit_any(&self, x: &ArrayRef2<i32>, weights: Option<&ArrayRef1<f64>>) -> Result<OneHot> {
        self.validate()?;
        Ok(OneHot {
            columns: learn(x, weights, |counts| self.fit_counts(&counts))?,
        })
    }

    /// Chooses the levels of one column from its distinct codes (ascending) and their weights.
    pub(crate) fn fit_counts(&self, counts: &[(i32, f64)]) -> OneHotColumn {
        let mut kept: Vec<(i32, f64)> = counts
            .iter()
            .copied()
            .filter(|c| c.1 >= self.min_weight)
            .collect();
        if let Some(max) = self.max_levels.filter(|&m| m < kept.len()) {
            kept.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            kept.truncate(max);
            kept.sort_by_key(|c| c.0);
        }
        OneHotColumn {
            rare: counts
                .iter()
                .map(|c| c.0)
                .filter(|c| kept.iter().all(|k| k.0 != *c))
                .collect(),
            levels: kept.into_iter().map(|c| c.0).collect(),
            unseen: self.unseen,
        }
    }
}

/// Where a code goes in its column's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Slot {
    /// This column of the block.
    At(usize),
    /// Not seen at fit and ignored: zeros.
    Zeros,
    /// Not seen at fit and refused.
    Unseen,
}

/// The levels of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneHotColumn {
    /// Codes with a column of their own, ascending.
    pub levels: Vec<i32>,
    /// Codes that share the last column, ascending.
    pub rare: Vec<i32>,
    /// What happens to other codes.
    pub unseen: UnseenCode,
}

impl OneHotColumn {
    /// Number of columns: one a level, and one more when there are rare ones.
    pub fn width(&self) -> usize {
        self.levels.len() + usize::from(!self.rare.is_empty())
    }

    /// Where a code goes.
    pub fn slot(&self, code: i32) -> Slot {
        if let Ok(at) = self.levels.binary_search(&code) {
            return Slot::At(at);
        }
        let rare = self.rare.binary_search(&code).is_ok();
        match self.unseen {
            UnseenCode::Error if !rare => Slot::Unseen,
            _ if self.rare.is_empty() => Slot::Zeros,
            _ => Slot::At(self.levels.len()),
        }
    }
}

/// One 0/1 column for each level of each column of codes, the levels in ascending order.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::OneHot;
///
/// let plans = array![[2], [5], [2], [-1]];
/// let encoder = OneHot::params().fit(&plans)?;
/// assert_eq!(encoder.columns()[0].levels, [-1, 2, 5]);
/// assert_eq!(encoder.transform::<f32>(&array![[5], [7]])?, array![[0.0f32, 0.0, 1.0], [0.0, 0.0, 0.0]]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    columns: Vec<OneHotColumn>,
}

impl OneHot {
    /// All levels, unseen codes ignored, unless said otherwise.
    pub fn params() -> OneHotParams {
        OneHotParams::default()
    }

    /// The levels of each column.
    pub fn columns(&self) -> &[OneHotColumn] {
        &self.columns
    }

    /// Number of 0/1 columns.
    pub fn n_outputs(&self) -> usize {
        self.columns.iter().map(OneHotColumn::width).sum()
    }

    /// Where each column's codes go, and where those not seen at fit go.
    fn lookups(&self) -> (Vec<Lookup>, Vec<u32>) {
        let mut start = 0u32;
        let each = self.columns.iter().map(|column| {
            let other = start + column.levels.len() as u32;
            let mut pairs: Vec<(i32, u32)> = column.levels.iter().copied().zip(start..).collect();
            pairs.extend(column.rare.iter().map(|&c| (c, other)));
            start += column.width() as u32;
            let unseen = if column.rare.is_empty() { NONE } else { other };
            (Lookup::new(pairs), unseen)
        });
        each.unzip()
    }

    /// The position of each row's ones among the [`n_outputs`](Self::n_outputs) columns, one for each column of codes:
    /// the sparse form of [`transform`](Self::transform). `u32::MAX` stands for "none".
    ///
    /// # Errors
    /// When `x` has another width than at fit, or a code was not seen at fit and is refused.
    pub fn transform_indices(&self, x: &ArrayRef2<i32>) -> Result<Array2<u32>> {
        check_width("x", x.ncols(), self.columns.len())?;
        let (lookups, unseen) = self.lookups();
        refuse_unseen(x, &lookups, |j| self.columns[j].unseen)?;
        let mut out = Array2::zeros(x.dim());
        map_rows(x, &mut out, |from, to| {
            for (j, o) in to.iter_mut().enumerate() {
                let at = lookups[j].get(from[j]);
                *o = if at == NONE { unseen[j] } else { at };
            }
        });
        Ok(out)
    }

    /// The 0/1 columns.
    ///
    /// # Errors
    /// As [`transform_indices`](Self::transform_indices).
    pub fn transform<F: Scalar>(&self, x: &ArrayRef2<i32>) -> Result<Array2<F>> {
        let mut out = Array2::from_elem((x.nrows(), self.n_outputs()), F::zero());
        self.transform_into(x, &mut out)?;
        Ok(out)
    }

    /// The 0/1 columns, written to `out` (rows by [`n_outputs`](Self::n_outputs)).
    ///
    /// # Errors
    /// As [`transform_indices`](Self::transform_indices); also when `out` has the wrong shape.
    pub fn transform_into<F: Scalar>(
        &self,
        x: &ArrayRef2<i32>,
        out: &mut ArrayRef2<F>,
    ) -> Result<()> {
        check_out(out, (x.nrows(), self.n_outputs()))?;
        let at = self.transform_indices(x)?;
        map_rows(&at, out, |from, to| {
            to.fill(F::zero());
            from.iter()
                .filter(|&&i| i != NONE)
                .for_each(|&i| to[i as usize] = F::one());
        });
        Ok(())
    }

    /// The 0/1 columns of one row, written to `out` ([`n_outputs`](Self::n_outputs) long); the same as
    /// [`transform`](Self::transform), and allocates nothing.
    ///
    /// # Errors
    /// When the row has another width than at fit or `out` another than the columns, or a code is refused.
    pub fn transform_row<F: Scalar>(&self, row: &[i32], out: &mut [F]) -> Result<()> {
        check_width("row", row.len(), self.columns.len())?;
        check_width_out(out.len(), self.n_outputs())?;
        out.fill(F::zero());
        let mut start = 0;
        for (j, (&code, column)) in row.iter().zip(&self.columns).enumerate() {
            match column.slot(code) {
                Slot::At(at) => out[start + at] = F::one(),
                Slot::Zeros => {}
                Slot::Unseen => return Err(refuse_in_row(code, j)),
            }
            start += column.width();
        }
        Ok(())
    }
}

impl telseg_core::Fit<ArrayRef2<i32>> for OneHotParams {
    type Model = OneHot;

    fn fit(&self, x: &ArrayRef2<i32>, _: &()) -> Result<OneHot> {
        OneHotParams::fit(self, x)
    }
}
