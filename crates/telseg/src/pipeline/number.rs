//! How many segments, by each method's own judgement.

use std::ops::RangeInclusive;

use ndarray::{Array1, Array2, Axis};
use telseg_cluster::choose::judge;
use telseg_cluster::{
    Candidate, ChooseParams, Criterion, GaussianMixture, LatentClass, MixtureCandidate,
    MixtureChoice,
};
use telseg_core::{Progress, Result, Seed};

use super::method::{Found, families};
use super::segment::Rows;
use super::{Method, Pipeline};
use crate::report::{Interval, KCandidate};
use crate::run::SegmentModel;

/// Rows that methods without a likelihood are judged on: they are fitted anew dozens of times.
const N_SAMPLE: usize = 2000;

/// Pairs of halves that these are clustered in.
const N_RESAMPLES: usize = 4;

/// Segments, the numbers that were tried, and why this one.
pub(super) struct Chosen {
    pub(super) found: Found,
    pub(super) candidates: Vec<KCandidate>,
    pub(super) reason: String,
}

/// Finds as many segments among `ks` as the method itself speaks for: mixtures by the completed likelihood (ICL), others
/// by how their own segments lie apart and are confirmed by other subscribers.
pub(super) fn choose(
    pipeline: &Pipeline,
    ks: RangeInclusive<usize>,
    rows: &Rows<'_>,
    progress: &dyn Progress,
) -> Result<Chosen> {
    let (x, seed) = (rows.own, pipeline.seed);
    match pipeline.method {
        Method::GaussianMixture => {
            let params = GaussianMixture::params(*ks.start()).with_seed(seed);
            let choice = params.choose(ks, x, Criterion::Icl)?;
            let labels = choice.model.labels().clone();
            let model = |model| SegmentModel::Gaussian(Box::new(model));
            Ok(by_likelihood(choice, labels, model, pipeline.method))
        }
        Method::LatentClasses => {
            let families = families(rows.encoder, x.ncols());
            let params = LatentClass::params(*ks.start(), families).with_seed(seed);
            let choice = params.choose(ks, x, Criterion::Icl)?;
            let labels = choice.model.labels().clone();
            let model = |model| SegmentModel::Latent(Box::new(model));
            Ok(by_likelihood(choice, labels, model, pipeline.method))
        }
        method => by_judges(method, ks, rows, seed, progress),
    }
}

fn by_likelihood<M>(
    choice: MixtureChoice<M>,
    labels: Array1<u32>,
    model: impl Fn(M) -> SegmentModel,
    method: Method,
) -> Chosen {
    let tried = &choice.candidates;
    let icl = |c: &MixtureCandidate| c.criteria.icl;
    let others = tried.iter().filter(|c| !c.chosen);
    let next = others.min_by(|a, b| icl(a).total_cmp(&icl(b)));
    let reason = match (tried.iter().find(|c| c.chosen), next) {
        (Some(chosen), Some(next)) => format!(
            "{} segments: of {} to {}, {} with these describes the subscribers best for what it costs in parameters and \
             doubt (completed likelihood, ICL; {} segments come next, {:.1} behind).",
            chosen.n_components,
            tried[0].n_components,
            tried[tried.len() - 1].n_components,
            method.name(),
            next.n_components,
            icl(next) - icl(chosen)
        ),
        _ => String::new(),
    };
    let candidate = |c: &MixtureCandidate| KCandidate {
        k: c.n_components as u32,
        inertia: f64::NAN,
        icl: Some(c.criteria.icl),
        chosen: c.chosen,
        ..KCandidate::default()
    };
    Chosen {
        candidates: choice.candidates.iter().map(candidate).collect(),
        reason,
        found: Found {
            model: model(choice.model),
            labels,
        },
    }
}

fn by_judges(
    method: Method,
    ks: RangeInclusive<usize>,
    rows: &Rows<'_>,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Chosen> {
    let n = rows.x.nrows();
    let ks = method.feasible(ks, n);
    let places = sample(n, seed);
    let share = places.len() as f64 / n as f64;
    let (x, own) = (
        rows.x.select(Axis(0), &places),
        rows.own.select(Axis(0), &places),
    );
    let fit = |k: usize, own: &Array2<f32>, share: f64| {
        method.for_share(share).fit(k, own, rows.encoder, seed)
    };
    let whole = || {
        ks.clone()
            .map(|k| Ok(fit(k, &own, share)?.labels))
            .collect()
    };
    let half = |half: &[usize]| {
        let rows = own.select(Axis(0), half);
        let label = |k| fit(k, &rows, share / 2.0)?.model.predict(&own);
        ks.clone().map(label).collect()
    };
    let params = ChooseParams::default()
        .with_n_resamples(N_RESAMPLES)
        .with_seed(seed);
    let judged = judge(&x, ks.clone(), &params, whole, half, progress)?;
    let k = judged.candidates[judged.chosen].k;
    Ok(Chosen {
        found: method.fit(k, rows.own, rows.encoder, seed)?,
        candidates: judged.candidates.iter().map(candidate).collect(),
        reason: judged.reason,
    })
}

/// Ascending rows that are judged.
fn sample(n: usize, seed: u64) -> Vec<usize> {
    let stream = Seed::new(seed).stream("segments.number");
    let mut rows: Vec<usize> = (0..n).collect();
    rows.sort_by_key(|&i| stream.bits(i as u64));
    rows.truncate(N_SAMPLE);
    rows.sort_unstable();
    rows
}

/// A number that was judged, in the form that the report shows.
pub(super) fn candidate(c: &Candidate) -> KCandidate {
    let interval = |i: telseg_core::metrics::Interval| Interval::new(i.estimate, i.low, i.high);
    KCandidate {
        k: c.k as u32,
        inertia: c.inertia,
        silhouette: Some(interval(c.silhouette)),
        stability: Some(interval(c.stability)),
        chosen: c.chosen,
        ..KCandidate::default()
    }
}
