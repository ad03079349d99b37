//! A hierarchy that was built, and the clusters of a cut.

use std::borrow::Cow;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Fit, Predict, Result, Scalar};

use super::dendrogram::Dendrogram;
use super::distinct::NONE;
use super::exemplars::Exemplars;
use super::fit::Data;
use super::params::{Assign, HierarchicalParams, Linkage};
use crate::rows::{check_finite, contiguous};

/// Clusters of a cut through the tree of all merges.
///
/// New rows are labelled as [`Assign`] says. By default that is as their nearest row at fit, and of equally near ones the
/// first; so rows at fit keep the cluster of the cut. The one exception: equal rows that [`Connectivity::Pairs`](super::Connectivity::Pairs) keeps
/// apart look the same to `predict`, which says of all what the cut says of the first.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::{Cut, Hierarchical};
/// // Minutes of voice and GB of data a month.
/// let usage = array![[310.0f32, 1.1], [290.0, 0.9], [305.0, 1.3], [20.0, 18.0], [35.0, 22.0], [28.0, 25.0]];
/// let model = Hierarchical::params(2).fit(&usage)?;
/// assert_eq!(model.labels(), array![0, 0, 0, 1, 1, 1]);
/// assert_eq!(&model.predict(&usage)?, model.labels());
/// assert_eq!(model.predict_row(&array![300.0f32, 2.0])?, 0);
/// // The same tree cut lower.
/// assert_eq!(model.dendrogram().cut(Cut::Clusters(3))?.iter().max(), Some(&2));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Hierarchical<F: Scalar = f32> {
    dendrogram: Dendrogram,
    centers: Array2<F>,
    exemplars: Exemplars<F>,
    report: HierarchicalReport,
    #[serde(skip)]
    labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HierarchicalReport {
    /// The linkage that the tree was built by.
    pub linkage: Linkage,
    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub sizes: Vec<f64>,
    /// Height of the highest merge below the cut; 0 where there is none.
    pub below: f64,
    /// Height of the lowest merge above the cut; `None` where all merges are below. The gap between the two tells how much
    /// the number of clusters depends on where exactly the tree is cut.
    pub above: Option<f64>,
    /// Parts that a connectivity leaves unconnected with each other; 1 without one.
    pub n_trees: usize,
    /// Rows whose label is not the cluster of the cut: those nearer to the mean of another cluster, with
    /// [`Assign::NearestCenter`].
    pub n_moved: usize,
}

impl Hierarchical<f32> {
    /// What to ask for: `n_clusters` clusters by Ward's linkage, everything else by default.
    pub fn params(n_clusters: usize) -> HierarchicalParams {
        HierarchicalParams::new(n_clusters)
    }
}

impl HierarchicalParams {
    /// Builds the tree over the rows of `x` and cuts it.
    ///
    /// # Shapes
    /// `x`: at least `n_clusters` different rows, at least one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument. When a connectivity leaves more parts
    /// unconnected than there should be clusters, and when a distance matrix would be larger than `max_matrix_bytes`.
    ///
    /// # Cost
    /// By linkage, see the [module](super).
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Hierarchical<F>> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight of at least 0 for each row; an integer weight counts as so many equal rows. A
    /// row without weight is no leaf of the tree; it is labelled as a new row is.
    ///
    /// # Errors
    /// As `fit`, and when a weight is negative or not finite, or all are 0.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Hierarchical<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Hierarchical<F>> {
        self.validate()?;
        let data = Data::new(self, x, weights)?;
        let dendrogram = data.tree(self)?;
        self.cut_tree(&data, dendrogram)
    }

    fn cut_tree<F: Scalar>(
        &self,
        data: &Data<'_, F>,
        dendrogram: Dendrogram,
    ) -> Result<Hierarchical<F>> {
        let n_kept = dendrogram.n_kept(self.cut)?;
        let mut of_leaf = dendrogram.cut(self.cut)?.into_iter();
        let of_row = |&kind: &u32| {
            if kind == NONE {
                NONE
            } else {
                of_leaf.next().unwrap_or(NONE)
            }
        };
        let cut: Vec<u32> = data.kinds.kind_of.iter().map(of_row).collect();
        let n_clusters = dendrogram.n_leaves() - n_kept;
        let centers = centers(data, &cut, n_clusters);
        let exemplars = match self.assign {
            Assign::NearestCenter => {
                Exemplars::new(centers.clone(), (0..n_clusters as u32).collect())
            }
            Assign::NearestRow => exemplars(data, &cut),
        };
        let mut labels = cut.clone();
        if self.assign == Assign::NearestCenter || cut.contains(&NONE) {
            let mut predicted = vec![0; labels.len()];
            exemplars.labels(&data.values, &mut predicted);
            for (label, predicted) in labels.iter_mut().zip(predicted) {
                if self.assign == Assign::NearestCenter || *label == NONE {
                    *label = predicted;
                }
            }
        }
        let mut sizes = vec![0.0; n_clusters];
        labels
            .iter()
            .enumerate()
            .for_each(|(i, &label)| sizes[label as usize] += data.weight(i));
        let merges = dendrogram.merges();
        let of_tree = cut.iter().zip(&labels).filter(|(cut, _)| **cut != NONE);
        let report = HierarchicalReport {
            linkage: self.linkage,
            sizes,
            below: merges[..n_kept].iter().fold(0.0, |a, m| m.height.max(a)),
            above: merges.get(n_kept).map(|m| m.height),
            n_trees: dendrogram.n_trees(),
            n_moved: of_tree.filter(|(cut, label)| cut != label).count(),
        };
        Ok(Hierarchical {
            dendrogram,
            centers,
            exemplars,
            report,
            labels: Array1::from(labels),
        })
    }
}

/// One row of each kind, with its cluster.
fn exemplars<F: Scalar>(data: &Data<'_, F>, cut: &[u32]) -> Exemplars<F> {
    let (rows, d) = (&data.kinds.rows, data.n_columns);
    let row = |&i: &u32| data.values[i as usize * d..][..d].iter().copied();
    let values = rows.iter().flat_map(row).collect();
    let values = Array2::from_shape_vec((rows.len(), d), values).expect("invariant: a row a kind");
    Exemplars::new(values, rows.iter().map(|&i| cut[i as usize]).collect())
}

/// Weighted mean of each cluster.
fn centers<F: Scalar>(data: &Data<'_, F>, cut: &[u32], n_clusters: usize) -> Array2<F> {
    let d = data.n_columns;
    let (mut sums, mut weights) = (Array2::<f64>::zeros((n_clusters, d)), vec![0.0; n_clusters]);
    // Relative to a member, for the sake of digits.
    let mut first = vec![None; n_clusters];
    for (i, &label) in cut.iter().enumerate().filter(|(_, label)| **label != NONE) {
        let (row, label) = (&data.values[i * d..][..d], label as usize);
        let first = *first[label].get_or_insert(row);
        let w = data.weight(i);
        weights[label] += w;
        for ((sum, v), first) in sums.row_mut(label).iter_mut().zip(row).zip(first) {
            *sum += w * (v.into_f64() - first.into_f64());
        }
    }
    Array2::from_shape_fn((n_clusters, d), |(label, j)| {
        let first = first[label].map_or(0.0, |row| row[j].into_f64());
        F::from_f64(first + sums[[label, j]] / weights[label])
    })
}

impl<F: Scalar> Hierarchical<F> {
    /// All merges.
    pub fn dendrogram(&self) -> &Dendrogram {
        &self.dendrogram
    }

    /// Means of the clusters of the cut, one a row, in the coordinates of the data.
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
    pub fn report(&self) -> &HierarchicalReport {
        &self.report
    }

    /// Labels of the training rows, numbered in the order of the clusters' first rows; no part of the saved model, so empty
    /// in one that was loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// The label of each row: that of its nearest row at fit, or of its nearest mean, as [`Assign`] said.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    ///
    /// # Cost
    /// A search among the rows at fit for each row: a few microseconds in few columns, all rows in many.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        let mut labels = Array1::zeros(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// As [`predict`](Self::predict), written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As `predict`, and when `out` has not one place for each row.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.len() != x.nrows() {
            let expected = format!("{} (rows of x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let rows: Cow<'_, [F]> = contiguous(x);
        check_finite(&rows, x.ncols())?;
        match out.as_slice_mut() {
            Some(out) => self.exemplars.labels(&rows, out),
            None => {
                let mut labels = vec![0; out.len()];
                self.exemplars.labels(&rows, &mut labels);
                out.assign(&Array1::from(labels));
            }
        }
        Ok(())
    }

    /// The label of one row: the online path; allocates nothing for rows of up to 64 columns.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.check_width(row.len())?;
        if let Some((column, v)) = row.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            let problem = format!("{v} (impute missing values before clustering)");
            return Err(Error::value("x", problem, (0, column)));
        }
        let (mut few, mut many) = ([0.0; 64], Vec::new());
        let wide = match few.get_mut(..row.len()) {
            Some(wide) => wide,
            None => {
                many.resize(row.len(), 0.0);
                &mut many[..]
            }
        };
        Ok(self.exemplars.label(row.iter().copied(), wide))
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features() {
            return Ok(());
        }
        let expected = format!("{} columns (as at fit)", self.n_features());
        Err(Error::shape("x", expected, found.to_string()))
    }
}

impl<F: Scalar> Artefact for Hierarchical<F> {
    const KIND: &'static str = "hierarchical";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("hierarchical", problem.to_owned()));
        let ((k, d), report) = (self.centers.dim(), &self.report);
        self.dendrogram.validate()?;
        if k == 0 || d == 0 || self.exemplars.n_columns() != d {
            return broken("centres and rows differ in their columns, or there are none");
        }
        if report.sizes.len() != k
            || self
                .exemplars
                .most()
                .is_none_or(|label| label as usize >= k)
        {
            return broken("a label or a size is of a cluster that is not there");
        }
        if report.n_trees != self.dendrogram.n_trees() || k > self.dendrogram.n_leaves() {
            return broken("the report is of another tree");
        }
        if !self.centers.iter().all(|c| c.is_finite()) {
            return broken("a centre is not finite");
        }
        let mut judged = report
            .sizes
            .iter()
            .chain([&report.below])
            .chain(&report.above);
        if !judged.all(|v| *v >= 0.0 && v.is_finite()) {
            return broken("the report holds a number that is negative or not finite");
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.centers.ncols())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved.
impl<F: Scalar> PartialEq for Hierarchical<F> {
    fn eq(&self, other: &Self) -> bool {
        (
            &self.dendrogram,
            &self.centers,
            &self.exemplars,
            &self.report,
        ) == (
            &other.dendrogram,
            &other.centers,
            &other.exemplars,
            &other.report,
        )
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for HierarchicalParams {
    type Model = Hierarchical<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<Hierarchical<F>> {
        HierarchicalParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for Hierarchical<F> {
    type Output = Array1<u32>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        Hierarchical::predict(self, x)
    }
}
