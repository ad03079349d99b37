//! The rounds of boosting: slopes, a tree, its leaf values, the scores; and when to stop.
//!
//! # References
//! J. Friedman (2001), "Greedy function approximation: a gradient boosting machine"; Newton steps as in T. Chen,
//! C. Guestrin (2016), "XGBoost: A scalable tree boosting system", eq. 5.

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use telseg_core::seed::Stream;
use telseg_core::trees::{Tree, TreeEnsemble};
use telseg_core::{Error, Progress, Result, Seed, par, progress::Silent};

use crate::bins::{BinnedData, RowBlock};
use crate::grow::{BinTree, Buffers, Grower, draw};
use crate::histogram::{Packing, Shape};
use crate::leaves::{self, CHUNK};
use crate::objective::{Pass, Slope};
use crate::options::{check_rows, checked_weights};
use crate::split::Search;
use crate::{FitOptions, FitReport, Gbm, GbmParams, Importance, Objective, Refit, Stop};

/// Rows that trees are judged on, not trained on.
enum Judge {
    None,
    /// Training rows that are held out (ascending), with their weights.
    Held(Vec<(u32, f32)>),
    /// Rows of their own.
    Apart {
        rows: RowBlock,
        y: Vec<f32>,
        scores: Vec<f64>,
    },
}

/// One run of boosting.
struct Run<'a> {
    params: &'a GbmParams,
    data: &'a BinnedData,
    y: &'a [f32],
    /// Weights, 0 for rows that are held out.
    weights: Option<Vec<f32>>,
    judge: Judge,
    progress: &'a dyn Progress,
    n_trees: usize,
}

pub(crate) fn fit(
    params: &GbmParams,
    data: &BinnedData,
    y: &ArrayRef1<f32>,
    options: &FitOptions<'_>,
) -> Result<Gbm> {
    check_rows(data.n_rows(), y.len())?;
    let y = y.to_vec();
    let weights = options
        .weights
        .as_ref()
        .map(|w| checked_weights(w, y.len()))
        .transpose()?;
    params.objective.check(&y)?;
    let apart = options
        .validation
        .as_ref()
        .map(|(x, y)| apart(params, data, x, y))
        .transpose()?;
    if params.early_stopping.is_some() && apart.is_none() && params.validation_share.is_none() {
        let problem = "needs rows to judge by: give a validation set or set validation_share";
        return Err(Error::param("early_stopping", problem));
    }
    if apart.is_some() && params.validation_share.is_some() {
        return Err(Error::param(
            "validation_share",
            "a validation set is given too: choose one",
        ));
    }
    let (judge, training_weights) = match (apart, params.validation_share) {
        (Some(apart), _) => (apart, weights.clone()),
        (None, Some(share)) => held_out(params, share, &y, weights.as_deref())?,
        (None, None) => (Judge::None, weights.clone()),
    };
    let progress = options.progress.unwrap_or(&Silent);
    let n_trees = params.n_trees;
    let run = Run {
        params,
        data,
        y: &y,
        weights: training_weights,
        judge,
        progress,
        n_trees,
    };
    // On a worker of the pool, so that small fits do not pay for entering it again and again.
    let model = rayon::scope(|_| run.boost())?;
    if params.refit != Refit::AllRows {
        return Ok(model);
    }
    let n_trees = model.trees().n_trees().max(1);
    let again = Run {
        params,
        data,
        y: &y,
        weights,
        judge: Judge::None,
        progress,
        n_trees,
    };
    let refitted = rayon::scope(|_| again.boost())?;
    let mut report = model.report().clone();
    report.n_trees = refitted.trees().n_trees();
    Ok(Gbm::new(
        refitted.trees().clone(),
        params.objective,
        refitted.importance().clone(),
        report,
    ))
}

fn apart(
    params: &GbmParams,
    data: &BinnedData,
    x: &ArrayRef2<f32>,
    y: &ArrayRef1<f32>,
) -> Result<Judge> {
    if x.ncols() != data.n_features() {
        let expected = format!("{} columns (as at fit)", data.n_features());
        return Err(Error::shape(
            "validation x",
            expected,
            x.ncols().to_string(),
        ));
    }
    if x.nrows() != y.len() || y.is_empty() {
        let expected = format!("{} targets (as rows of x, at least one)", x.nrows());
        return Err(Error::shape("validation y", expected, y.len().to_string()));
    }
    let y = y.to_vec();
    params.objective.check(&y)?;
    Ok(Judge::Apart {
        rows: data.bin_like(x),
        y,
        scores: Vec::new(),
    })
}

/// Draws the held-out rows, class by class for a binary target; returns them and the weights without them.
fn held_out(
    params: &GbmParams,
    share: f64,
    y: &[f32],
    weights: Option<&[f32]>,
) -> Result<(Judge, Option<Vec<f32>>)> {
    let stream = Seed::new(params.seed).stream("gbm.held");
    let classes: &[f32] = if params.objective == Objective::Binary {
        &[0.0, 1.0]
    } else {
        &[f32::NAN]
    };
    let mut left = weights.map_or_else(|| vec![1.0; y.len()], <[f32]>::to_vec);
    let mut held = Vec::new();
    for &class in classes {
        let rows: Vec<usize> = (0..y.len())
            .filter(|&i| left[i] > 0.0 && (class.is_nan() || y[i] == class))
            .collect();
        let n = (rows.len() as f64 * share).round() as usize;
        if n > 0 {
            held.extend(draw(&rows, n as f64 / rows.len() as f64, stream));
        }
    }
    held.sort_unstable();
    let held: Vec<(u32, f32)> = held
        .into_iter()
        .map(|i| (i as u32, std::mem::take(&mut left[i])))
        .collect();
    if held.is_empty() || left.iter().all(|&w| w == 0.0) {
        let problem = format!(
            "{share} of {} rows leaves nothing to train on or to judge by",
            y.len()
        );
        return Err(Error::param("validation_share", problem));
    }
    Ok((Judge::Held(held), Some(left)))
}

impl Run<'_> {
    fn boost(mut self) -> Result<Gbm> {
        let (n, params) = (self.y.len(), self.params);
        let weight = |i: usize| self.weights.as_ref().map_or(1.0, |w| f64::from(w[i]));
        let sums = par::map(n, CHUNK, |r| {
            r.fold([0.0; 2], |[w, y], i| {
                [w + weight(i), y + weight(i) * f64::from(self.y[i])]
            })
        });
        let [total, sum] = sums
            .into_iter()
            .fold([0.0; 2], |[a, b], [w, y]| [a + w, b + y]);
        let base = params.objective.base(sum / total);
        let all: Vec<u32> = (0..n as u32)
            .filter(|&i| weight(i as usize) > 0.0)
            .collect();
        let features: Vec<usize> = (0..self.data.n_features()).collect();

        let mut scores = vec![base; n];
        if let Judge::Apart { y, scores, .. } = &mut self.judge {
            *scores = vec![base; y.len()];
        }
        let mut places = vec![0u32; n];
        let (mut slopes, mut buffers): (Vec<Slope>, _) = (vec![[0.0; 2]; n], Buffers::default());
        let (mut trees, mut gains): (Vec<Tree>, Vec<Vec<(usize, f64)>>) = Default::default();
        let (mut train_loss, mut valid_loss) = (Vec::new(), Vec::new());
        let mut best = (f64::INFINITY, 0);
        let mut stop = Stop::Rounds;
        let seed = Seed::new(params.seed);
        let shape = Shape::of(self.data);
        self.progress.start("boost", Some(self.n_trees as u64));
        for round in 0..self.n_trees {
            let pass = self.slopes(&scores, &mut slopes);
            if round > 0 {
                train_loss.push(pass.loss / total);
            }
            let at = |name: &str| seed.stream(name).child(round as u64);
            let drawn =
                (params.row_share < 1.0).then(|| draw_rows(&all, params.row_share, at("gbm.rows")));
            let rows = drawn.as_deref().unwrap_or(&all);
            let columns = draw(&features, params.column_share, at("gbm.columns"));
            let packing = Packing::new(rows.len(), pass.largest);
            buffers.start(rows);
            let rounding = at("gbm.rounding");
            let pack = |rows: &[u32], cells: &mut [u32]| {
                packing.pack_all(&slopes, rows, rounding, cells);
            };
            let search = Search::new(self.data, params, shape, packing);
            let stream = at("gbm.node");
            let grower = Grower {
                data: self.data,
                params,
                shape,
                packing,
                search,
                features: &columns,
                stream,
            };
            let (mut tree, ends) = grower.grow(&mut buffers, &pack);
            if ends.len() == 1
                && params.row_share == 1.0
                && params.column_share * params.column_share_node == 1.0
            {
                stop = Stop::NoGain; // nothing is drawn: every later round would see the same
                break;
            }
            leaves::place(self.data, (&tree, &ends), &buffers, &mut places);
            let sums = leaves::sum(&ends, &places, &slopes, self.weights.as_deref());
            let values = leaves::newton(&sums, &ends, params);
            leaves::set(&mut tree, &ends, &values);
            leaves::add(&values, &places, &mut scores);
            gains.push(
                tree.nodes
                    .iter()
                    .filter_map(|n| n.split.as_ref())
                    .map(|(s, _)| (s.feature, s.gain))
                    .collect(),
            );
            trees.push(leaves::plain(self.data, (&tree, &ends), &sums.covers));
            self.progress.advance(1);
            if let Some(loss) = self.judge(&tree, &scores) {
                valid_loss.push(loss);
                if loss < best.0 {
                    best = (loss, trees.len());
                }
                if params
                    .early_stopping
                    .is_some_and(|patience| trees.len() - best.1 >= patience)
                {
                    stop = Stop::Early;
                    break;
                }
            }
        }
        if trees.len() > train_loss.len() {
            train_loss.push(self.slopes(&scores, &mut slopes).loss / total);
        }
        self.progress.finish();
        if params.early_stopping.is_some() && best.1 > 0 {
            trees.truncate(best.1);
            gains.truncate(best.1);
        }
        let n_bins = features.iter().map(|&j| self.data.n_bins(j)).collect();
        let best_iteration = (best.1 > 0).then_some(best.1);
        let report = FitReport {
            n_trees: trees.len(),
            best_iteration,
            stop,
            train_loss,
            valid_loss,
            n_bins,
        };
        let mut importance = Importance {
            gain: vec![0.0; features.len()],
            splits: vec![0; features.len()],
        };
        for (feature, gain) in gains.into_iter().flatten() {
            importance.gain[feature] += gain;
            importance.splits[feature] += 1;
        }
        Ok(Gbm::new(
            TreeEnsemble::new(features.len(), vec![base], trees)?,
            params.objective,
            importance,
            report,
        ))
    }

    /// Slopes of all rows at the current scores.
    fn slopes(&self, scores: &[f64], slopes: &mut [Slope]) -> Pass {
        let weights = self.weights.as_deref();
        let parts = slopes.par_chunks_mut(CHUNK).enumerate().map(|(i, out)| {
            let rows = i * CHUNK..i * CHUNK + out.len();
            let weights = weights.map(|w| &w[rows.clone()]);
            self.params
                .objective
                .slopes(&scores[rows.clone()], &self.y[rows], weights, out)
        });
        parts
            .collect::<Vec<_>>()
            .into_iter()
            .fold(Pass::default(), Pass::join)
    }

    /// Mean loss of the judging rows after this tree.
    fn judge(&mut self, tree: &BinTree, scores: &[f64]) -> Option<f64> {
        let objective = self.params.objective;
        let sum = |parts: Vec<[f64; 2]>| {
            parts
                .into_iter()
                .fold([0.0; 2], |[a, b], [w, l]| [a + w, b + l])
        };
        let [weight, loss] = match &mut self.judge {
            Judge::None => return None,
            Judge::Held(held) => sum(par::map(held.len(), CHUNK, |r| {
                held[r].iter().fold([0.0; 2], |[a, b], &(row, w)| {
                    let (row, w) = (row as usize, f64::from(w));
                    [a + w, b + w * objective.loss(scores[row], self.y[row])]
                })
            })),
            Judge::Apart { rows, y, scores } => {
                let parts = scores.par_chunks_mut(CHUNK).enumerate().map(|(i, scores)| {
                    (i * CHUNK..)
                        .zip(scores)
                        .fold([0.0; 2], |[a, b], (row, score)| {
                            *score += tree.value(rows, row);
                            [a + 1.0, b + objective.loss(*score, y[row])]
                        })
                });
                sum(parts.collect())
            }
        };
        Some(loss / weight)
    }
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
