//! DBSCAN as it was learnt: the core rows and their clusters.

use std::borrow::Cow;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};
use telseg_core::{Error, Fit, Predict, Result, Scalar, par};

use super::core::core_lanes;
use super::merge::join;
use super::params::DbscanParams;
use crate::Assignment;
use crate::neighbours::{KdTree, Node, Radius, exact};
use crate::rows::{
    Weighted, check_finite, check_out, check_row, check_shape, check_width, contiguous,
};

/// Rows that one task labels.
const CHUNK: usize = 256;

/// What is said of a row before it is looked at: no core row, infinitely far.
const UNKNOWN: (Assignment, f64) = (Assignment::Noise, f64::INFINITY);

/// Core rows, and what is needed to label rows by the nearest.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::{Assignment, Dbscan};
/// // Kilometres east and north of the centre: evenings of two households, and a night at the airport.
/// let places = array![[0.0f32, 0.0], [0.2, 0.1], [0.1, 0.2], [5.0, 5.0], [5.1, 5.2], [5.2, 5.0], [20.0, 9.0]];
/// let model = Dbscan::params(0.5).with_min_points(3).fit(&places)?;
/// assert_eq!(model.labels()[1], Assignment::Cluster(0));
/// assert_eq!(model.labels()[4], Assignment::Cluster(1));
/// assert_eq!(model.labels()[6], Assignment::Noise);
/// assert_eq!(model.predict_row(&array![5.3f32, 5.1])?, Assignment::Cluster(1));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "", into = "saved::Saved<F>", try_from = "saved::Saved<F>")]
pub struct Dbscan<F: Scalar = f32> {
    params: DbscanParams,
    report: DbscanReport,
    /// The core rows.
    tree: KdTree<F>,
    /// The cluster at each position of the tree.
    clusters: Vec<u32>,
    n_clusters: usize,
    labels: Array1<Assignment>,
    core: Array1<bool>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DbscanReport {
    /// Core rows.
    pub n_core: usize,
    /// Rows in a cluster that are not core.
    pub n_border: usize,
    /// Rows in no cluster.
    pub n_noise: usize,
    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub sizes: Vec<f64>,
}

impl Dbscan<f32> {
    /// What to ask for: neighbours at most `eps` apart, everything else by default.
    pub fn params(eps: f64) -> DbscanParams {
        DbscanParams::new(eps)
    }
}

impl DbscanParams {
    /// Finds the dense places among the rows of `x`.
    ///
    /// # Shapes
    /// `x`: at least one row and one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// Time: some `n log n` for the tree, then for each row the buckets within `eps` until `min_points` are found; in
    /// parallel over buckets. Memory: two copies of `x` and some 20 bytes a row; lists of neighbours are never kept.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Dbscan<F>> {
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
    ) -> Result<Dbscan<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Dbscan<F>> {
        self.validate()?;
        check_shape(x, 1, "DBSCAN")?;
        let (rows, d) = (contiguous(x), x.ncols());
        let data = Weighted::new(rows, d, weights)?;
        let found = self.core_rows(&data, d)?;
        let (mut core, mut clusters) = (Vec::new(), Vec::new());
        for (row, label) in data.rows().chunks_exact(d).zip(&found) {
            if let Assignment::Cluster(cluster) = label {
                core.extend_from_slice(row);
                clusters.push(*cluster);
            }
        }
        let mut model = Dbscan::new(self, core, clusters, d)?;
        model.judge(&data, &found);
        Ok(model)
    }

    /// The cluster of each row of a weight above 0 that is core, numbered in the order of the rows; noise of the others.
    fn core_rows<F: Scalar>(&self, data: &Weighted<'_, F>, d: usize) -> Result<Vec<Assignment>> {
        let tree = KdTree::new(data.rows(), d)?;
        let by_position = data.weights().map(|weights| {
            let weight = |&row: &u32| weights[row as usize];
            tree.rows().iter().map(weight).collect::<Vec<f64>>()
        });
        let (leaves, radius) = (tree.leaves(), Radius::new(self.eps, d));
        let least = self.min_points as f64;
        let lanes = core_lanes(&tree, &leaves, &radius, least, by_position.as_deref());
        let sets = join(&tree, &leaves, &radius, &lanes);
        let mut set_of = vec![u32::MAX; tree.n_rows()];
        for (position, &row) in tree.rows().iter().enumerate() {
            if lanes[position / BUCKET] >> (position % BUCKET) & 1 == 1 {
                set_of[row as usize] = sets.find(position as u32);
            }
        }
        let (mut number, mut next) = (vec![u32::MAX; tree.n_rows()], 0);
        // Rows that are not core have no set.
        let label = |set: u32| {
            let number = number.get_mut(set as usize)?;
            if *number == u32::MAX {
                (*number, next) = (next, next + 1);
            }
            Some(*number)
        };
        Ok(set_of
            .into_iter()
            .map(label)
            .map(Assignment::from)
            .collect())
    }
}

impl<F: Scalar> Dbscan<F> {
    /// A model that has labelled nothing yet, of core rows one after the other.
    fn new(params: &DbscanParams, core: Vec<F>, clusters: Vec<u32>, d: usize) -> Result<Self> {
        let tree = KdTree::new(&core, d)?;
        let n_clusters = clusters.iter().max().map_or(0, |&c| c as usize + 1);
        let by_position = tree.rows().iter().map(|&row| clusters[row as usize]);
        Ok(Self {
            params: params.clone(),
            report: DbscanReport {
                n_core: clusters.len(),
                n_border: 0,
                n_noise: 0,
                sizes: vec![0.0; n_clusters],
            },
            clusters: by_position.collect(),
            tree,
            n_clusters,
            labels: Array1::default(0),
            core: Array1::default(0),
        })
    }

    /// Labels the rows at fit as `predict` does; of core rows it is known what it would say.
    fn judge(&mut self, data: &Weighted<'_, F>, found: &[Assignment]) {
        let (n, mut found) = (data.all.len() / self.tree.n_columns(), found.iter());
        let known = |row: usize| {
            let kept = if data.weight(row) > 0.0 {
                found.next()
            } else {
                None
            };
            match kept {
                Some(&label) if !label.is_noise() => (label, 0.0),
                _ => UNKNOWN,
            }
        };
        let mut said: Vec<_> = (0..n).map(known).collect();
        self.said_into(&data.all, &mut said);
        for (i, &(label, distance)) in said.iter().enumerate() {
            match label {
                Assignment::Cluster(c) => {
                    self.report.sizes[c as usize] += data.weight(i);
                    self.report.n_border += usize::from(distance > 0.0);
                }
                Assignment::Noise => self.report.n_noise += 1,
            }
        }
        self.labels = said.iter().map(|said| said.0).collect();
        self.core = said.iter().map(|said| said.1 == 0.0).collect();
    }

    /// The nearest core row of every row that is not known yet, and its distance; in parallel.
    fn said_into(&self, rows: &[F], out: &mut [(Assignment, f64)]) {
        let d = self.tree.n_columns();
        par::fill(out, CHUNK, |range, part| {
            let mut stack = Vec::new();
            for (said, row) in part.iter_mut().zip(rows[range.start * d..].chunks_exact(d)) {
                if *said == UNKNOWN {
                    *said = self.said(row, &mut stack);
                }
            }
        });
    }

    /// The cluster of the nearest core row within `eps`, and its squared distance.
    fn said(&self, row: &[F], stack: &mut Vec<(F, Node)>) -> (Assignment, f64) {
        let (tree, level) = (&self.tree, Level::best());
        let radius = Radius::new(self.params.eps, tree.n_columns());
        // Squared distance and core row: the smallest pair wins.
        let (mut best, mut cluster) = ((f64::INFINITY, u32::MAX), None);
        stack.clear();
        stack.extend(tree.root().map(|root| (F::zero(), root)));
        tree.search(row, stack, radius.bound, |leaf, bound| {
            let mut distances = [F::zero(); BUCKET];
            let mut hits = bucket_distances(level, row, tree.bucket(leaf), bound, &mut distances);
            hits &= u32::MAX >> (BUCKET - tree.positions(leaf).len());
            while hits != 0 {
                let position = leaf as usize * BUCKET + hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let found = (exact(tree, position, row), tree.rows()[position]);
                if radius.holds(found.0) && found < best {
                    (best, cluster) = (found, Some(self.clusters[position]));
                }
            }
            // What is equal to a core row shares its cluster with all that are: no need to look further.
            if best.0 == 0.0 {
                F::zero()
            } else {
                Radius::<F>::new(best.0.sqrt(), tree.n_columns())
                    .bound
                    .min(bound)
            }
        });
        (cluster.into(), best.0)
    }

    /// Number of clusters; may be 0.
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.tree.n_columns()
    }

    /// How the fit went.
    pub fn report(&self) -> &DbscanReport {
        &self.report
    }

    /// Labels of the training rows, the same as `predict` gives; no part of the saved model, so empty in one that was
    /// loaded. Clusters are numbered in the order of their first core row.
    pub fn labels(&self) -> &Array1<Assignment> {
        &self.labels
    }

    /// Which training rows are core; no part of the saved model.
    pub fn core(&self) -> &Array1<bool> {
        &self.core
    }

    /// The core rows, in the order of the training rows.
    pub fn core_rows(&self) -> Array2<F> {
        self.tree.to_rows()
    }

    /// The cluster of the nearest core row within `eps`, for each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<Assignment>> {
        let mut labels = Array1::default(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// As [`predict`](Self::predict), written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As `predict`, and when `out` has not one place for each row.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<Assignment>) -> Result<()> {
        check_width(x.ncols(), self.n_features())?;
        check_out(out.len(), x.nrows())?;
        let rows = contiguous(x);
        check_finite(&rows, x.ncols())?;
        let mut said = vec![UNKNOWN; x.nrows()];
        self.said_into(&rows, &mut said);
        out.iter_mut()
            .zip(said)
            .for_each(|(out, said)| *out = said.0);
        Ok(())
    }

    /// The cluster of one row: the online path; allocates little.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<Assignment> {
        let row = check_row(row, self.n_features())?;
        Ok(self.said(&row, &mut Vec::new()).0)
    }
}

/// What is kept in a file: the tree is built again when it is read.
mod saved {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(bound = "")]
    pub(super) struct Saved<F: Scalar> {
        params: DbscanParams,
        report: DbscanReport,
        core: Array2<F>,
        clusters: Vec<u32>,
    }

    impl<F: Scalar> From<Dbscan<F>> for Saved<F> {
        fn from(model: Dbscan<F>) -> Self {
            let mut clusters = vec![0; model.clusters.len()];
            for (position, &row) in model.tree.rows().iter().enumerate() {
                clusters[row as usize] = model.clusters[position];
            }
            Self {
                core: model.tree.to_rows(),
                params: model.params,
                report: model.report,
                clusters,
            }
        }
    }

    impl<F: Scalar> TryFrom<Saved<F>> for Dbscan<F> {
        type Error = Error;

        fn try_from(saved: Saved<F>) -> Result<Self> {
            let (n, d) = saved.core.dim();
            let sizes = saved.report.sizes.len();
            if d == 0 || n != saved.clusters.len() || n != saved.report.n_core {
                return Err(Error::data(
                    "dbscan",
                    "core rows and clusters differ in number",
                ));
            }
            if saved.clusters.iter().any(|&c| c as usize >= sizes) || sizes > n {
                return Err(Error::data(
                    "dbscan",
                    "a cluster has no size, or no core row",
                ));
            }
            let rows: Cow<'_, [F]> = contiguous(&saved.core);
            check_finite(&rows, d)?;
            let mut model = Self::new(&saved.params, rows.into_owned(), saved.clusters, d)?;
            model.n_clusters = sizes;
            model.report = saved.report;
            Ok(model)
        }
    }
}

impl<F: Scalar> Artefact for Dbscan<F> {
    const KIND: &'static str = "dbscan";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        self.params.validate()?;
        let sizes = &self.report.sizes;
        if sizes.iter().all(|v| v.is_finite() && *v >= 0.0) {
            return Ok(());
        }
        Err(Error::data("dbscan", "a size is negative or not finite"))
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.tree.n_columns())
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for DbscanParams {
    type Model = Dbscan<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<Dbscan<F>> {
        DbscanParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for Dbscan<F> {
    type Output = Array1<Assignment>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<Assignment>> {
        Dbscan::predict(self, x)
    }
}
