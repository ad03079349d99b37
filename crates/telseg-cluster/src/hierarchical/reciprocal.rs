//! Merges all pairs of clusters that are each other's nearest, round by round.
//!
//! For a *reducible* distance (a merged cluster is no nearer to a third than the nearer of its parts was) such pairs merge
//! in the end, whatever else does, so all of them can merge at once: the tree is that of merging the nearest pair first.
//! A cluster looks for its nearest again only when the one it had is merged.
//!
//! # References
//! - F. Murtagh (1983), "A survey of recent advances in hierarchical clustering algorithms": reciprocal pairs.
//! - B. Sumengen et al. (2021), "Scaling hierarchical agglomerative clustering to billion-sized datasets": in rounds.
//! - D. Müllner (2011), "Modern hierarchical, agglomerative clustering algorithms".

use telseg_core::{Error, Result, par};

use super::boxes::NONE;

/// Clusters that one task looks for neighbours of.
const CHUNK: usize = 32;

/// Two clusters that merge. Rows are called `0 .. n`, and the i-th merge makes cluster `n + i`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) height: f64,
}

/// Clusters and their distances.
pub(super) trait Space: Sync {
    /// The nearest other cluster, and how far it is; of equally near ones, the one whose pair with `id` comes first (by the
    /// lower id, then the higher). Distances are the same to the last bit from either side.
    fn nearest(&self, id: u32) -> (f64, u32);

    /// Makes cluster `new` of two.
    fn merge(&mut self, a: u32, b: u32, new: u32);

    /// After the merges of a round, `n` clusters are left.
    fn tidy(&mut self, _n: usize) {}
}

/// The merges of `n` clusters down to one, in an order in which clusters exist before they merge. `first` holds all of
/// them in the order in which they are best looked at.
pub(super) fn merges(space: &mut impl Space, n: usize, first: Vec<u32>) -> Result<Vec<Pair>> {
    let total = (2 * n).saturating_sub(1);
    let mut nearest = vec![(f64::INFINITY, NONE); total];
    let mut gone = vec![false; total];
    let mut followers = Followers::new(total);
    let mut pairs: Vec<Pair> = Vec::with_capacity(n.saturating_sub(1));
    let (mut pending, mut fresh) = (first, true);
    while pairs.len() + 1 < n {
        for (&id, found) in pending.iter().zip(search(space, &pending)?) {
            nearest[id as usize] = found;
            followers.add(found.1, id);
        }
        let round = pairs.len();
        pairs.extend(mutual(&pending, &nearest, &mut gone));
        if pairs.len() == round {
            // Rounding can make clusters follow each other in a circle. Looked for anew, the nearest pair is mutual.
            if fresh {
                return Err(Error::data("x", "distances cannot be put in order"));
            }
            let alive = (0..n + round).filter(|&id| !gone[id]);
            pending = alive.map(|id| id as u32).collect();
            followers.clear();
            fresh = true;
            continue;
        }
        fresh = false;
        pending.clear();
        for (i, pair) in pairs.iter().enumerate().skip(round) {
            space.merge(pair.a, pair.b, (n + i) as u32);
            pending.push((n + i) as u32);
        }
        for pair in &pairs[round..] {
            for of in [pair.a, pair.b] {
                pending.extend(followers.of(of).filter(|&id| !gone[id as usize]));
            }
        }
        space.tidy(n - pairs.len());
    }
    Ok(pairs)
}

/// The nearest of each of some clusters.
fn search(space: &impl Space, of: &[u32]) -> Result<Vec<(f64, u32)>> {
    let found = par::map(of.len(), CHUNK, |range| {
        let nearest = of[range].iter().map(|&id| space.nearest(id));
        nearest.collect::<Vec<_>>()
    });
    let found: Vec<(f64, u32)> = found.into_iter().flatten().collect();
    if found.iter().any(|(_, other)| *other == NONE) {
        let problem = "squared distances overflow: scale the columns";
        return Err(Error::data("x", problem));
    }
    Ok(found)
}

/// Pairs of which one is in `of` that are each other's nearest; they are gone then.
fn mutual(of: &[u32], nearest: &[(f64, u32)], gone: &mut [bool]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for &id in of {
        let (height, other) = nearest[id as usize];
        let alive = !gone[id as usize] && !gone[other as usize];
        if alive && nearest[other as usize].1 == id {
            gone[id as usize] = true;
            gone[other as usize] = true;
            let (a, b) = (id.min(other), id.max(other));
            pairs.push(Pair { a, b, height });
        }
    }
    pairs
}

/// Who has whom for its nearest: lists through two arrays. A cluster follows one other until that is merged, so no entry
/// is ever taken out.
struct Followers {
    first: Vec<u32>,
    next: Vec<u32>,
}

impl Followers {
    fn new(n: usize) -> Self {
        Self {
            first: vec![NONE; n],
            next: vec![NONE; n],
        }
    }

    fn add(&mut self, of: u32, id: u32) {
        self.next[id as usize] = self.first[of as usize];
        self.first[of as usize] = id;
    }

    fn of(&self, id: u32) -> impl Iterator<Item = u32> {
        let next = |&id: &u32| Some(self.next[id as usize]).filter(|&id| id != NONE);
        std::iter::successors(Some(self.first[id as usize]).filter(|&id| id != NONE), next)
    }

    fn clear(&mut self) {
        self.first.fill(NONE);
    }
}
