//! Iterations of E and M steps from one start.

use telseg_core::kernel::{TILE, posterior};
use telseg_core::{Result, Scalar};

use super::density::{Density, Parameters};
use super::params::GaussianMixtureParams;
use super::stats::{Rows, expect};
use super::update::maximise;
use crate::mixture::tiles;

/// What one start came to.
pub(super) struct Outcome<F> {
    pub(super) parameters: Parameters,
    pub(super) density: Density<F>,
    pub(super) trace: Vec<f64>,
    pub(super) converged: bool,
    pub(super) collapsed: Vec<u32>,
}

/// Iterates until the mean log-likelihood of a row changes by less than the tolerance, or `max_iter`.
pub(super) fn run<F: Scalar>(
    params: &GaussianMixtureParams,
    rows: &Rows<F>,
    shift: &[F],
    start: Parameters,
) -> Result<Outcome<F>> {
    let mut density = Density::new(&start, shift)?;
    let (mut parameters, mut collapsed) = (start, Vec::new());
    let (mut trace, mut converged) = (Vec::<f64>::new(), false);
    while trace.len() < params.max_iter && !converged {
        let stats = expect(&density, params.covariance, rows);
        stats.check()?;
        let likelihood = stats.log_likelihood / stats.weight;
        (parameters, collapsed) = maximise(&stats, &parameters, shift, params.reg_covar);
        density = Density::new(&parameters, shift)?;
        converged = trace
            .last()
            .is_some_and(|last| (likelihood - last).abs() < params.tol);
        trace.push(likelihood);
    }
    Ok(Outcome {
        parameters,
        density,
        trace,
        converged,
        collapsed,
    })
}

/// Labels of the rows, their log-likelihood and the entropy of their memberships.
pub(super) fn judge<F: Scalar>(density: &Density<F>, rows: &Rows<F>) -> (Vec<u32>, f64, f64) {
    let task = |chunk: std::ops::Range<usize>| {
        let mut work = density.work();
        let mut labels = vec![0; chunk.len() * TILE];
        let (mut likelihood, mut entropy) = (0.0, 0.0);
        for (t, labels) in chunk.zip(labels.chunks_mut(TILE)) {
            density.joint(rows.packed.tile(t).0, &mut work);
            tiles::labels(&work.joint, labels);
            posterior(&mut work.joint, &mut work.log_density);
            likelihood += tiles::weighted(&work.log_density, &rows.weights[t]);
            entropy += tiles::entropy(&work.joint, &rows.weights[t]);
        }
        (labels, likelihood, entropy)
    };
    let n_rows = rows.packed.n_rows();
    let start = (Vec::with_capacity(n_rows + TILE), 0.0, 0.0);
    let (mut labels, likelihood, entropy) = rows.fold(task, start, |mut all, part| {
        all.0.extend(part.0);
        (all.0, all.1 + part.1, all.2 + part.2)
    });
    labels.truncate(n_rows);
    (labels, likelihood, entropy)
}
