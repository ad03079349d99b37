//! Leaves whose paths ask too many features for one table: their steps fall into parts with a small table each.
//!
//! The integrand of (2) is a product over steps. For each part and each code of its steps we keep, at every quadrature
//! node, the product of all its factors and, for each of its steps, the product without it; a row's attributions
//! are then sums over the nodes of products of a few table rows.
//!
//! Where background rows stand for what is unknown, or pairs are asked for, the product does not come apart so: there
//! each pattern that rows have is worked out when it is met.

use super::game::{Game, STEPS};
use super::kernel::Bits;
use super::paths::{Path, Step};

/// Steps in a part, at most.
const PART: usize = 6;
/// Quadrature nodes that are summed up side by side.
const LANES: usize = 4;
/// Quadrature nodes that need no allocation (paths of up to twice as many features).
const NODES: usize = 48;

/// One deep leaf, ready for rows.
#[derive(Clone, Debug)]
pub(crate) enum Deep {
    /// Attributions of steps by covers.
    Parts(Parts),
    /// Everything else.
    Patterns(Patterns),
}

/// A deep leaf whose attributions come from tables of its parts.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) parts: Vec<Part>,
    value: Vec<f64>,
    /// Slots of the attributions: `steps x values`.
    slots: Vec<u32>,
    nodes: usize,
}

/// Some steps of a path.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// What each step asks: the bits of the part's code.
    pub(crate) bits: Bits,
    /// `codes x nodes`: the product of the factors.
    products: Vec<f64>,
    /// `codes x steps x nodes`: weight times `o_i - z_i` times the product without step `i`.
    without: Vec<f64>,
}

impl Parts {
    pub(crate) fn new(path: &Path, slots: Vec<u32>, game: &Game) -> Self {
        // Nodes of weight 0 fill up the lanes.
        let mut rule = game.rule(path.steps.len()).to_vec();
        let idle = super::quadrature::Node {
            t: 0.5,
            weight: 0.0,
        };
        rule.resize(rule.len().next_multiple_of(LANES), idle);
        let parts = path.steps.len().div_ceil(PART).max(1);
        let size = path.steps.len().div_ceil(parts).max(1);
        let part = |steps: &[Step]| {
            let (mut products, mut without) = (Vec::new(), Vec::new());
            for code in 0..1usize << steps.len() {
                let factor = |j: usize, t: f64| {
                    let unknown = steps[j].follows * (1.0 - t);
                    if code >> j & 1 == 1 {
                        unknown + t
                    } else {
                        unknown
                    }
                };
                let product = |skip: usize, t: f64| {
                    (0..steps.len())
                        .filter(|&j| j != skip)
                        .map(|j| factor(j, t))
                        .product::<f64>()
                };
                products.extend(rule.iter().map(|q| product(usize::MAX, q.t)));
                for (i, step) in steps.iter().enumerate() {
                    let gain = f64::from((code >> i & 1) as u8) - step.follows;
                    without.extend(rule.iter().map(|q| q.weight * gain * product(i, q.t)));
                }
            }
            Part {
                bits: bits(steps),
                products,
                without,
            }
        };
        Self {
            parts: path.steps.chunks(size).map(part).collect(),
            value: path.value.clone(),
            slots,
            nodes: rule.len(),
        }
    }

    /// Adds the attributions of one row, whose code in each part is `code(part)`.
    #[inline(always)]
    pub(crate) fn add(&self, code: impl Fn(usize) -> usize, mut add: impl FnMut(usize, f64)) {
        let (mut short, mut long) = ([0.0; NODES], Vec::new());
        let others: &mut [f64] = if self.nodes <= NODES {
            &mut short[..self.nodes]
        } else {
            long.resize(self.nodes, 0.0);
            &mut long
        };
        let width = self.value.len();
        let mut slots = self.slots.chunks_exact(width);
        for (p, part) in self.parts.iter().enumerate() {
            others.fill(1.0);
            for (q, other) in self.parts.iter().enumerate().filter(|(q, _)| *q != p) {
                let product = &other.products[code(q) * self.nodes..][..self.nodes];
                others.iter_mut().zip(product).for_each(|(o, f)| *o *= f);
            }
            let steps = part.bits.len();
            let without = &part.without[code(p) * steps * self.nodes..][..steps * self.nodes];
            for (row, slots) in without.chunks_exact(self.nodes).zip(&mut slots) {
                let mut sums = [0.0; LANES];
                for (a, b) in row.chunks_exact(LANES).zip(others.chunks_exact(LANES)) {
                    for lane in 0..LANES {
                        sums[lane] += a[lane] * b[lane];
                    }
                }
                let sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
                for (&slot, value) in slots.iter().zip(&self.value) {
                    add(slot as usize, value * sum);
                }
            }
        }
    }
}

/// A deep leaf whose attributions are worked out pattern by pattern.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    pub(crate) bits: Bits,
    path: Path,
    game: std::sync::Arc<Game>,
    /// Patterns of the background rows and their shares; `None` where unknown features follow the covers.
    background: Option<Vec<(u64, f64)>>,
    /// Slots of the attributions: `entries x values`.
    slots: Vec<u32>,
}

impl Patterns {
    pub(crate) fn new(
        path: &Path,
        slots: Vec<u32>,
        game: &std::sync::Arc<Game>,
        background: Option<Vec<(u64, f64)>>,
    ) -> Self {
        Self {
            bits: bits(&path.steps),
            path: path.clone(),
            game: game.clone(),
            background,
            slots,
        }
    }

    /// Adds the attributions of a row with this pattern.
    pub(crate) fn add(&self, pattern: u64, mut add: impl FnMut(usize, f64)) {
        let mut out = [0.0; STEPS * (STEPS + 1) / 2];
        let m = self.path.steps.len();
        let out = &mut out[..self.game.entries(m)];
        match &self.background {
            None => self.game.by_covers(&self.path, pattern, out),
            Some(rows) => self.game.by_rows(m, rows.iter().copied(), pattern, out),
        }
        let width = self.path.value.len();
        for (part, slots) in out.iter().zip(self.slots.chunks_exact(width)) {
            for (&slot, value) in slots.iter().zip(&self.path.value) {
                add(slot as usize, value * part);
            }
        }
    }
}

/// One bit for each step.
pub(crate) fn bits(steps: &[Step]) -> Bits {
    let asks: Vec<_> = steps.iter().map(|s| s.asks.clone()).collect();
    Bits::new(&asks)
}
