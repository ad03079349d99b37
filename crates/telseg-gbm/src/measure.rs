//! How good an order is: NDCG for offers, concordance for times.

use telseg_core::{Error, Result};

/// `2^y - 1`.
pub(crate) fn gain(y: f64) -> f64 {
    y.exp2() - 1.0
}

/// What a place counts, from 0: `1 / log2(place + 2)`.
pub(crate) fn discount(place: usize) -> f64 {
    1.0 / (place as f64 + 2.0).log2()
}

/// The discounted gain of the best order.
pub(crate) fn ideal_gain(y: &[f64], at: usize) -> f64 {
    let mut gains: Vec<f64> = y.iter().map(|&y| gain(y)).collect();
    gains.sort_by(|a, b| b.total_cmp(a));
    let places = gains.iter().take(at).enumerate();
    places.map(|(place, gain)| gain * discount(place)).sum()
}

/// Normalised discounted cumulative gain of the first `at` places of one group; equal scores share their places, and a
/// group in which nothing is relevant counts as 1.
///
/// `Σ (2^y - 1) / log2(place + 2)` over that of the best order.
///
/// # References
/// K. Järvelin, J. Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques".
pub(crate) fn ndcg(scores: &[f64], y: &[f64], at: usize) -> f64 {
    let ideal = ideal_gain(y, at);
    if ideal <= 0.0 {
        return 1.0;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut place, mut sum) = (0, 0.0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let mean = tied.iter().map(|&i| gain(y[i])).sum::<f64>() / tied.len() as f64;
        let places = (place..place + tied.len()).take_while(|&p| p < at);
        sum += mean * places.map(discount).sum::<f64>();
        place += tied.len();
    }
    sum / ideal
}

/// Share of comparable pairs whose order the scores have right: 1 when whoever leaves first has the highest score, 0.5
/// for chance (Harrell's C).
///
/// A pair is comparable when the shorter time ended in an event; equal scores count half. A pair weighs the product of
/// its rows' weights.
///
/// # Errors
/// When lengths differ or no pair is comparable.
///
/// # Cost
/// `n log n`.
///
/// # References
/// F. Harrell et al. (1982), "Evaluating the yield of medical tests".
///
/// # Examples
/// ```
/// // Months until they left; the last one is still with us.
/// let (months, left) = ([2.0, 5.0, 9.0, 12.0], [true, true, true, false]);
/// let risk = [0.9, 0.4, 0.6, 0.1];
/// // Of six pairs one is in the wrong order.
/// assert_eq!(telseg_gbm::concordance(&months, &left, &risk, None)?, 5.0 / 6.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn concordance(
    time: &[f64],
    event: &[bool],
    score: &[f64],
    weights: Option<&[f64]>,
) -> Result<f64> {
    let n = time.len();
    let lengths = [event.len(), score.len(), weights.map_or(n, <[f64]>::len)];
    for (what, found) in ["event", "score", "weights"].into_iter().zip(lengths) {
        if found != n {
            return Err(Error::shape(
                what,
                format!("{n} (as time)"),
                found.to_string(),
            ));
        }
    }
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    // Ranks of scores: equal ones share a rank, from 1.
    let mut by_score: Vec<usize> = (0..n).collect();
    by_score.sort_by(|&a, &b| score[a].total_cmp(&score[b]));
    let mut rank = vec![0; n];
    for (r, tied) in by_score.chunk_by(|&a, &b| score[a] == score[b]).enumerate() {
        tied.iter().for_each(|&i| rank[i] = r + 1);
    }
    let mut by_time: Vec<usize> = (0..n).collect();
    by_time.sort_by(|&a, &b| time[b].total_cmp(&time[a]));
    // Weights of rows that last longer, by rank (a Fenwick tree).
    let mut longer = vec![0.0; n + 1];
    let (mut right, mut total) = (0.0, 0.0);
    for tied in by_time.chunk_by(|&a, &b| time[a] == time[b]) {
        for &i in tied.iter().filter(|&&i| event[i]) {
            let upto = |rank: usize| {
                let (mut at, mut sum) = (rank, 0.0);
                while at > 0 {
                    sum += longer[at];
                    at &= at - 1;
                }
                sum
            };
            let (below, same, all) = (upto(rank[i] - 1), upto(rank[i]), upto(n));
            right += weight(i) * (below + 0.5 * (same - below));
            total += weight(i) * all;
        }
        for &i in tied {
            let mut at = rank[i];
            while at <= n {
                longer[at] += weight(i);
                at += at & at.wrapping_neg();
            }
        }
    }
    if total > 0.0 {
        return Ok(right / total);
    }
    Err(Error::data(
        "event",
        "no two rows can be compared: none that ended was outlasted",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_by_hand() {
        // Gains 3, 0, 1 at places 1, 0, 2; the best order has 3 and 1 in front.
        let found = ndcg(&[0.5, 0.9, 0.1], &[2.0, 0.0, 1.0], 3);
        let (second, third) = (1.0 / 3f64.log2(), 0.5);
        assert!((found - (3.0 * second + third) / (3.0 + second)).abs() < 1e-12);
        assert!((ndcg(&[0.5, 0.9, 0.1], &[2.0, 0.0, 1.0], 1)).abs() < 1e-12);
        // Equal scores share their places: half of each.
        let tied = ndcg(&[1.0, 1.0], &[1.0, 0.0], 2);
        assert!((tied - 0.5 * (1.0 + second)).abs() < 1e-12);
        assert_eq!(ndcg(&[1.0, 2.0], &[0.0, 0.0], 2), 1.0);
    }

    #[test]
    fn concordance_is_a_count_of_pairs() {
        let n = 60;
        let time: Vec<f64> = (0..n).map(|i| f64::from(i * 7 % 23)).collect();
        let event: Vec<bool> = (0..n).map(|i| i % 3 != 0).collect();
        let score: Vec<f64> = (0..n).map(|i| f64::from(i * 11 % 17)).collect();
        let weights: Vec<f64> = (0..n).map(|i| f64::from(1 + i % 4)).collect();
        let (mut right, mut total) = (0.0, 0.0);
        for i in 0..n as usize {
            for j in 0..n as usize {
                if event[i] && time[i] < time[j] {
                    let w = weights[i] * weights[j];
                    total += w;
                    right += w * match score[i].total_cmp(&score[j]) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
        }
        let found = concordance(&time, &event, &score, Some(&weights)).unwrap();
        assert!((found - right / total).abs() < 1e-12);
        assert!(concordance(&[1.0, 2.0], &[false, true], &[0.0, 0.0], None).is_err());
        let error = concordance(&[1.0], &[true], &[], None).unwrap_err();
        assert_eq!(error.to_string(), "score: expected 1 (as time), found 0");
    }
}
