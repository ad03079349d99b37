//! The trained forest.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::seed::Stream;
use telseg_core::trees::{Tree, TreeEnsemble};
use telseg_core::{Error, Fit, Predict, Result, Seed};

use super::bag::{OutOfBag, decide, fault, permuted_all};
use super::grow::{Ground, Grown};
use super::params::{ForestParams, Task};
use crate::interop::{Link, TreeModel};
use crate::options::{check_rows, checked_weights};
use crate::{BinnedData, Gbm, Objective};

/// Trees that are grown before they are packed.
const BATCH: usize = 16;

/// A trained random forest.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::forest::{Forest, Task};
/// // Three tariffs by minutes and days with us.
/// let x = Array2::from_shape_fn((600, 2), |(i, j)| if j == 0 { (i % 60) as f32 } else { (i / 60) as f32 });
/// let tariff = Array1::from_shape_fn(600, |i| if i % 60 < 20 { 0.0 } else if i / 60 < 5 { 1.0 } else { 2.0f32 });
/// let forest = Forest::params(Task::Classification { n_classes: 3 }).with_n_trees(30).fit(&x, &tariff)?;
/// assert_eq!(forest.predict_row(&[5.0, 3.0])?, 0.0);
/// assert_eq!(forest.predict_row(&[50.0, 8.0])?, 2.0);
/// assert!(forest.report().out_of_bag_error.is_some_and(|share| share < 0.02));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    trees: TreeEnsemble,
    task: Task,
    report: ForestReport,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForestReport {
    /// What the impurity fell by at the splits of each column, times the weight there; mean over the trees.
    pub gain: Vec<f64>,
    /// What the mean fault of a tree on rows that it had not seen grows by when the column is shuffled; mean over the trees.
    /// Faults are wrong classes (0 or 1) or squared gaps. `None` when no shuffles were asked for.
    pub permutation: Option<Vec<f64>>,
    /// Mean fault of the trees' joint decision on rows by the trees that had not seen them; `None` when all were seen.
    pub out_of_bag_error: Option<f64>,
}

impl Forest {
    /// Default parameters for a task.
    pub fn params(task: Task) -> ForestParams {
        ForestParams::new(task)
    }

    /// The class or the number of each row.
    ///
    /// # Shapes
    /// `x`: rows by the columns at fit, missing values as NaN.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        let outputs = self.trees.predict(x)?;
        let rows = outputs.as_slice().expect("invariant: standard layout");
        let rows = rows.chunks_exact(self.trees.n_outputs());
        Ok(rows.map(|row| decide(self.task, row)).collect())
    }

    /// The probability of each class.
    ///
    /// # Shapes
    /// Returns rows by classes.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit, or the forest predicts numbers.
    pub fn predict_proba(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        let outputs = self.trees.predict(x)?;
        match self.task {
            Task::Regression => Err(Error::param(
                "task",
                "a forest for numbers has no probabilities",
            )),
            Task::Classification { n_classes: 2 } => {
                Ok(Array2::from_shape_fn((x.nrows(), 2), |(i, k)| {
                    let p = outputs[(i, 0)];
                    if k == 1 { p } else { 1.0 - p }
                }))
            }
            Task::Classification { .. } => Ok(outputs),
        }
    }

    /// The class or the number of one row; allocates nothing for numbers and two classes.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit.
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        let mut one = [0.0];
        let mut many = Vec::new();
        let out = if self.trees.n_outputs() == 1 {
            &mut one[..]
        } else {
            many.resize(self.trees.n_outputs(), 0.0);
            &mut many
        };
        self.trees.predict_row_into(row, out)?;
        Ok(decide(self.task, out))
    }

    /// The share of the trees in which two rows end in the same leaf, for each row of `a` and of `b`.
    ///
    /// # Errors
    /// When `a` or `b` has another number of columns than at fit.
    ///
    /// # Cost
    /// Memory: 8 bytes a pair, and 4 bytes a row and tree.
    pub fn proximities(&self, a: &ArrayRef2<f32>, b: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        let (left, right) = (self.leaves(a)?, self.leaves(b)?);
        let n_trees = self.trees.n_trees();
        let mut out = Array2::zeros((a.nrows(), b.nrows()));
        let rows: Vec<_> = out.outer_iter_mut().zip(left.chunks(n_trees)).collect();
        rows.into_par_iter().for_each(|(mut row, own)| {
            for (place, other) in row.iter_mut().zip(right.chunks(n_trees)) {
                let same = own.iter().zip(other).filter(|(a, b)| a == b).count();
                *place = same as f64 / n_trees as f64;
            }
        });
        Ok(out)
    }

    /// The leaf of each row in each tree.
    fn leaves(&self, x: &ArrayRef2<f32>) -> Result<Vec<u32>> {
        if x.ncols() != self.trees.n_features() {
            let expected = format!("{} columns (as at fit)", self.trees.n_features());
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        let leaves = |row: usize| {
            let row = x.row(row).to_vec();
            (0..self.trees.n_trees())
                .map(|t| self.trees.leaf(t, &row) as u32)
                .collect()
        };
        let parts: Vec<Vec<u32>> = (0..x.nrows()).into_par_iter().map(leaves).collect();
        Ok(parts.concat())
    }

    /// The same with other trees, of these gains.
    pub(super) fn with(&self, trees: TreeEnsemble, gain: Vec<f64>) -> Self {
        let report = ForestReport {
            gain,
            ..self.report.clone()
        };
        Self {
            trees,
            task: self.task,
            report,
        }
    }

    /// The trees: outputs are the sum of their leaves.
    pub fn trees(&self) -> &TreeEnsemble {
        &self.trees
    }

    /// What is predicted.
    pub fn task(&self) -> Task {
        self.task
    }

    /// How the fit went.
    pub fn report(&self) -> &ForestReport {
        &self.report
    }
}

impl ForestParams {
    /// Trains a forest.
    ///
    /// # Shapes
    /// `x`: a subscriber a row, missing values as NaN, infinite values in the outermost bins; `y`: a class or a number a row.
    ///
    /// # Errors
    /// When a parameter is wrong, shapes differ, `y` holds something that is no class or no number, or a categorical column
    /// something that is no level code.
    ///
    /// # Cost
    /// For each tree about `rows * columns tried * depth` additions; trees in parallel. Memory: two bytes a cell, 40 bytes a
    /// row for each tree that is grown at a time, 32 bytes a node.
    pub fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<Forest> {
        Ok(self.grow(x, y, None)?.0)
    }

    /// Trains a forest on weighted rows; a row of weight 0 is as good as absent, but may be drawn.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), or when a weight is negative or not finite.
    pub fn fit_weighted(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: &ArrayRef1<f32>,
    ) -> Result<Forest> {
        Ok(self.grow(x, y, Some(weights))?.0)
    }

    /// Trains a forest, and predicts each row by the trees that have not seen it: rows by outputs, NaN for rows that all
    /// trees have seen. Outputs are the number, the probability of class 1 of two, or that of each class.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_out_of_bag(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
    ) -> Result<(Forest, Array2<f64>)> {
        self.grow(x, y, None)
    }

    fn grow(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: Option<&ArrayRef1<f32>>,
    ) -> Result<(Forest, Array2<f64>)> {
        self.grow_noting(x, y, weights, &mut |_, _| ())
    }

    /// The same; `note` sees each tree before it is packed.
    pub(super) fn grow_noting(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: Option<&ArrayRef1<f32>>,
        note: &mut dyn FnMut(&Ground<'_>, &Grown),
    ) -> Result<(Forest, Array2<f64>)> {
        self.validate()?;
        check_rows(x.nrows(), y.len())?;
        let weights = weights.map(|w| checked_weights(w, y.len())).transpose()?;
        let bins = Gbm::params(Objective::SquaredError)
            .with_max_bins(self.max_bins)
            .with_categorical(self.categorical.clone())
            .with_seed(self.seed);
        let mut y = y.to_vec();
        self.task.check(&y)?;
        let data = BinnedData::build(x, weights.as_deref(), &bins)?;
        let mean = self.task.center(&mut y);
        let ground = Ground {
            params: self,
            data: &data,
            y: &y,
            weights: weights.as_deref(),
            mean,
        };
        ground.forest(x.ncols(), note)
    }
}

impl Ground<'_> {
    fn forest(
        &self,
        n_features: usize,
        note: &mut dyn FnMut(&Ground<'_>, &Grown),
    ) -> Result<(Forest, Array2<f64>)> {
        let (task, n_trees) = (self.params.task, self.params.n_trees);
        let stream = |name: &str, tree: usize| -> Stream {
            Seed::new(self.params.seed).stream(name).child(tree as u64)
        };
        let mut trees = TreeEnsemble::new(n_features, vec![0.0; task.outputs()], Vec::new())?;
        let mut bag = OutOfBag::new(self.y.len(), task.outputs());
        let mut gain = vec![0.0; n_features];
        let mut permutation = vec![0.0; n_features];
        for start in (0..n_trees).step_by(BATCH) {
            let batch = start..(start + BATCH).min(n_trees);
            let grown: Vec<(Grown, Vec<u16>)> = batch
                .into_par_iter()
                .with_max_len(1)
                .map(|tree| {
                    let stream = stream("forest.tree", tree);
                    let counts = self.draw(stream);
                    (self.grow(&counts, stream), counts)
                })
                .collect();
            grown.iter().for_each(|(tree, _)| note(self, tree));
            bag.add(self, &grown);
            for (question, _) in grown
                .iter()
                .flat_map(|(tree, _)| tree.questions.iter().flatten())
            {
                gain[question.feature] += question.gain / n_trees as f64;
            }
            if self.params.n_permutations > 0 {
                let stream = |i: usize| stream("forest.permutation", start + i);
                for growth in permuted_all(self, &grown, stream) {
                    let pairs = permutation.iter_mut().zip(growth);
                    pairs.for_each(|(sum, g)| *sum += g / n_trees as f64);
                }
            }
            let packed: Vec<Tree> = grown
                .par_iter()
                .map(|(tree, _)| self.tree(tree, n_trees))
                .collect();
            trees.append(packed)?;
        }
        let predictions = bag.predictions();
        let report = ForestReport {
            gain,
            permutation: (self.params.n_permutations > 0).then_some(permutation),
            out_of_bag_error: self.error(&predictions),
        };
        Ok((
            Forest {
                trees,
                task,
                report,
            },
            predictions,
        ))
    }

    /// Weighted mean fault of the rows that some tree has not seen.
    fn error(&self, predictions: &Array2<f64>) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for (i, row) in predictions.rows().into_iter().enumerate() {
            let weight = self.weights.map_or(1.0, |w| f64::from(w[i]));
            if !row[0].is_nan() && weight > 0.0 {
                let y = f64::from(self.y[i]) + self.mean;
                sum += weight * fault(self.params.task, decide(self.params.task, &row.to_vec()), y);
                total += weight;
            }
        }
        (total > 0.0).then(|| sum / total)
    }
}

impl Task {
    /// Refuses targets that are no classes or no numbers.
    fn check(self, y: &[f32]) -> Result<()> {
        let good = |y: f32| match self {
            Self::Regression => y.is_finite(),
            Self::Classification { n_classes } => {
                y >= 0.0 && y.fract() == 0.0 && y < n_classes as f32
            }
        };
        match (y.iter().position(|&y| !good(y)), self) {
            (None, _) => Ok(()),
            (Some(row), Self::Regression) => {
                let problem = format!("must be a finite number, found {} in row {row}", y[row]);
                Err(Error::data("y", problem))
            }
            (Some(row), Self::Classification { n_classes }) => {
                let top = n_classes - 1;
                let problem = format!("must be a class, 0 to {top}, found {} in row {row}", y[row]);
                Err(Error::data("y", problem))
            }
        }
    }

    /// Takes the mean off numbers, so that sums of squares keep their digits; returns it.
    fn center(self, y: &mut [f32]) -> f64 {
        if self != Self::Regression || y.is_empty() {
            return 0.0;
        }
        let mean = y.iter().map(|&v| f64::from(v)).sum::<f64>() / y.len() as f64;
        let mean = mean as f32; // so that what was taken off is what is added again
        y.iter_mut().for_each(|v| *v -= mean);
        f64::from(mean)
    }
}

impl Fit<ArrayRef2<f32>, ArrayRef1<f32>> for ForestParams {
    type Model = Forest;

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<Forest> {
        ForestParams::fit(self, x, y)
    }
}

impl Predict<ArrayRef2<f32>> for Forest {
    type Output = Array1<f64>;

    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        Forest::predict(self, x)
    }
}

/// Outputs are what the trees say: the number, the probability of class 1 of two, or that of each class.
impl From<&Forest> for TreeModel {
    fn from(forest: &Forest) -> Self {
        Self::unnamed(forest.trees.clone(), Link::Identity)
    }
}

impl Artefact for Forest {
    const KIND: &'static str = "forest";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.trees.validate()?;
        let broken = |problem: &str| Err(Error::data("forest", problem));
        if self.trees.n_outputs() != self.task.outputs() || self.trees.n_trees() == 0 {
            return broken("it must have trees, with as many outputs as its task");
        }
        let report = &self.report;
        let width = self.trees.n_features();
        let columns = |v: &Vec<f64>| v.len() == width && v.iter().all(|g| g.is_finite());
        if !columns(&report.gain) || !report.permutation.as_ref().is_none_or(columns) {
            return broken("importances must be one a column, and finite");
        }
        if report.out_of_bag_error.is_some_and(|e| !e.is_finite()) {
            return broken("the out-of-bag error must be finite");
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.trees.n_features())
    }
}
