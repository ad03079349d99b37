//! The game: what an attribution averages, worked out for one leaf and every way that a row can relate to its path.
//!
//! A *pattern* has a bit for each step of a path, set where the row goes the leaf's way. The *entries* of a path are its
//! steps, and where pairs are asked for, then its pairs of steps `(0, 1), (0, 2), .. (1, 2), ..`.

use serde::{Deserialize, Serialize};

use super::paths::Path;
use super::quadrature::{Node, gauss_legendre};

/// Steps of a path whose pattern fits one word.
pub(crate) const STEPS: usize = 64;

/// How the coalitions of the other features are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Index {
    /// All sizes of a coalition count alike (Shapley 1953): attributions add up to the prediction.
    #[default]
    Shapley,
    /// All coalitions count alike (Banzhaf 1965): steadier under noise, but attributions do not add up.
    Banzhaf,
}

/// What is worked out for a leaf: the index, for steps alone or for pairs too.
#[derive(Clone, Debug)]
pub(crate) struct Game {
    index: Index,
    pairs: bool,
    /// Quadrature by the number of steps.
    rules: Vec<Vec<Node>>,
    /// `integral of t^a (1 - t)^b`, or its stand-in for another index, at `a * (STEPS + 1) + b`.
    integrals: Vec<f64>,
}

impl Game {
    /// For paths of up to `longest` steps.
    pub(crate) fn new(index: Index, pairs: bool, longest: usize) -> Self {
        let side = STEPS + 1;
        let mut integrals = vec![0.0; side * side];
        for a in 0..side {
            for b in 0..side {
                integrals[a * side + b] = match index {
                    // B(a + 1, b + 1), by its recursion in b.
                    Index::Shapley if b == 0 => 1.0 / (a as f64 + 1.0),
                    Index::Shapley => {
                        integrals[a * side + b - 1] * b as f64 / ((a + b) as f64 + 1.0)
                    }
                    Index::Banzhaf => 0.5f64.powi((a + b) as i32),
                };
            }
        }
        let rule = |m: usize| match index {
            Index::Shapley => gauss_legendre(m.div_ceil(2)),
            Index::Banzhaf => vec![Node {
                t: 0.5,
                weight: 1.0,
            }],
        };
        Self {
            index,
            pairs,
            rules: (0..=longest).map(rule).collect(),
            integrals,
        }
    }

    /// Nodes whose weighted sum is the integral over the coalitions of `m` features.
    pub(crate) fn rule(&self, m: usize) -> &[Node] {
        &self.rules[m]
    }

    /// Whether pairs are worked out too.
    pub(crate) fn pairs(&self) -> bool {
        self.pairs
    }

    /// Number of entries of a path of `m` steps.
    pub(crate) fn entries(&self, m: usize) -> usize {
        if self.pairs { m * (m + 1) / 2 } else { m }
    }

    /// The features of each entry of a path, the lower first; a step alone is a pair with itself.
    pub(crate) fn terms<'a>(&self, path: &'a Path) -> impl Iterator<Item = (usize, usize)> + 'a {
        let feature = |j: usize| path.steps[j].feature;
        let (m, pairs) = (path.steps.len(), self.pairs);
        let of_pairs = (0..if pairs { m } else { 0 }).flat_map(move |i| {
            (i + 1..m).map(move |j| {
                let (a, b) = (feature(i), feature(j));
                (a.min(b), a.max(b))
            })
        });
        (0..m)
            .map(move |j| (feature(j), feature(j)))
            .chain(of_pairs)
    }

    /// A pair's effect is shared between its two places in a matrix of Shapley interactions.
    fn share(&self) -> f64 {
        match self.index {
            Index::Shapley => 0.5,
            Index::Banzhaf => 1.0,
        }
    }

    /// Attributions of a leaf of value 1 where unknown features follow the covers (eq. 2 and 3 of the module), one for
    /// each entry.
    pub(crate) fn by_covers(&self, path: &Path, pattern: u64, out: &mut [f64]) {
        let m = path.steps.len();
        let holds = |j: usize| f64::from((pattern >> j & 1) as u8);
        let (mut factors, mut suffix) = ([0.0; STEPS], [1.0; STEPS + 1]);
        out.fill(0.0);
        let (values, pairs) = out.split_at_mut(m);
        for node in self.rule(m) {
            for j in (0..m).rev() {
                factors[j] = path.steps[j].follows * (1.0 - node.t) + holds(j) * node.t;
                suffix[j] = suffix[j + 1] * factors[j];
            }
            let (mut before, mut pairs) = (node.weight, pairs.iter_mut());
            for i in 0..m {
                values[i] += before * suffix[i + 1];
                let mut between = before;
                for (j, pair) in (i + 1..m).zip(&mut pairs) {
                    *pair += between * suffix[j + 1];
                    between *= factors[j];
                }
                before *= factors[i];
            }
            suffix[m] = 1.0;
        }
        let gain = |j: usize| holds(j) - path.steps[j].follows;
        let (share, mut pairs) = (self.share(), pairs.iter_mut());
        for (i, value) in values.iter_mut().enumerate() {
            *value *= gain(i);
            for (j, pair) in (i + 1..m).zip(&mut pairs) {
                *pair *= share * gain(i) * gain(j);
            }
        }
    }

    /// Attributions of a leaf of value 1 where unknown features are those of background rows, given as patterns with
    /// their shares (eq. 4 of the module), one for each entry.
    pub(crate) fn by_rows(
        &self,
        m: usize,
        background: impl Iterator<Item = (u64, f64)>,
        pattern: u64,
        out: &mut [f64],
    ) {
        let all = if m == STEPS { u64::MAX } else { (1 << m) - 1 };
        let integral = |a: u32, b: u32| self.integrals[a as usize * (STEPS + 1) + b as usize];
        out.fill(0.0);
        let (values, pairs) = out.split_at_mut(m);
        for (other, share) in background {
            if pattern | other != all {
                continue; // a step that neither follows: the leaf is never reached
            }
            // What the row must bring and what it must not: elsewhere both follow, and nothing changes.
            let (brings, bars) = (pattern & !other, other & !pattern);
            let (a, b) = (brings.count_ones(), bars.count_ones());
            // The weight of a step or pair of which `x` bring and `y` bar.
            let weight = |x: u32, y: u32| {
                let sign = if y == 1 { -share } else { share };
                sign * integral(a - x, b - y)
            };
            let bring = if a > 0 { weight(1, 0) } else { 0.0 };
            let bar = if b > 0 { weight(0, 1) } else { 0.0 };
            each(brings, |i| values[i] += bring);
            each(bars, |i| values[i] += bar);
            if !pairs.is_empty() {
                let both = brings | bars;
                each(both, |i| {
                    let x = (brings >> i & 1) as u32;
                    each(both & (all << 1 << i), |j| {
                        let x = x + (brings >> j & 1) as u32;
                        pairs[pair(m, i, j)] += self.share() * weight(x, 2 - x);
                    });
                });
            }
        }
    }
}

/// Place of the pair `i < j` among the pairs of `m` steps.
fn pair(m: usize, i: usize, j: usize) -> usize {
    i * (2 * m - i - 1) / 2 + j - i - 1
}

/// Calls `f` for each bit that is set.
#[inline(always)]
fn each(mut bits: u64, mut f: impl FnMut(usize)) {
    while bits != 0 {
        f(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_lie_one_after_the_other() {
        let m = 5;
        let mut place = 0;
        for i in 0..m {
            for j in i + 1..m {
                assert_eq!(pair(m, i, j), place);
                place += 1;
            }
        }
    }

    #[test]
    fn integrals_are_those_of_the_beta_function() {
        let game = Game::new(Index::Shapley, false, 0);
        let at = |a: usize, b: usize| game.integrals[a * (STEPS + 1) + b];
        assert!((at(0, 0) - 1.0).abs() < 1e-15);
        assert!((at(1, 1) - 1.0 / 6.0).abs() < 1e-15);
        assert!((at(2, 3) - 2.0 * 6.0 / 720.0).abs() < 1e-15); // 2! 3! / 6!
    }
}
