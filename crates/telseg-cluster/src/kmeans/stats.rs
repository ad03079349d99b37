//! k-means on data in parts: *summarise a part given the centres, merge the summaries, update the centres*.
//!
//! One round of Lloyd's algorithm in the form that serves blocks of a file, partitions of an engine, federated clients
//! and windows of a stream alike. The sums are fixed-point integers on a grid that all parts share, so that merging is
//! exact: the same rows give the same bits, however they are divided and in whichever order the parts come.
//!
//! 1. Every part tells its [`KMeansExtent`]; merged, they set the grid.
//! 2. [`KMeansState::new`] holds the start centres and the grid; it is what a round sends out.
//! 3. Every part answers with [`KMeansState::summarise`]; merged, the answers [`KMeansState::update`] the centres.
//!
//! # References
//! C.-T. Chu et al. (2006), "Map-Reduce for machine learning on multicore": k-means in summation form.
//!
//! # Examples
//! ```
//! use ndarray::{array, s};
//! use telseg_cluster::{KMeansExtent, KMeansState};
//! use telseg_core::merge::fold;
//! // Minutes and GB a month; the north and the south keep their rows to themselves.
//! let usage = array![[300.0f32, 1.0], [20.0, 18.0], [310.0, 2.0], [30.0, 22.0]];
//! let parts = [usage.slice(s![..1, ..]), usage.slice(s![1.., ..])];
//! let extents = parts.iter().map(|part| KMeansExtent::of(part, None));
//! let extent = fold(extents.collect::<Result<Vec<_>, _>>()?)?.expect("there are parts");
//! let mut state = KMeansState::new(&array![[0.0f32, 0.0], [100.0, 0.0]], &extent)?;
//! let stats = parts.iter().map(|part| state.summarise(part, None));
//! let stats = fold(stats.collect::<Result<Vec<_>, _>>()?)?.expect("there are parts");
//! state.update(&stats)?;
//! assert_eq!(state.centers(), array![[25.0, 20.0], [305.0, 1.5]]);
//! # Ok::<(), telseg_core::Error>(())
//! ```

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::kernel::{
    GridRows, Move, NearestTile, Packed, Pair, TILE, round, squared_distances,
};
use telseg_core::merge::Merge;
use telseg_core::{Error, Result, Scalar, par};

use super::codebook::Codebook;
use super::data::CHUNK;
use super::lloyd::Round;
use super::params::Distance;
use super::sums::{Grid, Sums};
use crate::rows::{check_finite, check_weights, contiguous};

/// How many rows there are and how far they reach: what the grid of the sums is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KMeansExtent {
    n_rows: u64,
    min: Vec<f64>,
    max: Vec<f64>,
    heaviest: f64,
}

/// The centres of a round and the grid that all parts sum on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KMeansState<F: Scalar = f32> {
    codebook: Codebook<F>,
    /// What the grid was made for: rows beyond it are refused.
    extent: KMeansExtent,
    grid: Grid,
    /// The same for weighted squared distances.
    inertia_scale: f64,
}

/// What the rows of one part, or of merged parts, come to in a round: sums, weights and inertia by nearest centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KMeansStats {
    sums: Sums,
    inertia: Vec<i64>,
    n_rows: u64,
    grid: Grid,
    inertia_scale: f64,
}

impl KMeansExtent {
    /// The extent of the rows of `x`.
    ///
    /// # Errors
    /// When a value is not finite, or weights are not one a row, finite and at least 0.
    pub fn of<F: Scalar>(x: &ArrayRef2<F>, weights: Option<&ArrayRef1<f64>>) -> Result<Self> {
        let (rows, d) = (contiguous(x), x.ncols());
        if d == 0 {
            return Err(Error::shape("x", "at least 1 column", "0"));
        }
        check_finite(&rows, d)?;
        let weights = weights.map(|w| check_weights(w, x.nrows())).transpose()?;
        let ends = par::map(x.nrows(), CHUNK, |range| {
            let (mut min, mut max) = (vec![f64::INFINITY; d], vec![f64::NEG_INFINITY; d]);
            for row in rows[range.start * d..range.end * d].chunks_exact(d) {
                for ((min, max), v) in min.iter_mut().zip(&mut max).zip(row) {
                    (*min, *max) = (min.min(v.into_f64()), max.max(v.into_f64()));
                }
            }
            Self {
                n_rows: range.len() as u64,
                min,
                max,
                heaviest: 0.0,
            }
        });
        let mut whole = Self {
            n_rows: 0,
            min: vec![f64::INFINITY; d],
            max: vec![f64::NEG_INFINITY; d],
            heaviest: 0.0,
        };
        for part in ends {
            whole.merge(&part)?;
        }
        whole.heaviest = weights.map_or(1.0, |w| w.into_iter().fold(0.0, f64::max));
        Ok(whole)
    }

    /// How many rows.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }
}

impl Merge for KMeansExtent {
    fn merge(&mut self, other: &Self) -> Result<()> {
        same("extent", self.min.len(), other.min.len())?;
        self.n_rows += other.n_rows;
        self.min
            .iter_mut()
            .zip(&other.min)
            .for_each(|(a, b)| *a = a.min(*b));
        self.max
            .iter_mut()
            .zip(&other.max)
            .for_each(|(a, b)| *a = a.max(*b));
        self.heaviest = self.heaviest.max(other.heaviest);
        Ok(())
    }
}

impl<F: Scalar> KMeansState<F> {
    /// Start centres, one a row, for data of a known extent.
    ///
    /// # Errors
    /// When there is no row or no centre, columns differ in number, a centre is not finite, or squared distances overflow.
    pub fn new(centers: &ArrayRef2<F>, extent: &KMeansExtent) -> Result<Self> {
        let (k, d) = centers.dim();
        same("centers", extent.min.len(), d)?;
        if extent.n_rows == 0 {
            return Err(Error::data("extent", "there are no rows"));
        }
        // Any point among the rows would do to keep digits; this one needs no look at them.
        let mean =
            |j: usize| centers.column(j).iter().map(|c| c.into_f64()).sum::<f64>() / k as f64;
        let shift: Vec<F> = (0..d).map(|j| F::from_f64(mean(j))).collect();
        let codebook = Codebook::new(
            centers.iter().copied().collect(),
            &shift,
            Distance::Euclidean,
        );
        codebook.validate("centers")?;
        let largest: Vec<f64> = (0..d)
            .map(|j| {
                let shift = shift[j].into_f64();
                (extent.max[j] - shift).max(shift - extent.min[j]).max(0.0)
            })
            .collect();
        // Centres stay within the rows or where they started.
        let farthest = centers.rows().into_iter().map(|c| {
            c.iter()
                .zip(&shift)
                .map(|(c, s)| (c.into_f64() - s.into_f64()).powi(2))
                .sum::<f64>()
        });
        let farthest =
            farthest.fold(0.0, f64::max).sqrt() + largest.iter().map(|v| v * v).sum::<f64>().sqrt();
        let furthest = 4.0 * farthest * farthest;
        if !furthest.is_finite() || 4.0 * furthest >= F::max_value().into_f64() {
            let problem = format!("squared distances overflow {}: scale the columns", F::NAME);
            return Err(Error::data("x", problem));
        }
        Ok(Self {
            codebook,
            extent: extent.clone(),
            grid: Grid::new(extent.n_rows, &largest, extent.heaviest),
            inertia_scale: Grid::new(extent.n_rows, &[furthest], extent.heaviest).scale[0],
        })
    }

    /// The centres, one a row.
    pub fn centers(&self) -> &Array2<F> {
        &self.codebook.centers
    }

    /// Sums of the rows of `x` by their nearest centre, in parallel.
    ///
    /// # Errors
    /// When columns differ in number, a row or weight is not finite or lies outside the extent, or weights are not one a
    /// row and at least 0.
    ///
    /// # Cost
    /// `2 n k d` operations; memory for the result only.
    pub fn summarise(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<KMeansStats> {
        let (d, n) = (self.codebook.n_features(), x.nrows());
        same("x", d, x.ncols())?;
        let mut reach = KMeansExtent::of(x, weights)?;
        reach.merge(&self.extent)?;
        reach.n_rows = self.extent.n_rows;
        if reach != self.extent {
            return Err(Error::data(
                "x",
                "rows or weights lie outside the extent that the state was made for",
            ));
        }
        let rows = contiguous(x);
        let weights = weights.map(|w| check_weights(w, n)).transpose()?;
        let shift = self.codebook.shift.as_slice().expect("invariant: owned");
        let round = Round::new(self.codebook.centers.iter().copied().collect(), shift)?;
        let parts = par::map(n, CHUNK, |range| {
            let part = GridRows {
                rows: &rows[range.start * d..range.end * d],
                shift,
                scale: &self.grid.scale,
                weights: weights.as_ref().map(|w| &w[range.clone()]),
            };
            let mut stats = self.empty();
            stats.add(self, &round, part);
            stats
        });
        let mut whole = self.empty();
        for part in parts {
            whole.merge(&part)?;
        }
        Ok(whole)
    }

    /// Moves every centre to the mean of its rows and returns the sum of the squared movements; a centre without rows
    /// stays.
    ///
    /// # Errors
    /// When the statistics are of other centres.
    pub fn update(&mut self, stats: &KMeansStats) -> Result<f64> {
        self.empty().same_kind(stats)?;
        let mut moved = 0.0;
        for (j, mut center) in self.codebook.centers.rows_mut().into_iter().enumerate() {
            let Some(mean) = stats.sums.mean(&self.grid, j) else {
                continue;
            };
            for ((c, m), s) in center.iter_mut().zip(mean).zip(&self.codebook.shift) {
                let next = F::from_f64(m + s.into_f64());
                moved += (next.into_f64() - c.into_f64()).powi(2);
                *c = next;
            }
        }
        Ok(moved)
    }

    /// Mean over the columns of the variance of the rows that `stats` were made of, with these centres.
    pub(super) fn variance(&self, stats: &KMeansStats) -> f64 {
        let (k, d) = self.codebook.centers.dim();
        let (mut weight, mut total, mut whole) = (0.0, stats.inertia(), vec![0.0; d]);
        for j in 0..k {
            let (w, center) = (
                stats.sums.weight(&self.grid, j),
                self.codebook.centers.row(j),
            );
            weight += w;
            let Some(mean) = stats.sums.mean(&self.grid, j) else {
                continue;
            };
            for (((m, c), s), whole) in mean.zip(center).zip(&self.codebook.shift).zip(&mut whole) {
                let c = c.into_f64() - s.into_f64();
                total += w * (2.0 * m - c) * c;
                *whole += w * m;
            }
        }
        let center: f64 = whole.iter().map(|s| s * s / weight).sum();
        ((total - center) / weight / d as f64).max(0.0)
    }

    /// Checks what a state that came from elsewhere must hold; those that [`new`](Self::new) makes always do.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn validate(&self) -> Result<()> {
        self.codebook.validate("state")?;
        let (d, extent) = (self.codebook.n_features(), &self.extent);
        let lengths = [extent.min.len(), extent.max.len(), self.grid.scale.len()];
        let steps = self
            .grid
            .scale
            .iter()
            .chain([&self.grid.weight, &self.inertia_scale]);
        let ends = extent
            .min
            .iter()
            .chain(&extent.max)
            .chain([&extent.heaviest]);
        if lengths != [d; 3]
            || !steps.clone().all(|s| s.is_finite() && *s > 0.0)
            || !ends.clone().all(|e| e.is_finite())
        {
            return Err(Error::data(
                "state",
                "extent and grid do not fit the centres",
            ));
        }
        Ok(())
    }

    pub(super) fn empty(&self) -> KMeansStats {
        let (k, d) = self.codebook.centers.dim();
        KMeansStats {
            sums: Sums::zeros(k, d),
            inertia: vec![0; k],
            n_rows: 0,
            grid: self.grid.clone(),
            inertia_scale: self.inertia_scale,
        }
    }

    pub(super) fn into_codebook(self) -> Codebook<F> {
        self.codebook
    }
}

impl KMeansStats {
    fn add<F: Scalar>(&mut self, state: &KMeansState<F>, of: &Round<F>, part: GridRows<'_, F>) {
        let d = part.shift.len();
        let (mut tile, mut nearest) = (Packed::zeros(TILE, d), NearestTile::default());
        let (mut moves, mut pairs, mut squares) = (Vec::new(), Vec::new(), [F::zero(); TILE]);
        for (t, rows) in part.rows.chunks(TILE * d).enumerate() {
            let n = rows.len() / d;
            tile.load(0, rows, part.shift);
            of.layout.nearest(tile.tile(0).0, &mut nearest);
            let weights = part.weights.map(|w| &w[t * TILE..t * TILE + n]);
            let labels = || (0..).zip(nearest.label[..n].iter().copied());
            moves.clear();
            moves.extend(labels().map(|(row, to)| Move {
                row,
                from: u32::MAX,
                to,
            }));
            pairs.clear();
            pairs.extend(labels().map(|(row, other)| Pair { row, other }));
            squared_distances(rows, &of.centers, d, &pairs, &mut squares);
            for ((l, label), square) in labels().zip(&squares) {
                let weight = weights.map_or(1.0, |w| w[l as usize]);
                self.inertia[label as usize] +=
                    round(square.into_f64() * (weight * state.inertia_scale));
            }
            self.sums.move_rows(
                &state.grid,
                GridRows {
                    rows,
                    weights,
                    ..part
                },
                &moves,
            );
            self.n_rows += n as u64;
        }
    }

    /// Weighted sum of squared distances to the centres that the rows were summarised with.
    pub fn inertia(&self) -> f64 {
        self.inertia.iter().map(|&i| i128::from(i)).sum::<i128>() as f64 / self.inertia_scale
    }

    /// The same by cluster.
    pub fn inertias(&self) -> Vec<f64> {
        self.inertia
            .iter()
            .map(|&i| i as f64 / self.inertia_scale)
            .collect()
    }

    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub fn sizes(&self) -> Vec<f64> {
        (0..self.inertia.len())
            .map(|j| self.sums.weight(&self.grid, j))
            .collect()
    }

    /// How many rows were summarised.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    fn same_kind(&self, other: &Self) -> Result<()> {
        same("stats", self.inertia.len(), other.inertia.len())?;
        if (&self.grid, self.inertia_scale) == (&other.grid, other.inertia_scale)
            && self.sums.same_size(&other.sums)
        {
            return Ok(());
        }
        Err(Error::data(
            "stats",
            "were made with another grid: all parts need the same state",
        ))
    }
}

impl Merge for KMeansStats {
    fn merge(&mut self, other: &Self) -> Result<()> {
        self.same_kind(other)?;
        self.sums.add(&other.sums);
        self.inertia
            .iter_mut()
            .zip(&other.inertia)
            .for_each(|(a, b)| *a += b);
        self.n_rows += other.n_rows;
        Ok(())
    }
}

fn same(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let unit = if what == "stats" {
        "clusters"
    } else {
        "columns"
    };
    Err(Error::shape(
        what,
        format!("{expected} {unit}"),
        found.to_string(),
    ))
}
