//! An objective together with the targets that it is judged on.

use rayon::prelude::*;
use telseg_core::{Error, Result, par};

use super::leaf::{LeafRule, quantile, weighted_quantile};
use super::{EDGE, Objective, Pass, Slope, rank, rows, softmax, survival};
use crate::leaves::CHUNK;

/// What is known of the rows besides their columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    pub(crate) y: Vec<f32>,
    /// 0 for rows that are held out.
    pub(crate) weights: Option<Vec<f32>>,
    /// What is compared with what.
    pub(crate) groups: Option<Vec<u32>>,
    /// Whether a time ended.
    pub(crate) events: Option<Vec<bool>>,
}

impl Targets {
    /// The targets of some rows, with weights of their own.
    pub(crate) fn select(&self, rows: &[u32], weights: Vec<f32>) -> Self {
        fn pick<T: Copy>(from: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&i| from[i as usize]).collect()
        }
        Self {
            y: pick(&self.y, rows),
            weights: Some(weights),
            groups: self.groups.as_ref().map(|from| pick(from, rows)),
            events: self.events.as_ref().map(|from| pick(from, rows)),
        }
    }

    /// Weight of a row.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| f64::from(w[row]))
    }

    /// Whether a row's time ended; without a word on it, it did.
    pub(crate) fn event(&self, row: usize) -> bool {
        self.events.as_ref().is_none_or(|e| e[row])
    }
}

/// What a loss of the user's own says of one score and one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossAt {
    /// The loss.
    pub loss: f64,
    /// Its first derivative by the score.
    pub gradient: f64,
    /// Its second derivative, or a bound above it; 0 or more.
    pub hessian: f64,
}

/// A loss of the user's own: of a score and a target.
pub(crate) type UserLoss<'a> = dyn Fn(f64, f32) -> LossAt + Sync + 'a;

/// What an objective needs besides targets.
#[derive(Clone)]
enum Plan<'a> {
    /// Nothing: a row is judged alone.
    Rows,
    /// The rows of each group.
    Groups(Vec<Vec<u32>>),
    /// Rows by time, the latest first.
    Times(Vec<u32>),
    /// The user's loss.
    Own(&'a UserLoss<'a>),
}

/// An objective with its targets; scores and slopes of several outputs lie one output after the other.
pub(crate) struct Loss<'a> {
    objective: Objective,
    targets: Targets,
    plan: Plan<'a>,
    /// Sum of what losses are weighed by: of rows, groups, pairs or events.
    total: f64,
}

impl<'a> Loss<'a> {
    /// Holds targets against the objective.
    pub(crate) fn new(
        objective: Objective,
        targets: Targets,
        own: Option<&'a UserLoss<'a>>,
    ) -> Result<Self> {
        objective.check(&targets.y)?;
        let plan = plan(objective, &targets, own)?;
        let n = targets.y.len();
        let counts = |i: usize| match plan {
            Plan::Times(_) if !targets.event(i) => 0.0,
            _ => targets.weight(i),
        };
        let sum = |r: std::ops::Range<usize>| r.fold(0.0, |sum, i| sum + counts(i));
        let total = par::map_fold(n, CHUNK, sum, 0.0, |a, b| a + b);
        let mut loss = Self {
            objective,
            targets,
            plan,
            total,
        };
        if let Plan::Groups(groups) = &loss.plan {
            let flat = vec![0.0; n];
            let parts = groups.par_iter().map(|rows| loss.rank(rows, &flat).2);
            loss.total = parts.collect::<Vec<_>>().into_iter().sum();
        }
        if loss.total > 0.0 || n == 0 {
            return Ok(loss);
        }
        Err(match loss.plan {
            Plan::Groups(_) => Error::data("groups", "no group has rows of different targets"),
            _ => Error::data("events", "no time ended: there is no risk to learn"),
        })
    }

    pub(crate) fn objective(&self) -> Objective {
        self.objective
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

    /// Sum of what losses are weighed by.
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
    pub(crate) fn base(&self, offsets: Option<&[f64]>) -> Result<Vec<f64>> {
        if !self.objective.is_by_row() {
            return Ok(vec![0.0]); // only differences of scores count
        }
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
        Ok(match self.objective {
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
            Objective::Aft { .. } => {
                let mean = mean_of(&|y| f64::from(y).ln());
                let [step] = self.base_over(&vec![mean; self.n_rows()])?[..] else {
                    return Ok(vec![mean]); // never: it has one output
                };
                vec![mean + step]
            }
            _ => self.base_over(&[])?,
        })
    }

    /// Newton steps from 0, or the quantile of what the offsets leave.
    fn base_over(&self, offsets: &[f64]) -> Result<Vec<f64>> {
        let (n, k) = (self.n_rows(), self.n_outputs());
        let offsets = (!offsets.is_empty()).then_some(offsets);
        let mut base = vec![0.0; k];
        for (output, base) in base.iter_mut().enumerate() {
            if let LeafRule::Residual { level } = self.rule(output) {
                *base = self.residual(level, offsets, output);
            }
        }
        if matches!(self.rule(0), LeafRule::Residual { .. }) {
            return Ok(base);
        }
        let mut slopes = vec![[0.0; 2]; n * k];
        let start = offsets.map_or_else(|| vec![0.0; n * k], <[f64]>::to_vec);
        let mut scores = start.clone();
        for _ in 0..50 {
            self.slopes(&scores, &mut slopes)?;
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
        Ok(base)
    }

    /// The weighted quantile of what the offsets of an output leave of the targets.
    fn residual(&self, level: f64, offsets: Option<&[f64]>, output: usize) -> f64 {
        let (n, Targets { y, weights, .. }) = (self.n_rows(), &self.targets);
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
    ///
    /// # Errors
    /// When the user's loss is not finite, or its hessian negative.
    pub(crate) fn slopes(&self, scores: &[f64], slopes: &mut [Slope]) -> Result<Vec<Pass>> {
        if self.n_rows() == 0 {
            return Ok(vec![Pass::default(); self.n_outputs()]);
        }
        Ok(match (&self.plan, self.objective) {
            (Plan::Groups(groups), _) => vec![self.ranked(groups, scores, slopes)],
            (Plan::Times(order), _) => {
                let loss = survival::cox(order, &self.targets, scores, slopes);
                vec![largest(loss, slopes)]
            }
            (Plan::Own(own), _) => {
                let y = &self.targets.y;
                let at = |i: usize, score: f64| {
                    let at = own(score, y[i]);
                    [at.loss, at.gradient, at.hessian]
                };
                vec![self.by_rows(scores, slopes, at)?]
            }
            (Plan::Rows, Objective::Aft { .. }) => {
                vec![self.by_rows(scores, slopes, |i, score| self.aft(i, score))?]
            }
            (Plan::Rows, Objective::Softmax { .. }) => self.softmax(scores, slopes),
            (Plan::Rows, _) => self.simple(scores, slopes),
        })
    }

    /// Loss, gradient and hessian of a row's time.
    fn aft(&self, row: usize, score: f64) -> [f64; 3] {
        let Objective::Aft {
            distribution,
            scale,
        } = self.objective
        else {
            return [0.0; 3];
        };
        let time = f64::from(self.targets.y[row]);
        survival::aft(distribution, scale, score, (time, self.targets.event(row)))
    }

    /// Slopes of losses that are known row by row.
    fn by_rows(
        &self,
        scores: &[f64],
        slopes: &mut [Slope],
        at: impl Fn(usize, f64) -> [f64; 3] + Sync,
    ) -> Result<Pass> {
        let parts = slopes.par_chunks_mut(CHUNK).enumerate().map(|(chunk, out)| {
            let mut loss = 0.0;
            for (i, out) in (chunk * CHUNK..).zip(out) {
                let (w, parts) = (self.targets.weight(i), at(i, scores[i]));
                if !(parts.iter().all(|v| v.is_finite()) && parts[2] >= 0.0) {
                    let [value, gradient, hessian] = parts;
                    return Err(Error::data(
                        "loss",
                        format!(
                            "must be finite and its hessian not negative, found {value}, gradient {gradient}, \
                             hessian {hessian} at score {} of row {i}",
                            scores[i]
                        ),
                    ));
                }
                loss += w * parts[0];
                *out = [(w * parts[1]) as f32, (w * parts[2]) as f32];
            }
            Ok(loss)
        });
        let parts = parts.collect::<Vec<Result<f64>>>();
        let loss = parts.into_iter().sum::<Result<f64>>()?;
        Ok(largest(loss, slopes))
    }

    /// Slopes and loss of a group.
    fn rank(&self, rows: &[u32], scores: &[f64]) -> rank::Ranked {
        let item = |&row: &u32| rank::Item {
            score: scores[row as usize],
            y: f64::from(self.targets.y[row as usize]),
            weight: self.targets.weight(row as usize),
        };
        let items: Vec<rank::Item> = rows.iter().map(item).collect();
        match self.objective {
            Objective::LambdaMart { at } => rank::lambdas(&items, at as usize),
            _ => rank::pairwise(&items),
        }
    }

    fn ranked(&self, groups: &[Vec<u32>], scores: &[f64], slopes: &mut [Slope]) -> Pass {
        let parts = groups.par_iter().map(|rows| self.rank(rows, scores));
        slopes.fill([0.0; 2]);
        let mut loss = 0.0;
        for (rows, (own, part, _)) in groups.iter().zip(parts.collect::<Vec<_>>()) {
            loss += part;
            rows.iter()
                .zip(own)
                .for_each(|(&row, slope)| slopes[row as usize] = slope);
        }
        largest(loss, slopes)
    }

    /// The mean over groups, weighed by the mean weight of their rows.
    ///
    /// # Errors
    /// When there are no groups.
    pub(crate) fn mean_of_groups(&self, value: impl Fn(&[u32]) -> f64 + Sync) -> Result<f64> {
        let Some(ids) = &self.targets.groups else {
            return Err(Error::param("metric", "NDCG is of groups: give them"));
        };
        let groups = rank::groups(ids, |row| self.targets.weight(row) > 0.0);
        let weigh = |rows: &Vec<u32>| {
            let sum: f64 = rows.iter().map(|&i| self.targets.weight(i as usize)).sum();
            let weight = sum / rows.len() as f64;
            [weight, weight * value(rows)]
        };
        let parts: Vec<[f64; 2]> = groups.par_iter().map(weigh).collect();
        let [weight, sum] = parts
            .into_iter()
            .fold([0.0; 2], |[a, b], [w, v]| [a + w, b + v]);
        Ok(sum / weight)
    }

    /// Slopes of objectives that have a kernel, output by output.
    fn simple(&self, scores: &[f64], slopes: &mut [Slope]) -> Vec<Pass> {
        let n = self.n_rows();
        let Targets { y, weights, .. } = &self.targets;
        let weights = weights.as_deref();
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
    pub(crate) fn mean(&self, scores: &[f64]) -> Result<f64> {
        if !matches!(self.plan, Plan::Rows) {
            let mut slopes = vec![[0.0; 2]; scores.len()];
            let passes = self.slopes(scores, &mut slopes)?;
            return Ok(passes.iter().map(|p| p.loss).sum::<f64>() / self.total);
        }
        let all = par::map(self.n_rows(), CHUNK, |r| self.sum(scores, r));
        let [weight, loss] = all
            .into_iter()
            .fold([0.0; 2], |[a, b], [w, l]| [a + w, b + l]);
        Ok(loss / weight)
    }

    /// Weight and weighted loss of some rows.
    fn sum(&self, scores: &[f64], rows: impl Iterator<Item = usize>) -> [f64; 2] {
        let (n, k) = (self.n_rows(), self.n_outputs());
        rows.fold([0.0; 2], |[weights, losses], i| {
            let (w, y) = (self.targets.weight(i), self.targets.y[i]);
            let loss = match self.objective {
                Objective::Custom => match &self.plan {
                    Plan::Own(own) => own(scores[i], y).loss,
                    _ => 0.0, // never: a custom objective has a loss
                },
                Objective::Softmax { .. } => softmax::loss(k, |j| scores[j * n + i], y),
                Objective::Quantiles(q) => {
                    let one = |(j, &level): (usize, &f64)| {
                        rows::pinball(scores[j * n + i] - f64::from(y), level)[0]
                    };
                    q.levels().iter().enumerate().map(one).sum::<f64>() / k as f64
                }
                Objective::Aft { .. } => self.aft(i, scores[i])[0],
                objective => objective.loss(scores[i], y),
            };
            [weights + w, losses + w * loss]
        })
    }
}

/// What the objective needs, and nothing else.
fn plan<'a>(
    objective: Objective,
    targets: &Targets,
    own: Option<&'a UserLoss<'a>>,
) -> Result<Plan<'a>> {
    if targets.events.is_some() && !objective.takes_events() {
        let problem = format!("{objective:?} takes no times that are not over");
        return Err(Error::param("events", problem));
    }
    match (objective, own) {
        (Objective::Custom, Some(own)) => Ok(Plan::Own(own)),
        (Objective::Custom, None) => {
            let problem = "the custom objective has none: give it by with_loss";
            Err(Error::param("loss", problem))
        }
        (_, Some(_)) => {
            let problem = format!("{objective:?} has its own: ask for Objective::Custom");
            Err(Error::param("loss", problem))
        }
        (Objective::Cox, None) => Ok(Plan::Times(survival::latest_first(&targets.y))),
        (_, None) if objective.needs_groups() => match &targets.groups {
            Some(ids) => {
                let counts = |row| targets.weight(row) > 0.0;
                Ok(Plan::Groups(rank::groups(ids, counts)))
            }
            None => {
                let problem =
                    format!("{objective:?} compares rows of a group: give them by with_groups");
                Err(Error::param("groups", problem))
            }
        },
        (_, None) => Ok(Plan::Rows),
    }
}

/// The pass of slopes that are written.
fn largest(loss: f64, slopes: &[Slope]) -> Pass {
    let most = |[a, b]: Slope, &[g, h]: &Slope| [a.max(g.abs()), b.max(h)];
    Pass {
        loss,
        largest: slopes.iter().fold([0.0; 2], most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            Objective::Aft {
                distribution: crate::AftDistribution::Logistic,
                scale: 0.5,
            },
        ] {
            let targets = Targets {
                y: y.clone(),
                weights: Some(weights.clone()),
                ..Targets::default()
            };
            let loss = Loss::new(objective, targets, None).unwrap();
            for offsets in [None, Some(&offsets[..])] {
                let [base] = loss.base(offsets).unwrap()[..] else {
                    panic!("one output")
                };
                let at = |c: f64| {
                    let start = |i: usize| offsets.map_or(0.0, |o| o[i]);
                    loss.mean(&(0..n as usize).map(|i| start(i) + c).collect::<Vec<_>>())
                        .unwrap()
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
