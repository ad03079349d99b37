//! Rows that are equal merge first, at height 0, whatever the linkage: one of them stands for all.

use rayon::prelude::*;
use telseg_core::Scalar;

/// The rows that take part, each kind of row once.
pub(super) struct Distinct {
    /// First row of each kind, ascending.
    pub(super) rows: Vec<u32>,
    /// Kind of every row that takes part; `NONE` for those without weight.
    pub(super) kind_of: Vec<u32>,
    /// Weight of each kind.
    pub(super) weights: Vec<f64>,
}

/// The kind of a row that takes no part.
pub(super) const NONE: u32 = u32::MAX;

impl Distinct {
    /// Kinds of the rows whose weight is above 0; each row is of its own kind where `together` is false.
    pub(super) fn new<F: Scalar>(
        values: &[F],
        n_columns: usize,
        weight: impl Fn(usize) -> f64,
        together: bool,
    ) -> Self {
        let n = values.len() / n_columns;
        let row = |i: u32| &values[i as usize * n_columns..][..n_columns];
        let mut order: Vec<u32> = (0..n as u32)
            .filter(|&i| weight(i as usize) > 0.0)
            .collect();
        if together {
            order.par_sort_unstable_by(|&a, &b| {
                let rows = row(a).partial_cmp(row(b));
                rows.unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(&b))
            });
        }
        let mut first = vec![NONE; n];
        let mut of = NONE;
        for &i in &order {
            if !together || of == NONE || row(of) != row(i) {
                of = i;
            }
            first[i as usize] = of;
        }
        let (mut rows, mut weights, mut kind_of) = (Vec::new(), Vec::<f64>::new(), vec![NONE; n]);
        for i in 0..n {
            if first[i] == NONE {
                continue;
            }
            if first[i] as usize == i {
                kind_of[i] = rows.len() as u32;
                rows.push(i as u32);
                weights.push(0.0);
            } else {
                kind_of[i] = kind_of[first[i] as usize];
            }
            weights[kind_of[i] as usize] += weight(i);
        }
        Self {
            rows,
            kind_of,
            weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_found_wherever_they_lie() {
        let values = [2.0, 1.0, 0.0, 0.0, 2.0, 1.0, 5.0, 5.0, -0.0, 0.0];
        let weights = [1.0, 2.0, 4.0, 0.0, 8.0];
        let kinds = Distinct::new(&values, 2, |i| weights[i], true);
        assert_eq!(kinds.rows, [0, 1]);
        assert_eq!(kinds.kind_of, [0, 1, 0, NONE, 1]);
        assert_eq!(kinds.weights, [5.0, 10.0]);
        let kinds = Distinct::new(&values, 2, |i| weights[i], false);
        assert_eq!(kinds.rows, [0, 1, 2, 4]);
        assert_eq!(kinds.weights, [1.0, 2.0, 4.0, 8.0]);
    }
}
