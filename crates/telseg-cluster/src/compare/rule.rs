//! Which candidate, and why.

use super::judge::{Judged, Vote};
use super::params::CompareParams;
use crate::choose::APART;

/// Measures that compare candidates with each other, as they are called in a sentence.
const MEASURES: [&str; 4] = [
    "silhouette",
    "Davies-Bouldin",
    "Calinski-Harabasz",
    "stability",
];

/// What a measure says of a candidate, higher for better.
fn score(measure: &str, judged: &Judged) -> Option<f64> {
    match measure {
        "silhouette" => Some(judged.silhouette?.estimate),
        "Davies-Bouldin" => Some(-judged.davies_bouldin?.estimate),
        "Calinski-Harabasz" => Some(judged.calinski_harabasz?.estimate),
        _ => judged
            .stability
            .as_ref()
            .filter(|_| judged.n_clusters >= 2)
            .map(|s| s.ari.estimate),
    }
}

/// The candidate that each measure would take; `gaps` are those that the gap's rule takes, one a method.
pub(super) fn votes(judged: &[Judged], gaps: &[usize]) -> Vec<Vote> {
    let best = |measure: &str| {
        let scores = judged
            .iter()
            .enumerate()
            .filter_map(|(at, j)| Some((at, score(measure, j)?)));
        // Of equal ones, the first.
        let (at, _) = scores.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        Some(Vote {
            measure: measure.to_owned(),
            at,
        })
    };
    let gap = |&at: &usize| Vote {
        measure: format!("gap of {}", judged[at].method),
        at,
    };
    MEASURES
        .into_iter()
        .filter_map(best)
        .chain(gaps.iter().map(gap))
        .collect()
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
    let apart = |at: usize| score("silhouette", &judged[at]).unwrap_or(f64::NEG_INFINITY);
    let highest = |pool: &[usize]| first_max(pool, apart);
    let Some(top) = highest(&pool) else {
        return least_bad(judged, &eligible, votes, params);
    };
    let at = if apart(top) >= APART {
        // Half the width of a 95 % interval is two standard errors.
        let error = judged[top]
            .silhouette
            .map_or(0.0, |s| (s.high - s.low) / 4.0);
        let near: Vec<usize> = pool
            .iter()
            .copied()
            .filter(|&at| apart(at) >= apart(top) - error)
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
    let why = if apart(top) >= APART {
        format!(
            "its clusters lie farthest apart (silhouette {:.2}) among those that hold",
            apart(at)
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

/// Where no candidate is confirmed in all its clusters.
fn least_bad(
    judged: &[Judged],
    eligible: &[usize],
    votes: &[Vote],
    params: &CompareParams,
) -> (Option<usize>, String) {
    let Some(at) = first_max(eligible, |at| judged[at].weakest()) else {
        let most = 100.0 * params.max_noise;
        let reason =
            format!("No candidate finds two clusters or more with at most {most:.0} % noise.");
        return (None, reason);
    };
    let reason = format!(
        "{}: of no candidate would other rows of the same kind confirm every cluster; this one comes nearest (the least \
         confirmed by {:.2} of 1, {} asked for). Do not build on it.{}",
        named(&judged[at]),
        judged[at].weakest(),
        params.min_confirmed,
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

/// Which measures would take another candidate, and not merely one that they find as good.
fn dissent(judged: &[Judged], votes: &[Vote], at: usize) -> String {
    let agrees = |vote: &Vote| {
        if !MEASURES.contains(&vote.measure.as_str()) {
            // A gap compares numbers of clusters, not methods.
            return judged[vote.at].n_clusters == judged[at].n_clusters;
        }
        let of = |at: usize| score(&vote.measure, &judged[at]);
        match (of(at), of(vote.at)) {
            (Some(own), Some(best)) => best - own <= 1e-9 * best.abs(),
            _ => false,
        }
    };
    let mut by_candidate: Vec<(usize, Vec<&str>)> = Vec::new();
    for vote in votes.iter().filter(|vote| !agrees(vote)) {
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
            measures.join(" and "),
            named(&judged[*other])
        )
    });
    format!(
        " The measures disagree: {}.",
        others.collect::<Vec<_>>().join("; ")
    )
}
