//! Which coalitions a model is asked about, and what each counts.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

/// Whether a drawn coalition comes with the coalition of all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Pairing {
    /// With its opposite (Covert & Lee 2021, section 4.2): what two features do together cancels out of the error.
    #[default]
    Opposites,
    /// Each on its own.
    Alone,
}

/// Coalitions of players with the weights of the Shapley kernel, the empty and the full one left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Coalitions {
    pub(crate) n_players: usize,
    /// A flag for each player, coalition after coalition.
    pub(crate) known: Vec<bool>,
    /// They sum up to 1.
    pub(crate) weights: Vec<f64>,
    /// The part of the weight that was left to chance.
    pub(crate) chance: f64,
    /// What was drawn: the coalitions of one draw, and how often it came.
    pub(crate) draws: Vec<(std::ops::Range<usize>, u32)>,
}

impl Coalitions {
    /// All of them: for up to 20 players.
    ///
    /// # Errors
    /// When there are more, or fewer than 2.
    pub fn all(n_players: usize) -> Result<Self> {
        if n_players > 20 {
            let problem =
                format!("all coalitions can be asked of at most 20 players, found {n_players}");
            return Err(Error::param("n_players", problem));
        }
        Self::drawn(n_players, 1 << n_players, Pairing::Alone, 0)
    }

    /// At most `n_coalitions`: all of the sizes that weigh most, as far as they go, the others drawn at random in
    /// proportion to their weight.
    ///
    /// # Errors
    /// When there are fewer than 2 players or 2 coalitions.
    pub fn drawn(
        n_players: usize,
        n_coalitions: usize,
        pairing: Pairing,
        seed: u64,
    ) -> Result<Self> {
        if n_players < 2 {
            let problem = format!("must be at least 2, found {n_players}");
            return Err(Error::param("n_players", problem));
        }
        if n_coalitions < 2 {
            let problem = format!("must be at least 2, found {n_coalitions}");
            return Err(Error::param("n_coalitions", problem));
        }
        let mut all = Self {
            n_players,
            known: Vec::new(),
            weights: Vec::new(),
            chance: 1.0,
            draws: Vec::new(),
        };
        let sizes = sizes(n_players);
        let mut left = n_coalitions as f64;
        let mut first_drawn = 0;
        for &(size, share) in &sizes {
            let both = if 2 * size == n_players { 1.0 } else { 2.0 };
            let number = both * binomial(n_players, size);
            // The last size needs no more than its number: what is left of the weight is its own.
            if left * share / all.chance < number * (1.0 - 1e-9) {
                break;
            }
            all.add_size(size, share / number);
            left -= number;
            all.chance -= share;
            first_drawn += 1;
        }
        let sizes = &sizes[first_drawn..];
        if sizes.is_empty() {
            all.chance = 0.0;
        } else {
            all.chance = sizes.iter().map(|(_, share)| share).sum();
            all.draw(sizes, left as usize, pairing, seed);
        }
        Ok(all)
    }

    /// Coalitions chosen elsewhere: a flag for each player, coalition after coalition, and the weight of each. Nothing is
    /// said about the error then.
    ///
    /// # Errors
    /// When there are fewer than 2 players, lengths differ, or weights cannot weigh.
    pub fn given(n_players: usize, known: Vec<bool>, weights: &[f64]) -> Result<Self> {
        if n_players < 2 {
            let problem = format!("must be at least 2, found {n_players}");
            return Err(Error::param("n_players", problem));
        }
        if known.len() != n_players * weights.len() {
            let expected = format!(
                "{} flags (players times weights)",
                n_players * weights.len()
            );
            return Err(Error::shape("known", expected, known.len().to_string()));
        }
        let weights = crate::stats::checked_weights(Some(weights), weights.len())?;
        let total: f64 = weights.iter().sum();
        Ok(Self {
            n_players,
            known,
            weights: weights.iter().map(|w| w / total).collect(),
            chance: 0.0,
            draws: Vec::new(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// All coalitions of a size and, where it is another, of the opposite size.
    fn add_size(&mut self, size: usize, weight: f64) {
        let n = self.n_players;
        let mut members: Vec<usize> = (0..size).collect();
        loop {
            self.add(&members, weight);
            // The next combination in lexicographic order.
            let Some(at) = (0..size).rev().find(|&i| members[i] < n - size + i) else {
                return;
            };
            members[at] += 1;
            for i in at + 1..size {
                members[i] = members[i - 1] + 1;
            }
        }
    }

    /// A coalition, and its opposite where that has another size.
    fn add(&mut self, members: &[usize], weight: f64) {
        let start = self.known.len();
        self.known.resize(start + self.n_players, false);
        members.iter().for_each(|&m| self.known[start + m] = true);
        self.weights.push(weight);
        if 2 * members.len() != self.n_players {
            let opposite = self.known[start..].iter().map(|k| !k).collect::<Vec<_>>();
            self.known.extend(opposite);
            self.weights.push(weight);
        }
    }

    fn draw(&mut self, sizes: &[(usize, f64)], n_coalitions: usize, pairing: Pairing, seed: u64) {
        let n = self.n_players;
        let each = if pairing == Pairing::Opposites { 2 } else { 1 };
        let n_draws = (n_coalitions / each).max(1);
        let stream = Seed::new(seed).stream("kernel_shap.coalitions");
        let mut found: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
        let mut order: Vec<usize> = (0..n).collect();
        for draw in 0..n_draws {
            let mut rng = stream.index(draw as u64);
            let mut at = rng.random::<f64>() * self.chance;
            let size = sizes.iter().find(|(_, share)| {
                at -= share;
                at < 0.0
            });
            let size = size.unwrap_or(&sizes[sizes.len() - 1]).0;
            order.sort_unstable();
            let (members, _) = order.partial_shuffle(&mut rng, size);
            let mut known = vec![false; n];
            members.iter().for_each(|&m| known[m] = true);
            // Of a pair, the one that knows the first player stands for both.
            let turn = match pairing {
                Pairing::Opposites => !known[0],
                Pairing::Alone => rng.random(),
            };
            if turn {
                known.iter_mut().for_each(|k| *k = !*k);
            }
            *found.entry(known).or_default() += 1;
        }
        for (known, times) in found {
            let start = self.weights.len();
            let weight = self.chance * f64::from(times) / (n_draws * each) as f64;
            if pairing == Pairing::Opposites {
                self.known.extend(known.iter().map(|k| !k));
                self.weights.push(weight);
            }
            self.known.extend(known);
            self.weights.push(weight);
            self.draws.push((start..self.weights.len(), times));
        }
    }
}

/// Sizes up to half of the players, each with the share of the kernel's weight that it and the opposite size have.
fn sizes(n: usize) -> Vec<(usize, f64)> {
    let weight = |size: usize| {
        let both = if 2 * size == n { 1.0 } else { 2.0 };
        both / (size * (n - size)) as f64
    };
    let total: f64 = (1..=n / 2).map(weight).sum();
    (1..=n / 2)
        .map(|size| (size, weight(size) / total))
        .collect()
}

/// May be infinite.
fn binomial(n: usize, k: usize) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_coalitions_have_the_weights_of_the_kernel() {
        // (n - 1) / (C(n, s) s (n - s)) for n = 4: 1/4 for sizes 1 and 3, 1/8 for size 2; 4 + 4 and 6 of them sum up to
        // 11/4.
        let all = Coalitions::all(4).expect("few players");
        assert_eq!((all.len(), all.chance), (14, 0.0));
        for (known, weight) in all.known.chunks(4).zip(&all.weights) {
            let size = known.iter().filter(|k| **k).count();
            let kernel = if size == 2 { 0.125 } else { 0.25 };
            assert!((weight - kernel / 2.75).abs() < 1e-15);
        }
        let mut distinct: Vec<_> = all.known.chunks(4).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 14);
    }

    #[test]
    fn heavy_sizes_are_asked_whole_and_the_rest_is_drawn() {
        let some = Coalitions::drawn(12, 300, Pairing::Opposites, 1).expect("enough");
        assert!(some.len() <= 300);
        assert!((some.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let singles = some
            .known
            .chunks(12)
            .filter(|k| k.iter().filter(|k| **k).count() == 1);
        assert_eq!(singles.count(), 12);
        for (pair, _) in &some.draws {
            let [a, b] = [pair.start, pair.start + 1].map(|c| &some.known[c * 12..][..12]);
            assert!(a.iter().zip(b).all(|(a, b)| a != b));
        }
        assert!(!some.draws.is_empty());
        let again = Coalitions::drawn(12, 300, Pairing::Opposites, 1).expect("enough");
        assert_eq!(some, again);
    }

    #[test]
    fn many_players_are_no_overflow() {
        let some = Coalitions::drawn(3000, 100, Pairing::Alone, 2).expect("enough");
        assert!(some.len() <= 100 && some.weights.iter().all(|w| w.is_finite()));
    }
}
