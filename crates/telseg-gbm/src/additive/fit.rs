//! The stages of a fit: curves, the choice of pairs, surfaces; each bag for itself, and their mean.

use ndarray::{ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use telseg_core::{Error, Result, Seed};

use super::axis::Axis;
use super::cut::Cutter;
use super::cycle::{Bag, Boosted, Rows, Sums, boost};
use super::grid::{Grid, Groups, Pair};
use super::model::EbmReport;
use super::purify::{centre, purify};
use super::term::{Columns, Term};
use super::{Ebm, EbmParams, Pairs};
use crate::bins::BinnedData;
use crate::options::{check_rows, checked_weights};
use crate::{Gbm, Objective};

/// Surfaces at most, unless more are asked for.
const AUTO_PAIRS: usize = 10;

/// The rows that count (of weight above 0), and the place of each value, column by column.
struct Table {
    axes: Vec<Axis>,
    places: Vec<Vec<u8>>,
    y: Vec<f32>,
    weights: Option<Vec<f32>>,
    /// The score that fits all rows best; 0 where rows start from scores of their own.
    base: f64,
    start: Option<Vec<f64>>,
}

/// Which rows a bag learns from, and which it is judged by.
struct Split {
    train: Vec<u32>,
    valid: Vec<u32>,
}

/// A pair under way: its columns, its groups, and the rows in each of its cells.
struct PairTerm {
    features: [usize; 2],
    groups: [Groups; 2],
}

pub(super) fn fit(
    params: &EbmParams,
    x: &ArrayRef2<f32>,
    y: &ArrayRef1<f32>,
    weights: Option<&ArrayRef1<f32>>,
    start: Option<&ArrayRef1<f64>>,
) -> Result<Ebm> {
    params.validate()?;
    check_rows(x.nrows(), y.len())?;
    if let Pairs::Listed(pairs) = &params.pairs
        && let Some(pair) = pairs.iter().find(|p| p.0.max(p.1) >= x.ncols())
    {
        let problem = format!(
            "column {} of a table of {} columns",
            pair.0.max(pair.1),
            x.ncols()
        );
        return Err(Error::param("pairs", problem));
    }
    let table = Table::new(params, (x, y), weights, start)?;
    let splits = table.split(params);
    let (curves, scores) = table.curves(params, &splits);
    let pairs = table.pairs(params, &curves);
    let surfaces = table.surfaces(params, &splits, scores, &pairs);
    Ok(table.assemble(params, curves, pairs, surfaces))
}

impl Table {
    fn new(
        params: &EbmParams,
        (x, y): (&ArrayRef2<f32>, &ArrayRef1<f32>),
        weights: Option<&ArrayRef1<f32>>,
        start: Option<&ArrayRef1<f64>>,
    ) -> Result<Self> {
        let weights = weights.map(|w| checked_weights(w, x.nrows())).transpose()?;
        let y = y.to_vec();
        params.objective.check(&y)?;
        let cutting = Gbm::params(params.objective)
            .with_max_bins(params.max_bins)
            .with_categorical(params.categorical.clone())
            .with_seed(params.seed);
        let data = BinnedData::build(x, weights.as_deref(), &cutting)?;
        let kept: Vec<usize> = match &weights {
            Some(w) => (0..y.len()).filter(|&i| w[i] > 0.0).collect(),
            None => (0..y.len()).collect(),
        };
        let (axes, places) = (0..data.n_features())
            .into_par_iter()
            .map(|j| {
                let (axis, of_bin) = Axis::of(&data, j);
                let bins = data.column(j);
                let places = kept.iter().map(|&i| of_bin[usize::from(bins[i])]).collect();
                (axis, places)
            })
            .collect();
        let weights: Option<Vec<f32>> = weights.map(|w| kept.iter().map(|&i| w[i]).collect());
        let y: Vec<f32> = kept.iter().map(|&i| y[i]).collect();
        let [mut total, mut sum] = [0.0; 2];
        for (i, &y) in y.iter().enumerate() {
            let weight = weights.as_ref().map_or(1.0, |w| f64::from(w[i]));
            total += weight;
            sum += weight * f64::from(y);
        }
        let start: Option<Vec<f64>> = start.map(|s| kept.iter().map(|&i| s[i]).collect());
        let base = match start {
            Some(_) => 0.0,
            None => params.objective.base(sum / total),
        };
        Ok(Self {
            axes,
            places,
            y,
            weights,
            base,
            start,
        })
    }

    /// The score that a row starts from.
    fn first(&self, row: usize) -> f64 {
        self.start.as_ref().map_or(self.base, |start| start[row])
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| f64::from(w[row]))
    }

    /// Draws the rows that each bag holds out, class by class for a binary target.
    fn split(&self, params: &EbmParams) -> Vec<Split> {
        let n = self.y.len();
        let class = |i: usize| params.objective == Objective::Binary && self.y[i] > 0.5;
        let bag = |bag: usize| {
            let stream = Seed::new(params.seed).stream("ebm.held").child(bag as u64);
            let mut held = vec![false; n];
            for wanted in [false, true] {
                let mut rows: Vec<usize> = (0..n).filter(|&i| class(i) == wanted).collect();
                let n_held = (rows.len() as f64 * params.validation_share).round() as usize;
                rows.sort_by_key(|&i| stream.bits(i as u64));
                rows[..n_held].iter().for_each(|&i| held[i] = true);
            }
            let rows = |side: bool| {
                (0..n as u32)
                    .filter(|&i| held[i as usize] == side)
                    .collect()
            };
            Split {
                train: rows(false),
                valid: rows(true),
            }
        };
        (0..params.n_bags).into_par_iter().map(bag).collect()
    }

    /// The rows of one side of a split, with their cells in every term.
    fn rows<C>(
        &self,
        rows: &[u32],
        scores: Vec<f64>,
        cells: impl Iterator<Item = Vec<C>>,
    ) -> Rows<C> {
        let pick = |list: &[f32]| rows.iter().map(|&i| list[i as usize]).collect();
        Rows {
            cells: cells.collect(),
            y: pick(&self.y),
            weights: self.weights.as_deref().map(pick),
            scores,
        }
    }

    /// Sum of row weights in each of `size` cells.
    fn masses(
        &self,
        rows: impl Iterator<Item = usize>,
        size: usize,
        cell: impl Fn(usize) -> usize,
    ) -> Vec<f64> {
        let mut out = vec![0.0; size];
        rows.for_each(|i| out[cell(i)] += self.weight(i));
        out
    }

    /// Boosts the curves of all bags; returns them and the scores of each bag's rows, those held out last.
    fn curves(&self, params: &EbmParams, splits: &[Split]) -> (Boosted, Vec<[Vec<f64>; 2]>) {
        let sizes: Vec<usize> = self.axes.iter().map(Axis::len).collect();
        let mut bags: Vec<_> = splits
            .par_iter()
            .map(|split| {
                let side = |rows: &[u32]| {
                    let cells = self
                        .places
                        .iter()
                        .map(|c| rows.iter().map(|&i| c[i as usize]).collect());
                    let scores = rows.iter().map(|&i| self.first(i as usize)).collect();
                    self.rows::<u8>(rows, scores, cells)
                };
                let mass = |(places, &size): (&Vec<u8>, &usize)| {
                    let rows = split.train.iter().map(|&i| i as usize);
                    self.masses(rows, size, |i| usize::from(places[i]))
                };
                let rows: Vec<Vec<f64>> = self.places.iter().zip(&sizes).map(mass).collect();
                let mut cutter = Cutter::default();
                let step = move |term: usize, sums: &[Sums], out: &mut [f64]| {
                    cutter.step(
                        params,
                        (&rows[term], self.axes[term].is_numeric()),
                        sums,
                        out,
                    );
                };
                Bag {
                    train: side(&split.train),
                    valid: side(&split.valid),
                    step,
                }
            })
            .collect();
        let boosted = boost(params, &sizes, &mut bags);
        (
            boosted,
            bags.into_iter()
                .map(|b| [b.train.scores, b.valid.scores])
                .collect(),
        )
    }

    /// The pairs that get a surface: those listed, or the strongest on what the mean of all curves leaves.
    fn pairs(&self, params: &EbmParams, curves: &Boosted) -> Vec<PairTerm> {
        let d = self.axes.len();
        let n = self.y.len();
        let weights: Vec<Vec<f64>> = (0..d)
            .map(|j| self.masses(0..n, self.axes[j].len(), |i| usize::from(self.places[j][i])))
            .collect();
        let groups: Vec<Groups> = (0..d)
            .map(|j| Groups::new(&self.axes[j], &weights[j], params.max_pair_bins))
            .collect();
        let term = |features: [usize; 2]| PairTerm {
            features,
            groups: features.map(|j| groups[j].clone()),
        };
        let wanted = match &params.pairs {
            Pairs::Listed(pairs) => return pairs.iter().map(|&(a, b)| term([a, b])).collect(),
            Pairs::Auto => d.min(AUTO_PAIRS),
            Pairs::Count(count) => *count,
        };
        if wanted == 0 || curves.loss.is_none() {
            return Vec::new();
        }
        let mut all = self.strengths(params, curves, &groups);
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.retain(|pair| pair.1 > 0.0);
        all.truncate(wanted);
        all.into_iter()
            .map(|(features, _)| term(features))
            .collect()
    }

    /// How strongly each pair of columns interacts on what the mean of all curves leaves.
    fn strengths(
        &self,
        params: &EbmParams,
        curves: &Boosted,
        groups: &[Groups],
    ) -> Vec<([usize; 2], f64)> {
        let (d, n) = (self.axes.len(), self.y.len());
        let mut scores: Vec<f64> = (0..n).map(|i| self.first(i)).collect();
        for (j, places) in self.places.iter().enumerate() {
            let tables = curves.tables.iter().map(|bag| &bag[j]);
            let mean = mean(tables, self.axes[j].len());
            scores
                .iter_mut()
                .zip(places)
                .for_each(|(s, &p)| *s += mean[usize::from(p)]);
        }
        let mut slopes = vec![[0.0f32; 2]; n];
        params
            .objective
            .slopes(&scores, &self.y, self.weights.as_deref(), &mut slopes);
        let pairs: Vec<[usize; 2]> = (0..d)
            .flat_map(|a| (a + 1..d).map(move |b| [a, b]))
            .collect();
        pairs
            .into_par_iter()
            .map_init(Grid::default, |grid, [a, b]| {
                let pair = Pair(&groups[a], &groups[b]);
                let cell = |i: usize| {
                    let group =
                        |j: usize| usize::from(groups[j].of[usize::from(self.places[j][i])]);
                    group(a) * groups[b].n + group(b)
                };
                let size = groups[a].n * groups[b].n;
                let rows = self.masses(0..n, size, cell);
                let mut sums: Vec<Sums> = vec![[0.0; 2]; size];
                for (i, [g, h]) in slopes.iter().enumerate() {
                    let sum = &mut sums[cell(i)];
                    *sum = [sum[0] + f64::from(*g), sum[1] + f64::from(*h)];
                }
                ([a, b], grid.strength(params, pair, &rows, &sums))
            })
            .collect()
    }

    /// Boosts the surfaces of all bags on what their curves leave.
    fn surfaces(
        &self,
        params: &EbmParams,
        splits: &[Split],
        scores: Vec<[Vec<f64>; 2]>,
        pairs: &[PairTerm],
    ) -> Boosted {
        let sizes: Vec<usize> = pairs.iter().map(PairTerm::size).collect();
        let mut bags: Vec<_> = splits
            .par_iter()
            .zip(scores)
            .map(|(split, [train, valid])| {
                let side = |rows: &[u32], scores| {
                    let of_pair = |pair: &PairTerm| {
                        rows.iter()
                            .map(|&i| pair.cell(self, i as usize) as u16)
                            .collect()
                    };
                    self.rows::<u16>(rows, scores, pairs.iter().map(of_pair))
                };
                let mass = |(pair, &size): (&PairTerm, &usize)| {
                    let rows = split.train.iter().map(|&i| i as usize);
                    self.masses(rows, size, |i| pair.cell(self, i))
                };
                let rows: Vec<Vec<f64>> = pairs.iter().zip(&sizes).map(mass).collect();
                let mut grid = Grid::default();
                let step = move |term: usize, sums: &[Sums], out: &mut [f64]| {
                    let [a, b] = &pairs[term].groups;
                    grid.step(params, (Pair(a, b), &rows[term]), sums, out);
                };
                Bag {
                    train: side(&split.train, train),
                    valid: side(&split.valid, valid),
                    step,
                }
            })
            .collect();
        boost(params, &sizes, &mut bags)
    }

    /// Purifies the surfaces of each bag, centres its curves, and puts the means of all bags together.
    fn assemble(
        &self,
        params: &EbmParams,
        curves: Boosted,
        pairs: Vec<PairTerm>,
        surfaces: Boosted,
    ) -> Ebm {
        let (d, n) = (self.axes.len(), self.y.len());
        let mut weights: Vec<Vec<f64>> = (0..d)
            .map(|j| self.masses(0..n, self.axes[j].len(), |i| usize::from(self.places[j][i])))
            .collect();
        weights.extend(
            pairs
                .iter()
                .map(|pair| self.masses(0..n, pair.size(), |i| pair.cell(self, i))),
        );
        let report = EbmReport {
            rounds: curves.rounds,
            pair_rounds: surfaces.rounds,
            curve_loss: curves.loss,
            pair_loss: surfaces.loss,
        };
        let bags: Vec<(Vec<Vec<f64>>, f64)> = curves
            .tables
            .into_par_iter()
            .zip(surfaces.tables)
            .map(|(mut tables, surfaces)| {
                let mut intercept = self.base;
                for (k, mut surface) in surfaces.into_iter().enumerate() {
                    let PairTerm { features, groups } = &pairs[k];
                    let alone = purify(&mut surface, &weights[d + k], (groups[0].n, groups[1].n));
                    for (side, means) in [alone.0, alone.1].into_iter().enumerate() {
                        let curve = tables[features[side]].iter_mut().zip(&groups[side].of);
                        curve.for_each(|(v, &group)| *v += means[usize::from(group)]);
                    }
                    tables.push(surface);
                }
                (0..d).for_each(|j| centre(&mut tables[j], &weights[j], &mut intercept));
                (tables, intercept)
            })
            .collect();
        let columns = (0..d).map(Columns::One);
        let columns = columns.chain(pairs.into_iter().map(PairTerm::columns));
        let term = |(t, (columns, weights)): (usize, (Columns, Vec<f64>))| {
            let tables = || bags.iter().map(|b| &b.0[t]);
            let values = mean(tables(), weights.len());
            let errors = errors(tables(), &values, params.validation_share);
            Term {
                columns,
                values,
                errors,
                weights,
            }
        };
        Ebm {
            objective: params.objective,
            axes: self.axes.clone(),
            terms: columns.zip(weights).enumerate().map(term).collect(),
            intercept: bags.iter().map(|b| b.1).sum::<f64>() / bags.len() as f64,
            edits: Vec::new(),
            report,
        }
    }
}

impl PairTerm {
    fn size(&self) -> usize {
        self.groups[0].n * self.groups[1].n
    }

    fn cell(&self, table: &Table, row: usize) -> usize {
        let group = |side: usize| {
            let place = table.places[self.features[side]][row];
            usize::from(self.groups[side].of[usize::from(place)])
        };
        group(0) * self.groups[1].n + group(1)
    }

    fn columns(self) -> Columns {
        let width = self.groups[1].n;
        Columns::Two {
            features: self.features,
            groups: self.groups.map(|g| g.of),
            width,
        }
    }
}

fn mean<'a>(tables: impl Iterator<Item = &'a Vec<f64>>, size: usize) -> Vec<f64> {
    let (mut out, mut n) = (vec![0.0; size], 0.0);
    for table in tables {
        out.iter_mut().zip(table).for_each(|(sum, v)| *sum += v);
        n += 1.0;
    }
    out.iter_mut().for_each(|sum| *sum /= n);
    out
}

/// Standard errors by the jackknife that deletes a share of the rows: `(1 - share) / share` times the variance of the bags
/// around their mean (J. Shao, C. Wu 1989, "A general theory for jackknife variance estimation").
fn errors<'a>(
    tables: impl Iterator<Item = &'a Vec<f64>> + Clone,
    mean: &[f64],
    share: f64,
) -> Vec<f64> {
    let n = tables.clone().count() as f64;
    if n < 2.0 {
        return Vec::new();
    }
    let mut out = vec![0.0; mean.len()];
    for table in tables {
        out.iter_mut()
            .zip(table)
            .zip(mean)
            .for_each(|((sum, v), mean)| *sum += (v - mean).powi(2));
    }
    out.iter_mut()
        .for_each(|sum| *sum = (*sum / (n - 1.0) * (1.0 - share) / share).sqrt());
    out
}
