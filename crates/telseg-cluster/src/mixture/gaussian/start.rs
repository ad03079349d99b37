//! Where EM starts.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_core::kernel::{Centers, NearestTile, TILE};
use telseg_core::{Error, Result, Scalar, Seed, par};

use super::density::{Density, Parameters};
use super::params::{GaussianInit, GaussianMixtureParams};
use super::stats::{self, CHUNK, Rows};
use super::update::{blank, maximise};
use crate::KMeans;

/// What the rows' owner gave.
pub(super) struct Given<'a, F: Scalar> {
    pub(super) x: &'a ArrayRef2<F>,
    pub(super) weights: Option<&'a ArrayRef1<f64>>,
    pub(super) shift: &'a [F],
    pub(super) rows: &'a Rows<F>,
}

impl GaussianMixtureParams {
    /// The width and length of a given start against those of the data.
    pub(super) fn check_init<F>(&self, x: &ArrayRef2<F>) -> Result<()> {
        let wrong = |what: &str, expected: usize, found: usize| {
            let problem = format!("expected {expected} {what} (as x), found {found}");
            Err(Error::param("init", problem))
        };
        match &self.init {
            GaussianInit::Responsibilities(r) if r.nrows() != x.nrows() => {
                wrong("rows", x.nrows(), r.nrows())
            }
            GaussianInit::Means(means) | GaussianInit::Parameters { means, .. }
                if means.ncols() != x.ncols() =>
            {
                wrong("columns", x.ncols(), means.ncols())
            }
            _ => Ok(()),
        }
    }

    /// Parameters that the first E step starts from.
    pub(super) fn start<F: Scalar>(
        &self,
        given: &Given<'_, F>,
        start: usize,
    ) -> Result<Parameters> {
        match &self.init {
            GaussianInit::Parameters {
                weights,
                means,
                covariances,
            } => Ok(Parameters {
                weights: weights.clone(),
                means: means.clone(),
                covariances: covariances.clone(),
            }),
            GaussianInit::Responsibilities(r) => self.first_of_responsibilities(given, r),
            GaussianInit::Means(means) => self.first_of_means(given, means.clone()),
            GaussianInit::KMeans => {
                let seed = Seed::new(self.seed).stream("gmm.init").bits(start as u64);
                let params = KMeans::params(self.n_components)
                    .with_n_init(1)
                    .with_seed(seed);
                let model = match given.weights {
                    Some(weights) => params.fit_weighted(given.x, weights)?,
                    None => params.fit(given.x)?,
                };
                let labels = model.labels();
                let means = model.centers().mapv(|c| c.into_f64());
                self.first_step(given, means, |t, joint| {
                    one_hot(joint, |l| labels.get(t * TILE + l).copied())
                })
            }
        }
    }

    /// Each row to the nearest mean.
    fn first_of_means<F: Scalar>(
        &self,
        given: &Given<'_, F>,
        means: Array2<f64>,
    ) -> Result<Parameters> {
        let relative: Vec<F> = means
            .rows()
            .into_iter()
            .flat_map(|m| {
                m.into_iter()
                    .zip(given.shift)
                    .map(|(m, s)| F::from_f64(m - s.into_f64()))
            })
            .collect();
        let centers = Centers::new(&relative, given.shift.len())?;
        self.first_step(given, means, |t, joint| {
            let mut nearest = NearestTile::default();
            centers.nearest(given.rows.packed.tile(t).0, &mut nearest);
            one_hot(joint, |l| Some(nearest.label[l]));
        })
    }

    fn first_of_responsibilities<F: Scalar>(
        &self,
        given: &Given<'_, F>,
        r: &Array2<f64>,
    ) -> Result<Parameters> {
        let (k, d) = (self.n_components, given.shift.len());
        let weight = |i: usize| given.weights.map_or(1.0, |w| w[i]);
        let empty = || (vec![0.0; k], Array2::<f64>::zeros((k, d)));
        let (sizes, mut means) = par::map_fold(
            given.x.nrows(),
            CHUNK,
            |rows| {
                let (mut sizes, mut sums) = empty();
                for i in rows {
                    for j in 0..k {
                        let share = weight(i) * r[[i, j]];
                        sizes[j] += share;
                        let cells = sums.row_mut(j).into_iter().zip(given.x.row(i));
                        cells.for_each(|(sum, x)| *sum += share * x.into_f64());
                    }
                }
                (sizes, sums)
            },
            empty(),
            |(mut sizes, mut sums), part| {
                sizes.iter_mut().zip(part.0).for_each(|(a, b)| *a += b);
                sums += &part.1;
                (sizes, sums)
            },
        );
        for (j, mut mean) in means.rows_mut().into_iter().enumerate() {
            for (m, s) in mean.iter_mut().zip(given.shift) {
                *m = if sizes[j] > 0.0 {
                    *m / sizes[j]
                } else {
                    s.into_f64()
                };
            }
        }
        self.first_step(given, means, |t, joint| {
            for (j, joint) in joint.iter_mut().enumerate() {
                for (l, share) in joint.iter_mut().enumerate() {
                    *share = F::from_f64(r.get((t * TILE + l, j)).copied().unwrap_or(0.0));
                }
            }
        })
    }

    /// An M step from given memberships, with moments about `means`; a component without rows gets the covariance of
    /// all rows.
    fn first_step<F: Scalar>(
        &self,
        given: &Given<'_, F>,
        means: Array2<f64>,
        memberships: impl Fn(usize, &mut [[F; TILE]]) + Sync,
    ) -> Result<Parameters> {
        let mut first = blank(self.covariance, means);
        let density = Density::new(&first, given.shift)?;
        let stats = stats::given(&density, self.covariance, given.rows, memberships);
        stats.check()?;
        if stats.sizes.iter().any(|&size| size <= 0.0) {
            first = self.of_all_rows(given, first)?;
        }
        Ok(maximise(&stats, &first, given.shift, self.reg_covar).0)
    }

    /// These parameters with the covariance of all rows in every component.
    fn of_all_rows<F: Scalar>(
        &self,
        given: &Given<'_, F>,
        mut parameters: Parameters,
    ) -> Result<Parameters> {
        let origin = given.shift.iter().map(|s| s.into_f64());
        let shape = (self.n_components, given.shift.len());
        let center: Vec<f64> = origin.collect();
        let means = Array2::from_shape_fn(shape, |(_, a)| center[a]);
        let density = Density::new(&blank(self.covariance, means.clone()), given.shift)?;
        let share = F::from_f64(1.0 / self.n_components as f64);
        let stats = stats::given(&density, self.covariance, given.rows, |_, joint| {
            joint.as_flattened_mut().fill(share)
        });
        stats.check()?;
        let all = blank(self.covariance, means);
        parameters.covariances = maximise(&stats, &all, given.shift, self.reg_covar)
            .0
            .covariances;
        Ok(parameters)
    }
}

/// Each row wholly to its label.
fn one_hot<F: Scalar>(joint: &mut [[F; TILE]], label: impl Fn(usize) -> Option<u32>) {
    joint.as_flattened_mut().fill(F::zero());
    for (l, j) in (0..TILE).filter_map(|l| Some((l, label(l)?))) {
        joint[j as usize][l] = F::one();
    }
}
