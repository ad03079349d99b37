//! Rows by cluster, checked once for all measures.

use std::borrow::Cow;

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result, Scalar};

use crate::rows::{check_finite, check_weights, contiguous};

/// Rows by cluster.
pub(super) struct Groups<'a, F: Scalar> {
    pub(super) n_columns: usize,
    pub(super) rows: Cow<'a, [F]>,
    /// The cluster of each row, counted from 0 in the order of the labels.
    pub(super) of: Vec<usize>,
    /// Rows of a weight above 0, by cluster.
    pub(super) members: Vec<Vec<usize>>,
    /// Sum of the members' weights.
    pub(super) sizes: Vec<f64>,
    pub(super) means: Vec<Vec<f64>>,
    weights: Option<Vec<f64>>,
}

pub(super) fn check_length<T>(n: usize, labels: &ArrayRef1<T>) -> Result<()> {
    if labels.len() == n {
        return Ok(());
    }
    let expected = format!("{n} (rows of x)");
    Err(Error::shape("labels", expected, labels.len().to_string()))
}

impl<'a, F: Scalar> Groups<'a, F> {
    /// Groups of which `least` at least have members.
    pub(super) fn new(
        x: &'a ArrayRef2<F>,
        labels: &ArrayRef1<u32>,
        weights: Option<&ArrayRef1<f64>>,
        least: usize,
    ) -> Result<Self> {
        check_length(x.nrows(), labels)?;
        let d = x.ncols();
        if d == 0 {
            return Err(Error::shape("x", "at least 1 column", "0"));
        }
        let weights = weights.map(|w| check_weights(w, x.nrows())).transpose()?;
        let weight = |i: usize| weights.as_ref().map_or(1.0, |w| w[i]);
        let rows = contiguous(x);
        check_finite(&rows, d)?;
        let mut names: Vec<u32> = labels
            .iter()
            .enumerate()
            .filter(|(i, _)| weight(*i) > 0.0)
            .map(|(_, l)| *l)
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < least {
            let problem = format!("expected at least {least} clusters, found {}", names.len());
            return Err(Error::data("labels", problem));
        }
        // Rows without weight may be alone in their cluster: then they belong to none.
        let place = |label: &u32| names.binary_search(label).unwrap_or(usize::MAX);
        let of: Vec<usize> = labels.iter().map(place).collect();
        let mut members = vec![Vec::new(); names.len()];
        let mut sizes = vec![0.0; names.len()];
        for (i, &group) in of.iter().enumerate().filter(|(i, _)| weight(*i) > 0.0) {
            members[group].push(i);
            sizes[group] += weight(i);
        }
        let mean = |(members, size): (&Vec<usize>, &f64)| {
            let mut mean = vec![0.0; d];
            for &i in members {
                let row = &rows[i * d..][..d];
                mean.iter_mut()
                    .zip(row)
                    .for_each(|(m, v)| *m += weight(i) * v.into_f64());
            }
            mean.iter_mut().for_each(|m| *m /= size);
            mean
        };
        let means = members.iter().zip(&sizes).map(mean).collect();
        Ok(Self {
            n_columns: d,
            rows,
            of,
            members,
            sizes,
            means,
            weights,
        })
    }

    pub(super) fn row(&self, i: usize) -> &[F] {
        &self.rows[i * self.n_columns..][..self.n_columns]
    }

    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    pub(super) fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// Weight and squared distance to the cluster's mean of each member.
    pub(super) fn squares(&self, group: usize) -> impl Iterator<Item = (f64, f64)> {
        let mean = &self.means[group];
        self.members[group].iter().map(move |&i| {
            let pairs = self.row(i).iter().zip(mean);
            (
                self.weight(i),
                pairs.map(|(v, m)| (v.into_f64() - m).powi(2)).sum(),
            )
        })
    }

    /// Sum of squared distances to the means.
    pub(super) fn within(&self) -> f64 {
        let of = |group: usize| {
            self.squares(group)
                .map(|(w, square)| w * square)
                .sum::<f64>()
        };
        (0..self.members.len()).map(of).sum()
    }
}
