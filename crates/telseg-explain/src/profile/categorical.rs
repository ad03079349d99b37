//! Shares of levels and of missing values, with lift.

use super::{Fact, Groups, Measured};
use crate::stats::{two_sided_p, wilson};

/// Weight, squared weight and rows of what is counted.
#[derive(Clone, Copy, Default)]
struct Count {
    n: usize,
    weight: f64,
    squared: f64,
}

impl Count {
    fn add(&mut self, w: f64) {
        self.n += usize::from(w > 0.0);
        self.weight += w;
        self.squared += w * w;
    }

    fn effective(&self) -> f64 {
        if self.squared > 0.0 {
            self.weight * self.weight / self.squared
        } else {
            0.0
        }
    }
}

/// Statements about the levels of a column: for each segment, one for each level that occurs in the base.
///
/// `level_of(row)` is `None` where the value is missing. Only the `max_levels` heaviest levels are stated.
pub(super) fn measure(
    groups: &Groups<'_>,
    levels: &[String],
    max_levels: usize,
    level_of: impl Fn(usize) -> Option<usize>,
) -> Vec<Measured> {
    let k = groups.n_segments + 1;
    let mut totals = vec![Count::default(); k];
    let mut hits = vec![0.0; levels.len() * k];
    for (row, (&group, &w)) in groups.of.iter().zip(groups.weights).enumerate() {
        if let Some(level) = level_of(row) {
            totals[group].add(w);
            hits[level * k + group] += w;
        }
    }
    let base_of = |level: usize| hits[level * k..][..k].iter().sum::<f64>();
    let mut shown: Vec<usize> = (0..levels.len()).filter(|&l| base_of(l) > 0.0).collect();
    shown.sort_by(|&a, &b| base_of(b).total_cmp(&base_of(a)));
    shown.truncate(max_levels);
    shown.sort_unstable();
    let mut found = Vec::new();
    for level in shown {
        let hits = &hits[level * k..][..k];
        found.extend(shares(&totals, hits, groups.n_segments, |s| {
            let fact = Fact::Share {
                level: levels[level].clone(),
                share: s.share,
                interval: s.interval,
                rest_share: s.rest,
                base_share: s.base,
                lift: s.share / s.base,
            };
            (Some(level), fact)
        }));
    }
    found
}

/// Statements about how many values are missing; none when none are, or all.
pub(super) fn missing(groups: &Groups<'_>, is_missing: impl Fn(usize) -> bool) -> Vec<Measured> {
    let k = groups.n_segments + 1;
    let mut totals = vec![Count::default(); k];
    let mut hits = vec![0.0; k];
    for (row, (&group, &w)) in groups.of.iter().zip(groups.weights).enumerate() {
        totals[group].add(w);
        if is_missing(row) {
            hits[group] += w;
        }
    }
    if hits.iter().all(|h| *h == 0.0) {
        return Vec::new();
    }
    shares(&totals, &hits, groups.n_segments, |s| {
        let fact = Fact::Missing {
            share: s.share,
            interval: s.interval,
            rest_share: s.rest,
            base_share: s.base,
            lift: s.share / s.base,
        };
        (None, fact)
    })
}

struct Share {
    share: f64,
    interval: [f64; 2],
    rest: f64,
    base: f64,
}

fn shares(
    totals: &[Count],
    hits: &[f64],
    n_segments: usize,
    fact: impl Fn(Share) -> (Option<usize>, Fact),
) -> Vec<Measured> {
    let base_weight: f64 = totals.iter().map(|t| t.weight).sum();
    let base = hits.iter().sum::<f64>() / base_weight;
    (0..n_segments)
        .filter(|&s| totals[s].weight > 0.0)
        .map(|segment| {
            let own = totals[segment];
            let share = (hits[segment] / own.weight).clamp(0.0, 1.0);
            let mut others = Count::default();
            let mut rest_hits = 0.0;
            for (g, t) in totals.iter().enumerate().filter(|(g, _)| *g != segment) {
                others.weight += t.weight;
                others.squared += t.squared;
                rest_hits += hits[g];
            }
            let (rest, effect, p) = if others.weight > 0.0 {
                let rest = (rest_hits / others.weight).clamp(0.0, 1.0);
                let error =
                    base * (1.0 - base) * (1.0 / own.effective() + 1.0 / others.effective());
                let p = if error > 0.0 {
                    two_sided_p((share - rest) / error.sqrt())
                } else {
                    1.0
                };
                (rest, cohen_h(share, rest), p)
            } else {
                (share, 0.0, 1.0)
            };
            let (level, fact) = fact(Share {
                share,
                interval: wilson(share, own.effective()),
                rest,
                base,
            });
            Measured {
                segment,
                level,
                n: own.n,
                effect,
                p,
                fact,
            }
        })
        .collect()
}

/// Cohen's h, the difference of shares on the scale where their spread does not depend on them.
fn cohen_h(a: f64, b: f64) -> f64 {
    2.0 * (a.sqrt().asin() - b.sqrt().asin())
}
