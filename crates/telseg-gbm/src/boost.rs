//! The rounds of boosting: slopes, a tree, its leaf values, the scores; and when to stop.
//!
//! # References
//! J. Friedman (2001), "Greedy function approximation: a gradient boosting machine"; Newton steps as in T. Chen,
//! C. Guestrin (2016), "XGBoost: A scalable tree boosting system", eq. 5.

use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, ArrayView2};
use rayon::prelude::*;
use telseg_core::seed::Stream;
use telseg_core::trees::{Node, Rule, Tree, TreeEnsemble};
use telseg_core::{Error, Progress, Result, Seed, par, progress::Silent};

use crate::bins::{BinnedData, ColumnBins, RowBlock};
use crate::grow::{BinTree, Buffers, Grower, Leaf, draw};
use crate::histogram::{Packing, Shape};
use crate::kernel::Shared;
use crate::objective::{Pass, Slope};
use crate::split::Search;
use crate::{FitReport, Gbm, GbmParams, Importance, Objective, Refit, Stop};

/// Rows of one task; sums over rows are folded chunk by chunk, so it is part of the results.
const CHUNK: usize = 8192;
/// Marks the leaf of a row that a tree was not grown on.
const OUTSIDE: u32 = 1 << 31;

/// What a fit may be given besides rows and targets.
#[derive(Clone, Copy, Default)]
pub struct FitOptions<'a> {
    pub(crate) weights: Option<ArrayView1<'a, f32>>,
    validation: Option<(ArrayView2<'a, f32>, ArrayView1<'a, f32>)>,
    progress: Option<&'a dyn Progress>,
}

impl std::fmt::Debug for FitOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            weights,
            validation,
            progress,
        } = self;
        f.debug_struct("FitOptions")
            .field("weights", weights)
            .field("validation", validation)
            .field("progress", &progress.is_some())
            .finish()
    }
}

impl<'a> FitOptions<'a> {
    /// Weights of the training rows.
    #[must_use]
    pub fn with_weights(mut self, weights: &'a ArrayRef1<f32>) -> Self {
        self.weights = Some(weights.view());
        self
    }

    /// Rows whose loss is traced and that early stopping looks at.
    #[must_use]
    pub fn with_validation(mut self, x: &'a ArrayRef2<f32>, y: &'a ArrayRef1<f32>) -> Self {
        self.validation = Some((x.view(), y.view()));
        self
    }

    /// Who hears of every round.
    #[must_use]
    pub fn with_progress(mut self, progress: &'a dyn Progress) -> Self {
        self.progress = Some(progress);
        self
    }
}

pub(crate) fn check_rows(rows: usize, targets: usize) -> Result<()> {
    if rows == targets {
        return Ok(());
    }
    Err(Error::shape(
        "y",
        format!("{rows} targets (as rows of x)"),
        targets.to_string(),
    ))
}

/// Weights as a plain list: one a row, finite, not negative, not all 0.
pub(crate) fn checked_weights(weights: &ArrayRef1<f32>, rows: usize) -> Result<Vec<f32>> {
    if weights.len() != rows {
        return Err(Error::shape(
            "weights",
            format!("{rows} weights (as rows of x)"),
            weights.len().to_string(),
        ));
    }
    if let Some((row, w)) = weights
        .iter()
        .enumerate()
        .find(|(_, w)| !(**w >= 0.0 && w.is_finite()))
    {
        return Err(Error::data(
            "weights",
            format!("must be 0 or more, found {w} in row {row}"),
        ));
    }
    if weights.iter().all(|&w| w == 0.0) {
        return Err(Error::data("weights", "all are 0"));
    }
    Ok(weights.to_vec())
}

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
            let (mut tree, leaves) = grower.grow(&mut buffers, &pack);
            if leaves.len() == 1
                && params.row_share == 1.0
                && params.column_share * params.column_share_node == 1.0
            {
                stop = Stop::NoGain; // nothing is drawn: every later round would see the same
                break;
            }
            self.place(&tree, &leaves, &buffers, &mut places);
            let values = self.set_values(&mut tree, &leaves, &places, &slopes);
            add(&values.values, &places, &mut scores);
            gains.push(
                tree.nodes
                    .iter()
                    .filter_map(|n| n.split.as_ref())
                    .map(|(s, _)| (s.feature, s.gain))
                    .collect(),
            );
            trees.push(self.plain(&tree, &values.covers));
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

    /// Writes the leaf of every row: [`OUTSIDE`] is added for rows that the tree was not grown on.
    fn place(&self, tree: &BinTree, leaves: &[Leaf], buffers: &Buffers, places: &mut [u32]) {
        let inside: usize = leaves.iter().map(Leaf::n_rows).sum();
        if inside < places.len() {
            places.par_chunks_mut(CHUNK).for_each(|p| p.fill(OUTSIDE));
        }
        let shared = Shared::new(places);
        let parts: Vec<(usize, &[u32])> = leaves
            .iter()
            .enumerate()
            .flat_map(|(i, leaf)| buffers.rows(leaf).chunks(CHUNK).map(move |rows| (i, rows)))
            .collect();
        #[allow(unsafe_code)]
        parts.par_iter().for_each(|&(leaf, rows)| {
            // SAFETY: `places` is borrowed for this function, has an element for every row, and each row is in one leaf.
            unsafe { shared.set_all(rows, leaf as u32) }
        });
        if inside == places.len() {
            return;
        }
        let mut leaf_of = vec![0u32; tree.nodes.len()];
        (0..)
            .zip(leaves)
            .for_each(|(i, leaf)| leaf_of[leaf.node] = i);
        par::fill(places, CHUNK, |range, places| {
            for (row, place) in range.zip(places) {
                if *place == OUTSIDE {
                    *place = OUTSIDE | leaf_of[tree.leaf(self.data.rows(), row)];
                }
            }
        });
    }

    /// Sets the leaf values from the exact slopes of their rows.
    fn set_values(
        &self,
        tree: &mut BinTree,
        leaves: &[Leaf],
        places: &[u32],
        slopes: &[Slope],
    ) -> LeafValues {
        let n_leaves = leaves.len();
        // Chunks grow with the number of leaves, so that the sums of all chunks stay small beside the rows.
        let chunk = CHUNK.max(64 * n_leaves);
        let sums = par::map(places.len(), chunk, |range| {
            let rows = places[range.clone()].iter().zip(&slopes[range.clone()]);
            let mut sums = sum_by_place(rows.map(|(&p, [g, h])| (p, [*g, *h])), n_leaves);
            let covers = self.weights.as_ref().map(|w| {
                let rows = places[range.clone()].iter().zip(&w[range]);
                sum_by_place(rows.map(|(&p, &w)| (p, [w, 0.0])), n_leaves)
            });
            sums.extend(covers.into_iter().flatten());
            sums
        });
        let mut out = LeafValues {
            values: Vec::with_capacity(n_leaves),
            covers: vec![0.0; tree.nodes.len()],
        };
        for (i, leaf) in leaves.iter().enumerate() {
            let [g, h] = sums
                .iter()
                .fold([0.0; 2], |[a, b], chunk| [a + chunk[i][0], b + chunk[i][1]]);
            let slope = (g.abs() - self.params.l1).max(0.0).copysign(g);
            let value = -slope / (h + leaf.l2) * self.params.learning_rate;
            let value = if value.is_finite() { value } else { 0.0 };
            out.values.push(value);
            tree.nodes[leaf.node].value = value;
            out.covers[leaf.node] = match self.weights {
                Some(_) => sums.iter().map(|chunk| chunk[n_leaves + i][0]).sum(),
                None => leaf.n_rows() as f64,
            };
        }
        out
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

    /// The tree with questions about values instead of bins.
    fn plain(&self, tree: &BinTree, leaf_covers: &[f64]) -> Tree {
        let mut covers = leaf_covers.to_vec();
        for (i, node) in tree.nodes.iter().enumerate().rev() {
            if let Some((_, [left, right])) = node.split {
                covers[i] = covers[left] + covers[right];
            }
        }
        let plain = |(i, node): (usize, &crate::grow::BinNode)| match &node.split {
            None => Node::Leaf {
                value: vec![node.value],
                cover: covers[i],
            },
            Some((split, [left, right])) => {
                let rule = match (&self.data.columns()[split.feature], split.last_bin) {
                    (ColumnBins::Numeric(cuts), Some(bin)) => {
                        Rule::AtMost(cuts.get(bin - 1).copied().unwrap_or(f32::INFINITY))
                    }
                    (ColumnBins::Categorical(levels), _) => {
                        let named =
                            (1..levels.other_bin()).filter(|&bin| split.left.contains(bin as u8));
                        let mut codes: Vec<u32> = named.map(|bin| levels.code(bin)).collect();
                        codes.sort_unstable();
                        Rule::OneOf(codes)
                    }
                    (ColumnBins::Numeric(_), None) => {
                        unreachable!("numeric columns are cut, not split by subset")
                    }
                };
                let (feature, missing) = (split.feature, split.missing);
                Node::Split {
                    feature,
                    rule,
                    missing,
                    left: *left,
                    right: *right,
                    cover: covers[i],
                }
            }
        };
        Tree {
            nodes: tree.nodes.iter().enumerate().map(plain).collect(),
            output: Some(0),
        }
    }
}

/// Sums of pairs by place; pairs of places beyond `n_places` are left out.
///
/// Four tables take turns: a row would often have to wait for the sum that the row before it writes.
fn sum_by_place(rows: impl Iterator<Item = (u32, [f32; 2])>, n_places: usize) -> Vec<[f64; 2]> {
    let mut tables = vec![[[0.0f64; 2]; 4]; n_places];
    for (i, (place, pair)) in rows.enumerate() {
        if let Some(table) = tables.get_mut(place as usize) {
            let sum = &mut table[i % 4];
            *sum = [sum[0] + f64::from(pair[0]), sum[1] + f64::from(pair[1])];
        }
    }
    let total =
        |[a, b, c, d]: [[f64; 2]; 4]| [a[0] + b[0] + (c[0] + d[0]), a[1] + b[1] + (c[1] + d[1])];
    tables.into_iter().map(total).collect()
}

/// What the leaves of a tree add, and the weight of their rows by node.
struct LeafValues {
    values: Vec<f64>,
    covers: Vec<f64>,
}

/// Adds each row's leaf value to its score.
fn add(values: &[f64], places: &[u32], scores: &mut [f64]) {
    par::fill(scores, CHUNK, |range, scores| {
        for (score, place) in scores.iter_mut().zip(&places[range]) {
            *score += values[(place & !OUTSIDE) as usize];
        }
    });
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
