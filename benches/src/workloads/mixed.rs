//! Segments of mixed rows, around medoids, and under constraints, from given starts.

use ndarray::{Array2, ArrayRef2};
use telseg_cluster::constrained::ConstrainedInit;
use telseg_cluster::kmedoids::{MedoidInit, MedoidMethod};
use telseg_cluster::kprototypes::PrototypeInit;
use telseg_cluster::{ConstrainedKMeans, KMedoids, KPrototypes};

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

/// k-means from given centres with sizes from `min_size` to `max_size`; the report in `cost`.
pub(crate) fn constrained(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, init): (Array2<f32>, Array2<f32>) = (folder.read("x")?, folder.read("init")?);
    let params = ConstrainedKMeans::params(init.nrows())
        .with_min_size(folder.param("min_size")?)
        .with_max_size(folder.param("max_size")?)
        .with_init(ConstrainedInit::Centers(init.mapv(f64::from)))
        .with_max_iter(folder.param("iters")?);
    let x: &ArrayRef2<f32> = &x;
    let model = clock.fit(|| params.fit(x))?;
    clock.predict(|| model.predict(x))?;
    let report = model.report();
    folder.write("labels", model.labels())?;
    folder.write(
        "cost",
        &ndarray::arr1(&[
            report.inertia,
            report.n_iter as f64,
            report.n_displaced as f64,
        ]),
    )
}

/// FasterPAM on all rows from the rows `init`, by Euclidean distance.
pub(crate) fn kmedoids(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let x: Array2<f32> = folder.read("x")?;
    let init: Vec<usize> = folder.param("init_rows")?;
    let params = KMedoids::params(init.len())
        .with_method(MedoidMethod::Pam)
        .with_init(MedoidInit::Rows(init));
    let x: &ArrayRef2<f32> = &x;
    let model = clock.fit(|| params.fit(x))?;
    let labels = clock.predict(|| model.predict(x))?;
    let report = model.report();
    folder.write("labels", &labels)?;
    folder.write("cost", &ndarray::arr1(&[report.loss, report.n_swap as f64]))
}
