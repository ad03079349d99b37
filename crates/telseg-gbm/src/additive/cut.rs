//! The step of one column: its places parted into a few pieces, and a Newton step for each.

use super::EbmParams;
use super::cycle::Sums;

/// Gradient, hessian and rows of a run of places.
pub(super) type Mass = [f64; 3];

pub(super) fn minus(a: Mass, b: Mass) -> Mass {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn plus(a: Mass, b: Mass) -> Mass {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// What a Newton step of this mass takes off the loss, times two.
pub(super) fn gain([g, h, _]: Mass, l2: f64) -> f64 {
    if h + l2 > 0.0 { g * g / (h + l2) } else { 0.0 }
}

/// The Newton step of a mass, times the learning rate.
pub(super) fn newton([g, h, _]: Mass, params: &EbmParams) -> f64 {
    let curvature = h + params.l2;
    if curvature > 0.0 {
        -params.learning_rate * g / curvature
    } else {
        0.0
    }
}

/// Puts levels in order of the ratio of their slopes; cutting them in that order finds the best two sets
/// (W. Fisher 1958, "On grouping for maximum homogeneity").
pub(super) fn sort_levels(order: &mut [usize], smooth: f64, mass: impl Fn(usize) -> Mass) {
    let ratio = |place: usize| {
        let [g, h, _] = mass(place);
        if h + smooth > 0.0 {
            g / (h + smooth)
        } else {
            0.0
        }
    };
    order.sort_by(|&a, &b| ratio(a).total_cmp(&ratio(b)).then(a.cmp(&b)));
}

/// Best place to cut a run of masses, given by their running sums (`ends[i]` is the sum of all before `i`): how many
/// belong to the first part, and what the cut gains.
pub(super) fn best_cut(ends: &[Mass], (min_rows, l2): (f64, f64)) -> Option<(usize, f64)> {
    let (first, last) = (*ends.first()?, *ends.last()?);
    let whole = gain(minus(last, first), l2);
    let mut best = None;
    for (i, &end) in ends.iter().enumerate().take(ends.len() - 1).skip(1) {
        let (left, right) = (minus(end, first), minus(last, end));
        if left[2] < min_rows || right[2] < min_rows {
            continue;
        }
        let gained = gain(left, l2) + gain(right, l2) - whole;
        if gained > best.map_or(0.0, |b: (usize, f64)| b.1) {
            best = Some((i, gained));
        }
    }
    best
}

/// A run of the order, from a place up to another, and where it is best cut.
type Run = (usize, usize, Option<(usize, f64)>);

/// Steps of single columns; keeps what it allocates.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    order: Vec<usize>,
    ends: Vec<Mass>,
    pieces: Vec<Run>,
}

impl Cutter {
    /// Writes what is to be added to each place of a column of so many `rows` a place.
    ///
    /// Missing values are a piece of their own, so that no range need speak for them.
    pub(super) fn step(
        &mut self,
        params: &EbmParams,
        (rows, numeric): (&[f64], bool),
        sums: &[Sums],
        out: &mut [f64],
    ) {
        let mass = |place: usize| [sums[place][0], sums[place][1], rows[place]];
        let (min_rows, l2) = (params.min_rows_leaf as f64, params.l2);
        out[0] = if rows[0] >= min_rows {
            newton(mass(0), params)
        } else {
            0.0
        };
        self.order.clear();
        self.order.extend(1..sums.len());
        if !numeric {
            sort_levels(&mut self.order, params.cat_smooth, mass);
        }
        self.ends.clear();
        self.ends.push([0.0; 3]);
        for &place in &self.order {
            let last = self.ends[self.ends.len() - 1];
            self.ends.push(plus(last, mass(place)));
        }
        let rule = (min_rows, l2);
        self.pieces.clear();
        let n = self.order.len();
        self.pieces.push((0, n, best_cut(&self.ends, rule)));
        while self.pieces.len() < params.max_leaves {
            let gain = |i: usize| self.pieces[i].2.map_or(0.0, |cut| cut.1);
            let Some(i) =
                (0..self.pieces.len()).reduce(|a, b| if gain(b) > gain(a) { b } else { a })
            else {
                break;
            };
            let (from, to, Some((first, _))) = self.pieces[i] else {
                break;
            };
            let middle = from + first;
            self.pieces[i] = (from, middle, best_cut(&self.ends[from..=middle], rule));
            self.pieces
                .push((middle, to, best_cut(&self.ends[middle..=to], rule)));
        }
        for &(from, to, _) in &self.pieces {
            let value = newton(minus(self.ends[to], self.ends[from]), params);
            self.order[from..to]
                .iter()
                .for_each(|&place| out[place] = value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ebm, Objective};

    fn params() -> EbmParams {
        Ebm::params(Objective::SquaredError)
            .with_learning_rate(1.0)
            .with_l2(0.0)
            .with_min_rows_leaf(1)
    }

    #[test]
    fn a_column_is_parted_where_it_gains_most() {
        // Gradients 4 4 -2 -2 -8 with hessian 1 each. Cut 4 | 1 gains 4^2/4 + 64 - 16/5 = 64.8, 2 | 3 gains
        // 64/2 + 144/3 - 3.2 = 76.8; then the right part -2 -2 | -8: 16/2 + 64 - 48 = 24. Missing: 6 / 2 = 3.
        let sums = [
            [6.0, 2.0],
            [4.0, 1.0],
            [4.0, 1.0],
            [-2.0, 1.0],
            [-2.0, 1.0],
            [-8.0, 1.0],
        ];
        let rows = [2.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        let mut out = [9.0; 6];
        let step = |p: EbmParams, numeric, out: &mut [f64]| {
            Cutter::default().step(&p, (&rows, numeric), &sums, out)
        };
        step(params(), true, &mut out);
        assert_eq!(out, [-3.0, -4.0, -4.0, 2.0, 2.0, 8.0]);
        step(params().with_max_leaves(2), true, &mut out);
        assert_eq!(out, [-3.0, -4.0, -4.0, 4.0, 4.0, 4.0]);
        // Half the rate and an l2 of 1: the last piece steps 8 / 2 / 2.
        step(
            params().with_learning_rate(0.5).with_l2(1.0),
            true,
            &mut out,
        );
        assert_eq!((out[0], out[5]), (-1.0, 2.0));
        // At least two rows a piece: 8 stands with its neighbour.
        step(params().with_min_rows_leaf(2), true, &mut out);
        assert_eq!(out, [-3.0, -4.0, -4.0, 4.0, 4.0, 4.0]);
    }

    #[test]
    fn levels_are_parted_by_value_not_by_code() {
        let sums = [[0.0, 0.0], [5.0, 1.0], [-5.0, 1.0], [5.0, 1.0], [-5.0, 1.0]];
        let rows = [0.0, 1.0, 1.0, 1.0, 1.0];
        let mut out = [9.0; 5];
        Cutter::default().step(&params(), (&rows, false), &sums, &mut out);
        assert_eq!(out, [0.0, -5.0, 5.0, -5.0, 5.0]);
    }
}
