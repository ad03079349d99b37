//! Silhouettes from all distances, by the kernel that k-means finds its centres with.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use telseg_core::kernel::{Centers, Packed, TILE, squared_distance};
use telseg_core::metrics::Interval;
use telseg_core::{Error, Result, Scalar};

use super::groups::{Groups, check_length};
use super::{mean_interval, sample};

/// Rows of a cluster that a tile is held against at a time: their scores stay in the first-level cache.
const BLOCK: usize = 96;
/// Below this size a cluster's distances are computed one by one.
const SMALL: usize = 16;

/// Silhouette of every row: `(b - a) / max(a, b)`, where `a` is its mean distance to the others of its cluster and `b`
/// the least mean distance to another cluster. From -1 (in the wrong cluster) to 1; 0 for a row alone in its cluster.
///
/// # Errors
/// When there is not one label for each row, a value is not finite, or there are fewer than two clusters.
///
/// # Cost
/// All `n^2` distances, in parallel; memory of two copies of `x`.
///
/// # References
/// P. Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis".
///
/// # Examples
/// ```
/// use ndarray::array;
/// // Two pairs at distance 1 from each other, 10 and more apart.
/// let s = telseg_cluster::metrics::silhouette_samples(&array![[0.0f64], [1.0], [11.0], [12.0]], &array![0, 0, 1, 1])?;
/// assert!((s[0] - (1.0 - 1.0 / 11.5)).abs() < 1e-12);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn silhouette_samples<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
) -> Result<Array1<f64>> {
    samples(x, labels, None)
}

/// As [`silhouette_samples`], with a weight of at least 0 for each row; an integer weight counts as so many equal rows, so
/// that the others of a row's cluster weigh one less than the cluster does. A row without weight counts as one more.
///
/// # Errors
/// As `silhouette_samples`, and when a weight is negative or not finite, or all are 0.
pub fn silhouette_samples_weighted<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
    weights: &ArrayRef1<f64>,
) -> Result<Array1<f64>> {
    samples(x, labels, Some(weights))
}

fn samples<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
    weights: Option<&ArrayRef1<f64>>,
) -> Result<Array1<f64>> {
    let groups = Groups::new(x, labels, weights, 2)?;
    let targets = groups.targets()?;
    let mut values = vec![0.0; x.nrows()];
    values
        .par_chunks_mut(TILE)
        .enumerate()
        .for_each(|(t, values)| groups.silhouettes(&targets, t * TILE, values));
    Ok(Array1::from(values))
}

/// Mean silhouette of all rows; see [`silhouette_samples`].
///
/// # Errors
/// As [`silhouette_samples`].
pub fn silhouette<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<f64> {
    let values = silhouette_samples(x, labels)?;
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

/// Weighted mean silhouette; see [`silhouette_samples_weighted`].
///
/// # Errors
/// As [`silhouette_samples_weighted`].
pub fn silhouette_weighted<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
    weights: &ArrayRef1<f64>,
) -> Result<f64> {
    let values = silhouette_samples_weighted(x, labels, weights)?;
    let sum: f64 = values.iter().zip(weights).map(|(v, w)| v * w).sum();
    Ok(sum / weights.iter().sum::<f64>())
}

/// Mean silhouette of a random sample of rows among themselves, with a 95 % bootstrap interval over the sampled rows.
///
/// # Errors
/// As [`silhouette_samples`] on the sample; `n_sample` must be at least 3.
///
/// # Cost
/// `n_sample^2` distances.
pub fn silhouette_sampled<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
    n_sample: usize,
    seed: u64,
) -> Result<Interval> {
    if n_sample < 3 {
        let problem = format!("expected at least 3, found {n_sample}");
        return Err(Error::param("n_sample", problem));
    }
    check_length(x.nrows(), labels)?;
    let values = if n_sample < x.nrows() {
        let rows = sample(x.nrows(), n_sample, seed);
        let axis = ndarray::Axis(0);
        silhouette_samples(&x.select(axis, &rows), &labels.select(axis, &rows))?
    } else {
        silhouette_samples(x, labels)?
    };
    mean_interval(&values.to_vec(), seed)
}

/// One cluster that rows are held against, relative to its mean: so distances within it keep their digits.
struct Target<F> {
    shift: Vec<F>,
    blocks: Vec<Centers<F>>,
}

impl<F: Scalar> Groups<'_, F> {
    fn targets(&self) -> Result<Vec<Target<F>>> {
        let target = |(members, mean): (&Vec<usize>, &Vec<f64>)| {
            let shift: Vec<F> = mean.iter().map(|&m| F::from_f64(m)).collect();
            let blocks = members.chunks(BLOCK).map(|rows| {
                let cells = rows.iter().flat_map(|&i| self.row(i).iter().zip(&shift));
                let shifted: Vec<F> = cells.map(|(&v, &s)| v - s).collect();
                Centers::new(&shifted, self.n_columns)
            });
            let blocks = blocks.collect::<Result<_>>()?;
            Ok(Target { shift, blocks })
        };
        self.members
            .par_iter()
            .zip(&self.means)
            .map(target)
            .collect()
    }

    /// Silhouettes of rows `first ..`, up to a tile of them.
    fn silhouettes(&self, targets: &[Target<F>], first: usize, values: &mut [f64]) {
        let (mut own, mut other) = ([0.0; TILE], [f64::INFINITY; TILE]);
        let mut tile = Packed::zeros(TILE, self.n_columns);
        let mut scores = vec![[F::zero(); TILE]; BLOCK];
        for (g, target) in targets.iter().enumerate() {
            let sums = self.distances(g, target, (first, values.len()), &mut tile, &mut scores);
            for l in 0..values.len() {
                if self.of[first + l] == g {
                    own[l] = sums[l] / self.others(first + l);
                } else {
                    other[l] = (sums[l] / self.sizes[g]).min(other[l]);
                }
            }
        }
        for (l, value) in values.iter_mut().enumerate() {
            // Alone in its cluster, or without weight in one that holds nothing else.
            let alone = self.of[first + l] == usize::MAX || self.others(first + l) <= 0.0;
            let most = own[l].max(other[l]);
            *value = if alone || most == 0.0 {
                0.0
            } else {
                (other[l] - own[l]) / most
            };
        }
    }

    /// Weight of the others in the cluster of a row.
    fn others(&self, i: usize) -> f64 {
        let size = self.sizes.get(self.of[i]).copied().unwrap_or(0.0);
        if self.weight(i) > 0.0 {
            size - 1.0
        } else {
            size
        }
    }

    /// Weighted sum of the distances of each row of a tile to the rows of a cluster.
    fn distances(
        &self,
        g: usize,
        target: &Target<F>,
        (first, n_rows): (usize, usize),
        tile: &mut Packed<F>,
        scores: &mut [[F; TILE]],
    ) -> [f64; TILE] {
        let (mut sums, mut norms) = ([0.0; TILE], [F::zero(); TILE]);
        let members = &self.members[g];
        if members.len() < SMALL {
            for (l, sum) in sums.iter_mut().enumerate().take(n_rows) {
                let to = |&j: &usize| {
                    let square = squared_distance(self.row(first + l), self.row(j));
                    self.weight(j) * square.into_f64().sqrt()
                };
                *sum = members.iter().map(to).sum();
            }
            return sums;
        }
        for (l, norm) in norms.iter_mut().enumerate().take(n_rows) {
            let row = self.row(first + l);
            tile.set_row(l, row, &target.shift);
            *norm = squared_distance(row, &target.shift);
        }
        for (block, rows) in target.blocks.iter().zip(members.chunks(BLOCK)) {
            let scores = &mut scores[..rows.len()];
            block.scores(tile.tile(0).0, scores);
            for &j in rows.iter().filter(|j| (first..first + n_rows).contains(j)) {
                // A row's distance to itself is zero, not what rounding makes of it.
                let at = rows.partition_point(|&i| i < j);
                scores[at][j - first] = F::neg_infinity();
            }
            let mut part = [F::zero(); TILE];
            for (score, &j) in scores.iter().zip(rows) {
                let weight = F::from_f64(self.weight(j));
                for l in 0..TILE {
                    let square = norms[l] + score[l] + score[l];
                    let square = if square > F::zero() {
                        square
                    } else {
                        F::zero()
                    };
                    part[l] += weight * square.sqrt();
                }
            }
            sums.iter_mut()
                .zip(part)
                .for_each(|(s, p)| *s += p.into_f64());
        }
        sums
    }
}
