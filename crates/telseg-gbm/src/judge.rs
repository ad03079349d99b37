//! Rows that trees are judged on, not trained on.

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result, Seed, par};

use crate::GbmParams;
use crate::bins::{BinnedData, RowBlock};
use crate::grow::{BinTree, draw};
use crate::leaves::CHUNK;
use crate::metric::Gauge;
use crate::objective::{Loss, Targets, UserLoss};
use crate::options::Known;

/// Who says how good the trees are.
pub(crate) enum Judge<'a> {
    /// Nobody.
    None,
    /// Training rows that are held out (ascending), by their own loss.
    Held { rows: Vec<u32>, loss: Loss<'a> },
    /// Rows of their own, with their scores.
    Apart {
        rows: RowBlock,
        loss: Loss<'a>,
        scores: Vec<f64>,
    },
}

impl<'a> Judge<'a> {
    /// Rows of their own, binned like the training rows.
    pub(crate) fn apart(
        params: &GbmParams,
        data: &BinnedData,
        (x, y): (&ArrayRef2<f32>, &ArrayRef1<f32>),
        known: &Known<'_>,
        own: Option<&'a UserLoss<'a>>,
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
            groups: known.groups("validation groups", y.len())?,
            events: known.events("validation events", y.len())?,
        };
        Ok(Self::Apart {
            rows: data.bin_like(x),
            loss: Loss::new(params.objective, targets, own)?,
            scores: Vec::new(),
        })
    }

    /// Draws the held-out rows, class by class where there are classes and group by group where there are groups; their
    /// weights in `targets` become 0.
    pub(crate) fn held(
        params: &GbmParams,
        share: f64,
        targets: &mut Targets,
        own: Option<&'a UserLoss<'a>>,
    ) -> Result<Self> {
        let stream = Seed::new(params.seed).stream("gbm.held");
        let n = targets.y.len();
        let left = targets.weights.get_or_insert_with(|| vec![1.0; n]);
        let y = &targets.y;
        let mut held = Vec::new();
        if let Some(ids) = &targets.groups {
            let mut names: Vec<usize> = ids.iter().map(|&id| id as usize).collect();
            names.sort_unstable();
            names.dedup();
            let wanted = (names.len() as f64 * share).round();
            if wanted > 0.0 {
                let drawn = draw(&names, wanted / names.len() as f64, stream);
                let inside = |i: &usize| drawn.binary_search(&(ids[*i] as usize)).is_ok();
                held.extend((0..n).filter(|&i| left[i] > 0.0).filter(inside));
            }
        }
        let classes = params.objective.n_classes();
        let parts = if targets.groups.is_some() {
            0
        } else {
            classes.unwrap_or(1)
        };
        for class in 0..parts {
            let any = classes.is_none();
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
        let loss = Loss::new(params.objective, targets.select(&rows, weights), own)?;
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

    /// The metric of the judging rows; `scores` are those of the training rows.
    pub(crate) fn measure(&self, gauge: Gauge<'_>, scores: &[f64]) -> Result<Option<f64>> {
        let value = match self {
            Self::None => return Ok(None),
            Self::Held { rows, loss } => {
                let n = scores.len() / loss.n_outputs();
                let outputs = scores.chunks(n.max(1));
                let own = outputs.flat_map(|s| rows.iter().map(|&i| s[i as usize]));
                gauge.read(loss, &own.collect::<Vec<_>>())
            }
            Self::Apart { loss, scores, .. } => gauge.read(loss, scores),
        };
        value.map(Some)
    }
}
