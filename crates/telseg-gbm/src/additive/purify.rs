//! Moves what a surface says of one column alone into that column's curve, so that each effect has one place.
//!
//! # References
//! B. Lengerich, S. Tan, C. Chang, G. Hooker, R. Caruana (2020), "Purifying interaction effects with the functional ANOVA".

/// Sweeps over rows and columns; what is left after them is far below what a curve shows.
const SWEEPS: usize = 1000;
/// Means below this are 0.
const TINY: f64 = 1e-12;

/// Takes weighted means of rows and columns out of `table` until none is left; returns them.
///
/// Rows and columns without weight keep their values: nothing is known of them.
pub(super) fn purify(
    table: &mut [f64],
    weights: &[f64],
    (n, m): (usize, usize),
) -> (Vec<f64>, Vec<f64>) {
    let (mut rows, mut columns) = (vec![0.0; n], vec![0.0; m]);
    for _ in 0..SWEEPS {
        let mut largest: f64 = 0.0;
        for (i, row) in rows.iter_mut().enumerate() {
            largest = largest.max(take_mean(table, weights, (i * m, 1, m), row));
        }
        for (j, column) in columns.iter_mut().enumerate() {
            largest = largest.max(take_mean(table, weights, (j, m, n), column));
        }
        if largest < TINY {
            break;
        }
    }
    (rows, columns)
}

/// Moves the mean of the cells `from`, `from + by`, ... to `sum`; returns its size.
fn take_mean(
    table: &mut [f64],
    weights: &[f64],
    (from, by, n): (usize, usize, usize),
    sum: &mut f64,
) -> f64 {
    let cells = (0..n).map(|k| from + k * by);
    let (mut total, mut weight) = (0.0, 0.0);
    for cell in cells.clone() {
        total += weights[cell] * table[cell];
        weight += weights[cell];
    }
    if weight <= 0.0 {
        return 0.0;
    }
    let mean = total / weight;
    cells.for_each(|cell| table[cell] -= mean);
    *sum += mean;
    mean.abs()
}

/// Moves the weighted mean of a curve into the intercept.
pub(super) fn centre(curve: &mut [f64], weights: &[f64], intercept: &mut f64) {
    take_mean(curve, weights, (0, 1, curve.len()), intercept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_surface_stays_and_main_effects_leave() {
        // Cells 10 r + c + (-1)^(r + c): with equal weights the signs alone are pure.
        let sign = |i: usize, j: usize| if (i + j).is_multiple_of(2) { 1.0 } else { -1.0 };
        let full = |i: usize, j: usize| 10.0 * i as f64 + j as f64 + sign(i, j);
        let mut table: Vec<f64> = (0..8).map(|k| full(k / 4, k % 4)).collect();
        let (rows, columns) = purify(&mut table, &[1.0; 8], (2, 4));
        for k in 0..8 {
            assert!((table[k] - sign(k / 4, k % 4)).abs() < 1e-9, "{table:?}");
            let sum = table[k] + rows[k / 4] + columns[k % 4];
            assert!((sum - full(k / 4, k % 4)).abs() < 1e-9);
        }
    }

    #[test]
    fn unequal_weights_leave_weighted_means_of_zero() {
        let mut table: Vec<f64> = (0..9).map(|k| ((k * 7 + 3) % 5) as f64).collect();
        let before = table.clone();
        let weights: Vec<f64> = (0..9).map(|k| ((k * 4) % 7) as f64).collect();
        let (rows, columns) = purify(&mut table, &weights, (3, 3));
        for i in 0..3 {
            let row: f64 = (0..3).map(|j| weights[i * 3 + j] * table[i * 3 + j]).sum();
            let column: f64 = (0..3).map(|j| weights[j * 3 + i] * table[j * 3 + i]).sum();
            assert!(row.abs() < 1e-9 && column.abs() < 1e-9);
        }
        for k in 0..9 {
            assert!((table[k] + rows[k / 3] + columns[k % 3] - before[k]).abs() < 1e-9);
        }
    }
}
