//! Cleaning, scaling and encoding of columns.

use ndarray::{Array1, Array2, ArrayRef2};
use telseg_features::array::{NumericColumn, ScaledColumn};
use telseg_features::{NumericPipeline, OneHot};

use crate::folder::{Clock, Folder, Result};

/// Median, clipping, standardisation of the numbers; one-hot columns of the codes, as their positions.
pub(crate) fn preprocess(folder: &Folder, clock: &mut Clock) -> Result<()> {
    let (x, codes): (Array2<f32>, Array2<i32>) = (folder.read("numeric")?, folder.read("codes")?);
    let (x, codes): (&ArrayRef2<f32>, &ArrayRef2<i32>) = (&x, &codes);
    let (numbers, levels) = clock.fit(|| -> telseg_core::Result<_> {
        let numbers = NumericPipeline::params().fit(x)?;
        Ok((numbers, OneHot::params().fit(codes)?))
    })?;
    let (scaled, at) = clock.predict(|| -> telseg_core::Result<_> {
        let scaled = numbers.transform(x)?;
        Ok((scaled, levels.transform_indices(codes)?))
    })?;
    folder.write("numeric", &scaled)?;
    folder.write("onehot.indices", &at.mapv(|i| i as i32))?;
    let learnt = |name, of: fn(&NumericColumn) -> f64| -> Result<()> {
        let values: Array1<f64> = numbers.columns().iter().map(of).collect();
        folder.write(name, &values)
    };
    learnt("medians", |c| c.impute.map_or(f64::NAN, |c| c.fill))?;
    learnt("low", |c| c.winsor.map_or(f64::NAN, |c| c.low))?;
    learnt("high", |c| c.winsor.map_or(f64::NAN, |c| c.high))?;
    learnt("mean", |c| affine(c).0)?;
    learnt("scale", |c| affine(c).1)
}

fn affine(column: &NumericColumn) -> (f64, f64) {
    match &column.scale {
        ScaledColumn::Affine(c) => (c.shift, c.scale),
        _ => (f64::NAN, f64::NAN),
    }
}
