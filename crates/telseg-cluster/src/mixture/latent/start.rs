//! Where EM starts.

use ndarray::Array1;
use rand::Rng as _;
use telseg_core::kernel::{TILE, math};
use telseg_core::seed::Rng;
use telseg_core::{Error, Result, Seed, par};

use super::cells::{CHUNK, Cells};
use super::column::LatentColumn;
use super::em;
use super::params::{Family, LatentClassParams, LatentInit};
use super::update::{blank, maximise};

impl LatentClassParams {
    /// The length of given responsibilities against the data.
    pub(super) fn check_init(&self, n_rows: usize) -> Result<()> {
        match &self.init {
            LatentInit::Responsibilities(r) if r.nrows() != n_rows => {
                let problem = format!("expected {n_rows} rows (as x), found {}", r.nrows());
                Err(Error::param("init", problem))
            }
            _ => Ok(()),
        }
    }

    /// Shares and columns that the first E step starts from.
    pub(super) fn start(
        &self,
        cells: &Cells,
        start: usize,
    ) -> Result<(Array1<f64>, Vec<LatentColumn>)> {
        match &self.init {
            LatentInit::Parameters { weights, columns } => Ok((weights.clone(), columns.clone())),
            LatentInit::Responsibilities(r) => self.first_step(cells, |t, joint| {
                for (c, joint) in joint.iter_mut().enumerate() {
                    for (l, share) in joint.iter_mut().enumerate() {
                        *share = r.get((t * TILE + l, c)).copied().unwrap_or(0.0);
                    }
                }
            }),
            LatentInit::Seeds => {
                let stream = Seed::new(self.seed).stream("latent.init");
                let spread = Spread::new(cells, &self.families);
                let mut rng = stream.index(start as u64);
                let seeds = spread.seeds(cells, self.n_components, &mut rng);
                self.first_step(cells, |t, joint| {
                    spread.memberships(cells, &seeds, t, joint)
                })
            }
        }
    }

    /// An M step from given memberships. Normal columns take two: moments are best taken about the means.
    fn first_step(
        &self,
        cells: &Cells,
        memberships: impl Fn(usize, &mut [[f64; TILE]]) + Sync,
    ) -> Result<(Array1<f64>, Vec<LatentColumn>)> {
        let k = self.n_components;
        let mut weights = Array1::from_elem(k, 1.0 / k as f64);
        let mut columns = blank(&self.families, k);
        for _ in 0..2 {
            let stats = em::given(cells, &weights, &columns, &memberships);
            stats.check()?;
            (weights, columns, _) = maximise(&stats, &columns, self.smoothing);
        }
        Ok((weights, columns))
    }
}

/// How far apart two cells of a column are: 1 on average over pairs of rows.
enum Scale {
    /// Squared difference times this, at most 4.
    Number(f64),
    /// This where codes differ.
    Code(f64),
}

struct Spread {
    scales: Vec<Scale>,
}

/// No single cell counts for more than so many average ones: counts have long tails.
const MOST: f64 = 4.0;

impl Spread {
    fn new(cells: &Cells, families: &[Family]) -> Self {
        let scale = |(j, family): (usize, &Family)| match *family {
            Family::Categorical { n_levels } => {
                let mut sizes = vec![0.0; n_levels as usize];
                for i in 0..cells.n_rows {
                    let cell = cells.cell(i, j);
                    if !cell.is_nan() {
                        sizes[cell as usize] += cells.weight(i);
                    }
                }
                let total: f64 = sizes.iter().sum();
                let same: f64 = sizes.iter().map(|s| (s / total).powi(2)).sum();
                Scale::Code(if same < 1.0 { 1.0 / (1.0 - same) } else { 0.0 })
            }
            _ => {
                let (mut size, mut mean, mut spread) = (0.0, 0.0, 0.0);
                for i in 0..cells.n_rows {
                    let (cell, w) = (cells.cell(i, j), cells.weight(i));
                    if !cell.is_nan() && w > 0.0 {
                        size += w;
                        let delta = cell - mean;
                        mean += delta * w / size;
                        spread += w * delta * (cell - mean);
                    }
                }
                let variance = spread / size;
                Scale::Number(if variance > 0.0 { 0.5 / variance } else { 0.0 })
            }
        };
        Self {
            scales: families.iter().enumerate().map(scale).collect(),
        }
    }

    /// Distance of two rows over the columns that both have, scaled up to all columns; 0 where they share none.
    fn distance(&self, cells: &Cells, a: usize, b: usize) -> f64 {
        let (mut sum, mut shared) = (0.0, 0.0);
        for (j, scale) in self.scales.iter().enumerate() {
            let (a, b) = (cells.cell(a, j), cells.cell(b, j));
            if a.is_nan() || b.is_nan() {
                continue;
            }
            shared += 1.0;
            sum += match scale {
                Scale::Number(factor) => ((a - b).powi(2) * factor).min(MOST),
                Scale::Code(_) if a == b => 0.0,
                Scale::Code(apart) => apart.min(MOST),
            };
        }
        if shared > 0.0 {
            sum * self.scales.len() as f64 / shared
        } else {
            0.0
        }
    }

    /// A row for each class, each drawn with probability in proportion to weight times distance from those before.
    fn seeds(&self, cells: &Cells, k: usize, rng: &mut Rng) -> Vec<usize> {
        let weights: Vec<f64> = (0..cells.n_rows).map(|i| cells.weight(i)).collect();
        let mut nearest = vec![f64::INFINITY; cells.n_rows];
        let mut seeds = vec![draw(&weights, rng)];
        while seeds.len() < k {
            let last = seeds[seeds.len() - 1];
            par::fill(&mut nearest, CHUNK * TILE, |rows, nearest| {
                for (i, nearest) in rows.zip(nearest) {
                    *nearest = nearest.min(self.distance(cells, i, last));
                }
            });
            let mass: Vec<f64> = nearest.iter().zip(&weights).map(|(d, w)| d * w).collect();
            let some = mass.iter().any(|&m| m > 0.0);
            seeds.push(draw(if some { &mass } else { &weights }, rng));
        }
        seeds
    }

    /// `exp(-distance)` of a tile's rows to the seeds, each row summing to 1.
    fn memberships(&self, cells: &Cells, seeds: &[usize], t: usize, joint: &mut [[f64; TILE]]) {
        let mut scores = vec![0.0; seeds.len()];
        for l in 0..TILE {
            let i = t * TILE + l;
            if i < cells.n_rows {
                let each = scores.iter_mut().zip(seeds);
                each.for_each(|(score, &seed)| *score = -self.distance(cells, i, seed));
                math::softmax(&mut scores);
            }
            let each = joint.iter_mut().zip(&scores);
            each.for_each(|(joint, &score)| joint[l] = score);
        }
    }
}

/// A place drawn with probability in proportion to its mass; never one without, as long as there is one with.
fn draw(mass: &[f64], rng: &mut Rng) -> usize {
    let mut left = rng.random::<f64>() * mass.iter().sum::<f64>();
    for (i, &m) in mass.iter().enumerate() {
        if m > 0.0 && left < m {
            return i;
        }
        left -= m;
    }
    mass.iter().rposition(|&m| m > 0.0).unwrap_or(0)
}
