//! Random forests: training, and prediction of all test rows.

use ndarray::{Array1, Array2};
use telseg_gbm::forest::{Forest, Task};

use crate::folder::{Clock, Folder, Result};

/// Binning and training, then all rows of `x_test`.
pub(crate) fn rf(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, y): (Array2<f32>, Array1<f32>) = (folder.read("x")?, folder.read("y")?);
    let test: Array2<f32> = folder.read("x_test")?;
    let params = Forest::params(Task::Classification { n_classes: 2 })
        .with_n_trees(folder.param("trees")?)
        .with_min_weight_leaf(folder.param("min_leaf")?);
    let forest = clock.fit(|| params.fit(&x, &y))?;
    let probabilities = clock.predict(|| forest.predict_proba(&test))?;
    folder.write("pred", &probabilities.column(1).to_owned())
}
