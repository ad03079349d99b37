//! What one round's bounds need to know of the centres: how far they moved, and how they lie to one another.

use rayon::prelude::*;
use telseg_core::Scalar;
use telseg_core::kernel::{Margin, Pair, squared_distances};

use super::lloyd::{Round, distance};

/// Widens a bound by more than its own arithmetic can round.
pub(super) const UP: f64 = 1.0 + 1e-6;
pub(super) const DOWN: f64 = 1.0 - 1e-6;

/// How far centres have moved since the start, so that bounds need not be brought up to date row by row.
pub(super) struct Drift {
    /// By cluster, the sum over the rounds of how far the farthest of the others moved.
    others: Vec<f64>,
    /// The same plus how far the centre itself moved.
    both: Vec<f64>,
}

/// One centre, as its rows see it.
#[derive(Clone, Copy)]
pub(super) struct Near<F> {
    /// What the gap between a row's bounds has lost since the start; rounded up.
    pub(super) both: F,
    /// One over the distance to the nearest other centre, rounded up.
    pub(super) inverse_gap: F,
    /// What a row's lower bound has lost since the start, rounded up.
    pub(super) others: F,
    /// Distance to the nearest other centre, rounded down.
    pub(super) gap: F,
    /// Length relative to the shift plus the greatest length of all, rounded up.
    pub(super) reach: F,
}

/// All centres of a round.
pub(super) struct Nearby<F> {
    pub(super) centers: Vec<Near<F>>,
    /// The greatest length relative to the shift.
    pub(super) longest: F,
    pub(super) margin: Margin<F>,
    rings: Option<Rings<F>>,
}

/// For each centre, all others in rings of growing radius: the first 4 are nearest, then 8, 16 and so on.
struct Rings<F> {
    n: usize,
    order: Vec<u32>,
    /// By centre and ring, the distance from which on the centres outside lie; rounded down.
    radius: Vec<F>,
    n_rings: usize,
}

/// Centres in the innermost ring.
const INNERMOST: usize = 4;

impl Drift {
    pub(super) fn new(n_clusters: usize) -> Self {
        Self {
            others: vec![0.0; n_clusters],
            both: vec![0.0; n_clusters],
        }
    }

    /// Takes in how far each centre moved in one update.
    pub(super) fn add(&mut self, moved: &[f64]) {
        let farthest = moved
            .iter()
            .copied()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let (first, most) = farthest.unwrap_or((0, 0.0));
        let rest = moved.iter().enumerate().filter(|(j, _)| *j != first);
        let second = rest.map(|(_, &m)| m).fold(0.0, f64::max);
        for (j, &own) in moved.iter().enumerate() {
            let others = if j == first { second } else { most } * UP;
            self.others[j] += others;
            self.both[j] += others + own * UP;
        }
    }
}

impl<F: Scalar> Nearby<F> {
    pub(super) fn new(round: &Round<F>, drift: &Drift, n_columns: usize, with_rings: bool) -> Self {
        let (k, d) = (round.layout.n(), n_columns);
        let zero = vec![F::zero(); d];
        let lengths: Vec<f64> = (0..k)
            .map(|j| distance(round.shifted(j, d), &zero) * UP)
            .collect();
        let longest = lengths.iter().copied().fold(0.0, f64::max);
        // The root of a sum of d + 1 squares in the data's precision errs by less than this.
        let down = F::from_f64(1.0 - (d + 8) as f64 * F::epsilon().into_f64());
        let table: Vec<F> = (0..k)
            .into_par_iter()
            .flat_map_iter(|i| {
                let row = u32::try_from(i).unwrap_or(0);
                let pairs: Vec<Pair> = (0..k as u32).map(|other| Pair { row, other }).collect();
                let mut squares = vec![F::zero(); k];
                squared_distances(&round.shifted, &round.shifted, d, &pairs, &mut squares);
                squares.into_iter().map(move |s| s.sqrt() * down)
            })
            .collect();
        let up = |v: f64| F::from_f64(v * UP);
        let near = |j: usize| {
            let others = table[j * k..][..k]
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != j);
            let gap = others.map(|(_, &g)| g).fold(F::infinity(), F::min);
            Near {
                both: up(drift.both[j]),
                inverse_gap: up(1.0 / gap.into_f64()),
                others: up(drift.others[j]),
                gap,
                reach: up(lengths[j] + longest),
            }
        };
        Self {
            centers: (0..k).map(near).collect(),
            longest: up(longest),
            margin: Margin {
                unit: unit(d),
                loose: F::from_f64(8.0 * longest * longest * UP),
                up: F::from_f64(UP),
                down: F::from_f64(DOWN),
            },
            rings: with_rings.then(|| Rings::new(table, k)),
        }
    }

    /// The difference of squared distances that rounding of the scores may hide from the kernel, for rows whose length and
    /// the greatest length of a centre add up to `reach`. The smallest normal number stands in for what underflows.
    #[inline(always)]
    pub(super) fn blur(&self, reach: F) -> F {
        self.margin.unit * reach * reach * self.margin.up + F::min_positive_value()
    }

    /// Whether a centre at distance `near` or less is nearer for the kernel than one at `far` or more.
    #[inline(always)]
    pub(super) fn is_clear(&self, near: F, far: F, reach: F) -> bool {
        // Not the negation of `>=`: what is infinite or not a number is in doubt.
        (near * near + self.blur(reach)) * self.margin.up < far * far * self.margin.down
    }

    /// The centres around `center` of a ring that reaches at least as far as `radius`, and from which distance on the
    /// others lie; `None` where there are more than `most`.
    #[inline]
    pub(super) fn within(&self, center: usize, radius: F, most: usize) -> Option<(&[u32], F)> {
        let rings = self.rings.as_ref()?;
        let radii = &rings.radius[center * rings.n_rings..][..rings.n_rings];
        let ring = radii.iter().position(|&r| r >= radius)?;
        let n = INNERMOST << ring;
        (n <= most).then(|| (&rings.order[center * rings.n..][..n], radii[ring]))
    }
}

impl<F: Scalar> Rings<F> {
    fn new(table: Vec<F>, n: usize) -> Self {
        // Rings that leave somebody outside.
        let n_rings = (0..).take_while(|&r| INNERMOST << r < n).count();
        let parts: Vec<(Vec<u32>, Vec<F>)> = table
            .par_chunks(n)
            .enumerate()
            .map(|(j, distances)| {
                let mut order: Vec<u32> = (0..n as u32).collect();
                // The centre itself comes first even if others lie on it.
                let key = |&i: &u32| {
                    if i as usize == j {
                        -F::one()
                    } else {
                        distances[i as usize]
                    }
                };
                let nearer = |a: &u32, b: &u32| {
                    key(a)
                        .partial_cmp(&key(b))
                        .unwrap_or(std::cmp::Ordering::Equal)
                };
                let (mut radius, mut end) = (vec![F::zero(); n_rings], n);
                for ring in (0..n_rings).rev() {
                    let size = INNERMOST << ring;
                    order[..end].select_nth_unstable_by(size, nearer);
                    radius[ring] = distances[order[size] as usize];
                    end = size;
                }
                (order, radius)
            })
            .collect();
        let (order, radius) = parts.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        Self {
            n,
            order: order.concat(),
            radius: radius.concat(),
            n_rings,
        }
    }
}

/// `4 (d + 8) u`: twice what two scores can err by, relative to the square of their reach.
fn unit<F: Scalar>(n_columns: usize) -> F {
    F::from_f64(2.0 * (n_columns + 8) as f64 * F::epsilon().into_f64() * UP)
}
