//! Effects of features over all rows: what a model's mean score does as one or two of them move.
//!
//! # References
//! J. Friedman (2001), "Greedy function approximation" (partial dependence); A. Goldstein et al. (2015), "Peeking inside the
//! black box" (individual conditional expectation); D. Apley, J. Zhu (2020), "Visualizing the effects of predictor variables
//! in black box supervised learning models" (accumulated local effects); J. Friedman, B. Popescu (2008), "Predictive learning
//! via rule ensembles" (the H-statistic).

mod accumulated;
mod interaction;
mod partial;

use ndarray::ArrayRef2;
use telseg_core::{Error, Result};

pub use accumulated::{AccumulatedEffect, AccumulatedLevels, AccumulatedPair, AccumulatedParams};
pub use interaction::{PairStrength, PairStrengths, PairStrengthsParams};
pub use partial::{PartialDependence, PartialDependenceParams, PartialPair};

/// The finite values of a column, ascending; refuses a column that has none.
fn known(x: &ArrayRef2<f32>, feature: usize) -> Result<Vec<f32>> {
    if feature >= x.ncols() {
        let problem = format!(
            "{feature} does not exist, x has {} columns (counted from 0)",
            x.ncols()
        );
        return Err(Error::param("feature", problem));
    }
    let mut values: Vec<f32> = x
        .column(feature)
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .collect();
    values.sort_by(f32::total_cmp);
    if values.is_empty() {
        let problem = format!("has no finite value in column {feature}");
        return Err(Error::data("x", problem));
    }
    Ok(values)
}

fn distinct(mut sorted: Vec<f32>) -> Vec<f32> {
    sorted.dedup();
    sorted
}
