//! Rounds of assignment and update (Lloyd 1982), shared by all ways to find the nearest centre.

use rayon::prelude::*;
use telseg_core::kernel::{
    Centers, Move, NearestTile, Packed, Pair, TILE, squared_distance, squared_distances,
};
use telseg_core::{Result, Scalar, par};

use super::bounds::Bounds;
use super::data::{CHUNK, Data};
use super::params::{Distance, KMeansParams};
use super::sums::Sums;

/// No cluster yet.
pub(super) const NONE: u32 = u32::MAX;

/// Centres as they stand in a round: in the data's coordinates, and laid out for the kernel relative to the shift.
pub(super) struct Round<F> {
    pub(super) centers: Vec<F>,
    pub(super) shifted: Vec<F>,
    pub(super) layout: Centers<F>,
}

impl<F: Scalar> Round<F> {
    pub(super) fn new(centers: Vec<F>, shift: &[F]) -> Result<Self> {
        let shifted: Vec<F> = centers
            .chunks_exact(shift.len())
            .flat_map(|c| c.iter().zip(shift).map(|(&c, &s)| c - s))
            .collect();
        let layout = Centers::new(&shifted, shift.len())?;
        Ok(Self {
            centers,
            shifted,
            layout,
        })
    }

    pub(super) fn shifted(&self, cluster: usize, n_columns: usize) -> &[F] {
        &self.shifted[cluster * n_columns..][..n_columns]
    }
}

/// How the nearest centres are found.
pub(super) enum Assigner<F> {
    /// Every distance.
    All,
    /// Only where bounds leave a doubt.
    Bounded(Bounds<F>),
}

impl<F: Scalar> Assigner<F> {
    /// Labels every row and moves rows that changed from sum to sum; returns how many changed.
    fn assign(
        &mut self,
        data: &Data<'_, F>,
        round: &Round<F>,
        labels: &mut [u32],
        sums: &mut Sums,
    ) -> usize {
        match self {
            Self::All => assign(data, &round.layout, labels, sums),
            Self::Bounded(bounds) => bounds.assign(data, round, labels, sums),
        }
    }
}

/// What one start came to.
pub(super) struct Outcome<F> {
    pub(super) centers: Vec<F>,
    pub(super) labels: Vec<u32>,
    pub(super) inertia: f64,
    pub(super) n_iter: usize,
    pub(super) converged: bool,
    pub(super) trace: Vec<f64>,
}

/// Runs rounds from the given centres until nothing moves, the movement falls below the tolerance, or `max_iter`.
pub(super) fn run<F: Scalar>(
    data: &Data<'_, F>,
    mut assigner: Assigner<F>,
    start: Vec<F>,
    params: &KMeansParams,
) -> Result<Outcome<F>> {
    let (k, d) = (params.n_clusters, data.n_columns);
    let mut start = start;
    start
        .chunks_exact_mut(d)
        .for_each(|center| params.distance.project(center));
    let mut round = Round::new(start, &data.shift)?;
    let mut labels = vec![NONE; data.n_rows];
    let mut sums = Sums::zeros(k, d);
    let (mut trace, mut converged, mut settled) = (Vec::new(), false, false);
    while trace.len() < params.max_iter && !converged {
        let changed = assigner.assign(data, &round, &mut labels, &mut sums);
        let moved = fill_empty(data, &round, &mut labels, &mut sums, k);
        let next = Round::new(means(data, &sums, &round, params.distance), &data.shift)?;
        let drift: Vec<f64> = (0..k)
            .map(|j| distance(next.shifted(j, d), round.shifted(j, d)))
            .collect();
        if let Assigner::Bounded(bounds) = &mut assigner {
            bounds.drift(&drift);
            moved.iter().for_each(|&i| bounds.forget(i));
        }
        trace.push(spread(data, &sums, &next));
        settled = changed == 0 && moved.is_empty();
        converged =
            settled || drift.iter().map(|d| d * d).sum::<f64>() <= params.tol * data.variance;
        round = next;
    }
    if !settled {
        assigner.assign(data, &round, &mut labels, &mut sums);
    }
    let inertia = inertia(data, &labels, &round);
    Ok(Outcome {
        centers: round.centers,
        labels,
        inertia,
        n_iter: trace.len(),
        converged,
        trace,
    })
}

/// Labels every row by the kernel, tile by tile.
fn assign<F: Scalar>(
    data: &Data<'_, F>,
    centers: &Centers<F>,
    labels: &mut [u32],
    sums: &mut Sums,
) -> usize {
    let empty = || {
        let tile = Packed::zeros(TILE, data.n_columns);
        (
            Sums::zeros(centers.n(), data.n_columns),
            0,
            tile,
            NearestTile::default(),
            Vec::new(),
        )
    };
    let (moved, changed) = labels
        .par_chunks_mut(CHUNK)
        .enumerate()
        .fold(
            empty,
            |(mut sums, mut changed, mut tile, mut nearest, mut moves), (c, labels)| {
                for (t, labels) in labels.chunks_mut(TILE).enumerate() {
                    let start = c * CHUNK + t * TILE;
                    let rows = start..start + labels.len();
                    tile.load(0, data.rows(rows.clone()), &data.shift);
                    centers.nearest(tile.tile(0).0, &mut nearest);
                    moves.clear();
                    for (row, (label, &to)) in (0..).zip(labels.iter_mut().zip(&nearest.label)) {
                        if *label != to {
                            moves.push(Move {
                                row,
                                from: *label,
                                to,
                            });
                            *label = to;
                        }
                    }
                    changed += moves.len();
                    sums.move_rows(&data.grid, data.on_grid(rows), &moves);
                }
                (sums, changed, tile, nearest, moves)
            },
        )
        .map(|(sums, changed, ..)| (sums, changed))
        .reduce(
            || (Sums::zeros(centers.n(), data.n_columns), 0),
            |(mut a, na), (b, nb)| {
                a.add(&b);
                (a, na + nb)
            },
        );
    sums.add(&moved);
    changed
}

/// Gives each cluster without weight the row that lies farthest from its centre (the first of equals) and returns
/// these rows; a cluster for which no row lies off its centre stays empty.
fn fill_empty<F: Scalar>(
    data: &Data<'_, F>,
    round: &Round<F>,
    labels: &mut [u32],
    sums: &mut Sums,
    n_clusters: usize,
) -> Vec<usize> {
    let empty: Vec<usize> = (0..n_clusters)
        .filter(|&j| sums.weight(&data.grid, j) <= 0.0)
        .collect();
    if empty.is_empty() {
        return empty;
    }
    let mut far: Vec<(f64, usize)> = par::map(data.n_rows, CHUNK, |rows| {
        let mut far: Vec<(f64, usize)> = rows
            .map(|i| (data.weight(i) * own_distance(data, round, labels[i], i), i))
            .collect();
        far.sort_by(|a, b| b.0.total_cmp(&a.0));
        far.truncate(empty.len());
        far
    })
    .concat();
    far.sort_by(|a, b| b.0.total_cmp(&a.0));
    let chosen = far
        .into_iter()
        .filter(|(distance, _)| *distance > 0.0)
        .map(|(_, i)| i);
    let moved: Vec<usize> = chosen.take(empty.len()).collect();
    for (&i, &j) in moved.iter().zip(&empty) {
        let step = Move {
            row: 0,
            from: labels[i],
            to: j as u32,
        };
        sums.move_rows(&data.grid, data.on_grid(i..i + 1), &[step]);
        labels[i] = j as u32;
    }
    moved
}

/// The mean of every cluster, or its direction; the old centre where there is none.
fn means<F: Scalar>(
    data: &Data<'_, F>,
    sums: &Sums,
    round: &Round<F>,
    distance: Distance,
) -> Vec<F> {
    let d = data.n_columns;
    let mut centers = round.centers.clone();
    for (j, center) in centers.chunks_exact_mut(d).enumerate() {
        if let Some(mean) = sums.mean(&data.grid, j) {
            for ((c, m), s) in center.iter_mut().zip(mean).zip(&data.shift) {
                *c = F::from_f64(m + s.into_f64());
            }
            if distance == Distance::Cosine && center.iter().all(|c| *c == F::zero()) {
                center.copy_from_slice(&round.centers[j * d..][..d]);
            }
            distance.project(center);
        }
    }
    centers
}

/// Weighted sum of squared distances to the updated centres, from the sums alone:
/// `sum w |x|^2 - sum_j W_j (2 m_j - c_j) . c_j` relative to the shift.
fn spread<F: Scalar>(data: &Data<'_, F>, sums: &Sums, next: &Round<F>) -> f64 {
    let d = data.n_columns;
    let explained = |j: usize| -> f64 {
        let Some(mean) = sums.mean(&data.grid, j) else {
            return 0.0;
        };
        let pairs = mean.zip(next.shifted(j, d));
        let product: f64 = pairs
            .map(|(m, c)| (2.0 * m - c.into_f64()) * c.into_f64())
            .sum();
        sums.weight(&data.grid, j) * product
    };
    (data.total - (0..next.layout.n()).map(explained).sum::<f64>()).max(0.0)
}

fn inertia<F: Scalar>(data: &Data<'_, F>, labels: &[u32], round: &Round<F>) -> f64 {
    let part = |rows: std::ops::Range<usize>| -> f64 {
        let (mut squares, mut pairs) = ([F::zero(); TILE], Vec::with_capacity(TILE));
        let mut sum = 0.0;
        for tile in par::chunks(rows.len(), TILE) {
            let tile = rows.start + tile.start..rows.start + tile.end;
            pairs.clear();
            pairs.extend(tile.clone().map(|i| Pair {
                row: (i - rows.start) as u32,
                other: labels[i],
            }));
            let near = data.rows(rows.clone());
            squared_distances(near, &round.centers, data.n_columns, &pairs, &mut squares);
            sum += tile
                .zip(&squares)
                .map(|(i, s)| data.weight(i) * s.into_f64())
                .sum::<f64>();
        }
        sum
    };
    par::map(data.n_rows, CHUNK, part).into_iter().sum()
}

/// Squared distance of a row to the centre of its label.
fn own_distance<F: Scalar>(data: &Data<'_, F>, round: &Round<F>, label: u32, i: usize) -> f64 {
    let center = &round.centers[label as usize * data.n_columns..][..data.n_columns];
    squared_distance(data.row(i), center).into_f64()
}

/// Euclidean distance in double precision.
pub(super) fn distance<F: Scalar>(a: &[F], b: &[F]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a.into_f64() - b.into_f64()).powi(2))
        .sum::<f64>()
        .sqrt()
}
