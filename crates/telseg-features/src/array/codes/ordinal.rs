//! One number a level.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Result, Scalar};

use super::{Lookup, NONE, UnseenCode, learn, refuse_in_row, refuse_unseen};
use crate::array::columns::{check_out, check_width, check_width_out, map_rows};

/// Which number an ordinal encoder gives to which level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LevelOrder {
    /// 0 for the smallest code.
    #[default]
    Value,
    /// 0 for the most frequent code; equally frequent ones by value.
    Frequency,
}

/// What an [`OrdinalEncoder`] is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrdinalEncoderParams {
    /// Which number goes to which level.
    pub order: LevelOrder,
    /// What happens to codes not seen at fit.
    pub unseen: UnseenCode,
}

impl OrdinalEncoderParams {
    /// Which number goes to which level.
    pub fn with_order(mut self, order: LevelOrder) -> Self {
        self.order = order;
        self
    }

    /// What happens to codes not seen at fit.
    pub fn with_unseen(mut self, unseen: UnseenCode) -> Self {
        self.unseen = unseen;
        self
    }

    /// Checks the values alone: all are valid.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Learns the levels of each column.
    ///
    /// # Errors
    /// When `x` is empty.
    pub fn fit(&self, x: &ArrayRef2<i32>) -> Result<OrdinalEncoder> {
        self.fit_any(x, None)
    }

    /// As [`fit`](Self::fit), with weighted rows (which matter to the order by frequency).
    ///
    /// # Errors
    /// Also when there is not one finite, non-negative weight for each row.
    pub fn fit_weighted(
        &self,
        x: &ArrayRef2<i32>,
        weights: &ArrayRef1<f64>,
    ) -> Result<OrdinalEncoder> {
        self.fit_any(x, Some(weights))
    }

    fn fit_any(
        &self,
        x: &ArrayRef2<i32>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<OrdinalEncoder> {
        self.validate()?;
        Ok(OrdinalEncoder {
            columns: learn(x, weights, |counts| self.fit_counts(counts))?,
        })
    }

    /// Orders the levels of one column.
    pub(crate) fn fit_counts(&self, mut counts: Vec<(i32, f64)>) -> OrdinalColumn {
        if self.order == LevelOrder::Frequency {
            counts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        }
        OrdinalColumn {
            levels: counts.into_iter().map(|c| c.0).collect(),
            unseen: self.unseen,
        }
    }
}

/// The levels of one column; the number of a level is its position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrdinalColumn {
    /// Codes, in the order of their numbers.
    pub levels: Vec<i32>,
    /// What happens to other codes.
    pub unseen: UnseenCode,
}

/// One number for each level of a column of codes: 0, 1, 2, ... as tree models take them.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::{LevelOrder, OrdinalEncoder};
///
/// let plans = array![[20], [5], [20]];
/// let encoder = OrdinalEncoder::params().with_order(LevelOrder::Frequency).fit(&plans)?;
/// assert_eq!(encoder.transform::<f32>(&plans)?, array![[0.0f32], [1.0], [0.0]]);
/// assert!(encoder.transform::<f32>(&array![[6]])?[[0, 0]].is_nan());
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrdinalEncoder {
    columns: Vec<OrdinalColumn>,
}

impl OrdinalEncoder {
    /// By value, unseen codes NaN, unless said otherwise.
    pub fn params() -> OrdinalEncoderParams {
        OrdinalEncoderParams::default()
    }

    /// The levels of each column.
    pub fn columns(&self) -> &[OrdinalColumn] {
        &self.columns
    }

    /// The number of each code.
    ///
    /// # Errors
    /// When `x` has another width than at fit, or a code was not seen at fit and is refused.
    pub fn transform<F: Scalar>(&self, x: &ArrayRef2<i32>) -> Result<Array2<F>> {
        let mut out = Array2::from_elem(x.dim(), F::zero());
        self.transform_into(x, &mut out)?;
        Ok(out)
    }

    /// The number of each code, written to `out` of the same shape.
    ///
    /// # Errors
    /// As [`transform`](Self::transform); also when `out` has the wrong shape.
    pub fn transform_into<F: Scalar>(
        &self,
        x: &ArrayRef2<i32>,
        out: &mut ArrayRef2<F>,
    ) -> Result<()> {
        check_width("x", x.ncols(), self.columns.len())?;
        check_out(out, x.dim())?;
        let numbered = |c: &OrdinalColumn| c.levels.iter().copied().zip(0..).collect();
        let lookups: Vec<Lookup> = self
            .columns
            .iter()
            .map(|c| Lookup::new(numbered(c)))
            .collect();
        refuse_unseen(x, &lookups, |j| self.columns[j].unseen)?;
        map_rows(x, out, |from, to| {
            for (j, o) in to.iter_mut().enumerate() {
                *o = match lookups[j].get(from[j]) {
                    NONE => F::nan(),
                    at => F::from_f64(f64::from(at)),
                };
            }
        });
        Ok(())
    }

    /// The numbers of one row's codes, written to `out` of the same length; the same as [`transform`](Self::transform),
    /// and allocates nothing.
    ///
    /// # Cost
    /// Looks through the levels of each column.
    ///
    /// # Errors
    /// When the row or `out` has another width than at fit, or a code is refused.
    pub fn transform_row<F: Scalar>(&self, row: &[i32], out: &mut [F]) -> Result<()> {
        check_width("row", row.len(), self.columns.len())?;
        check_width_out(out.len(), self.columns.len())?;
        for (j, (&code, column)) in row.iter().zip(&self.columns).enumerate() {
            out[j] = match column.levels.iter().position(|&l| l == code) {
                Some(at) => F::from_f64(at as f64),
                None if column.unseen == UnseenCode::Error => return Err(refuse_in_row(code, j)),
                None => F::nan(),
            };
        }
        Ok(())
    }

    /// The codes that numbers stand for; `None` where there is no such number.
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn inverse_transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<Option<i32>>> {
        check_width("x", x.ncols(), self.columns.len())?;
        Ok(Array2::from_shape_fn(x.dim(), |(i, j)| {
            let at = x[[i, j]].into_f64();
            let whole = at >= 0.0 && at.fract() == 0.0;
            whole
                .then(|| self.columns[j].levels.get(at as usize).copied())
                .flatten()
        }))
    }
}

impl telseg_core::Fit<ArrayRef2<i32>> for OrdinalEncoderParams {
    type Model = OrdinalEncoder;

    fn fit(&self, x: &ArrayRef2<i32>, _: &()) -> Result<OrdinalEncoder> {
        OrdinalEncoderParams::fit(self, x)
    }
}
