//! k-means from given centres.

use ndarray::{Array2, ArrayRef2};
use telseg_cluster::{Init, KMeans, MiniBatchKMeans};

use crate::folder::{Clock, Folder, Result};

/// Exactly `iters` rounds of assignment and update, then the nearest final centre of each row.
pub(crate) fn kmeans(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, init): (Array2<f32>, Array2<f32>) = (folder.read("x")?, folder.read("init")?);
    let params = KMeans::params(init.nrows())
        .with_init(Init::Centers(init.mapv(f64::from)))
        .with_n_init(1)
        .with_max_iter(folder.param("iters")?)
        .with_tol(0.0);
    let x: &ArrayRef2<f32> = &x;
    let model = clock.fit(|| params.fit(x))?;
    let labels = clock.predict(|| model.predict(x))?;
    folder.write("labels", &labels)?;
    folder.write("centers", model.centers())
}

/// Exactly `steps` batches of `batch` rows, then the nearest final centre of each row.
pub(crate) fn minibatch(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, init): (Array2<f32>, Array2<f32>) = (folder.read("x")?, folder.read("init")?);
    let params = MiniBatchKMeans::params(init.nrows())
        .with_init(Init::Centers(init.mapv(f64::from)))
        .with_batch_size(folder.param("batch")?)
        .with_max_iter(folder.param("steps")?)
        .with_max_no_improvement(None)
        .with_seed(1);
    let x: &ArrayRef2<f32> = &x;
    let model = clock.fit(|| params.fit(x))?;
    let labels = clock.predict(|| model.predict(x))?;
    folder.write("labels", &labels)?;
    folder.write("centers", model.centers())
}
