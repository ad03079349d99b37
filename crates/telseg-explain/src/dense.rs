//! Small symmetric systems: what weighted least squares and conditional means come down to.

/// The lower factor of a positive definite matrix.
#[derive(Clone, Debug)]
pub(crate) struct Cholesky {
    n: usize,
    /// Rows of the factor, the upper triangle unused.
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors the matrix of which `at(i, j)` is the lower triangle; `None` where it is not positive definite to within
    /// rounding.
    pub(crate) fn new(n: usize, at: impl Fn(usize, usize) -> f64) -> Option<Self> {
        let mut lower = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
                let rest = at(i, j) - known;
                if i > j {
                    lower[i * n + j] = rest / lower[j * n + j];
                } else if rest > 1e-12 * at(i, i).abs() && rest.is_finite() {
                    lower[i * n + i] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self { n, lower })
    }

    /// The solution of `A x = b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, l) = (self.n, &self.lower);
        let mut x = b.to_vec();
        for i in 0..n {
            let known: f64 = (0..i).map(|k| l[i * n + k] * x[k]).sum();
            x[i] = (x[i] - known) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] = (x[i] - known) / l[i * n + i];
        }
        x
    }
}

/// `a . b`
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_can_be_solved() {
        let a = [[4.0, 2.0], [2.0, 3.0]];
        let factor = Cholesky::new(2, |i, j| a[i][j]).expect("positive definite");
        let x = factor.solve(&[8.0, 8.0]); // 4 x + 2 y = 8, 2 x + 3 y = 8
        assert!((x[0] - 1.0).abs() < 1e-15 && (x[1] - 2.0).abs() < 1e-15);
        let singular = [[1.0, 1.0], [1.0, 1.0]];
        assert!(Cholesky::new(2, |i, j| singular[i][j]).is_none());
        assert!(Cholesky::new(1, |_, _| f64::NAN).is_none());
        assert!(Cholesky::new(0, |_, _| 0.0).is_some());
    }
}
