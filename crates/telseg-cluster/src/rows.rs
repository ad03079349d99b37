//! What every algorithm asks of the rows that it is given.

use std::borrow::Cow;

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result, Scalar, par};

/// Rows that one task looks through.
const BLOCK: usize = 4096;

/// At least one column, and at least as many rows as the parameter `name` asks for.
pub(crate) fn check_shape<F>(x: &ArrayRef2<F>, least: usize, name: &str) -> Result<()> {
    let (n_rows, n_columns) = x.dim();
    if n_columns == 0 {
        return Err(Error::shape("x", "at least 1 column", "0"));
    }
    if n_rows < least {
        let expected = format!("at least {least} rows ({name})");
        return Err(Error::shape("x", expected, n_rows.to_string()));
    }
    Ok(())
}

/// The rows one after the other; a copy only where they do not lie so already.
pub(crate) fn contiguous<F: Copy>(x: &ArrayRef2<F>) -> Cow<'_, [F]> {
    match x.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(x.iter().copied().collect()),
    }
}

/// A weight for each row: at least 0, finite, and not all 0.
pub(crate) fn check_weights(weights: &ArrayRef1<f64>, n_rows: usize) -> Result<Vec<f64>> {
    if weights.len() != n_rows {
        return Err(Error::shape(
            "weights",
            format!("{n_rows} (rows of x)"),
            weights.len().to_string(),
        ));
    }
    if let Some((i, w)) = weights
        .iter()
        .enumerate()
        .find(|(_, w)| !(w.is_finite() && **w >= 0.0))
    {
        return Err(Error::data(
            "weights",
            format!("expected numbers of at least 0, found {w} in row {i}"),
        ));
    }
    if !weights.iter().any(|&w| w > 0.0) {
        return Err(Error::data("weights", "at least one must be above 0"));
    }
    Ok(weights.to_vec())
}

/// Refuses missing and infinite values: a distance to them has no meaning.
pub(crate) fn check_finite<F: Scalar>(values: &[F], n_columns: usize) -> Result<()> {
    let found = par::map(values.len(), BLOCK * n_columns.max(1), |range| {
        // Zero times a finite number is zero: quick to rule the common case out, 16 sums side by side.
        let (blocks, rest) = values[range.clone()].as_chunks::<16>();
        let mut sums = [F::zero(); 16];
        for block in blocks {
            for (sum, &v) in sums.iter_mut().zip(block) {
                *sum += v * F::zero();
            }
        }
        let sum: F = sums
            .into_iter()
            .chain(rest.iter().map(|&v| v * F::zero()))
            .sum();
        if sum == F::zero() {
            None
        } else {
            range.into_iter().find(|&i| !values[i].is_finite())
        }
    });
    match found.into_iter().flatten().next() {
        Some(i) => {
            let problem = format!("{} (impute missing values before clustering)", values[i]);
            Err(Error::value("x", problem, (i / n_columns, i % n_columns)))
        }
        None => Ok(()),
    }
}

/// The number of columns at fit.
pub(crate) fn check_width(found: usize, at_fit: usize) -> Result<()> {
    if found == at_fit {
        return Ok(());
    }
    let expected = format!("{at_fit} columns (as at fit)");
    Err(Error::shape("x", expected, found.to_string()))
}

/// A place for each row in what a model writes to.
pub(crate) fn check_out(found: usize, n_rows: usize) -> Result<()> {
    if found == n_rows {
        return Ok(());
    }
    let expected = format!("{n_rows} (rows of x)");
    Err(Error::shape("out", expected, found.to_string()))
}

/// One row of the width at fit without missing values.
pub(crate) fn check_row<F: Scalar>(row: &ArrayRef1<F>, at_fit: usize) -> Result<Cow<'_, [F]>> {
    check_width(row.len(), at_fit)?;
    let row = match row.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(row.to_vec()),
    };
    check_finite(&row, at_fit)?;
    Ok(row)
}

/// Rows with their weights, and those of a weight above 0.
pub(crate) struct Weighted<'a, F: Clone> {
    pub(crate) all: Cow<'a, [F]>,
    all_weights: Option<Vec<f64>>,
    /// Where some weights are 0, the rows of the others and their weights.
    kept: Option<(Vec<F>, Vec<f64>)>,
}

impl<'a, F: Scalar> Weighted<'a, F> {
    /// Checks rows of `d` columns and their weights.
    pub(crate) fn new(
        all: Cow<'a, [F]>,
        d: usize,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Self> {
        let mut all_weights = weights
            .map(|weights| check_weights(weights, all.len() / d))
            .transpose()?;
        check_finite(&all, d)?;
        if let Some(weights) = &mut all_weights {
            even_out(weights);
        }
        let some_zero = all_weights
            .as_ref()
            .filter(|weights| weights.contains(&0.0));
        let kept = some_zero.map(|weights| {
            let rows = all.chunks_exact(d).zip(weights).filter(|(_, w)| **w > 0.0);
            let rows = rows.flat_map(|(row, _)| row.iter().copied()).collect();
            (rows, weights.iter().copied().filter(|w| *w > 0.0).collect())
        });
        Ok(Self {
            all,
            all_weights,
            kept,
        })
    }

    /// Weight of any row.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.all_weights
            .as_ref()
            .map_or(1.0, |weights| weights[row])
    }

    /// The rows of a weight above 0, one after the other.
    pub(crate) fn rows(&self) -> &[F] {
        self.kept.as_ref().map_or(&self.all, |(rows, _)| rows)
    }

    /// The weights of these rows.
    pub(crate) fn weights(&self) -> Option<&[f64]> {
        let kept = self.kept.as_ref().map(|(_, weights)| weights);
        kept.or(self.all_weights.as_ref()).map(Vec::as_slice)
    }
}

/// Rounds weights to a power of two that is some 2^-52 of their total: then sums of them have the same bits in any order.
fn even_out(weights: &mut [f64]) {
    let total: f64 = weights.iter().sum();
    let step = 2f64.powi((total.log2().ceil() as i32 - 52).max(-1000));
    for weight in weights {
        *weight = (*weight / step).round() * step;
    }
}
