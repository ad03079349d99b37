//! The false discovery rate of many statements.

/// Benjamini-Hochberg adjusted p-values, in the order of `p`: refusing those above `q` keeps the expected part of false
/// statements among the accepted ones at or below `q`.
///
/// `q_(i) = min over j >= i of m p_(j) / j`.
///
/// # References
/// Y. Benjamini, Y. Hochberg (1995), "Controlling the false discovery rate".
pub(crate) fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        least = least.min(p[i] * p.len() as f64 / (rank + 1) as f64);
        q[i] = least;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusts_by_hand() {
        // m = 4: 0.01*4/1 = 0.04; 0.02*4/2 = 0.04; 0.03*4/3 = 0.04; 0.5*4/4 = 0.5.
        let q = benjamini_hochberg(&[0.02, 0.5, 0.01, 0.03]);
        for (q, expected) in q.iter().zip([0.04, 0.5, 0.04, 0.04]) {
            assert!((q - expected).abs() < 1e-15);
        }
        // 0.04*2/1 = 0.08 is capped by the larger p: 0.05*2/2 = 0.05.
        assert_eq!(benjamini_hochberg(&[0.04, 0.05]), [0.05, 0.05]);
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
