//! Cholesky factors of small symmetric matrices, in double precision.

use ndarray::{Array2, ArrayRef2};

/// `L` with `matrix = L L^T`, lower triangular; `None` where the matrix is not positive definite.
pub(super) fn factor(matrix: &ArrayRef2<f64>) -> Option<Array2<f64>> {
    let d = matrix.nrows();
    let mut lower = Array2::zeros((d, d));
    for i in 0..d {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| lower[[i, k]] * lower[[j, k]]).sum();
            let rest = matrix[[i, j]] - inner;
            if i == j {
                // Less than rounding leaves of a variance is no variance.
                if !(rest > 4.0 * f64::EPSILON * matrix[[i, i]] && rest.is_finite()) {
                    return None;
                }
                lower[[i, i]] = rest.sqrt();
            } else {
                lower[[i, j]] = rest / lower[[j, j]];
            }
        }
    }
    Some(lower)
}

/// The inverse of a lower triangular matrix, itself lower triangular.
pub(super) fn invert(lower: &ArrayRef2<f64>) -> Array2<f64> {
    let d = lower.nrows();
    let mut inverse = Array2::zeros((d, d));
    for j in 0..d {
        inverse[[j, j]] = 1.0 / lower[[j, j]];
        for i in j + 1..d {
            let inner: f64 = (j..i).map(|k| lower[[i, k]] * inverse[[k, j]]).sum();
            inverse[[i, j]] = -inner / lower[[i, i]];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn factors_and_inverts() {
        // [2 0; 1 3] times its transpose.
        let lower = factor(&array![[4.0, 2.0], [2.0, 10.0]]).unwrap();
        assert_eq!(lower, array![[2.0, 0.0], [1.0, 3.0]]);
        assert_eq!(invert(&lower), array![[0.5, 0.0], [-1.0 / 6.0, 1.0 / 3.0]]);
        assert!(factor(&array![[1.0, 2.0], [2.0, 1.0]]).is_none());
        assert!(factor(&array![[0.0]]).is_none());
        assert!(factor(&array![[f64::NAN]]).is_none());
    }
}
