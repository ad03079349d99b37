//! Log densities of rows under every component.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use telseg_core::kernel::{Diagonal, Packed, Scratch, TILE, Tile, Triangle};
use telseg_core::{Error, Result, Scalar};

use super::cholesky;
use super::covariance::{Covariances, not_definite};

/// What a mixture consists of, in the coordinates of the data.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameters {
    pub(super) weights: Array1<f64>,
    pub(super) means: Array2<f64>,
    pub(super) covariances: Covariances,
}

/// The same, laid out for the kernels; all positions are relative to `shift`, for the sake of digits.
#[derive(Clone, Debug)]
pub(super) struct Density<F> {
    pub(super) shift: Vec<F>,
    /// Means of the components, one after the other.
    pub(super) centers: Vec<F>,
    /// With tied covariances: to the space where every component is a unit ball.
    whiten: Option<Triangle<F>>,
    forms: Vec<Form<F>>,
    /// `ln w_j - d/2 ln 2 pi + ln |L_j^-1|`; minus infinity for a component without weight.
    constants: Vec<F>,
}

#[derive(Clone, Debug)]
enum Form<F> {
    Triangle(Triangle<F>),
    Diagonal(Diagonal<F>),
    /// A centre in the whitened space, and the same for tiles.
    Ball(Vec<F>, Diagonal<F>),
}

/// Room for one tile.
pub(super) struct Work<F> {
    pub(super) scratch: Scratch<F>,
    whitened: Packed<F>,
    squared: [F; TILE],
    /// Log joint density of each component and row; probabilities after [`posterior`](telseg_core::kernel::posterior).
    pub(super) joint: Vec<[F; TILE]>,
    pub(super) log_density: [F; TILE],
}

/// Shapes and values of what a mixture consists of, but for positive definite matrices.
pub(super) fn check(
    weights: &ArrayRef1<f64>,
    means: &ArrayRef2<f64>,
    covariances: &Covariances,
) -> Result<()> {
    let (k, d) = means.dim();
    if k == 0 || d == 0 || u32::try_from(k).is_err() {
        return Err(Error::shape(
            "means",
            "at least 1 row and 1 column",
            format!("{k} by {d}"),
        ));
    }
    if weights.len() != k {
        let expected = format!("{k} (rows of means)");
        return Err(Error::shape("weights", expected, weights.len().to_string()));
    }
    let sum: f64 = weights.iter().sum();
    if !(weights.iter().all(|&w| w >= 0.0) && (sum - 1.0).abs() < 1e-6) {
        return Err(Error::data(
            "weights",
            "expected shares of at least 0 that sum to 1",
        ));
    }
    if !means.iter().all(|m| m.is_finite()) {
        return Err(Error::data("means", "expected finite numbers"));
    }
    covariances.check(k, d)
}

impl<F: Scalar> Density<F> {
    /// Lays out checked parameters.
    ///
    /// # Errors
    /// When a covariance is not positive definite, or its inverse overflows the rows' precision.
    pub(super) fn new(parameters: &Parameters, shift: &[F]) -> Result<Self> {
        let Parameters {
            weights,
            means,
            covariances,
        } = parameters;
        let (k, d) = means.dim();
        let centers: Vec<F> = means
            .rows()
            .into_iter()
            .flat_map(|mean| {
                let pairs = mean.into_iter().zip(shift);
                pairs.map(|(m, s)| F::from_f64(m - s.into_f64()))
            })
            .collect();
        let mut density = Self {
            shift: shift.to_vec(),
            centers,
            whiten: None,
            forms: Vec::with_capacity(k),
            constants: Vec::with_capacity(k),
        };
        let tied = match covariances {
            Covariances::Tied(one) => {
                let (half, volume) = inverse_half(0, one)?;
                let matrix = narrow(0, half.iter().copied())?;
                density.whiten = Some(Triangle::new(&vec![F::zero(); d], &matrix)?);
                Some((half, volume))
            }
            _ => None,
        };
        for (j, weight) in weights.iter().enumerate() {
            let (form, volume) = density.form(j, covariances, tied.as_ref())?;
            density.forms.push(form);
            let log_two_pi = (2.0 * std::f64::consts::PI).ln();
            let constant = weight.ln() - d as f64 / 2.0 * log_two_pi + volume;
            density.constants.push(F::from_f64(constant));
        }
        Ok(density)
    }

    /// The form of a component, and `ln |L_j^-1|`.
    fn form(
        &self,
        j: usize,
        covariances: &Covariances,
        tied: Option<&(Array2<f64>, f64)>,
    ) -> Result<(Form<F>, f64)> {
        let (center, d) = (self.center(j), self.n_columns());
        let diagonal = |scale: Vec<f64>| -> Result<(Form<F>, f64)> {
            let volume = scale.iter().map(|s| s.ln()).sum();
            let scale = narrow(j, scale.into_iter())?;
            Ok((Form::Diagonal(Diagonal::new(center, &scale)?), volume))
        };
        match covariances {
            Covariances::Full(all) => {
                let (half, volume) = inverse_half(j, &all.index_axis(Axis(0), j))?;
                let half = narrow(j, half.iter().copied())?;
                Ok((Form::Triangle(Triangle::new(center, &half)?), volume))
            }
            Covariances::Tied(_) => {
                let (half, volume) = tied.expect("invariant: tied covariances come with theirs");
                let center: Array1<f64> = center.iter().map(|c| c.into_f64()).collect();
                let center = narrow(j, half.dot(&center).into_iter())?;
                let ball = Diagonal::new(&center, &vec![F::one(); d])?;
                Ok((Form::Ball(center, ball), *volume))
            }
            Covariances::Diagonal(all) => {
                diagonal(all.row(j).iter().map(|v| v.sqrt().recip()).collect())
            }
            Covariances::Spherical(all) => diagonal(vec![all[j].sqrt().recip(); d]),
        }
    }

    pub(super) fn n_components(&self) -> usize {
        self.forms.len()
    }

    pub(super) fn n_columns(&self) -> usize {
        self.shift.len()
    }

    pub(super) fn center(&self, component: usize) -> &[F] {
        &self.centers[component * self.n_columns()..][..self.n_columns()]
    }

    pub(super) fn work(&self) -> Work<F> {
        let d = self.n_columns();
        Work {
            scratch: Scratch::new(d),
            whitened: Packed::zeros(if self.whiten.is_some() { TILE } else { 0 }, d),
            squared: [F::zero(); TILE],
            joint: vec![[F::zero(); TILE]; self.n_components()],
            log_density: [F::zero(); TILE],
        }
    }

    /// Log joint density of every component and every row of a tile, to `work.joint`.
    pub(super) fn joint(&self, tile: Tile<'_, F>, work: &mut Work<F>) {
        if let Some(whiten) = &self.whiten {
            whiten.apply(tile, &mut work.scratch, &mut work.whitened);
        }
        let half = F::from_f64(0.5);
        let components = self.forms.iter().zip(&self.constants);
        for ((form, &constant), joint) in components.zip(&mut work.joint) {
            match form {
                Form::Triangle(form) => form.squared(tile, &mut work.scratch, &mut work.squared),
                Form::Diagonal(form) => form.squared(tile, &mut work.squared),
                Form::Ball(_, form) => form.squared(work.whitened.tile(0).0, &mut work.squared),
            }
            for (joint, &squared) in joint.iter_mut().zip(&work.squared) {
                *joint = constant - half * squared;
            }
        }
    }

    /// Log joint density of a component and one row, with the bits of a tile.
    pub(super) fn joint_row(&self, component: usize, row: &[F]) -> F {
        let squared = match &self.forms[component] {
            Form::Triangle(form) => form.squared_row(row, &self.shift),
            Form::Diagonal(form) => form.squared_row(row, &self.shift),
            Form::Ball(center, _) => {
                let whiten = self.whiten.as_ref().expect("invariant: balls are tied");
                whiten.squared_row_to(row, &self.shift, center)
            }
        };
        self.constants[component] - F::from_f64(0.5) * squared
    }
}

/// `L^-1` and the logarithm of its determinant.
fn inverse_half(component: usize, matrix: &ArrayRef2<f64>) -> Result<(Array2<f64>, f64)> {
    let lower = cholesky::factor(matrix).ok_or_else(|| not_definite(component))?;
    let half = cholesky::invert(&lower);
    let volume = half.diag().iter().map(|v| v.ln()).sum();
    Ok((half, volume))
}

/// In the rows' precision, where that can hold the numbers.
fn narrow<F: Scalar>(component: usize, values: impl Iterator<Item = f64>) -> Result<Vec<F>> {
    let values: Vec<F> = values.map(F::from_f64).collect();
    // Squared, too, they must not overflow.
    if values.iter().all(|v| (*v * *v).is_finite()) {
        return Ok(values);
    }
    let problem = format!(
        "component {component} is too narrow for {}: scale the columns, or raise reg_covar",
        F::NAME
    );
    Err(Error::data("covariances", problem))
}
