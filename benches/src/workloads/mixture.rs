//! EM from given parameters.

use ndarray::{Array1, Array2, Array3, ArrayRef2};
use telseg_cluster::{Covariances, GaussianInit, GaussianMixture};

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
