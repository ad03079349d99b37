//! The closest sequence that never falls.

/// Weighted least squares under the rule that no value is below the one before it: neighbours in the wrong order are
/// pooled. Returns how many values each pool holds.
///
/// M. Ayer and others (1955), "An empirical distribution function for sampling with incomplete information". A value
/// without weight counts next to nothing, so that it follows its neighbours.
pub(crate) fn isotonic(values: &mut [f64], weights: &[f64]) -> Vec<usize> {
    // Each pool: mean, weight, and how many values.
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(values.len());
    for (&value, &weight) in values.iter().zip(weights) {
        let mut pool = (value, weight.max(f64::MIN_POSITIVE.sqrt()), 1);
        while let Some(&(mean, w, n)) = pools.last().filter(|last| last.0 >= pool.0) {
            let total = w + pool.1;
            pool = ((mean * w + pool.0 * pool.1) / total, total, n + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let mut at = 0;
    for &(mean, _, n) in &pools {
        values[at..at + n].fill(mean);
        at += n;
    }
    pools.into_iter().map(|pool| pool.2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_wrong_order_is_pooled() {
        // 3 and 1 pool to (3 * 1 + 1 * 3) / 4 = 1.5, which stays below 2 and above 1.
        let mut values = [1.0, 3.0, 1.0, 2.0, 5.0];
        assert_eq!(
            isotonic(&mut values, &[1.0, 1.0, 3.0, 1.0, 1.0]),
            [1, 2, 1, 1]
        );
        assert_eq!(values, [1.0, 1.5, 1.5, 2.0, 5.0]);
        let mut falling = [3.0, 2.0, 1.0];
        isotonic(&mut falling, &[1.0, 1.0, 2.0]);
        assert_eq!(falling, [1.75; 3]);
        let mut unknown = [2.0, 9.0, 1.0];
        isotonic(&mut unknown, &[1.0, 0.0, 1.0]);
        assert!(
            unknown.iter().all(|v| (v - 1.5).abs() < 1e-12),
            "{unknown:?}"
        );
    }
}
