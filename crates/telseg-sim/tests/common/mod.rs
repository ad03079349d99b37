//! What several tests measure with.
#![allow(dead_code, unreachable_pub)]

/// Mean and standard deviation.
pub fn moments(values: impl IntoIterator<Item = f64>) -> (f64, f64, f64) {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for x in values {
        n += 1.0;
        sum += x;
        squares += x * x;
    }
    let mean = sum / n;
    (mean, (squares / n - mean * mean).max(0.0).sqrt(), n)
}

/// Fails unless the mean of `values` is within five standard errors of `expected` and, when it is given, their
/// standard deviation within five of its own (`sd / sqrt(2 n)`, that of a normal sample).
#[track_caller]
pub fn assert_moments(
    what: &str,
    values: impl IntoIterator<Item = f64>,
    expected: f64,
    sd: Option<f64>,
) {
    let (mean, found, n) = moments(values);
    let error = sd.unwrap_or(found) / n.sqrt();
    assert!(
        (mean - expected).abs() < 5.0 * error,
        "{what}: mean {mean}, stated {expected}, standard error {error}"
    );
    if let Some(sd) = sd {
        let error = sd / (2.0 * n).sqrt();
        assert!(
            (found - sd).abs() < 5.0 * error,
            "{what}: sd {found}, stated {sd}, standard error {error}"
        );
    }
}

/// Fails unless `hits` of `n` is within five standard errors of the rate `p`.
#[track_caller]
pub fn assert_rate(what: &str, hits: impl IntoIterator<Item = bool>, p: f64) {
    let (found, _, n) = moments(hits.into_iter().map(|h| f64::from(u8::from(h))));
    let error = (p * (1.0 - p) / n).sqrt().max(1e-12);
    assert!(
        (found - p).abs() <= 5.0 * error,
        "{what}: rate {found}, stated {p}, standard error {error}"
    );
}

/// Area under the ROC curve (ties count half).
pub fn auc(scores: &[f64], positive: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut ranks, mut i) = (0.0, 0);
    while i < order.len() {
        let end = i + order[i..]
            .iter()
            .take_while(|&&j| scores[j] == scores[order[i]])
            .count();
        let rank = (i + end + 1) as f64 / 2.0;
        ranks += rank * order[i..end].iter().filter(|&&j| positive[j]).count() as f64;
        i = end;
    }
    let n = positive.iter().filter(|&&p| p).count() as f64;
    (ranks - n * (n + 1.0) / 2.0) / (n * (scores.len() as f64 - n))
}
