//! The path of lasso solutions by least angle regression (Efron et al. 2004), from products of columns alone.

use crate::dense::Cholesky;

/// The coefficients where the path bends, from none to least squares. `products(i, j)` is the product of two columns,
/// `toward` that of each with what is to be fitted.
pub(super) fn path(products: impl Fn(usize, usize) -> f64, toward: &[f64]) -> Vec<Vec<f64>> {
    let n = toward.len();
    let mut beta = vec![0.0; n];
    let mut bends = vec![beta.clone()];
    let mut active: Vec<usize> = Vec::new();
    let mut dropped = None;
    let start = toward.iter().fold(0.0f64, |m, c| m.max(c.abs()));
    for _ in 0..8 * n {
        let fitted = |i: usize| (0..n).map(|j| products(i, j) * beta[j]).sum::<f64>();
        let left: Vec<f64> = (0..n).map(|i| toward[i] - fitted(i)).collect();
        let inactive =
            |i: &usize| !active.contains(i) && Some(*i) != dropped && products(*i, *i) > 0.0;
        let most = (0..n)
            .filter(inactive)
            .max_by(|&a, &b| left[a].abs().total_cmp(&left[b].abs()));
        let level = |i: usize| left[i].abs();
        // After a drop the way goes on with those that are left.
        if dropped.is_none() {
            match most {
                Some(next) if level(next) > 1e-12 * start => active.push(next),
                _ if active.is_empty() => break,
                _ => {}
            }
        }
        let Some(&first) = active.first() else { break };
        let height = level(first);
        if height <= 1e-12 * start {
            break;
        }
        let signs: Vec<f64> = active.iter().map(|&i| left[i].signum()).collect();
        let Some(factor) = Cholesky::new(active.len(), |i, j| products(active[i], active[j]))
        else {
            active.pop(); // it repeats the others
            break;
        };
        let way = factor.solve(&signs);
        let falls = |i: usize| {
            active
                .iter()
                .zip(&way)
                .map(|(&j, w)| products(i, j) * w)
                .sum::<f64>()
        };
        let mut step = height;
        for i in
            (0..n).filter(|i| !active.contains(i) && Some(*i) != dropped && products(*i, *i) > 0.0)
        {
            let fall = falls(i);
            for meets in [
                (height - left[i]) / (1.0 - fall),
                (height + left[i]) / (1.0 + fall),
            ] {
                if meets > 1e-14 * height && meets < step {
                    step = meets;
                }
            }
        }
        let zero = |(&i, w): (&usize, &f64)| (i, -beta[i] / w);
        let leaves = active
            .iter()
            .zip(&way)
            .map(zero)
            .filter(|(_, at)| *at > 0.0 && *at < step);
        let leaves = leaves.min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((_, at)) = leaves {
            step = at;
        }
        active
            .iter()
            .zip(&way)
            .for_each(|(&i, w)| beta[i] += step * w);
        dropped = leaves.map(|(i, _)| i);
        if let Some(i) = dropped {
            beta[i] = 0.0;
            active.retain(|&j| j != i);
        }
        bends.push(beta.clone());
    }
    bends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_columns_shrink_alike() {
        // beta_j = sign(c_j) (|c_j| - lambda)+ for columns of length 1: bends at lambda = 3, 2, 1, 0.
        let bends = path(|i, j| if i == j { 1.0 } else { 0.0 }, &[2.0, -3.0, 1.0]);
        let expected = [
            [0.0, 0.0, 0.0],
            [0.0, -1.0, 0.0],
            [1.0, -2.0, 0.0],
            [2.0, -3.0, 1.0],
        ];
        assert_eq!(bends.len(), 4);
        for (bend, expected) in bends.iter().zip(expected) {
            assert!(
                bend.iter()
                    .zip(expected)
                    .all(|(b, e)| (b - e).abs() < 1e-12),
                "{bends:?}"
            );
        }
    }

    #[test]
    fn every_bend_is_a_lasso_solution() {
        // At a bend with penalty l: |c_j - (G b)_j| = l for the active, at most l for the others (Karush-Kuhn-Tucker).
        let rows = [
            [1.0, 0.9, 0.2],
            [0.3, -0.5, 1.0],
            [-1.0, -0.8, 0.1],
            [0.4, 1.2, -1.0],
            [0.1, 0.3, 0.7],
        ];
        let y = [1.0, -0.4, -0.3, 0.2, 0.9];
        let g = |i: usize, j: usize| rows.iter().map(|r| r[i] * r[j]).sum::<f64>();
        let toward: Vec<f64> = (0..3)
            .map(|i| rows.iter().zip(y).map(|(r, y)| r[i] * y).sum())
            .collect();
        let bends = path(g, &toward);
        for bend in &bends {
            let left: Vec<f64> = (0..3)
                .map(|i| toward[i] - (0..3).map(|j| g(i, j) * bend[j]).sum::<f64>())
                .collect();
            let level = left.iter().fold(0.0f64, |m, l| m.max(l.abs()));
            for (l, b) in left.iter().zip(bend) {
                assert!(
                    *b == 0.0 || (l * b.signum() - level).abs() < 1e-10,
                    "{bends:?}"
                );
            }
        }
        let end: f64 = (0..3)
            .map(|i| {
                (toward[i]
                    - (0..3)
                        .map(|j| g(i, j) * bends[bends.len() - 1][j])
                        .sum::<f64>())
                .abs()
            })
            .sum();
        assert!(end < 1e-10);
    }
}
