//! Ward's tree, and exact silhouettes.

use ndarray::{Array1, Array2};
use telseg_cluster::{Hierarchical, metrics};

use crate::folder::{Clock, Folder, Result};

/// The whole tree and its cut.
pub(crate) fn ward(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let x: Array2<f32> = folder.read("x")?;
    let params = Hierarchical::params(folder.param("k")?);
    let model = clock.fit(|| params.fit(&x))?;
    let merges = model.dendrogram().merges();
    folder.write("labels", model.labels())?;
    let heights: Array1<f64> = merges.iter().map(|merge| merge.height).collect();
    folder.write("heights", &heights)
}

/// Silhouettes of all rows.
pub(crate) fn silhouette(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, labels): (Array2<f32>, Array1<i32>) = (folder.read("x")?, folder.read("labels")?);
    let labels = labels.mapv(|label| label as u32);
    let values = clock.predict(|| metrics::silhouette_samples(&x, &labels))?;
    folder.write("values", &values)
}
