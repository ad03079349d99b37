//! Clustering by density.

use ndarray::{Array1, Array2};
use telseg_cluster::{Assignment, Dbscan, Hdbscan};

use crate::folder::{Clock, Folder, Result};

/// The number of the cluster, -1 where there is none.
fn codes(labels: &Array1<Assignment>) -> Array1<i32> {
    labels.mapv(|label| label.cluster().map_or(-1, |cluster| cluster as i32))
}

/// Labels and core rows.
pub(crate) fn dbscan(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let x: Array2<f32> = folder.read("x")?;
    let params = Dbscan::params(folder.param("eps")?).with_min_points(folder.param("min_points")?);
    let model = clock.fit(|| params.fit(&x))?;
    folder.write("labels", &codes(model.labels()))?;
    folder.write("core", &model.core().mapv(u8::from))
}

/// Labels.
pub(crate) fn hdbscan(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let x: Array2<f32> = folder.read("x")?;
    let params = Hdbscan::params(folder.param("min_cluster_size")?)
        .with_min_samples(folder.param("min_samples")?);
    let model = clock.fit(|| params.fit(&x))?;
    folder.write("labels", &codes(model.labels()))
}
