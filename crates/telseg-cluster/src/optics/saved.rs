//! What is kept of OPTICS in a file: trees and labels are made again when it is read.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result, Scalar};

use super::extract::Walked;
use super::model::Optics;
use super::params::OpticsParams;
use crate::neighbours::{KdTree, Reachable};
use crate::rows::{check_finite, contiguous};

#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Saved<F: Scalar> {
    params: OpticsParams,
    rows: Array2<F>,
    weights: Option<Vec<f64>>,
    order: Vec<u32>,
    reachability: Vec<f64>,
    predecessor: Vec<Option<u32>>,
    /// Squared core distances.
    core: Vec<F>,
}

impl<F: Scalar> From<Optics<F>> for Saved<F> {
    fn from(model: Optics<F>) -> Self {
        let tree = model.points.tree();
        let mut core = vec![F::zero(); tree.n_rows()];
        for (&row, &squared) in tree.rows().iter().zip(model.points.core()) {
            core[row as usize] = squared;
        }
        Self {
            rows: tree.to_rows(),
            params: model.params,
            weights: model.walked.weights,
            order: model.walked.order,
            reachability: model.walked.reachability,
            predecessor: model.walked.predecessor,
            core,
        }
    }
}

impl<F: Scalar> TryFrom<Saved<F>> for Optics<F> {
    type Error = Error;

    fn try_from(saved: Saved<F>) -> Result<Self> {
        saved.check()?;
        let tree = KdTree::new(&contiguous(&saved.rows), saved.rows.ncols())?;
        let core = tree.rows().iter().map(|&row| saved.core[row as usize]);
        let core = core.collect();
        let walked = Walked {
            order: saved.order,
            reachability: saved.reachability,
            core: Vec::new(),
            predecessor: saved.predecessor,
            weights: saved.weights,
            speaker: Vec::new(),
        };
        Ok(Self::new(saved.params, Reachable::new(tree, core), walked))
    }
}

impl<F: Scalar> Saved<F> {
    /// Every row once in the order, reached from one before it and no more easily than that one can be.
    fn check(&self) -> Result<()> {
        let broken = |problem: &str| Err(Error::data("optics", problem.to_owned()));
        let (n, d) = self.rows.dim();
        let lengths = [
            self.order.len(),
            self.reachability.len(),
            self.predecessor.len(),
            self.core.len(),
            self.weights.as_ref().map_or(n, Vec::len),
        ];
        if n == 0 || d == 0 || lengths != [n; 5] {
            return broken(
                "there is no row or no column, or rows and their numbers differ in number",
            );
        }
        self.params.validate()?;
        check_finite(contiguous(&self.rows).as_ref(), d)?;
        let mut weights = self.weights.iter().flatten();
        if !weights.all(|w| *w > 0.0 && w.is_finite()) {
            return broken("a weight is not above 0 or not finite");
        }
        if !self.core.iter().all(|core| *core >= F::zero()) {
            return broken("a core distance is negative or not a number");
        }
        let mut seen = vec![false; n];
        for &row in &self.order {
            let row = row as usize;
            if seen.get(row) != Some(&false) {
                return broken("the order does not hold every row once");
            }
            let reach = self.reachability[row];
            let reached = match self.predecessor[row] {
                None => reach == f64::INFINITY,
                Some(from) => {
                    let from = from as usize;
                    let core = self.core.get(from).map(|core| core.into_f64().sqrt());
                    seen.get(from) == Some(&true)
                        && reach.is_finite()
                        && core.is_some_and(|core| reach >= core)
                }
            };
            if !reached {
                return broken("a row was not reached from one before it, or too easily");
            }
            seen[row] = true;
        }
        Ok(())
    }
}

impl<F: Scalar> Artefact for Optics<F> {
    const KIND: &'static str = "optics";
    /// Version 1 held no rows, so that nothing could be said of new ones.
    const VERSION: u32 = 2;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        self.params.validate()
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.n_features())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_testkit::blobs;

    type Break = (&'static str, fn(&mut Saved<f64>));

    #[test]
    fn refuses_what_no_fit_gives() {
        let x = blobs::<f64>(60, 2, 3, 1).0;
        let model = Optics::params(4).fit(&x).unwrap();
        let saved = || Saved::from(model.clone());
        let again = Optics::try_from(saved()).unwrap();
        assert_eq!(again.labels(), model.labels());
        assert_eq!(again.core_distances(), model.core_distances());
        let breaks: [Break; 9] = [
            ("differ in number", |saved| saved.core.truncate(59)),
            ("differ in number", |saved| saved.weights = Some(vec![1.0])),
            ("weight", |saved| saved.weights = Some(vec![0.0; 60])),
            ("core distance", |saved| saved.core[7] = -1.0),
            ("every row once", |saved| saved.order[7] = saved.order[8]),
            ("every row once", |saved| saved.order[7] = 60),
            ("before it", |saved| {
                saved.predecessor[saved.order[7] as usize] = Some(saved.order[8]);
            }),
            ("before it", |saved| {
                let row = saved.order[7] as usize;
                saved.reachability[row] *= 0.5;
                let from = saved.predecessor[row].unwrap() as usize;
                saved.core[from] = saved.reachability[row].powi(2) * 1.01;
            }),
            ("before it", |saved| saved.predecessor = vec![None; 60]),
        ];
        for (part, broken) in breaks {
            let mut saved = saved();
            broken(&mut saved);
            let problem = Optics::try_from(saved).unwrap_err().to_string();
            assert!(problem.contains(part), "{problem}: expected {part}");
        }
    }
}
