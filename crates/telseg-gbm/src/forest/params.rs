//! What may be asked of a forest.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// What a forest predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Task {
    /// A number; splits lower the variance.
    Regression,
    /// The probability of each class; targets are 0 to `n_classes - 1`, and splits lower the Gini impurity.
    Classification {
        /// Number of classes, at least 2.
        n_classes: u32,
    },
}

/// Which rows a tree sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sampling {
    /// As many draws as rows, with replacement.
    Bootstrap,
    /// This share of the rows, without replacement.
    Share(f64),
    /// All rows; nothing is out of bag.
    All,
}

/// How a column is cut in a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cutting {
    /// Where it gains most (random forest).
    Best,
    /// At a random bin between the lowest and the highest of the node (extremely randomised trees); the best of the
    /// columns' cuts is taken.
    Random,
}

/// Parameters of a forest; [`Forest::params`](super::Forest::params) starts from the defaults.
///
/// # Examples
/// ```
/// use telseg_gbm::forest::{Cutting, Forest, Sampling, Task};
/// let extra = Forest::params(Task::Regression).with_cutting(Cutting::Random).with_sampling(Sampling::All);
/// assert!(extra.validate().is_ok());
/// let wrong = extra.with_n_trees(0).validate().unwrap_err();
/// assert_eq!(wrong.to_string(), "n_trees: must be 1 to 1000000, found 0");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForestParams {
    /// What is predicted.
    pub task: Task,
    /// Number of trees. Default 100.
    pub n_trees: usize,
    /// Columns that a node tries, drawn anew at each; columns that are constant in the node are not counted. Default: the
    /// square root of their number for classes, a third of it for numbers.
    pub max_features: Option<usize>,
    /// Most questions from root to leaf; unlimited by default.
    pub max_depth: Option<usize>,
    /// Least weight of a leaf, where a row counts as often as it was drawn. Default 1 for classes, 5 for numbers.
    pub min_weight_leaf: f64,
    /// Which rows a tree sees. Default [`Sampling::Bootstrap`].
    pub sampling: Sampling,
    /// How columns are cut. Default [`Cutting::Best`].
    pub cutting: Cutting,
    /// Shuffles of each column behind the permutation importance; 0, the default, leaves it out.
    pub n_permutations: usize,
    /// Most value bins of a column, 2 to 255; missing values have one more. Default 255.
    pub max_bins: usize,
    /// Columns that hold level codes (whole numbers from 0) rather than quantities. Default none.
    pub categorical: Vec<usize>,
    /// Root of all random choices. Default 0.
    pub seed: u64,
}

macro_rules! setters {
    ($($setter:ident $field:ident: $type:ty),* $(,)?) => {
        $(
            #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
            #[must_use]
            pub fn $setter(mut self, $field: $type) -> Self {
                self.$field = $field.into();
                self
            }
        )*
    };
}

impl ForestParams {
    pub(super) fn new(task: Task) -> Self {
        Self {
            task,
            n_trees: 100,
            max_features: None,
            max_depth: None,
            min_weight_leaf: if task == Task::Regression { 5.0 } else { 1.0 },
            sampling: Sampling::Bootstrap,
            cutting: Cutting::Best,
            n_permutations: 0,
            max_bins: 255,
            categorical: Vec::new(),
            seed: 0,
        }
    }

    setters! {
        with_n_trees n_trees: usize,
        with_max_features max_features: usize,
        with_max_depth max_depth: usize,
        with_min_weight_leaf min_weight_leaf: f64,
        with_sampling sampling: Sampling,
        with_cutting cutting: Cutting,
        with_n_permutations n_permutations: usize,
        with_max_bins max_bins: usize,
        with_categorical categorical: impl Into<Vec<usize>>,
        with_seed seed: u64,
    }

    /// Checks every parameter; every fit does this first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        let whole = |name: &'static str, v: usize, (low, high): (usize, usize)| {
            if (low..=high).contains(&v) {
                return Ok(());
            }
            Err(Error::param(
                name,
                format!("must be {low} to {high}, found {v}"),
            ))
        };
        if let Task::Classification { n_classes } = self.task {
            whole("n_classes", n_classes as usize, (2, 1000))?;
        }
        whole("n_trees", self.n_trees, (1, 1_000_000))?;
        whole(
            "max_features",
            self.max_features.unwrap_or(1),
            (1, u32::MAX as usize),
        )?;
        whole(
            "max_depth",
            self.max_depth.unwrap_or(1),
            (1, u32::MAX as usize),
        )?;
        if !(self.min_weight_leaf > 0.0 && self.min_weight_leaf.is_finite()) {
            let problem = format!("must be above 0, found {}", self.min_weight_leaf);
            return Err(Error::param("min_weight_leaf", problem));
        }
        match self.sampling {
            Sampling::Share(share) if !(share > 0.0 && share < 1.0) => {
                let problem = format!("a share must lie between 0 and 1, found {share}");
                return Err(Error::param("sampling", problem));
            }
            Sampling::All if self.n_permutations > 0 => {
                let problem = "are judged out of bag, and with Sampling::All no row is: choose another sampling";
                return Err(Error::param("n_permutations", problem));
            }
            _ => {}
        }
        whole("n_permutations", self.n_permutations, (0, 1000))?;
        whole("max_bins", self.max_bins, (2, 255))?;
        for (i, column) in self.categorical.iter().enumerate() {
            if self.categorical[..i].contains(column) {
                let problem = format!("column {column} is named twice");
                return Err(Error::param("categorical", problem));
            }
        }
        Ok(())
    }

    /// Columns that a node tries.
    pub(super) fn tried(&self, n_features: usize) -> usize {
        let default = match self.task {
            Task::Regression => n_features / 3,
            Task::Classification { .. } => n_features.isqrt(),
        };
        self.max_features.unwrap_or(default).clamp(1, n_features)
    }
}

impl Task {
    /// Sums that a node is judged by: the weight of each class, or weight and weighted target.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Regression => 2,
            Self::Classification { n_classes } => n_classes as usize,
        }
    }

    /// Scores of a row: one for a number and for two classes (the probability of class 1), else one a class.
    pub(super) fn outputs(self) -> usize {
        match self {
            Self::Regression | Self::Classification { n_classes: 2 } => 1,
            Self::Classification { n_classes } => n_classes as usize,
        }
    }
}
