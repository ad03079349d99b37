//! A classification tree of one segment against the rest, on codes.

use rand::Rng as _;
use rand::seq::index;
use telseg_core::seed::Rng;

use super::bins::{Binned, Kind, UNKNOWN};

/// A question; those for whom it holds go left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// The code of a number is at most this.
    AtMost(u8),
    /// It is this level.
    Is(u8),
    /// The value is not known.
    Unknown,
}

impl Test {
    pub(super) fn holds(self, code: u8) -> bool {
        match self {
            Self::AtMost(last) => code <= last,
            Self::Is(level) => code == level,
            Self::Unknown => code == UNKNOWN,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// The segment's part of the balanced weight, 0 to 1.
    Leaf(f64),
    Split {
        column: usize,
        test: Test,
        left: usize,
        right: usize,
    },
}

/// A tree; the first node is its root.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// Decrease of the impurity by column.
    pub(super) gains: Vec<f64>,
}

/// How a tree grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) max_depth: usize,
    pub(super) min_rows_leaf: usize,
    /// Columns that a node may ask; all of them without a draw.
    pub(super) columns_node: usize,
}

/// What a tree learns from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data<'a> {
    pub(super) columns: &'a [Binned<'a>],
    /// Whether a row is in the segment.
    pub(super) inside: &'a [bool],
    /// Balanced weight of each row.
    pub(super) weights: &'a [f64],
}

impl Tree {
    /// Grows a tree on rows, which may repeat.
    pub(super) fn grow(data: Data<'_>, rows: Vec<u32>, growth: Growth, draw: &mut Rng) -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            gains: vec![0.0; data.columns.len()],
        };
        tree.node(data, rows, growth, growth.max_depth, draw);
        tree
    }

    fn node(
        &mut self,
        data: Data<'_>,
        rows: Vec<u32>,
        growth: Growth,
        depth: usize,
        draw: &mut Rng,
    ) -> usize {
        let at = self.nodes.len();
        let [inside, outside] = sums(data, &rows);
        self.nodes.push(Node::Leaf(inside / (inside + outside)));
        if depth == 0 || rows.len() < 2 * growth.min_rows_leaf || inside * outside == 0.0 {
            return at;
        }
        let n = data.columns.len();
        let asked: Vec<usize> = if growth.columns_node < n {
            let mut asked = index::sample(draw, n, growth.columns_node).into_vec();
            asked.sort_unstable();
            asked
        } else {
            (0..n).collect()
        };
        let found = asked
            .iter()
            .filter_map(|&c| best_of_column(data, &rows, c, growth.min_rows_leaf));
        let best = found.fold(None, |best: Option<Found>, next| match best {
            Some(best) if best.gain >= next.gain => Some(best),
            _ => Some(next),
        });
        let Some(best) = best.filter(|b| b.gain > 1e-9) else {
            return at;
        };
        self.gains[best.column] += best.gain;
        let codes = &data.columns[best.column].codes;
        let (left, right): (Vec<u32>, Vec<u32>) = rows
            .into_iter()
            .partition(|&r| best.test.holds(codes[r as usize]));
        let left = self.node(data, left, growth, depth - 1, draw);
        let right = self.node(data, right, growth, depth - 1, draw);
        self.nodes[at] = Node::Split {
            column: best.column,
            test: best.test,
            left,
            right,
        };
        at
    }

    /// The leaf of a row.
    pub(super) fn leaf(&self, columns: &[Binned<'_>], row: usize) -> usize {
        let mut at = 0;
        while let Node::Split {
            column,
            test,
            left,
            right,
        } = self.nodes[at]
        {
            at = if test.holds(columns[column].codes[row]) {
                left
            } else {
                right
            };
        }
        at
    }

    /// The segment's part in the leaf of a row.
    pub(super) fn score(&self, columns: &[Binned<'_>], row: usize) -> f64 {
        match self.nodes[self.leaf(columns, row)] {
            Node::Leaf(share) => share,
            Node::Split { .. } => f64::NAN,
        }
    }
}

/// Weight inside and outside of the segment.
fn sums(data: Data<'_>, rows: &[u32]) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for &r in rows {
        sums[usize::from(!data.inside[r as usize])] += data.weights[r as usize];
    }
    sums
}

#[derive(Clone, Copy, Debug)]
struct Found {
    column: usize,
    test: Test,
    gain: f64,
}

/// Weights and rows of one side of a question.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    inside: f64,
    outside: f64,
    n: usize,
}

impl Cell {
    fn add(&mut self, other: Self) {
        self.inside += other.inside;
        self.outside += other.outside;
        self.n += other.n;
    }

    fn without(self, other: Self) -> Self {
        Self {
            inside: self.inside - other.inside,
            outside: self.outside - other.outside,
            n: self.n - other.n,
        }
    }

    /// Gini impurity times weight, halved.
    fn impurity(self) -> f64 {
        let weight = self.inside + self.outside;
        if weight > 0.0 {
            self.inside * self.outside / weight
        } else {
            0.0
        }
    }
}

fn best_of_column(data: Data<'_>, rows: &[u32], column: usize, min_rows: usize) -> Option<Found> {
    let binned = &data.columns[column];
    let mut cells = [Cell::default(); 256];
    for &r in rows {
        let r = r as usize;
        let cell = &mut cells[usize::from(binned.codes[r])];
        *(if data.inside[r] {
            &mut cell.inside
        } else {
            &mut cell.outside
        }) += data.weights[r];
        cell.n += 1;
    }
    let mut all = Cell::default();
    cells.iter().for_each(|c| all.add(*c));
    let mut best: Option<Found> = None;
    let mut try_one = |left: Cell, test: Test| {
        let right = all.without(left);
        if left.n < min_rows || right.n < min_rows {
            return;
        }
        let gain = all.impurity() - left.impurity() - right.impurity();
        if best.is_none_or(|b| gain > b.gain) {
            best = Some(Found { column, test, gain });
        }
    };
    match &binned.kind {
        Kind::Numeric { cuts } => {
            let mut left = Cell::default();
            for (code, cell) in cells.iter().enumerate().take(cuts.len()) {
                left.add(*cell);
                try_one(left, Test::AtMost(code as u8));
            }
        }
        // The last code stands for all rare levels: no rule can name it.
        Kind::Levels { names } => {
            for (code, cell) in cells.iter().enumerate().take(names.len()) {
                try_one(*cell, Test::Is(code as u8));
            }
        }
    }
    try_one(cells[usize::from(UNKNOWN)], Test::Unknown);
    best
}

/// Rows drawn with replacement.
pub(super) fn bootstrap(n: usize, draw: &mut Rng) -> Vec<u32> {
    (0..n).map(|_| draw.random_range(0..n as u32)).collect()
}
