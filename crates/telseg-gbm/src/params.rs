//! What may be asked of a fit.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::{Metric, Monotone, Objective, Sampling};

/// Parameters of gradient boosting; [`Gbm::params`](crate::Gbm::params) starts from the defaults.
///
/// # Examples
/// ```
/// use telseg_gbm::{Gbm, Objective};
/// let params = Gbm::params(Objective::Binary).with_n_trees(300).with_learning_rate(0.05);
/// assert!(params.validate().is_ok());
/// let wrong = params.with_max_bins(1000).validate().unwrap_err();
/// assert_eq!(wrong.to_string(), "max_bins: must be 2 to 255, found 1000");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GbmParams {
    /// What is predicted, and by which loss.
    pub objective: Objective,
    /// Rounds of boosting, a tree for each output; the upper limit with early stopping. Default 100.
    pub n_trees: usize,
    /// Factor on each tree's leaf values. Default 0.1.
    pub learning_rate: f64,
    /// Most leaves of a tree. Default 31.
    pub max_leaves: usize,
    /// Most questions from root to leaf; unlimited by default.
    pub max_depth: Option<usize>,
    /// Which leaf is split next. Default leaf-wise.
    pub growth: Growth,
    /// Fewest training rows of a leaf. Default 20. Above 65,536 rows the sides of a split are counted by their share
    /// of the hessian (as LightGBM does), which is exact for squared error without weights.
    pub min_rows_leaf: usize,
    /// Smallest sum of hessians of a leaf. Default 0.001.
    pub min_hessian_leaf: f64,
    /// L1 penalty on leaf values. Default 0.
    pub l1: f64,
    /// L2 penalty on leaf values. Default 0.
    pub l2: f64,
    /// A split must gain more than this. Default 0.
    pub min_gain: f64,
    /// Most value bins of a column, 2 to 255; missing values have one more. Default 255.
    pub max_bins: usize,
    /// Share of the rows that each tree sees, drawn without replacement. Default 1.
    pub row_share: f64,
    /// How they are drawn. Default [`Sampling::Uniform`].
    pub sampling: Sampling,
    /// Share of the columns that each tree may ask. Default 1.
    pub column_share: f64,
    /// Share of the tree's columns that each node may ask. Default 1.
    pub column_share_node: f64,
    /// Columns with which predictions may only rise, or only fall, all others equal (basic method). Default none.
    pub monotone: Vec<(usize, Monotone)>,
    /// Sets of columns that may be asked on one way from root to leaf; a column in no set is asked alone. Default: any.
    pub interactions: Vec<Vec<usize>>,
    /// Columns that hold level codes (whole numbers from 0) rather than quantities. Default none.
    pub categorical: Vec<usize>,
    /// Levels with fewer rows than this are not sorted into a subset, and level ratios are smoothed by it. Default 10.
    pub cat_smooth: f64,
    /// L2 penalty added where a split is by a subset of levels. Default 10.
    pub cat_l2: f64,
    /// Most levels on the smaller side of a subset. Default 32.
    pub max_cat_threshold: usize,
    /// Columns with at most so many levels are split one level against the rest. Default 4.
    pub max_one_hot: usize,
    /// Fewest rows between two candidate subsets. Default 100.
    pub min_rows_group: usize,
    /// What the judging rows are judged by. Default [`Metric::Loss`].
    pub metric: Metric,
    /// Stop when the metric of the judging rows has not improved for so many rounds, and keep the best round. Default never.
    pub early_stopping: Option<usize>,
    /// Share of the training rows held out for early stopping (stratified where the target is a class). Default none.
    pub validation_share: Option<f64>,
    /// Whether to train once more on all rows after early stopping on a held-out share. Default never.
    pub refit: Refit,
    /// Root of all random choices. Default 0.
    pub seed: u64,
}

/// The order in which the leaves of a tree are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Growth {
    /// The leaf whose split gains most is next, at any depth: the fewest leaves for a loss.
    LeafWise,
    /// Shallow leaves before deep ones, within a level those that gain most.
    DepthWise,
    /// All leaves of a level are asked one question, the one that gains most over them together.
    ///
    /// `max_leaves` (rounded down to a power of two) and `max_depth` both limit the levels; with `column_share_node`,
    /// columns are drawn for each level. A leaf that a question would leave with too small a side stays whole at that
    /// level. Histograms of all leaves of a level are kept at once.
    Symmetric,
}

/// What follows early stopping on a held-out share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refit {
    /// The model is the one trained without the held-out rows.
    Never,
    /// A second fit on all rows with the best number of trees.
    AllRows,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident $field:ident: $type:ty),* $(,)?) => {
        $($(#[$doc])* #[must_use] pub fn $setter(mut self, $field: $type) -> Self { self.$field = $field.into(); self })*
    };
}

impl GbmParams {
    pub(crate) fn new(objective: Objective) -> Self {
        Self {
            objective,
            n_trees: 100,
            learning_rate: 0.1,
            max_leaves: 31,
            max_depth: None,
            growth: Growth::LeafWise,
            min_rows_leaf: 20,
            min_hessian_leaf: 1e-3,
            l1: 0.0,
            l2: 0.0,
            min_gain: 0.0,
            max_bins: 255,
            row_share: 1.0,
            sampling: Sampling::Uniform,
            column_share: 1.0,
            column_share_node: 1.0,
            monotone: Vec::new(),
            interactions: Vec::new(),
            categorical: Vec::new(),
            cat_smooth: 10.0,
            cat_l2: 10.0,
            max_cat_threshold: 32,
            max_one_hot: 4,
            min_rows_group: 100,
            metric: Metric::Loss,
            early_stopping: None,
            validation_share: None,
            refit: Refit::Never,
            seed: 0,
        }
    }

    setters! {
        /// Sets [`n_trees`](Self::n_trees).
        with_n_trees n_trees: usize,
        /// Sets [`learning_rate`](Self::learning_rate).
        with_learning_rate learning_rate: f64,
        /// Sets [`max_leaves`](Self::max_leaves).
        with_max_leaves max_leaves: usize,
        /// Sets [`max_depth`](Self::max_depth).
        with_max_depth max_depth: usize,
        /// Sets [`growth`](Self::growth).
        with_growth growth: Growth,
        /// Sets [`min_rows_leaf`](Self::min_rows_leaf).
        with_min_rows_leaf min_rows_leaf: usize,
        /// Sets [`min_hessian_leaf`](Self::min_hessian_leaf).
        with_min_hessian_leaf min_hessian_leaf: f64,
        /// Sets [`l1`](Self::l1).
        with_l1 l1: f64,
        /// Sets [`l2`](Self::l2).
        with_l2 l2: f64,
        /// Sets [`min_gain`](Self::min_gain).
        with_min_gain min_gain: f64,
        /// Sets [`max_bins`](Self::max_bins).
        with_max_bins max_bins: usize,
        /// Sets [`row_share`](Self::row_share).
        with_row_share row_share: f64,
        /// Sets [`sampling`](Self::sampling).
        with_sampling sampling: Sampling,
        /// Sets [`column_share`](Self::column_share).
        with_column_share column_share: f64,
        /// Sets [`column_share_node`](Self::column_share_node).
        with_column_share_node column_share_node: f64,
        /// Sets [`monotone`](Self::monotone).
        with_monotone monotone: impl Into<Vec<(usize, Monotone)>>,
        /// Sets [`interactions`](Self::interactions).
        with_interactions interactions: impl Into<Vec<Vec<usize>>>,
        /// Sets [`categorical`](Self::categorical).
        with_categorical categorical: impl Into<Vec<usize>>,
        /// Sets [`cat_smooth`](Self::cat_smooth).
        with_cat_smooth cat_smooth: f64,
        /// Sets [`cat_l2`](Self::cat_l2).
        with_cat_l2 cat_l2: f64,
        /// Sets [`max_cat_threshold`](Self::max_cat_threshold).
        with_max_cat_threshold max_cat_threshold: usize,
        /// Sets [`max_one_hot`](Self::max_one_hot).
        with_max_one_hot max_one_hot: usize,
        /// Sets [`min_rows_group`](Self::min_rows_group).
        with_min_rows_group min_rows_group: usize,
        /// Sets [`metric`](Self::metric).
        with_metric metric: Metric,
        /// Sets [`early_stopping`](Self::early_stopping).
        with_early_stopping early_stopping: usize,
        /// Sets [`validation_share`](Self::validation_share).
        with_validation_share validation_share: f64,
        /// Sets [`refit`](Self::refit).
        with_refit refit: Refit,
        /// Sets [`seed`](Self::seed).
        with_seed seed: u64,
    }

    /// Sets what a table of a few thousand to a few hundred thousand subscribers wants: slow learning with small,
    /// randomised trees, and as many of them as a held-out share says, then a second fit on all rows.
    ///
    /// The defaults learn a small table by heart: on the 7,043 subscribers of the IBM set they judge worse than a
    /// logistic regression. This costs about ten times as many trees.
    #[must_use]
    pub fn with_small_data(mut self) -> Self {
        self.n_trees = 1000;
        self.learning_rate = 0.03;
        self.max_leaves = 16;
        self.l2 = 5.0;
        self.row_share = 0.8;
        self.column_share_node = 0.5;
        self.early_stopping = Some(50);
        self.validation_share = Some(0.15);
        self.refit = Refit::AllRows;
        self
    }

    /// Checks every parameter alone and against the others; every fit does this first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, or that contradicts another.
    pub fn validate(&self) -> Result<()> {
        let whole = |name: &'static str, value: usize, low: usize, high: usize| match value {
            v if v < low => Err(Error::param(
                name,
                format!("must be at least {low}, found {v}"),
            )),
            v if v > high => Err(Error::param(
                name,
                format!("must be at most {high}, found {v}"),
            )),
            _ => Ok(()),
        };
        let number = |name: &'static str, value: f64, good: bool, rule: &str| {
            if good && value.is_finite() {
                Ok(())
            } else {
                Err(Error::param(name, format!("must be {rule}, found {value}")))
            }
        };
        let share = |name, v: f64| number(name, v, v > 0.0 && v <= 1.0, "above 0 and at most 1");
        let penalty = |name, v: f64| number(name, v, v >= 0.0, "0 or more");
        self.objective.validate()?;
        whole("n_trees", self.n_trees, 1, 1_000_000)?;
        number(
            "learning_rate",
            self.learning_rate,
            self.learning_rate > 0.0,
            "above 0",
        )?;
        whole("max_leaves", self.max_leaves, 2, 1 << 20)?;
        whole("max_depth", self.max_depth.unwrap_or(1), 1, usize::MAX)?;
        whole("min_rows_leaf", self.min_rows_leaf, 1, usize::MAX)?;
        penalty("min_hessian_leaf", self.min_hessian_leaf)?;
        penalty("l1", self.l1)?;
        penalty("l2", self.l2)?;
        penalty("min_gain", self.min_gain)?;
        if !(2..=255).contains(&self.max_bins) {
            return Err(Error::param(
                "max_bins",
                format!("must be 2 to 255, found {}", self.max_bins),
            ));
        }
        share("row_share", self.row_share)?;
        self.validate_sampling()?;
        share("column_share", self.column_share)?;
        share("column_share_node", self.column_share_node)?;
        penalty("cat_smooth", self.cat_smooth)?;
        penalty("cat_l2", self.cat_l2)?;
        whole("max_cat_threshold", self.max_cat_threshold, 1, 255)?;
        whole("min_rows_group", self.min_rows_group, 1, usize::MAX)?;
        for (i, column) in self.categorical.iter().enumerate() {
            if self.categorical[..i].contains(column) {
                return Err(Error::param(
                    "categorical",
                    format!("column {column} is named twice"),
                ));
            }
        }
        self.validate_constraints()?;
        self.validate_stopping()
    }

    fn validate_sampling(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::param("sampling", problem));
        let equal = matches!(
            self.objective,
            Objective::AbsoluteError | Objective::Quantile { .. } | Objective::Quantiles(_)
        );
        match self.sampling {
            Sampling::Uniform => Ok(()),
            _ if equal => refuse(format!(
                "gradients of {:?} do not say which rows matter: draw them all alike",
                self.objective
            )),
            Sampling::TopGradients { top, rest } => {
                if !(top >= 0.0 && rest > 0.0 && top + rest < 1.0) {
                    return refuse(format!(
                        "top and rest must sum to less than 1 and rest be above 0, found {top} and {rest}"
                    ));
                }
                if self.row_share < 1.0 {
                    return refuse("top and rest say how many rows: leave row_share at 1".into());
                }
                Ok(())
            }
            Sampling::MinimalVariance { lambda } => {
                if !(lambda >= 0.0 && lambda.is_finite()) {
                    return refuse(format!("lambda must be 0 or more, found {lambda}"));
                }
                if self.row_share == 1.0 {
                    return refuse("row_share says how many rows: set it below 1".into());
                }
                Ok(())
            }
        }
    }

    fn validate_stopping(&self) -> Result<()> {
        let objective = self.objective;
        let fits = match self.metric {
            Metric::Loss => true,
            Metric::Auc => objective == Objective::Binary,
            Metric::Accuracy => objective.n_classes().is_some(),
            Metric::AbsoluteError | Metric::RootSquaredError => objective.n_outputs() == 1,
            Metric::Ndcg { at } => at > 0 && objective.n_outputs() == 1,
            Metric::Concordance => objective.takes_events(),
        };
        if !fits {
            let problem = format!("{:?} says nothing of {objective:?}", self.metric);
            return Err(Error::param("metric", problem));
        }
        if self.early_stopping == Some(0) {
            return Err(Error::param(
                "early_stopping",
                "must be at least 1, found 0",
            ));
        }
        if let Some(share) = self.validation_share {
            if !(share > 0.0 && share < 1.0) {
                let problem = format!("must lie between 0 and 1, found {share}");
                return Err(Error::param("validation_share", problem));
            }
            if self.early_stopping.is_none() {
                let problem = "holds rows out that nothing uses: set early_stopping too";
                return Err(Error::param("validation_share", problem));
            }
        }
        if self.refit == Refit::AllRows && self.validation_share.is_none() {
            let problem = "follows early stopping on a held-out share: set validation_share too";
            return Err(Error::param("refit", problem));
        }
        Ok(())
    }
}
