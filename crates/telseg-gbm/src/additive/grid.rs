//! Two columns together: the step of a surface, and how strongly they interact.
//!
//! # References
//! Y. Lou, R. Caruana, J. Gehrke, G. Hooker (2013), "Accurate intelligible models with pairwise interactions" (FAST).

use super::EbmParams;
use super::axis::Axis;
use super::cut::{Mass, best_cut, gain, minus, newton, plus, sort_levels};
use super::cycle::Sums;

/// The places of a column put together into fewer groups; group 0 is missing values alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Groups {
    /// Group of each place.
    pub(super) of: Vec<u8>,
    /// Number of groups.
    pub(super) n: usize,
    pub(super) numeric: bool,
}

impl Groups {
    /// At most `max` groups of about equal weight, beside that of missing values; of levels, the heaviest have one each and
    /// the others share the last.
    pub(super) fn new(axis: &Axis, weights: &[f64], max: usize) -> Self {
        let (n, numeric) = (axis.len() - 1, axis.is_numeric());
        if n <= max {
            let of = (0..=n).map(|p| p as u8).collect();
            return Self {
                of,
                n: n + 1,
                numeric,
            };
        }
        let mut of = vec![0u8; n + 1];
        if numeric {
            let total: f64 = weights[1..].iter().sum();
            let mut before = 0.0;
            for place in 1..=n {
                // The group in which the middle of the place lies.
                let middle = (before + 0.5 * weights[place]) / total.max(f64::MIN_POSITIVE);
                of[place] = 1 + ((middle * max as f64) as usize).min(max - 1) as u8;
                before += weights[place];
            }
        } else {
            let mut heavy: Vec<usize> = (1..n).collect(); // the last place is that of other levels
            heavy.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
            heavy.truncate(max - 1);
            heavy.sort_unstable();
            of[1..].fill(max as u8);
            for (i, place) in heavy.into_iter().enumerate() {
                of[place] = 1 + i as u8;
            }
        }
        Self {
            of,
            n: max + 1,
            numeric,
        }
    }
}

/// A histogram over two columns' groups, and a copy with the columns exchanged.
#[derive(Debug, Default)]
pub(super) struct Grid {
    cells: Vec<Mass>,
    turned: Vec<Mass>,
    scratch: Side,
}

/// The two columns of a grid, first and second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a>(pub(super) &'a Groups, pub(super) &'a Groups);

/// A first question on one column, and a second on the other on each side of the first.
#[derive(Clone, Copy, Debug)]
struct Best {
    gain: f64,
    turned: bool,
    question: usize,
}

/// One side of the first question: masses of the second column there.
#[derive(Clone, Debug, Default)]
struct Side {
    order: Vec<usize>,
    ends: Vec<Mass>,
}

impl Side {
    /// What the side gains by its best second question, which is the number of groups in `order` before it.
    fn ask(&mut self, params: &EbmParams, mass: &[Mass], numeric: bool) -> (Option<usize>, f64) {
        self.order.clear();
        self.order.extend(0..mass.len());
        if !numeric {
            sort_levels(&mut self.order, params.cat_smooth, |i| mass[i]);
        }
        self.ends.clear();
        self.ends.push([0.0; 3]);
        for &i in &self.order {
            let last = self.ends[self.ends.len() - 1];
            self.ends.push(plus(last, mass[i]));
        }
        let whole = gain(self.ends[mass.len()], params.l2);
        match best_cut(&self.ends, (params.min_rows_leaf as f64, params.l2)) {
            Some((first, gained)) => (Some(first), whole + gained),
            None => (None, whole),
        }
    }
}

impl Grid {
    fn fill(&mut self, pair: Pair<'_>, rows: &[f64], sums: &[Sums]) {
        let (n, m) = (pair.0.n, pair.1.n);
        self.cells.clear();
        self.cells
            .extend(sums.iter().zip(rows).map(|(s, &r)| [s[0], s[1], r]));
        self.turned.clear();
        self.turned
            .extend((0..n * m).map(|i| self.cells[i % n * m + i / n]));
    }

    /// Masses of the second column on both sides of a question on the first: for quantities "at most group q", for levels
    /// "is it group q".
    fn sides(
        cells: &[Mass],
        (first, m): (&Groups, usize),
        question: usize,
        sides: &mut [Vec<Mass>; 2],
    ) {
        let [left, right] = sides;
        for side in [&mut *left, &mut *right] {
            side.clear();
            side.resize(m, [0.0; 3]);
        }
        for (group, row) in cells.chunks_exact(m).enumerate() {
            let goes_left = if first.numeric {
                group <= question
            } else {
                group == question
            };
            let side = if goes_left { &mut *left } else { &mut *right };
            side.iter_mut()
                .zip(row)
                .for_each(|(a, b)| *a = plus(*a, *b));
        }
    }

    fn best(&mut self, params: &EbmParams, pair: Pair<'_>) -> Option<Best> {
        let Self {
            cells,
            turned,
            scratch,
        } = self;
        let mut best: Option<Best> = None;
        let mut sides = [Vec::new(), Vec::new()];
        for (is_turned, cells, first, second) in [
            (false, cells, pair.0, pair.1),
            (true, turned, pair.1, pair.0),
        ] {
            let total = cells.iter().fold([0.0; 3], |sum, &c| plus(sum, c));
            let whole = gain(total, params.l2);
            let mut running = vec![[0.0; 3]; second.n];
            let all: Vec<Mass> = (0..second.n)
                .map(|j| {
                    cells[j..]
                        .iter()
                        .step_by(second.n)
                        .fold([0.0; 3], |s, &c| plus(s, c))
                })
                .collect();
            for question in 0..first.n - 1 + usize::from(!first.numeric) {
                let row = &cells[question * second.n..][..second.n];
                if !first.numeric {
                    running.fill([0.0; 3]);
                }
                running
                    .iter_mut()
                    .zip(row)
                    .for_each(|(a, b)| *a = plus(*a, *b));
                let left_rows: f64 = running.iter().map(|m| m[2]).sum();
                let rows = left_rows.min(total[2] - left_rows);
                if rows < params.min_rows_leaf as f64 {
                    continue;
                }
                let [left, right] = &mut sides;
                left.clone_from(&running);
                right.clear();
                right.extend(all.iter().zip(&running).map(|(&a, &b)| minus(a, b)));
                let gained = scratch.ask(params, left, second.numeric).1
                    + scratch.ask(params, right, second.numeric).1
                    - whole;
                if gained > best.map_or(0.0, |b| b.gain) {
                    best = Some(Best {
                        gain: gained,
                        turned: is_turned,
                        question,
                    });
                }
            }
        }
        best
    }

    /// How much the best two questions on both columns gain.
    pub(super) fn strength(
        &mut self,
        params: &EbmParams,
        pair: Pair<'_>,
        rows: &[f64],
        sums: &[Sums],
    ) -> f64 {
        self.fill(pair, rows, sums);
        self.best(params, pair).map_or(0.0, |b| b.gain)
    }

    /// Writes what is to be added to each cell: up to four Newton steps, parted by a question on one column and one on the
    /// other on each side of it.
    pub(super) fn step(
        &mut self,
        params: &EbmParams,
        (pair, rows): (Pair<'_>, &[f64]),
        sums: &[Sums],
        out: &mut [f64],
    ) {
        self.fill(pair, rows, sums);
        out.fill(0.0);
        let Some(best) = self.best(params, pair) else {
            return;
        };
        let (cells, first, second) = if best.turned {
            (&self.turned, pair.1, pair.0)
        } else {
            (&self.cells, pair.0, pair.1)
        };
        let mut sides = [Vec::new(), Vec::new()];
        Self::sides(cells, (first, second.n), best.question, &mut sides);
        for (side, masses) in sides.iter().enumerate() {
            let cut = self.scratch.ask(params, masses, second.numeric).0;
            let Side { order, ends } = &self.scratch;
            let cut = cut.unwrap_or(order.len());
            for (from, to) in [(0, cut), (cut, order.len())] {
                let value = newton(minus(ends[to], ends[from]), params);
                for group in 0..first.n {
                    let left = if first.numeric {
                        group <= best.question
                    } else {
                        group == best.question
                    };
                    if left != (side == 0) {
                        continue;
                    }
                    for &other in &order[from..to] {
                        let at = if best.turned {
                            other * pair.1.n + group
                        } else {
                            group * pair.1.n + other
                        };
                        out[at] = value;
                    }
                }
            }
        }
    }
}
