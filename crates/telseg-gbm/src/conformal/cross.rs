//! CV+: intervals from the models of all folds, with no row set aside.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Fit, Predict, Result};

use super::threshold::check_coverage;
use crate::Objective;

/// The models of all folds, and how far each was off on the rows that it had not seen.
///
/// Of rows to come, exchangeable with those at fit, the truth lies within with at least `2 coverage - 1` for certain, and
/// with about the coverage in practice. Unlike a split, every row serves both to train and to judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CvPlus<M> {
    coverage: f64,
    /// Each fold's model with its ascending residual sizes.
    folds: Vec<(M, Vec<f64>)>,
}

/// Trains a model on all folds but one, for each fold, and keeps how far it is off there.
///
/// # Shapes
/// `x`: a subscriber a row; `y`: a number a row.
///
/// # Errors
/// As the fit of `params`, when the coverage does not lie between 0 and 1, or when there are fewer than two folds or fewer
/// rows than folds.
///
/// # Cost
/// `n_folds` fits, in parallel; a prediction asks every model, and searches 64 times in each fold's residuals.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::{Gbm, Objective, fit_cv_plus};
/// let x = Array2::from_shape_fn((300, 1), |(i, _)| (i % 30) as f32);
/// let spend = Array1::from_shape_fn(300, |i| (i % 30) as f32 + (i * 7 % 11) as f32);
/// let model = fit_cv_plus(&Gbm::params(Objective::SquaredError), 0.9, (&x, &spend), (10, 0))?;
/// let [low, high] = model.interval(&[20.0])?;
/// assert!(low < 25.0 && 25.0 < high && high - low < 13.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn fit_cv_plus<P>(
    params: &P,
    coverage: f64,
    (x, y): (&ArrayRef2<f32>, &ArrayRef1<f32>),
    (n_folds, seed): (usize, u64),
) -> Result<CvPlus<P::Model>>
where
    P: Fit<ArrayRef2<f32>, ArrayRef1<f32>> + Sync,
    P::Model: Predict<ArrayRef2<f32>, Output = Array1<f64>> + Send,
{
    check_coverage(coverage)?;
    crate::options::check_rows(x.nrows(), y.len())?;
    let of_row = crate::cv::folds(Objective::SquaredError, y, n_folds, seed)?;
    let fitted = (0..n_folds as u32).into_par_iter().map(|fold| {
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..y.len()).partition(|&i| of_row[i] == fold);
        let model = params.fit(&x.select(Axis(0), &train), &y.select(Axis(0), &train))?;
        let predictions = model.predict(&x.select(Axis(0), &test))?;
        let off = |(&i, p): (&usize, &f64)| (f64::from(y[i]) - p).abs();
        let mut residuals: Vec<f64> = test.iter().zip(&predictions).map(off).collect();
        residuals.sort_by(f64::total_cmp);
        Ok((model, residuals))
    });
    let folds = fitted
        .collect::<Vec<Result<_>>>()
        .into_iter()
        .collect::<Result<_>>()?;
    Ok(CvPlus { coverage, folds })
}

impl<M: Predict<ArrayRef1<f32>, Output = f64>> CvPlus<M> {
    /// The interval for one row.
    ///
    /// # Errors
    /// As the model's `predict`.
    pub fn interval(&self, row: &[f32]) -> Result<[f64; 2]> {
        let row = ArrayView1::from(row);
        let centres = self
            .folds
            .iter()
            .map(|(model, _)| model.predict(&row))
            .collect::<Result<Vec<f64>>>()?;
        Ok(self.around(&centres))
    }
}

impl<M: Predict<ArrayRef2<f32>, Output = Array1<f64>>> CvPlus<M> {
    /// The interval for each row: rows by low and high.
    ///
    /// # Errors
    /// As the model's `predict`.
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        let said = self
            .folds
            .iter()
            .map(|(model, _)| model.predict(x))
            .collect::<Result<Vec<_>>>()?;
        let mut out = Array2::zeros((x.nrows(), 2));
        for (i, mut row) in out.rows_mut().into_iter().enumerate() {
            let centres: Vec<f64> = said.iter().map(|s| s[i]).collect();
            let [low, high] = self.around(&centres);
            (row[0], row[1]) = (low, high);
        }
        Ok(out)
    }
}

impl<M> CvPlus<M> {
    /// Share of the truths that the intervals shall hold.
    pub fn coverage(&self) -> f64 {
        self.coverage
    }

    /// From each fold's prediction: the `ceil(coverage (n + 1))`-th smallest of prediction + residual over all rows, and the
    /// same below.
    fn around(&self, centres: &[f64]) -> [f64; 2] {
        let n: usize = self.folds.iter().map(|f| f.1.len()).sum();
        let needed = (self.coverage * (n as f64 + 1.0) * (1.0 - 1e-12)).ceil() as usize;
        if needed > n {
            return [f64::NEG_INFINITY, f64::INFINITY];
        }
        let up = |sign: f64| {
            let below = |t: f64| -> usize {
                let folds = self.folds.iter().zip(centres);
                folds
                    .map(|((_, residuals), c)| residuals.partition_point(|r| sign * c + r <= t))
                    .sum()
            };
            smallest(|t| below(t) >= needed)
        };
        [-up(-1.0), up(1.0)]
    }
}

/// The smallest number for which `enough` holds, which then holds for all larger ones: a search over the order of all
/// doubles, so that nothing is rounded and nothing allocated.
fn smallest(enough: impl Fn(f64) -> bool) -> f64 {
    // Ascending integers for ascending doubles.
    let number = |key: u64| {
        f64::from_bits(if key >> 63 == 1 {
            key ^ (1 << 63)
        } else {
            !key
        })
    };
    let (mut low, mut high) = (
        !f64::NEG_INFINITY.to_bits(),
        f64::INFINITY.to_bits() ^ (1 << 63),
    );
    while low < high {
        let middle = low + (high - low) / 2;
        if enough(number(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    number(low)
}

impl<M: Artefact> Artefact for CvPlus<M> {
    const KIND: &'static str = "cv_plus";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(M::KIND);

    fn validate(&self) -> Result<()> {
        check_coverage(self.coverage)?;
        let sorted = |r: &Vec<f64>| r.is_sorted() && r.iter().all(|v| *v >= 0.0 && v.is_finite());
        if self.folds.is_empty() || !self.folds.iter().all(|(_, r)| sorted(r)) {
            return Err(Error::data(
                Self::KIND,
                "residuals must be finite, 0 or more, and ascend",
            ));
        }
        self.folds
            .iter()
            .try_for_each(|(model, _)| model.validate())?;
        let width = self.n_features();
        if self
            .folds
            .iter()
            .any(|(model, _)| model.n_features() != width)
        {
            return Err(Error::data(
                Self::KIND,
                "the folds' models take different numbers of columns",
            ));
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        self.folds.first().and_then(|(model, _)| model.n_features())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_the_very_number() {
        for x in [0.0, 1.5, -2.25, 1e300, -1e-310, f64::INFINITY] {
            assert_eq!(smallest(|t| t >= x), x);
        }
    }

    #[test]
    fn intervals_are_order_statistics() {
        // Centres 10 and 20; residuals 1, 3 and 2, 4: sums 11, 13, 22, 24; differences 9, 7, 18, 16. With 4 rows and a
        // coverage of 0.6, the third of five: high 22, low the second smallest, 9.
        let plus = CvPlus {
            coverage: 0.6,
            folds: vec![((), vec![1.0, 3.0]), ((), vec![2.0, 4.0])],
        };
        assert_eq!(plus.around(&[10.0, 20.0]), [9.0, 22.0]);
        let wide = CvPlus {
            coverage: 0.9,
            ..plus
        };
        assert_eq!(
            wide.around(&[10.0, 20.0]),
            [f64::NEG_INFINITY, f64::INFINITY]
        );
    }
}
