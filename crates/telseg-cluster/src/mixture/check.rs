//! Checks that the parameters of all mixtures share.

use ndarray::Array2;
use telseg_core::{Error, Result};

/// Counts of at least 1, then numbers of at least 0; both by name.
pub(super) fn sizes(
    counts: &[(&'static str, usize)],
    numbers: &[(&'static str, f64)],
) -> Result<()> {
    if let Some((name, _)) = counts.iter().find(|(_, value)| *value == 0) {
        return Err(Error::param(*name, "expected at least 1, found 0"));
    }
    match numbers.iter().find(|(_, v)| !(*v >= 0.0 && v.is_finite())) {
        Some((name, value)) => {
            let problem = format!("expected a number of at least 0, found {value}");
            Err(Error::param(*name, problem))
        }
        None => Ok(()),
    }
}

/// One start only where the start is given.
pub(super) fn starts(n_init: usize, given: bool) -> Result<()> {
    if n_init == 1 || !given {
        return Ok(());
    }
    let problem =
        format!("expected 1 with a given start (all starts are the same), found {n_init}");
    Err(Error::param("n_init", problem))
}

/// A column for each of `k` components, and rows that sum to 1.
pub(super) fn responsibilities(r: &Array2<f64>, k: usize) -> Result<()> {
    if r.ncols() != k {
        let found = r.ncols();
        let problem = format!("expected {k} columns (n_components), found {found}");
        return Err(Error::param("init", problem));
    }
    let is_sound = |row: ndarray::ArrayView1<'_, f64>| {
        row.iter().all(|&v| v >= 0.0) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-6
    };
    match r.rows().into_iter().position(|row| !is_sound(row)) {
        Some(i) => {
            let problem = format!("row {i} is not of shares that sum to 1");
            Err(Error::param("init", problem))
        }
        None => Ok(()),
    }
}
