//! Rounds of assignment and update, shared by both ways to find the nearest centre.

use std::ops::Range;

use telseg_core::kernel::{Move, Pair, TILE, squared_distances};
use telseg_core::{Result, Scalar, par};

use super::assign::full;
use super::bounds::Bounds;
use super::data::{CHUNK, Data};
use super::init::Start;
use super::params::KPrototypesParams;
use super::prototypes::Layout;
use super::sums::Sums;

/// No cluster yet.
pub(super) const NONE: u32 = u32::MAX;

/// Centres as they stand in a round.
pub(super) struct Round<'a, F: Scalar> {
    pub(super) data: &'a Data<F>,
    pub(super) centers: Start<F>,
    pub(super) layout: Layout<F>,
}

impl<'a, F: Scalar> Round<'a, F> {
    fn new(data: &'a Data<F>, centers: Start<F>) -> Result<Self> {
        let layout = centers.layout(data)?;
        Ok(Self {
            data,
            centers,
            layout,
        })
    }

    /// The mean of a cluster relative to the shift.
    pub(super) fn shifted(&self, cluster: usize) -> &[F] {
        let d = self.data.levels.n_numeric();
        &self.layout.shifted[cluster * d..][..d]
    }

    pub(super) fn modes(&self, cluster: usize) -> &[u16] {
        let c = self.data.levels.n_categorical();
        &self.centers.modes[cluster * c..][..c]
    }

    /// Squared distance of the centre of a cluster here and of one there: `|q - r|^2 + gamma` a mode that differs.
    fn squared(&self, cluster: usize, other: &Self, there: usize) -> (f64, usize) {
        let pairs = self.shifted(cluster).iter().zip(other.shifted(there));
        let numbers = pairs.map(|(a, b)| (a.into_f64() - b.into_f64()).powi(2));
        let modes = self.modes(cluster).iter().zip(other.modes(there));
        (numbers.sum(), modes.filter(|(a, b)| a != b).count())
    }

    /// Distance of the centre of a cluster here and of one there.
    pub(super) fn distance(&self, cluster: usize, other: &Self, there: usize) -> f64 {
        let (numbers, modes) = self.squared(cluster, other, there);
        (numbers + self.data.gamma.into_f64() * modes as f64).sqrt()
    }

    /// Squared distances of up to 64 rows to the centres of their labels.
    pub(super) fn own(
        &self,
        rows: impl Iterator<Item = (usize, u32)> + Clone,
        out: &mut [F; TILE],
    ) {
        let (data, d) = (self.data, self.data.levels.n_numeric());
        let first = rows.clone().map(|(i, _)| i).min().unwrap_or(0);
        let mut pairs = [Pair { row: 0, other: 0 }; TILE];
        let mut n = 0;
        for (pair, (i, label)) in pairs.iter_mut().zip(rows.clone()) {
            *pair = Pair {
                row: (i - first) as u32,
                other: label,
            };
            n += 1;
        }
        let numbers = data.numbers(first..data.n_rows);
        squared_distances(numbers, &self.centers.means, d, &pairs[..n], &mut out[..n]);
        for (square, (i, label)) in out.iter_mut().zip(rows) {
            let modes = data.codes(i).zip(self.modes(label as usize));
            let differ = modes.filter(|(code, mode)| code != *mode).count();
            *square += data.gamma * F::from_f64(differ as f64);
        }
    }

    /// Weighted squared distances of rows to the centres of their labels.
    fn costs(&self, rows: Range<usize>, labels: &[u32], mut take: impl FnMut(usize, f64)) {
        let mut squares = [F::zero(); TILE];
        for tile in par::chunks(rows.len(), TILE) {
            let tile = rows.start + tile.start..rows.start + tile.end;
            self.own(tile.clone().map(|i| (i, labels[i])), &mut squares);
            for (i, square) in tile.zip(&squares) {
                take(i, self.data.weight(i) * square.into_f64());
            }
        }
    }
}

/// What one start came to.
pub(super) struct Outcome<F: Scalar> {
    pub(super) centers: Start<F>,
    pub(super) labels: Vec<u32>,
    pub(super) cost: f64,
    pub(super) n_iter: usize,
    pub(super) converged: bool,
    pub(super) trace: Vec<f64>,
}

/// Runs rounds from the given centres until nothing moves, the movement falls below the tolerance, or `max_iter`.
pub(super) fn run<F: Scalar>(
    data: &Data<F>,
    mut bounds: Option<Bounds<F>>,
    start: Start<F>,
    params: &KPrototypesParams,
) -> Result<Outcome<F>> {
    let k = params.n_clusters;
    let mut round = Round::new(data, start)?;
    let mut labels = vec![NONE; data.n_rows];
    let mut sums = Sums::zeros(k, &data.grid);
    let (mut trace, mut converged, mut settled) = (Vec::new(), false, false);
    let assign = |round: &Round<'_, F>,
                  bounds: &mut Option<Bounds<F>>,
                  labels: &mut [u32],
                  sums: &mut Sums| match bounds {
        Some(bounds) => bounds.assign(data, round, labels, sums),
        None => full(data, round, labels, sums),
    };
    while trace.len() < params.max_iter && !converged {
        let changed = assign(&round, &mut bounds, &mut labels, &mut sums);
        let moved = fill_empty(data, &round, &mut labels, &mut sums);
        let next = Round::new(data, update(data, &sums, &round))?;
        let movement: Vec<(f64, usize)> = (0..k).map(|j| next.squared(j, &round, j)).collect();
        if let Some(bounds) = &mut bounds {
            bounds.drift((0..k).map(|j| next.distance(j, &round, j)));
            moved.iter().for_each(|&i| bounds.forget(i));
        }
        trace.push(spread(data, &sums, k));
        settled = changed == 0 && moved.is_empty();
        let (far, switched) = movement
            .iter()
            .fold((0.0, 0), |a, m| (a.0 + m.0, a.1 + m.1));
        converged =
            settled || (switched == 0 && far <= params.tol * data.variance && params.tol > 0.0);
        round = next;
    }
    if !settled {
        assign(&round, &mut bounds, &mut labels, &mut sums);
    }
    let cost = par::map(data.n_rows, CHUNK, |rows| -> f64 {
        let mut sum = 0.0;
        round.costs(rows, &labels, |_, cost| sum += cost);
        sum
    });
    Ok(Outcome {
        centers: round.centers,
        labels,
        cost: cost.into_iter().sum(),
        n_iter: trace.len(),
        converged,
        trace,
    })
}

/// Gives each cluster without weight the row that lies farthest from its centre (the first of equals) and returns these
/// rows; a cluster for which no row lies off its centre stays empty.
fn fill_empty<F: Scalar>(
    data: &Data<F>,
    round: &Round<'_, F>,
    labels: &mut [u32],
    sums: &mut Sums,
) -> Vec<usize> {
    let k = round.layout.n_clusters();
    let empty: Vec<usize> = (0..k)
        .filter(|&j| sums.weight(&data.grid, j) <= 0.0)
        .collect();
    if empty.is_empty() {
        return empty;
    }
    let farthest = |mut far: Vec<(f64, usize)>| {
        far.sort_by(|a, b| b.0.total_cmp(&a.0));
        far.truncate(empty.len());
        far
    };
    let parts = par::map(data.n_rows, CHUNK, |rows| {
        let mut far = Vec::with_capacity(rows.len());
        round.costs(rows, labels, |i, cost| far.push((cost, i)));
        farthest(far)
    });
    let far = farthest(parts.concat());
    let moved: Vec<usize> = far.into_iter().filter(|f| f.0 > 0.0).map(|f| f.1).collect();
    for (&i, &j) in moved.iter().zip(&empty) {
        let step = Move {
            row: (i % CHUNK) as u32,
            from: labels[i],
            to: j as u32,
        };
        sums.move_rows(&data.grid, data.on_grid(i / CHUNK), &[step]);
        labels[i] = j as u32;
    }
    moved
}

/// The mean and the modes of every cluster; the old centre where it is empty.
fn update<F: Scalar>(data: &Data<F>, sums: &Sums, round: &Round<'_, F>) -> Start<F> {
    let (mut means, mut modes) = (round.centers.means.clone(), round.centers.modes.clone());
    let (d, c) = (data.levels.n_numeric(), data.levels.n_categorical());
    for j in 0..round.layout.n_clusters() {
        let Some(mean) = sums.mean(&data.grid, j) else {
            continue;
        };
        let center = means[j * d..][..d].iter_mut();
        for ((m, mean), s) in center.zip(mean).zip(&data.shift) {
            *m = F::from_f64(mean + s.into_f64());
        }
        for (column, mode) in modes[j * c..][..c].iter_mut().enumerate() {
            *mode = sums.mode(&data.grid, j, column).0;
        }
    }
    Start { means, modes }
}

/// Cost of the labels with the means and modes of their clusters, from the sums alone: `sum w |x|^2 - sum_j W_j |m_j|^2`
/// relative to the shift, plus `gamma` times the weight of all levels that are not the mode.
fn spread<F: Scalar>(data: &Data<F>, sums: &Sums, n_clusters: usize) -> f64 {
    let (mut explained, mut mismatched) = (0.0, 0.0);
    for j in 0..n_clusters {
        let Some(mean) = sums.mean(&data.grid, j) else {
            continue;
        };
        let weight = sums.weight(&data.grid, j);
        explained += weight * mean.map(|v| v * v).sum::<f64>();
        for column in 0..data.levels.n_categorical() {
            mismatched += weight - sums.mode(&data.grid, j, column).1;
        }
    }
    (data.total - explained).max(0.0) + data.gamma.into_f64() * mismatched
}
