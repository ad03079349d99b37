//! k-means as it was learnt.

use std::borrow::Cow;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::kernel::{NearestTile, Packed, TILE, squared_distance};
use telseg_core::{Error, Fit, Predict, Result, Scalar, Seed};

use super::bounds::Bounds;
use super::data::{CHUNK, Data};
use super::init;
use super::lloyd::{self, Assigner, Outcome, Round};
use super::params::{Algorithm, Init, KMeansParams};
use crate::rows::{check_finite, contiguous};

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
    centers: Array2<F>,
    /// Labels are computed relative to this point, for the sake of digits.
    shift: Array1<F>,
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
    /// A round: at most `2 n k d` operations, in parallel over rows. Memory: a second copy of `x`, one number a
    /// row for its length, two more with Hamerly's bounds, and 4 bytes a row for the labels.
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
        if let Init::Centers(centers) = &self.init
            && centers.ncols() != x.ncols()
        {
            let problem = format!(
                "expected centres of {} columns (as x), found {}",
                x.ncols(),
                centers.ncols()
            );
            return Err(Error::param("init", problem));
        }
        let data = Data::new(x, weights, self.n_clusters)?;
        let algorithm = self.choose_algorithm(&data);
        let (mut best, mut starts) = (None::<Outcome<F>>, Vec::with_capacity(self.n_init));
        for start in 0..self.n_init {
            let centers = self.start(&data, start)?;
            let assigner = match algorithm {
                Algorithm::Lloyd => Assigner::All,
                _ => Assigner::Bounded(Bounds::new(
                    data.n_rows,
                    self.n_clusters,
                    algorithm == Algorithm::Exponion,
                )),
            };
            let outcome = lloyd::run(&data, assigner, centers, self)?;
            starts.push(outcome.inertia);
            if best
                .as_ref()
                .is_none_or(|best| outcome.inertia < best.inertia)
            {
                best = Some(outcome);
            }
        }
        let best = best.expect("invariant: n_init is at least 1");
        Ok(self.model(&data, best, starts, algorithm))
    }

    fn model<F: Scalar>(
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
        let shape = (self.n_clusters, data.n_columns);
        KMeans {
            centers: Array2::from_shape_vec(shape, best.centers)
                .expect("invariant: k rows of d numbers"),
            shift: Array1::from(data.shift.clone()),
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

    /// Bounds pay when a row's full search costs much more than keeping its bounds.
    fn choose_algorithm<F: Scalar>(&self, data: &Data<'_, F>) -> Algorithm {
        match self.algorithm {
            Algorithm::Auto
                if self.n_clusters * data.n_columns >= BOUNDS_PAY && self.n_clusters > 1 =>
            {
                Algorithm::Hamerly
            }
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
            Init::Random => init::random(data, self.n_clusters, &mut rng),
        };
        Ok(rows
            .into_iter()
            .flat_map(|i| data.row(i).iter().copied())
            .collect())
    }
}

/// Clusters times columns from which on bounds are kept: an estimate, to be calibrated.
const BOUNDS_PAY: usize = 1024;

impl<F: Scalar> KMeans<F> {
    /// Cluster centres, one a row, in the coordinates of the data.
    pub fn centers(&self) -> &Array2<F> {
        &self.centers
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.centers.nrows()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.centers.ncols()
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
        let mut labels = Array1::zeros(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// The nearest centre of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.len() != x.nrows() {
            return Err(Error::shape(
                "out",
                format!("{} (rows of x)", x.nrows()),
                out.len().to_string(),
            ));
        }
        let rows = self.checked(x)?;
        let d = self.n_features();
        let shift = self
            .shift
            .as_slice()
            .expect("invariant: one-dimensional and owned");
        let round = Round::new(self.centers.iter().copied().collect(), shift)?;
        let label = |(c, labels): (usize, &mut [u32])| {
            let mut tile = Packed::zeros(TILE, d);
            let mut nearest = NearestTile::default();
            for (t, labels) in labels.chunks_mut(TILE).enumerate() {
                let first = c * CHUNK + t * TILE;
                tile.load(0, &rows[first * d..(first + labels.len()) * d], shift);
                round.layout.nearest(tile.tile(0).0, &mut nearest);
                labels.copy_from_slice(&nearest.label[..labels.len()]);
            }
        };
        match out.as_slice_mut() {
            Some(out) => out.par_chunks_mut(CHUNK).enumerate().for_each(label),
            None => {
                let mut labels = vec![0; out.len()];
                labels.par_chunks_mut(CHUNK).enumerate().for_each(label);
                out.assign(&Array1::from(labels));
            }
        }
        Ok(())
    }

    /// Rows of the right width without missing values, one after the other.
    fn checked<'a>(&self, x: &'a ArrayRef2<F>) -> Result<Cow<'a, [F]>> {
        self.check_width(x.ncols())?;
        let rows = contiguous(x);
        check_finite(&rows, x.ncols())?;
        Ok(rows)
    }

    /// The nearest centre of one row: the online path; allocates nothing for contiguous rows.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.check_width(row.len())?;
        if let Some((column, v)) = row.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(Error::value(
                "x",
                format!("{v} (impute missing values before clustering)"),
                (0, column),
            ));
        }
        // The same operations in the same order as in the kernel, so that a row alone gets the label it gets in a batch.
        let (mut best, mut label) = (F::infinity(), 0);
        for (j, center) in self.centers.rows().into_iter().enumerate() {
            let score = self.score(row.view(), center);
            if score < best {
                (best, label) = (score, j as u32);
            }
        }
        Ok(label)
    }

    fn score(&self, row: ArrayView1<'_, F>, center: ArrayView1<'_, F>) -> F {
        let fused = telseg_core::kernel::Level::best() != telseg_core::kernel::Level::Plain;
        let (mut score, mut norm) = (F::zero(), 0.0);
        for ((&x, &c), &s) in row.iter().zip(center).zip(&self.shift) {
            let (x, c) = (x - s, c - s);
            score = if fused {
                (-c).mul_add(x, score)
            } else {
                -c * x + score
            };
            norm += c.into_f64().powi(2);
        }
        score + F::from_f64(norm / 2.0)
    }

    /// Euclidean distance of each row to every centre: rows by clusters.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn transform(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        let (rows, d) = (self.checked(x)?, self.n_features());
        let centers: Vec<F> = self.centers.iter().copied().collect();
        let mut distances = vec![F::zero(); x.nrows() * self.n_clusters()];
        distances
            .par_chunks_mut(self.n_clusters())
            .zip(rows.par_chunks(d))
            .for_each(|(out, row)| {
                let pairs = out.iter_mut().zip(centers.chunks_exact(d));
                pairs.for_each(|(out, center)| *out = squared_distance(row, center).sqrt());
            });
        let shape = (x.nrows(), self.n_clusters());
        Ok(Array2::from_shape_vec(shape, distances).expect("invariant: a distance a centre"))
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features() {
            return Ok(());
        }
        Err(Error::shape(
            "x",
            format!("{} columns (as at fit)", self.n_features()),
            found.to_string(),
        ))
    }
}

impl<F: Scalar> Artefact for KMeans<F> {
    const KIND: &'static str = "kmeans";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("kmeans", problem.to_owned()));
        let (k, d) = self.centers.dim();
        if k == 0 || d == 0 || u32::try_from(k).is_err() {
            return broken("there is no centre, or no column, or too many");
        }
        if self.shift.len() != d || self.report.sizes.len() != k {
            return broken("centres, shift and sizes differ in length");
        }
        if !self
            .centers
            .iter()
            .chain(&self.shift)
            .all(|c| c.is_finite())
        {
            return broken("a centre is not finite");
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
        Some(self.centers.ncols())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved.
impl<F: Scalar> PartialEq for KMeans<F> {
    fn eq(&self, other: &Self) -> bool {
        (&self.centers, &self.shift, &self.report) == (&other.centers, &other.shift, &other.report)
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
