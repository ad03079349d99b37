//! Logarithms of factorials.

use std::sync::LazyLock;

use telseg_core::kernel::TILE;

const TABLE: usize = 1024;

static LOG_FACTORIAL: LazyLock<[f64; TABLE]> = LazyLock::new(|| {
    let mut sum = 0.0;
    std::array::from_fn(|n| {
        sum += if n > 1 { (n as f64).ln() } else { 0.0 };
        sum
    })
});

/// `ln n!` of a whole number: from a table, then by Stirling's series, whose next term is below 1e-18 there.
pub(super) fn log_factorial(n: f64) -> f64 {
    match LOG_FACTORIAL.get(n as usize) {
        Some(value) => *value,
        None => {
            let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3));
            (n + 0.5) * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
        }
    }
}

/// The same of all cells of a tile; of a missing one, 0.
pub(super) fn log_factorials(cells: &[f64; TILE]) -> [f64; TILE] {
    let table: &[f64; TABLE] = &LOG_FACTORIAL;
    cells.map(|n| match table.get(n as usize) {
        Some(value) => *value, // of a missing cell, the first
        None => log_factorial(n),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials_are_right_on_both_sides_of_the_table() {
        assert_eq!(log_factorial(0.0), 0.0);
        assert!((log_factorial(5.0) - 120f64.ln()).abs() < 1e-14);
        let step = log_factorial(1024.0) - log_factorial(1023.0);
        assert!((step - 1024f64.ln()).abs() < 1e-10);
        let mut cells = [2000.0; TILE];
        (cells[0], cells[1]) = (5.0, f64::NAN);
        let found = log_factorials(&cells);
        assert_eq!(found[..3], [log_factorial(5.0), 0.0, log_factorial(2000.0)]);
    }
}
