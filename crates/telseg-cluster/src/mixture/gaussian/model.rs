//! A Gaussian mixture as it was learnt.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand::Rng as _;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::kernel::{Packed, TILE, posterior};
use telseg_core::merge::Moments;
use telseg_core::{Error, Fit, Predict, Result, Scalar, Seed};

use super::cholesky;
use super::covariance::{Covariance, Covariances};
use super::density::{self, Density, Parameters, Work};
use super::em::{self, Outcome};
use super::params::{GaussianInit, GaussianMixtureParams};
use super::saved::Saved;
use super::start::Given;
use super::stats::{self, CHUNK, GaussianStats, Rows};
use super::update::maximise;
use crate::mixture::criteria::{Criteria, Criterion, MixtureChoice, choose};
use crate::mixture::tiles::{self, most};
use crate::rows::{check_finite, check_shape, check_weights, contiguous};

/// Shares, means and covariances of normal components; says of each row how probably it is of each.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::{Covariance, GaussianMixture};
/// // Minutes of voice and GB of data a month, in units of their spread.
/// let usage = array![[0.1f64, 4.0], [0.3, 3.7], [0.2, 4.4], [0.4, 4.1], [4.0, 0.2], [3.8, 0.1], [4.3, 0.4], [4.1, 0.2]];
/// let params = GaussianMixture::params(2).with_covariance(Covariance::Tied).with_reg_covar(0.1);
/// let model = params.with_seed(42).fit(&usage)?;
/// assert_eq!(&model.predict(&usage)?, model.labels());
/// let between = model.predict_proba(&array![[2.15f64, 2.14]])?;
/// assert!(between.iter().all(|&share| share > 0.05)); // of both kinds
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Saved<F>", into = "Saved<F>")]
pub struct GaussianMixture<F: Scalar = f32> {
    pub(super) parameters: Parameters,
    pub(super) density: Density<F>,
    pub(super) report: GaussianReport,
    pub(super) labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GaussianReport {
    /// Iterations of the best start.
    pub n_iter: usize,
    /// Whether the best start converged before `max_iter`.
    pub converged: bool,
    /// Mean log-likelihood of a row at the best start and after each iteration but the last.
    pub trace: Vec<f64>,
    /// Mean log-likelihood of a row that every start came to.
    pub starts: Vec<f64>,
    /// Components without rows (weight 0), or shrunk to a point: their variance is what `reg_covar` adds, or more had to
    /// be added for the covariance to be one.
    pub collapsed: Vec<u32>,
    /// Likelihood and its penalised forms.
    pub criteria: Criteria,
}

impl GaussianMixture<f32> {
    /// What to ask for: `n_components` components, everything else by default.
    pub fn params(n_components: usize) -> GaussianMixtureParams {
        GaussianMixtureParams::new(n_components)
    }
}

impl GaussianMixtureParams {
    /// Fits the mixture to the rows of `x`.
    ///
    /// # Shapes
    /// `x`: at least `n_components` rows, at least one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// An iteration over `n` rows of `d` columns with full covariances: `2 n k d (d + 5)` operations, with tied ones
    /// `2 n d (d + 2k)`, with the others `7 n k d`; in parallel over rows. Memory: a second copy of `x`, and 8 bytes a row.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<GaussianMixture<F>> {
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
    ) -> Result<GaussianMixture<F>> {
        self.fit_with(x, Some(weights))
    }

    /// Fits each number of components in turn and keeps the one with the least criterion.
    ///
    /// # Errors
    /// As `fit`; a start other than k-means fits one number only.
    ///
    /// # Examples
    /// ```
    /// use ndarray::Array2;
    /// use telseg_cluster::{Criterion, GaussianMixture};
    /// let usage = Array2::from_shape_fn((90, 1), |(i, _)| 10.0 * (i % 3) as f64 + (i / 3 % 7) as f64 / 3.0);
    /// let choice = GaussianMixture::params(1).with_reg_covar(0.01).choose(1..=5, &usage, Criterion::Icl)?;
    /// assert_eq!(choice.model.n_components(), 3, "{}", choice.reason);
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn choose<F: Scalar>(
        &self,
        n_components: std::ops::RangeInclusive<usize>,
        x: &ArrayRef2<F>,
        criterion: Criterion,
    ) -> Result<MixtureChoice<GaussianMixture<F>>> {
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
    ) -> Result<GaussianMixture<F>> {
        self.validate()?;
        check_shape(x, self.n_components, "n_components")?;
        self.check_init(x)?;
        let checked = weights.map(|w| check_weights(w, x.nrows())).transpose()?;
        check_finite(&contiguous(x), x.ncols())?;
        let shift = origin(x, checked.as_deref())?;
        let rows = Rows::new(x, &shift, checked.as_deref())?;
        let given = Given {
            x,
            weights,
            shift: &shift,
            rows: &rows,
        };
        let (mut best, mut starts) = (None::<Judged<F>>, Vec::with_capacity(self.n_init));
        for start in 0..self.n_init {
            let outcome = em::run(self, &rows, &shift, self.start(&given, start)?)?;
            let (labels, likelihood, entropy) = em::judge(&outcome.density, &rows);
            starts.push(likelihood);
            if best.as_ref().is_none_or(|b| likelihood > b.likelihood) {
                best = Some(Judged {
                    outcome,
                    labels,
                    likelihood,
                    entropy,
                });
            }
        }
        let weight = checked.map_or(x.nrows() as f64, |w| w.iter().sum());
        starts
            .iter_mut()
            .for_each(|likelihood| *likelihood /= weight);
        let best = best.expect("invariant: n_init is at least 1");
        Ok(best.model(starts, weight))
    }
}

struct Judged<F: Scalar> {
    outcome: Outcome<F>,
    labels: Vec<u32>,
    likelihood: f64,
    entropy: f64,
}

impl<F: Scalar> Judged<F> {
    fn model(self, starts: Vec<f64>, weight: f64) -> GaussianMixture<F> {
        let outcome = self.outcome;
        GaussianMixture {
            report: GaussianReport {
                n_iter: outcome.trace.len(),
                converged: outcome.converged,
                trace: outcome.trace,
                starts,
                collapsed: outcome.collapsed,
                criteria: outcome
                    .parameters
                    .criteria(weight, self.likelihood, self.entropy),
            },
            parameters: outcome.parameters,
            density: outcome.density,
            labels: Array1::from(self.labels),
        }
    }
}

impl Parameters {
    fn criteria(&self, weight: f64, log_likelihood: f64, entropy: f64) -> Criteria {
        let (k, d) = self.means.dim();
        let n_parameters = k - 1 + k * d + self.covariances.n_parameters(k, d);
        Criteria::new(k, n_parameters, weight, log_likelihood, entropy)
    }
}

/// The column means, which everything is computed relative to.
fn origin<F: Scalar>(x: &ArrayRef2<F>, weights: Option<&[f64]>) -> Result<Vec<F>> {
    let moments = Moments::of(x, weights)?;
    let shift: Vec<F> = moments.mean().iter().map(|&m| F::from_f64(m)).collect();
    let spread = moments.min().into_iter().zip(moments.max());
    let longest: f64 = spread.map(|(min, max)| (max - min).powi(2)).sum();
    let heaviest = weights.map_or(1.0, |w| w.iter().copied().fold(1.0, f64::max));
    // Some hundreds of squares are added before they go into double precision.
    if 1024.0 * longest * heaviest < F::max_value().into_f64() {
        return Ok(shift);
    }
    let problem = format!(
        "squared distances overflow {}: scale the columns or the weights",
        F::NAME
    );
    Err(Error::data("x", problem))
}

impl<F: Scalar> GaussianMixture<F> {
    /// A model from what it consists of: to start EM over parts of the rows, or to score with published numbers.
    ///
    /// # Shapes
    /// `weights`: one a component, summing to 1; `means`: components by columns; `covariances` accordingly.
    ///
    /// # Errors
    /// When shapes differ, a number is not finite or a covariance is not positive definite.
    pub fn from_parameters(
        weights: Array1<f64>,
        means: Array2<f64>,
        covariances: Covariances,
    ) -> Result<Self> {
        density::check(&weights, &means, &covariances)?;
        let parameters = Parameters {
            weights,
            means,
            covariances,
        };
        let shift = parameters.weights.dot(&parameters.means);
        let shift: Vec<F> = shift.iter().map(|&s| F::from_f64(s)).collect();
        Self::bare(parameters, &shift)
    }

    /// A model that was not fitted to rows in one place.
    fn bare(parameters: Parameters, shift: &[F]) -> Result<Self> {
        Ok(Self {
            density: Density::new(&parameters, shift)?,
            report: GaussianReport {
                n_iter: 0,
                converged: false,
                trace: Vec::new(),
                starts: Vec::new(),
                collapsed: Vec::new(),
                criteria: parameters.criteria(1.0, 0.0, 0.0),
            },
            parameters,
            labels: Array1::default(0),
        })
    }

    /// Number of components.
    pub fn n_components(&self) -> usize {
        self.density.n_components()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.density.n_columns()
    }

    /// Share of each component.
    pub fn weights(&self) -> &Array1<f64> {
        &self.parameters.weights
    }

    /// Means, components by columns.
    pub fn means(&self) -> &Array2<f64> {
        &self.parameters.means
    }

    /// Covariances, `reg_covar` included.
    pub fn covariances(&self) -> &Covariances {
        &self.parameters.covariances
    }

    /// How the fit went; of a model that was updated from statistics, only what those tell.
    pub fn report(&self) -> &GaussianReport {
        &self.report
    }

    /// Labels of the training rows, the same as `predict` gives; no part of the saved model, so empty in one that was
    /// loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// This model as a start: a warm start for next month's rows.
    pub fn to_init(&self) -> GaussianInit {
        GaussianInit::Parameters {
            weights: self.parameters.weights.clone(),
            means: self.parameters.means.clone(),
            covariances: self.parameters.covariances.clone(),
        }
    }

    /// The E step over a part of the rows: statistics that merge with those of other parts.
    ///
    /// # Errors
    /// When the width is not the model's, a value is not finite, or a weight is negative.
    ///
    /// # Examples
    /// ```
    /// use ndarray::{array, Axis};
    /// use telseg_cluster::{Covariances, GaussianMixture};
    /// use telseg_core::merge::fold;
    /// let north = array![[0.0f64], [1.0], [10.0]]; // rows that never meet
    /// let south = array![[0.5f64], [11.0], [12.0]];
    /// let mut model = GaussianMixture::from_parameters(
    ///     array![0.5, 0.5], array![[1.0], [9.0]], Covariances::Spherical(array![4.0, 4.0]))?;
    /// for _ in 0..20 {
    ///     let parts = [model.summarise(&north, None)?, model.summarise(&south, None)?];
    ///     let all = fold(parts)?.expect("two parts");
    ///     model = model.update(&all, 1e-6)?;
    /// }
    /// assert!((model.means()[[0, 0]] - 0.5).abs() < 1e-6 && (model.means()[[1, 0]] - 11.0).abs() < 1e-6);
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn summarise(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<GaussianStats> {
        self.check(x)?;
        let weights = match weights {
            Some(weights) => Some(check_weights(weights, x.nrows())?),
            None => None,
        };
        let rows = Rows::new(x, &self.density.shift, weights.as_deref())?;
        Ok(stats::expect(&self.density, self.covariance(), &rows))
    }

    /// The M step: the model that fits the statistics best, with `reg_covar` added to every variance.
    ///
    /// # Errors
    /// When the statistics were not taken under this model, or are of no rows.
    pub fn update(&self, stats: &GaussianStats, reg_covar: f64) -> Result<Self> {
        let centers = self.density.centers.iter().map(|c| c.into_f64());
        if stats.covariance != self.covariance() || !centers.eq(stats.centers.iter().copied()) {
            return Err(Error::data("stats", "were not taken under this model"));
        }
        stats.check()?;
        if !(reg_covar >= 0.0 && reg_covar.is_finite()) {
            let problem = format!("expected a number of at least 0, found {reg_covar}");
            return Err(Error::param("reg_covar", problem));
        }
        let shift = &self.density.shift;
        let (parameters, collapsed) = maximise(stats, &self.parameters, shift, reg_covar);
        let mut model = Self::bare(parameters, shift)?;
        model.report.n_iter = self.report.n_iter + 1;
        model.report.trace.clone_from(&self.report.trace);
        model.report.trace.push(stats.log_likelihood / stats.weight);
        model.report.collapsed = collapsed;
        Ok(model)
    }

    fn covariance(&self) -> Covariance {
        self.parameters.covariances.shape()
    }

    /// The most probable component of each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        let mut labels = Array1::zeros(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// The most probable component of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        if out.len() != x.nrows() {
            let expected = format!("{} (rows of x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        match out.as_slice_mut() {
            Some(out) => self.for_tiles(x, 1, out, |work, out| {
                tiles::labels(&work.joint, out);
            }),
            None => {
                let labels = self.predict(x)?;
                out.assign(&labels);
                Ok(())
            }
        }
    }

    /// The most probable component of one row: the online path; allocates nothing for contiguous rows.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        let copied: Vec<F>;
        let cells = match row.as_slice() {
            Some(cells) => cells,
            None => {
                copied = row.to_vec();
                &copied
            }
        };
        self.check_width(cells.len())?;
        if let Some(column) = cells.iter().position(|v| !v.is_finite()) {
            let problem = format!(
                "{} (impute missing values before clustering)",
                cells[column]
            );
            return Err(Error::value("x", problem, (0, column)));
        }
        Ok(most(
            (0..self.n_components()).map(|j| self.density.joint_row(j, cells)),
        ))
    }

    /// Probability of each component for each row: rows by components, each row summing to 1. A row so far away that
    /// every density underflows to 0 gets the components' weights.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_proba(&self, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        let k = self.n_components();
        let mut shares = vec![0.0; x.nrows() * k];
        self.for_tiles(x, k, &mut shares, |work, shares| {
            posterior(&mut work.joint, &mut work.log_density);
            for (l, shares) in shares.chunks_exact_mut(k).enumerate() {
                let far = work.log_density[l] == F::neg_infinity();
                for (j, share) in shares.iter_mut().enumerate() {
                    *share = if far {
                        self.parameters.weights[j]
                    } else {
                        work.joint[j][l].into_f64()
                    };
                }
            }
        })?;
        Ok(Array2::from_shape_vec((x.nrows(), k), shares).expect("invariant: k shares a row"))
    }

    /// Log density of each row: low where no component expects such rows.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn score_samples(&self, x: &ArrayRef2<F>) -> Result<Array1<f64>> {
        let mut scores = vec![0.0; x.nrows()];
        self.for_tiles(x, 1, &mut scores, |work, scores| {
            posterior(&mut work.joint, &mut work.log_density);
            let pairs = scores.iter_mut().zip(&work.log_density);
            pairs.for_each(|(score, log)| *score = log.into_f64());
        })?;
        Ok(Array1::from(scores))
    }

    /// How well the model describes other rows than those it was fitted to.
    ///
    /// # Errors
    /// When the width is not the one at fit, a value is not finite, or there are no rows.
    pub fn criteria(&self, x: &ArrayRef2<F>) -> Result<Criteria> {
        check_shape(x, 1, "criteria")?;
        self.check(x)?;
        let rows = Rows::new(x, &self.density.shift, None)?;
        let (_, likelihood, entropy) = em::judge(&self.density, &rows);
        Ok(self
            .parameters
            .criteria(x.nrows() as f64, likelihood, entropy))
    }

    /// `n` rows drawn from the mixture, and the component of each. Row `i` depends on the seed and on `i` only.
    pub fn sample(&self, n: usize, seed: u64) -> (Array2<F>, Array1<u32>) {
        let (k, d) = (self.n_components(), self.n_features());
        let lower: Vec<Array2<f64>> = (0..k)
            .map(|j| {
                let matrix = self.parameters.covariances.matrix(j, d);
                cholesky::factor(&matrix).expect("invariant: positive definite, as the density")
            })
            .collect();
        let (mut rows, mut labels) = (Array2::zeros((n, d)), Array1::zeros(n));
        let stream = Seed::new(seed).stream("gmm.sample");
        for (i, (mut row, label)) in rows.rows_mut().into_iter().zip(&mut labels).enumerate() {
            let mut rng = stream.index(i as u64);
            let (mut left, mut j) = (rng.random::<f64>(), 0);
            while j + 1 < k && left >= self.parameters.weights[j] {
                left -= self.parameters.weights[j];
                j += 1;
            }
            let normal: Array1<f64> = (0..d).map(|_| rng.sample(StandardNormal)).collect();
            let drawn = lower[j].dot(&normal) + self.parameters.means.row(j);
            row.assign(&drawn.mapv(F::from_f64));
            *label = j as u32;
        }
        (rows, labels)
    }

    /// Calls `write` for every tile of `x` with the joint log densities and the tile's part of `out`.
    fn for_tiles<T: Send>(
        &self,
        x: &ArrayRef2<F>,
        width: usize,
        out: &mut [T],
        write: impl Fn(&mut Work<F>, &mut [T]) + Sync,
    ) -> Result<()> {
        self.check(x)?;
        let (rows, d) = (contiguous(x), self.n_features());
        let chunks = out.par_chunks_mut(CHUNK * width).enumerate();
        chunks.for_each(|(c, out)| {
            let (mut tile, mut work) = (Packed::zeros(TILE, d), self.density.work());
            for (t, out) in out.chunks_mut(TILE * width).enumerate() {
                let first = c * CHUNK + t * TILE;
                for l in 0..out.len() / width {
                    tile.set_row(l, &rows[(first + l) * d..][..d], &self.density.shift);
                }
                self.density.joint(tile.tile(0).0, &mut work);
                write(&mut work, out);
            }
        });
        Ok(())
    }

    fn check(&self, x: &ArrayRef2<F>) -> Result<()> {
        self.check_width(x.ncols())?;
        check_finite(&contiguous(x), x.ncols())
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features() {
            return Ok(());
        }
        let expected = format!("{} columns (as at fit)", self.n_features());
        Err(Error::shape("x", expected, found.to_string()))
    }
}

impl<F: Scalar> Artefact for GaussianMixture<F> {
    const KIND: &'static str = "gaussian_mixture";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    /// Loading has made the model from checked parts: nothing is left to check but those parts again, before saving.
    fn validate(&self) -> Result<()> {
        let Parameters {
            weights,
            means,
            covariances,
        } = &self.parameters;
        density::check(weights, means, covariances)
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.density.n_columns())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved.
impl<F: Scalar> PartialEq for GaussianMixture<F> {
    fn eq(&self, other: &Self) -> bool {
        (&self.parameters, &self.density.shift, &self.report)
            == (&other.parameters, &other.density.shift, &other.report)
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for GaussianMixtureParams {
    type Model = GaussianMixture<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<GaussianMixture<F>> {
        GaussianMixtureParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for GaussianMixture<F> {
    type Output = Array1<u32>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        GaussianMixture::predict(self, x)
    }
}
