//! Iterations of E and M steps from one start.

use ndarray::Array1;
use telseg_core::Result;
use telseg_core::kernel::{Level, TILE, dispatch, posterior};

use super::cells::Cells;
use super::column::{LatentColumn, Prepared};
use super::params::LatentClassParams;
use super::stats::LatentStats;
use super::update::{log_prior, maximise};
use crate::mixture::tiles::{self, most};

/// Classes in the form that log densities are computed from.
#[derive(Clone, Debug)]
pub(super) struct Density {
    log_weights: Vec<f64>,
    columns: Vec<Prepared>,
}

impl Density {
    pub(super) fn new(weights: &Array1<f64>, columns: &[LatentColumn]) -> Self {
        Self {
            log_weights: weights.iter().map(|w| w.ln()).collect(),
            columns: columns.iter().map(LatentColumn::prepare).collect(),
        }
    }

    /// Log joint density of every class and every row of a tile.
    pub(super) fn joint(&self, tile: &[[f64; TILE]], joint: &mut [[f64; TILE]]) {
        #[inline(always)]
        fn body(density: &Density, tile: &[[f64; TILE]], joint: &mut [[f64; TILE]]) {
            for (joint, &log) in joint.iter_mut().zip(&density.log_weights) {
                *joint = [log; TILE];
            }
            for (column, cells) in density.columns.iter().zip(tile) {
                column.add(cells, joint);
            }
        }
        let density = self;
        dispatch!(Level::best(), body, body, body;
            (density: &Density, tile: &[[f64; TILE]], joint: &mut [[f64; TILE]]) -> ())
    }

    /// The most probable class of one row, with the bits of a tile.
    pub(super) fn label(&self, cell: impl Fn(usize) -> f64) -> u32 {
        most(self.log_weights.iter().enumerate().map(|(c, &log)| {
            let columns = self.columns.iter().enumerate();
            columns.fold(log, |sum, (j, column)| sum + column.log(c, cell(j)))
        }))
    }
}

/// What one start came to.
pub(super) struct Outcome {
    pub(super) weights: Array1<f64>,
    pub(super) columns: Vec<LatentColumn>,
    pub(super) trace: Vec<f64>,
    pub(super) converged: bool,
    pub(super) collapsed: Vec<u32>,
}

/// Iterates until the objective changes by less than the tolerance, or `max_iter`.
pub(super) fn run(
    params: &LatentClassParams,
    cells: &Cells,
    (mut weights, mut columns): (Array1<f64>, Vec<LatentColumn>),
) -> Result<Outcome> {
    let (mut trace, mut converged) = (Vec::<f64>::new(), false);
    let mut collapsed = Vec::new();
    while trace.len() < params.max_iter && !converged {
        let stats = expect(cells, &weights, &columns);
        stats.check()?;
        let prior = log_prior(&stats, &weights, &columns, params.smoothing);
        let objective = (stats.log_likelihood + prior) / stats.weight;
        (weights, columns, collapsed) = maximise(&stats, &columns, params.smoothing);
        converged = trace
            .last()
            .is_some_and(|last| (objective - last).abs() < params.tol);
        trace.push(objective);
    }
    Ok(Outcome {
        weights,
        columns,
        trace,
        converged,
        collapsed,
    })
}

/// The E step: statistics of all rows.
pub(super) fn expect(
    cells: &Cells,
    weights: &Array1<f64>,
    columns: &[LatentColumn],
) -> LatentStats {
    let density = Density::new(weights, columns);
    collect(cells, weights, columns, |t, joint, stats| {
        let mut log_density = [0.0; TILE];
        density.joint(cells.tile(t), joint);
        posterior(joint, &mut log_density);
        stats.log_likelihood += tiles::weighted(&log_density, &cells.weights[t]);
    })
}

/// Statistics of rows whose memberships are given.
pub(super) fn given(
    cells: &Cells,
    weights: &Array1<f64>,
    columns: &[LatentColumn],
    memberships: impl Fn(usize, &mut [[f64; TILE]]) + Sync,
) -> LatentStats {
    collect(cells, weights, columns, |t, joint, _| memberships(t, joint))
}

fn collect(
    cells: &Cells,
    weights: &Array1<f64>,
    columns: &[LatentColumn],
    memberships: impl Fn(usize, &mut [[f64; TILE]], &mut LatentStats) + Sync,
) -> LatentStats {
    let empty = LatentStats::new(weights, columns);
    let task = |tiles: std::ops::Range<usize>| {
        let mut stats = empty.clone();
        let mut joint = vec![[0.0; TILE]; weights.len()];
        for t in tiles {
            memberships(t, &mut joint, &mut stats);
            stats.add(cells.tile(t), &cells.weights[t], &mut joint);
        }
        stats
    };
    cells.fold(task, empty.clone(), |mut all, part| {
        let merged = telseg_core::merge::Merge::merge(&mut all, &part);
        merged.expect("invariant: of one model");
        all
    })
}

/// Labels of the rows, their log-likelihood and the entropy of their memberships.
pub(super) fn judge(density: &Density, cells: &Cells) -> (Vec<u32>, f64, f64) {
    let k = density.log_weights.len();
    let task = |chunk: std::ops::Range<usize>| {
        let (mut joint, mut log_density) = (vec![[0.0; TILE]; k], [0.0; TILE]);
        let mut labels = vec![0; chunk.len() * TILE];
        let (mut likelihood, mut entropy) = (0.0, 0.0);
        for (t, labels) in chunk.zip(labels.chunks_mut(TILE)) {
            density.joint(cells.tile(t), &mut joint);
            tiles::labels(&joint, labels);
            posterior(&mut joint, &mut log_density);
            likelihood += tiles::weighted(&log_density, &cells.weights[t]);
            entropy += tiles::entropy(&joint, &cells.weights[t]);
        }
        (labels, likelihood, entropy)
    };
    let start = (Vec::with_capacity(cells.n_rows + TILE), 0.0, 0.0);
    let (mut labels, likelihood, entropy) = cells.fold(task, start, |mut all, part| {
        all.0.extend(part.0);
        (all.0, all.1 + part.1, all.2 + part.2)
    });
    labels.truncate(cells.n_rows);
    (labels, likelihood, entropy)
}
