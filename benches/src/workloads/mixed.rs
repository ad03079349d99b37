//! Segments of mixed rows and under constraints, from given centres.

use ndarray::{Array2, ArrayRef2};
use telseg_cluster::KPrototypes;
use telseg_cluster::kprototypes::PrototypeInit;

use crate::folder::{Clock, Folder, Result};

/// At most `iters` rounds of k-prototypes on `x`, whose columns from `numeric` on are codes, then the nearest final
/// centre of each row.
pub(crate) fn kprototypes(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, init): (Array2<f32>, Array2<f32>) = (folder.read("x")?, folder.read("init")?);
    let numeric: usize = folder.param("numeric")?;
    let categorical: Vec<usize> = (numeric..x.ncols()).collect();
    let params = KPrototypes::params(init.nrows(), &categorical)
        .with_gamma(folder.param("gamma")?)
        .with_init(PrototypeInit::Centers(init.mapv(f64::from)))
        .with_n_init(1)
        .with_max_iter(folder.param("iters")?)
        .with_tol(0.0);
    let x: &ArrayRef2<f32> = &x;
    let model = clock.fit(|| params.fit(x))?;
    let labels = clock.predict(|| model.predict(x))?;
    folder.write("labels", &labels)?;
    folder.write("centers", &model.centers())?;
    folder.write(
        "cost",
        &ndarray::arr1(&[model.report().cost, model.report().n_iter as f64]),
    )
}
