//! The order as it was found, and what is taken from it.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Fit, Result, Scalar};

use super::order::walk;
use super::params::{OpticsParams, XiParams};
use super::plot;
use super::xi::Plot;
use crate::Assignment;
use crate::neighbours::{KdTree, nearest_of_all};
use crate::rows::{Weighted, check_shape, contiguous};

/// An order of the training rows in which dense places are valleys of the reachability.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use telseg_cluster::{Optics, XiParams};
/// // Kilometres: two towns, one denser than the other.
/// let places = Array2::from_shape_fn((80, 2), |(i, j)| {
///     let turn = (i * (3 + 4 * j)) as f32;
///     if i < 40 { 0.3 * turn.sin() } else { 20.0 + 3.0 * turn.sin() }
/// });
/// let model = Optics::params(5).fit(&places)?;
/// let towns = model.cut(4.0)?;
/// assert!(towns.iter().take(40).all(|&town| town == towns[0]));
/// assert_ne!(towns[0], towns[79]);
/// assert!(model.xi(&XiParams::default())?.clusters.len() >= 2);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optics {
    params: OpticsParams,
    order: Vec<u32>,
    reachability: Vec<f64>,
    core: Vec<f64>,
    predecessor: Vec<Option<u32>>,
}

/// Clusters between steep falls and rises of the plot.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct XiClusters {
    /// First and last place in the order of each cluster; a cluster comes before those that it lies within.
    pub clusters: Vec<(usize, usize)>,
    /// For each row the smallest clusters, those that lie within others and hold none, numbered as they come.
    pub labels: Array1<Assignment>,
}

impl Optics {
    /// What to ask for: core distances over `min_points` rows, everything else by default.
    pub fn params(min_points: usize) -> OpticsParams {
        OpticsParams::new(min_points)
    }
}

impl OpticsParams {
    /// Orders the rows of `x`.
    ///
    /// # Shapes
    /// `x`: at least one row and one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// Time: in few dimensions some `n log n`, in many up to `n^2 d`; the walk goes row by row, core distances are found in
    /// parallel. Memory: two copies of `x` and some 60 bytes a row.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Optics> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight for each row that its neighbours' core distances count; above 0.
    ///
    /// # Errors
    /// As `fit`, and when a weight is not above 0 or not finite.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Optics> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Optics> {
        self.validate()?;
        check_shape(x, 1, "OPTICS")?;
        let data = Weighted::new(contiguous(x), x.ncols(), weights)?;
        if data.rows().len() != data.all.len() {
            let problem = "a row of weight 0 has no place in the order: leave it out";
            return Err(Error::data("weights", problem));
        }
        let tree = KdTree::new(data.rows(), x.ncols())?;
        let weights = data.weights().map(|weights| {
            let weight = |&row: &u32| weights[row as usize];
            tree.rows().iter().map(weight).collect::<Vec<f64>>()
        });
        let limit = F::from_f64(self.max_eps * self.max_eps).min(F::max_value());
        let target = self.min_points as f64;
        let core = nearest_of_all(&tree, target, weights.as_deref(), |_, found| {
            let reach = found.reach();
            let core = found.complete() && reach <= limit;
            if core { reach } else { F::infinity() }
        });
        let walk = walk(&tree, &core, limit);
        let mut by_row = vec![0.0; tree.n_rows()];
        for (&row, core) in tree.rows().iter().zip(core) {
            by_row[row as usize] = core.into_f64().sqrt();
        }
        let reachability = walk.reachability.iter();
        Ok(Optics {
            params: self.clone(),
            order: walk.order,
            reachability: reachability.map(|r| r.into_f64().sqrt()).collect(),
            core: by_row,
            predecessor: walk.predecessor,
        })
    }
}

impl Optics {
    /// The rows in the order of the walk.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The distance at which each row was reached, by row; infinite where a new walk began.
    pub fn reachability(&self) -> &[f64] {
        &self.reachability
    }

    /// The core distance of each row; infinite where it is above `max_eps`.
    pub fn core_distances(&self) -> &[f64] {
        &self.core
    }

    /// The row that each row was reached from.
    pub fn predecessors(&self) -> &[Option<u32>] {
        &self.predecessor
    }

    /// The reachability plot as data: distances in the order of the walk.
    pub fn plot(&self) -> Vec<f64> {
        self.order
            .iter()
            .map(|&row| self.reachability[row as usize])
            .collect()
    }

    /// The reachability plot as a picture in SVG, coloured by labels such as [`cut`](Self::cut) gives.
    ///
    /// # Errors
    /// When there is not one label for each row.
    pub fn plot_svg(&self, labels: &ArrayRef1<Assignment>) -> Result<String> {
        if labels.len() != self.order.len() {
            let expected = format!("{} (rows at fit)", self.order.len());
            return Err(Error::shape("labels", expected, labels.len().to_string()));
        }
        let labels: Vec<Assignment> = self.order.iter().map(|&row| labels[row as usize]).collect();
        Ok(plot::svg(&self.plot(), &labels))
    }

    /// Clusters at a radius: those of DBSCAN with this `eps`, up to border rows.
    ///
    /// # Errors
    /// When `eps` is not above 0 and at most `max_eps`.
    pub fn cut(&self, eps: f64) -> Result<Array1<Assignment>> {
        if !(eps > 0.0 && eps <= self.params.max_eps) {
            let most = self.params.max_eps;
            let problem = format!("expected above 0 and at most {most} (max_eps), found {eps}");
            return Err(Error::param("eps", problem));
        }
        let (mut labels, mut current, mut next) =
            (Array1::default(self.order.len()), Assignment::Noise, 0);
        for &row in &self.order {
            let row = row as usize;
            if self.reachability[row] > eps {
                current = Assignment::Noise;
                if self.core[row] <= eps {
                    (current, next) = (Assignment::Cluster(next), next + 1);
                }
            }
            labels[row] = current;
        }
        Ok(labels)
    }

    /// Clusters between steep falls and rises of the plot, also within one another.
    ///
    /// # Errors
    /// When a parameter cannot have its value.
    pub fn xi(&self, params: &XiParams) -> Result<XiClusters> {
        params.validate()?;
        let mut reach = self.plot();
        reach.push(f64::INFINITY);
        let mut place = vec![0; self.order.len()];
        for (i, &row) in self.order.iter().enumerate() {
            place[row as usize] = i;
        }
        let from = self.order.iter().map(|&row| {
            let from = self.predecessor[row as usize];
            from.map(|from| place[from as usize])
        });
        let from: Vec<Option<usize>> = from.collect();
        let clusters = Plot {
            reach: &reach,
            from: &from,
            xi: params.xi,
            min_points: self.params.min_points,
            min_size: params.min_cluster_size.unwrap_or(self.params.min_points),
        }
        .clusters();
        let (mut labels, mut next) = (Array1::<Assignment>::default(self.order.len()), 0);
        for &(start, end) in &clusters {
            let rows = &self.order[start..=end];
            if rows.iter().all(|&row| labels[row as usize].is_noise()) {
                let label = Assignment::Cluster(next);
                rows.iter().for_each(|&row| labels[row as usize] = label);
                next += 1;
            }
        }
        Ok(XiClusters { clusters, labels })
    }
}

impl Artefact for Optics {
    const KIND: &'static str = "optics";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.params.validate()?;
        let broken = |problem: &str| Err(Error::data("optics", problem.to_owned()));
        let n = self.order.len();
        if n == 0
            || [
                self.reachability.len(),
                self.core.len(),
                self.predecessor.len(),
            ] != [n; 3]
        {
            return broken("there is no row, or rows and their numbers differ in number");
        }
        let mut seen = vec![false; n];
        for &row in &self.order {
            match seen.get_mut(row as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return broken("the order does not hold every row once"),
            }
        }
        if self
            .predecessor
            .iter()
            .flatten()
            .any(|&row| row as usize >= n)
        {
            return broken("a predecessor is no row");
        }
        if self
            .reachability
            .iter()
            .chain(&self.core)
            .all(|v| *v >= 0.0)
        {
            return Ok(());
        }
        broken("a distance is negative or not a number")
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for OpticsParams {
    type Model = Optics;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<Optics> {
        OpticsParams::fit(self, x)
    }
}
