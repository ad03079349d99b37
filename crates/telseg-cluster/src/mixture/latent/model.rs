//! Latent classes as they were learnt.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::kernel::{TILE, posterior};
use telseg_core::{Error, Fit, Predict, Result, Scalar};

use super::cells::{CHUNK, Cells, check_width};
use super::column::{self, LatentColumn};
use super::em::{self, Density, Outcome};
use super::params::{Family, LatentClassParams, LatentInit};
use super::saved::Saved;
use super::stats::LatentStats;
use super::update::maximise;
use crate::mixture::criteria::{Criteria, Criterion, MixtureChoice, choose};
use crate::mixture::tiles;
use crate::rows::{check_shape, check_weights};

/// Shares of classes and what each column looks like in them; says of each row, however incomplete, how probably it is
/// of each class.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::{Family, LatentClass};
/// let na = f64::NAN;
/// // Monthly fee, contract (0 monthly, 1 yearly), tickets opened; some cells are unknown.
/// let subscribers = array![
///     [20.0, 0.0, 3.0], [22.0, na, 4.0], [19.0, 0.0, na], [na, 0.0, 5.0],
///     [60.0, 1.0, 0.0], [64.0, 1.0, na], [na, 1.0, 0.0], [58.0, na, 1.0]];
/// let families = [Family::Normal, Family::Categorical { n_levels: 2 }, Family::Poisson];
/// let model = LatentClass::params(2, families).with_seed(42).fit(&subscribers)?;
/// let classes = model.labels();
/// assert!(classes.iter().take(4).all(|c| *c == classes[0]));
/// assert!(classes.iter().skip(4).all(|c| *c != classes[0]));
/// let nothing_known = model.predict_proba(&array![[na, na, na]])?;
/// assert!((nothing_known[[0, 0]] - model.weights()[0]).abs() < 1e-12);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct LatentClass {
    pub(super) weights: Array1<f64>,
    pub(super) columns: Vec<LatentColumn>,
    pub(super) density: Density,
    pub(super) report: LatentReport,
    pub(super) labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LatentReport {
    /// Iterations of the best start.
    pub n_iter: usize,
    /// Whether the best start converged before `max_iter`.
    pub converged: bool,
    /// The objective, a row on average, at the best start and after each iteration but the last: the log-likelihood,
    /// and with smoothing the logarithm of the prior, up to a constant. Never falls, but where a class collapses.
    pub trace: Vec<f64>,
    /// Mean log-likelihood of a row that every start came to.
    pub starts: Vec<f64>,
    /// Classes without rows, or with a variance at its floor (a millionth of the column's).
    pub collapsed: Vec<u32>,
    /// Likelihood and its penalised forms.
    pub criteria: Criteria,
}

impl LatentClassParams {
    /// Fits the classes to the rows of `x`; missing cells are NaN.
    ///
    /// # Shapes
    /// `x`: at least `n_components` rows, a column for each family; codes and counts as whole numbers.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// An iteration: `O(n k d)`, in parallel over rows. Memory: a copy of `x` in double precision.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<LatentClass> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight of at least 0 for each row; an integer weight counts as so many equal rows.
    ///
    /// # Errors
    /// As `fit`, and when a weight is negative or not finite, or all are 0.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<LatentClass> {
        self.fit_with(x, Some(weights))
    }

    /// Fits each number of classes in turn and keeps the one with the least criterion.
    ///
    /// # Errors
    /// As `fit`; a given start fits one number only.
    pub fn choose<F: Scalar>(
        &self,
        n_components: std::ops::RangeInclusive<usize>,
        x: &ArrayRef2<F>,
        criterion: Criterion,
    ) -> Result<MixtureChoice<LatentClass>> {
        choose(n_components, criterion, |k| {
            let params = Self {
                n_components: k,
                ..self.clone()
            };
            let model = params.fit(x)?;
            let (criteria, converged) = (model.report.criteria, model.report.converged);
            Ok((model, criteria, converged))
        })
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<LatentClass> {
        self.validate()?;
        check_shape(x, self.n_components, "n_components")?;
        check_width(x.ncols(), self.families.len())?;
        self.check_init(x.nrows())?;
        let weights = weights.map(|w| check_weights(w, x.nrows())).transpose()?;
        let cells = Cells::new(x, &self.families, weights.as_deref())?;
        let weight = weights.map_or(x.nrows() as f64, |w| w.iter().sum());
        let (mut best, mut starts) = (None::<(f64, LatentClass)>, Vec::new());
        for start in 0..self.n_init {
            let outcome = em::run(self, &cells, self.start(&cells, start)?)?;
            let density = Density::new(&outcome.weights, &outcome.columns);
            let (labels, likelihood, entropy) = em::judge(&density, &cells);
            starts.push(likelihood / weight);
            if best.as_ref().is_none_or(|(most, _)| likelihood > *most) {
                let criteria = criteria(
                    &outcome.columns,
                    &outcome.weights,
                    weight,
                    likelihood,
                    entropy,
                );
                let model = LatentClass::fitted(outcome, density, criteria, labels);
                best = Some((likelihood, model));
            }
        }
        let (_, mut model) = best.expect("invariant: n_init is at least 1");
        model.report.starts = starts;
        Ok(model)
    }
}

fn criteria(
    columns: &[LatentColumn],
    weights: &Array1<f64>,
    weight: f64,
    log_likelihood: f64,
    entropy: f64,
) -> Criteria {
    let k = weights.len();
    let n_parameters = k - 1
        + columns
            .iter()
            .map(LatentColumn::n_parameters)
            .sum::<usize>();
    Criteria::new(k, n_parameters, weight, log_likelihood, entropy)
}

impl LatentClass {
    /// What to ask for: so many classes over columns of these families, everything else by default.
    pub fn params(
        n_components: usize,
        families: impl IntoIterator<Item = Family>,
    ) -> LatentClassParams {
        LatentClassParams::new(n_components, families.into_iter().collect())
    }

    /// A model from what it consists of: to start EM over parts of the rows, or to score with published numbers.
    ///
    /// # Errors
    /// When shapes differ or a number cannot be one of its kind.
    pub fn from_parameters(weights: Array1<f64>, columns: Vec<LatentColumn>) -> Result<Self> {
        column::check(&weights, &columns)?;
        let report = LatentReport {
            n_iter: 0,
            converged: false,
            trace: Vec::new(),
            starts: Vec::new(),
            collapsed: Vec::new(),
            criteria: criteria(&columns, &weights, 1.0, 0.0, 0.0),
        };
        Ok(Self {
            density: Density::new(&weights, &columns),
            weights,
            columns,
            report,
            labels: Array1::default(0),
        })
    }

    fn fitted(outcome: Outcome, density: Density, criteria: Criteria, labels: Vec<u32>) -> Self {
        Self {
            weights: outcome.weights,
            columns: outcome.columns,
            density,
            report: LatentReport {
                n_iter: outcome.trace.len(),
                converged: outcome.converged,
                trace: outcome.trace,
                starts: Vec::new(),
                collapsed: outcome.collapsed,
                criteria,
            },
            labels: Array1::from(labels),
        }
    }

    /// Number of classes.
    pub fn n_components(&self) -> usize {
        self.weights.len()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// Share of each class.
    pub fn weights(&self) -> &Array1<f64> {
        &self.weights
    }

    /// Each column in every class: the profiles of the segments.
    pub fn columns(&self) -> &[LatentColumn] {
        &self.columns
    }

    /// How the fit went; of a model that was updated from statistics, only what those tell.
    pub fn report(&self) -> &LatentReport {
        &self.report
    }

    /// Labels of the training rows, the same as `predict` gives; no part of the saved model, so empty in one that was
    /// loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// This model as a start: a warm start for next month's rows.
    pub fn to_init(&self) -> LatentInit {
        LatentInit::Parameters {
            weights: self.weights.clone(),
            columns: self.columns.clone(),
        }
    }

    /// The E step over a part of the rows: statistics that merge with those of other parts.
    ///
    /// # Errors
    /// When the width is not the model's, a cell holds what its column cannot, or a weight is negative.
    pub fn summarise<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<LatentStats> {
        let weights = weights.map(|w| check_weights(w, x.nrows())).transpose()?;
        let cells = Cells::new(x, &self.families(), weights.as_deref())?;
        Ok(em::expect(&cells, &self.weights, &self.columns))
    }

    /// The M step: the model that fits the statistics best with `smoothing` pseudo-rows a class.
    ///
    /// # Errors
    /// When the statistics were not taken under this model, or are of no rows.
    pub fn update(&self, stats: &LatentStats, smoothing: f64) -> Result<Self> {
        if !stats.same_model(&LatentStats::new(&self.weights, &self.columns)) {
            return Err(Error::data("stats", "were not taken under this model"));
        }
        stats.check()?;
        if !(smoothing >= 0.0 && smoothing.is_finite()) {
            let problem = format!("expected a number of at least 0, found {smoothing}");
            return Err(Error::param("smoothing", problem));
        }
        let (weights, columns, collapsed) = maximise(stats, &self.columns, smoothing);
        let mut model = Self::from_parameters(weights, columns)?;
        model.report.n_iter = self.report.n_iter + 1;
        model.report.trace.clone_from(&self.report.trace);
        model.report.trace.push(stats.log_likelihood / stats.weight);
        model.report.collapsed = collapsed;
        Ok(model)
    }

    fn families(&self) -> Vec<Family> {
        self.columns.iter().map(LatentColumn::family).collect()
    }

    /// The most probable class of each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a cell holds what its column cannot.
    pub fn predict<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        let mut labels = Array1::zeros(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// The most probable class of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row.
    pub fn predict_into<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        out: &mut ArrayRef1<u32>,
    ) -> Result<()> {
        if out.len() != x.nrows() {
            let expected = format!("{} (rows of x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let mut labels = vec![0; out.len()];
        self.for_tiles(x, 1, &mut labels, |joint, labels| {
            tiles::labels(joint, labels);
        })?;
        out.iter_mut()
            .zip(labels)
            .for_each(|(out, label)| *out = label);
        Ok(())
    }

    /// The most probable class of one row: the online path; allocates nothing.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a cell holds what its column cannot.
    pub fn predict_row<F: Scalar>(&self, row: &ArrayRef1<F>) -> Result<u32> {
        check_width(row.len(), self.columns.len())?;
        for (j, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
            if let Some(problem) = column.family().problem(cell.into_f64()) {
                return Err(Error::value("x", problem, (0, j)));
            }
        }
        Ok(self.density.label(|j| row[j].into_f64()))
    }

    /// Probability of each class for each row: rows by classes, each row summing to 1. A row of which nothing is known
    /// gets the shares of the classes.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a cell holds what its column cannot.
    pub fn predict_proba<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        let k = self.n_components();
        let mut shares = vec![0.0; x.nrows() * k];
        self.for_tiles(x, k, &mut shares, |joint, shares| {
            let mut log_density = [0.0; TILE];
            posterior(joint, &mut log_density);
            for (l, shares) in shares.chunks_exact_mut(k).enumerate() {
                let far = log_density[l] == f64::NEG_INFINITY;
                for (c, share) in shares.iter_mut().enumerate() {
                    *share = if far { self.weights[c] } else { joint[c][l] };
                }
            }
        })?;
        Ok(Array2::from_shape_vec((x.nrows(), k), shares).expect("invariant: k shares a row"))
    }

    /// Log-likelihood of the observed cells of each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a cell holds what its column cannot.
    pub fn score_samples<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array1<f64>> {
        let mut scores = vec![0.0; x.nrows()];
        self.for_tiles(x, 1, &mut scores, |joint, scores| {
            let mut log_density = [0.0; TILE];
            posterior(joint, &mut log_density);
            scores.copy_from_slice(&log_density[..scores.len()]);
        })?;
        Ok(Array1::from(scores))
    }

    /// How well the model describes other rows than those it was fitted to.
    ///
    /// # Errors
    /// When the width is not the one at fit, a cell holds what its column cannot, or there are no rows.
    pub fn criteria<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Criteria> {
        check_shape(x, 1, "criteria")?;
        let cells = Cells::new(x, &self.families(), None)?;
        let (_, likelihood, entropy) = em::judge(&self.density, &cells);
        Ok(criteria(
            &self.columns,
            &self.weights,
            x.nrows() as f64,
            likelihood,
            entropy,
        ))
    }

    /// Calls `write` for every tile of `x` with the joint log densities and the tile's part of `out`.
    fn for_tiles<F: Scalar, T: Send>(
        &self,
        x: &ArrayRef2<F>,
        width: usize,
        out: &mut [T],
        write: impl Fn(&mut [[f64; TILE]], &mut [T]) + Sync,
    ) -> Result<()> {
        let cells = Cells::new(x, &self.families(), None)?;
        let chunks = out.par_chunks_mut(CHUNK * TILE * width).enumerate();
        chunks.for_each(|(chunk, out)| {
            let mut joint = vec![[0.0; TILE]; self.n_components()];
            for (t, out) in out.chunks_mut(TILE * width).enumerate() {
                self.density
                    .joint(cells.tile(chunk * CHUNK + t), &mut joint);
                write(&mut joint, out);
            }
        });
        Ok(())
    }
}

impl Artefact for LatentClass {
    const KIND: &'static str = "latent_class";
    const VERSION: u32 = 1;

    /// Loading has made the model from checked parts: nothing is left to check but those parts again, before saving.
    fn validate(&self) -> Result<()> {
        column::check(&self.weights, &self.columns)
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.columns.len())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved.
impl PartialEq for LatentClass {
    fn eq(&self, other: &Self) -> bool {
        (&self.weights, &self.columns, &self.report)
            == (&other.weights, &other.columns, &other.report)
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for LatentClassParams {
    type Model = LatentClass;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<LatentClass> {
        LatentClassParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for LatentClass {
    type Output = Array1<u32>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        LatentClass::predict(self, x)
    }
}
