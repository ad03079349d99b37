//! What attributions of many rows say about a feature: how much it matters, which way, and how that depends on its value.

use ndarray::ArrayRef2;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::stats::{self, correlation};

/// How much one feature moves the score, over many rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureImportance {
    /// Column, counted from 0.
    pub feature: usize,
    /// Weighted mean of |attribution|, in units of the score.
    pub mean_abs: f64,
    /// Standard error of `mean_abs` for rows drawn at random (NaN for fewer than two rows).
    pub std_error: f64,
    /// Weighted correlation of value and attribution over the rows whose value is not missing: 1 when a higher value
    /// always means more. `None` when either is constant. Without meaning for level codes.
    pub direction: Option<f64>,
}

/// Importance of every feature, strongest first (ties by column).
///
/// `mean_abs = sum(w |phi|) / sum(w)`, with the linearised standard error
/// `sqrt(n / (n - 1) * sum(w^2 (|phi| - mean)^2)) / sum(w)`, `n` being the rows of positive weight.
///
/// # Shapes
/// `shap`, `x`: rows by features; `weights`: one for each row, or `None` for equal ones.
///
/// # Errors
/// When shapes differ, there are no rows, or a weight is negative, not finite, or all are zero.
pub fn importance(
    shap: &ArrayRef2<f64>,
    x: &ArrayRef2<f32>,
    weights: Option<&[f64]>,
) -> Result<Vec<FeatureImportance>> {
    if shap.dim() != x.dim() {
        let (rows, columns) = x.dim();
        return Err(Error::shape(
            "shap",
            format!("{rows} rows by {columns} columns (as x)"),
            format!("{} by {}", shap.nrows(), shap.ncols()),
        ));
    }
    let weights = checked_weights(weights, x.nrows())?;
    let mut all: Vec<FeatureImportance> = (0..x.ncols())
        .map(|feature| {
            let phi = shap.column(feature);
            let (mean_abs, std_error) = mean_and_error(phi.iter().map(|p| p.abs()), &weights);
            let pairs = x.column(feature).into_iter().zip(phi).zip(&weights);
            FeatureImportance {
                feature,
                mean_abs,
                std_error,
                direction: correlation(pairs.map(|((x, p), w)| (f64::from(*x), *p, *w))),
            }
        })
        .collect();
    all.sort_by(|a, b| b.mean_abs.total_cmp(&a.mean_abs)); // stable: ties stay in column order
    Ok(all)
}

/// How the attribution of one feature depends on its value: what a report plots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependence {
    /// Bins in ascending order of the value.
    pub bins: Vec<DependenceBin>,
    /// The rows whose value is missing, if there are any.
    pub missing: Option<DependenceBin>,
}

/// Rows with like values of a feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DependenceBin {
    /// Lowest value (NaN in the bin of missing values).
    pub from: f64,
    /// Highest value.
    pub to: f64,
    /// Rows.
    pub n: usize,
    /// Weighted mean value.
    pub mean_value: f64,
    /// Weighted mean attribution.
    pub mean_shap: f64,
    /// Standard error of `mean_shap` (NaN for fewer than two rows).
    pub std_error: f64,
}

/// Attribution of one feature against its value, in at most `n_bins` bins of about as many rows each.
///
/// Equal values share a bin; where there are no more than `n_bins` distinct values (flags, level codes, small counts),
/// each has its own.
///
/// # Errors
/// When lengths differ, there are no rows, `n_bins` is 0, or weights are unusable.
pub fn dependence(
    values: &[f32],
    shap: &[f64],
    weights: Option<&[f64]>,
    n_bins: usize,
) -> Result<Dependence> {
    if values.len() != shap.len() {
        return Err(Error::shape(
            "shap",
            format!("{} numbers (as values)", values.len()),
            shap.len().to_string(),
        ));
    }
    if n_bins == 0 {
        return Err(Error::param("n_bins", "must be at least 1, found 0"));
    }
    let weights = checked_weights(weights, values.len())?;
    let (mut order, missing): (Vec<usize>, Vec<usize>) =
        (0..values.len()).partition(|&i| !values[i].is_nan());
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let runs: Vec<&[usize]> = order.chunk_by(|&a, &b| values[a] == values[b]).collect();
    let bin = |rows: &[usize]| {
        let of: Vec<f64> = rows.iter().map(|&i| weights[i]).collect();
        let value = |i: &usize| f64::from(values[*i]);
        let (mean_shap, std_error) = mean_and_error(rows.iter().map(|&i| shap[i]), &of);
        DependenceBin {
            from: rows.first().map_or(f64::NAN, value),
            to: rows.last().map_or(f64::NAN, value),
            n: rows.len(),
            mean_value: mean_and_error(rows.iter().map(value), &of).0,
            mean_shap,
            std_error,
        }
    };
    let mut bins = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for (i, run) in runs.iter().enumerate() {
        end += run.len();
        // Close the bin when it holds its part of the rows that were left when it began.
        let part = (order.len() - start).div_ceil((n_bins - bins.len()).max(1));
        if runs.len() <= n_bins || end - start >= part || i + 1 == runs.len() {
            bins.push(bin(&order[start..end]));
            start = end;
        }
    }
    Ok(Dependence {
        bins,
        missing: (!missing.is_empty()).then(|| bin(&missing)),
    })
}

fn checked_weights(weights: Option<&[f64]>, n: usize) -> Result<Vec<f64>> {
    if n == 0 {
        return Err(Error::data("x", "has no rows"));
    }
    stats::checked_weights(weights, n)
}

fn mean_and_error(values: impl Iterator<Item = f64> + Clone, weights: &[f64]) -> (f64, f64) {
    let total: f64 = weights.iter().sum();
    let mean = values.clone().zip(weights).map(|(v, w)| v * w).sum::<f64>() / total;
    let n = weights.iter().filter(|w| **w > 0.0).count() as f64;
    let squares: f64 = values
        .zip(weights)
        .map(|(v, w)| (w * (v - mean)).powi(2))
        .sum();
    (mean, (n / (n - 1.0) * squares).sqrt() / total)
}
