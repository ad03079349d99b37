//! What is kept of HDBSCAN* in a file: trees of neighbours are built again when it is read.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result, Scalar};

use super::attach::Attach;
use super::condense::CondensedTree;
use super::model::{Hdbscan, HdbscanReport};
use super::params::HdbscanParams;
use crate::neighbours::KdTree;
use crate::rows::{check_finite, contiguous};

#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Saved<F: Scalar> {
    params: HdbscanParams,
    report: HdbscanReport,
    condensed: CondensedTree,
    rows: Array2<F>,
    /// Squared core distances of the rows.
    core: Vec<F>,
    weights: Option<Vec<f64>>,
}

impl<F: Scalar> From<Hdbscan<F>> for Saved<F> {
    fn from(model: Hdbscan<F>) -> Self {
        let attach = &model.attach;
        let order = attach.tree().rows();
        let mut core = vec![F::zero(); order.len()];
        let mut weights = attach.weights().map(<[f64]>::to_vec);
        for (position, &row) in order.iter().enumerate() {
            core[row as usize] = attach.core()[position];
            if let (Some(by_row), Some(by_position)) = (&mut weights, attach.weights()) {
                by_row[row as usize] = by_position[position];
            }
        }
        Self {
            rows: attach.tree().to_rows(),
            condensed: attach.condensed().clone(),
            params: model.params,
            report: model.report,
            core,
            weights,
        }
    }
}

impl<F: Scalar> TryFrom<Saved<F>> for Hdbscan<F> {
    type Error = Error;

    fn try_from(saved: Saved<F>) -> Result<Self> {
        saved.check()?;
        let rows = contiguous(&saved.rows);
        let tree = KdTree::new(&rows, saved.rows.ncols())?;
        let core = tree
            .rows()
            .iter()
            .map(|&row| saved.core[row as usize])
            .collect();
        let weights = saved.weights.as_ref().map(|weights| {
            let weight = |&row: &u32| weights[row as usize];
            tree.rows().iter().map(weight).collect()
        });
        let attach = Attach::new(&saved.params, tree, core, weights, saved.condensed)?;
        Ok(Self::loaded(saved.params, saved.report, attach))
    }
}

impl<F: Scalar> Saved<F> {
    /// Every index in range, every number one that a fit can give.
    fn check(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("hdbscan", problem.to_owned()));
        let (n, d) = self.rows.dim();
        let weights = self.weights.as_ref().map_or(n, Vec::len);
        if n == 0 || d == 0 || n != self.core.len() || n != weights {
            return broken(
                "there is no row or no column, or rows and their numbers differ in number",
            );
        }
        self.params.validate()?;
        check_finite(contiguous(&self.rows).as_ref(), d)?;
        let weights = self.weights.iter().flatten();
        let core = self.core.iter().map(|v| v.into_f64());
        if !core
            .chain(weights.copied())
            .all(|v| v >= 0.0 && v.is_finite())
        {
            return broken("a core distance or a weight is negative or not finite");
        }
        let clusters = &self.condensed.clusters;
        let n_clusters = self.report.sizes.len();
        for (i, cluster) in clusters.iter().enumerate() {
            let is_root = i == 0;
            let parent = cluster.parent.map(|parent| parent as usize);
            if parent.is_none() != is_root || parent.is_some_and(|parent| parent >= i) {
                return broken("a cluster comes before its parent");
            }
            let apart = if is_root {
                cluster.birth == f64::INFINITY
            } else {
                cluster.birth >= 0.0 && cluster.birth.is_finite()
            };
            if !(apart && cluster.size >= 0.0 && cluster.stability >= 0.0) {
                return broken(
                    "a cluster's distance, size or stability is negative or not a number",
                );
            }
            if cluster
                .label
                .is_some_and(|label| label as usize >= n_clusters)
            {
                return broken("a cluster's label is out of range");
            }
        }
        let leaf = |&(cluster, left): &(u32, f64)| {
            (cluster as usize) < clusters.len() && left >= 0.0 && left.is_finite()
        };
        if !self.condensed.leaves.iter().all(leaf) {
            return broken("a row leaves no cluster, or at no distance");
        }
        let report = &self.report;
        let sizes = report.sizes.iter().all(|v| v.is_finite() && *v >= 0.0);
        if !(sizes && report.stabilities.len() == n_clusters && n_clusters <= n) {
            return broken("the report does not fit the clusters");
        }
        Ok(())
    }
}

impl<F: Scalar> Artefact for Hdbscan<F> {
    const KIND: &'static str = "hdbscan";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        self.params.validate()
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.n_features())
    }
}
