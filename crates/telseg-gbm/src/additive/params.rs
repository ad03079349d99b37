//! What may be asked of a fit.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::Objective;

/// Parameters of an additive model; [`Ebm::params`](crate::Ebm::params) starts from the defaults.
///
/// # Examples
/// ```
/// use telseg_gbm::{Ebm, Objective, Pairs};
/// let params = Ebm::params(Objective::Binary).with_pairs(Pairs::Count(3)).with_categorical([2]);
/// assert!(params.validate().is_ok());
/// let wrong = params.with_max_pair_bins(300).validate().unwrap_err();
/// assert_eq!(wrong.to_string(), "max_pair_bins: must be 2 to 64, found 300");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EbmParams {
    /// What is predicted, and by which loss.
    pub objective: Objective,
    /// Most rounds of a bag; each improves every term once. Default 5000.
    pub max_rounds: usize,
    /// Factor on each step. Default 0.03.
    pub learning_rate: f64,
    /// Most pieces that one step parts a column into. Default 3.
    pub max_leaves: usize,
    /// Fewest training rows of a piece (sum of weights). Default 5.
    pub min_rows_leaf: usize,
    /// L2 penalty on steps. Default 1.
    pub l2: f64,
    /// Most value bins of a column, 2 to 255; missing values have one more. Default 255.
    pub max_bins: usize,
    /// Which pairs of columns get a surface of their own. Default [`Pairs::Auto`].
    pub pairs: Pairs,
    /// Most groups that a column is parted into on a surface, 2 to 64. Default 32.
    pub max_pair_bins: usize,
    /// Bags: fits that each hold out other rows, and whose mean is the model. Default 12.
    pub n_bags: usize,
    /// Share of the rows that a bag holds out to judge its rounds by (class by class for a binary target). Default 0.15.
    pub validation_share: f64,
    /// The bags stop when their mean validation loss has not improved for so many rounds, and keep the best one. Default 50.
    pub early_stopping: usize,
    /// Columns that hold level codes (whole numbers from 0) rather than quantities. Default none.
    pub categorical: Vec<usize>,
    /// Levels are put in order by the ratio of their slopes, with this added to its denominator. Default 10.
    pub cat_smooth: f64,
    /// Root of all random choices. Default 0.
    pub seed: u64,
}

/// Which pairs of columns get a surface of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Pairs {
    /// As many of the strongest as there are columns, at most ten.
    Auto,
    /// So many of the strongest; 0 is a model of single columns.
    Count(usize),
    /// These.
    Listed(Vec<(usize, usize)>),
}

macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident $field:ident: $type:ty),* $(,)?) => {
        $($(#[$doc])* #[must_use] pub fn $setter(mut self, $field: $type) -> Self { self.$field = $field.into(); self })*
    };
}

impl EbmParams {
    pub(crate) fn new(objective: Objective) -> Self {
        Self {
            objective,
            max_rounds: 5000,
            learning_rate: 0.03,
            max_leaves: 3,
            min_rows_leaf: 5,
            l2: 1.0,
            max_bins: 255,
            pairs: Pairs::Auto,
            max_pair_bins: 32,
            n_bags: 12,
            validation_share: 0.15,
            early_stopping: 50,
            categorical: Vec::new(),
            cat_smooth: 10.0,
            seed: 0,
        }
    }

    setters! {
        /// Sets [`max_rounds`](Self::max_rounds).
        with_max_rounds max_rounds: usize,
        /// Sets [`learning_rate`](Self::learning_rate).
        with_learning_rate learning_rate: f64,
        /// Sets [`max_leaves`](Self::max_leaves).
        with_max_leaves max_leaves: usize,
        /// Sets [`min_rows_leaf`](Self::min_rows_leaf).
        with_min_rows_leaf min_rows_leaf: usize,
        /// Sets [`l2`](Self::l2).
        with_l2 l2: f64,
        /// Sets [`max_bins`](Self::max_bins).
        with_max_bins max_bins: usize,
        /// Sets [`pairs`](Self::pairs).
        with_pairs pairs: Pairs,
        /// Sets [`max_pair_bins`](Self::max_pair_bins).
        with_max_pair_bins max_pair_bins: usize,
        /// Sets [`n_bags`](Self::n_bags).
        with_n_bags n_bags: usize,
        /// Sets [`validation_share`](Self::validation_share).
        with_validation_share validation_share: f64,
        /// Sets [`early_stopping`](Self::early_stopping).
        with_early_stopping early_stopping: usize,
        /// Sets [`categorical`](Self::categorical).
        with_categorical categorical: impl Into<Vec<usize>>,
        /// Sets [`cat_smooth`](Self::cat_smooth).
        with_cat_smooth cat_smooth: f64,
        /// Sets [`seed`](Self::seed).
        with_seed seed: u64,
    }

    /// Checks every parameter alone; every fit does this first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        let whole = |name: &'static str, value: usize, low: usize, high: usize| {
            let problem = match value {
                v if v < low => format!("must be at least {low}, found {v}"),
                v if v > high => format!("must be at most {high}, found {v}"),
                _ => return Ok(()),
            };
            Err(Error::param(name, problem))
        };
        let number = |name: &'static str, value: f64, good: bool, rule: &str| {
            let problem = || format!("must be {rule}, found {value}");
            let good = good && value.is_finite();
            good.then_some(())
                .ok_or_else(|| Error::param(name, problem()))
        };
        if !matches!(self.objective, Objective::SquaredError | Objective::Binary) {
            let problem = format!("{:?} has no additive model yet", self.objective);
            return Err(Error::param("objective", problem));
        }
        whole("max_rounds", self.max_rounds, 1, 10_000_000)?;
        let (rate, share) = (self.learning_rate, self.validation_share);
        number("learning_rate", rate, rate > 0.0, "above 0")?;
        whole("max_leaves", self.max_leaves, 2, 255)?;
        whole("min_rows_leaf", self.min_rows_leaf, 1, usize::MAX)?;
        number("l2", self.l2, self.l2 >= 0.0, "0 or more")?;
        let between = |name: &'static str, value: usize, high: usize| {
            let problem = format!("must be 2 to {high}, found {value}");
            let good = (2..=high).contains(&value);
            good.then_some(())
                .ok_or_else(|| Error::param(name, problem))
        };
        between("max_bins", self.max_bins, 255)?;
        between("max_pair_bins", self.max_pair_bins, 64)?;
        whole("n_bags", self.n_bags, 1, 10_000)?;
        let rule = "above 0 and at most 0.5";
        number("validation_share", share, share > 0.0 && share <= 0.5, rule)?;
        whole("early_stopping", self.early_stopping, 1, usize::MAX)?;
        number(
            "cat_smooth",
            self.cat_smooth,
            self.cat_smooth >= 0.0,
            "0 or more",
        )?;
        for (i, column) in self.categorical.iter().enumerate() {
            if self.categorical[..i].contains(column) {
                let problem = format!("column {column} is named twice");
                return Err(Error::param("categorical", problem));
            }
        }
        self.validate_pairs()
    }

    fn validate_pairs(&self) -> Result<()> {
        let Pairs::Listed(pairs) = &self.pairs else {
            return Ok(());
        };
        let turned = |&(a, b): &(usize, usize)| (a.min(b), a.max(b));
        for (i, pair) in pairs.iter().enumerate() {
            if pair.0 == pair.1 {
                let problem = format!("column {} cannot be paired with itself", pair.0);
                return Err(Error::param("pairs", problem));
            }
            if pairs[..i].iter().any(|other| turned(other) == turned(pair)) {
                let problem = format!("columns {} and {} are paired twice", pair.0, pair.1);
                return Err(Error::param("pairs", problem));
            }
        }
        Ok(())
    }
}
