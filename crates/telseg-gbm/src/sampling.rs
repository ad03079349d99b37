//! Which rows a tree is grown on, and what each of them stands for.
//!
//! # References
//! G. Ke et al. (2017), "LightGBM: A highly efficient gradient boosting decision tree" (one-side sampling);
//! B. Ibragimov, G. Gusev (2019), "Minimal variance sampling in stochastic gradient boosting", eq. 5 and algorithm 1.

use serde::{Deserialize, Serialize};
use telseg_core::par;
use telseg_core::seed::Stream;

use crate::GbmParams;
use crate::leaves::CHUNK;
use crate::objective::Slope;

/// How the rows of a tree are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sampling {
    /// [`row_share`](GbmParams::row_share) of the rows, all alike.
    Uniform,
    /// The rows with the largest gradients, and a few of the others that stand for all of them (GOSS); `row_share` is not
    /// used.
    TopGradients {
        /// Share of the rows that are kept for their gradients.
        top: f64,
        /// Share of the rows that are drawn from the others.
        rest: f64,
    },
    /// About `row_share` of the rows, each with a chance in proportion to `sqrt(g² + lambda h²)` (the largest ones are
    /// certain) and a weight of one over it: what adds least noise to the gains (MVS).
    MinimalVariance {
        /// How much hessians count beside gradients.
        lambda: f64,
    },
}

/// The rows of a round.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    /// Ascending.
    pub(crate) rows: Vec<u32>,
    /// What each of them stands for; empty where that is one row.
    factors: Vec<f32>,
}

impl Drawn {
    /// Raises the slopes of drawn rows to what the rows stand for.
    pub(crate) fn raise(&self, slopes: &mut [Slope]) {
        for (&row, &factor) in self.rows.iter().zip(&self.factors) {
            let slope = &mut slopes[row as usize];
            *slope = slope.map(|v| v * factor);
        }
    }

    /// Largest absolute gradient and hessian of the drawn rows, where they were raised.
    pub(crate) fn largest(&self, slopes: &[Slope]) -> Option<Slope> {
        let most = |[a, b]: Slope, &row: &u32| {
            let [g, h] = slopes[row as usize];
            [a.max(g.abs()), b.max(h)]
        };
        let raised = !self.factors.is_empty();
        raised.then(|| self.rows.iter().fold([0.0; 2], most))
    }
}

/// Draws the rows of a round from `all`; `None` for all of them. Slopes of several outputs lie one output after the other.
pub(crate) fn draw(
    params: &GbmParams,
    all: &[u32],
    (slopes, n_rows): (&[Slope], usize),
    stream: Stream,
) -> Option<Drawn> {
    match params.sampling {
        Sampling::Uniform => (params.row_share < 1.0).then(|| Drawn {
            rows: draw_rows(all, params.row_share, stream),
            factors: Vec::new(),
        }),
        Sampling::TopGradients { top, rest } => {
            let sizes = sizes(all, slopes, n_rows, 0.0);
            Some(top_gradients(all, &sizes, (top, rest), stream))
        }
        Sampling::MinimalVariance { lambda } => {
            let sizes = sizes(all, slopes, n_rows, lambda);
            Some(minimal_variance(all, &sizes, params.row_share, stream))
        }
    }
}

/// `sqrt(Σ g² + lambda h²)` over the outputs of each row.
fn sizes(all: &[u32], slopes: &[Slope], n_rows: usize, lambda: f64) -> Vec<f32> {
    let mut out = vec![0.0; all.len()];
    par::fill(&mut out, CHUNK, |range, out| {
        for (size, &row) in out.iter_mut().zip(&all[range]) {
            let own = slopes.iter().skip(row as usize).step_by(n_rows.max(1));
            let sum = own.fold(0.0, |sum, &[g, h]| {
                let (g, h) = (f64::from(g), f64::from(h));
                sum + g * g + lambda * h * h
            });
            *size = sum.sqrt() as f32;
        }
    });
    out
}

fn top_gradients(all: &[u32], sizes: &[f32], (top, rest): (f64, f64), stream: Stream) -> Drawn {
    let n = all.len();
    let wanted = ((n as f64 * top).round() as usize).min(n);
    let mut order: Vec<u32> = (0..n as u32).collect();
    let larger = |a: &u32, b: &u32| {
        let sizes = sizes[*b as usize].total_cmp(&sizes[*a as usize]);
        sizes.then(a.cmp(b)) // among equals the first
    };
    if wanted > 0 && wanted < n {
        order.select_nth_unstable_by(wanted - 1, larger);
    }
    let mut others: Vec<u32> = order[wanted..].iter().map(|&i| all[i as usize]).collect();
    others.sort_unstable();
    let share = (rest / (1.0 - top)).min(1.0);
    let few = if others.is_empty() {
        Vec::new()
    } else {
        draw_rows(&others, share, stream)
    };
    let factor = others.len() as f32 / few.len().max(1) as f32;
    let mut rows: Vec<(u32, f32)> = order[..wanted]
        .iter()
        .map(|&i| (all[i as usize], 1.0))
        .chain(few.into_iter().map(|row| (row, factor)))
        .collect();
    rows.sort_unstable_by_key(|&(row, _)| row);
    let (rows, factors) = rows.into_iter().unzip();
    Drawn { rows, factors }
}

fn minimal_variance(all: &[u32], sizes: &[f32], share: f64, stream: Stream) -> Drawn {
    let bound = bound(sizes, share * all.len() as f64);
    let parts = par::map(all.len(), CHUNK, |range| {
        let mut part = Vec::new();
        for (&row, &size) in all[range.clone()].iter().zip(&sizes[range]) {
            let chance = f64::from(size) / bound;
            if chance >= 1.0 {
                part.push((row, 1.0));
            } else if stream.unit(row.into()) < chance {
                part.push((row, (1.0 / chance) as f32));
            }
        }
        part
    });
    let (mut rows, mut factors): (Vec<u32>, Vec<f32>) = parts.into_iter().flatten().unzip();
    if rows.is_empty() {
        (rows, factors) = (all.iter().take(1).copied().collect(), vec![1.0]);
    }
    Drawn { rows, factors }
}

/// The size from which on a row is certain, so that `Σ min(1, size / bound)` is `wanted`.
///
/// Starts where no row is certain and takes out those that are; each step lowers the bound, and none are left after a few.
fn bound(sizes: &[f32], wanted: f64) -> f64 {
    let mut bound = f64::INFINITY;
    for _ in 0..64 {
        let parts = par::map(sizes.len(), CHUNK, |range| {
            sizes[range].iter().fold([0.0; 2], |[sum, certain], &size| {
                let size = f64::from(size);
                if size < bound {
                    [sum + size, certain]
                } else {
                    [sum, certain + 1.0]
                }
            })
        });
        let [sum, certain] = parts
            .into_iter()
            .fold([0.0; 2], |[a, b], [s, c]| [a + s, b + c]);
        if certain >= wanted || sum <= 0.0 {
            break;
        }
        let next = sum / (wanted - certain);
        if next >= bound {
            break;
        }
        bound = next;
    }
    if bound.is_finite() { bound } else { 1.0 }
}

/// The given share of `rows`, without replacement and in order: the share of each chunk, so that chunks are independent.
fn draw_rows(rows: &[u32], share: f64, stream: Stream) -> Vec<u32> {
    let quota = |end: usize| (end as f64 * share).round() as usize;
    let parts = par::map(rows.len(), CHUNK, |range| {
        let mut wanted = quota(range.end) - quota(range.start);
        let mut left = range.len();
        let mut chosen = Vec::with_capacity(wanted);
        // Selection sampling (Knuth, vol. 2, algorithm 3.4.2 S).
        for &row in &rows[range] {
            if stream.unit(row.into()) * (left as f64) < wanted as f64 {
                chosen.push(row);
                wanted -= 1;
            }
            left -= 1;
        }
        chosen
    });
    let mut chosen = parts.concat();
    if chosen.is_empty() {
        chosen.extend(rows.first());
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::Seed;

    fn slopes(n: usize) -> Vec<Slope> {
        (0..n)
            .map(|i| [((i * 37 % 101) as f32 - 50.0) / 10.0, 1.0])
            .collect()
    }

    /// The mean over many draws of what the drawn rows stand for, beside the sum over all rows.
    fn sums(sampling: Sampling, share: f64) -> [f64; 3] {
        let (n, slopes) = (3000, slopes(3000));
        let mut params = GbmParams::new(crate::Objective::SquaredError);
        (params.sampling, params.row_share) = (sampling, share);
        let all: Vec<u32> = (0..n as u32).collect();
        let (mut g, mut rows) = (0.0, 0.0);
        for i in 0..200 {
            let stream = Seed::new(1).stream("test").child(i);
            let drawn = draw(&params, &all, (&slopes, n), stream).unwrap();
            assert!(drawn.rows.is_sorted() && drawn.rows.windows(2).all(|w| w[0] != w[1]));
            let mut own = slopes.clone();
            drawn.raise(&mut own);
            g += drawn
                .rows
                .iter()
                .map(|&r| f64::from(own[r as usize][0]))
                .sum::<f64>()
                / 200.0;
            rows += drawn.rows.len() as f64 / 200.0;
        }
        [
            g,
            slopes.iter().map(|s| f64::from(s[0])).sum(),
            rows / n as f64,
        ]
    }

    #[test]
    fn drawn_rows_stand_for_all() {
        // Gradients spread by 3 and sum to -14.5 or so: the standard error of a mean of 200 draws of a fifth is below 25.
        let goss = Sampling::TopGradients {
            top: 0.2,
            rest: 0.1,
        };
        let [found, exact, share] = sums(goss, 1.0);
        assert!((found - exact).abs() < 25.0, "{found} {exact}");
        assert!((share - 0.3).abs() < 0.01, "{share}");
        let [found, exact, share] = sums(Sampling::MinimalVariance { lambda: 0.1 }, 0.3);
        assert!((found - exact).abs() < 25.0, "{found} {exact}");
        assert!((share - 0.3).abs() < 0.01, "{share}");
    }

    #[test]
    fn the_bound_makes_chances_sum_to_what_is_wanted() {
        let sizes: Vec<f32> = (0..1000).map(|i| (i * i % 977) as f32).collect();
        for wanted in [10.0, 300.0, 900.0] {
            let bound = bound(&sizes, wanted);
            let sum: f64 = sizes.iter().map(|&s| (f64::from(s) / bound).min(1.0)).sum();
            assert!((sum - wanted).abs() < 1e-6 * wanted, "{sum} {wanted}");
        }
        assert_eq!(bound(&[0.0; 5], 2.0), 1.0);
    }

    #[test]
    fn top_rows_are_kept_and_the_rest_weighs_more() {
        let sizes = [5.0, 1.0, 4.0, 1.0, 1.0, 1.0];
        let all = [10, 11, 12, 13, 14, 15];
        let stream = Seed::new(3).stream("test");
        let drawn = top_gradients(&all, &sizes, (1.0 / 3.0, 1.0 / 3.0), stream);
        assert!(drawn.rows.contains(&10) && drawn.rows.contains(&12) && drawn.rows.len() == 4);
        let factor = |row| drawn.factors[drawn.rows.iter().position(|&r| r == row).unwrap()];
        assert_eq!((factor(10), factor(12)), (1.0, 1.0));
        // Two of the four others stand for all of them.
        assert_eq!(drawn.factors.iter().sum::<f32>(), 2.0 + 4.0);
    }
}
