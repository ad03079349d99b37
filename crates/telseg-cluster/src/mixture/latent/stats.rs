//! What the M step needs to know of rows: sums that merge.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use telseg_core::kernel::{Level, TILE, dispatch};
use telseg_core::merge::Merge;
use telseg_core::{Error, Result};

use super::column::LatentColumn;

/// Sums over rows under the present model: all that an M step needs.
///
/// Statistics of parts of the rows under the *same* model merge into those of all, as those of
/// [Gaussian mixtures](crate::GaussianStats) do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LatentStats {
    /// Shares of the classes in the model that the sums were taken under.
    pub model: Array1<f64>,
    /// Number of rows, or their total weight.
    pub weight: f64,
    /// Log-likelihood of the rows under the model.
    pub log_likelihood: f64,
    /// `sum r` of each class.
    pub sizes: Array1<f64>,
    /// Sums of each column.
    pub columns: Vec<LatentColumnStats>,
}

/// Sums of one column, for each class, over the rows in which it is observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LatentColumnStats {
    /// Moments about the model's means.
    Normal {
        /// The model's means `m`.
        about: Array1<f64>,
        /// `sum r`.
        sizes: Array1<f64>,
        /// `sum r (x - m)`.
        first: Array1<f64>,
        /// `sum r (x - m)^2`.
        second: Array1<f64>,
    },
    /// Weight of each level.
    Levels {
        /// Classes by levels.
        sizes: Array2<f64>,
    },
    /// Sums of counts.
    Counts {
        /// `sum r`.
        sizes: Array1<f64>,
        /// `sum r` of the rows with count 0.
        zeros: Array1<f64>,
        /// `sum r x`.
        first: Array1<f64>,
    },
}

impl LatentStats {
    /// No rows.
    pub(super) fn new(weights: &Array1<f64>, columns: &[LatentColumn]) -> Self {
        let k = weights.len();
        let zeros = || Array1::zeros(k);
        let columns = columns.iter().map(|column| match column {
            LatentColumn::Normal { means, .. } => LatentColumnStats::Normal {
                about: means.clone(),
                sizes: zeros(),
                first: zeros(),
                second: zeros(),
            },
            LatentColumn::Categorical { probabilities } => LatentColumnStats::Levels {
                sizes: Array2::zeros(probabilities.dim()),
            },
            LatentColumn::Poisson { .. } | LatentColumn::ZeroInflatedPoisson { .. } => {
                LatentColumnStats::Counts {
                    sizes: zeros(),
                    zeros: zeros(),
                    first: zeros(),
                }
            }
        });
        Self {
            model: weights.clone(),
            weight: 0.0,
            log_likelihood: 0.0,
            sizes: zeros(),
            columns: columns.collect(),
        }
    }

    /// Adds a tile whose memberships are given; leaves them times the weights of the rows.
    pub(super) fn add(
        &mut self,
        tile: &[[f64; TILE]],
        weights: &[f64; TILE],
        memberships: &mut [[f64; TILE]],
    ) {
        #[inline(always)]
        fn body(
            stats: &mut LatentStats,
            tile: &[[f64; TILE]],
            weights: &[f64; TILE],
            memberships: &mut [[f64; TILE]],
        ) {
            stats.weight += sums(weights, weights, |_, w| [w])[0];
            for (size, memberships) in stats.sizes.iter_mut().zip(memberships.iter_mut()) {
                for (r, w) in memberships.iter_mut().zip(weights) {
                    *r *= w;
                }
                *size += sums(memberships, memberships, |_, r| [r])[0];
            }
            for (column, cells) in stats.columns.iter_mut().zip(tile) {
                column.add(cells, memberships);
            }
        }
        let stats = self;
        dispatch!(Level::best(), body, body, body;
            (stats: &mut LatentStats, tile: &[[f64; TILE]], weights: &[f64; TILE],
                memberships: &mut [[f64; TILE]]) -> ())
    }

    /// Whether the sums are of the same model.
    pub(super) fn same_model(&self, other: &Self) -> bool {
        let columns = self.columns.iter().zip(&other.columns);
        self.model == other.model
            && self.sizes.dim() == other.sizes.dim()
            && self.columns.len() == other.columns.len()
            && columns.into_iter().all(|(a, b)| a.same_model(b))
    }

    /// Whether every number can be worked with.
    pub(super) fn check(&self) -> Result<()> {
        let sound = self.weight > 0.0
            && self.weight.is_finite()
            && self.sizes.iter().all(|v| v.is_finite() && *v >= 0.0)
            && self.columns.iter().all(LatentColumnStats::is_sound);
        if sound {
            return Ok(());
        }
        let problem = "there are no rows, or sums are not finite: scale the columns or the weights";
        Err(Error::data("stats", problem))
    }
}

impl LatentColumnStats {
    #[inline(always)]
    fn add(&mut self, cells: &[f64; TILE], memberships: &[[f64; TILE]]) {
        for (c, r) in memberships.iter().enumerate() {
            match self {
                Self::Normal {
                    about,
                    sizes,
                    first,
                    second,
                } => {
                    let m = about[c];
                    let [size, one, two] = sums(cells, r, |x, r| {
                        let z = x - m;
                        [r, r * z, r * z * z]
                    });
                    sizes[c] += size;
                    first[c] += one;
                    second[c] += two;
                }
                Self::Levels { sizes } => {
                    let mut sizes = sizes.row_mut(c);
                    if sizes.len() <= FEW_LEVELS {
                        for (level, size) in sizes.iter_mut().enumerate() {
                            let level = level as f64;
                            let here = |x, r| [if x == level { r } else { 0.0 }];
                            *size += sums(cells, r, here)[0];
                        }
                        continue;
                    }
                    for (&x, &r) in cells.iter().zip(r) {
                        if !x.is_nan() {
                            sizes[x as usize] += r;
                        }
                    }
                }
                Self::Counts {
                    sizes,
                    zeros,
                    first,
                } => {
                    let [size, zero, one] =
                        sums(cells, r, |x, r| [r, if x == 0.0 { r } else { 0.0 }, r * x]);
                    sizes[c] += size;
                    zeros[c] += zero;
                    first[c] += one;
                }
            }
        }
    }

    fn same_model(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Normal { about: a, .. }, Self::Normal { about: b, .. }) => a == b,
            (Self::Levels { sizes: a }, Self::Levels { sizes: b }) => a.dim() == b.dim(),
            (Self::Counts { sizes: a, .. }, Self::Counts { sizes: b, .. }) => a.dim() == b.dim(),
            _ => false,
        }
    }

    fn is_sound(&self) -> bool {
        let finite = |all: &Array1<f64>| all.iter().all(|v| v.is_finite());
        match self {
            Self::Normal {
                sizes,
                first,
                second,
                ..
            } => finite(sizes) && finite(first) && finite(second),
            Self::Levels { sizes } => sizes.iter().all(|v| v.is_finite()),
            Self::Counts {
                sizes,
                zeros,
                first,
            } => finite(sizes) && finite(zeros) && finite(first),
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (
                Self::Normal {
                    sizes,
                    first,
                    second,
                    ..
                },
                Self::Normal {
                    sizes: s,
                    first: f,
                    second: q,
                    ..
                },
            ) => {
                *sizes += s;
                *first += f;
                *second += q;
            }
            (Self::Levels { sizes }, Self::Levels { sizes: s }) => *sizes += s,
            (
                Self::Counts {
                    sizes,
                    zeros,
                    first,
                },
                Self::Counts {
                    sizes: s,
                    zeros: z,
                    first: f,
                },
            ) => {
                *sizes += s;
                *zeros += z;
                *first += f;
            }
            _ => {}
        }
    }
}

impl Merge for LatentStats {
    /// # Errors
    /// When the statistics are of different models.
    fn merge(&mut self, other: &Self) -> Result<()> {
        if !self.same_model(other) {
            let problem = "taken under another model";
            return Err(Error::data("stats to merge", problem));
        }
        self.weight += other.weight;
        self.log_likelihood += other.log_likelihood;
        self.sizes += &other.sizes;
        let columns = self.columns.iter_mut().zip(&other.columns);
        columns.for_each(|(a, b)| a.merge(b));
        Ok(())
    }
}

/// So many levels are each summed by themselves, eight rows at a time: that is faster than adding row after row to one of
/// a few places in memory.
const FEW_LEVELS: usize = 16;

/// Sums over the observed cells of a tile, in eight partial sums each.
#[inline(always)]
fn sums<const N: usize>(
    cells: &[f64; TILE],
    memberships: &[f64; TILE],
    term: impl Fn(f64, f64) -> [f64; N],
) -> [f64; N] {
    let mut partial = [[0.0; 8]; N];
    let groups = cells
        .as_chunks::<8>()
        .0
        .iter()
        .zip(memberships.as_chunks::<8>().0);
    for (x, r) in groups {
        for l in 0..8 {
            let observed = !x[l].is_nan();
            let terms = term(x[l], r[l]);
            for (partial, term) in partial.iter_mut().zip(terms) {
                partial[l] += if observed { term } else { 0.0 };
            }
        }
    }
    partial.map(|p| p.iter().sum())
}
