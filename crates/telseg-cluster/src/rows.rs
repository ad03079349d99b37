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
