//! The M step: parameters from statistics.

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayViewMut2, Axis};
use telseg_core::Scalar;

use super::cholesky;
use super::covariance::{Covariance, Covariances};
use super::density::Parameters;
use super::stats::GaussianStats;

/// A component that holds less than this share of the weight has lost its rows.
const LEAST_SHARE: f64 = 1e-12;

/// The parameters that fit the statistics best, and the components that have collapsed.
///
/// A component without rows gets weight 0 and keeps its mean and covariance. A covariance that is not positive definite
/// gets as much on its diagonal as it takes.
pub(super) fn maximise<F: Scalar>(
    stats: &GaussianStats,
    previous: &Parameters,
    shift: &[F],
    reg_covar: f64,
) -> (Parameters, Vec<u32>) {
    let (k, d) = stats.centers.dim();
    let alive: Vec<bool> = stats
        .sizes
        .iter()
        .map(|&r| r > LEAST_SHARE * stats.weight)
        .collect();
    let total: f64 = (0..k).filter(|&j| alive[j]).map(|j| stats.sizes[j]).sum();
    let mut parameters = previous.clone();
    let mut centers = stats.centers.clone(); // the new means, relative to the shift
    for (j, &alive) in alive.iter().enumerate() {
        parameters.weights[j] = if alive { stats.sizes[j] / total } else { 0.0 };
        if alive {
            let mut center = centers.row_mut(j);
            center.scaled_add(1.0 / stats.sizes[j], &stats.first.row(j));
            let cells = center.iter().zip(shift);
            for (mean, (c, s)) in parameters.means.row_mut(j).iter_mut().zip(cells) {
                *mean = c + s.into_f64();
            }
        }
    }
    let mut collapsed: Vec<bool> = alive.iter().map(|alive| !alive).collect();
    match &mut parameters.covariances {
        Covariances::Full(all) => {
            for j in (0..k).filter(|&j| alive[j]) {
                let matrix = all.index_axis_mut(Axis(0), j);
                collapsed[j] = full(stats, j, matrix, reg_covar);
            }
        }
        Covariances::Tied(one) => {
            tied(stats, &centers, total, one);
            settle(one.view_mut(), reg_covar);
        }
        Covariances::Diagonal(all) => {
            for j in (0..k).filter(|&j| alive[j]) {
                let own = variances(stats, j);
                collapsed[j] = point(own.view(), reg_covar);
                all.row_mut(j).assign(&own.mapv(|v| lifted(v, reg_covar)));
            }
        }
        Covariances::Spherical(all) => {
            for j in (0..k).filter(|&j| alive[j]) {
                let own = variances(stats, j);
                collapsed[j] = point(own.view(), reg_covar);
                all[j] = lifted(own.sum() / d as f64, reg_covar);
            }
        }
    }
    let collapsed = (0..k as u32).filter(|&j| collapsed[j as usize]).collect();
    (parameters, collapsed)
}

/// Parameters of the right shapes that a first M step can start from: equal weights, unit covariances.
pub(super) fn blank(covariance: Covariance, means: Array2<f64>) -> Parameters {
    let (k, d) = means.dim();
    let covariances = match covariance {
        Covariance::Full => Covariances::Full(Array3::from_shape_fn((k, d, d), |(_, a, b)| {
            f64::from(u8::from(a == b))
        })),
        Covariance::Tied => Covariances::Tied(Array2::eye(d)),
        Covariance::Diagonal => Covariances::Diagonal(Array2::ones((k, d))),
        Covariance::Spherical => Covariances::Spherical(Array1::ones(k)),
    };
    Parameters {
        weights: Array1::from_elem(k, 1.0 / k as f64),
        means,
        covariances,
    }
}

/// `S = sum r z z^T / R - delta delta^T`, `delta = sum r z / R`; says whether the component has shrunk to a point.
fn full(stats: &GaussianStats, j: usize, mut out: ArrayViewMut2<'_, f64>, reg_covar: f64) -> bool {
    let (d, size) = (out.nrows(), stats.sizes[j]);
    let delta = stats.first.row(j).mapv(|v| v / size);
    let mut pairs = stats.second.row(j).into_iter();
    for a in 0..d {
        for b in a..d {
            let moment = pairs.next().copied().unwrap_or(0.0) / size;
            let covariance = moment - delta[a] * delta[b];
            out[[a, b]] = covariance;
            out[[b, a]] = covariance;
        }
    }
    let shrunk = point(out.diag(), reg_covar);
    settle(out, reg_covar) || shrunk
}

/// `S = (sum x x^T - sum_j R_j m_j m_j^T) / R`, about the shift.
fn tied(stats: &GaussianStats, centers: &Array2<f64>, total: f64, out: &mut Array2<f64>) {
    let d = out.nrows();
    let mut pairs = stats.second.iter();
    for a in 0..d {
        for b in a..d {
            let between: f64 = centers
                .rows()
                .into_iter()
                .zip(&stats.sizes)
                .map(|(m, size)| size * m[a] * m[b])
                .sum();
            let within = (pairs.next().copied().unwrap_or(0.0) - between) / total;
            out[[a, b]] = within;
            out[[b, a]] = within;
        }
    }
}

fn variances(stats: &GaussianStats, j: usize) -> Array1<f64> {
    let size = stats.sizes[j];
    let moments = stats.second.row(j).into_iter().zip(stats.first.row(j));
    moments
        .map(|(second, first)| (second / size - (first / size).powi(2)).max(0.0))
        .collect()
}

/// Whether all variances together are no more than what is added to them.
fn point(variances: ArrayView1<'_, f64>, reg_covar: f64) -> bool {
    variances.iter().sum::<f64>() <= reg_covar * variances.len() as f64
}

/// A variance that can be divided by.
fn lifted(variance: f64, reg_covar: f64) -> f64 {
    let sum = variance + reg_covar;
    if sum > 0.0 { sum } else { f64::EPSILON }
}

/// Adds `reg_covar` to the diagonal, and more where the matrix is not positive definite even so: then true.
fn settle(mut matrix: ArrayViewMut2<'_, f64>, reg_covar: f64) -> bool {
    matrix
        .diag_mut()
        .iter_mut()
        .for_each(|v| *v = v.max(0.0) + reg_covar);
    if cholesky::factor(&matrix).is_some() {
        return false;
    }
    let mean = matrix.diag().sum() / matrix.nrows() as f64;
    let mut ridge = if mean > 0.0 {
        1e-10 * mean
    } else {
        f64::EPSILON
    };
    while cholesky::factor(&matrix).is_none() && ridge.is_finite() {
        matrix.diag_mut().iter_mut().for_each(|v| *v += ridge);
        ridge *= 10.0;
    }
    true
}
