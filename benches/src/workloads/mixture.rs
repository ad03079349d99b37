//! EM from given parameters.

use ndarray::{Array1, Array2, Array3, ArrayRef2};
use telseg_cluster::{Covariances, Family, GaussianInit, GaussianMixture, LatentClass, LatentInit};

use crate::folder::{Clock, Folder, Result};

/// Exactly `iters` iterations of EM with full covariances, then the most probable component of each row.
pub(crate) fn gmm(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let x: Array2<f32> = folder.read("x")?;
    let weights: Array1<f64> = folder.read("weights")?;
    let params = GaussianMixture::params(weights.len())
        .with_init(GaussianInit::Parameters {
            weights,
            means: folder.read("means")?,
            covariances: Covariances::Full(folder.read("covariances")?),
        })
        .with_max_iter(folder.param("iters")?)
        .with_reg_covar(folder.param("ridge")?)
        .with_tol(0.0);
    let x: &ArrayRef2<f32> = &x;
    let model = clock.fit(|| params.fit(x))?;
    let labels = clock.predict(|| model.predict(x))?;
    folder.write("labels", &labels)?;
    folder.write("weights", model.weights())?;
    folder.write("means", model.means())?;
    let (k, d) = model.means().dim();
    let matrices = Array3::from_shape_fn((k, d, d), |(j, a, b)| {
        model.covariances().matrix(j, d)[[a, b]]
    });
    folder.write("covariances", &matrices)
}

/// Exactly `iters` iterations of EM from given memberships, in `score` the mean log-likelihood that they come to; columns
/// from `numeric` on are codes of `levels` levels, and missing cells are NaN.
pub(crate) fn latent(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, start): (Array2<f32>, Array2<f64>) = (folder.read("x")?, folder.read("start")?);
    let (numeric, n_levels): (usize, u32) = (folder.param("numeric")?, folder.param("levels")?);
    let families = (0..x.ncols()).map(|j| match j < numeric {
        true => Family::Normal,
        false => Family::Categorical { n_levels },
    });
    let params = LatentClass::params(start.ncols(), families)
        .with_init(LatentInit::Responsibilities(start))
        .with_n_init(1)
        .with_max_iter(folder.param("iters")?)
        .with_smoothing(0.0)
        .with_tol(0.0);
    let x: &ArrayRef2<f32> = &x;
    let model = clock.fit(|| params.fit(x))?;
    folder.write("labels", &clock.predict(|| model.predict(x))?)?;
    folder.write("score", &ndarray::arr1(&[model.report().starts[0]]))
}
