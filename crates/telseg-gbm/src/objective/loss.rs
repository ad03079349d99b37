//! An objective together with the targets that it is judged on.

use rayon::prelude::*;
use telseg_core::{Result, par};

use super::{EDGE, Objective, Pass, Slope, rows, softmax};
use crate::leaves::CHUNK;

/// What is known of the rows besides their columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    pub(crate) y: Vec<f32>,
    /// 0 for rows that are held out.
    pub(crate) weights: Option<Vec<f32>>,
}

impl Targets {
    /// The targets of some rows, with weights of their own.
    pub(crate) fn select(&self, rows: &[u32], weights: Vec<f32>) -> Self {
        Self {
            y: rows.iter().map(|&i| self.y[i as usize]).collect(),
            weights: Some(weights),
        }
    }

    /// Weight of a row.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| f64::from(w[row]))
    }
}

/// How a leaf's value follows from its rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LeafRule {
    /// The Newton step of their slopes.
    Newton,
    /// For a logarithmic link with variance `mean^power`: the Newton step or the exact optimum, whichever is shorter.
    Logarithmic { power: f64 },
    /// A quantile of what the scores leave of the targets: there the hessian says nothing.
    Residual { level: f64 },
}

/// An objective with its targets; scores and slopes of several outputs lie one output after the other.
#[derive(Debug)]
pub(crate) struct Loss {
    objective: Objective,
    targets: Targets,
    /// Sum of the weights.
    total: f64,
}

impl Loss {
    /// Holds targets against the objective.
    pub(crate) fn new(objective: Objective, targets: Targets) -> Result<Self> {
        objective.check(&targets.y)?;
        let n = targets.y.len();
        let total = par::map_fold(
            n,
            CHUNK,
            |r| r.fold(0.0, |sum, i| sum + targets.weight(i)),
            0.0,
            |a, b| a + b,
        );
        Ok(Self {
            objective,
            targets,
            total,
        })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.targets.y.len()
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.objective.n_outputs()
    }

    pub(crate) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Sum of the weights.
    pub(crate) fn total(&self) -> f64 {
        self.total
    }

    /// How the leaves of an output's trees get their values.
    pub(crate) fn rule(&self, output: usize) -> LeafRule {
        match self.objective {
            Objective::AbsoluteError => LeafRule::Residual { level: 0.5 },
            Objective::Quantile { level } => LeafRule::Residual { level },
            Objective::Quantiles(quantiles) => LeafRule::Residual {
                level: quantiles.levels()[output],
            },
            Objective::Poisson => LeafRule::Logarithmic { power: 1.0 },
            Objective::Tweedie { power } => LeafRule::Logarithmic { power },
            Objective::Gamma => LeafRule::Logarithmic { power: 2.0 },
            _ => LeafRule::Newton,
        }
    }

    /// The one score of each output that fits all rows best, on top of `offsets` where rows have scores already.
    pub(crate) fn base(&self, offsets: Option<&[f64]>) -> Vec<f64> {
        if let Some(offsets) = offsets {
            return self.base_over(offsets);
        }
        let mean_of = |f: &(dyn Fn(f32) -> f64 + Sync)| {
            let Targets { y, .. } = &self.targets;
            let sum = |r: std::ops::Range<usize>| {
                r.fold(0.0, |sum, i| sum + self.targets.weight(i) * f(y[i]))
            };
            par::map_fold(y.len(), CHUNK, sum, 0.0, |a, b| a + b) / self.total
        };
        match self.objective {
            Objective::SquaredError
            | Objective::Binary
            | Objective::Poisson
            | Objective::Gamma
            | Objective::Tweedie { .. } => vec![self.objective.base(mean_of(&f64::from))],
            Objective::Softmax { n_classes } => {
                let share = |k: u32| mean_of(&|y| f64::from(u8::from(y == k as f32)));
                (0..n_classes).map(|k| share(k).max(EDGE).ln()).collect()
            }
            Objective::Huber { .. } => vec![self.residual(0.5, None, 0)],
            _ => self.base_over(&[]),
        }
    }

    /// Newton steps from 0, or the quantile of what the offsets leave.
    fn base_over(&self, offsets: &[f64]) -> Vec<f64> {
        let (n, k) = (self.n_rows(), self.n_outputs());
        let offsets = (!offsets.is_empty()).then_some(offsets);
        let mut base = vec![0.0; k];
        for (output, base) in base.iter_mut().enumerate() {
            if let LeafRule::Residual { level } = self.rule(output) {
                *base = self.residual(level, offsets, output);
            }
        }
        if matches!(self.rule(0), LeafRule::Residual { .. }) {
            return base;
        }
        let mut slopes = vec![[0.0; 2]; n * k];
        let start = offsets.map_or_else(|| vec![0.0; n * k], <[f64]>::to_vec);
        let mut scores = start.clone();
        for _ in 0..50 {
            self.slopes(&scores, &mut slopes);
            let mut moved = 0.0f64;
            for (output, base) in base.iter_mut().enumerate() {
                let sums = par::map(n, CHUNK, |r| {
                    let part = &slopes[output * n..][r];
                    part.iter().fold([0.0; 2], |[a, b], &[g, h]| {
                        [a + f64::from(g), b + f64::from(h)]
                    })
                });
                let [g, h] = (sums.into_iter()).fold([0.0; 2], |[a, b], [g, h]| [a + g, b + h]);
                let step = self.rule(output).step([g, h], 0.0);
                *base += step;
                moved = moved.max(step.abs());
            }
            if moved < 1e-7 {
                break;
            }
            for (output, base) in base.iter().enumerate() {
                let start = &start[output * n..][..n];
                let out = &mut scores[output * n..][..n];
                par::fill(out, CHUNK, |r, out| {
                    out.iter_mut()
                        .zip(&start[r])
                        .for_each(|(out, s)| *out = s + base);
                });
            }
        }
        base
    }

    /// The weighted quantile of what the offsets of an output leave of the targets.
    fn residual(&self, level: f64, offsets: Option<&[f64]>, output: usize) -> f64 {
        let (n, Targets { y, weights }) = (self.n_rows(), &self.targets);
        let offset = |i: usize| offsets.map_or(0.0, |o| o[output * n + i]);
        let rows = (0..n).filter(|&i| self.targets.weight(i) > 0.0);
        let gap = |i: usize| f64::from(y[i]) - offset(i);
        match weights {
            None => quantile(&mut rows.map(gap).collect::<Vec<_>>(), level),
            Some(w) => {
                weighted_quantile(&mut rows.map(|i| (gap(i), w[i])).collect::<Vec<_>>(), level)
            }
        }
    }

    /// Slopes of all rows at the current scores; the losses of all outputs add up.
    pub(crate) fn slopes(&self, scores: &[f64], slopes: &mut [Slope]) -> Vec<Pass> {
        let n = self.n_rows();
        let Targets { y, weights } = &self.targets;
        if n == 0 {
            return vec![Pass::default(); self.n_outputs()];
        }
        let weights = weights.as_deref();
        if let Objective::Softmax { .. } = self.objective {
            return self.softmax(scores, slopes);
        }
        let outputs = slopes.chunks_mut(n).zip(scores.chunks(n)).enumerate();
        let one = |(output, (slopes, scores)): (usize, (&mut [Slope], &[f64]))| {
            let objective = self.of_output(output);
            let parts = slopes.par_chunks_mut(CHUNK).enumerate().map(|(i, out)| {
                let rows = i * CHUNK..i * CHUNK + out.len();
                let weights = weights.map(|w| &w[rows.clone()]);
                objective.slopes(&scores[rows.clone()], &y[rows], weights, out)
            });
            let parts: Vec<Pass> = parts.collect();
            let mut pass = parts.into_iter().fold(Pass::default(), Pass::join);
            pass.loss /= self.share();
            pass
        };
        outputs.map(one).collect()
    }

    /// The objective of one output alone.
    fn of_output(&self, output: usize) -> Objective {
        match self.objective {
            Objective::Quantiles(quantiles) => Objective::Quantile {
                level: quantiles.levels()[output],
            },
            other => other,
        }
    }

    /// Outputs whose losses are averaged.
    fn share(&self) -> f64 {
        match self.objective {
            Objective::Quantiles(quantiles) => quantiles.levels().len() as f64,
            _ => 1.0,
        }
    }

    fn softmax(&self, scores: &[f64], slopes: &mut [Slope]) -> Vec<Pass> {
        let (n, k) = (self.n_rows(), self.n_outputs());
        let mut chunks: Vec<Vec<&mut [Slope]>> =
            (0..n.div_ceil(CHUNK)).map(|_| Vec::new()).collect();
        for output in slopes.chunks_mut(n) {
            chunks
                .iter_mut()
                .zip(output.chunks_mut(CHUNK))
                .for_each(|(c, part)| c.push(part));
        }
        let parts = chunks.into_par_iter().enumerate().map(|(i, mut out)| {
            let rows = i * CHUNK..(i * CHUNK + CHUNK).min(n);
            let own: Vec<&[f64]> = scores.chunks(n).map(|s| &s[rows.clone()]).collect();
            let weights = self.targets.weights.as_ref().map(|w| &w[rows.clone()]);
            let mut largest = vec![[0.0; 2]; k];
            let y = &self.targets.y[rows];
            let loss = softmax::slopes(&own, y, weights, &mut out, &mut largest);
            (loss, largest)
        });
        let mut passes = vec![Pass::default(); k];
        for (loss, largest) in parts.collect::<Vec<_>>() {
            passes[0].loss += loss;
            for (pass, largest) in passes.iter_mut().zip(largest) {
                *pass = pass.join(Pass { loss: 0.0, largest });
            }
        }
        passes
    }

    /// Mean loss at the given scores.
    pub(crate) fn mean(&self, scores: &[f64]) -> f64 {
        let all = par::map(self.n_rows(), CHUNK, |r| self.sum(scores, r));
        let [weight, loss] = all
            .into_iter()
            .fold([0.0; 2], |[a, b], [w, l]| [a + w, b + l]);
        loss / weight
    }

    /// Weight and weighted loss of some rows.
    pub(crate) fn sum(&self, scores: &[f64], rows: impl Iterator<Item = usize>) -> [f64; 2] {
        let (n, k) = (self.n_rows(), self.n_outputs());
        rows.fold([0.0; 2], |[weights, losses], i| {
            let (w, y) = (self.targets.weight(i), self.targets.y[i]);
            let loss = match self.objective {
                Objective::Softmax { .. } => softmax::loss(k, |j| scores[j * n + i], y),
                Objective::Quantiles(q) => {
                    let one = |(j, &level): (usize, &f64)| {
                        rows::pinball(scores[j * n + i] - f64::from(y), level)[0]
                    };
                    q.levels().iter().enumerate().map(one).sum::<f64>() / k as f64
                }
                objective => objective.loss(scores[i], y),
            };
            [weights + w, losses + w * loss]
        })
    }
}

impl LeafRule {
    /// The step from sums of gradients and hessians.
    pub(crate) fn step(self, [g, h]: [f64; 2], l2: f64) -> f64 {
        let newton = -g / (h + l2);
        let step = match self {
            // With a, b the sums of y mu^(1-p) and mu^(2-p): g = b - a, h = (p-1) a + (2-p) b, and the loss of adding v
            // to all scores is least at e^v = a / b.
            Self::Logarithmic { power } => {
                let (a, b) = (h + l2 - (2.0 - power) * g, h + l2 + (power - 1.0) * g);
                let exact = if a > 0.0 && b > 0.0 {
                    (a / b).ln()
                } else {
                    newton
                };
                if exact.abs() < newton.abs() {
                    exact
                } else {
                    newton
                }
            }
            _ => newton,
        };
        if step.is_finite() { step } else { 0.0 }
    }
}

/// The quantile of some numbers: where all of a stretch are as good, its middle.
pub(crate) fn quantile(values: &mut [f64], level: f64) -> f64 {
    let target = level * values.len() as f64;
    let at = (target.ceil() as usize).clamp(1, values.len().max(1)) - 1;
    if values.is_empty() {
        return 0.0;
    }
    let (_, &mut low, above) = values.select_nth_unstable_by(at, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp);
    match next {
        Some(high) if target == (at + 1) as f64 => 0.5 * (low + high),
        _ => low,
    }
}

/// The same of numbers with weights above 0.
pub(crate) fn weighted_quantile(values: &mut [(f64, f32)], level: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|v| f64::from(v.1)).sum();
    let mut sum = 0.0;
    for (i, &(value, weight)) in values.iter().enumerate() {
        sum += f64::from(weight);
        if sum == level * total {
            return values
                .get(i + 1)
                .map_or(value, |next| 0.5 * (value + next.0));
        }
        if sum > level * total {
            return value;
        }
    }
    values.last().map_or(0.0, |v| v.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_numbers() {
        let find = |values: &[f64], level| quantile(&mut values.to_vec(), level);
        assert_eq!(find(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(find(&[3.0, 1.0, 2.0, 10.0], 0.5), 2.5); // any of [2, 3] is as good
        assert_eq!(find(&[3.0, 1.0, 2.0, 10.0], 0.9), 10.0);
        assert_eq!(find(&[7.0], 0.01), 7.0);
        // Weights are as good as copies.
        let find = |values: &[(f64, f32)], level| weighted_quantile(&mut values.to_vec(), level);
        assert_eq!(find(&[(3.0, 1.0), (1.0, 2.0), (2.0, 1.0)], 0.5), 1.5);
        assert_eq!(find(&[(3.0, 1.0), (1.0, 2.0), (2.0, 1.0)], 0.6), 2.0);
    }

    #[test]
    fn steps_behind_a_logarithmic_link_are_exact_or_shorter() {
        let rule = LeafRule::Logarithmic { power: 1.0 };
        // Means of 1 each on 4 rows with 12 calls: the optimum is ln 3, Newton would go to 2.
        assert!((rule.step([4.0 - 12.0, 4.0], 0.0) - 3f64.ln()).abs() < 1e-12);
        // No calls at all: the optimum is minus infinity, Newton goes to -1.
        assert_eq!(rule.step([4.0, 4.0], 0.0), -1.0);
        let gamma = LeafRule::Logarithmic { power: 2.0 };
        // 4 rows of means 10 times their targets: g = 4 - 0.4, h = 0.4; the optimum is ln 0.1.
        assert!((gamma.step([3.6, 0.4], 0.0) - 0.1f64.ln()).abs() < 1e-12);
    }

    /// The base is where the slopes of all rows sum to 0 (or change sign).
    #[test]
    fn base_is_the_best_constant() {
        let n = 500;
        let y: Vec<f32> = (0..n).map(|i| (1 + i % 7) as f32 / 2.0).collect();
        let weights: Vec<f32> = (0..n).map(|i| (1 + i % 3) as f32).collect();
        let offsets: Vec<f64> = (0..n).map(|i| f64::from(i % 5) / 4.0).collect();
        for objective in [
            Objective::SquaredError,
            Objective::AbsoluteError,
            Objective::Quantile { level: 0.8 },
            Objective::Poisson,
            Objective::Gamma,
            Objective::Tweedie { power: 1.5 },
        ] {
            let targets = Targets {
                y: y.clone(),
                weights: Some(weights.clone()),
            };
            let loss = Loss::new(objective, targets).unwrap();
            for offsets in [None, Some(&offsets[..])] {
                let [base] = loss.base(offsets)[..] else {
                    panic!("one output")
                };
                let at = |c: f64| {
                    let start = |i: usize| offsets.map_or(0.0, |o| o[i]);
                    loss.mean(&(0..n as usize).map(|i| start(i) + c).collect::<Vec<_>>())
                };
                let here = at(base);
                assert!(
                    here <= at(base - 1e-3) + 1e-12 && here <= at(base + 1e-3) + 1e-12,
                    "{objective:?} {base}"
                );
            }
        }
    }
}
