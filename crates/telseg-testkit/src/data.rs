//! Data for tests: deterministic to the last bit on every machine (no transcendental function is called).

use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};
use telseg_core::Scalar;
use telseg_core::seed::{Seed, Stream};

/// Rows and their targets, as a check gives them to an estimator.
#[derive(Clone, Debug)]
pub struct Sample<F> {
    /// A row each.
    pub x: Array2<F>,
    /// A number or a class code for each row; zeros where there is no target.
    pub y: Array1<f64>,
}

/// Rows with a number to predict, which depends on the columns by a line, a step and a product, with noise.
#[derive(Clone, Debug)]
pub struct Table<F> {
    /// A row each; every column is bell-shaped with mean 0 and variance 1.
    pub x: Array2<F>,
    /// The number.
    pub y: Array1<f64>,
}

impl<F> Table<F> {
    /// The number cut into classes of equal size, coded from 0.
    pub fn classes(&self, n_classes: u32) -> Array1<u32> {
        let n = self.y.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| self.y[a].total_cmp(&self.y[b]));
        let mut classes = Array1::zeros(n);
        for (rank, &row) in order.iter().enumerate() {
            classes[row] = (rank * n_classes as usize / n) as u32;
        }
        classes
    }
}

/// `n` rows around `k` centres in `d` dimensions, and the centre of each row. Row `i` belongs to centre `i % k` and
/// depends on `i`, `d`, `k` and the seed only. Centres lie in a cube of side 40; noise has variance 1.
pub fn blobs<F: Scalar>(n: usize, d: usize, k: usize, seed: u64) -> (Array2<F>, Array1<u32>) {
    let k = k.max(1);
    let centres = Seed::new(seed).stream("testkit.blobs.centres");
    let noise = Seed::new(seed).stream("testkit.blobs.noise");
    let x = Array2::from_shape_fn((n, d), |(i, j)| {
        let centre = 40.0 * centres.unit((i % k * d + j) as u64) - 20.0;
        F::from_f64(centre + bell(noise, i * d + j))
    });
    (x, Array1::from_shape_fn(n, |i| (i % k) as u32))
}

/// `n` rows of `d` columns and a number to predict; row `i` depends on `i`, `d` and the seed only.
pub fn table<F: Scalar>(n: usize, d: usize, seed: u64) -> Table<F> {
    let cells = Seed::new(seed).stream("testkit.table.cells");
    let noise = Seed::new(seed).stream("testkit.table.noise");
    let x = Array2::from_shape_fn((n, d), |(i, j)| bell(cells, i * d + j));
    let y = Array1::from_shape_fn(n, |i| {
        let at = |j: usize| x.get((i, j)).copied().unwrap_or(0.0);
        let step = if at(1) > 0.3 { 2.0 } else { 0.0 };
        1.5 * at(0) + step + at(2) * at(3) + 0.5 * bell(noise, i)
    });
    Table {
        x: x.mapv(F::from_f64),
        y,
    }
}

/// The sum of four uniform numbers, with mean 0 and variance 1: near enough to normal, and no logarithm in it.
fn bell(stream: Stream, index: usize) -> f64 {
    let sum: f64 = (0..4)
        .map(|part| stream.unit((index * 4 + part) as u64))
        .sum();
    (sum - 2.0) * 3.0f64.sqrt()
}

/// A file or folder of the shared data beside the checkout; where it is missing, says "skipped" and returns `None`.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let path = Path::new(folder).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: ../shared/data/{name} is not there");
    None
}
