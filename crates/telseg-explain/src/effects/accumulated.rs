//! Accumulated local effects: differences within narrow bins, over the rows that are there, added up.

use ndarray::{Array1, Array2, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::{distinct, known};
use crate::agnostic::ask;

/// Parameters of [`AccumulatedEffect`]; start from [`AccumulatedEffect::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccumulatedParams {
    /// Bins, at most, of about as many rows each. 20 unless set.
    pub n_bins: usize,
}

impl Default for AccumulatedParams {
    fn default() -> Self {
        Self { n_bins: 20 }
    }
}

impl AccumulatedParams {
    /// Sets the number of bins.
    pub fn with_n_bins(mut self, n_bins: usize) -> Self {
        self.n_bins = n_bins;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// `n_bins` must be at least 1.
    pub fn validate(&self) -> Result<()> {
        if self.n_bins == 0 {
            return Err(Error::param("n_bins", "must be at least 1, found 0"));
        }
        Ok(())
    }

    /// The effect of one column. Rows without a finite value there are left out.
    ///
    /// # Errors
    /// When a parameter cannot be, the column does not exist or has no finite value, or the model fails.
    pub fn fit(
        &self,
        x: &ArrayRef2<f32>,
        feature: usize,
        score: impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
    ) -> Result<AccumulatedEffect> {
        self.validate()?;
        let bins = Bins::new(known(x, feature)?, self.n_bins);
        let place: Vec<Option<usize>> = x.column(feature).iter().map(|v| bins.of(*v)).collect();
        let at = |side: usize| {
            let mut rows = x.to_owned();
            for (to, bin) in rows.column_mut(feature).iter_mut().zip(&place) {
                *to = bin.map_or(*to, |bin| bins.edges[bin + side]);
            }
            ask(&score, &rows)
        };
        let (low, high) = (at(0)?, at(1)?);
        let mut sums = vec![(0.0, 0usize); bins.len()];
        for (bin, (low, high)) in place.iter().zip(low.iter().zip(&high)) {
            if let Some(bin) = bin {
                sums[*bin].0 += high - low;
                sums[*bin].1 += 1;
            }
        }
        let mut effect = accumulate(sums.iter().map(|(sum, n)| sum / *n as f64));
        let counts: Vec<usize> = sums.iter().map(|s| s.1).collect();
        let middle = |(bin, n): (usize, &usize)| 0.5 * (effect[bin] + effect[bin + 1]) * *n as f64;
        let mean = counts.iter().enumerate().map(middle).sum::<f64>()
            / counts.iter().sum::<usize>() as f64;
        effect.iter_mut().for_each(|e| *e -= mean);
        Ok(AccumulatedEffect {
            feature,
            edges: bins.edges,
            effect,
            counts,
        })
    }

    /// The effect that two columns have together, beyond what each has alone. Rows without finite values are left out; a
    /// cell without rows takes the difference of the nearest one that has some (in bins; the first of equals).
    ///
    /// # Errors
    /// As [`fit`](Self::fit); and when the two are the same column.
    pub fn fit_pair(
        &self,
        x: &ArrayRef2<f32>,
        features: [usize; 2],
        score: impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
    ) -> Result<AccumulatedPair> {
        self.validate()?;
        let [a, b] = features;
        if a == b {
            return Err(Error::param(
                "features",
                format!("must be two columns, found {a} twice"),
            ));
        }
        let bins = [
            Bins::new(known(x, a)?, self.n_bins),
            Bins::new(known(x, b)?, self.n_bins),
        ];
        let cell =
            |row: ndarray::ArrayView1<'_, f32>| Some([bins[0].of(row[a])?, bins[1].of(row[b])?]);
        let place: Vec<Option<[usize; 2]>> = x.outer_iter().map(cell).collect();
        if place.iter().all(Option::is_none) {
            let problem = format!("has no row with finite values in columns {a} and {b}");
            return Err(Error::data("x", problem));
        }
        let mut second: Array1<f64> = Array1::zeros(x.nrows());
        for (sides, sign) in [([1, 1], 1.0), ([1, 0], -1.0), ([0, 1], -1.0), ([0, 0], 1.0)] {
            let mut rows = x.to_owned();
            for (mut row, cell) in rows.outer_iter_mut().zip(&place) {
                if let Some(cell) = cell {
                    row[a] = bins[0].edges[cell[0] + sides[0]];
                    row[b] = bins[1].edges[cell[1] + sides[1]];
                }
            }
            second.scaled_add(sign, &ask(&score, &rows)?);
        }
        let shape = (bins[0].len(), bins[1].len());
        let (mut sums, mut counts) = (Array2::<f64>::zeros(shape), Array2::<usize>::zeros(shape));
        for (cell, difference) in place.iter().zip(&second) {
            if let Some(cell) = *cell {
                sums[cell] += difference;
                counts[cell] += 1;
            }
        }
        let effect = pair_effect(&filled(&sums, &counts), &counts);
        let [first, second] = bins;
        Ok(AccumulatedPair {
            features,
            edges: [first.edges, second.edges],
            effect,
            counts,
        })
    }

    /// The effect of the levels of a column of codes, which follow each other in the order that is given: a row is compared
    /// with the levels before and after its own. Rows of other levels are left out.
    ///
    /// # Errors
    /// When a parameter cannot be, the column does not exist, there are fewer than 2 levels or one twice, no row has one, or
    /// the model fails.
    pub fn fit_levels(
        &self,
        x: &ArrayRef2<f32>,
        feature: usize,
        levels: &[f32],
        score: impl Fn(&Array2<f32>) -> Result<Array1<f64>>,
    ) -> Result<AccumulatedLevels> {
        self.validate()?;
        known(x, feature)?;
        let twice = levels
            .iter()
            .enumerate()
            .any(|(i, level)| levels[..i].contains(level));
        if levels.len() < 2 || twice || levels.iter().any(|l| !l.is_finite()) {
            let problem = format!("must be 2 or more different numbers, found {levels:?}");
            return Err(Error::param("levels", problem));
        }
        let place = |v: &f32| levels.iter().position(|level| level == v);
        let place: Vec<Option<usize>> = x.column(feature).iter().map(place).collect();
        let mut counts = vec![0usize; levels.len()];
        place.iter().flatten().for_each(|&level| counts[level] += 1);
        let total: usize = counts.iter().sum();
        if total == 0 {
            return Err(Error::data(
                "x",
                format!("has none of the levels in column {feature}"),
            ));
        }
        let shifted = |by: isize| {
            let mut rows = x.to_owned();
            for (to, level) in rows.column_mut(feature).iter_mut().zip(&place) {
                let other = level.and_then(|level| level.checked_add_signed(by));
                *to = other
                    .and_then(|other| levels.get(other))
                    .copied()
                    .unwrap_or(*to);
            }
            ask(&score, &rows)
        };
        let (before, here, after) = (shifted(-1)?, shifted(0)?, shifted(1)?);
        // Step k leads from level k to level k + 1.
        let mut sums = vec![(0.0, 0usize); levels.len() - 1];
        for (row, level) in place.iter().enumerate() {
            let Some(level) = *level else { continue };
            if level > 0 {
                sums[level - 1].0 += here[row] - before[row];
                sums[level - 1].1 += 1;
            }
            if level + 1 < levels.len() {
                sums[level].0 += after[row] - here[row];
                sums[level].1 += 1;
            }
        }
        // A step between two levels that no row has: nothing is known of it.
        let step = |(sum, n): &(f64, usize)| if *n == 0 { 0.0 } else { sum / *n as f64 };
        let mut effect = accumulate(sums.iter().map(step));
        let mean = effect
            .iter()
            .zip(&counts)
            .map(|(e, n)| e * *n as f64)
            .sum::<f64>()
            / total as f64;
        effect.iter_mut().for_each(|e| *e -= mean);
        Ok(AccumulatedLevels {
            feature,
            levels: levels.to_vec(),
            effect,
            counts,
        })
    }
}

/// What the score does as one column moves, told by rows that are there: free of the impossible rows that partial
/// dependence makes of correlated columns. Its mean over the rows is 0.
///
/// # Cost
/// Two model scores for each row, whatever the number of bins; four for a pair, three for levels.
///
/// # Examples
/// ```
/// use ndarray::{Array2, Axis};
/// use telseg_explain::AccumulatedEffect;
/// // Calls and minutes move together; the model looks at calls alone.
/// let x = Array2::from_shape_fn((200, 2), |(i, j)| i as f32 + (i * (j + 3) % 7) as f32);
/// let model = |rows: &Array2<f32>| Ok(rows.map_axis(Axis(1), |r| 0.5 * f64::from(r[0])));
/// let calls = AccumulatedEffect::params().fit(&x, 0, model)?;
/// let (start, end) = (calls.edges[0], calls.edges[calls.edges.len() - 1]);
/// let rise = calls.effect[calls.effect.len() - 1] - calls.effect[0];
/// assert!((rise - 0.5 * f64::from(end - start)).abs() < 1e-9);
/// assert!(AccumulatedEffect::params().fit(&x, 1, model)?.effect.iter().all(|e| e.abs() < 1e-12));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccumulatedEffect {
    /// Column, counted from 0.
    pub feature: usize,
    /// Edges of the bins, ascending: quantiles that are values of the data.
    pub edges: Vec<f32>,
    /// Effect at each edge.
    pub effect: Vec<f64>,
    /// Rows of each bin, its upper edge included.
    pub counts: Vec<usize>,
}

impl AccumulatedEffect {
    /// What to ask for: 20 bins.
    pub fn params() -> AccumulatedParams {
        AccumulatedParams::default()
    }
}

/// What two columns do together, beyond what each does alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccumulatedPair {
    /// Columns, counted from 0.
    pub features: [usize; 2],
    /// Edges of the bins of each.
    pub edges: [Vec<f32>; 2],
    /// Effect: edges of the first by edges of the second.
    pub effect: Array2<f64>,
    /// Rows of each cell.
    pub counts: Array2<usize>,
}

/// What the levels of a column do to the score, as against the mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccumulatedLevels {
    /// Column, counted from 0.
    pub feature: usize,
    /// Levels in their order.
    pub levels: Vec<f32>,
    /// Effect of each.
    pub effect: Vec<f64>,
    /// Rows of each.
    pub counts: Vec<usize>,
}

/// Bins of a column: a value belongs to that whose upper edge is the first not below it; the lowest edge to the first bin.
struct Bins {
    edges: Vec<f32>,
}

impl Bins {
    /// Edges are order statistics, so that every bin has rows.
    fn new(sorted: Vec<f32>, n_bins: usize) -> Self {
        let n = sorted.len();
        let at = |k: usize| sorted[(n * k).div_ceil(n_bins).max(1) - 1];
        let mut edges = distinct((0..=n_bins).map(at).collect());
        if edges.len() == 1 {
            edges.push(edges[0]); // a constant: one bin without width
        }
        Self { edges }
    }

    fn len(&self) -> usize {
        self.edges.len() - 1
    }

    fn of(&self, value: f32) -> Option<usize> {
        let above = self.edges.partition_point(|edge| *edge < value);
        value.is_finite().then(|| above.clamp(1, self.len()) - 1)
    }
}

/// 0, and the sums so far.
fn accumulate(steps: impl Iterator<Item = f64>) -> Vec<f64> {
    let sums = steps.scan(0.0, |sum, step| {
        *sum += step;
        Some(*sum)
    });
    [0.0].into_iter().chain(sums).collect()
}

/// The mean difference of each cell.
fn filled(sums: &Array2<f64>, counts: &Array2<usize>) -> Array2<f64> {
    let full: Vec<[usize; 2]> = counts
        .indexed_iter()
        .filter(|(_, n)| **n > 0)
        .map(|((i, j), _)| [i, j])
        .collect();
    let far = |[i, j]: [usize; 2], [k, l]: [usize; 2]| i.abs_diff(k).pow(2) + j.abs_diff(l).pow(2);
    Array2::from_shape_fn(counts.dim(), |(i, j)| {
        let nearest = full.iter().min_by_key(|cell| far(**cell, [i, j]));
        nearest.map_or(0.0, |cell| sums[*cell] / counts[*cell] as f64)
    })
}

/// Differences added up along both columns, less the effects of each alone (Apley & Zhu 2020, eq. 14 to 17).
fn pair_effect(differences: &Array2<f64>, counts: &Array2<usize>) -> Array2<f64> {
    let (n, m) = differences.dim();
    let mut effect = Array2::<f64>::zeros((n + 1, m + 1));
    for i in 0..n {
        for j in 0..m {
            effect[[i + 1, j + 1]] =
                differences[[i, j]] + effect[[i, j + 1]] + effect[[i + 1, j]] - effect[[i, j]];
        }
    }
    let count = |i: usize, j: usize| counts[[i, j]] as f64;
    let share = |sum: f64, n: f64| if n > 0.0 { sum / n } else { 0.0 };
    let along = |i: usize| {
        let rise = |j: usize| effect[[i + 1, j]] - effect[[i, j]];
        let sum = (0..m)
            .map(|j| count(i, j) * 0.5 * (rise(j) + rise(j + 1)))
            .sum();
        share(sum, (0..m).map(|j| count(i, j)).sum())
    };
    let across = |j: usize| {
        let rise = |i: usize| effect[[i, j + 1]] - effect[[i, j]];
        let sum = (0..n)
            .map(|i| count(i, j) * 0.5 * (rise(i) + rise(i + 1)))
            .sum();
        share(sum, (0..n).map(|i| count(i, j)).sum())
    };
    let (first, second) = (
        accumulate((0..n).map(along)),
        accumulate((0..m).map(across)),
    );
    for ((i, j), e) in effect.indexed_iter_mut() {
        *e -= first[i] + second[j];
    }
    let corners = |i: usize, j: usize| {
        effect[[i, j]] + effect[[i + 1, j]] + effect[[i, j + 1]] + effect[[i + 1, j + 1]]
    };
    let cells = (0..n).flat_map(|i| (0..m).map(move |j| (i, j)));
    let sum: f64 = cells.map(|(i, j)| 0.25 * count(i, j) * corners(i, j)).sum();
    let mean = sum / counts.sum() as f64;
    effect - mean
}
