//! The matrix product, for shapes where a real one is needed.

use ndarray::ArrayRef2;
use ndarray::linalg::general_mat_mul;
use rayon::prelude::*;

use crate::{Error, Result, Scalar};

/// Rows of `a` that one task multiplies: a constant, so that the bits do not depend on the number of threads.
const ROWS: usize = 256;

/// `out = a b`, in parallel over blocks of rows of `a`. Any strides.
///
/// # Shapes
/// `a`: m by k, `b`: k by n, `out`: m by n.
///
/// # Errors
/// When the shapes do not fit.
///
/// # Cost
/// `2 m k n` floating point operations, no allocation of its own size.
pub fn matmul<T: Scalar>(a: &ArrayRef2<T>, b: &ArrayRef2<T>, out: &mut ArrayRef2<T>) -> Result<()> {
    let ((m, k), n) = (a.dim(), b.ncols());
    if b.nrows() != k {
        return Err(Error::shape(
            "b",
            format!("{k} rows (columns of a)"),
            b.nrows().to_string(),
        ));
    }
    if out.dim() != (m, n) {
        return Err(Error::shape(
            "out",
            format!("{m} rows by {n} columns"),
            format!("{:?}", out.dim()),
        ));
    }
    let blocks = a.axis_chunks_iter(ndarray::Axis(0), ROWS);
    let parts = out.axis_chunks_iter_mut(ndarray::Axis(0), ROWS);
    blocks
        .zip(parts)
        .collect::<Vec<_>>()
        .into_par_iter()
        .for_each(|(a, mut out)| {
            general_mat_mul(T::one(), &a, b, T::zero(), &mut out);
        });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn multiplies_any_layout() {
        let a = Array2::from_shape_fn((300, 7), |(i, j)| ((i * 3 + j * 5) % 11) as f64 - 5.0);
        let b = Array2::from_shape_fn((4, 7), |(i, j)| ((i * 7 + j) % 13) as f64 - 6.0);
        let mut out = Array2::zeros((300, 4));
        matmul(&a, &b.t(), &mut out).unwrap();
        assert_eq!(out, a.dot(&b.t()));
        let mut turned = Array2::zeros((4, 300));
        matmul(&a, &b.t(), &mut turned.view_mut().reversed_axes()).unwrap();
        assert_eq!(turned.t(), out);
    }

    #[test]
    fn refuses_shapes_that_do_not_fit() {
        let (a, mut out) = (array![[1.0f32, 2.0]], array![[0.0f32]]);
        let error = matmul(&a, &array![[1.0f32]], &mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            "b: expected 2 rows (columns of a), found 1"
        );
    }
}
