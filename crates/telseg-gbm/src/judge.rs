//! Rows that trees are judged on, not trained on.

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result, Seed, par};

use crate::GbmParams;
use crate::bins::{BinnedData, RowBlock};
use crate::grow::{BinTree, draw};
use crate::leaves::CHUNK;
use crate::objective::{Loss, Targets};

/// Who says how good the trees are.
#[derive(Debug)]
pub(crate) enum Judge {
    /// Nobody.
    None,
    /// Training rows that are held out (ascending), by their own loss.
    Held { rows: Vec<u32>, loss: Loss },
    /// Rows of their own, with their scores.
    Apart {
        rows: RowBlock,
        loss: Loss,
        scores: Vec<f64>,
    },
}

impl Judge {
    /// Rows of their own, binned like the training rows.
    pub(crate) fn apart(
        params: &GbmParams,
        data: &BinnedData,
        x: &ArrayRef2<f32>,
        y: &ArrayRef1<f32>,
    ) -> Result<Self> {
        if x.ncols() != data.n_features() {
            let expected = format!("{} columns (as at fit)", data.n_features());
            return Err(Error::shape(
                "validation x",
                expected,
                x.ncols().to_string(),
            ));
        }
        if x.nrows() != y.len() || y.is_empty() {
            let expected = format!("{} targets (as rows of x, at least one)", x.nrows());
            return Err(Error::shape("validation y", expected, y.len().to_string()));
        }
        let targets = Targets {
            y: y.to_vec(),
            weights: None,
        };
        Ok(Self::Apart {
            rows: data.bin_like(x),
            loss: Loss::new(params.objective, targets)?,
            scores: Vec::new(),
        })
    }

    /// Draws the held-out rows, class by class where there are classes; their weights in `targets` become 0.
    pub(crate) fn held(params: &GbmParams, share: f64, targets: &mut Targets) -> Result<Self> {
        let stream = Seed::new(params.seed).stream("gbm.held");
        let n = targets.y.len();
        let left = targets.weights.get_or_insert_with(|| vec![1.0; n]);
        let y = &targets.y;
        let mut held = Vec::new();
        for class in 0..params.objective.n_classes().unwrap_or(1) {
            let any = params.objective.n_classes().is_none();
            let rows: Vec<usize> = (0..n)
                .filter(|&i| left[i] > 0.0 && (any || y[i] == class as f32))
                .collect();
            let wanted = (rows.len() as f64 * share).round();
            if wanted > 0.0 {
                held.extend(draw(&rows, wanted / rows.len() as f64, stream));
            }
        }
        held.sort_unstable();
        let weights = held.iter().map(|&i| std::mem::take(&mut left[i])).collect();
        if held.is_empty() || left.iter().all(|&w| w == 0.0) {
            let problem = format!("{share} of {n} rows leaves nothing to train on or to judge by");
            return Err(Error::param("validation_share", problem));
        }
        let rows: Vec<u32> = held.into_iter().map(|i| i as u32).collect();
        let loss = Loss::new(params.objective, targets.select(&rows, weights))?;
        Ok(Self::Held { rows, loss })
    }

    /// Adds what a tree says of rows of their own.
    pub(crate) fn add(&mut self, tree: &BinTree, output: usize) {
        if let Self::Apart { rows, loss, scores } = self {
            let n = loss.n_rows();
            par::fill(&mut scores[output * n..][..n], CHUNK, |range, scores| {
                for (row, score) in range.zip(scores) {
                    *score += tree.value(rows, row);
                }
            });
        }
    }

    /// Mean loss of the judging rows; `scores` are those of the training rows.
    pub(crate) fn measure(&self, scores: &[f64]) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Held { rows, loss } => {
                let n = scores.len() / loss.n_outputs();
                let outputs = scores.chunks(n.max(1));
                let own = outputs.flat_map(|s| rows.iter().map(|&i| s[i as usize]));
                Some(loss.mean(&own.collect::<Vec<_>>()))
            }
            Self::Apart { loss, scores, .. } => Some(loss.mean(scores)),
        }
    }
}
