//! The rounds of boosting: slopes, a tree for each output, its leaf values, the scores; and when to stop.
//!
//! # References
//! J. Friedman (2001), "Greedy function approximation: a gradient boosting machine"; Newton steps as in T. Chen,
//! C. Guestrin (2016), "XGBoost: A scalable tree boosting system", eq. 5.

use std::time::{Duration, Instant};

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use telseg_core::trees::{Tree, TreeEnsemble};
use telseg_core::{Error, Progress, Result, Seed, progress::Silent};

use crate::bins::BinnedData;
use crate::grow::{BinTree, Buffers, Grower, draw};
use crate::histogram::{Packing, Shape};
use crate::judge::Judge;
use crate::leaves;
use crate::objective::{LeafRule, Loss, Pass, Slope, Targets};
use crate::options::{Callback, check_rows, checked_weights};
use crate::sampling::draw_rows;
use crate::split::Search;
use crate::start::Start;
use crate::{FitOptions, FitReport, Gbm, GbmParams, Importance, Refit, Round, Stop};

/// One run of boosting.
struct Run<'a> {
    params: &'a GbmParams,
    data: &'a BinnedData,
    loss: Loss,
    judge: Judge,
    start: &'a Start<'a>,
    progress: &'a dyn Progress,
    callback: Option<&'a Callback<'a>>,
    clock: Clock,
    n_rounds: usize,
}

/// How much time there is.
#[derive(Clone, Copy, Debug)]
struct Clock {
    began: Instant,
    limit: Option<Duration>,
}

impl Clock {
    /// Whether work that takes so long would go beyond the limit.
    fn forbids(&self, work: Duration) -> bool {
        self.limit
            .is_some_and(|limit| self.began.elapsed() + work > limit)
    }
}

/// Trains a model on binned rows; `x` holds them unbinned, for an earlier model to score.
pub(crate) fn fit(
    params: &GbmParams,
    (data, x): (&BinnedData, Option<&ArrayRef2<f32>>),
    y: &ArrayRef1<f32>,
    options: &FitOptions<'_>,
    began: Instant,
) -> Result<Gbm> {
    check_rows(data.n_rows(), y.len())?;
    let weights = options
        .weights
        .as_ref()
        .map(|w| checked_weights(w, y.len()));
    let mut targets = Targets {
        y: y.to_vec(),
        weights: weights.transpose()?,
    };
    params.objective.check(&targets.y)?;
    let again = (params.refit == Refit::AllRows).then(|| targets.clone());
    let judge = judge(params, data, &mut targets, options)?;
    let start = Start::new(params, data, x, options)?;
    let mut clock = Clock {
        began,
        limit: options.time_limit,
    };
    if again.is_some() {
        // The second fit takes as long as the first.
        clock.limit = clock.limit.map(|limit| {
            let spent = began.elapsed();
            spent + limit.saturating_sub(spent) / 2
        });
    }
    let run = Run {
        params,
        data,
        loss: Loss::new(params.objective, targets)?,
        judge,
        start: &start,
        progress: options.progress.unwrap_or(&Silent),
        callback: options.callback,
        clock,
        n_rounds: params.n_trees,
    };
    // On a worker of the pool, so that small fits do not pay for entering it again and again.
    let (model, n_rounds) = rayon::scope(|_| run.boost())?;
    let Some(targets) = again else {
        return Ok(model);
    };
    let again = Run {
        params,
        data,
        loss: Loss::new(params.objective, targets)?,
        judge: Judge::None,
        start: &start,
        progress: options.progress.unwrap_or(&Silent),
        callback: None,
        clock: Clock {
            began,
            limit: options.time_limit,
        },
        n_rounds: n_rounds.max(1),
    };
    let (refitted, _) = rayon::scope(|_| again.boost())?;
    let mut report = model.report().clone();
    report.n_trees = refitted.trees().n_trees();
    let importance = refitted.importance().clone();
    Ok(Gbm::new(
        refitted.trees().clone(),
        params.objective,
        importance,
        report,
    ))
}

/// Who judges the trees; takes held-out rows from the targets.
fn judge(
    params: &GbmParams,
    data: &BinnedData,
    targets: &mut Targets,
    options: &FitOptions<'_>,
) -> Result<Judge> {
    match (&options.validation, params.validation_share) {
        (Some(_), Some(_)) => Err(Error::param(
            "validation_share",
            "a validation set is given too: choose one",
        )),
        (Some((x, y)), None) => Judge::apart(params, data, x, y),
        (None, Some(share)) => Judge::held(params, share, targets),
        (None, None) if params.early_stopping.is_some() => Err(Error::param(
            "early_stopping",
            "needs rows to judge by: give a validation set or set validation_share",
        )),
        (None, None) => Ok(Judge::None),
    }
}

/// What the trees of one output are made with.
#[derive(Default)]
struct Workshop {
    buffers: Buffers,
    /// The leaf of each row.
    places: Vec<u32>,
}

/// A tree that was grown, before its values are added to the scores.
struct Grown {
    bins: BinTree,
    tree: Tree,
    values: Vec<f64>,
    /// Column and gain of each split.
    gains: Vec<(usize, f64)>,
}

/// The trees so far.
#[derive(Default)]
struct Forest {
    trees: Vec<Tree>,
    gains: Vec<Vec<(usize, f64)>>,
    train_loss: Vec<f64>,
    valid_loss: Vec<f64>,
}

impl Run<'_> {
    /// Runs the rounds; returns the model and how many rounds of this run are in it.
    fn boost(mut self) -> Result<(Gbm, usize)> {
        let (n, k, params) = (self.loss.n_rows(), self.loss.n_outputs(), self.params);
        let (base, mut scores) = self.start.scores(&self.loss);
        if let Judge::Apart { loss, scores, .. } = &mut self.judge {
            *scores = self.start.validation_scores(&base, loss.n_rows());
        }
        let targets = self.loss.targets();
        let all: Vec<u32> = (0..n as u32)
            .filter(|&i| targets.weight(i as usize) > 0.0)
            .collect();
        let first = self.start.model().map_or(0, |m| m.trees().n_trees() / k);
        let mut shops: Vec<Workshop> = (0..k).map(|_| Workshop::default()).collect();
        let mut slopes: Vec<Slope> = vec![[0.0; 2]; n * k];
        let mut forest = Forest::default();
        // An earlier model may be best as it is; a constant never is.
        let before = (first > 0).then(|| self.judge.measure(&scores)).flatten();
        let mut best = (before.unwrap_or(f64::INFINITY), 0);
        let (mut stop, mut n_rounds, mut longest) = (Stop::Rounds, 0, Duration::ZERO);
        let drawn = params.row_share * params.column_share * params.column_share_node < 1.0;
        self.progress.start("boost", Some(self.n_rounds as u64));
        while n_rounds < self.n_rounds {
            let began = Instant::now();
            if self.clock.forbids(longest) {
                stop = Stop::Time;
                break;
            }
            let passes = self.loss.slopes(&scores, &mut slopes);
            if n_rounds > 0 {
                forest.train_loss.push(self.mean(&passes));
            }
            let grown = self.grow(
                first + n_rounds,
                &all,
                (&mut shops, &slopes, &scores),
                &passes,
            );
            if !drawn && grown.iter().all(|g| g.values.len() == 1) {
                stop = Stop::NoGain; // every later round would see the same
                break;
            }
            for (output, (grown, shop)) in grown.into_iter().zip(&shops).enumerate() {
                leaves::add(&grown.values, &shop.places, &mut scores[output * n..][..n]);
                self.judge.add(&grown.bins, output);
                forest.gains.push(grown.gains);
                forest.trees.push(grown.tree);
            }
            n_rounds += 1;
            self.progress.advance(1);
            let valid_loss = self.judge.measure(&scores);
            if let Some(loss) = valid_loss {
                forest.valid_loss.push(loss);
                if loss < best.0 {
                    best = (loss, n_rounds);
                }
                let waited = |patience| n_rounds - best.1 >= patience;
                if params.early_stopping.is_some_and(waited) {
                    stop = Stop::Early;
                    break;
                }
            }
            longest = longest.max(began.elapsed());
            let round = Round {
                n_rounds: first + n_rounds,
                valid_loss,
                elapsed: self.clock.began.elapsed(),
            };
            if self.callback.is_some_and(|ask| ask(&round).is_break()) {
                stop = Stop::Asked;
                break;
            }
        }
        if n_rounds > forest.train_loss.len() {
            let passes = self.loss.slopes(&scores, &mut slopes);
            forest.train_loss.push(self.mean(&passes));
        }
        self.progress.finish();
        let judged = best.0 < f64::INFINITY;
        if params.early_stopping.is_some() && judged {
            n_rounds = best.1;
        }
        let best_iteration = judged.then_some(first + best.1);
        let model = self.model(base, forest, (n_rounds * k, best_iteration, stop))?;
        Ok((model, n_rounds))
    }

    /// Mean training loss of a pass.
    fn mean(&self, passes: &[Pass]) -> f64 {
        passes.iter().map(|p| p.loss).sum::<f64>() / self.loss.total()
    }

    /// Grows the tree of each output, side by side.
    fn grow(
        &self,
        round: usize,
        all: &[u32],
        (shops, slopes, scores): (&mut [Workshop], &[Slope], &[f64]),
        passes: &[Pass],
    ) -> Vec<Grown> {
        let n = self.loss.n_rows().max(1);
        let share = self.params.row_share;
        let stream = Seed::new(self.params.seed)
            .stream("gbm.rows")
            .child(round as u64);
        let drawn = (share < 1.0).then(|| draw_rows(all, share, stream));
        let rows = drawn.as_deref().unwrap_or(all);
        let outputs = shops
            .par_iter_mut()
            .zip(slopes.par_chunks(n))
            .zip(scores.par_chunks(n))
            .zip(passes.par_iter())
            .enumerate();
        outputs
            .map(|(output, (((shop, slopes), scores), pass))| {
                self.grow_one((round, output), rows, shop, (slopes, scores), pass.largest)
            })
            .collect()
    }

    fn grow_one(
        &self,
        (round, output): (usize, usize),
        rows: &[u32],
        shop: &mut Workshop,
        (slopes, scores): (&[Slope], &[f64]),
        largest: Slope,
    ) -> Grown {
        let (data, params) = (self.data, self.params);
        let seed = Seed::new(params.seed);
        let at = |name: &str| {
            let stream = seed.stream(name).child(round as u64);
            if output == 0 {
                stream
            } else {
                stream.child(output as u64)
            }
        };
        let features: Vec<usize> = (0..data.n_features()).collect();
        let columns = draw(&features, params.column_share, at("gbm.columns"));
        let (shape, packing) = (Shape::of(data), Packing::new(rows.len(), largest));
        let Workshop { buffers, places } = shop;
        places.resize(slopes.len(), 0);
        buffers.start(rows);
        let rounding = at("gbm.rounding");
        let pack = |rows: &[u32], cells: &mut [u32]| {
            packing.pack_all(slopes, rows, rounding, cells);
        };
        let grower = Grower {
            data,
            params,
            shape,
            packing,
            search: Search::new(data, params, shape, packing),
            features: &columns,
            stream: at("gbm.node"),
        };
        let (mut bins, ends) = grower.grow(buffers, &pack);
        leaves::place(data, (&bins, &ends), buffers, places);
        let targets = self.loss.targets();
        let sums = leaves::sum(&ends, places, slopes, targets.weights.as_deref());
        let values = match self.loss.rule(output) {
            LeafRule::Residual { level } => {
                let rate = params.learning_rate;
                leaves::residuals(&ends, buffers, (targets, scores), (level, rate))
            }
            rule => leaves::steps(&sums, &ends, params, rule),
        };
        leaves::set(&mut bins, &ends, &values);
        let splits = bins.nodes.iter().filter_map(|node| node.split.as_ref());
        Grown {
            gains: splits.map(|(s, _)| (s.feature, s.gain)).collect(),
            tree: leaves::plain(data, (&bins, &ends), &sums.covers, output),
            bins,
            values,
        }
    }

    /// The model of the first `n_trees` trees, behind those of an earlier model.
    fn model(
        &self,
        base: Vec<f64>,
        mut forest: Forest,
        (n_trees, best_iteration, stop): (usize, Option<usize>, Stop),
    ) -> Result<Gbm> {
        forest.trees.truncate(n_trees);
        forest.gains.truncate(n_trees);
        let n_features = self.data.n_features();
        let mut importance = Importance {
            gain: vec![0.0; n_features],
            splits: vec![0; n_features],
        };
        if let Some(model) = self.start.model() {
            importance = model.importance().clone();
        }
        for (feature, gain) in forest.gains.into_iter().flatten() {
            importance.gain[feature] += gain;
            importance.splits[feature] += 1;
        }
        let trees = match self.start.model() {
            Some(model) => model.trees().extended(forest.trees)?,
            None => TreeEnsemble::new(n_features, base, forest.trees)?,
        };
        let report = FitReport {
            n_trees: trees.n_trees(),
            best_iteration,
            stop,
            train_loss: forest.train_loss,
            valid_loss: forest.valid_loss,
            n_bins: (0..n_features).map(|j| self.data.n_bins(j)).collect(),
        };
        Ok(Gbm::new(trees, self.params.objective, importance, report))
    }
}
