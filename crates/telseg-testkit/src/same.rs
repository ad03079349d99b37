//! What "the same" means, and threads to try it on.

use ndarray::{Array, Array2, ArrayRef2, Dimension, RemoveAxis};

/// Whether two arrays have the same shape and the same bits, NaN included.
pub fn same_bits(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> bool {
    a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Any array as a table with the same rows: what an estimator says of a row, in one line.
///
/// # Examples
/// ```
/// let labels = ndarray::array![2u32, 0];
/// assert_eq!(telseg_testkit::as_rows(labels), ndarray::array![[2.0], [0.0]]);
/// ```
pub fn as_rows<T: Into<f64> + Copy, D: Dimension + RemoveAxis>(array: Array<T, D>) -> Array2<f64> {
    let rows = array.shape()[0];
    let columns = array.shape()[1..].iter().product();
    let cells = array.iter().map(|&cell| cell.into()).collect();
    Array2::from_shape_vec((rows, columns), cells).expect("invariant: as many cells as before")
}

/// Runs a closure in a rayon pool of so many threads.
pub fn pool<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("invariant: the system gives a test a few threads")
        .install(run)
}
