//! What may change, at what price, and how far to look.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use telseg_core::trees::TreeEnsemble;
use telseg_core::{Error, Result};

use super::Counterfactuals;

/// Where the score is wanted; on the margin, as [`TreeEnsemble::predict`] gives it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Goal {
    /// At most this: a churn score below a limit.
    AtMost(f64),
    /// At least this: a propensity above a limit.
    AtLeast(f64),
}

/// Which way a column may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Not at all: age, gender, history.
    Never,
    /// Either way.
    Free,
    /// Only upwards.
    Increase,
    /// Only downwards.
    Decrease,
}

/// How one column may change.
///
/// # Examples
/// ```
/// use telseg_explain::{Change, FeatureRule};
/// // A fee may fall in steps of 5, by 15 at the most for somebody who pays 60; 10 are as dear as one other unit.
/// let fee = FeatureRule::numeric(Change::Decrease, 10.0).with_step(5.0).with_range(45.0, 60.0);
/// assert_eq!(fee.step, Some(5.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeatureRule {
    /// Which way.
    pub change: Change,
    /// A change by this much costs 1; for level codes any change costs `1 / scale`.
    pub scale: f64,
    /// Values that it may take; unlimited by default.
    pub range: Option<[f32; 2]>,
    /// It may take multiples of this only; any number by default.
    pub step: Option<f32>,
    /// For level codes, those that may be offered. Default the ones that the model's splits name.
    pub levels: Vec<u32>,
}

impl FeatureRule {
    /// A column that stays as it is.
    pub fn fixed() -> Self {
        Self::numeric(Change::Never, 1.0)
    }

    /// A column of quantities; a change by `scale` (say, its standard deviation) costs 1.
    pub fn numeric(change: Change, scale: f64) -> Self {
        Self {
            change,
            scale,
            range: None,
            step: None,
            levels: Vec::new(),
        }
    }

    /// A column of level codes, of which these may be offered; a change costs 1.
    pub fn levels(levels: impl Into<Vec<u32>>) -> Self {
        Self {
            levels: levels.into(),
            ..Self::numeric(Change::Free, 1.0)
        }
    }

    /// Sets [`range`](Self::range).
    #[must_use]
    pub fn with_range(self, low: f32, high: f32) -> Self {
        Self {
            range: Some([low, high]),
            ..self
        }
    }

    /// Sets [`step`](Self::step).
    #[must_use]
    pub fn with_step(self, step: f32) -> Self {
        Self {
            step: Some(step),
            ..self
        }
    }

    /// Sets [`scale`](Self::scale).
    #[must_use]
    pub fn with_scale(self, scale: f64) -> Self {
        Self { scale, ..self }
    }
}

/// Columns that change together: a tariff with its fee, its data and its contract. The row keeps its own values or
/// takes those of one option. The columns' own rules count no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// The columns.
    pub features: Vec<usize>,
    /// What may be offered: a value for each of the columns.
    pub options: Vec<Vec<f32>>,
    /// Cost of each option.
    pub costs: Vec<f64>,
}

/// How counterfactuals are looked for; [`Counterfactuals::params`] starts from the defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CounterfactualParams {
    /// Where the score is wanted.
    pub goal: Goal,
    /// Which score of the ensemble. Default the first.
    pub output: usize,
    /// How each column may change, in their order.
    pub features: Vec<FeatureRule>,
    /// Columns that change together. Default none.
    pub bundles: Vec<Bundle>,
    /// Most columns and bundles that may change. Default 3.
    pub max_changes: usize,
    /// Boxes after which the search ends. Default 100,000.
    pub max_boxes: usize,
    /// Time after which the search ends; answers then depend on the machine. Default none.
    pub time_limit: Option<Duration>,
}

impl CounterfactualParams {
    pub(super) fn new(goal: Goal, features: Vec<FeatureRule>) -> Self {
        Self {
            goal,
            output: 0,
            features,
            bundles: Vec::new(),
            max_changes: 3,
            max_boxes: 100_000,
            time_limit: None,
        }
    }

    /// Sets [`output`](Self::output).
    #[must_use]
    pub fn with_output(self, output: usize) -> Self {
        Self { output, ..self }
    }

    /// Adds one of the [`bundles`](Self::bundles).
    #[must_use]
    pub fn with_bundle(mut self, bundle: Bundle) -> Self {
        self.bundles.push(bundle);
        self
    }

    /// Sets [`max_changes`](Self::max_changes).
    #[must_use]
    pub fn with_max_changes(self, max_changes: usize) -> Self {
        Self {
            max_changes,
            ..self
        }
    }

    /// Sets [`max_boxes`](Self::max_boxes).
    #[must_use]
    pub fn with_max_boxes(self, max_boxes: usize) -> Self {
        Self { max_boxes, ..self }
    }

    /// Sets [`time_limit`](Self::time_limit).
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self {
            time_limit: Some(limit),
            ..self
        }
    }

    /// Prepares the search for a model.
    ///
    /// # Errors
    /// When a parameter cannot have its value, or does not fit the model.
    pub fn fit<'a>(&self, model: &'a TreeEnsemble) -> Result<Counterfactuals<'a>> {
        Counterfactuals::new(self, model)
    }

    /// Checks every parameter alone and against the others.
    ///
    /// # Errors
    /// The first parameter that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        let (Goal::AtMost(limit) | Goal::AtLeast(limit)) = self.goal;
        if !limit.is_finite() {
            return Err(Error::param(
                "goal",
                format!("must be finite, found {limit}"),
            ));
        }
        for (name, value) in [
            ("max_changes", self.max_changes),
            ("max_boxes", self.max_boxes),
        ] {
            if value == 0 {
                return Err(Error::param(name, "must be at least 1, found 0"));
            }
        }
        for (index, rule) in self.features.iter().enumerate() {
            let wrong = |problem: String| Err(Error::param(format!("features[{index}]"), problem));
            if !(rule.scale > 0.0 && rule.scale.is_finite()) {
                return wrong(format!("scale must be above 0, found {}", rule.scale));
            }
            if let Some([low, high]) = rule.range
                && (low.is_nan() || high.is_nan() || low > high)
            {
                return wrong(format!("range must rise, found {low} to {high}"));
            }
            if let Some(step) = rule.step
                && !(step > 0.0 && step.is_finite())
            {
                return wrong(format!("step must be above 0, found {step}"));
            }
        }
        self.validate_bundles()
    }

    fn validate_bundles(&self) -> Result<()> {
        let mut taken = vec![false; self.features.len()];
        for (index, bundle) in self.bundles.iter().enumerate() {
            let wrong = |problem: String| Err(Error::param(format!("bundles[{index}]"), problem));
            if bundle.options.len() != bundle.costs.len() {
                return wrong(format!(
                    "{} options and {} costs",
                    bundle.options.len(),
                    bundle.costs.len()
                ));
            }
            for &feature in &bundle.features {
                match taken.get_mut(feature) {
                    None => return wrong(format!("column {feature} of {}", self.features.len())),
                    Some(true) => return wrong(format!("column {feature} is bundled twice")),
                    Some(free) => *free = true,
                }
            }
            if let Some(option) = bundle
                .options
                .iter()
                .find(|o| o.len() != bundle.features.len())
            {
                return wrong(format!(
                    "{} values for {} columns",
                    option.len(),
                    bundle.features.len()
                ));
            }
            if bundle.options.iter().flatten().any(|v| !v.is_finite()) {
                return wrong("values must be finite".into());
            }
            if let Some(cost) = bundle.costs.iter().find(|c| !(**c >= 0.0 && c.is_finite())) {
                return wrong(format!("costs must be 0 or more, found {cost}"));
            }
        }
        Ok(())
    }
}
