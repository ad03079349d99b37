//! Rounds of assignment and update, shared by both ways to find the nearest centre.

use telseg_core::{Result, Scalar, par};

use super::assign::{full, shift_row};
use super::bounds::Bounds;
use super::data::{CHUNK, Data};
use super::params::KPrototypesParams;
use super::prototypes::{Layout, Prototypes};
use super::sums::Sums;

/// No cluster yet.
pub(super) const NONE: u32 = u32::MAX;

/// Centres as they stand in a round.
pub(super) struct Round<F: Scalar> {
    pub(super) prototypes: Prototypes<F>,
    pub(super) layout: Layout<F>,
}

impl<F: Scalar> Round<F> {
    fn new(prototypes: Prototypes<F>) -> Result<Self> {
        let layout = prototypes.layout()?;
        Ok(Self { prototypes, layout })
    }

    /// The mean of a cluster relative to the shift.
    pub(super) fn shifted(&self, cluster: usize) -> &[F] {
        let d = self.prototypes.shift.len();
        &self.layout.shifted[cluster * d..][..d]
    }

    pub(super) fn modes(&self, cluster: usize) -> &[u16] {
        let c = self.prototypes.levels.n_categorical();
        &self.prototypes.modes[cluster * c..][..c]
    }

    /// Squared distance of the centre of a cluster here and of one there: `|q - r|^2 + gamma` a mode that differs.
    pub(super) fn squared(&self, cluster: usize, other: &Self, there: usize) -> (f64, usize) {
        let pairs = self.shifted(cluster).iter().zip(other.shifted(there));
        let numbers = pairs.map(|(a, b)| (a.into_f64() - b.into_f64()).powi(2));
        let modes = self.modes(cluster).iter().zip(other.modes(there));
        (numbers.sum(), modes.filter(|(a, b)| a != b).count())
    }

    /// Distance of the centre of a cluster here and of one there.
    pub(super) fn distance(&self, cluster: usize, other: &Self, there: usize) -> f64 {
        let (numbers, modes) = self.squared(cluster, other, there);
        (numbers + self.prototypes.gamma.into_f64() * modes as f64).sqrt()
    }
}

/// What one start came to.
pub(super) struct Outcome<F: Scalar> {
    pub(super) prototypes: Prototypes<F>,
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
    start: Prototypes<F>,
    params: &KPrototypesParams,
) -> Result<Outcome<F>> {
    let k = params.n_clusters;
    let mut round = Round::new(start)?;
    let mut labels = vec![NONE; data.n_rows];
    let mut sums = Sums::zeros(k, &data.grid);
    let (mut trace, mut converged, mut settled) = (Vec::new(), false, false);
    let assign = |round: &Round<F>,
                  bounds: &mut Option<Bounds<F>>,
                  labels: &mut [u32],
                  sums: &mut Sums| match bounds {
        Some(bounds) => bounds.assign(data, round, labels, sums),
        None => full(data, round, labels, sums),
    };
    while trace.len() < params.max_iter && !converged {
        let changed = assign(&round, &mut bounds, &mut labels, &mut sums);
        let moved = fill_empty(data, &round, &mut labels, &mut sums);
        let next = Round::new(update(data, &sums, &round))?;
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
        rows.map(|i| data.weight(i) * own_distance(data, &round, labels[i], i))
            .sum()
    });
    Ok(Outcome {
        prototypes: round.prototypes,
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
    round: &Round<F>,
    labels: &mut [u32],
    sums: &mut Sums,
) -> Vec<usize> {
    let k = round.prototypes.n_clusters();
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
        let distance = |i: usize| data.weight(i) * own_distance(data, round, labels[i], i);
        farthest(rows.map(|i| (distance(i), i)).collect())
    });
    let far = farthest(parts.concat());
    let moved: Vec<usize> = far.into_iter().filter(|f| f.0 > 0.0).map(|f| f.1).collect();
    for (&i, &j) in moved.iter().zip(&empty) {
        shift_row(data, sums, i, &mut labels[i], j as u32);
    }
    moved
}

/// The mean and the modes of every cluster; the old centre where it is empty.
fn update<F: Scalar>(data: &Data<F>, sums: &Sums, round: &Round<F>) -> Prototypes<F> {
    let mut next = round.prototypes.clone();
    let (d, c) = (data.levels.n_numeric(), data.levels.n_categorical());
    for j in 0..next.n_clusters() {
        let Some(mean) = sums.mean(&data.grid, j) else {
            continue;
        };
        let center = next.means[j * d..][..d].iter_mut();
        for ((m, mean), s) in center.zip(mean).zip(&data.shift) {
            *m = F::from_f64(mean + s.into_f64());
        }
        for (column, mode) in next.modes[j * c..][..c].iter_mut().enumerate() {
            *mode = sums.mode(&data.grid, j, column).0;
        }
    }
    next
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

/// Squared distance of a row to the centre of its label.
fn own_distance<F: Scalar>(data: &Data<F>, round: &Round<F>, label: u32, i: usize) -> f64 {
    let (numbers, codes) = (data.numbers(i), data.codes(i));
    round
        .prototypes
        .distance(numbers, codes, label as usize)
        .into_f64()
}
