//! How good a clustering is: silhouette, Davies-Bouldin and Calinski-Harabasz. Euclidean distances throughout.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use rand::seq::index;
use rayon::prelude::*;
use telseg_core::kernel::{Centers, Packed, TILE, squared_distance};
use telseg_core::metrics::{Bootstrap, Interval};
use telseg_core::{Error, Result, Scalar, Seed};

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
/// assert_eq!(s[0], 1.0 - 1.0 / 11.5);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn silhouette_samples<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
) -> Result<Array1<f64>> {
    let groups = Groups::new(x, labels)?;
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
    check_length(x, labels)?;
    let values = if n_sample < x.nrows() {
        let rows = sample(x.nrows(), n_sample, seed);
        let axis = ndarray::Axis(0);
        silhouette_samples(&x.select(axis, &rows), &labels.select(axis, &rows))?
    } else {
        silhouette_samples(x, labels)?
    };
    mean_interval(&values.to_vec(), seed)
}

/// Ascending rows of a sample without replacement.
pub(crate) fn sample(n: usize, n_sample: usize, seed: u64) -> Vec<usize> {
    let mut rng = Seed::new(seed).stream("cluster.sample").index(0);
    let mut rows = index::sample(&mut rng, n, n_sample.min(n)).into_vec();
    rows.sort_unstable();
    rows
}

/// The mean of numbers with its bootstrap interval.
pub(crate) fn mean_interval(values: &[f64], seed: u64) -> Result<Interval> {
    let bootstrap = Bootstrap::default().with_n_resamples(200).with_seed(seed);
    bootstrap.interval(values.len(), |w| {
        let sum: f64 = values.iter().zip(w).map(|(v, w)| v * w).sum();
        Ok(sum / w.iter().sum::<f64>())
    })
}

/// Davies-Bouldin index: mean over clusters of the greatest `(s_i + s_j) / |m_i - m_j|`, where `s` is the mean distance
/// to the cluster's mean `m`. Lower is better; infinite when two clusters that are more than points share their mean.
///
/// # Errors
/// As [`silhouette_samples`].
///
/// # References
/// D. Davies, D. Bouldin (1979), "A cluster separation measure".
pub fn davies_bouldin<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<f64> {
    let groups = Groups::new(x, labels)?;
    let k = groups.members.len();
    let spread: Vec<f64> = (0..k)
        .map(|g| groups.squares(g).map(f64::sqrt).sum::<f64>() / groups.members[g].len() as f64)
        .collect();
    let ratio = |i: usize, j: usize| {
        let (apart, wide) = (
            distance2(&groups.means[i], &groups.means[j]).sqrt(),
            spread[i] + spread[j],
        );
        if wide == 0.0 { 0.0 } else { wide / apart }
    };
    let worst = |i: usize| {
        (0..k)
            .filter(|&j| j != i)
            .map(|j| ratio(i, j))
            .fold(0.0, f64::max)
    };
    Ok((0..k).map(worst).sum::<f64>() / k as f64)
}

/// Calinski-Harabasz index: variance between clusters over variance within, each over its degrees of freedom,
/// `(B / (k - 1)) / (W / (n - k))`. Higher is better.
///
/// # Errors
/// As [`silhouette_samples`], and when all rows lie on the means of their clusters.
///
/// # References
/// T. Caliński, J. Harabasz (1974), "A dendrite method for cluster analysis".
pub fn calinski_harabasz<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<f64> {
    let groups = Groups::new(x, labels)?;
    let (n, k, d) = (x.nrows(), groups.members.len(), x.ncols());
    let within: f64 = (0..k).map(|g| groups.squares(g).sum::<f64>()).sum();
    if within == 0.0 {
        return Err(Error::data(
            "x",
            "all rows lie on the means of their clusters, so the index is not defined",
        ));
    }
    let mut center = vec![0.0; d];
    for (mean, members) in groups.means.iter().zip(&groups.members) {
        let share = members.len() as f64 / n as f64;
        center
            .iter_mut()
            .zip(mean)
            .for_each(|(c, m)| *c += share * m);
    }
    let means = groups.means.iter().zip(&groups.members);
    let between: f64 = means
        .map(|(m, rows)| rows.len() as f64 * distance2(m, &center))
        .sum();
    Ok(between / (k - 1) as f64 / (within / (n - k) as f64))
}

fn distance2(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn check_length<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<()> {
    if labels.len() == x.nrows() {
        return Ok(());
    }
    let expected = format!("{} (rows of x)", x.nrows());
    Err(Error::shape("labels", expected, labels.len().to_string()))
}

/// Rows by cluster.
struct Groups<F> {
    n_columns: usize,
    rows: Vec<F>,
    /// The cluster of each row, counted from 0 in the order of the labels.
    of: Vec<usize>,
    members: Vec<Vec<usize>>,
    means: Vec<Vec<f64>>,
}

/// One cluster that rows are held against, relative to its mean: so distances within it keep their digits.
struct Target<F> {
    shift: Vec<F>,
    blocks: Vec<Centers<F>>,
}

impl<F: Scalar> Groups<F> {
    fn new(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<Self> {
        check_length(x, labels)?;
        if x.ncols() == 0 {
            return Err(Error::shape("x", "at least 1 column", "0"));
        }
        if let Some((at, v)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(Error::value(
                "x",
                format!("{v} (impute missing values first)"),
                at,
            ));
        }
        let mut names = labels.to_vec();
        names.sort_unstable();
        names.dedup();
        if names.len() < 2 {
            return Err(Error::data(
                "labels",
                format!("expected at least 2 clusters, found {}", names.len()),
            ));
        }
        let of: Vec<usize> = labels
            .iter()
            .map(|l| {
                names
                    .binary_search(l)
                    .expect("invariant: names are the labels")
            })
            .collect();
        let mut members = vec![Vec::new(); names.len()];
        of.iter().enumerate().for_each(|(i, &g)| members[g].push(i));
        let rows: Vec<F> = x.iter().copied().collect();
        let d = x.ncols();
        let mean = |members: &Vec<usize>| {
            let mut mean = vec![0.0; d];
            for &i in members {
                let row = &rows[i * d..][..d];
                mean.iter_mut()
                    .zip(row)
                    .for_each(|(m, v)| *m += v.into_f64());
            }
            mean.iter_mut().for_each(|m| *m /= members.len() as f64);
            mean
        };
        let means = members.iter().map(mean).collect();
        Ok(Self {
            n_columns: d,
            rows,
            of,
            members,
            means,
        })
    }

    fn row(&self, i: usize) -> &[F] {
        &self.rows[i * self.n_columns..][..self.n_columns]
    }

    /// Squared distance of each row of a cluster to its mean.
    fn squares(&self, g: usize) -> impl Iterator<Item = f64> {
        let mean = &self.means[g];
        self.members[g].iter().map(move |&i| {
            let pairs = self.row(i).iter().zip(mean);
            pairs.map(|(v, m)| (v.into_f64() - m).powi(2)).sum()
        })
    }

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
            let n = self.members[g].len() as f64;
            for l in 0..values.len() {
                if self.of[first + l] == g {
                    own[l] = sums[l] / (n - 1.0);
                } else {
                    other[l] = (sums[l] / n).min(other[l]);
                }
            }
        }
        for (l, value) in values.iter_mut().enumerate() {
            let alone = self.members[self.of[first + l]].len() == 1;
            let most = own[l].max(other[l]);
            *value = if alone || most == 0.0 {
                0.0
            } else {
                (other[l] - own[l]) / most
            };
        }
    }

    /// Sum of the distances of each row of a tile to the rows of a cluster, itself left out.
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
                let to = |&j: &usize| squared_distance(self.row(first + l), self.row(j)).into_f64();
                *sum = members.iter().map(|j| to(j).sqrt()).sum();
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
            for score in &*scores {
                for l in 0..TILE {
                    let square = norms[l] + score[l] + score[l];
                    let square = if square > F::zero() {
                        square
                    } else {
                        F::zero()
                    };
                    part[l] += square.sqrt();
                }
            }
            sums.iter_mut()
                .zip(part)
                .for_each(|(s, p)| *s += p.into_f64());
        }
        sums
    }
}
