//! k-means as it was learnt.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::{self, Artefact};
use telseg_core::{Error, Fit, Predict, Result, Scalar, Seed};

use super::bounds::Bounds;
use super::codebook::Codebook;
use super::data::Data;
use super::init;
use super::lloyd::{self, Assigner, Outcome};
use super::params::{Algorithm, Init, KMeansParams};
use super::saved::KMeansV1;

/// Cluster centres, and what is needed to label rows with the nearest.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::KMeans;
/// // Minutes of voice and GB of data a month.
/// let usage = array![[310.0f32, 1.1], [290.0, 0.9], [305.0, 1.3], [20.0, 18.0], [35.0, 22.0], [28.0, 25.0]];
/// let model = KMeans::params(2).with_seed(42).fit(&usage)?;
/// let segments = model.predict(&usage)?;
/// assert_eq!(segments, model.labels());
/// assert_eq!(segments[0], segments[2]);
/// assert_ne!(segments[0], segments[5]);
/// assert_eq!(model.predict_row(&array![300.0f32, 2.0])?, segments[0]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KMeans<F: Scalar = f32> {
    codebook: Codebook<F>,
    report: KMeansReport,
    #[serde(skip)]
    labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KMeansReport {
    /// The algorithm that ran.
    pub algorithm: Algorithm,
    /// Weighted sum of squared distances of the rows to their centres, of the best start.
    pub inertia: f64,
    /// Rounds of the best start.
    pub n_iter: usize,
    /// Whether the best start converged before `max_iter`.
    pub converged: bool,
    /// Sum of squared distances to the clusters' means after each round of the best start; never rises (beyond its own
    /// rounding, some 1e-12 of the rows' spread about their mean).
    pub trace: Vec<f64>,
    /// Inertia of every start.
    pub starts: Vec<f64>,
    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub sizes: Vec<f64>,
}

impl KMeans<f32> {
    /// What to ask for: `n_clusters` clusters, everything else by default.
    pub fn params(n_clusters: usize) -> KMeansParams {
        KMeansParams::new(n_clusters)
    }
}

impl KMeansParams {
    /// Finds clusters among the rows of `x`.
    ///
    /// # Shapes
    /// `x`: at least `n_clusters` rows, at least one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// A round: at most `2 n k d` operations, in parallel over rows. Memory: 4 bytes a row for the labels, and
    /// two numbers a row for bounds; no copy of rows that lie one after the other, but with
    /// [`Distance::Cosine`](super::Distance::Cosine).
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<KMeans<F>> {
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
    ) -> Result<KMeans<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<KMeans<F>> {
        self.validate()?;
        self.check_centers(x.ncols())?;
        let data = Data::new(x, weights, self.n_clusters, self.distance)?;
        let (best, starts, algorithm) = self.best(&data, None)?;
        Ok(self.model(&data, best, starts, algorithm))
    }

    /// As [`fit`](Self::fit) with as many clusters as another model has, whose centres are one more start.
    pub(super) fn fit_near<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        near: &KMeans<F>,
    ) -> Result<KMeans<F>> {
        let params = Self {
            n_clusters: near.n_clusters(),
            ..self.clone()
        };
        let data = Data::new(x, None, params.n_clusters, params.distance)?;
        let start = near.centers().iter().copied().collect();
        let (best, starts, algorithm) = params.best(&data, Some(start))?;
        Ok(params.model(&data, best, starts, algorithm))
    }

    /// The best of all starts, the inertia of each, and the algorithm that ran; `last` is a start of its own.
    pub(super) fn best<F: Scalar>(
        &self,
        data: &Data<'_, F>,
        last: Option<Vec<F>>,
    ) -> Result<(Outcome<F>, Vec<f64>, Algorithm)> {
        let algorithm = self.choose_algorithm(data);
        let (mut best, mut starts) = (None::<Outcome<F>>, Vec::with_capacity(self.n_init));
        let fresh = (0..self.n_init).map(|start| self.start(data, start));
        for centers in fresh.chain(last.map(Ok)) {
            let assigner = match algorithm {
                Algorithm::Lloyd => Assigner::All,
                _ => Assigner::Bounded(Bounds::new(
                    data.n_rows,
                    self.n_clusters,
                    algorithm == Algorithm::Exponion,
                )),
            };
            let outcome = lloyd::run(data, assigner, centers?, self)?;
            starts.push(outcome.inertia);
            if best
                .as_ref()
                .is_none_or(|best| outcome.inertia < best.inertia)
            {
                best = Some(outcome);
            }
        }
        let best = best.expect("invariant: n_init is at least 1");
        Ok((best, starts, algorithm))
    }

    /// Given centres must have the columns of the data.
    pub(super) fn check_centers(&self, n_columns: usize) -> Result<()> {
        match &self.init {
            Init::Centers(centers) if centers.ncols() != n_columns => {
                let found = centers.ncols();
                let problem =
                    format!("expected centres of {n_columns} columns (as x), found {found}");
                Err(Error::param("init", problem))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn model<F: Scalar>(
        &self,
        data: &Data<'_, F>,
        best: Outcome<F>,
        starts: Vec<f64>,
        algorithm: Algorithm,
    ) -> KMeans<F> {
        let mut sizes = vec![0.0; self.n_clusters];
        best.labels
            .iter()
            .enumerate()
            .for_each(|(i, &label)| sizes[label as usize] += data.weight(i));
        KMeans {
            codebook: Codebook::new(best.centers, &data.shift, self.distance),
            report: KMeansReport {
                algorithm,
                inertia: best.inertia,
                n_iter: best.n_iter,
                converged: best.converged,
                trace: best.trace,
                starts,
                sizes,
            },
            labels: Array1::from(best.labels),
        }
    }

    /// Bounds pay when a row's full search costs much more than keeping its bounds. Measured on overlapping clusters with
    /// heavy tails, 30 rounds, two threads, AVX-512: 20 clusters of 16 columns (320) take Lloyd 0.13 s and Hamerly 0.22 s;
    /// 100 of 64 columns (6400) take 0.28 s and 0.18 s. Exponion's rings gain nothing there
    /// (0.18 s), nor in 3 columns with 200 clusters (25 ms, Lloyd 15 ms): it is run only where it is asked for.
    fn choose_algorithm<F: Scalar>(&self, data: &Data<'_, F>) -> Algorithm {
        let (k, d) = (self.n_clusters, data.n_columns);
        match self.algorithm {
            Algorithm::Auto if k > 1 && k * d >= BOUNDS_PAY => Algorithm::Hamerly,
            Algorithm::Auto => Algorithm::Lloyd,
            chosen => chosen,
        }
    }

    fn start<F: Scalar>(&self, data: &Data<'_, F>, start: usize) -> Result<Vec<F>> {
        let mut rng = Seed::new(self.seed)
            .stream("kmeans.init")
            .index(start as u64);
        let rows = match &self.init {
            Init::Centers(centers) => {
                return Ok(centers.iter().map(|&c| F::from_f64(c)).collect());
            }
            Init::KMeansPlusPlus => init::plus_plus(data, self.n_clusters, &mut rng)?,
            Init::KMeansParallel => init::parallel(data, self.n_clusters, &mut rng)?,
            Init::Random => init::random(data, self.n_clusters, &mut rng),
        };
        Ok(rows
            .into_iter()
            .flat_map(|i| data.row(i).iter().copied())
            .collect())
    }
}

/// Clusters times columns from which on bounds are kept.
const BOUNDS_PAY: usize = 2048;

impl<F: Scalar> KMeans<F> {
    /// A model as it was saved: without the labels of its training rows.
    pub(super) fn loaded(codebook: Codebook<F>, report: KMeansReport) -> Self {
        Self {
            codebook,
            report,
            labels: Array1::zeros(0),
        }
    }

    /// Parameters that start from these centres, once: this month's segments from last month's.
    pub fn warm_start(&self) -> KMeansParams {
        KMeansParams::new(self.n_clusters())
            .with_init(Init::Centers(self.centers().mapv(|c| c.into_f64())))
            .with_n_init(1)
            .with_distance(self.codebook.distance)
    }

    /// A model of rows that were not kept.
    pub(super) fn of_blocks(codebook: Codebook<F>, report: KMeansReport) -> Self {
        Self {
            codebook,
            report,
            labels: Array1::zeros(0),
        }
    }

    /// Cluster centres, one a row, in the coordinates of the data.
    pub fn centers(&self) -> &Array2<F> {
        &self.codebook.centers
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.codebook.centers.nrows()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.codebook.n_features()
    }

    /// How the fit went.
    pub fn report(&self) -> &KMeansReport {
        &self.report
    }

    /// Labels of the training rows, the same as `predict` gives; no part of the saved model, so empty in one that was
    /// loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// The nearest centre of each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        self.codebook.predict(x)
    }

    /// The nearest centre of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row; `out` then holds anything.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.codebook.predict_into(x, out)
    }

    /// The nearest centre of one row: the online path; allocates nothing.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.codebook.predict_row(row)
    }

    /// Euclidean distance of each row to every centre: rows by clusters. With
    /// [`Distance::Cosine`](super::Distance::Cosine), between rows and
    /// centres of length 1: `sqrt(2 (1 - cos))`.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn transform(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        self.codebook.transform(x)
    }
}

impl<F: Scalar> Artefact for KMeans<F> {
    const KIND: &'static str = "kmeans";
    const VERSION: u32 = 2;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn from_older(version: u32, body: &[u8]) -> Result<Self> {
        match version {
            1 => Ok(artefact::decode::<KMeansV1<F>>(body)?.into()),
            _ => {
                let problem = format!("version {version} is not known");
                Err(Error::artefact(Self::KIND, problem))
            }
        }
    }

    fn validate(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("kmeans", problem.to_owned()));
        self.codebook.validate("kmeans")?;
        if self.report.sizes.len() != self.n_clusters() {
            return broken("centres and sizes differ in length");
        }
        let report = &self.report;
        let judged = report
            .sizes
            .iter()
            .chain(&report.trace)
            .chain(&report.starts);
        let mut judged = judged.chain([&report.inertia]);
        if !judged.all(|v| *v >= 0.0 && v.is_finite()) {
            return broken("the report holds a size or an inertia that is negative or not finite");
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.codebook.n_features())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved.
impl<F: Scalar> PartialEq for KMeans<F> {
    fn eq(&self, other: &Self) -> bool {
        (&self.codebook, &self.report) == (&other.codebook, &other.report)
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for KMeansParams {
    type Model = KMeans<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<KMeans<F>> {
        KMeansParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for KMeans<F> {
    type Output = Array1<u32>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        KMeans::predict(self, x)
    }
}
