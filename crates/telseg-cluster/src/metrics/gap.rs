//! The gap statistic: is there more structure than in rows that have none?

use std::ops::RangeInclusive;

use ndarray::{Array1, Array2, ArrayRef2};
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar, Seed};

use super::groups::Groups;

/// How the gap statistic is computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GapParams {
    /// Sets of rows without structure, at least 2. Default 20.
    pub n_references: usize,
    /// Where these rows are drawn from. Default: a box along the principal axes.
    pub reference: Reference,
    /// Seed of the draws. Default 0.
    pub seed: u64,
}

/// Rows without structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reference {
    /// Evenly from the box that the rows fill along the columns.
    Columns,
    /// Evenly from the box that they fill along their principal axes: the shape of the data as a whole is no structure.
    PrincipalAxes,
}

impl Default for GapParams {
    fn default() -> Self {
        Self {
            n_references: 20,
            reference: Reference::PrincipalAxes,
            seed: 0,
        }
    }
}

impl GapParams {
    /// Sets how many sets of rows without structure are drawn.
    pub fn with_n_references(mut self, n_references: usize) -> Self {
        self.n_references = n_references;
        self
    }

    /// Sets where they are drawn from.
    pub fn with_reference(mut self, reference: Reference) -> Self {
        self.reference = reference;
        self
    }

    /// Sets the seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        if self.n_references < 2 {
            let problem = format!("expected at least 2, found {}", self.n_references);
            return Err(Error::param("n_references", problem));
        }
        Ok(())
    }
}

/// The gap at each number of clusters, and the number that the rule takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gap {
    /// Every number that was tried, ascending.
    pub steps: Vec<GapStep>,
    /// The smallest `k` with `gap(k) >= gap(k + 1) - error(k + 1)`; `None` where the gap rises up to the last number tried,
    /// which may be too few.
    pub chosen: Option<usize>,
}

/// The gap at one number of clusters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GapStep {
    /// Number of clusters.
    pub k: usize,
    /// Logarithm of the sum of squared distances to the clusters' means.
    pub log_within: f64,
    /// Its mean over the references, less itself: positive where rows lie closer together than without structure.
    pub gap: f64,
    /// Standard deviation over the references, times `sqrt(1 + 1 / n_references)`: the references are a sample, too.
    pub error: f64,
}

/// `gap(k) = E log W_k(reference) - log W_k`, with `W_k` the sum of squared distances to the means of `k` clusters.
///
/// `cluster` gets rows and a number of clusters and returns a label for each row; it is called for `x` and for each
/// reference.
///
/// # Errors
/// When a parameter cannot be, `ks` is empty or starts at 0, a value is not finite, `cluster` fails (its error comes back),
/// or all rows lie on the means of their clusters.
///
/// # Cost
/// `n_references + 1` calls of `cluster` for each `k`, in parallel; the principal axes take `O(d^3)`.
///
/// # References
/// R. Tibshirani, G. Walther, T. Hastie (2001), "Estimating the number of clusters in a data set via the gap statistic".
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use telseg_cluster::KMeans;
/// use telseg_cluster::metrics::{GapParams, gap};
/// // Three kinds of subscribers, 40 of each.
/// let usage = Array2::from_shape_fn((120, 2), |(i, j)| {
///     [[0.0, 0.0], [9.0, 0.0], [9.0, 3.0]][i % 3][j] + (i * (7 + j) % 11) as f32 * 0.1
/// });
/// let found = gap(&usage, 1..=5, &GapParams::default(), |x, k| Ok(KMeans::params(k).fit(x)?.labels().clone()))?;
/// assert_eq!(found.chosen, Some(3));
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn gap<F: Scalar>(
    x: &ArrayRef2<F>,
    ks: RangeInclusive<usize>,
    params: &GapParams,
    cluster: impl Fn(&ArrayRef2<F>, usize) -> Result<Array1<u32>> + Sync,
) -> Result<Gap> {
    params.validate()?;
    if *ks.start() == 0 || ks.is_empty() {
        let problem = format!(
            "expected a range from at least 1 up, found {}..={}",
            ks.start(),
            ks.end()
        );
        return Err(Error::param("ks", problem));
    }
    let frame = Frame::new(x, params.reference)?;
    let of = |rows: &ArrayRef2<F>| -> Result<Vec<f64>> {
        ks.clone()
            .map(|k| log_within(rows, &cluster(rows, k)?))
            .collect()
    };
    let own = of(x)?;
    let references: Result<Vec<Vec<f64>>> = (0..params.n_references as u64)
        .into_par_iter()
        .map(|reference| of(&frame.draw::<F>(x.nrows(), params.seed, reference)))
        .collect();
    let references = references?;
    let n = references.len() as f64;
    let step = |(at, k): (usize, usize)| {
        let mean = references.iter().map(|r| r[at]).sum::<f64>() / n;
        let variance = references
            .iter()
            .map(|r| (r[at] - mean).powi(2))
            .sum::<f64>()
            / n;
        GapStep {
            k,
            log_within: own[at],
            gap: mean - own[at],
            error: (variance * (1.0 + 1.0 / n)).sqrt(),
        }
    };
    let steps: Vec<GapStep> = ks.clone().enumerate().map(step).collect();
    let enough = steps.windows(2).find(|w| w[0].gap >= w[1].gap - w[1].error);
    Ok(Gap {
        chosen: enough.map(|w| w[0].k),
        steps,
    })
}

fn log_within<F: Scalar>(x: &ArrayRef2<F>, labels: &Array1<u32>) -> Result<f64> {
    let within = Groups::new(x, labels, None, 1)?.within();
    if within > 0.0 {
        return Ok(within.ln());
    }
    let problem = "all rows lie on the means of their clusters, so the gap is not defined";
    Err(Error::data("x", problem))
}

/// The box that rows fill.
struct Frame {
    mean: Vec<f64>,
    /// One axis a row.
    axes: Array2<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Frame {
    fn new<F: Scalar>(x: &ArrayRef2<F>, reference: Reference) -> Result<Self> {
        // One cluster of all rows: the checks, and the mean.
        let all = Groups::new(x, &Array1::zeros(x.nrows()), None, 1)?;
        let (mean, d) = (all.means[0].clone(), x.ncols());
        let axes = match reference {
            Reference::Columns => Array2::eye(d),
            Reference::PrincipalAxes => {
                let mut scatter = Array2::<f64>::zeros((d, d));
                for row in all.rows.chunks_exact(d) {
                    let off: Vec<f64> = row
                        .iter()
                        .zip(&mean)
                        .map(|(v, m)| v.into_f64() - m)
                        .collect();
                    for i in 0..d {
                        for j in 0..d {
                            scatter[[i, j]] += off[i] * off[j];
                        }
                    }
                }
                axes(scatter)
            }
        };
        let (mut low, mut high) = (vec![f64::INFINITY; d], vec![f64::NEG_INFINITY; d]);
        for row in all.rows.chunks_exact(d) {
            for (a, axis) in axes.rows().into_iter().enumerate() {
                let at: f64 = axis
                    .iter()
                    .zip(row)
                    .zip(&mean)
                    .map(|((a, v), m)| a * (v.into_f64() - m))
                    .sum();
                low[a] = low[a].min(at);
                high[a] = high[a].max(at);
            }
        }
        Ok(Self {
            mean,
            axes,
            low,
            high,
        })
    }

    fn draw<F: Scalar>(&self, n: usize, seed: u64, reference: u64) -> Array2<F> {
        let mut rng = Seed::new(seed).stream("cluster.gap").index(reference);
        let d = self.mean.len();
        let mut rows = Array2::zeros((n, d));
        for mut row in rows.rows_mut() {
            let mut at = self.mean.clone();
            for (axis, (low, high)) in self
                .axes
                .rows()
                .into_iter()
                .zip(self.low.iter().zip(&self.high))
            {
                let along = low + (high - low) * rng.random::<f64>();
                at.iter_mut().zip(axis).for_each(|(at, a)| *at += along * a);
            }
            row.iter_mut()
                .zip(at)
                .for_each(|(cell, at)| *cell = F::from_f64(at));
        }
        rows
    }
}

/// Eigenvectors of a symmetric matrix, one a row, by Jacobi's rotations.
fn axes(mut matrix: Array2<f64>) -> Array2<f64> {
    let d = matrix.nrows();
    let mut axes = Array2::<f64>::eye(d);
    for _ in 0..30 {
        let off: f64 = (0..d)
            .map(|i| (0..i).map(|j| matrix[[i, j]].powi(2)).sum::<f64>())
            .sum();
        let on: f64 = (0..d).map(|i| matrix[[i, i]].powi(2)).sum();
        if off <= 1e-24 * on {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                let between = matrix[[p, q]];
                if between == 0.0 {
                    continue;
                }
                // The angle that makes it zero (Golub & Van Loan 2013, algorithm 8.5.1).
                let tau = (matrix[[q, q]] - matrix[[p, p]]) / (2.0 * between);
                let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let t = if tau == 0.0 { 1.0 } else { t };
                let c = 1.0 / (1.0 + t * t).sqrt();
                let turn = |a: f64, b: f64| (c * a - t * c * b, t * c * a + c * b);
                for i in 0..d {
                    (matrix[[i, p]], matrix[[i, q]]) = turn(matrix[[i, p]], matrix[[i, q]]);
                }
                for i in 0..d {
                    (matrix[[p, i]], matrix[[q, i]]) = turn(matrix[[p, i]], matrix[[q, i]]);
                    (axes[[p, i]], axes[[q, i]]) = turn(axes[[p, i]], axes[[q, i]]);
                }
            }
        }
    }
    axes
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn axes_of_a_symmetric_matrix() {
        // Eigenvalues 1, 3 and 5: along (1, -1, 0), (1, 1, 0) and the third column.
        let matrix = array![[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 5.0]];
        let axes = axes(matrix.clone());
        let turned = axes.dot(&matrix).dot(&axes.t());
        for ((i, j), v) in turned.indexed_iter() {
            let expected = if i == j {
                [1.0, 3.0, 5.0].iter().any(|e| (v - e).abs() < 1e-12)
            } else {
                v.abs() < 1e-12
            };
            assert!(expected, "{turned}");
        }
    }

    #[test]
    fn a_frame_along_the_axes_is_narrower_than_along_the_columns() {
        // Rows along a diagonal, 0.1 wide.
        let x = Array2::from_shape_fn((200, 2), |(i, j)| {
            i as f64 * 0.05 + 0.1 * (((i * (3 + 4 * j)) % 10) as f64 / 10.0)
        });
        let area = |reference| {
            let frame = Frame::new(&x, reference).unwrap();
            frame
                .low
                .iter()
                .zip(&frame.high)
                .map(|(low, high)| high - low)
                .product::<f64>()
        };
        assert!(area(Reference::PrincipalAxes) < 0.05 * area(Reference::Columns));
        let frame = Frame::new(&x, Reference::PrincipalAxes).unwrap();
        let drawn = frame.draw::<f64>(500, 1, 0);
        assert!(
            drawn
                .rows()
                .into_iter()
                .all(|row| (row[0] - row[1]).abs() < 0.11),
            "{drawn}"
        );
    }
}
