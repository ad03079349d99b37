//! The order as it was found, and what is said of rows by it.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Fit, Predict, Result, Scalar, par};

use super::extract::{Labelled, Walked, XiClusters, speakers};
use super::order::walk;
use super::params::{Extraction, OpticsParams, XiParams};
use super::plot;
use crate::Assignment;
use crate::neighbours::{KdTree, Node, Reachable, nearest_of_all};
use crate::rows::{
    Weighted, check_finite, check_out, check_row, check_shape, check_width, contiguous,
};

/// Rows that one task labels.
const CHUNK: usize = 256;

/// An order of the training rows in which dense places are valleys of the reachability, and the clusters taken from it.
///
/// The model holds its training rows.
///
/// # Examples
/// ```
/// use ndarray::{Array2, array};
/// use telseg_cluster::{Assignment, Extraction, Optics};
/// // Kilometres: two towns, one denser than the other.
/// let places = Array2::from_shape_fn((80, 2), |(i, j)| {
///     let turn = (i * (3 + 4 * j)) as f32;
///     if i < 40 { 0.3 * turn.sin() } else { 20.0 + 3.0 * turn.sin() }
/// });
/// let cut = Extraction::Cut { eps: 4.0 };
/// let model = Optics::params(5).with_extraction(cut).fit(&places)?;
/// assert_eq!(model.n_clusters(), 2);
/// assert_eq!(&model.predict(&places)?, model.labels());
/// assert_eq!(model.predict_row(&array![21.0f32, 19.0])?, model.labels()[79]);
/// assert_eq!(model.predict_row(&array![10.0f32, 10.0])?, Assignment::Noise);
/// // The same walk, read for the dense town only.
/// let dense = model.with_extraction(Extraction::Cut { eps: 0.3 })?;
/// assert!(dense.labels()[79].is_noise() && !dense.labels()[0].is_noise());
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    bound = "",
    into = "super::saved::Saved<F>",
    try_from = "super::saved::Saved<F>"
)]
pub struct Optics<F: Scalar = f32> {
    pub(super) params: OpticsParams,
    pub(super) points: Reachable<F>,
    pub(super) walked: Walked,
    labelled: Labelled,
    report: OpticsReport,
}

/// What a fit found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OpticsReport {
    /// Rows in no cluster.
    pub n_noise: usize,
    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub sizes: Vec<f64>,
}

impl Optics<f32> {
    /// What to ask for: core distances over `min_points` rows, everything else by default.
    pub fn params(min_points: usize) -> OpticsParams {
        OpticsParams::new(min_points)
    }
}

impl OpticsParams {
    /// Orders the rows of `x`, and takes clusters from the order.
    ///
    /// # Shapes
    /// `x`: at least one row and one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// Time: in few dimensions some `n log n`, in many up to `n^2 d`; the walk goes row by row, core distances are found in
    /// parallel. Memory: two copies of `x` and some 70 bytes a row.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Optics<F>> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight above 0 for each row, which core distances, the sizes of xi-clusters and the
    /// report count. At a cut an integer weight counts as so many equal rows; steep areas are counted in places of the plot,
    /// of which each row has one.
    ///
    /// # Errors
    /// As `fit`, and when a weight is not above 0 or not finite.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Optics<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Optics<F>> {
        self.validate()?;
        check_shape(x, 1, "OPTICS")?;
        let data = Weighted::new(contiguous(x), x.ncols(), weights)?;
        if data.rows().len() != data.all.len() {
            let problem = "a row of weight 0 has no place in the order: leave it out";
            return Err(Error::data("weights", problem));
        }
        let tree = KdTree::new(data.rows(), x.ncols())?;
        let by_position = data.weights().map(|weights| {
            let weight = |&row: &u32| weights[row as usize];
            tree.rows().iter().map(weight).collect::<Vec<f64>>()
        });
        let limit = F::from_f64(self.max_eps * self.max_eps).min(F::max_value());
        let target = self.min_points as f64;
        let core = nearest_of_all(&tree, target, by_position.as_deref(), |_, found| {
            let reach = found.reach();
            let core = found.complete() && reach <= limit;
            if core { reach } else { F::infinity() }
        });
        let walk = walk(&tree, &core, limit);
        let reachability = walk.reachability.iter();
        let walked = Walked {
            order: walk.order,
            reachability: reachability.map(|r| r.into_f64().sqrt()).collect(),
            core: Vec::new(),
            predecessor: walk.predecessor,
            weights: data.weights().map(<[f64]>::to_vec),
            speaker: Vec::new(),
        };
        Ok(Optics::new(
            self.clone(),
            Reachable::new(tree, core),
            walked,
        ))
    }
}

impl<F: Scalar> Optics<F> {
    /// A model of what the walk found; core distances and speakers by row are filled in here.
    pub(super) fn new(params: OpticsParams, points: Reachable<F>, mut walked: Walked) -> Self {
        let tree = points.tree();
        walked.core = vec![0.0; tree.n_rows()];
        for (&row, squared) in tree.rows().iter().zip(points.core()) {
            walked.core[row as usize] = squared.into_f64().sqrt();
        }
        walked.speaker = speakers(tree, &walked.reachability, &walked.places());
        let labelled = walked.extract(&params);
        let mut report = OpticsReport {
            n_noise: 0,
            sizes: vec![0.0; labelled.levels.len()],
        };
        for (row, label) in labelled.labels.iter().enumerate() {
            match label.cluster() {
                None => report.n_noise += 1,
                Some(cluster) => {
                    let weight = walked.weights.as_ref().map_or(1.0, |w| w[row]);
                    report.sizes[cluster as usize] += weight;
                }
            }
        }
        Self {
            params,
            points,
            walked,
            labelled,
            report,
        }
    }

    /// The same walk with its clusters taken in another way.
    ///
    /// # Errors
    /// When a parameter cannot have its value.
    pub fn with_extraction(self, extraction: Extraction) -> Result<Self> {
        let params = self.params.with_extraction(extraction);
        params.validate()?;
        Ok(Self::new(params, self.points, self.walked))
    }

    /// Number of clusters; may be 0.
    pub fn n_clusters(&self) -> usize {
        self.labelled.levels.len()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.points.tree().n_columns()
    }

    /// What the fit found.
    pub fn report(&self) -> &OpticsReport {
        &self.report
    }

    /// Labels of the training rows, the same as `predict` gives. Clusters are numbered as the walk comes to them.
    pub fn labels(&self) -> &Array1<Assignment> {
        &self.labelled.labels
    }

    /// The rows in the order of the walk.
    pub fn order(&self) -> &[u32] {
        &self.walked.order
    }

    /// The distance at which each row was reached, by row; infinite where a new walk began.
    pub fn reachability(&self) -> &[f64] {
        &self.walked.reachability
    }

    /// The core distance of each row; infinite where it is above `max_eps`.
    pub fn core_distances(&self) -> &[f64] {
        &self.walked.core
    }

    /// The row that each row was reached from.
    pub fn predecessors(&self) -> &[Option<u32>] {
        &self.walked.predecessor
    }

    /// The reachability plot as data: distances in the order of the walk.
    pub fn plot(&self) -> Vec<f64> {
        self.walked.plot()
    }

    /// The reachability plot as a picture in SVG, coloured by labels such as [`cut`](Self::cut) gives.
    ///
    /// # Errors
    /// When there is not one label for each row.
    pub fn plot_svg(&self, labels: &ArrayRef1<Assignment>) -> Result<String> {
        let order = self.order();
        if labels.len() != order.len() {
            let expected = format!("{} (rows at fit)", order.len());
            return Err(Error::shape("labels", expected, labels.len().to_string()));
        }
        let labels: Vec<Assignment> = order.iter().map(|&row| labels[row as usize]).collect();
        Ok(plot::svg(&self.plot(), &labels))
    }

    /// Clusters at a radius: those of DBSCAN with this `eps`, up to border rows.
    ///
    /// # Errors
    /// When `eps` is not above 0 and at most `max_eps`.
    pub fn cut(&self, eps: f64) -> Result<Array1<Assignment>> {
        self.params.check_cut(eps)?;
        Ok(self.walked.cut(eps))
    }

    /// Clusters between steep falls and rises of the plot, also within one another.
    ///
    /// # Errors
    /// When a parameter cannot have its value.
    pub fn xi(&self, params: &XiParams) -> Result<XiClusters> {
        params.validate()?;
        Ok(self.walked.xi(self.params.min_points, params))
    }

    /// The cluster of each row: that of the training row that reaches it most easily, where it is reached as easily as rows
    /// of this cluster are.
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
        let (rows, d) = (contiguous(x), x.ncols());
        check_finite(&rows, d)?;
        let mut labels = vec![Assignment::Noise; x.nrows()];
        par::fill(&mut labels, CHUNK, |range, part| {
            let mut stack = Vec::new();
            for (label, row) in part.iter_mut().zip(rows[range.start * d..].chunks_exact(d)) {
                *label = self.said(row, &mut stack);
            }
        });
        out.iter_mut()
            .zip(labels)
            .for_each(|(out, label)| *out = label);
        Ok(())
    }

    /// The cluster of one row: the online path; allocates little.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<Assignment> {
        let row = check_row(row, self.n_features())?;
        Ok(self.said(&row, &mut Vec::new()))
    }

    fn said(&self, row: &[F], stack: &mut Vec<(F, Node)>) -> Assignment {
        let tree = self.points.tree();
        if let Some(equal) = tree.equal_to(row, stack) {
            return self.labels()[tree.rows()[equal as usize] as usize];
        }
        let Some(reached) = self.points.easiest(row, F::zero(), None, stack) else {
            return Assignment::Noise;
        };
        let cluster = self.labels()[reached.row as usize].cluster();
        let reach = reached.squared.into_f64().sqrt();
        cluster
            .filter(|&cluster| reach <= self.labelled.levels[cluster as usize])
            .into()
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for OpticsParams {
    type Model = Optics<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<Optics<F>> {
        OpticsParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for Optics<F> {
    type Output = Array1<Assignment>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<Assignment>> {
        Optics::predict(self, x)
    }
}
