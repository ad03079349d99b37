//! Filling missing values, and remembering where they were.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar};

use super::columns::{
    ColumnMap, Sample, check_out, check_width, check_width_out, column_model, column_params, learn,
    map_rows,
};
use super::quantile::quantiles;

/// What stands in for a missing value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ImputeWith {
    /// The column's median.
    #[default]
    Median,
    /// The column's mean.
    Mean,
    /// This value in every column.
    Constant(f64),
}

/// What an [`Imputer`] is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImputerParams {
    /// What stands in for a missing value.
    pub with: ImputeWith,
}

impl ImputerParams {
    /// What stands in for a missing value.
    pub fn with_value(mut self, with: ImputeWith) -> Self {
        self.with = with;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When the constant is not finite.
    pub fn validate(&self) -> Result<()> {
        match self.with {
            ImputeWith::Constant(v) if !v.is_finite() => Err(Error::param(
                "with",
                format!("the constant must be finite, not {v}"),
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn fit_sample<F: Scalar>(&self, sample: &mut Sample<F>) -> ImputedColumn {
        let fill = match self.with {
            ImputeWith::Constant(v) => v,
            _ if sample.values.is_empty() => 0.0,
            ImputeWith::Median => quantiles(sample, &[0.5])[0],
            ImputeWith::Mean => sample.sum(|v| v) / sample.total(),
        };
        ImputedColumn { fill }
    }
}

/// What stands in for the missing values of one column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImputedColumn {
    /// The value.
    pub fill: f64,
}

impl ColumnMap for ImputedColumn {
    #[inline(always)]
    fn apply(&self, value: f64) -> f64 {
        if value.is_nan() { self.fill } else { value }
    }
}

/// Fills missing values with a statistic of the column; a column without any value is filled with 0.
///
/// # Cost
/// Learning is a selection per column, O(n) in time, in parallel over columns.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::Imputer;
///
/// let minutes = array![[10.0f32], [f32::NAN], [30.0], [100.0]];
/// let imputer = Imputer::params().fit(&minutes)?;
/// assert_eq!(imputer.transform(&minutes)?[[1, 0]], 30.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imputer {
    columns: Vec<ImputedColumn>,
}

impl Imputer {
    /// The median, unless said otherwise.
    pub fn params() -> ImputerParams {
        ImputerParams::default()
    }
}

column_params!(ImputerParams, Imputer);
column_model!(Imputer, ImputedColumn);

/// Which columns get a missing indicator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MissingIndicatorParams {
    /// Columns whose share of missing values is above this get an indicator.
    pub min_share: f64,
}

impl MissingIndicatorParams {
    /// Columns whose share of missing values is above this get an indicator.
    pub fn with_min_share(mut self, share: f64) -> Self {
        self.min_share = share;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When the share is not within 0 to 1.
    pub fn validate(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.min_share) {
            return Ok(());
        }
        let problem = format!("must be within 0 to 1, not {}", self.min_share);
        Err(Error::param("min_share", problem))
    }

    /// Finds the columns of `x` that get an indicator.
    ///
    /// # Errors
    /// When the share is out of range, `x` is empty or holds an infinite value.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<MissingIndicator> {
        self.fit_any(x, None)
    }

    /// As [`fit`](Self::fit), with weighted rows.
    ///
    /// # Errors
    /// Also when there is not one finite, non-negative weight for each row.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<MissingIndicator> {
        self.fit_any(x, Some(weights))
    }

    fn fit_any<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<MissingIndicator> {
        self.validate()?;
        let flags = learn(x, weights, |s| self.fit_sample(&s))?;
        let flagged = flags.iter().enumerate().filter(|(_, f)| **f);
        Ok(MissingIndicator {
            n_features: flags.len(),
            columns: flagged.map(|(j, _)| j as u32).collect(),
        })
    }

    /// Whether this column gets an indicator.
    pub(crate) fn fit_sample<F: Scalar>(&self, sample: &Sample<F>) -> bool {
        let missing = sample.total_missing();
        missing > self.min_share * (sample.total() + missing)
    }
}

/// A 0/1 column for each column that had many missing values at fit: 1 where the value is missing.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::MissingIndicator;
///
/// let x = array![[1.0f32, f32::NAN], [2.0, 5.0]];
/// let indicator = MissingIndicator::params().fit(&x)?;
/// assert_eq!(indicator.columns(), [1]);
/// assert_eq!(indicator.transform(&x)?, array![[1.0f32], [0.0]]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissingIndicator {
    n_features: usize,
    columns: Vec<u32>,
}

impl MissingIndicator {
    /// Columns with more than 2 % missing, unless said otherwise.
    pub fn params() -> MissingIndicatorParams {
        MissingIndicatorParams { min_share: 0.02 }
    }

    /// Number of columns that are looked at.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The columns that have an indicator, ascending.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// The indicators of each row.
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        let mut out = Array2::from_elem((x.nrows(), self.columns.len()), F::zero());
        self.transform_into(x, &mut out)?;
        Ok(out)
    }

    /// The indicators of each row, written to `out` (rows by [`columns`](Self::columns)).
    ///
    /// # Errors
    /// When `x` has another width than at fit or `out` the wrong shape.
    pub fn transform_into<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        out: &mut ArrayRef2<F>,
    ) -> Result<()> {
        check_width("x", x.ncols(), self.n_features)?;
        check_out(out, (x.nrows(), self.columns.len()))?;
        map_rows(x, out, |from, to| self.flag(from, to));
        Ok(())
    }

    /// The indicators of one row, written to `out` (as long as [`columns`](Self::columns)); allocates nothing.
    ///
    /// # Errors
    /// When the row has another width than at fit or `out` the wrong length.
    pub fn transform_row<F: Scalar>(&self, row: &[F], out: &mut [F]) -> Result<()> {
        check_width("row", row.len(), self.n_features)?;
        check_width_out(out.len(), self.columns.len())?;
        self.flag(row, out);
        Ok(())
    }

    #[inline]
    fn flag<F: Scalar>(&self, from: &[F], to: &mut [F]) {
        for (o, &j) in to.iter_mut().zip(&self.columns) {
            let missing = from[j as usize].is_nan();
            *o = if missing { F::one() } else { F::zero() };
        }
    }
}
