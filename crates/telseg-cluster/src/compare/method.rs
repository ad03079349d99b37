//! What can be compared: anything that gives rows a label.

use std::fmt;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result, Scalar};

use crate::hierarchical::{Cut, HierarchicalParams};
use crate::kmeans::{Init, KMeansParams};

/// Rows to cluster.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a, F> {
    /// The rows.
    pub x: &'a ArrayRef2<F>,
    /// How often each was drawn, in a bootstrap sample.
    pub weights: Option<&'a ArrayRef1<f64>>,
    /// The number of clusters that is asked for.
    pub k: usize,
}

/// A way to cluster rows. Parameters implement it, and [`Method`] makes one of a closure.
pub trait Clusterer<F: Scalar>: Sync {
    /// What to call it in a table.
    fn name(&self) -> String;

    /// Whether the number of clusters can be asked for; a method that finds its own is run once.
    fn takes_k(&self) -> bool {
        true
    }

    /// A label for every row, those of weight 0 too; `None` for noise. The same task gives the same labels.
    ///
    /// # Errors
    /// When the rows cannot be clustered so.
    fn cluster(&self, task: Task<'_, F>) -> Result<Vec<Option<u32>>>;
}

/// A clusterer made of a closure, for methods that the crate has no parameters for.
///
/// # Examples
/// ```
/// use telseg_cluster::KMeans;
/// use telseg_cluster::compare::{Clusterer, Method, Task};
/// let halves = Method::new("halves", |task: Task<'_, f32>| {
///     Ok(task.x.column(0).iter().map(|&minutes| Some(u32::from(minutes > 100.0))).collect())
/// }).finds_k();
/// assert!(!halves.takes_k());
/// ```
pub struct Method<G> {
    name: String,
    takes_k: bool,
    cluster: G,
}

impl<G> Method<G> {
    /// A method of this name, that can be asked for a number of clusters.
    pub fn new<F>(name: impl Into<String>, cluster: G) -> Self
    where
        G: Fn(Task<'_, F>) -> Result<Vec<Option<u32>>> + Sync,
    {
        Self {
            name: name.into(),
            takes_k: true,
            cluster,
        }
    }

    /// It finds its own number of clusters.
    pub fn finds_k(mut self) -> Self {
        self.takes_k = false;
        self
    }
}

impl<G> fmt::Debug for Method<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("name", &self.name)
            .field("takes_k", &self.takes_k)
            .finish_non_exhaustive()
    }
}

impl<F, G> Clusterer<F> for Method<G>
where
    F: Scalar,
    G: Fn(Task<'_, F>) -> Result<Vec<Option<u32>>> + Sync,
{
    fn name(&self) -> String {
        self.name.clone()
    }

    fn takes_k(&self) -> bool {
        self.takes_k
    }

    fn cluster(&self, task: Task<'_, F>) -> Result<Vec<Option<u32>>> {
        (self.cluster)(task)
    }
}

/// Every sample starts from the same seed: what differs is the rows alone.
impl<F: Scalar> Clusterer<F> for KMeansParams {
    fn name(&self) -> String {
        "k-means".to_owned()
    }

    fn cluster(&self, task: Task<'_, F>) -> Result<Vec<Option<u32>>> {
        if matches!(self.init, Init::Centers(_)) {
            let problem = "given centres leave no number of clusters to compare";
            return Err(Error::param("init", problem));
        }
        let mut params = self.clone();
        params.n_clusters = task.k;
        let model = match task.weights {
            Some(weights) => params.fit_weighted(task.x, weights)?,
            None => params.fit(task.x)?,
        };
        Ok(model.labels().iter().copied().map(Some).collect())
    }
}

impl<F: Scalar> Clusterer<F> for HierarchicalParams {
    fn name(&self) -> String {
        self.linkage.name().to_owned()
    }

    fn takes_k(&self) -> bool {
        matches!(self.cut, Cut::Clusters(_))
    }

    fn cluster(&self, task: Task<'_, F>) -> Result<Vec<Option<u32>>> {
        let mut params = self.clone();
        if let Cut::Clusters(k) = &mut params.cut {
            *k = task.k;
        }
        let model = match task.weights {
            Some(weights) => params.fit_weighted(task.x, weights)?,
            None => params.fit(task.x)?,
        };
        Ok(model.labels().iter().copied().map(Some).collect())
    }
}

/// Rows that are in a cluster, with their labels.
pub(super) fn clustered<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &[Option<u32>],
) -> (Array2<F>, Vec<u32>) {
    let rows: Vec<usize> = (0..labels.len()).filter(|&i| labels[i].is_some()).collect();
    (
        x.select(ndarray::Axis(0), &rows),
        labels.iter().copied().flatten().collect(),
    )
}
