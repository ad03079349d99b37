//! k-means under constraints as it was learnt.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Fit, Predict, Result, Scalar};

use super::blocks::Sizes;
use super::links::Links;
use super::params::{ConstrainedInit, ConstrainedKMeansParams};
use super::rounds::{self, Data};
use crate::kmeans::KMeans;
use crate::kprototypes::prototypes::Prototypes;
use crate::rows::{check_finite, check_shape, check_weights, contiguous};

/// Cluster centres found under constraints, and the assignment of the training rows that obeys them.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::ConstrainedKMeans;
/// // GB of data a month: five subscribers are alike, one is not; a team serves two segments of three.
/// let usage = array![[1.0f32], [1.1], [1.2], [1.3], [1.4], [9.0]];
/// let model = ConstrainedKMeans::params(2).with_min_size(3).with_max_size(3).fit(&usage)?;
/// assert_eq!(model.report().sizes, [3, 3]);
/// let labels = model.labels();
/// assert_eq!([labels[3], labels[4]], [labels[5]; 2]); // the heaviest users go with the outlier
/// assert_eq!(model.predict_row(&array![1.4])?, labels[0]); // but a new one goes to the nearest centre
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ConstrainedKMeans<F: Scalar = f32> {
    prototypes: Prototypes<F>,
    report: ConstrainedKMeansReport,
    #[serde(skip)]
    labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConstrainedKMeansReport {
    /// Weighted sum of squared distances of the rows to the centres of their clusters.
    pub inertia: f64,
    /// Rounds of assignment and update.
    pub n_iter: usize,
    /// Whether the last round lowered the inertia by no more than the tolerance.
    pub converged: bool,
    /// Inertia after each round; never rises.
    pub trace: Vec<f64>,
    /// Rows of each cluster.
    pub sizes: Vec<usize>,
    /// Rows that the constraints keep from their nearest centre.
    pub n_displaced: usize,
}

impl ConstrainedKMeans<f32> {
    /// What to ask for: `n_clusters` clusters, no constraint but that each has a row, everything else by default.
    pub fn params(n_clusters: usize) -> ConstrainedKMeansParams {
        ConstrainedKMeansParams::new(n_clusters)
    }
}

impl ConstrainedKMeansParams {
    /// Finds clusters among the rows of `x` that obey the constraints.
    ///
    /// # Shapes
    /// `x`: at least `n_clusters` rows, at least one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument. Constraints that no assignment obeys
    /// name the rows: in contradiction to each other, too many linked for `max_size`, too many kept apart for
    /// `n_clusters`; so does a search for the places of the linked rows that gives up.
    ///
    /// # Cost
    /// A round: `2 n k d` operations in parallel over rows, then a serial path of some `k^2` operations for each row that
    /// changes its cluster for the sake of the sizes. Memory: 8 bytes a row and cluster, and up to three times that where
    /// sizes bind.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<ConstrainedKMeans<F>> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight of at least 0 for each row. Weights count in the centres and the inertia; sizes
    /// count rows.
    ///
    /// # Errors
    /// As `fit`, and when a weight is negative or not finite, or all are 0.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<ConstrainedKMeans<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<ConstrainedKMeans<F>> {
        self.validate()?;
        check_shape(x, self.n_clusters, "n_clusters")?;
        self.validate_for(x.dim())?;
        let (n_rows, n_columns) = x.dim();
        let rows = contiguous(x);
        let data = Data {
            rows: &rows,
            n_columns,
            weights: weights.map(|w| check_weights(w, n_rows)).transpose()?,
            links: Links::new(n_rows, &self.must_link, &self.cannot_link)?,
            sizes: Sizes {
                least: self.min_size,
                most: self.max_size.unwrap_or(n_rows).min(n_rows),
            },
        };
        check_finite(&rows, n_columns)?;
        let start = self.start(x, weights)?;
        let found = rounds::run(&data, start, (self.max_iter, self.tol))?;
        let mut sizes = vec![0; self.n_clusters];
        found.labels.iter().for_each(|&l| sizes[l as usize] += 1);
        Ok(ConstrainedKMeans {
            prototypes: Prototypes::of_means(found.centers, n_columns),
            report: ConstrainedKMeansReport {
                inertia: found.inertia,
                n_iter: found.n_iter,
                converged: found.converged,
                trace: found.trace,
                sizes,
                n_displaced: found.n_displaced,
            },
            labels: Array1::from(found.labels),
        })
    }

    fn start<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Vec<F>> {
        match &self.init {
            ConstrainedInit::Centers(centers) => {
                Ok(centers.iter().map(|&c| F::from_f64(c)).collect())
            }
            ConstrainedInit::KMeans { n_init } => {
                let params = KMeans::params(self.n_clusters).with_seed(self.seed);
                let params = params.with_n_init(*n_init);
                let model = match weights {
                    Some(weights) => params.fit_weighted(x, weights)?,
                    None => params.fit(x)?,
                };
                Ok(model.centers().iter().copied().collect())
            }
        }
    }
}

impl<F: Scalar> ConstrainedKMeans<F> {
    /// Cluster centres, one a row.
    pub fn centers(&self) -> Array2<F> {
        let shape = (self.n_clusters(), self.n_features());
        Array2::from_shape_vec(shape, self.prototypes.means.clone())
            .expect("invariant: k rows of d numbers")
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.prototypes.n_clusters()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.prototypes.levels.n_columns()
    }

    /// How the fit went.
    pub fn report(&self) -> &ConstrainedKMeansReport {
        &self.report
    }

    /// Clusters of the training rows, which obey the constraints and so may not be the nearest; no part of the saved
    /// model, so empty in one that was loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// The nearest centre of each row, whatever the constraints.
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
        self.prototypes.predict_into(x, out)
    }

    /// The nearest centre of one row: the online path; allocates nothing.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.prototypes.predict_row(row)
    }
}

impl<F: Scalar> Artefact for ConstrainedKMeans<F> {
    const KIND: &'static str = "constrained-kmeans";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        self.prototypes.validate()?;
        let (report, broken) = (&self.report, |p: &str| {
            Err(Error::data("constrained k-means", p.to_owned()))
        });
        if self.prototypes.levels.n_categorical() > 0 || report.sizes.len() != self.n_clusters() {
            return broken("a column holds codes, or centres and sizes differ in length");
        }
        let mut judged = report.trace.iter().chain([&report.inertia]);
        if !judged.all(|v| *v >= 0.0 && v.is_finite()) {
            return broken("the report holds an inertia that is negative or not finite");
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.n_features())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved.
impl<F: Scalar> PartialEq for ConstrainedKMeans<F> {
    fn eq(&self, other: &Self) -> bool {
        (&self.prototypes, &self.report) == (&other.prototypes, &other.report)
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for ConstrainedKMeansParams {
    type Model = ConstrainedKMeans<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<ConstrainedKMeans<F>> {
        ConstrainedKMeansParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for ConstrainedKMeans<F> {
    type Output = Array1<u32>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        ConstrainedKMeans::predict(self, x)
    }
}
