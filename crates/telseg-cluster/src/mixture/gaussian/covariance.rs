//! The four shapes of covariance.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::cholesky;

/// What the components' covariances may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Covariance {
    /// Each component its own matrix: ellipsoids of any direction; `k d (d + 1) / 2` numbers.
    Full,
    /// One matrix for all components: `d (d + 1) / 2` numbers.
    Tied,
    /// Each component its own variance of each column: ellipsoids along the axes; `k d` numbers.
    Diagonal,
    /// Each component one variance: balls; `k` numbers.
    Spherical,
}

/// Covariances of all components, or precisions (their inverses).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Covariances {
    /// Components by columns by columns.
    Full(Array3<f64>),
    /// Columns by columns.
    Tied(Array2<f64>),
    /// Components by columns: variances.
    Diagonal(Array2<f64>),
    /// A variance for each component.
    Spherical(Array1<f64>),
}

impl Covariances {
    /// Which of the four shapes.
    pub fn shape(&self) -> Covariance {
        match self {
            Self::Full(_) => Covariance::Full,
            Self::Tied(_) => Covariance::Tied,
            Self::Diagonal(_) => Covariance::Diagonal,
            Self::Spherical(_) => Covariance::Spherical,
        }
    }

    /// The inverses: precisions from covariances, and the reverse.
    ///
    /// # Errors
    /// When a matrix is not square, not symmetric or not positive definite.
    ///
    /// # Examples
    /// ```
    /// use ndarray::array;
    /// use telseg_cluster::Covariances;
    /// let precisions = Covariances::Diagonal(array![[4.0, 0.5]]);
    /// assert_eq!(precisions.inverse()?, Covariances::Diagonal(array![[0.25, 2.0]]));
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn inverse(&self) -> Result<Self> {
        let (k, d) = match self {
            Self::Full(all) => (all.dim().0, all.dim().1),
            Self::Tied(one) => (1, one.nrows()),
            Self::Diagonal(all) => all.dim(),
            Self::Spherical(all) => (all.len(), 1),
        };
        self.check(k, d)?;
        let invert = |j: usize, matrix: ArrayView2<'_, f64>| -> Result<Array2<f64>> {
            let lower = cholesky::factor(&matrix).ok_or_else(|| not_definite(j))?;
            let half = cholesky::invert(&lower);
            Ok(half.t().dot(&half))
        };
        Ok(match self {
            Self::Full(all) => {
                let mut inverses = all.clone();
                for (j, mut inverse) in inverses.outer_iter_mut().enumerate() {
                    let found = invert(j, all.index_axis(Axis(0), j))?;
                    inverse.assign(&found);
                }
                Self::Full(inverses)
            }
            Self::Tied(one) => Self::Tied(invert(0, one.view())?),
            Self::Diagonal(all) => Self::Diagonal(all.mapv(f64::recip)),
            Self::Spherical(all) => Self::Spherical(all.mapv(f64::recip)),
        })
    }

    /// The covariance matrix of one component over `n_columns` columns.
    pub fn matrix(&self, component: usize, n_columns: usize) -> Array2<f64> {
        match self {
            Self::Full(all) => all.index_axis(Axis(0), component).to_owned(),
            Self::Tied(one) => one.clone(),
            Self::Diagonal(all) => Array2::from_diag(&all.row(component)),
            Self::Spherical(all) => Array2::eye(n_columns) * all[component],
        }
    }

    /// Number of free parameters of `k` components over `d` columns.
    pub(super) fn n_parameters(&self, k: usize, d: usize) -> usize {
        match self {
            Self::Full(_) => k * d * (d + 1) / 2,
            Self::Tied(_) => d * (d + 1) / 2,
            Self::Diagonal(_) => k * d,
            Self::Spherical(_) => k,
        }
    }

    /// Shapes, symmetry and the sign of variances; whether matrices are positive definite, their factors tell.
    pub(super) fn check(&self, k: usize, d: usize) -> Result<()> {
        let shape = |expected: &[usize], found: &[usize]| {
            if expected == found {
                return Ok(());
            }
            Err(Error::shape(
                "covariances",
                format!("shape {expected:?}"),
                format!("{found:?}"),
            ))
        };
        match self {
            Self::Full(all) => {
                shape(&[k, d, d], all.shape())?;
                let mut matrices = all.outer_iter().enumerate();
                matrices.try_for_each(|(j, matrix)| symmetric(j, matrix))
            }
            Self::Tied(one) => {
                shape(&[d, d], one.shape())?;
                symmetric(0, one.view())
            }
            Self::Diagonal(all) => {
                shape(&[k, d], all.shape())?;
                positive(all.indexed_iter().map(|((j, _), v)| (j, *v)))
            }
            Self::Spherical(all) => {
                shape(&[k], all.shape())?;
                positive(all.iter().copied().enumerate())
            }
        }
    }
}

pub(super) fn not_definite(component: usize) -> Error {
    let problem = format!("component {component} is not positive definite");
    Error::data("covariances", problem)
}

fn symmetric(component: usize, matrix: ArrayView2<'_, f64>) -> Result<()> {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (a.abs() + b.abs());
    for ((a, b), &value) in matrix.indexed_iter() {
        if !(value.is_finite() && near(value, matrix[[b, a]])) {
            let problem = format!("component {component} is not symmetric and finite");
            return Err(Error::data("covariances", problem));
        }
    }
    Ok(())
}

fn positive(mut values: impl Iterator<Item = (usize, f64)>) -> Result<()> {
    match values.find(|(_, v)| !(*v > 0.0 && v.is_finite())) {
        Some((j, _)) => Err(not_definite(j)),
        None => Ok(()),
    }
}
