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
use crate::metric::Gauge;
use crate::objective::{LeafRule, Loss, Pass, Slope, Targets};
use crate::options::{Callback, check_rows, checked_weights};
use crate::sampling;
use crate::split::Search;
use crate::start::Start;
use crate::{
    Better, FitOptions, FitReport, Gbm, GbmParams, Importance, Metric, Refit, Round, Sampling, Stop,
};

/// One run of boosting.
struct Run<'a> {
    params: &'a GbmParams,
    data: &'a BinnedData,
    loss: Loss<'a>,
    judge: Judge<'a>,
    gauge: Gauge<'a>,
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
    params.check_constraints(data.n_features())?;
    let weights = options
        .weights
        .as_ref()
        .map(|w| checked_weights(w, y.len()));
    let mut targets = Targets {
        y: y.to_vec(),
        weights: weights.transpose()?,
        groups: options.known.groups("groups", y.len())?,
        events: options.known.events("events", y.len())?,
    };
    let gauge = match options.metric {
        None => Gauge::Known(params.metric),
        Some((better, own)) if params.metric == Metric::Loss => Gauge::Own(better, own),
        Some(_) => {
            let problem = "a metric of your own is given too: choose one";
            return Err(Error::param("metric", problem));
        }
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
        loss: Loss::new(params.objective, targets, options.loss)?,
        judge,
        gauge,
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
        loss: Loss::new(params.objective, targets, options.loss)?,
        judge: Judge::None,
        gauge,
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
fn judge<'a>(
    params: &GbmParams,
    data: &BinnedData,
    targets: &mut Targets,
    options: &FitOptions<'a>,
) -> Result<Judge<'a>> {
    match (&options.validation, params.validation_share) {
        (Some(_), Some(_)) => Err(Error::param(
            "validation_share",
            "a validation set is given too: choose one",
        )),
        (Some((x, y)), None) => {
            let known = &options.validation_known;
            Judge::apart(params, data, (x, y), known, options.loss)
        }
        (None, Some(share)) => Judge::held(params, share, targets, options.loss),
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

/// What changes from round to round.
struct State {
    /// Rows that count, ascending.
    all: Vec<u32>,
    /// Scores and slopes of the training rows, output after output.
    scores: Vec<f64>,
    slopes: Vec<Slope>,
    shops: Vec<Workshop>,
    forest: Forest,
    n_rounds: usize,
    best: Best,
    /// What the longest round took.
    longest: Duration,
}

/// The best round so far; 0 before the first.
struct Best {
    /// 1 for metrics that are better lower, -1 for others.
    sign: f64,
    /// The metric times the sign.
    value: f64,
    round: usize,
}

impl Best {
    fn see(&mut self, metric: f64, round: usize) {
        if self.sign * metric < self.value {
            (self.value, self.round) = (self.sign * metric, round);
        }
    }
}

impl Run<'_> {
    /// Runs the rounds; returns the model and how many rounds of this run are in it.
    fn boost(mut self) -> Result<(Gbm, usize)> {
        let (base, mut state) = self.begin()?;
        self.progress.start("boost", Some(self.n_rounds as u64));
        let mut stop = Stop::Rounds;
        while state.n_rounds < self.n_rounds {
            if let Some(found) = self.round(&mut state)? {
                stop = found;
                break;
            }
        }
        let State {
            scores,
            mut slopes,
            mut forest,
            mut n_rounds,
            best,
            ..
        } = state;
        if n_rounds > forest.train_loss.len() {
            let passes = self.loss.slopes(&scores, &mut slopes)?;
            forest.train_loss.push(self.mean(&passes));
        }
        self.progress.finish();
        let judged = best.value < f64::INFINITY;
        if self.params.early_stopping.is_some() && judged {
            n_rounds = best.round;
        }
        let best_iteration = judged.then_some(self.first() + best.round);
        let n_trees = n_rounds * self.loss.n_outputs();
        let model = self.model(base, forest, (n_trees, best_iteration, stop))?;
        Ok((model, n_rounds))
    }

    /// Rounds of the earlier model.
    fn first(&self) -> usize {
        let n_outputs = self.loss.n_outputs();
        let model = self.start.model();
        model.map_or(0, |m| m.trees().n_trees() / n_outputs)
    }

    /// The base of the model, and where the first round begins.
    fn begin(&mut self) -> Result<(Vec<f64>, State)> {
        let (n, k) = (self.loss.n_rows(), self.loss.n_outputs());
        let (base, scores) = self.start.scores(&self.loss)?;
        if let Judge::Apart { loss, scores, .. } = &mut self.judge {
            *scores = self.start.validation_scores(&base, loss.n_rows());
        }
        // An earlier model may be best as it is; a constant never is.
        let before = match self.first() {
            0 => None,
            _ => self.judge.measure(self.gauge, &scores)?,
        };
        let sign = match self.gauge.better() {
            Better::Lower => 1.0,
            Better::Higher => -1.0,
        };
        let targets = self.loss.targets();
        let counts = |&row: &u32| targets.weight(row as usize) > 0.0;
        let state = State {
            all: (0..n as u32).filter(counts).collect(),
            scores,
            slopes: vec![[0.0; 2]; n * k],
            shops: (0..k).map(|_| Workshop::default()).collect(),
            forest: Forest::default(),
            n_rounds: 0,
            best: Best {
                sign,
                value: before.map_or(f64::INFINITY, |value| sign * value),
                round: 0,
            },
            longest: Duration::ZERO,
        };
        Ok((base, state))
    }

    /// One round; says why it was the last one, if it was.
    fn round(&mut self, state: &mut State) -> Result<Option<Stop>> {
        let began = Instant::now();
        if self.clock.forbids(state.longest) {
            return Ok(Some(Stop::Time));
        }
        let passes = self.loss.slopes(&state.scores, &mut state.slopes)?;
        if state.n_rounds > 0 {
            state.forest.train_loss.push(self.mean(&passes));
        }
        let grown = self.grow(state, &passes);
        let shares = [
            self.params.row_share,
            self.params.column_share,
            self.params.column_share_node,
        ];
        let drawn = shares != [1.0; 3] || self.params.sampling != Sampling::Uniform;
        if !drawn && grown.iter().all(|g| g.values.len() == 1) {
            return Ok(Some(Stop::NoGain)); // every later round would see the same
        }
        self.add(grown, state);
        state.n_rounds += 1;
        self.progress.advance(1);
        let valid_loss = self.judge.measure(self.gauge, &state.scores)?;
        if let Some(value) = valid_loss {
            state.forest.valid_loss.push(value);
            state.best.see(value, state.n_rounds);
            let waited = |patience| state.n_rounds - state.best.round >= patience;
            if self.params.early_stopping.is_some_and(waited) {
                return Ok(Some(Stop::Early));
            }
        }
        state.longest = state.longest.max(began.elapsed());
        let round = Round {
            n_rounds: self.first() + state.n_rounds,
            valid_loss,
            elapsed: self.clock.began.elapsed(),
        };
        let asked = self.callback.is_some_and(|ask| ask(&round).is_break());
        Ok(asked.then_some(Stop::Asked))
    }

    /// Adds the trees of a round to the scores.
    fn add(&mut self, grown: Vec<Grown>, state: &mut State) {
        let n = self.loss.n_rows();
        for (output, (grown, shop)) in grown.into_iter().zip(&state.shops).enumerate() {
            let scores = &mut state.scores[output * n..][..n];
            leaves::add(&grown.values, &shop.places, scores);
            self.judge.add(&grown.bins, output);
            state.forest.gains.push(grown.gains);
            state.forest.trees.push(grown.tree);
        }
    }

    /// Mean training loss of a pass.
    fn mean(&self, passes: &[Pass]) -> f64 {
        passes.iter().map(|p| p.loss).sum::<f64>() / self.loss.total()
    }

    /// Grows the tree of each output, side by side.
    fn grow(&self, state: &mut State, passes: &[Pass]) -> Vec<Grown> {
        let round = self.first() + state.n_rounds;
        let State {
            all,
            scores,
            slopes,
            shops,
            ..
        } = state;
        let all = &all[..];
        let n = self.loss.n_rows().max(1);
        let stream = Seed::new(self.params.seed)
            .stream("gbm.rows")
            .child(round as u64);
        let drawn = sampling::draw(self.params, all, (&slopes[..], n), stream);
        let mut largest: Vec<Slope> = passes.iter().map(|pass| pass.largest).collect();
        if let Some(drawn) = &drawn {
            for (largest, slopes) in largest.iter_mut().zip(slopes.chunks_mut(n)) {
                drawn.raise(slopes);
                *largest = drawn.largest(slopes).unwrap_or(*largest);
            }
        }
        let rows = drawn.as_ref().map_or(all, |drawn| &drawn.rows[..]);
        let slopes = &slopes[..];
        let outputs = shops
            .par_iter_mut()
            .zip(slopes.par_chunks(n))
            .zip(scores.par_chunks(n))
            .zip(largest)
            .enumerate();
        outputs
            .map(|(output, (((shop, slopes), scores), largest))| {
                self.grow_one((round, output), rows, shop, (slopes, scores), largest)
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
