//! What is asked of latent classes.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::column::{self, LatentColumn};
use crate::mixture::check;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Family {
    /// A number of either sign or a logarithm: normal within a class.
    Normal,
    /// A code from 0 to below `n_levels`.
    Categorical {
        /// Number of levels, at least 1.
        n_levels: u32,
    },
    /// A count: calls, tickets, days.
    Poisson,
    /// A count with more zeros than its size explains, as of subscribers who never use a service.
    ZeroInflatedPoisson,
}

/// Parameters of [`LatentClass`](super::LatentClass); start from [`LatentClass::params`](super::LatentClass::params).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LatentClassParams {
    /// Number of classes, at least 1.
    pub n_components: usize,
    /// What each column holds.
    pub families: Vec<Family>,
    /// Where EM starts. Default: rows that lie far apart.
    pub init: LatentInit,
    /// Number of starts; the one with the greatest likelihood wins. Default 5; must be 1 where the start is given.
    pub n_init: usize,
    /// Most iterations of a start. Default 500.
    pub max_iter: usize,
    /// A start has converged when its objective, a row on average, changes by less. Default 1e-6; with 0 never.
    pub tol: f64,
    /// Pseudo-rows that every class is given. Default 1; with 0 the likelihood itself is maximised.
    pub smoothing: f64,
    /// Seed of all random choices. Default 0.
    pub seed: u64,
}

/// Where EM starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LatentInit {
    /// A row for each class, drawn in proportion to its distance from those drawn before; every row belongs to them the
    /// more, the nearer they are. Distances sum over columns, each scaled so that two random rows differ by 1.
    Seeds,
    /// Rows by classes: how much each row belongs to each class at first; each row sums to 1.
    Responsibilities(Array2<f64>),
    /// All that a model consists of, as of last month's model ([`to_init`](super::LatentClass::to_init)).
    Parameters {
        /// Share of each class; sums to 1.
        weights: Array1<f64>,
        /// Each column in every class.
        columns: Vec<LatentColumn>,
    },
}

impl LatentClassParams {
    pub(super) fn new(n_components: usize, families: Vec<Family>) -> Self {
        Self {
            n_components,
            families,
            init: LatentInit::Seeds,
            n_init: 5,
            max_iter: 500,
            tol: 1e-6,
            smoothing: 1.0,
            seed: 0,
        }
    }

    /// Sets where EM starts.
    pub fn with_init(mut self, init: LatentInit) -> Self {
        self.init = init;
        self
    }

    /// Sets the number of starts.
    pub fn with_n_init(mut self, n_init: usize) -> Self {
        self.n_init = n_init;
        self
    }

    /// Sets the most iterations of a start.
    pub fn with_max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// Sets the tolerance of convergence.
    pub fn with_tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// Sets the number of pseudo-rows.
    pub fn with_smoothing(mut self, smoothing: f64) -> Self {
        self.smoothing = smoothing;
        self
    }

    /// Sets the seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        check::sizes(
            &[
                ("n_components", self.n_components),
                ("n_init", self.n_init),
                ("max_iter", self.max_iter),
            ],
            &[("tol", self.tol), ("smoothing", self.smoothing)],
        )?;
        if self.families.is_empty() {
            return Err(Error::param("families", "expected at least one column"));
        }
        if let Some(j) = self.families.iter().position(|f| !f.is_sound()) {
            let problem = format!("column {j} has no levels");
            return Err(Error::param("families", problem));
        }
        check::starts(self.n_init, self.init != LatentInit::Seeds)?;
        self.validate_init()
    }

    fn validate_init(&self) -> Result<()> {
        let k = self.n_components;
        let wrong = |problem: String| Err(Error::param("init", problem));
        match &self.init {
            LatentInit::Seeds => Ok(()),
            LatentInit::Responsibilities(r) => check::responsibilities(r, k),
            LatentInit::Parameters { weights, columns } => {
                if weights.len() != k {
                    let found = weights.len();
                    return wrong(format!(
                        "expected {k} weights (n_components), found {found}"
                    ));
                }
                if !columns
                    .iter()
                    .map(LatentColumn::family)
                    .eq(self.families.iter().copied())
                {
                    return wrong("columns are not of the families asked for".to_owned());
                }
                column::check(weights, columns).or_else(|e| wrong(e.to_string()))
            }
        }
    }
}

impl Family {
    fn is_sound(self) -> bool {
        self != Self::Categorical { n_levels: 0 }
    }

    /// What is wrong with a cell of such a column; a missing one (NaN) is fine.
    pub(super) fn problem(self, cell: f64) -> Option<String> {
        if cell.is_nan() {
            return None;
        }
        let whole = cell >= 0.0 && cell.fract() == 0.0;
        match self {
            _ if cell.is_infinite() => Some("infinite value".to_owned()),
            Self::Normal => None,
            Self::Categorical { n_levels } if whole && cell < f64::from(n_levels) => None,
            Self::Categorical { n_levels } => Some(format!(
                "{cell} is not a code from 0 to {}",
                n_levels.saturating_sub(1)
            )),
            _ if whole && cell <= 1e15 => None,
            _ => Some(format!("{cell} is not a count")),
        }
    }
}
