//! A single tree that people can read: grown like those of a forest on all rows and columns, then pruned.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::trees::{Node, NodeView, Rule, Tree, TreeEnsemble};
use telseg_core::{Error, Fit, Predict, Result};

use super::grow::{Ground, Grown};
use super::params::{ForestParams, Sampling, Task};
use super::{Forest, rules};
use crate::interop::{Link, TreeModel};

/// A trained decision tree.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::forest::{DecisionTree, Task};
/// let x = Array2::from_shape_fn((400, 2), |(i, j)| if j == 0 { (i % 40) as f32 } else { (i / 40) as f32 });
/// let left = Array1::from_shape_fn(400, |i| (i % 40 < 12 && i / 40 > 5) as u8 as f32);
/// let tree = DecisionTree::params(Task::Classification { n_classes: 2 }).with_alpha(0.001).fit(&x, &left)?;
/// let rules = tree.rules(&["months", "calls"])?;
/// assert_eq!(rules[1], "months <= 11.5 and calls > 5.5: class 1 with probability 1.000 (48 of 400)");
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionTree {
    forest: Forest,
    /// Outputs of each node, if it were a leaf.
    values: Vec<f64>,
    /// What the impurity falls by at each node, as a share of all rows; 0 at leaves.
    gains: Vec<f64>,
}

/// Parameters of a decision tree; [`DecisionTree::params`] starts from the defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecisionTreeParams {
    /// What is predicted.
    pub task: Task,
    /// Most questions from root to leaf; unlimited by default.
    pub max_depth: Option<usize>,
    /// Least weight of a leaf. Default 1 for classes, 5 for numbers.
    pub min_weight_leaf: f64,
    /// What a leaf costs: subtrees whose fall of impurity (mean over the rows) is not worth their leaves are cut off.
    /// Default 0.
    pub alpha: f64,
    /// Most value bins of a column, 2 to 255; missing values have one more. Default 255.
    pub max_bins: usize,
    /// Columns that hold level codes (whole numbers from 0) rather than quantities. Default none.
    pub categorical: Vec<usize>,
}

/// A tree on the way from the largest to a single leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PruningStep {
    /// The lowest cost of a leaf at which the tree is this one.
    pub alpha: f64,
    /// Its leaves.
    pub n_leaves: usize,
}

impl DecisionTreeParams {
    /// Sets [`max_depth`](Self::max_depth).
    #[must_use]
    pub fn with_max_depth(mut self, max_depth: usize) -> Self {
        self.max_depth = Some(max_depth);
        self
    }

    /// Sets [`min_weight_leaf`](Self::min_weight_leaf).
    #[must_use]
    pub fn with_min_weight_leaf(mut self, min_weight_leaf: f64) -> Self {
        self.min_weight_leaf = min_weight_leaf;
        self
    }

    /// Sets [`alpha`](Self::alpha).
    #[must_use]
    pub fn with_alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets [`max_bins`](Self::max_bins).
    #[must_use]
    pub fn with_max_bins(mut self, max_bins: usize) -> Self {
        self.max_bins = max_bins;
        self
    }

    /// Sets [`categorical`](Self::categorical).
    #[must_use]
    pub fn with_categorical(mut self, categorical: impl Into<Vec<usize>>) -> Self {
        self.categorical = categorical.into();
        self
    }

    /// Checks every parameter; every fit does this first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        self.forest().validate()?;
        check_alpha(self.alpha)
    }

    /// The same as a forest of one tree.
    fn forest(&self) -> ForestParams {
        let mut params = Forest::params(self.task)
            .with_n_trees(1)
            .with_sampling(Sampling::All)
            .with_max_features(u32::MAX as usize)
            .with_min_weight_leaf(self.min_weight_leaf)
            .with_max_bins(self.max_bins)
            .with_categorical(self.categorical.clone());
        params.max_depth = self.max_depth;
        params
    }

    /// Trains a tree, and prunes it by [`alpha`](Self::alpha).
    ///
    /// # Shapes
    /// `x`: a subscriber a row, missing values as NaN; `y`: a class or a number a row.
    ///
    /// # Errors
    /// As [`ForestParams::fit`].
    pub fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<DecisionTree> {
        self.grow(x, y, None)
    }

    /// Trains a tree on weighted rows; a row of weight 0 is as good as absent.
    ///
    /// # Errors
    /// As [`ForestParams::fit_weighted`].
    pub fn fit_weighted(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: &ArrayRef1<f32>,
    ) -> Result<DecisionTree> {
        self.grow(x, y, Some(weights))
    }

    fn grow(
        &self,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
        weights: Option<&ArrayRef1<f32>>,
    ) -> Result<DecisionTree> {
        self.validate()?;
        let (mut values, mut gains) = (Vec::new(), Vec::new());
        let channels = self.task.channels();
        let (forest, _) = self.forest().grow_noting(
            x,
            y,
            weights,
            &mut |ground: &Ground<'_>, grown: &Grown| {
                let nodes = 0..grown.questions.len();
                values = nodes
                    .flat_map(|i| ground.leaf(grown.sums(i, channels)))
                    .collect();
                let questions = grown.questions.iter();
                gains = questions
                    .map(|q| q.as_ref().map_or(0.0, |(q, _)| q.gain))
                    .collect();
            },
        )?;
        let weight = forest.trees().cover(0);
        gains.iter_mut().for_each(|g| *g /= weight);
        let whole = DecisionTree {
            forest,
            values,
            gains,
        };
        whole.pruned(self.alpha)
    }
}

fn check_alpha(alpha: f64) -> Result<()> {
    if alpha >= 0.0 && alpha.is_finite() {
        return Ok(());
    }
    Err(Error::param(
        "alpha",
        format!("must be 0 or more, found {alpha}"),
    ))
}

impl DecisionTree {
    /// Default parameters for a task.
    pub fn params(task: Task) -> DecisionTreeParams {
        let forest = Forest::params(task);
        DecisionTreeParams {
            task,
            max_depth: None,
            min_weight_leaf: forest.min_weight_leaf,
            alpha: 0.0,
            max_bins: forest.max_bins,
            categorical: Vec::new(),
        }
    }

    /// The class or the number of each row.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit.
    pub fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        self.forest.predict(x)
    }

    /// The probability of each class: rows by classes.
    ///
    /// # Errors
    /// When `x` has another number of columns than at fit, or the tree predicts numbers.
    pub fn predict_proba(&self, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        self.forest.predict_proba(x)
    }

    /// The class or the number of one row.
    ///
    /// # Errors
    /// When the row has another length than the columns at fit.
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        self.forest.predict_row(row)
    }

    /// The tree, as an ensemble of one.
    pub fn trees(&self) -> &TreeEnsemble {
        self.forest.trees()
    }

    /// Number of leaves.
    pub fn n_leaves(&self) -> usize {
        self.trees().n_nodes().div_ceil(2)
    }

    /// Each leaf as a sentence: what leads there, what it predicts, and how many rows it had. Leaves come from left to right.
    ///
    /// # Errors
    /// When there are not as many names as columns.
    pub fn rules<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<String>> {
        rules::sentences(self.trees(), self.forest.task(), names)
    }

    /// The trees that growing costs of a leaf lead to, the largest first (weakest-link pruning).
    ///
    /// # References
    /// Breiman et al. (1984), section 3.3.
    pub fn pruning_path(&self) -> Vec<PruningStep> {
        let mut pruning = Pruning::new(self);
        let mut path = vec![PruningStep {
            alpha: 0.0,
            n_leaves: pruning.leaves[0],
        }];
        while let Some((alpha, node)) = pruning.weakest() {
            pruning.cut(node);
            let step = PruningStep {
                alpha,
                n_leaves: pruning.leaves[0],
            };
            match path.last_mut() {
                Some(last) if last.alpha >= alpha => last.n_leaves = step.n_leaves,
                _ => path.push(step),
            }
        }
        path
    }

    /// The smallest subtree whose leaves are worth their cost.
    ///
    /// # Errors
    /// When `alpha` is negative or not finite.
    pub fn pruned(&self, alpha: f64) -> Result<Self> {
        check_alpha(alpha)?;
        let mut pruning = Pruning::new(self);
        while let Some((weakest, node)) = pruning.weakest() {
            if weakest > alpha {
                break;
            }
            pruning.cut(node);
        }
        self.keep(&pruning)
    }

    /// The tree without what was cut.
    fn keep(&self, pruning: &Pruning) -> Result<Self> {
        let (trees, width) = (self.trees(), self.trees().n_outputs());
        let (mut nodes, mut values, mut gains) = (Vec::new(), Vec::new(), Vec::new());
        let mut order = vec![0];
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            next += 1;
            let value = &self.values[at * width..][..width];
            values.extend(value);
            let cover = trees.cover(at);
            match trees.node(0, at) {
                NodeView::Split {
                    feature,
                    rule,
                    missing,
                    left,
                    right,
                } if pruning.leaves[at] > 1 => {
                    gains.push(self.gains[at]);
                    nodes.push(Node::Split {
                        feature,
                        rule: Rule::from(rule),
                        missing,
                        left: order.len(),
                        right: order.len() + 1,
                        cover,
                    });
                    order.extend([left, right]);
                }
                _ => {
                    gains.push(0.0);
                    let value = value.to_vec();
                    nodes.push(Node::Leaf { value, cover });
                }
            }
        }
        let tree = Tree {
            nodes,
            output: trees.tree_output(0),
        };
        let base = trees.base().to_vec();
        let trees = TreeEnsemble::new(trees.n_features(), base, vec![tree])?;
        let mut gain = vec![0.0; trees.n_features()];
        for (node, fall) in gains.iter().enumerate() {
            if let NodeView::Split { feature, .. } = trees.node(0, node) {
                gain[feature] += fall * trees.cover(0);
            }
        }
        Ok(Self {
            forest: self.forest.with(trees, gain),
            values,
            gains,
        })
    }
}

/// The state of weakest-link pruning.
struct Pruning {
    parents: Vec<Option<usize>>,
    children: Vec<Option<[usize; 2]>>,
    /// Leaves below each node that is not cut off; 1 for a leaf.
    leaves: Vec<usize>,
    /// Fall of impurity below each node.
    falls: Vec<f64>,
}

impl Pruning {
    fn new(tree: &DecisionTree) -> Self {
        let n = tree.trees().n_nodes();
        let mut pruning = Self {
            parents: vec![None; n],
            children: vec![None; n],
            leaves: vec![1; n],
            falls: tree.gains.clone(),
        };
        for node in (0..n).rev() {
            if let NodeView::Split { left, right, .. } = tree.trees().node(0, node) {
                pruning.children[node] = Some([left, right]);
                (pruning.parents[left], pruning.parents[right]) = (Some(node), Some(node));
                pruning.leaves[node] = pruning.leaves[left] + pruning.leaves[right];
                pruning.falls[node] += pruning.falls[left] + pruning.falls[right];
            }
        }
        pruning
    }

    /// The split whose subtree gains least a leaf, and that gain; the first among equals.
    fn weakest(&self) -> Option<(f64, usize)> {
        let mut weakest: Option<(f64, usize)> = None;
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            if self.leaves[node] > 1 {
                let worth = self.falls[node].max(0.0) / (self.leaves[node] - 1) as f64;
                if weakest.is_none_or(|(least, _)| worth < least) {
                    weakest = Some((worth, node));
                }
                open.extend(self.children[node].iter().flatten());
            }
        }
        weakest
    }

    /// Makes a leaf of a node.
    fn cut(&mut self, node: usize) {
        let (leaves, fall) = (self.leaves[node] - 1, self.falls[node]);
        self.leaves[node] = 1;
        self.falls[node] = 0.0;
        let mut above = self.parents[node];
        while let Some(node) = above {
            self.leaves[node] -= leaves;
            self.falls[node] -= fall;
            above = self.parents[node];
        }
    }
}

impl Fit<ArrayRef2<f32>, ArrayRef1<f32>> for DecisionTreeParams {
    type Model = DecisionTree;

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f32>) -> Result<DecisionTree> {
        DecisionTreeParams::fit(self, x, y)
    }
}

impl Predict<ArrayRef2<f32>> for DecisionTree {
    type Output = Array1<f64>;

    fn predict(&self, x: &ArrayRef2<f32>) -> Result<Array1<f64>> {
        DecisionTree::predict(self, x)
    }
}

impl From<&DecisionTree> for TreeModel {
    fn from(tree: &DecisionTree) -> Self {
        Self::unnamed(tree.trees().clone(), Link::Identity)
    }
}

impl Artefact for DecisionTree {
    const KIND: &'static str = "decision_tree";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.forest.validate()?;
        let (trees, broken) = (self.trees(), |p: &str| Err(Error::data("decision_tree", p)));
        let n = trees.n_nodes();
        if trees.n_trees() != 1
            || self.gains.len() != n
            || self.values.len() != n * trees.n_outputs()
        {
            return broken("it must be one tree, with a value and a gain for each node");
        }
        if !self.gains.iter().chain(&self.values).all(|v| v.is_finite()) {
            return broken("values and gains must be finite");
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.trees().n_features())
    }
}
