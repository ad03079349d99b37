//! Sets of classes.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result};

use super::threshold::{Sparse, Threshold, Thresholds, check_coverage};
use crate::calibrate::check_labels;

/// How surprising a class is, given the probabilities of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SetScore {
    /// One minus its probability: the smallest sets on average; a row where no class is likely may get none.
    LeastAmbiguous,
    /// The probability of all classes that are likelier, and its own: larger sets where the model is unsure. No coin is
    /// tossed at the edge of a set, so that the same row gets the same set; the price is that sets hold more than asked.
    Adaptive,
}

/// Parameters of conformal sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetParams {
    /// Share of the rows whose class the sets shall hold, between 0 and 1.
    pub coverage: f64,
    /// How surprising a class is. Default [`SetScore::LeastAmbiguous`].
    pub score: SetScore,
    /// What is said in groups of too few rows. Default [`Sparse::Everything`].
    pub sparse: Sparse,
}

/// Which classes a row may belong to, learnt on rows that the model has not seen.
///
/// Of rows to come, exchangeable with those, the class is in the set with at least the coverage asked; with groups, within
/// each group.
///
/// # Examples
/// ```
/// use ndarray::{Array1, Array2};
/// use telseg_gbm::ConformalSets;
/// // Nine in ten go the way that is given 0.8.
/// let p = Array2::from_shape_fn((100, 2), |(_, k)| if k == 0 { 0.8 } else { 0.2 });
/// let class = Array1::from_shape_fn(100, |i| (i % 10 == 0) as u32);
/// assert_eq!(ConformalSets::params(0.85).fit(&p, &class)?.set(&[0.8, 0.2])?, [true, false]);
/// assert_eq!(ConformalSets::params(0.95).fit(&p, &class)?.set(&[0.8, 0.2])?, [true, true]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConformalSets {
    coverage: f64,
    score: SetScore,
    n_classes: usize,
    thresholds: Thresholds,
}

impl SetScore {
    fn of(self, p: impl Iterator<Item = f64> + Clone, class: usize) -> f64 {
        let own = p.clone().nth(class).unwrap_or(0.0);
        match self {
            Self::LeastAmbiguous => 1.0 - own,
            // Of equally likely classes, the first counts as the likelier.
            Self::Adaptive => {
                let likelier = p
                    .enumerate()
                    .filter(|&(k, p)| p > own || p == own && k <= class);
                likelier.map(|(_, p)| p).sum()
            }
        }
    }
}

impl ConformalSets {
    /// Parameters for a coverage.
    pub fn params(coverage: f64) -> SetParams {
        SetParams {
            coverage,
            score: SetScore::LeastAmbiguous,
            sparse: Sparse::Everything,
        }
    }

    /// Whether each class is in the set of a row, from the probabilities of the classes.
    ///
    /// # Errors
    /// When there is another number of classes than at fit, or something is no probability.
    pub fn set(&self, p: &[f64]) -> Result<Vec<bool>> {
        self.row(p, None)
    }

    /// The same for a row of a group.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_in(&self, group: u32, p: &[f64]) -> Result<Vec<bool>> {
        self.row(p, Some(group))
    }

    /// The sets of many rows: rows by classes.
    ///
    /// # Errors
    /// As [`set`](Self::set), or when there is not a group a row.
    pub fn predict(
        &self,
        p: &ArrayRef2<f64>,
        groups: Option<&ArrayRef1<u32>>,
    ) -> Result<Array2<bool>> {
        check_rows_of(p, self.n_classes)?;
        if let Some(groups) = groups
            && groups.len() != p.nrows()
        {
            let expected = format!("{} groups (as rows)", p.nrows());
            return Err(Error::shape("groups", expected, groups.len().to_string()));
        }
        Ok(Array2::from_shape_fn(p.dim(), |(i, k)| {
            let threshold = self.thresholds.of(groups.map(|g| g[i]));
            self.score.of(p.row(i).iter().copied(), k) <= threshold
        }))
    }

    fn row(&self, p: &[f64], group: Option<u32>) -> Result<Vec<bool>> {
        if p.len() != self.n_classes {
            let expected = format!("{} classes (as at fit)", self.n_classes);
            return Err(Error::shape("p", expected, p.len().to_string()));
        }
        if let Some(bad) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(Error::data("p", format!("must be 0 to 1, found {bad}")));
        }
        let threshold = self.thresholds.of(group);
        let holds = |k: usize| self.score.of(p.iter().copied(), k) <= threshold;
        Ok((0..p.len()).map(holds).collect())
    }

    /// Share of the rows whose class the sets shall hold.
    pub fn coverage(&self) -> f64 {
        self.coverage
    }

    /// The largest score of a class that is in a set, for all rows together.
    pub fn threshold(&self) -> Threshold {
        self.thresholds.all
    }

    /// The same for each group.
    pub fn group_thresholds(&self) -> &[Threshold] {
        &self.thresholds.groups
    }
}

fn check_rows_of(p: &ArrayRef2<f64>, n_classes: usize) -> Result<()> {
    if p.ncols() != n_classes {
        let expected = format!("{n_classes} classes (as at fit)");
        return Err(Error::shape("p", expected, p.ncols().to_string()));
    }
    match p.indexed_iter().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        Some((at, p)) => Err(Error::value("p", format!("{p} is no probability"), at)),
        None => Ok(()),
    }
}

impl SetParams {
    /// Sets [`score`](Self::score).
    #[must_use]
    pub fn with_score(mut self, score: SetScore) -> Self {
        self.score = score;
        self
    }

    /// Sets [`sparse`](Self::sparse).
    #[must_use]
    pub fn with_sparse(mut self, sparse: Sparse) -> Self {
        self.sparse = sparse;
        self
    }

    /// Checks every parameter; every fit does this first.
    ///
    /// # Errors
    /// When the coverage does not lie between 0 and 1.
    pub fn validate(&self) -> Result<()> {
        check_coverage(self.coverage)
    }

    /// Learns the threshold.
    ///
    /// # Shapes
    /// `p`: rows by classes, probabilities by a model that has not seen the row; `labels`: the class of each row, from 0.
    ///
    /// # Errors
    /// When the coverage is wrong, shapes differ, there are no rows, or something is no probability or no class.
    pub fn fit(&self, p: &ArrayRef2<f64>, labels: &ArrayRef1<u32>) -> Result<ConformalSets> {
        self.fit_with(p, labels, None, None)
    }

    /// Learns a threshold for each group of rows, too (Mondrian).
    ///
    /// # Errors
    /// As [`fit`](Self::fit), or when there is not a group a row.
    pub fn fit_grouped(
        &self,
        p: &ArrayRef2<f64>,
        labels: &ArrayRef1<u32>,
        groups: &ArrayRef1<u32>,
    ) -> Result<ConformalSets> {
        self.fit_with(p, labels, Some(groups), None)
    }

    /// Learns thresholds with weighted rows, for all rows and for groups where they are given.
    ///
    /// # Errors
    /// As [`fit_grouped`](Self::fit_grouped), or when a weight is negative or not finite.
    pub fn fit_with(
        &self,
        p: &ArrayRef2<f64>,
        labels: &ArrayRef1<u32>,
        groups: Option<&ArrayRef1<u32>>,
        weights: Option<&ArrayRef1<f32>>,
    ) -> Result<ConformalSets> {
        self.validate()?;
        let n_classes = p.ncols();
        check_rows_of(p, n_classes)?;
        crate::options::check_rows(p.nrows(), labels.len())?;
        check_labels(labels, n_classes)?;
        let score = |i: usize| self.score.of(p.row(i).iter().copied(), labels[i] as usize);
        let scores: Vec<f64> = (0..labels.len()).map(score).collect();
        let thresholds = Thresholds::new(&scores, (weights, groups), (self.coverage, self.sparse))?;
        Ok(ConformalSets {
            coverage: self.coverage,
            score: self.score,
            n_classes,
            thresholds,
        })
    }
}

impl Artefact for ConformalSets {
    const KIND: &'static str = "conformal_sets";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        check_coverage(self.coverage)?;
        self.thresholds.validate(Self::KIND)
    }
}
