//! All starts on all rows, or on samples (FasterCLARA).

use telseg_core::seed::Stream;
use telseg_core::{Seed, par};

use super::distances::{Between, Distances, KEPT, Kept};
use super::init::{by_weight, start};
use super::pam::{self, CHUNK, Outcome};
use super::params::{KMedoidsParams, MedoidMethod};

/// Rows up to which all of them are used.
const FEW: usize = 5000;

/// The best of all starts, the loss of each (of each sample, on all rows), and the method that ran.
pub(super) fn run<D: Distances>(
    distances: &D,
    weights: &[f64],
    params: &KMedoidsParams,
) -> (Outcome, Vec<f64>, MedoidMethod) {
    let stream = Seed::new(params.seed).stream("kmedoids.init");
    let n = distances.n_rows();
    let method = match params.method {
        MedoidMethod::Auto if n <= FEW || matches!(params.init, super::MedoidInit::Rows(_)) => {
            MedoidMethod::Pam
        }
        MedoidMethod::Auto => MedoidMethod::Clara {
            n_samples: 5,
            sample_size: 2000.max(80 + 4 * params.n_clusters),
        },
        chosen => chosen,
    };
    let (best, losses) = match method {
        MedoidMethod::Clara {
            n_samples,
            sample_size,
        } => samples(distances, weights, params, (n_samples, sample_size.min(n))),
        _ => starts(distances, weights, params, stream),
    };
    (best, losses, method)
}

/// The best of `n_init` starts, and the loss of each.
fn starts<D: Distances>(
    distances: &D,
    weights: &[f64],
    params: &KMedoidsParams,
    stream: Stream,
) -> (Outcome, Vec<f64>) {
    match distances.n_rows() <= KEPT {
        true => started(&Kept::new(distances), weights, params, stream),
        false => started(distances, weights, params, stream),
    }
}

fn started<D: Distances>(
    distances: &D,
    weights: &[f64],
    params: &KMedoidsParams,
    stream: Stream,
) -> (Outcome, Vec<f64>) {
    let outcomes = (0..params.n_init).map(|run| {
        let mut rng = stream.index(run as u64);
        let first = start(
            distances,
            weights,
            params.n_clusters,
            &params.init,
            &mut rng,
        );
        pam::run(distances, weights, first, params.max_iter)
    });
    least(outcomes.collect())
}

/// FasterPAM on samples, each judged on all rows.
fn samples<D: Distances>(
    distances: &D,
    weights: &[f64],
    params: &KMedoidsParams,
    (n_samples, size): (usize, usize),
) -> (Outcome, Vec<f64>) {
    let seed = Seed::new(params.seed);
    let uniform: Vec<f64> = weights.iter().map(|&w| f64::from(w > 0.0)).collect();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(n_samples);
    for sample in 0..n_samples {
        let best = outcomes.iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
        let mut rows = best.map_or(Vec::new(), |best| best.medoids.clone());
        let mut others = uniform.clone();
        rows.iter().for_each(|&m| others[m] = 0.0);
        let mut rng = seed.stream("kmedoids.sample").index(sample as u64);
        rows.extend(by_weight(&others, size - rows.len().min(size), &mut rng));
        rows.sort_unstable();
        let few = Between::new(rows.len(), |a, b| distances.between(rows[a], rows[b]));
        let few_weights: Vec<f64> = rows.iter().map(|&i| weights[i]).collect();
        let stream = seed.stream("kmedoids.init").child(sample as u64);
        let (mut found, _) = starts(&few, &few_weights, params, stream);
        found.medoids.iter_mut().for_each(|m| *m = rows[*m]);
        found.loss = loss(distances, weights, &found.medoids);
        outcomes.push(found);
    }
    least(outcomes)
}

/// The outcome with the least loss, the first of equals, and all losses.
fn least(outcomes: Vec<Outcome>) -> (Outcome, Vec<f64>) {
    let losses = outcomes.iter().map(|o| o.loss).collect();
    let best = outcomes
        .into_iter()
        .min_by(|a, b| a.loss.total_cmp(&b.loss));
    (best.expect("invariant: at least one start"), losses)
}

fn loss<D: Distances>(distances: &D, weights: &[f64], medoids: &[usize]) -> f64 {
    let nearest = |o: usize| {
        let far = medoids.iter().map(|&m| distances.between(o, m));
        far.fold(f64::INFINITY, f64::min)
    };
    let part = |rows: std::ops::Range<usize>| rows.map(|o| weights[o] * nearest(o)).sum::<f64>();
    par::map(weights.len(), CHUNK, part).into_iter().sum()
}
