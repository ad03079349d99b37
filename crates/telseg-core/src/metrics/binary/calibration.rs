//! Reliability of predicted probabilities, bin by bin.

use serde::{Deserialize, Serialize};

use super::probability::check_probabilities;
use crate::metrics::check;
use crate::{Error, Result};

/// How probabilities are divided into bins; each bin is open below and closed above, the first also holds its lower edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bins {
    /// So many bins of equal width on [0, 1].
    Uniform(usize),
    /// So many bins of equal weight: edge `i` of `n` is the smallest probability that at least `i/n` of the weight does
    /// not exceed. Equal probabilities stay together, so heavy ties give fewer bins.
    Quantile(usize),
}

/// One bin of a reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Probabilities in the bin are above this (or equal, in the first bin).
    pub low: f64,
    /// Probabilities in the bin are at most this.
    pub high: f64,
    /// The mean predicted probability.
    pub mean_predicted: f64,
    /// The share of rows that turned out positive.
    pub observed_rate: f64,
    /// The weight of the rows; their number without weights.
    pub weight: f64,
}

/// A reliability diagram and its summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Calibration {
    /// The bins that hold any weight, in ascending order.
    pub bins: Vec<CalibrationBin>,
    /// Expected calibration error: the mean over rows of `|mean_predicted − observed_rate|` of their bin.
    pub ece: f64,
}

/// Reliability of predicted probabilities: what was predicted against what came, by bin.
///
/// `ECE = Σ_b (W_b / W) |p̄_b − ȳ_b|`; all means are weighted.
///
/// # Shapes
/// `y`, `p` and `weights`: one element a row.
/// # Errors
/// As [`log_loss`](super::log_loss); the number of bins must be at least 1.
/// # Cost
/// O(n log n) for quantile bins, O(n log b) for `b` uniform ones.
/// # References
/// A. Niculescu-Mizil, R. Caruana (2005), "Predicting good probabilities with supervised learning"; M. P. Naeini,
/// G. F. Cooper, M. Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning" (ECE).
///
/// scikit-learn's `calibration_curve` bins alike, but interpolates between rows for quantile edges; the bins are the
/// same where the number of rows is a multiple of the number of bins.
/// # Examples
/// ```
/// use telseg_core::metrics::binary::{Bins, calibration};
/// let churned = [false, true, true, true];
/// let report = calibration(&churned, &[0.2, 0.2, 0.8, 0.8], None, Bins::Uniform(2))?;
/// assert_eq!((report.bins[0].mean_predicted, report.bins[0].observed_rate), (0.2, 0.5));
/// assert!((report.ece - 0.25).abs() < 1e-15); // (0.3 + 0.2) / 2
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn calibration(
    y: &[bool],
    p: &[f64],
    weights: Option<&[f64]>,
    bins: Bins,
) -> Result<Calibration> {
    let (Bins::Uniform(n_bins) | Bins::Quantile(n_bins)) = bins;
    if n_bins == 0 {
        return Err(Error::param("bins", "must be at least 1, is 0"));
    }
    check_probabilities(y, p, weights)?;
    let edges = match bins {
        Bins::Uniform(n) => (0..=n).map(|i| i as f64 / n as f64).collect(),
        Bins::Quantile(n) => quantile_edges(p, weights, n),
    };

    #[derive(Clone, Copy, Default)]
    struct Sums {
        weight: f64,
        predicted: f64,
        positive: f64,
    }
    let inner = &edges[1..edges.len() - 1];
    let mut sums = vec![Sums::default(); edges.len() - 1];
    for (i, (&y, &p)) in y.iter().zip(p).enumerate() {
        let bin = &mut sums[inner.partition_point(|&edge| edge < p)];
        let w = check::weight(weights, i);
        bin.weight += w;
        bin.predicted += w * p;
        bin.positive += if y { w } else { 0.0 };
    }
    let bins: Vec<CalibrationBin> = sums
        .iter()
        .zip(edges.windows(2))
        .filter(|(sum, _)| sum.weight > 0.0)
        .map(|(sum, edge)| CalibrationBin {
            low: edge[0],
            high: edge[1],
            mean_predicted: sum.predicted / sum.weight,
            observed_rate: sum.positive / sum.weight,
            weight: sum.weight,
        })
        .collect();
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    let gap = |bin: &CalibrationBin| bin.weight * (bin.mean_predicted - bin.observed_rate).abs();
    let ece = bins.iter().map(gap).sum::<f64>() / total;
    Ok(Calibration { bins, ece })
}

/// The `n + 1` edges of `n` bins of equal weight; ties repeat edges, and the bins between those stay empty.
fn quantile_edges(p: &[f64], weights: Option<&[f64]>, n: usize) -> Vec<f64> {
    let mut rows: Vec<(f64, f64)> = p
        .iter()
        .enumerate()
        .map(|(i, &p)| (p, check::weight(weights, i)))
        .filter(|row| row.1 > 0.0)
        .collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = rows.iter().map(|row| row.1).sum();
    let (mut edges, mut below, mut i) = (vec![rows[0].0], 0.0, 0);
    for edge in 1..n {
        // A hair of slack: n equal weights must not spill over for want of the last bit.
        let wanted = total * (edge as f64 / n as f64) * (1.0 - 1e-12);
        while i + 1 < rows.len() && below + rows[i].1 < wanted {
            below += rows[i].1;
            i += 1;
        }
        edges.push(rows[i].0);
    }
    edges.push(rows[rows.len() - 1].0);
    edges
}
