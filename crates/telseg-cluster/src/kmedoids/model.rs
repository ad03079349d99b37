//! k-medoids as it was learnt.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Fit, Predict, Result, Scalar, par};

use super::clara;
use super::distances::Distances;
use super::metric::{Learnt, Rows};
use super::params::{KMedoidsParams, MedoidInit, MedoidMethod};
use crate::rows::{check_shape, check_weights, contiguous};

/// Rows that one task labels.
const CHUNK: usize = 1024;

/// Medoids, and what is needed to label rows with the nearest.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::kmedoids::Metric;
/// use telseg_cluster::{Gower, GowerColumn::{Categorical, Numeric}, KMedoids};
/// // Bill a month and handset (a code); NaN where not known.
/// let base = array![[10.0f32, 1.0], [12.0, 1.0], [11.0, f32::NAN], [90.0, 7.0], [95.0, 7.0], [f32::NAN, 7.0]];
/// let metric = Metric::Gower(Gower::params(&[Numeric, Categorical]));
/// let model = KMedoids::params(2).with_metric(metric).fit(&base)?;
/// let segments = model.labels();
/// assert_eq!([segments[0], segments[1]], [segments[2]; 2]);
/// assert_eq!([segments[3], segments[4]], [segments[5]; 2]);
/// let typical = model.medoid_rows()[segments[0] as usize]; // a subscriber who stands for the segment
/// assert!(typical < 3);
/// assert_eq!(model.predict_row(&array![f32::NAN, 7.0])?, segments[5]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KMedoids<F: Scalar = f32> {
    medoids: Array2<F>,
    rows: Vec<usize>,
    metric: Learnt,
    report: KMedoidsReport,
    #[serde(skip)]
    labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KMedoidsReport {
    /// The method that ran.
    pub method: MedoidMethod,
    /// Weighted sum of the distances of all rows to their medoids, of the best start.
    pub loss: f64,
    /// Passes over the rows (of the sample) of the best start.
    pub n_iter: usize,
    /// Swaps of the best start.
    pub n_swap: usize,
    /// Whether the best start ended because no swap improved it.
    pub converged: bool,
    /// Loss of every start; of every sample on all rows, where there were samples.
    pub starts: Vec<f64>,
    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub sizes: Vec<f64>,
}

/// Medoids by given distances: rows by number, no model of new rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Medoids {
    /// The rows that are medoids.
    pub rows: Vec<usize>,
    /// The nearest medoid of each row, by position in `rows`; the lowest of equals.
    pub labels: Array1<u32>,
    /// How the fit went.
    pub report: KMedoidsReport,
}

impl Medoids {
    /// The nearest medoid of new rows, from their distances to the medoids: a new row a row, a medoid a column.
    ///
    /// # Errors
    /// When there is not one column for each medoid, or a distance is not a number.
    pub fn assign(&self, distances: &ArrayRef2<f64>) -> Result<Array1<u32>> {
        if distances.ncols() != self.rows.len() {
            let expected = format!("{} columns (medoids)", self.rows.len());
            return Err(Error::shape(
                "distances",
                expected,
                distances.ncols().to_string(),
            ));
        }
        if let Some((at, v)) = distances.indexed_iter().find(|(_, v)| v.is_nan()) {
            return Err(Error::value("distances", v.to_string(), at));
        }
        let label = |row: ndarray::ArrayView1<'_, f64>| nearest(row.iter().copied());
        Ok(distances.rows().into_iter().map(label).collect())
    }
}

impl KMedoids<f32> {
    /// What to ask for: `n_clusters` clusters, everything else by default.
    pub fn params(n_clusters: usize) -> KMedoidsParams {
        KMedoidsParams::new(n_clusters)
    }
}

/// The position of the least distance, the lowest of equals.
fn nearest(distances: impl Iterator<Item = f64>) -> u32 {
    let (mut least, mut label) = (f64::INFINITY, 0);
    for (position, far) in distances.enumerate() {
        if far < least {
            (least, label) = (far, position as u32);
        }
    }
    label
}

impl KMedoidsParams {
    /// Finds medoids among the rows of `x`, by the distance `metric`.
    ///
    /// # Shapes
    /// `x`: at least `n_clusters` rows, at least one column; finite, but for Gower's distance, which takes NaN.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// A pass of FasterPAM over `n` rows (of the sample): `n^2` distances, in parallel over candidates. Memory: `8 k`
    /// bytes a row, 8 bytes a cell for Gower's distance, and `8 n^2` bytes for up to 4096 rows (of the sample).
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<KMedoids<F>> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight of at least 0 for each row; an integer weight counts as so many equal rows. A
    /// row without weight is no medoid.
    ///
    /// # Errors
    /// As `fit`, and when a weight is negative or not finite, or fewer than `n_clusters` are above 0.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<KMedoids<F>> {
        self.fit_with(x, Some(weights))
    }

    /// Finds medoids by given distances; [`metric`](Self::metric) is not used.
    ///
    /// # Errors
    /// As [`fit_weighted`](Self::fit_weighted), and when distances add up to no finite number.
    ///
    /// # Examples
    /// ```
    /// use telseg_cluster::KMedoids;
    /// use telseg_cluster::kmedoids::Between;
    /// let tariffs = [9.9f64, 10.9, 11.9, 39.0, 41.0, 49.0];
    /// let ratio = Between::new(6, |a, b| (tariffs[a] / tariffs[b]).ln().abs());
    /// let found = KMedoids::params(2).fit_distances(&ratio, None)?;
    /// assert_eq!(found.labels[0], found.labels[2]);
    /// assert_ne!(found.labels[0], found.labels[3]);
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn fit_distances<D: Distances>(
        &self,
        distances: &D,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Medoids> {
        self.validate()?;
        self.search(distances, weights, "distances")
    }

    fn search<D: Distances>(
        &self,
        distances: &D,
        weights: Option<&ArrayRef1<f64>>,
        name: &'static str,
    ) -> Result<Medoids> {
        let (n, k) = (distances.n_rows(), self.n_clusters);
        if n < k {
            let expected = format!("at least {k} rows (n_clusters)");
            return Err(Error::shape(name, expected, n.to_string()));
        }
        let weights = weights.map(|w| check_weights(w, n)).transpose()?;
        let weights = weights.unwrap_or_else(|| vec![1.0; n]);
        if weights.iter().filter(|&&w| w > 0.0).count() < k {
            let problem = format!("fewer than {k} (n_clusters) are above 0");
            return Err(Error::data("weights", problem));
        }
        if let MedoidInit::Rows(rows) = &self.init
            && let Some(row) = rows.iter().find(|&&r| r >= n)
        {
            let problem = format!("row {row} is not there: {name} has {n} rows");
            return Err(Error::param("init", problem));
        }
        let (best, starts, method) = clara::run(distances, &weights, self);
        if !best.loss.is_finite() {
            return Err(Error::data(
                name,
                "the distances add up to no finite number",
            ));
        }
        let labels = par::map(n, CHUNK, |rows| -> Vec<u32> {
            let label = |o: usize| nearest(best.medoids.iter().map(|&m| distances.between(o, m)));
            rows.map(label).collect()
        })
        .concat();
        let mut sizes = vec![0.0; k];
        let pairs = labels.iter().zip(&weights);
        pairs.for_each(|(&label, w)| sizes[label as usize] += w);
        Ok(Medoids {
            rows: best.medoids,
            labels: Array1::from(labels),
            report: KMedoidsReport {
                method,
                loss: best.loss,
                n_iter: best.n_iter,
                n_swap: best.n_swap,
                converged: best.converged,
                starts,
                sizes,
            },
        })
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<KMedoids<F>> {
        self.validate()?;
        check_shape(x, self.n_clusters, "n_clusters")?;
        let rows = contiguous(x);
        let metric = Learnt::learn(&self.metric, x, &rows)?;
        let found = self.search(&Rows::new(&rows, x.ncols(), &metric), weights, "x")?;
        Ok(KMedoids {
            medoids: x.select(Axis(0), &found.rows),
            rows: found.rows,
            metric,
            report: found.report,
            labels: found.labels,
        })
    }
}

impl<F: Scalar> KMedoids<F> {
    /// The medoids: training rows, one a row.
    pub fn medoids(&self) -> &Array2<F> {
        &self.medoids
    }

    /// Which training rows the medoids are.
    pub fn medoid_rows(&self) -> &[usize] {
        &self.rows
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.medoids.nrows()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.medoids.ncols()
    }

    /// How the fit went.
    pub fn report(&self) -> &KMedoidsReport {
        &self.report
    }

    /// Labels of the training rows, the same as `predict` gives; no part of the saved model, so empty in one that was
    /// loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// The nearest medoid of each row; the lowest of equals.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is one that the distance cannot take.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        let mut labels = Array1::zeros(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// The nearest medoid of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.len() != x.nrows() {
            let expected = format!("{} (rows of x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let (rows, d) = (contiguous(x), self.n_features());
        self.metric.check(x, &rows)?;
        let parts = par::map(x.nrows(), CHUNK, |range| -> Vec<u32> {
            range.map(|i| self.label(&rows[i * d..][..d])).collect()
        });
        out.iter_mut().zip(parts.concat()).for_each(|(o, l)| *o = l);
        Ok(())
    }

    /// The nearest medoid of one row: the online path; allocates nothing for contiguous rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.check_width(row.len())?;
        let copy;
        let cells = match row.as_slice() {
            Some(cells) => cells,
            None => {
                copy = row.to_vec();
                &copy
            }
        };
        let one = ndarray::aview1(cells).insert_axis(Axis(0));
        self.metric.check(&one, cells)?;
        Ok(self.label(cells))
    }

    fn label(&self, row: &[F]) -> u32 {
        let d = self.n_features();
        let medoids = self.medoids.as_slice().unwrap_or(&[]).chunks_exact(d);
        nearest(medoids.map(|medoid| self.metric.distance(row, medoid)))
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features() {
            return Ok(());
        }
        let expected = format!("{} columns (as at fit)", self.n_features());
        Err(Error::shape("x", expected, found.to_string()))
    }
}

impl<F: Scalar> Artefact for KMedoids<F> {
    const KIND: &'static str = "kmedoids";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("kmedoids", problem.to_owned()));
        let (k, d) = self.medoids.dim();
        let report = &self.report;
        if k == 0 || d == 0 || self.rows.len() != k || report.sizes.len() != k {
            return broken("there is no medoid, or medoids, rows and sizes differ in length");
        }
        if self.medoids.as_slice().is_none() {
            return broken("the medoids do not lie one after the other");
        }
        let takes_missing = match &self.metric {
            Learnt::Gower(gower) => {
                if gower.n_features() != d || !gower.is_sound() {
                    return broken("columns of Gower's distance contradict the medoids");
                }
                true
            }
            Learnt::Euclidean | Learnt::Manhattan => false,
        };
        let sound = |v: &F| v.is_finite() || (takes_missing && v.is_nan());
        if !self.medoids.iter().all(sound) {
            return broken("a medoid is not finite");
        }
        let mut judged = report
            .sizes
            .iter()
            .chain(&report.starts)
            .chain([&report.loss]);
        if !judged.all(|v| *v >= 0.0 && v.is_finite()) {
            return broken("the report holds a size or a loss that is negative or not finite");
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.medoids.ncols())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved. Missing cells
/// of medoids are equal here.
impl<F: Scalar> PartialEq for KMedoids<F> {
    fn eq(&self, other: &Self) -> bool {
        let cells = || self.medoids.iter().zip(&other.medoids);
        self.medoids.dim() == other.medoids.dim()
            && cells().all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
            && (&self.rows, &self.metric, &self.report)
                == (&other.rows, &other.metric, &other.report)
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for KMedoidsParams {
    type Model = KMedoids<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<KMedoids<F>> {
        KMedoidsParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for KMedoids<F> {
    type Output = Array1<u32>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        KMedoids::predict(self, x)
    }
}
