//! Which candidate, and why.

use super::judge::{Judged, Vote};
use super::params::CompareParams;
use crate::kmeans::choose::APART;

/// The candidate that each measure would take; `gaps` are those that the gap's rule takes, one a method.
pub(super) fn votes(judged: &[Judged], gaps: &[usize]) -> Vec<Vote> {
    let best = |measure: &str, score: &dyn Fn(&Judged) -> Option<f64>| {
        let scores = judged
            .iter()
            .enumerate()
            .filter_map(|(at, j)| Some((at, score(j)?)));
        // Of equal ones, the first.
        let best = scores.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        Some(Vote {
            measure: measure.to_owned(),
            at: best.0,
        })
    };
    let apart = |j: &Judged| j.n_clusters >= 2;
    let mut votes = Vec::new();
    votes.extend(best("silhouette", &|j| Some(j.silhouette?.estimate)));
    votes.extend(best("Davies-Bouldin", &|j| {
        Some(-j.davies_bouldin?.estimate)
    }));
    votes.extend(best("Calinski-Harabasz", &|j| {
        Some(j.calinski_harabasz?.estimate)
    }));
    votes.extend(gaps.iter().map(|&at| Vote {
        measure: format!("gap of {}", judged[at].method),
        at,
    }));
    votes.extend(best("stability", &|j| {
        j.stability
            .as_ref()
            .filter(|_| apart(j))
            .map(|s| s.ari.estimate)
    }));
    votes
}

/// The recommended candidate, and the reason.
pub(super) fn recommend(
    judged: &[Judged],
    votes: &[Vote],
    params: &CompareParams,
) -> (Option<usize>, String) {
    let fit = |at: &usize| {
        let j = &judged[*at];
        j.problem.is_none() && j.n_clusters >= 2 && j.noise <= params.max_noise
    };
    let eligible: Vec<usize> = (0..judged.len()).filter(fit).collect();
    let confirmed = |at: &usize| judged[*at].weakest() >= params.min_confirmed;
    let pool: Vec<usize> = eligible.iter().copied().filter(confirmed).collect();
    let score = |at: usize| {
        judged[at]
            .silhouette
            .map_or(f64::NEG_INFINITY, |s| s.estimate)
    };
    let highest = |pool: &[usize]| first_max(pool, score);
    let Some(top) = highest(&pool) else {
        let weakest = |at: usize| judged[at].weakest();
        return match first_max(&eligible, weakest) {
            None => (
                None,
                format!(
                    "No candidate finds two clusters or more with at most {:.0} % noise.",
                    100.0 * params.max_noise
                ),
            ),
            Some(at) => (
                Some(at),
                format!(
                    "{}: of no candidate would other rows of the same kind confirm every cluster; this one comes nearest (the \
                     least confirmed by {:.2} of 1, {} asked for). Do not build on it.{}",
                    named(&judged[at]),
                    judged[at].weakest(),
                    params.min_confirmed,
                    dissent(judged, votes, at)
                ),
            ),
        };
    };
    let at = if score(top) >= APART {
        // Half the width of a 95 % interval is two standard errors.
        let error = judged[top]
            .silhouette
            .map_or(0.0, |s| (s.high - s.low) / 4.0);
        let near: Vec<usize> = pool
            .iter()
            .copied()
            .filter(|&at| score(at) >= score(top) - error)
            .collect();
        most(judged, &near)
            .and_then(|near| highest(&near))
            .unwrap_or(top)
    } else {
        most(judged, &pool)
            .and_then(|most| highest(&most))
            .unwrap_or(top)
    };
    let j = &judged[at];
    let why = if score(top) >= APART {
        format!(
            "its clusters lie farthest apart (silhouette {:.2}) among those that hold",
            score(at)
        )
    } else {
        "clusters run into each other (no silhouette reaches 0.5), and it has the most that all hold".to_owned()
    };
    let reason = format!(
        "{}: {why}: other rows of the same kind would confirm each (the least by {:.2} of 1, adjusted Rand index {:.2}).{}",
        named(j),
        j.weakest(),
        j.stability.as_ref().map_or(0.0, |s| s.ari.estimate),
        dissent(judged, votes, at)
    );
    (Some(at), reason)
}

/// Those of a pool with the most clusters.
fn most(judged: &[Judged], pool: &[usize]) -> Option<Vec<usize>> {
    let most = pool.iter().map(|&at| judged[at].n_clusters).max()?;
    Some(
        pool.iter()
            .copied()
            .filter(|&at| judged[at].n_clusters == most)
            .collect(),
    )
}

/// Of equal ones, the first.
fn first_max(pool: &[usize], score: impl Fn(usize) -> f64) -> Option<usize> {
    pool.iter()
        .copied()
        .reduce(|a, b| if score(b) > score(a) { b } else { a })
}

fn named(judged: &Judged) -> String {
    format!("{} with {} clusters", judged.method, judged.n_clusters)
}

/// Which measures would take another candidate.
fn dissent(judged: &[Judged], votes: &[Vote], at: usize) -> String {
    let mut by_candidate: Vec<(usize, Vec<&str>)> = Vec::new();
    for vote in votes.iter().filter(|vote| vote.at != at) {
        match by_candidate.iter_mut().find(|(other, _)| *other == vote.at) {
            Some((_, measures)) => measures.push(&vote.measure),
            None => by_candidate.push((vote.at, vec![&vote.measure])),
        }
    }
    if by_candidate.is_empty() {
        return " All measures agree.".to_owned();
    }
    let others = by_candidate.iter().map(|(other, measures)| {
        format!(
            "{} would take {}",
            measures.join(", "),
            named(&judged[*other])
        )
    });
    format!(
        " The measures disagree: {}.",
        others.collect::<Vec<_>>().join("; ")
    )
}
