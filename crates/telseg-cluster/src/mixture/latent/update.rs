//! The M step: parameters from statistics.

use ndarray::{Array1, Array2};

use super::column::{LEAST, LatentColumn};
use super::stats::{LatentColumnStats, LatentStats};

/// A class that holds less than this share of the weight has lost its rows.
const LEAST_SHARE: f64 = 1e-12;
/// No variance is less than this share of the column's own.
const LEAST_VARIANCE: f64 = 1e-6;
/// Steps of the inner iteration for zero-inflated counts, at most.
const INNER: usize = 200;

/// The shares and columns that fit the statistics best with `smoothing` pseudo-rows a class, and the classes that have
/// collapsed: without rows (their columns stay as they are), or with a variance at its floor.
pub(super) fn maximise(
    stats: &LatentStats,
    previous: &[LatentColumn],
    smoothing: f64,
) -> (Array1<f64>, Vec<LatentColumn>, Vec<u32>) {
    let k = stats.sizes.len();
    let alive: Vec<bool> = stats
        .sizes
        .iter()
        .map(|&r| r + smoothing > LEAST_SHARE * stats.weight)
        .collect();
    let mut collapsed: Vec<bool> = alive.iter().map(|alive| !alive).collect();
    let sizes = Array1::from_shape_fn(k, |c| {
        if alive[c] {
            stats.sizes[c] + smoothing
        } else {
            0.0
        }
    });
    let mut columns = previous.to_vec();
    for (column, sums) in columns.iter_mut().zip(&stats.columns) {
        for c in (0..k).filter(|&c| alive[c]) {
            collapsed[c] |= update(column, sums, c, smoothing);
        }
    }
    let collapsed = (0..k as u32).filter(|&c| collapsed[c as usize]).collect();
    let total = sizes.sum();
    (sizes / total, columns, collapsed)
}

/// The logarithm of the prior that `smoothing` stands for, up to a constant.
pub(super) fn log_prior(
    stats: &LatentStats,
    weights: &Array1<f64>,
    columns: &[LatentColumn],
    smoothing: f64,
) -> f64 {
    if smoothing == 0.0 {
        return 0.0;
    }
    let shares: f64 = weights.iter().map(|w| w.ln()).sum();
    let columns = columns.iter().zip(&stats.columns).map(|(column, sums)| {
        let each = |f: &dyn Fn(usize) -> f64| -> f64 { (0..weights.len()).map(f).sum() };
        match (column, sums) {
            (LatentColumn::Normal { variances, .. }, _) => {
                let overall = overall_variance(sums);
                each(&|c| -0.5 * (variances[c].ln() + overall / variances[c]))
            }
            (LatentColumn::Categorical { probabilities }, _) => {
                probabilities.iter().map(|p| p.ln()).sum::<f64>() / probabilities.ncols() as f64
            }
            (LatentColumn::Poisson { rates }, _) => {
                let mean = overall_mean(sums, false);
                each(&|c| mean * rates[c].ln() - rates[c])
            }
            (LatentColumn::ZeroInflatedPoisson { rates, zeros }, _) => {
                let mean = overall_mean(sums, true);
                each(&|c| {
                    let share = 0.5 * (zeros[c].ln() + (-zeros[c]).ln_1p());
                    share + mean * rates[c].ln() - rates[c]
                })
            }
        }
    });
    smoothing * (shares + columns.sum::<f64>())
}

/// Fits one column of one class; says whether a variance had to be lifted to its floor.
fn update(column: &mut LatentColumn, sums: &LatentColumnStats, c: usize, smoothing: f64) -> bool {
    match (column, sums) {
        (
            LatentColumn::Normal { means, variances },
            LatentColumnStats::Normal {
                about,
                sizes,
                first,
                second,
            },
        ) => {
            let overall = overall_variance(sums);
            let size = sizes[c];
            if size > 0.0 {
                let delta = first[c] / size;
                means[c] = about[c] + delta;
                let own = (second[c] - size * delta * delta).max(0.0);
                variances[c] = (own + smoothing * overall) / (size + smoothing);
            } else if smoothing > 0.0 {
                variances[c] = overall;
            }
            let found = variances[c];
            variances[c] = found.max(LEAST_VARIANCE * overall);
            variances[c] > found
        }
        (LatentColumn::Categorical { probabilities }, LatentColumnStats::Levels { sizes }) => {
            let mut levels = probabilities.row_mut(c);
            let size = sizes.row(c).sum() + smoothing;
            if size > 0.0 {
                let each = smoothing / levels.len() as f64;
                for (p, &r) in levels.iter_mut().zip(sizes.row(c)) {
                    *p = ((r + each) / size).max(LEAST);
                }
            }
            false
        }
        (LatentColumn::Poisson { rates }, LatentColumnStats::Counts { sizes, first, .. }) => {
            if sizes[c] + smoothing > 0.0 {
                let mean = overall_mean(sums, false);
                rates[c] = ((first[c] + smoothing * mean) / (sizes[c] + smoothing)).max(LEAST);
            }
            false
        }
        (
            LatentColumn::ZeroInflatedPoisson { rates, zeros },
            LatentColumnStats::Counts {
                sizes,
                zeros: none,
                first,
            },
        ) => {
            if sizes[c] + smoothing > 0.0 {
                let pseudo = (smoothing, overall_mean(sums, true));
                let own = (sizes[c], none[c], first[c]);
                (rates[c], zeros[c]) = inflated((rates[c], zeros[c]), own, pseudo);
            }
            false
        }
        _ => false,
    }
}

/// Rate and share of structural zeros (Lambert 1992, by EM): `sizes` rows, `none` of them 0, `first` the sum of counts.
fn inflated(
    (mut rate, mut zero): (f64, f64),
    (size, none, first): (f64, f64, f64),
    (smoothing, mean): (f64, f64),
) -> (f64, f64) {
    for _ in 0..INNER {
        let structural = zero / (zero + (1.0 - zero) * (-rate).exp());
        let structural = if structural.is_nan() { 0.0 } else { structural } * none;
        let next = (first + smoothing * mean) / (size - structural + smoothing);
        let next = if next.is_finite() {
            next.max(LEAST)
        } else {
            rate
        };
        let share = (structural + smoothing / 2.0) / (size + smoothing);
        let share = share.clamp(0.0, 1.0 - LEAST);
        let moved = (next - rate).abs() / next + (share - zero).abs();
        (rate, zero) = (next, share);
        if moved < 1e-14 {
            break;
        }
    }
    (rate, zero)
}

/// Variance of a column over all rows, from the sums of its classes; 1 where it has none.
fn overall_variance(sums: &LatentColumnStats) -> f64 {
    let LatentColumnStats::Normal {
        about,
        sizes,
        first,
        second,
    } = sums
    else {
        return 1.0;
    };
    let size = sizes.sum();
    let classes = || (0..sizes.len()).filter(|&c| sizes[c] > 0.0);
    let mean: f64 = classes()
        .map(|c| sizes[c] * about[c] + first[c])
        .sum::<f64>()
        / size;
    let spread: f64 = classes()
        .map(|c| {
            let delta = about[c] - mean;
            second[c] + 2.0 * delta * first[c] + delta * delta * sizes[c]
        })
        .sum();
    let variance = spread / size;
    // What rounding leaves of a constant column is no variance.
    let noise = 1e-24 * mean * mean;
    if variance > noise { variance } else { 1.0 }
}

/// Mean of a column of counts over all rows, or over those above 0; 1 where there are none.
fn overall_mean(sums: &LatentColumnStats, positive: bool) -> f64 {
    let LatentColumnStats::Counts {
        sizes,
        zeros,
        first,
    } = sums
    else {
        return 1.0;
    };
    let size = sizes.sum() - if positive { zeros.sum() } else { 0.0 };
    let mean = first.sum() / size;
    if mean > 0.0 && mean.is_finite() {
        mean
    } else {
        1.0
    }
}

/// Columns of the right kind that a first M step can start from.
pub(super) fn blank(families: &[super::params::Family], k: usize) -> Vec<LatentColumn> {
    use super::params::Family;
    let of = |value: f64| Array1::from_elem(k, value);
    let column = |family: &Family| match *family {
        Family::Normal => LatentColumn::Normal {
            means: of(0.0),
            variances: of(1.0),
        },
        Family::Categorical { n_levels } => LatentColumn::Categorical {
            probabilities: Array2::from_elem((k, n_levels as usize), 1.0 / f64::from(n_levels)),
        },
        Family::Poisson => LatentColumn::Poisson { rates: of(1.0) },
        Family::ZeroInflatedPoisson => LatentColumn::ZeroInflatedPoisson {
            rates: of(1.0),
            zeros: of(0.5),
        },
    };
    families.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_inflation_finds_the_maximum() {
        // 100 rows, 60 zeros, counts summing to 100: the positive mean is 2.5 = rate / (1 - e^-rate), so rate 2.2316
        // (bisection), and 40 = 100 (1 - zero) (1 - e^-rate).
        let (rate, zero) = inflated((1.0, 0.5), (100.0, 60.0, 100.0), (0.0, 1.0));
        assert!((rate / (1.0 - (-rate).exp()) - 2.5).abs() < 1e-9, "{rate}");
        assert!(((1.0 - zero) * (1.0 - (-rate).exp()) - 0.4).abs() < 1e-9);
        assert!((rate - 2.2316).abs() < 1e-4);
    }
}
