//! Centres, and the labels that they give to rows: what all kinds of k-means share once they are fitted.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::kernel::{Level, NearestTile, Packed, TILE, squared_distance};
use telseg_core::{Error, Result, Scalar};

use super::data::CHUNK;
use super::lloyd::Round;
use super::params::Distance;
use crate::rows::{check_finite, contiguous};

/// Centres and the point that labels are computed relative to, for the sake of digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Codebook<F: Scalar> {
    pub(super) centers: Array2<F>,
    pub(super) shift: Array1<F>,
    pub(super) distance: Distance,
}

impl<F: Scalar> Codebook<F> {
    pub(super) fn new(centers: Vec<F>, shift: &[F], distance: Distance) -> Self {
        let shape = (centers.len() / shift.len(), shift.len());
        Self {
            centers: Array2::from_shape_vec(shape, centers)
                .expect("invariant: rows of as many numbers"),
            shift: Array1::from(shift.to_vec()),
            distance,
        }
    }

    pub(super) fn n_features(&self) -> usize {
        self.centers.ncols()
    }

    pub(super) fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        let mut labels = Array1::zeros(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    pub(super) fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.check_width(x.ncols())?;
        if out.len() != x.nrows() {
            let expected = format!("{} (rows of x)", x.nrows());
            return Err(Error::shape("out", expected, out.len().to_string()));
        }
        let rows = self.distance.rows(contiguous(x), x.ncols());
        match out.as_slice_mut() {
            Some(out) => self.label(&rows, out),
            None => {
                let mut labels = vec![0; out.len()];
                self.label(&rows, &mut labels)?;
                out.assign(&Array1::from(labels));
                Ok(())
            }
        }
    }

    fn label(&self, rows: &[F], out: &mut [u32]) -> Result<()> {
        let (d, shift) = (
            self.n_features(),
            self.shift.as_slice().expect("invariant: owned"),
        );
        let round = Round::new(self.centers.iter().copied().collect(), shift)?;
        let suspicious = AtomicBool::new(false);
        out.par_chunks_mut(CHUNK)
            .enumerate()
            .for_each(|(c, labels)| {
                let (mut tile, mut nearest) = (Packed::zeros(TILE, d), NearestTile::default());
                let mut lengths = [F::zero(); TILE];
                for (t, labels) in labels.chunks_mut(TILE).enumerate() {
                    let first = c * CHUNK + t * TILE;
                    tile.load(0, &rows[first * d..(first + labels.len()) * d], shift);
                    let tile = tile.tile(0).0;
                    tile.squared_lengths(&mut lengths);
                    if !lengths[..labels.len()].iter().all(|l| l.is_finite()) {
                        suspicious.store(true, Ordering::Relaxed);
                    }
                    round.layout.nearest(tile, &mut nearest);
                    labels.copy_from_slice(&nearest.label[..labels.len()]);
                }
            });
        // A length that is not finite is a value that is not, or one whose square overflows.
        if suspicious.into_inner() {
            check_finite(rows, d)
        } else {
            Ok(())
        }
    }

    pub(super) fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.check_width(row.len())?;
        if let Some((column, v)) = row.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            let problem = format!("{v} (impute missing values before clustering)");
            return Err(Error::value("x", problem, (0, column)));
        }
        let scale = self.distance.scale(row.iter().copied());
        // The same operations in the same order as in the kernel, so that a row alone gets the label it gets in a batch.
        let (mut best, mut label) = (F::infinity(), 0);
        for (j, center) in self.centers.rows().into_iter().enumerate() {
            let score = self.score(row.view(), scale, center);
            if score < best {
                (best, label) = (score, j as u32);
            }
        }
        Ok(label)
    }

    fn score(&self, row: ArrayView1<'_, F>, scale: F, center: ArrayView1<'_, F>) -> F {
        let fused = Level::best() != Level::Plain;
        let (mut score, mut norm) = (F::zero(), 0.0);
        for ((&x, &c), &s) in row.iter().zip(center).zip(&self.shift) {
            let (x, c) = (x * scale - s, c - s);
            score = if fused {
                (-c).mul_add(x, score)
            } else {
                -c * x + score
            };
            norm += c.into_f64().powi(2);
        }
        score + F::from_f64(norm / 2.0)
    }

    pub(super) fn transform(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        self.check_width(x.ncols())?;
        let (rows, d) = (contiguous(x), self.n_features());
        check_finite(&rows, d)?;
        let rows: Cow<'_, [F]> = self.distance.rows(rows, d);
        let centers: Vec<F> = self.centers.iter().copied().collect();
        let k = self.centers.nrows();
        let mut distances = vec![F::zero(); x.nrows() * k];
        distances
            .par_chunks_mut(k)
            .zip(rows.par_chunks(d))
            .for_each(|(out, row)| {
                let pairs = out.iter_mut().zip(centers.chunks_exact(d));
                pairs.for_each(|(out, center)| *out = squared_distance(row, center).sqrt());
            });
        Ok(Array2::from_shape_vec((x.nrows(), k), distances)
            .expect("invariant: a distance a centre"))
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features() {
            return Ok(());
        }
        let expected = format!("{} columns (as at fit)", self.n_features());
        Err(Error::shape("x", expected, found.to_string()))
    }

    pub(super) fn validate(&self, kind: &'static str) -> Result<()> {
        let broken = |problem: &str| Err(Error::data(kind, problem.to_owned()));
        let (k, d) = self.centers.dim();
        if k == 0 || d == 0 || u32::try_from(k).is_err() {
            return broken("there is no centre, or no column, or too many");
        }
        if self.shift.len() != d {
            return broken("centres and shift differ in length");
        }
        if !self
            .centers
            .iter()
            .chain(&self.shift)
            .all(|c| c.is_finite())
        {
            return broken("a centre is not finite");
        }
        Ok(())
    }
}

impl Distance {
    /// Rows as they are measured: for the cosine, scaled to length 1; a row of zeros has no direction and stays.
    pub(super) fn rows<F: Scalar>(self, rows: Cow<'_, [F]>, n_columns: usize) -> Cow<'_, [F]> {
        match self {
            Self::Euclidean => rows,
            Self::Cosine => {
                let mut rows = rows.into_owned();
                rows.par_chunks_mut(n_columns)
                    .for_each(|row| self.project(row));
                Cow::Owned(rows)
            }
        }
    }

    /// Brings one row or centre to length 1 where directions count.
    pub(super) fn project<F: Scalar>(self, row: &mut [F]) {
        let scale = self.scale(row.iter().copied());
        if scale != F::one() {
            row.iter_mut().for_each(|v| *v *= scale);
        }
    }

    fn scale<F: Scalar>(self, row: impl Iterator<Item = F>) -> F {
        if self == Self::Euclidean {
            return F::one();
        }
        let length = row.map(|v| v.into_f64().powi(2)).sum::<f64>().sqrt();
        if length > 0.0 {
            F::from_f64(1.0 / length)
        } else {
            F::one()
        }
    }
}
