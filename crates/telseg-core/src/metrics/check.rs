//! What every metric checks before it counts, and the weighted mean that most of them are.

use crate::{Error, Result};

/// Refuses an argument that does not have one element for each row of `of`.
pub(crate) fn same_len(what: &'static str, found: usize, of: &str, n: usize) -> Result<()> {
    if found == n {
        return Ok(());
    }
    Err(Error::shape(
        what,
        format!("{n} elements (as {of} has)"),
        found.to_string(),
    ))
}

/// Refuses an empty argument.
pub(crate) fn not_empty(what: &'static str, n: usize) -> Result<()> {
    if n > 0 {
        return Ok(());
    }
    Err(Error::shape(what, "at least one element", "none"))
}

/// Refuses the first value that is not `ok`.
pub(crate) fn all(
    what: &'static str,
    values: &[f64],
    expected: &str,
    ok: impl Fn(f64) -> bool,
) -> Result<()> {
    match values.iter().position(|&v| !ok(v)) {
        None => Ok(()),
        Some(row) => Err(Error::data(
            what,
            format!("row {row} is {}, expected {expected}", values[row]),
        )),
    }
}

/// Refuses NaN and infinities.
pub(crate) fn finite(what: &'static str, values: &[f64]) -> Result<()> {
    all(what, values, "a finite number", f64::is_finite)
}

/// Refuses weights of the wrong length, below zero, not finite or all zero.
pub(crate) fn weights(weights: Option<&[f64]>, of: &str, n: usize) -> Result<()> {
    weights_or_none(weights, of, n)?;
    if weights.is_some_and(|weights| weights.iter().all(|&w| w == 0.0)) {
        return Err(Error::data("weights", "all are zero"));
    }
    Ok(())
}

/// Refuses weights of the wrong length, below zero or not finite; all may be zero, as in a part of the data.
pub(crate) fn weights_or_none(weights: Option<&[f64]>, of: &str, n: usize) -> Result<()> {
    let Some(weights) = weights else {
        return Ok(());
    };
    same_len("weights", weights.len(), of, n)?;
    // One comparison a value catches NaN, infinities and negatives: this runs in every bootstrap resample.
    all(
        "weights",
        weights,
        "a finite number that is not negative",
        |w| (0.0..=f64::MAX).contains(&w),
    )
}

/// The weight of a row: 1 where none are given.
#[inline(always)]
pub(crate) fn weight(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |w| w[row])
}

/// `Σ w f / Σ w` over `n` rows; weights are checked already.
pub(crate) fn mean(n: usize, weights: Option<&[f64]>, f: impl Fn(usize) -> f64) -> f64 {
    match weights {
        None => (0..n).map(f).sum::<f64>() / n as f64,
        Some(w) => {
            // A row of weight zero does not count, even where its loss is infinite.
            let (sum, total) = (0..n)
                .filter(|&i| w[i] > 0.0)
                .fold((0.0, 0.0), |(s, t), i| (s + w[i] * f(i), t + w[i]));
            sum / total
        }
    }
}
