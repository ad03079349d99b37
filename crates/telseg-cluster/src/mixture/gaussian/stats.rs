//! What the M step needs to know of rows: sums that merge.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use telseg_core::kernel::{Packed, Products, Scatter, Sums, TILE, Tile, posterior};
use telseg_core::merge::Merge;
use telseg_core::{Error, Result, Scalar, par};

use super::covariance::Covariance;
use super::density::{Density, Work};
use crate::mixture::tiles::{self, weighted};

/// Rows that one task works on, a whole number of tiles: a constant, so that results do not depend on the number of
/// threads.
pub(super) const CHUNK: usize = 128 * TILE;

/// Sums over rows under the present model: all that an M step needs.
///
/// Statistics of parts of the rows under the *same* model merge into those of all; with [`GaussianMixture::summarise`]
/// and [`GaussianMixture::update`] they make an iteration of EM over parts that never meet in one place.
///
/// [`GaussianMixture::summarise`]: super::GaussianMixture::summarise
/// [`GaussianMixture::update`]: super::GaussianMixture::update
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GaussianStats {
    /// Number of rows, or their total weight.
    pub weight: f64,
    /// Log-likelihood of the rows under the model.
    pub log_likelihood: f64,
    /// Shape of the covariances.
    pub covariance: Covariance,
    /// Components by columns: the points, relative to the model's origin, that moments are taken about.
    pub centers: Array2<f64>,
    /// `sum r` of each component.
    pub sizes: Array1<f64>,
    /// `sum r z`, components by columns.
    pub first: Array2<f64>,
    /// `sum r z_a z_b`: with full covariances components by pairs `a <= b`; with diagonal and spherical ones components
    /// by columns; with tied ones a single row of pairs, about the model's origin.
    pub second: Array2<f64>,
}

impl GaussianStats {
    /// No rows, about these centres.
    pub(super) fn new(covariance: Covariance, centers: Array2<f64>) -> Self {
        let (k, d) = centers.dim();
        let pairs = d * (d + 1) / 2;
        let second = match covariance {
            Covariance::Full => (k, pairs),
            Covariance::Tied => (1, pairs),
            Covariance::Diagonal | Covariance::Spherical => (k, d),
        };
        Self {
            weight: 0.0,
            log_likelihood: 0.0,
            covariance,
            centers,
            sizes: Array1::zeros(k),
            first: Array2::zeros((k, d)),
            second: Array2::zeros(second),
        }
    }

    /// Whether every array has the shape that the centres and the covariances ask for, and every number is sound.
    pub(super) fn check(&self) -> Result<()> {
        let model = Self::new(self.covariance, self.centers.clone());
        let shapes = |s: &Self| (s.sizes.dim(), s.first.dim(), s.second.dim());
        if shapes(self) != shapes(&model) {
            return Err(Error::data("stats", "shapes differ from each other"));
        }
        let all = self.sizes.iter().chain(&self.first).chain(&self.second);
        if !(all.into_iter().all(|v| v.is_finite()) && self.sizes.iter().all(|&r| r >= 0.0)) {
            let problem = "sums are not finite: values or weights are too large, scale them";
            return Err(Error::data("stats", problem));
        }
        if !(self.weight > 0.0 && self.weight.is_finite()) {
            return Err(Error::data("stats", "there are no rows"));
        }
        Ok(())
    }
}

impl Merge for GaussianStats {
    /// # Errors
    /// When the statistics are of different models.
    fn merge(&mut self, other: &Self) -> Result<()> {
        if (self.covariance, &self.centers) != (other.covariance, &other.centers) {
            let problem = "taken about other centres or of another covariance: not of one model";
            return Err(Error::data("stats to merge", problem));
        }
        if self.second.dim() != other.second.dim() || self.sizes.dim() != other.sizes.dim() {
            return Err(Error::data("stats to merge", "shapes differ"));
        }
        self.weight += other.weight;
        self.log_likelihood += other.log_likelihood;
        self.sizes += &other.sizes;
        self.first += &other.first;
        self.second += &other.second;
        Ok(())
    }
}

/// Rows in tiles, relative to a shift, with a weight each (0 past the end).
pub(super) struct Rows<F> {
    pub(super) packed: Packed<F>,
    pub(super) weights: Vec<[F; TILE]>,
}

impl<F: Scalar> Rows<F> {
    /// Packs checked rows.
    pub(super) fn new(
        x: &ndarray::ArrayRef2<F>,
        shift: &[F],
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        let packed = Packed::new(x, shift)?;
        let weights = (0..packed.n_tiles())
            .map(|t| {
                std::array::from_fn(|l| match (t * TILE + l, weights) {
                    (i, _) if i >= x.nrows() => F::zero(),
                    (i, Some(weights)) => F::from_f64(weights[i]),
                    (_, None) => F::one(),
                })
            })
            .collect();
        Ok(Self { packed, weights })
    }

    /// Folds what `task` makes of each chunk of tiles, in order.
    pub(super) fn fold<T: Send, A>(
        &self,
        task: impl Fn(std::ops::Range<usize>) -> T + Sync + Send,
        start: A,
        fold: impl FnMut(A, T) -> A,
    ) -> A {
        tiles::fold(self.packed.n_tiles(), CHUNK / TILE, task, start, fold)
    }
}

/// The E step: statistics of all rows under the density.
pub(super) fn expect<F: Scalar>(
    density: &Density<F>,
    covariance: Covariance,
    rows: &Rows<F>,
) -> GaussianStats {
    let task = |tiles: std::ops::Range<usize>| {
        let (mut work, mut sums) = (density.work(), Accumulator::new(density, covariance));
        let mut log_likelihood = 0.0;
        for t in tiles {
            let (tile, _) = rows.packed.tile(t);
            density.joint(tile, &mut work);
            posterior(&mut work.joint, &mut work.log_density);
            log_likelihood += weighted(&work.log_density, &rows.weights[t]);
            sums.add(tile, density, &rows.weights[t], &mut work);
        }
        (sums.finish(), log_likelihood)
    };
    collect(density, covariance, rows, task)
}

/// Statistics of rows whose memberships are given: `memberships` fills rows of one tile.
pub(super) fn given<F: Scalar>(
    density: &Density<F>,
    covariance: Covariance,
    rows: &Rows<F>,
    memberships: impl Fn(usize, &mut [[F; TILE]]) + Sync,
) -> GaussianStats {
    let task = |tiles: std::ops::Range<usize>| {
        let (mut work, mut sums) = (density.work(), Accumulator::new(density, covariance));
        for t in tiles {
            memberships(t, &mut work.joint);
            sums.add(rows.packed.tile(t).0, density, &rows.weights[t], &mut work);
        }
        (sums.finish(), 0.0)
    };
    collect(density, covariance, rows, task)
}

fn collect<F: Scalar>(
    density: &Density<F>,
    covariance: Covariance,
    rows: &Rows<F>,
    task: impl Fn(std::ops::Range<usize>) -> ((Vec<Sums>, Option<Sums>), f64) + Sync + Send,
) -> GaussianStats {
    let shape = (density.n_components(), density.n_columns());
    let centers = density.centers.iter().map(|c| c.into_f64()).collect();
    let centers = Array2::from_shape_vec(shape, centers).expect("invariant: a centre a component");
    let empty = GaussianStats::new(covariance, centers);
    let mut stats = rows.fold(task, empty, |mut stats, ((parts, scatter), likelihood)| {
        for (j, part) in parts.iter().enumerate() {
            stats.sizes[j] += part.weight;
            add(stats.first.row_mut(j), &part.first);
            if scatter.is_none() {
                add(stats.second.row_mut(j), &part.second);
            }
        }
        if let Some(scatter) = scatter {
            add(stats.second.row_mut(0), &scatter.second);
        }
        stats.log_likelihood += likelihood;
        stats
    });
    let weights = rows.weights.as_flattened();
    stats.weight = par::map(weights.len(), CHUNK, |range| {
        weights[range].iter().map(|w| w.into_f64()).sum::<f64>()
    })
    .into_iter()
    .sum();
    stats
}

fn add(mut sums: ndarray::ArrayViewMut1<'_, f64>, part: &[f64]) {
    sums.iter_mut()
        .zip(part)
        .for_each(|(sum, part)| *sum += part);
}

/// Moments of one chunk of rows.
struct Accumulator<F> {
    components: Vec<Scatter<F>>,
    /// With tied covariances: pairs of all rows about the shift. What lies between the means is taken off later, so this
    /// sum has to be in double precision.
    tied: Option<Tied>,
}

struct Tied {
    scatter: Scatter<f64>,
    tile: Packed<f64>,
    scratch: telseg_core::kernel::Scratch<f64>,
    origin: Vec<f64>,
}

impl<F: Scalar> Accumulator<F> {
    fn new(density: &Density<F>, covariance: Covariance) -> Self {
        let d = density.n_columns();
        let products = match covariance {
            Covariance::Full => Products::Pairs,
            // With tied covariances the squares are not used; they cost little.
            _ => Products::Squares,
        };
        Self {
            components: vec![Scatter::new(d, products); density.n_components()],
            tied: (covariance == Covariance::Tied).then(|| Tied {
                scatter: Scatter::new(d, Products::Pairs),
                tile: Packed::zeros(TILE, d),
                scratch: telseg_core::kernel::Scratch::new(d),
                origin: vec![0.0; d],
            }),
        }
    }

    /// Adds a tile with the memberships in `work.joint`.
    fn add(
        &mut self,
        tile: Tile<'_, F>,
        density: &Density<F>,
        weights: &[F; TILE],
        work: &mut Work<F>,
    ) {
        for (j, scatter) in self.components.iter_mut().enumerate() {
            let membership = &mut work.joint[j];
            for (r, &w) in membership.iter_mut().zip(weights) {
                *r *= w;
            }
            scatter.add(tile, density.center(j), membership, &mut work.scratch);
        }
        if let Some(tied) = &mut self.tied {
            tied.tile.widen(tile);
            let weights = weights.map(|w| w.into_f64());
            let tile = tied.tile.tile(0).0;
            let scatter = &mut tied.scatter;
            scatter.add(tile, &tied.origin, &weights, &mut tied.scratch);
        }
    }

    fn finish(self) -> (Vec<Sums>, Option<Sums>) {
        (
            self.components.into_iter().map(Scatter::sums).collect(),
            self.tied.map(|tied| tied.scatter.sums()),
        )
    }
}
