//! Gradient boosting: training, and prediction of all test rows or of one row at a time.

use ndarray::{Array1, Array2};
use telseg_gbm::{Gbm, GbmParams, Objective};

use crate::folder::{Clock, Folder, Result};

fn params(folder: &Folder) -> Result<GbmParams> {
    let kind: String = folder.param("kind")?;
    let objective = match kind.as_str() {
        "binary" => Objective::Binary,
        "regression" => Objective::SquaredError,
        "multi" => Objective::Softmax {
            n_classes: folder.param("classes")?,
        },
        other => return Err(format!("params.json, kind: {other} is not known").into()),
    };
    Ok(Gbm::params(objective)
        .with_n_trees(folder.param("trees")?)
        .with_learning_rate(folder.param("rate")?)
        .with_max_leaves(folder.param("leaves")?)
        .with_max_bins(folder.param("bins")?))
}

/// Binning and training, then all rows of `x_test`.
pub(crate) fn gbm(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let params = params(folder)?;
    let (x, y): (Array2<f32>, Array1<f32>) = (folder.read("x")?, folder.read("y")?);
    let test: Array2<f32> = folder.read("x_test")?;
    let model = clock.fit(|| params.fit(&x, &y))?;
    let predicted = clock.predict(|| model.predict(&test))?;
    folder.write("pred", &predicted)
}

/// The same, where the prediction is a row of probabilities.
pub(crate) fn multi(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let params = params(folder)?;
    let (x, y): (Array2<f32>, Array1<f32>) = (folder.read("x")?, folder.read("y")?);
    let test: Array2<f32> = folder.read("x_test")?;
    let model = clock.fit(|| params.fit(&x, &y))?;
    let predicted = clock.predict(|| model.predict_outputs(&test))?;
    folder.write("pred", &predicted)
}

/// Training, then the first `rows` rows of `x_test`, one call at a time.
pub(crate) fn single_row(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let params = params(folder)?;
    let rows: usize = folder.param("rows")?;
    let (x, y): (Array2<f32>, Array1<f32>) = (folder.read("x")?, folder.read("y")?);
    let test: Array2<f32> = folder.read("x_test")?;
    let test = test.as_standard_layout();
    let model = clock.fit(|| params.fit(&x, &y))?;
    let mut predicted = Array1::zeros(rows);
    clock.predict(|| {
        for (row, place) in test.rows().into_iter().zip(&mut predicted) {
            *place = model.predict_row(row.to_slice().ok_or("x_test is not contiguous")?)?;
        }
        Ok::<(), Box<dyn std::error::Error>>(())
    })?;
    folder.write("pred", &predicted)
}
