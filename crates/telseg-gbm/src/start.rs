//! Where the scores begin: at the best constant, on top of given scores, or where an earlier model ended.

use ndarray::ArrayRef2;
use telseg_core::{Error, Result};

use crate::bins::BinnedData;
use crate::objective::Loss;
use crate::options::by_output;
use crate::{FitOptions, Gbm, GbmParams};

/// Scores of the training rows and, where there are any, of the validation rows; output after output.
#[derive(Debug)]
pub(crate) struct Given {
    training: Vec<f64>,
    validation: Option<Vec<f64>>,
}

/// Where a fit begins.
#[derive(Debug)]
pub(crate) enum Start<'a> {
    /// At the best constant.
    Nothing,
    /// At the best constant on top of given scores, which the model leaves out.
    Scores(Given),
    /// Where an earlier model ended.
    Model(&'a Gbm, Given),
}

impl<'a> Start<'a> {
    pub(crate) fn new(
        params: &GbmParams,
        data: &BinnedData,
        x: Option<&ArrayRef2<f32>>,
        options: &FitOptions<'a>,
    ) -> Result<Self> {
        let outputs = params.objective.n_outputs();
        let n_judged = options.validation.as_ref().map(|(_, y)| y.len());
        let Some(model) = options.start else {
            let Some(training) = &options.base_scores else {
                if options.validation_base_scores.is_some() {
                    let problem = "the training rows have none: give base scores too";
                    return Err(Error::param("validation_base_scores", problem));
                }
                return Ok(Self::Nothing);
            };
            let training = by_output("base_scores", training, (data.n_rows(), outputs))?;
            let validation = match (n_judged, &options.validation_base_scores) {
                (Some(n), Some(scores)) => {
                    Some(by_output("validation_base_scores", scores, (n, outputs))?)
                }
                (None, None) => None,
                (Some(_), None) => {
                    let problem =
                        "the training rows have base scores: give those of the validation rows too";
                    return Err(Error::param("validation_base_scores", problem));
                }
                (None, Some(_)) => {
                    let problem = "there are no validation rows";
                    return Err(Error::param("validation_base_scores", problem));
                }
            };
            return Ok(Self::Scores(Given {
                training,
                validation,
            }));
        };
        if options.base_scores.is_some() || options.validation_base_scores.is_some() {
            let problem = "an earlier model is given too: choose one";
            return Err(Error::param("base_scores", problem));
        }
        let Some(x) = x else {
            let problem =
                "needs the rows themselves: use fit_with, or give its scores as base scores";
            return Err(Error::param("start", problem));
        };
        if model.objective() != params.objective {
            let (found, wanted) = (model.objective(), params.objective);
            let problem = format!("was trained for {found:?}, this fit is for {wanted:?}");
            return Err(Error::param("start", problem));
        }
        let scores = |x: &ArrayRef2<f32>| -> Result<Vec<f64>> {
            Ok(model.trees().predict(x)?.t().iter().copied().collect())
        };
        let validation = options.validation.as_ref().map(|(x, _)| scores(x));
        let given = Given {
            training: scores(x)?,
            validation: validation.transpose()?,
        };
        Ok(Self::Model(model, given))
    }

    /// The earlier model.
    pub(crate) fn model(&self) -> Option<&'a Gbm> {
        match self {
            Self::Model(model, _) => Some(model),
            _ => None,
        }
    }

    /// The base of the model, and the scores that the training rows start from.
    pub(crate) fn scores(&self, loss: &Loss<'_>) -> Result<(Vec<f64>, Vec<f64>)> {
        Ok(match self {
            Self::Nothing => {
                let base = loss.base(None)?;
                let scores = lifted(None, &base, loss.n_rows());
                (base, scores)
            }
            Self::Scores(given) => {
                let base = loss.base(Some(&given.training))?;
                let scores = lifted(Some(&given.training), &base, loss.n_rows());
                (base, scores)
            }
            Self::Model(model, given) => (model.trees().base().to_vec(), given.training.clone()),
        })
    }

    /// The scores that `n` validation rows start from.
    pub(crate) fn validation_scores(&self, base: &[f64], n: usize) -> Vec<f64> {
        match self {
            Self::Nothing => lifted(None, base, n),
            Self::Scores(given) => lifted(given.validation.as_deref(), base, n),
            Self::Model(_, given) => given.validation.clone().unwrap_or_default(),
        }
    }
}

/// Scores of `n` rows raised by the base of each output.
fn lifted(scores: Option<&[f64]>, base: &[f64], n: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(n * base.len());
    for (output, base) in base.iter().enumerate() {
        match scores {
            None => out.resize(out.len() + n, *base),
            Some(s) => out.extend(s[output * n..][..n].iter().map(|s| s + base)),
        }
    }
    out
}
