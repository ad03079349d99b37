//! Means, medians and standardised differences of a numeric column.

use super::{Fact, Groups, Measured};
use crate::stats::{Z95, two_sided_p};

/// Weighted moments of one group.
#[derive(Clone, Copy, Default)]
struct Moments {
    n: usize,
    weight: f64,
    squared_weight: f64,
    mean: f64,
    /// Weighted sum of squared distances from the mean.
    spread: f64,
}

impl Moments {
    /// Kish's effective number of rows.
    fn effective(&self) -> f64 {
        self.weight * self.weight / self.squared_weight
    }

    fn variance(&self) -> f64 {
        let n = self.effective();
        if n > 1.0 {
            self.spread / self.weight * n / (n - 1.0)
        } else {
            0.0
        }
    }

    /// The union of groups (Chan, Golub, LeVeque 1983).
    fn join(groups: impl Iterator<Item = Moments> + Clone) -> Self {
        let mut all = groups.clone().fold(Self::default(), |mut all, g| {
            all.n += g.n;
            all.weight += g.weight;
            all.squared_weight += g.squared_weight;
            all.mean += g.weight * g.mean;
            all
        });
        if all.weight > 0.0 {
            all.mean /= all.weight;
        }
        all.spread = groups
            .map(|g| g.spread + g.weight * (g.mean - all.mean).powi(2))
            .sum();
        all
    }
}

/// One statement for each segment that has a value.
pub(super) fn measure(values: &[f64], groups: &Groups<'_>) -> Vec<Measured> {
    let moments = by_group(values, groups);
    let base = Moments::join(moments.iter().copied());
    let mut order: Vec<usize> = (0..values.len())
        .filter(|&i| !values[i].is_nan() && groups.weights[i] > 0.0)
        .collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    (0..groups.n_segments)
        .filter(|&s| moments[s].weight > 0.0)
        .map(|segment| {
            let own = moments[segment];
            let others = moments.iter().enumerate().filter(|(g, _)| *g != segment);
            let rest = Moments::join(others.map(|(_, m)| *m));
            let median = |inside: bool, all: f64| {
                let rows = order.iter().copied();
                let chosen = rows.filter(|&i| (groups.of[i] == segment) == inside);
                weighted_median(chosen, values, groups.weights, all)
            };
            let median_own = median(true, own.weight);
            let (effect, p) = compare(&own, &rest, &base);
            let half = Z95 * (own.variance() / own.effective()).sqrt();
            let alone = rest.weight == 0.0;
            Measured {
                segment,
                level: None,
                n: own.n,
                effect,
                p,
                fact: Fact::Mean {
                    mean: own.mean,
                    interval: [own.mean - half, own.mean + half],
                    median: median_own,
                    rest_mean: if alone { own.mean } else { rest.mean },
                    rest_median: if alone {
                        median_own
                    } else {
                        median(false, rest.weight)
                    },
                    base_mean: base.mean,
                    base_sd: base.variance().sqrt(),
                },
            }
        })
        .collect()
}

/// The standardised difference and Welch's test (by the normal distribution).
fn compare(own: &Moments, rest: &Moments, base: &Moments) -> (f64, f64) {
    if rest.weight == 0.0 {
        return (0.0, 1.0);
    }
    let difference = own.mean - rest.mean;
    // Differences that rounding alone makes are none.
    if difference.abs() <= 1e-12 * (own.mean.abs() + rest.mean.abs()) {
        return (0.0, 1.0);
    }
    let pooled = (0.5 * (own.variance() + rest.variance())).sqrt();
    let sd = if pooled > 0.0 {
        pooled
    } else {
        base.variance().sqrt()
    };
    let error = (own.variance() / own.effective() + rest.variance() / rest.effective()).sqrt();
    let effect = if sd > 0.0 { difference / sd } else { 0.0 };
    (effect, two_sided_p(difference / error))
}

fn by_group(values: &[f64], groups: &Groups<'_>) -> Vec<Moments> {
    let mut moments = vec![Moments::default(); groups.n_segments + 1];
    let known = || {
        let cells = values.iter().zip(&groups.of).zip(groups.weights);
        cells.filter(|((v, _), w)| !v.is_nan() && **w > 0.0)
    };
    for ((v, &g), &w) in known() {
        let m = &mut moments[g];
        m.n += 1;
        m.weight += w;
        m.squared_weight += w * w;
        m.mean += w * v;
    }
    for m in moments.iter_mut().filter(|m| m.weight > 0.0) {
        m.mean /= m.weight;
    }
    for ((v, &g), &w) in known() {
        moments[g].spread += w * (v - moments[g].mean).powi(2);
    }
    moments
}

/// The least value with half the weight at or below it; the middle of two where it is exactly half.
fn weighted_median(
    ascending: impl Iterator<Item = usize>,
    values: &[f64],
    weights: &[f64],
    total: f64,
) -> f64 {
    let mut below = 0.0;
    let mut low = None;
    let mut last = f64::NAN;
    for i in ascending {
        if let Some(low) = low {
            return 0.5 * (low + values[i]);
        }
        below += weights[i];
        last = values[i];
        if below == 0.5 * total {
            low = Some(last);
        } else if below > 0.5 * total {
            return last;
        }
    }
    last
}
