//! The cheapest pairing of rows with columns of a table of costs.

use ndarray::ArrayRef2;
use telseg_core::{Error, Result};

/// No row, or no column.
const NONE: usize = usize::MAX;

/// Pairs rows with columns at the least total cost, each used at most once: `min sum_i cost[i, column(i)]`.
///
/// As many pairs as the shorter side has; pairs come in the order of the rows. Of several cheapest pairings the one is
/// found that the search meets first: the same for the same costs.
///
/// # Shapes
/// Any number of rows and columns, none included. A pair of cost `+inf` is forbidden.
///
/// # Errors
/// When a cost is NaN or `-inf`, or forbidden pairs leave no pairing.
///
/// # Cost
/// O(r^2 c) for `r <= c`; memory of one copy of the costs.
///
/// # References
/// R. Jonker, A. Volgenant (1987), "A shortest augmenting path algorithm for dense and sparse linear assignment
/// problems"; D. Crouse (2016), "On implementing 2D rectangular assignment algorithms". Deviation: no reduction of
/// columns beforehand, every row is brought in by its own shortest path.
///
/// # Examples
/// Three callers and four agents, minutes until each has an answer:
/// ```
/// use ndarray::array;
/// use telseg_cluster::temporal::cheapest_pairs;
/// let minutes = array![[4.0, 1.0, 3.0, 9.0], [2.0, 0.0, 5.0, 9.0], [3.0, 2.0, 2.0, 9.0]];
/// assert_eq!(cheapest_pairs(&minutes)?, [(0, 1), (1, 0), (2, 2)]); // 1 + 2 + 2
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn cheapest_pairs(cost: &ArrayRef2<f64>) -> Result<Vec<(usize, usize)>> {
    if let Some((at, c)) = cost
        .indexed_iter()
        .find(|(_, c)| c.is_nan() || **c == f64::NEG_INFINITY)
    {
        return Err(Error::value("cost", format!("{c} is no cost"), at));
    }
    let tall = cost.nrows() > cost.ncols();
    let costs: Vec<f64> = if tall {
        cost.t().iter().copied().collect()
    } else {
        cost.iter().copied().collect()
    };
    let (long, short) = (
        cost.nrows().max(cost.ncols()),
        cost.nrows().min(cost.ncols()),
    );
    let mut pairing = Pairing::new(costs, short, long);
    for row in 0..short {
        if !pairing.bring_in(row) {
            return Err(Error::data("cost", "forbidden pairs leave no pairing"));
        }
    }
    let pairs = pairing.column_of.iter().enumerate();
    let mut pairs: Vec<(usize, usize)> = pairs
        .map(|(i, &j)| if tall { (j, i) } else { (i, j) })
        .collect();
    pairs.sort_unstable();
    Ok(pairs)
}

/// A pairing of some rows that is the cheapest for them, and the prices that prove it: `cost[i, j] - u[i] - v[j]` is
/// never negative, and zero for pairs.
struct Pairing {
    n_columns: usize,
    cost: Vec<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    column_of: Vec<usize>,
    row_of: Vec<usize>,
    /// Of the search at hand: length of the shortest path to each column, the row before it, whether it is final.
    shortest: Vec<f64>,
    before: Vec<usize>,
    is_final: Vec<bool>,
}

impl Pairing {
    fn new(cost: Vec<f64>, n_rows: usize, n_columns: usize) -> Self {
        Self {
            n_columns,
            cost,
            u: vec![0.0; n_rows],
            v: vec![0.0; n_columns],
            column_of: vec![NONE; n_rows],
            row_of: vec![NONE; n_columns],
            shortest: vec![0.0; n_columns],
            before: vec![NONE; n_columns],
            is_final: vec![false; n_columns],
        }
    }

    /// Brings a row in along the shortest augmenting path; `false` when there is none.
    fn bring_in(&mut self, new_row: usize) -> bool {
        self.shortest.fill(f64::INFINITY);
        self.is_final.fill(false);
        let (mut row, mut length) = (new_row, 0.0);
        let sink = loop {
            let costs = &self.cost[row * self.n_columns..][..self.n_columns];
            let mut nearest = NONE;
            for (j, &cost) in costs.iter().enumerate().filter(|&(j, _)| !self.is_final[j]) {
                let path = length + (cost - self.u[row] - self.v[j]);
                if path < self.shortest[j] {
                    (self.shortest[j], self.before[j]) = (path, row);
                }
                // Of columns at the same distance a free one ends the search.
                let better = nearest == NONE
                    || self.shortest[j] < self.shortest[nearest]
                    || (self.shortest[j] == self.shortest[nearest]
                        && self.row_of[j] == NONE
                        && self.row_of[nearest] != NONE);
                if better {
                    nearest = j;
                }
            }
            if nearest == NONE || self.shortest[nearest] == f64::INFINITY {
                return false;
            }
            length = self.shortest[nearest];
            self.is_final[nearest] = true;
            if self.row_of[nearest] == NONE {
                break nearest;
            }
            row = self.row_of[nearest];
        };
        self.reprice(new_row, length);
        self.augment(new_row, sink);
        true
    }

    fn reprice(&mut self, new_row: usize, length: f64) {
        self.u[new_row] += length;
        for j in (0..self.n_columns).filter(|&j| self.is_final[j]) {
            let slack = length - self.shortest[j];
            if self.row_of[j] != NONE {
                self.u[self.row_of[j]] += slack;
            }
            self.v[j] -= slack;
        }
    }

    /// Gives every row on the path the column after it.
    fn augment(&mut self, new_row: usize, sink: usize) {
        let mut column = sink;
        loop {
            let row = self.before[column];
            self.row_of[column] = row;
            std::mem::swap(&mut self.column_of[row], &mut column);
            if row == new_row {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::cheapest_pairs;
    use ndarray::{Array2, array};

    #[test]
    fn by_hand() {
        // The greedy first choice (0, 0) at 1 would force (1, 1) at 100: 101. The best is 2 + 2.
        let cost = array![[1.0, 2.0], [2.0, 100.0]];
        assert_eq!(cheapest_pairs(&cost).unwrap(), [(0, 1), (1, 0)]);
        let tall = array![[5.0], [1.0], [3.0]];
        assert_eq!(cheapest_pairs(&tall).unwrap(), [(1, 0)]);
        assert!(cheapest_pairs(&Array2::zeros((0, 4))).unwrap().is_empty());
        assert!(cheapest_pairs(&Array2::zeros((3, 0))).unwrap().is_empty());
        assert_eq!(cheapest_pairs(&array![[-3.0, -5.0]]).unwrap(), [(0, 1)]);
    }

    #[test]
    fn forbidden_pairs() {
        let inf = f64::INFINITY;
        let cost = array![[inf, 1.0], [7.0, 1.0]];
        assert_eq!(cheapest_pairs(&cost).unwrap(), [(0, 1), (1, 0)]);
        let none = cheapest_pairs(&array![[inf, 1.0], [inf, 1.0]]).unwrap_err();
        assert_eq!(none.to_string(), "cost: forbidden pairs leave no pairing");
        let nan = cheapest_pairs(&array![[f64::NAN]]).unwrap_err();
        assert_eq!(nan.to_string(), "cost: NaN is no cost in row 0, column 0");
    }
}
