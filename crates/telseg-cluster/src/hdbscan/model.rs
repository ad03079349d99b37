//! HDBSCAN* as it was learnt: the training rows, where they leave the condensed tree, and what was taken of it.

use std::borrow::Cow;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Fit, Predict, Result, Scalar, par};

use super::attach::Attach;
use super::condense::{Condense, CondensedTree};
use super::linkage::Linkage;
use super::params::HdbscanParams;
use super::select::select;
use super::spanning::{Few, NONE, spanning_tree};
use crate::Assignment;
use crate::neighbours::{KdTree, Nearest, nearest_of_all};
use crate::rows::{
    Weighted, check_finite, check_out, check_row, check_shape, check_width, contiguous,
};

/// Rows that one task labels.
const CHUNK: usize = 256;

/// Clusters of the training rows, and what is needed to say the same of new ones.
///
/// The model holds its training rows.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use telseg_cluster::Hdbscan;
/// // Kilometres: a dense town, a wide suburb, and one place far from both.
/// let places = Array2::from_shape_fn((61, 2), |(i, j)| {
///     let turn = (i * (3 + 4 * j)) as f32;
///     match i {
///         0..30 => 0.3 * turn.sin(),
///         30..60 => 20.0 + 3.0 * turn.sin(),
///         _ => 60.0,
///     }
/// });
/// let model = Hdbscan::params(10).with_min_samples(3).fit(&places)?;
/// assert_eq!(model.n_clusters(), 2);
/// assert!(model.labels()[60].is_noise());
/// assert!(model.outlier_scores()[60] > 0.9);
/// assert_eq!(model.predict_row(&places.row(40))?, model.labels()[40]);
/// // On the way from the suburb to the town a row belongs to both a little.
/// let between = model.predict_proba_row(&ndarray::array![12.0f32, 12.0])?;
/// assert!(between.iter().all(|&share| share > 0.0) && between.sum() < 0.5);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    bound = "",
    into = "super::saved::Saved<F>",
    try_from = "super::saved::Saved<F>"
)]
pub struct Hdbscan<F: Scalar = f32> {
    pub(super) params: HdbscanParams,
    pub(super) report: HdbscanReport,
    pub(super) attach: Attach<F>,
    members: Vec<Membership>,
    labels: Array1<Assignment>,
}

/// What is said of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Membership {
    /// Its cluster.
    pub assignment: Assignment,
    /// How deep it lies in its cluster: the share of the cluster's greatest density at which it leaves, from 0 to 1; 0 for
    /// noise.
    pub strength: f64,
    /// How much sparser it lies than the densest place it was connected to (GLOSH), from 0 to below 1, or 1 where that place
    /// holds equal rows.
    pub outlier_score: f64,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HdbscanReport {
    /// Rows in no cluster.
    pub n_noise: usize,
    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub sizes: Vec<f64>,
    /// Stability of each cluster ([`CondensedCluster::stability`](super::CondensedCluster::stability)).
    pub stabilities: Vec<f64>,
}

impl Hdbscan<f32> {
    /// What to ask for: clusters of at least `min_cluster_size` rows, everything else by default.
    pub fn params(min_cluster_size: usize) -> HdbscanParams {
        HdbscanParams::new(min_cluster_size)
    }
}

impl HdbscanParams {
    /// Finds clusters among the rows of `x`.
    ///
    /// # Shapes
    /// `x`: at least one row and one column; finite. With fewer than `min_cluster_size` rows, all are noise.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// Time: in few dimensions some `n log n`, in many up to a few `n^2 d`; in parallel but for the last, linear steps.
    /// Memory: three copies of `x` and some 150 bytes a row.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Hdbscan<F>> {
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
    ) -> Result<Hdbscan<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Hdbscan<F>> {
        self.validate()?;
        check_shape(x, 1, "HDBSCAN")?;
        let d = x.ncols();
        let data = Weighted::new(contiguous(x), d, weights)?;
        let tree = KdTree::new(data.rows(), d)?;
        let by_position = data.weights().map(|weights| {
            let weight = |&row: &u32| weights[row as usize];
            tree.rows().iter().map(weight).collect::<Vec<f64>>()
        });
        let (core, few) = self.core(&tree, by_position.as_deref());
        let edges = spanning_tree(&tree, &core, &few);
        drop(few);
        let weight = |i: usize| by_position.as_ref().map_or(1.0, |w| w[i]);
        let linkage = Linkage::new(edges, tree.rows(), weight);
        let condensed = Condense {
            linkage: &linkage,
            rows: tree.rows(),
            core: &core,
            weights: by_position.as_deref(),
            least: self.min_cluster_size as f64,
        }
        .run();
        drop(linkage);
        self.model(&data, tree, core, condensed)
    }

    /// Squared core distances, and a few neighbours within them.
    fn core<F: Scalar>(&self, tree: &KdTree<F>, weights: Option<&[f64]>) -> (Vec<F>, Vec<Few>) {
        // With itself, every row needs one more.
        let target = self.neighbour() as f64 + 1.0;
        let of_point = |position: usize, nearest: &Nearest<F>| {
            let mut few = [NONE; 8];
            let found = nearest.found().iter().map(|found| found.1);
            let others = found.filter(|&other| other != position as u32);
            few.iter_mut()
                .zip(others)
                .for_each(|(few, other)| *few = other);
            (nearest.reach(), few)
        };
        nearest_of_all(tree, target, weights, of_point)
            .into_iter()
            .unzip()
    }

    fn model<F: Scalar>(
        &self,
        data: &Weighted<'_, F>,
        tree: KdTree<F>,
        core: Vec<F>,
        mut condensed: CondensedTree,
    ) -> Result<Hdbscan<F>> {
        let taken = select(&condensed, self);
        number(&mut condensed, &taken, self);
        let weights = data.weights().map(|weights| {
            let weight = |&row: &u32| weights[row as usize];
            tree.rows().iter().map(weight).collect()
        });
        let attach = Attach::new(self, tree, core, weights, condensed)?;
        let mut members = vec![Membership::default(); data.all.len() / attach.n_columns()];
        attach.say_fitted(data, &mut members);
        let n_clusters = attach.n_clusters();
        let mut report = HdbscanReport {
            n_noise: members.iter().filter(|m| m.assignment.is_noise()).count(),
            sizes: vec![0.0; n_clusters],
            stabilities: vec![0.0; n_clusters],
        };
        for (i, member) in members.iter().enumerate() {
            if let Assignment::Cluster(cluster) = member.assignment {
                report.sizes[cluster as usize] += data.weight(i);
            }
        }
        for cluster in attach.condensed().clusters() {
            if let Some(label) = cluster.label {
                report.stabilities[label as usize] = cluster.stability;
            }
        }
        Ok(Hdbscan {
            params: self.clone(),
            report,
            attach,
            labels: members.iter().map(|m| m.assignment).collect(),
            members,
        })
    }
}

/// Numbers the taken clusters in the order of their first row.
fn number(condensed: &mut CondensedTree, taken: &[bool], params: &HdbscanParams) {
    let mut next = 0;
    let over = super::attach::taken_above(condensed, |i| taken[i]);
    let alone = super::attach::single_reach(condensed, params);
    for i in 0..condensed.leaves.len() {
        let (cluster, left) = condensed.leaves[i];
        let Some(taken) = over[cluster as usize] else {
            continue;
        };
        if taken == 0 && left > alone {
            continue;
        }
        let label = &mut condensed.clusters[taken as usize].label;
        if label.is_none() {
            *label = Some(next);
            next += 1;
        }
    }
}

impl<F: Scalar> Hdbscan<F> {
    /// A model that holds no labels of its own, as it is loaded.
    pub(super) fn loaded(params: HdbscanParams, report: HdbscanReport, attach: Attach<F>) -> Self {
        Self {
            params,
            report,
            attach,
            members: Vec::new(),
            labels: Array1::default(0),
        }
    }

    /// Number of clusters; may be 0.
    pub fn n_clusters(&self) -> usize {
        self.attach.n_clusters()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.attach.n_columns()
    }

    /// How the fit went.
    pub fn report(&self) -> &HdbscanReport {
        &self.report
    }

    /// What hung together at which distance, and what was taken of it.
    pub fn condensed(&self) -> &CondensedTree {
        self.attach.condensed()
    }

    /// Labels of the training rows, the same as `predict` gives; no part of the saved model, so empty in one that was
    /// loaded. Clusters are numbered in the order of their first row.
    pub fn labels(&self) -> &Array1<Assignment> {
        &self.labels
    }

    /// What is said of each training row; no part of the saved model.
    pub fn members(&self) -> &[Membership] {
        &self.members
    }

    /// How deep each training row lies in its cluster; no part of the saved model.
    pub fn strengths(&self) -> Array1<f64> {
        self.members.iter().map(|m| m.strength).collect()
    }

    /// How much sparser each training row lies than the densest place it was connected to; no part of the saved model.
    pub fn outlier_scores(&self) -> Array1<f64> {
        self.members.iter().map(|m| m.outlier_score).collect()
    }

    /// The cluster of each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<Assignment>> {
        let mut labels = Array1::default(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// The cluster of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<Assignment>) -> Result<()> {
        check_width(x.ncols(), self.n_features())?;
        check_out(out.len(), x.nrows())?;
        let members = self.predict_members(x)?;
        out.iter_mut()
            .zip(members)
            .for_each(|(out, member)| *out = member.assignment);
        Ok(())
    }

    /// The cluster of one row: the online path.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<Assignment> {
        Ok(self.predict_member(row)?.assignment)
    }

    /// Cluster, strength and outlier score of each row; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    ///
    /// # Cost
    /// Two searches of the tree for each row.
    pub fn predict_members(&self, x: &ArrayRef2<F>) -> Result<Vec<Membership>> {
        check_width(x.ncols(), self.n_features())?;
        let rows: Cow<'_, [F]> = contiguous(x);
        check_finite(&rows, x.ncols())?;
        let mut members = vec![Membership::default(); x.nrows()];
        self.say_into(&rows, &mut members);
        Ok(members)
    }

    /// Cluster, strength and outlier score of one row.
    ///
    /// # Errors
    /// As [`predict_row`](Self::predict_row).
    pub fn predict_member(&self, row: &ArrayRef1<F>) -> Result<Membership> {
        let row = check_row(row, self.n_features())?;
        Ok(self.attach.say(&row, &mut self.attach.nearest()))
    }

    /// How much each row belongs to each cluster: a row each, a cluster a column. A row sums to how much it belongs to any
    /// cluster at all, from 0 to 1; the rest is noise. Training rows get what is measured by their place at fit.
    ///
    /// For a row that leaves the condensed tree at the distance `l` from the cluster `C`, with the distance `d_j` to the
    /// nearest exemplar of the cluster `j` (the rows that stay longest in the leaves below it), the distance `h_j` at which the
    /// row joins `j`, and the least distance `f` at which a row leaves a cluster, the memberships are in proportion to
    /// `exp(exp(-h_j / f(C))) / d_j`, and sum to `min(f(j), l) / h_j` for the cluster that is joined first.
    ///
    /// The greatest membership is mostly, not always, that of the cluster that [`predict`](Self::predict) says: it asks also
    /// how far the hearts of the clusters are.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    ///
    /// # Cost
    /// For each row what `predict` costs, and for each cluster a search among its exemplars, of which there are few unless
    /// many rows are equal; in parallel over chunks of rows.
    ///
    /// # References
    /// L. McInnes, J. Healy, S. Astels (2017), "hdbscan: Hierarchical density based clustering": the measure of
    /// `all_points_membership_vectors` of their package. Deviations: new rows are measured in the same way as training rows,
    /// where the package has another formula for them, so that a training row would change its memberships; of several
    /// clusters that a row joins at once, the one that it belongs to most decides the sum, where the package takes the first.
    pub fn predict_proba(&self, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        let mut shares = Array2::zeros((x.nrows(), self.n_clusters()));
        self.predict_proba_into(x, &mut shares)?;
        Ok(shares)
    }

    /// As [`predict_proba`](Self::predict_proba), written to `out`.
    ///
    /// # Errors
    /// As `predict_proba`, and when `out` has not a row for each row and a column for each cluster.
    pub fn predict_proba_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef2<f64>) -> Result<()> {
        check_width(x.ncols(), self.n_features())?;
        let (n, k) = (x.nrows(), self.n_clusters());
        if out.dim() != (n, k) {
            let expected = format!("{n} (rows of x) by {k} (clusters)");
            let found = format!("{} by {}", out.nrows(), out.ncols());
            return Err(Error::shape("out", expected, found));
        }
        let rows = contiguous(x);
        check_finite(&rows, x.ncols())?;
        if k == 0 {
            return Ok(());
        }
        let d = self.n_features();
        let fill = |shares: &mut [f64]| {
            par::fill(shares, CHUNK * k, |range, part| {
                let (mut nearest, mut work) = (self.attach.nearest(), self.attach.soft_work());
                let rows = rows[range.start / k * d..].chunks_exact(d);
                for (out, row) in part.chunks_exact_mut(k).zip(rows) {
                    self.attach.share(row, (&mut nearest, &mut work), out);
                }
            });
        };
        if let Some(shares) = out.as_slice_mut() {
            fill(shares);
            return Ok(());
        }
        let mut shares = vec![0.0; n * k];
        fill(&mut shares);
        out.iter_mut()
            .zip(shares)
            .for_each(|(out, share)| *out = share);
        Ok(())
    }

    /// How much one row belongs to each cluster.
    ///
    /// # Errors
    /// As [`predict_row`](Self::predict_row).
    pub fn predict_proba_row(&self, row: &ArrayRef1<F>) -> Result<Array1<f64>> {
        let row = check_row(row, self.n_features())?;
        let mut shares = vec![0.0; self.n_clusters()];
        let (mut nearest, mut work) = (self.attach.nearest(), self.attach.soft_work());
        self.attach
            .share(&row, (&mut nearest, &mut work), &mut shares);
        Ok(Array1::from_vec(shares))
    }

    fn say_into(&self, rows: &[F], out: &mut [Membership]) {
        let d = self.n_features();
        par::fill(out, CHUNK, |range, part| {
            let mut nearest = self.attach.nearest();
            for (said, row) in part.iter_mut().zip(rows[range.start * d..].chunks_exact(d)) {
                *said = self.attach.say(row, &mut nearest);
            }
        });
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for HdbscanParams {
    type Model = Hdbscan<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<Hdbscan<F>> {
        HdbscanParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for Hdbscan<F> {
    type Output = Array1<Assignment>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<Assignment>> {
        Hdbscan::predict(self, x)
    }
}
