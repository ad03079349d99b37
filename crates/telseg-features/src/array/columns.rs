//! Walking through arrays by columns (to learn) and by rows (to transform).

use ndarray::{ArrayRef1, ArrayRef2, Axis};
use rayon::prelude::*;
use telseg_core::{Error, Result, Scalar};

/// Columns gathered at once: one cache line of a row in single precision.
const COLUMNS: usize = 16;
/// Rows of one parallel piece of a transformation.
const ROWS: usize = 2048;

/// What maps one value of a column to another.
pub(crate) trait ColumnMap: Sync {
    /// The new value.
    fn apply(&self, value: f64) -> f64;
}

/// One column to learn from: its values that are present, and the weights of their rows.
pub(crate) struct Sample<F> {
    /// Present values, in any order (selection permutes them).
    pub(crate) values: Vec<F>,
    /// A weight for each present value, in the same order; `None` counts each row once.
    pub(crate) weights: Option<Vec<f64>>,
    /// Number of missing values.
    pub(crate) n_missing: usize,
    /// Weights of the rows with missing values.
    missing_weights: Vec<f64>,
}

impl<F: Scalar> Sample<F> {
    /// Splits off the missing values. A row of weight 0 is left out altogether.
    pub(crate) fn new(mut all: Vec<F>, weights: Option<&[f64]>) -> Self {
        let n = all.len();
        let Some(weights) = weights else {
            all.retain(|v| !v.is_nan());
            return Self {
                n_missing: n - all.len(),
                values: all,
                weights: None,
                missing_weights: Vec::new(),
            };
        };
        let mut sample = Self {
            values: Vec::with_capacity(n),
            weights: None,
            n_missing: 0,
            missing_weights: Vec::new(),
        };
        let mut kept = Vec::with_capacity(n);
        for (v, &w) in all.into_iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            if v.is_nan() {
                sample.n_missing += 1;
                sample.missing_weights.push(w);
            } else {
                sample.values.push(v);
                kept.push(w);
            }
        }
        sample.weights = Some(kept);
        sample
    }

    /// Puts a value in the place of the missing ones.
    pub(crate) fn fill(&mut self, value: f64) {
        let n = self.values.len() + self.n_missing;
        self.values.resize(n, F::from_f64(value));
        if let Some(weights) = &mut self.weights {
            weights.append(&mut self.missing_weights);
        }
        self.n_missing = 0;
    }

    /// Maps each present value.
    pub(crate) fn map(&mut self, map: impl Fn(f64) -> f64) {
        for v in &mut self.values {
            *v = F::from_f64(map(v.into_f64()));
        }
    }

    /// Total weight of the present values.
    pub(crate) fn total(&self) -> f64 {
        match &self.weights {
            None => self.values.len() as f64,
            Some(w) => w.iter().sum(),
        }
    }

    /// Total weight of the rows whose value is missing.
    pub(crate) fn total_missing(&self) -> f64 {
        match &self.weights {
            None => self.n_missing as f64,
            Some(_) => self.missing_weights.iter().sum(),
        }
    }

    /// Weighted sum of a function of the values, in eight running sums that are added in a fixed order.
    pub(crate) fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        let mut sums = [0.0f64; 8];
        match &self.weights {
            None => {
                for part in self.values.chunks(8) {
                    sums.iter_mut()
                        .zip(part)
                        .for_each(|(s, v)| *s += f(v.into_f64()));
                }
            }
            Some(weights) => {
                for (part, w) in self.values.chunks(8).zip(weights.chunks(8)) {
                    for ((s, v), w) in sums.iter_mut().zip(part).zip(w) {
                        *s += w * f(v.into_f64());
                    }
                }
            }
        }
        let [a, b, c, d, e, f, g, h] = sums;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }
}

/// Checks the table and the weights, then learns something of each column, in parallel over blocks of columns.
pub(crate) fn learn<F: Scalar, T: Send>(
    x: &ArrayRef2<F>,
    weights: Option<&ArrayRef1<f64>>,
    each: impl Fn(Sample<F>) -> T + Sync,
) -> Result<Vec<T>> {
    check(x, weights)?;
    let weights: Option<Vec<f64>> = weights.map(|w| w.to_vec());
    let weights = weights.as_deref();
    let n_blocks = x.ncols().div_ceil(COLUMNS);
    // Several columns share a row's cache line, so they are gathered together; more blocks than that when few columns.
    let width = if n_blocks < 4 {
        x.ncols().div_ceil(4).max(1)
    } else {
        COLUMNS
    };
    let blocks: Vec<usize> = (0..x.ncols()).step_by(width).collect();
    let learnt: Vec<Result<Vec<T>>> = blocks
        .into_par_iter()
        .map(|start| {
            let end = (start + width).min(x.ncols());
            let columns = gather(x, start, end)?;
            Ok(columns
                .into_iter()
                .map(|c| each(Sample::new(c, weights)))
                .collect())
        })
        .collect();
    let mut all = Vec::with_capacity(x.ncols());
    for part in learnt {
        all.extend(part?);
    }
    Ok(all)
}

fn gather<F: Scalar>(x: &ArrayRef2<F>, start: usize, end: usize) -> Result<Vec<Vec<F>>> {
    let mut columns: Vec<Vec<F>> = (start..end)
        .map(|_| Vec::with_capacity(x.nrows()))
        .collect();
    match x.as_slice().filter(|s| !s.is_empty()) {
        Some(all) => {
            for row in all.chunks_exact(x.ncols()) {
                columns
                    .iter_mut()
                    .zip(&row[start..end])
                    .for_each(|(c, v)| c.push(*v));
            }
        }
        None => columns
            .iter_mut()
            .enumerate()
            .for_each(|(j, c)| c.extend(x.column(start + j).iter())),
    }
    for (j, column) in columns.iter().enumerate() {
        if let Some(row) = column.iter().position(|v| v.is_infinite()) {
            return Err(Error::value("x", "infinite value", (row, start + j)));
        }
    }
    Ok(columns)
}

/// That there is a table, and a finite, non-negative weight for each row if any, not all of them zero.
pub(crate) fn check<T>(x: &ArrayRef2<T>, weights: Option<&ArrayRef1<f64>>) -> Result<()> {
    if x.nrows() == 0 || x.ncols() == 0 {
        let found = format!("{} rows and {} columns", x.nrows(), x.ncols());
        return Err(Error::shape("x", "at least one row and one column", found));
    }
    let Some(weights) = weights else {
        return Ok(());
    };
    if weights.len() != x.nrows() {
        let expected = format!("{} (the rows of x)", x.nrows());
        return Err(Error::shape("weights", expected, weights.len().to_string()));
    }
    if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        let problem = format!(
            "row {row}: must be finite and not negative, not {}",
            weights[row]
        );
        return Err(Error::data("weights", problem));
    }
    if weights.iter().all(|w| *w == 0.0) {
        return Err(Error::data("weights", "all are zero"));
    }
    Ok(())
}

/// That a table has as many columns as at fit.
pub(crate) fn check_width(what: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(
        what,
        format!("{expected} columns (as at fit)"),
        found.to_string(),
    ))
}

/// That `out` has the shape that is going to be written.
pub(crate) fn check_out<F>(out: &ArrayRef2<F>, expected: (usize, usize)) -> Result<()> {
    if out.dim() == expected {
        return Ok(());
    }
    let expected = format!("{} rows by {} columns", expected.0, expected.1);
    let found = format!("{} by {}", out.nrows(), out.ncols());
    Err(Error::shape("out", expected, found))
}

/// That `out` is as long as the row that is going to be written.
pub(crate) fn check_width_out(found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(
        "out",
        format!("length {expected}"),
        found.to_string(),
    ))
}

/// Writes rows of `out` from rows of `x`, in parallel over blocks of rows, both as slices.
pub(crate) fn map_rows<A, B>(
    x: &ArrayRef2<A>,
    out: &mut ArrayRef2<B>,
    row: impl Fn(&[A], &mut [B]) + Sync,
) where
    A: Copy + Send + Sync,
    B: Copy + Send + Sync + Default,
{
    let pairs: Vec<_> = x
        .axis_chunks_iter(Axis(0), ROWS)
        .zip(out.axis_chunks_iter_mut(Axis(0), ROWS))
        .collect();
    pairs.into_par_iter().for_each(|(x, mut out)| {
        let mut from: Vec<A> = Vec::new();
        let mut to = vec![B::default(); out.ncols()];
        for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
            let x = match x.to_slice() {
                Some(x) => x,
                None => {
                    from.clear();
                    from.extend(x.iter().copied());
                    &from
                }
            };
            match out.as_slice_mut() {
                Some(out) => row(x, out),
                None => {
                    row(x, &mut to);
                    out.iter_mut().zip(&to).for_each(|(o, t)| *o = *t);
                }
            }
        }
    });
}

/// The methods that all models with one map a column share.
macro_rules! column_model {
    ($model:ident, $column:ident) => {
        impl $model {
            /// What was learnt of each column.
            pub fn columns(&self) -> &[$column] {
                &self.columns
            }

            /// Number of columns.
            pub fn n_features(&self) -> usize {
                self.columns.len()
            }

            /// The new form of each row of `x`, written to `out` of the same shape, in parallel over rows.
            ///
            /// # Errors
            /// When `x` has another width than at fit or `out` another shape than `x`.
            pub fn transform_into<F: telseg_core::Scalar>(
                &self,
                x: &ndarray::ArrayRef2<F>,
                out: &mut ndarray::ArrayRef2<F>,
            ) -> telseg_core::Result<()> {
                $crate::array::columns::map_columns_into(&self.columns, x, out)
            }

            /// The new form of each row of `x`.
            ///
            /// # Errors
            /// When `x` has another width than at fit.
            pub fn transform<F: telseg_core::Scalar>(
                &self,
                x: &ndarray::ArrayRef2<F>,
            ) -> telseg_core::Result<ndarray::Array2<F>> {
                let mut out = ndarray::Array2::from_elem(x.dim(), F::zero());
                self.transform_into(x, &mut out)?;
                Ok(out)
            }

            /// Changes one row in place; the same bits as [`transform`](Self::transform), and allocates nothing.
            ///
            /// # Errors
            /// When the row has another width than at fit.
            pub fn transform_row<F: telseg_core::Scalar>(
                &self,
                row: &mut [F],
            ) -> telseg_core::Result<()> {
                $crate::array::columns::check_width("row", row.len(), self.columns.len())?;
                for (v, column) in row.iter_mut().zip(&self.columns) {
                    *v = F::from_f64($crate::array::columns::ColumnMap::apply(
                        column,
                        v.into_f64(),
                    ));
                }
                Ok(())
            }
        }

        impl<F: telseg_core::Scalar> telseg_core::Transform<ndarray::ArrayRef2<F>> for $model {
            type Output = ndarray::Array2<F>;

            fn transform(&self, x: &ndarray::ArrayRef2<F>) -> telseg_core::Result<Self::Output> {
                $model::transform(self, x)
            }
        }
    };
}
pub(crate) use column_model;

/// The `fit` methods that all column-wise parameters share; `fit_sample` learns one column.
macro_rules! column_params {
    ($params:ident, $model:ident) => {
        impl $params {
            /// Learns each column of `x`, in parallel.
            ///
            /// # Errors
            /// When a parameter is out of range, `x` is empty or holds an infinite value.
            pub fn fit<F: telseg_core::Scalar>(
                &self,
                x: &ndarray::ArrayRef2<F>,
            ) -> telseg_core::Result<$model> {
                self.fit_any(x, None)
            }

            /// Learns each column of weighted rows; an integer weight counts as a row repeated so often.
            ///
            /// # Errors
            /// As [`fit`](Self::fit); also when there is not one finite, non-negative weight for each row.
            pub fn fit_weighted<F: telseg_core::Scalar>(
                &self,
                x: &ndarray::ArrayRef2<F>,
                weights: &ndarray::ArrayRef1<f64>,
            ) -> telseg_core::Result<$model> {
                self.fit_any(x, Some(weights))
            }

            fn fit_any<F: telseg_core::Scalar>(
                &self,
                x: &ndarray::ArrayRef2<F>,
                weights: Option<&ndarray::ArrayRef1<f64>>,
            ) -> telseg_core::Result<$model> {
                self.validate()?;
                let columns =
                    $crate::array::columns::learn(x, weights, |mut s| self.fit_sample(&mut s))?;
                Ok($model { columns })
            }
        }

        impl<F: telseg_core::Scalar> telseg_core::Fit<ndarray::ArrayRef2<F>> for $params {
            type Model = $model;

            fn fit(&self, x: &ndarray::ArrayRef2<F>, _: &()) -> telseg_core::Result<$model> {
                $params::fit(self, x)
            }
        }
    };
}
pub(crate) use column_params;

/// Applies a map a column to all rows.
pub(crate) fn map_columns_into<F: Scalar, C: ColumnMap>(
    columns: &[C],
    x: &ArrayRef2<F>,
    out: &mut ArrayRef2<F>,
) -> Result<()> {
    check_width("x", x.ncols(), columns.len())?;
    check_out(out, x.dim())?;
    map_rows(x, out, |from, to| {
        for ((v, o), column) in from.iter().zip(to).zip(columns) {
            *o = F::from_f64(column.apply(v.into_f64()));
        }
    });
    Ok(())
}
