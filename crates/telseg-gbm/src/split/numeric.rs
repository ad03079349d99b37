//! Ordered bins: every cut, with missing values on either side.

use telseg_core::trees::Side;

use super::{BinSet, Candidate, Reader, Rules, Sums, larger};

/// Scores of all cuts whose left sums are given, written to `scores`; a cut that breaks a rule scores -1.
#[inline(always)]
fn score_all(
    left_sums: &[u64],
    (packed, _): (u64, Sums),
    reader: Reader,
    rules: &Rules,
    scores: &mut [f64],
) {
    for (score, &left) in scores.iter_mut().zip(left_sums) {
        let l = reader.read(left);
        let r = reader.read(packed.wrapping_sub(left));
        let fine = (l.h.min(r.h) >= rules.min_hessian) & (l.n.min(r.n) >= rules.min_rows);
        let (hl, hr) = (l.h + rules.l2, r.h + rules.l2);
        // One division for two fractions.
        let both = (rules.squared(l.g) * hr + rules.squared(r.g) * hl) / (hl * hr);
        *score = if fine { both } else { -1.0 };
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn score_all_avx2(
    left_sums: &[u64],
    node: (u64, Sums),
    reader: Reader,
    rules: &Rules,
    scores: &mut [f64],
) {
    score_all(left_sums, node, reader, rules, scores);
}

#[allow(unsafe_code)]
pub(super) fn score(
    left_sums: &[u64],
    node: (u64, Sums),
    reader: Reader,
    rules: &Rules,
    scores: &mut [f64],
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just said that it has these instructions.
        return unsafe { score_all_avx2(left_sums, node, reader, rules, scores) };
    }
    score_all(left_sums, node, reader, rules, scores);
}

/// The best cut of a column: `cells[0]` holds the missing values, the others the bins in order.
pub(super) fn best(
    cells: &[u64],
    node: (u64, Sums),
    reader: Reader,
    rules: &Rules,
) -> Option<Candidate> {
    let score = |sums: &[u64], scores: &mut [f64]| score(sums, node, reader, rules, scores);
    best_by(cells, node, reader, score)
}

/// The same by any score, which is negative for a cut that breaks a rule.
pub(super) fn best_by(
    cells: &[u64],
    node: (u64, Sums),
    reader: Reader,
    score: impl Fn(&[u64], &mut [f64]),
) -> Option<Candidate> {
    let n_bins = cells.len() - 1;
    let missing = cells[0];
    // sums[i]: all bins up to i + 1. The last one has everything but the missing values.
    let (mut sums, mut scores) = ([0u64; 256], [0.0f64; 256]);
    let mut sum = 0u64;
    for (out, &cell) in sums.iter_mut().zip(&cells[1..]) {
        sum = sum.wrapping_add(cell);
        *out = sum;
    }
    // With missing values, "is it known?" is a question too; without, the last cut would leave nothing on the right.
    let n_cuts = if missing == 0 { n_bins - 1 } else { n_bins };
    let mut found = (-1.0, 0, Side::Right);
    let mut keep = |scores: &[f64], side| {
        for (i, &score) in scores.iter().enumerate() {
            if score > found.0 {
                found = (score, i, side);
            }
        }
    };
    score(&sums[..n_cuts], &mut scores[..n_cuts]);
    keep(&scores[..n_cuts], Side::Right);
    if missing != 0 && n_bins > 1 {
        sums.iter_mut().for_each(|s| *s = s.wrapping_add(missing));
        score(&sums[..n_bins - 1], &mut scores[..n_bins - 1]);
        keep(&scores[..n_bins - 1], Side::Left);
    }
    let (score, at, mut side) = found;
    if score < 0.0 {
        return None;
    }
    let mut left_sum = cells[1..=at + 1]
        .iter()
        .fold(0u64, |sum, c| sum.wrapping_add(*c));
    if missing == 0 {
        side = larger(reader.read(left_sum).n, node.1.n);
    }
    let mut left = BinSet::default();
    (1..=at + 1).for_each(|bin| left.insert(bin));
    if side == Side::Left {
        left.insert(0);
        left_sum = left_sum.wrapping_add(missing);
    }
    Some(Candidate {
        score,
        left,
        last_bin: Some(at + 1),
        missing: side,
        left_sum,
        subset: false,
    })
}
