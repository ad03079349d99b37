//! The trained model.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView2, Axis as Side, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::kernel::CutTable;
use telseg_core::trees::row_slice;
use telseg_core::{Error, Fit, Predict, Result};

use super::axis::Axis;
use super::term::{Columns, Curve, CurvePoint, Surface, Term, pieces};
use super::{EbmParams, Edit, fit};
use crate::Objective;

/// Rows whose places stay in cache while their terms are added.
const TILE: usize = 256;
/// Rows of one task.
const CHUNK: usize = 16 * TILE;

/// A trained additive model: an intercept, a curve for each column, a surface for some pairs of columns. The score is their
/// plain sum, so that every prediction is its own explanation.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::{Ebm, Objective};
/// // Subscribers who called support often leave, unless their contract is long.
/// let x = Array2::from_shape_fn((800, 2), |(i, j)| if j == 0 { (i % 8) as f32 } else { (i / 8 % 25) as f32 });
/// let left = Array1::from_shape_fn(800, |i| (x[(i, 0)] >= 5.0 && x[(i, 1)] < 12.0) as u8 as f32);
/// let model = Ebm::params(Objective::Binary).fit(&x, &left)?;
/// assert!(model.predict_row(&[7.0, 3.0])? > 0.9);
/// assert!(model.predict_row(&[7.0, 20.0])? < 0.1);
/// let parts = model.explain_row(&[7.0, 3.0])?; // calls, contract, both together
/// assert!(parts.len() == 3 && parts[0] > 0.0 && parts[1] > 0.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ebm {
    pub(super) objective: Objective,
    pub(super) axes: Vec<Axis>,
    pub(super) terms: Vec<Term>,
    pub(super) intercept: f64,
    pub(super) edits: Vec<Edit>,
    pub(super) report: EbmReport,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EbmReport {
    /// Rounds of the curves; 0 where no round helped, or no row could be held out.
    pub rounds: usize,
    /// Rounds of the surfaces.
    pub pair_rounds: usize,
    /// Mean loss of the rows held out, after the curves; `None` where none could be.
    pub curve_loss: Option<f64>,
    /// The same after the surfaces; `None` where there are none.
    pub pair_loss: Option<f64>,
}

impl Ebm {
    /// Default parameters for an objective.
    pub fn params(objective: Objective) -> EbmParams {
        EbmParams::new(objective)
    }

    /// Prediction for each row: the probability of class 1, or the value.
    ///
    /// # Shapes
    /// `x`: rows by the columns at fit, missing values as NaN.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    ///
    /// # Cost
    /// 8 steps of a search a cell and a look-up a term, rows in parallel; the same bits as
    /// [`predict_row`](Self::predict_row).
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.predict_into(x, &mut out)?;
        Ok(out)
    }

    /// The same, written to `out`.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit or `out` another length than `x` has rows.
    pub fn predict_into(&self, x: &ArrayRef2<f32>, out: &mut ArrayRef1<f64>) -> Result<()> {
        if out.len() != x.nrows() {
            let expected = format!("{} rows (as x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let scores = self.predict_raw(x)?;
        out.iter_mut()
            .zip(scores)
            .for_each(|(out, score)| *out = self.objective.link(score));
        Ok(())
    }

    /// Scores before the link: log-odds for a binary objective.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    pub fn predict_raw(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        let mut scores = vec![self.intercept; x.nrows()];
        self.visit(x, 1, scores.par_chunks_mut(CHUNK), |term, cells, scores| {
            let values = &self.terms[term].values;
            scores
                .iter_mut()
                .zip(cells)
                .for_each(|(score, &cell)| *score += values[cell]);
        })?;
        Ok(scores.into())
    }

    /// What each term adds to the score of each row: rows by terms. With the intercept, a row sums to its score.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    pub fn explain(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        let n_terms = self.terms.len();
        let mut parts = Array2::zeros((x.nrows(), n_terms));
        if let Some(all) = parts.as_slice_mut() {
            let chunks = all.par_chunks_mut(CHUNK * n_terms.max(1));
            self.visit(x, n_terms, chunks, |term, cells, out| {
                let values = &self.terms[term].values;
                let rows = out.chunks_mut(n_terms).zip(cells);
                rows.for_each(|(row, &cell)| row[term] = values[cell]);
            })?;
        }
        Ok(parts)
    }

    /// Tells `add` the cells of each tile of rows, term by term, with the tile's part of `out`, `width` numbers a row.
    fn visit<'a>(
        &self,
        x: &ArrayRef2<f32>,
        width: usize,
        out: impl IndexedParallelIterator<Item = &'a mut [f64]>,
        add: impl Fn(usize, &[usize], &mut [f64]) + Sync,
    ) -> Result<()> {
        self.check_width("x", x.ncols())?;
        let tables: Vec<Option<CutTable>> = self.axes.iter().map(cut_table).collect();
        let x: ArrayView2<'_, f32> = x.view();
        let chunks: Vec<_> = x.axis_chunks_iter(Side(0), CHUNK).collect();
        chunks.into_par_iter().zip(out).for_each(|(x, out)| {
            let mut places = vec![[0u8; TILE]; self.axes.len()];
            let (mut values, mut cells) = ([0.0f32; TILE], [0usize; TILE]);
            for (x, out) in x
                .axis_chunks_iter(Side(0), TILE)
                .zip(out.chunks_mut(TILE * width))
            {
                let n = x.nrows();
                for (j, places) in places.iter_mut().enumerate() {
                    values
                        .iter_mut()
                        .zip(x.slice(s![.., j]))
                        .for_each(|(v, &x)| *v = x);
                    match &tables[j] {
                        Some(table) => table.bin_all(&values[..n], &mut places[..n]),
                        None => {
                            let of = places.iter_mut().zip(&values[..n]);
                            of.for_each(|(p, &v)| *p = self.axes[j].place(v) as u8);
                        }
                    }
                }
                for (at, term) in self.terms.iter().enumerate() {
                    for (i, cell) in cells[..n].iter_mut().enumerate() {
                        *cell = term.cell(|j| usize::from(places[j][i]));
                    }
                    add(at, &cells[..n], out);
                }
            }
        });
        Ok(())
    }

    /// Prediction for one row, without allocation.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit.
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        Ok(self.objective.link(self.score_row(row)?))
    }

    /// The score of one row.
    pub(crate) fn score_row(&self, row: &[f32]) -> Result<f64> {
        self.check_width("row", row.len())?;
        let add = |score: f64, term: &Term| score + term.values[self.cell(term, row)];
        Ok(self.terms.iter().fold(self.intercept, add))
    }

    /// What each term adds to the score of one row; added to the intercept in this order they are the score, to the bit.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit.
    pub fn explain_row(&self, row: &[f32]) -> Result<Vec<f64>> {
        self.check_width("row", row.len())?;
        Ok(self
            .terms
            .iter()
            .map(|term| term.values[self.cell(term, row)])
            .collect())
    }

    fn cell(&self, term: &Term, row: &[f32]) -> usize {
        term.cell(|j| self.axes[j].place(row[j]))
    }

    fn check_width(&self, what: &'static str, found: usize) -> Result<()> {
        if found == self.axes.len() {
            return Ok(());
        }
        let expected = format!("{} columns (as at fit)", self.axes.len());
        Err(Error::shape(what, expected, found.to_string()))
    }

    pub(super) fn check_feature(&self, feature: usize) -> Result<()> {
        if feature < self.axes.len() {
            return Ok(());
        }
        let problem = format!("column {feature} of a table of {} columns", self.axes.len());
        Err(Error::param("feature", problem))
    }

    /// The score of a row to which no term adds anything; curves have a weighted mean of 0 over the training rows.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The columns of each term: first every column alone, in order, then the pairs, the strongest first.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        self.terms.iter().map(Term::features)
    }

    /// Mean absolute contribution of each term over the training rows, in units of the score.
    pub fn importance(&self) -> Vec<f64> {
        self.terms.iter().map(Term::importance).collect()
    }

    /// What one column adds to the score, point by point.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn curve(&self, feature: usize) -> Result<Curve> {
        self.check_feature(feature)?;
        let (axis, term) = (&self.axes[feature], &self.terms[feature]);
        let point = |(place, &value): (usize, &f64)| CurvePoint {
            piece: axis.piece(place),
            value,
            standard_error: term.errors.get(place).copied(),
            weight: term.weights[place],
        };
        let points = term.values.iter().enumerate().map(point).collect();
        Ok(Curve { feature, points })
    }

    /// What a pair adds to the score beyond its two curves; `None` when the pair has no surface.
    pub fn surface(&self, features: [usize; 2]) -> Option<Surface> {
        let turned = [features[1], features[0]];
        self.terms.iter().find_map(|term| {
            let Columns::Two {
                features: of,
                groups,
                width,
            } = &term.columns
            else {
                return None;
            };
            if ![features, turned].contains(of) {
                return None;
            }
            let shape = (term.values.len() / width, *width);
            let array = |list: &[f64]| Array2::from_shape_fn(shape, |(i, j)| list[i * width + j]);
            Some(Surface {
                features: *of,
                groups: [0, 1].map(|side| pieces(&self.axes[of[side]], &groups[side])),
                values: array(&term.values),
                weights: array(&term.weights),
            })
        })
    }

    /// What the model was trained for.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// How the fit went.
    pub fn report(&self) -> &EbmReport {
        &self.report
    }
}

fn cut_table(axis: &Axis) -> Option<CutTable> {
    match axis {
        Axis::Numeric(cuts) => Some(CutTable::new(cuts)),
        Axis::Levels(_) => None,
    }
}

impl EbmParams {
    /// Trains a model.
    ///
    /// # Shapes
    /// `x`: a subscriber a row, missing values as NaN, infinite values in the outermost ranges; `y`: a target a row, 0 or 1
    /// for [`Objective::Binary`].
    ///
    /// # Errors
    /// When a parameter is wrong, shapes differ, `y` holds something the objective cannot fit (NaN included), or a
    /// categorical column something that is no level code.
    ///
    /// # Cost
    /// A pass over a column per round, column and bag, of some 4 ns a row; a histogram of all rows per pair of columns to
    /// rank them. Bags and pairs are worked on in parallel; a bag holds a byte a cell and about 20 bytes a row.
    pub fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<Ebm> {
        fit::fit(self, x, y, None, None)
    }

    /// Trains a model on weighted rows; a row of weight 0 is as good as absent.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), or when a weight is negative or not finite.
    pub fn fit_weighted(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: &ArrayRef1<f32>,
    ) -> Result<Ebm> {
        fit::fit(self, x, y, Some(weights), None)
    }

    /// Learns what is to be added to the scores that the rows start from (finite, one a row).
    pub(crate) fn fit_from(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: Option<&ArrayRef1<f32>>,
        start: &ArrayRef1<f64>,
    ) -> Result<Ebm> {
        fit::fit(self, x, y, weights, Some(start))
    }
}

impl Fit<ArrayRef2<f32>, ArrayRef1<f32>> for EbmParams {
    type Model = Ebm;

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<Ebm> {
        EbmParams::fit(self, x, y)
    }
}

impl Predict<ArrayRef2<f32>> for Ebm {
    type Output = Array1<f64>;

    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        Ebm::predict(self, x)
    }
}

impl Predict<ArrayRef1<f32>> for Ebm {
    type Output = f64;

    fn predict(&self, row: &ArrayRef1<f32>) -> Result<f64> {
        self.predict_row(row_slice(row, &mut Vec::new()))
    }
}

impl Artefact for Ebm {
    const KIND: &'static str = "ebm";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.axes.iter().try_for_each(Axis::validate)?;
        if self.terms.len() < self.axes.len() || !self.intercept.is_finite() {
            return Err(Error::data(
                "ebm",
                "each column needs a term, and the intercept must be finite",
            ));
        }
        self.terms
            .iter()
            .enumerate()
            .try_for_each(|(at, term)| term.validate(&self.axes, at))
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.axes.len())
    }
}
