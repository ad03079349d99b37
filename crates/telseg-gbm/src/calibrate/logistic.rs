//! Logistic regression on a few numbers a row, by Newton's method.

/// Steps at most; some ten are usual, and only perfectly parted classes use all.
const STEPS: usize = 100;
/// Halvings of a step that does not lower the loss.
const HALVINGS: usize = 30;

/// Coefficients that minimise the weighted logistic loss of the targets (0 to 1); `row` yields the numbers of a row, with
/// its target and its weight.
///
/// A fixed coefficient is one with `free` false: it stays 0.
#[allow(clippy::needless_range_loop)] // indices are those of the formulas
pub(super) fn logistic<const K: usize>(
    n: usize,
    row: impl Fn(usize) -> ([f64; K], f64, f64),
    free: [bool; K],
) -> [f64; K] {
    let loss = |beta: &[f64; K]| -> f64 {
        let of = |i: usize| {
            let (x, t, w) = row(i);
            let s = dot(&x, beta);
            // ln(1 + e^s) - t s, without overflow.
            w * (s.max(0.0) + (-s.abs()).exp().ln_1p() - t * s)
        };
        (0..n).map(of).sum()
    };
    let mut beta = [0.0; K];
    let mut before = loss(&beta);
    for _ in 0..STEPS {
        let (mut gradient, mut hessian) = ([0.0; K], [[0.0; K]; K]);
        for i in 0..n {
            let (x, t, w) = row(i);
            let p = 1.0 / (1.0 + (-dot(&x, &beta)).exp());
            for a in 0..K {
                gradient[a] += w * (p - t) * x[a];
                for b in 0..K {
                    hessian[a][b] += w * p * (1.0 - p) * x[a] * x[b];
                }
            }
        }
        for a in 0..K {
            if free[a] {
                // Keeps the system solvable where a number never varies; too small to be seen otherwise.
                hessian[a][a] = hessian[a][a] * (1.0 + 1e-12) + 1e-12;
                continue;
            }
            gradient[a] = 0.0;
            hessian[a] = [0.0; K];
            hessian.iter_mut().for_each(|r| r[a] = 0.0);
            hessian[a][a] = 1.0;
        }
        let step = solve(hessian, gradient);
        let mut share = 1.0;
        let better = (0..HALVINGS).find_map(|_| {
            let next: [f64; K] = std::array::from_fn(|a| beta[a] - share * step[a]);
            share *= 0.5;
            let after = loss(&next);
            (after < before).then_some((next, after))
        });
        let Some((next, after)) = better else {
            break; // the loss is as low as it gets
        };
        (beta, before) = (next, after);
    }
    beta
}

fn dot<const K: usize>(x: &[f64; K], beta: &[f64; K]) -> f64 {
    x.iter().zip(beta).map(|(a, b)| a * b).sum()
}

/// Solves a positive definite system by elimination.
#[allow(clippy::needless_range_loop)] // indices are those of the formulas
fn solve<const K: usize>(mut a: [[f64; K]; K], mut b: [f64; K]) -> [f64; K] {
    for pivot in 0..K {
        for row in pivot + 1..K {
            let factor = a[row][pivot] / a[pivot][pivot];
            for column in pivot..K {
                a[row][column] -= factor * a[pivot][column];
            }
            b[row] -= factor * b[pivot];
        }
    }
    for row in (0..K).rev() {
        for column in row + 1..K {
            b[row] -= a[row][column] * b[column];
        }
        b[row] /= a[row][row];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_system() {
        // 4 x + y = 9, x + 3 y = 5: x = 2, y = 1.
        assert_eq!(solve([[4.0, 1.0], [1.0, 3.0]], [9.0, 5.0]), [2.0, 1.0]);
    }

    #[test]
    fn the_intercept_alone_is_the_log_odds() {
        let found = logistic(4, |i| ([1.0], if i == 0 { 1.0 } else { 0.0 }, 1.0), [true]);
        assert!((found[0] - (1.0f64 / 3.0).ln()).abs() < 1e-9);
    }
}
