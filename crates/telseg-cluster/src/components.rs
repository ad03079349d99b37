//! Which points belong together: a union-find that threads share.

use std::sync::atomic::{AtomicU32, Ordering};

/// Disjoint sets of `0..n`. Which sets there are in the end does not depend on the order of the unions.
///
/// # References
/// R. Anderson, H. Woll (1991), "Wait-free parallel algorithms for the union-find problem"; here the root with the smaller
/// number always wins, and paths are halved.
#[derive(Debug)]
pub(crate) struct Components(Vec<AtomicU32>);

impl Components {
    /// Each alone.
    pub(crate) fn new(n: usize) -> Self {
        Self((0..n as u32).map(AtomicU32::new).collect())
    }

    /// The smallest member of the set, as far as is known.
    #[inline]
    pub(crate) fn find(&self, mut i: u32) -> u32 {
        loop {
            let parent = self.0[i as usize].load(Ordering::Relaxed);
            if parent == i {
                return i;
            }
            let above = self.0[parent as usize].load(Ordering::Relaxed);
            if above != parent {
                // Whether or not it is written first: both are ancestors.
                let _ = self.0[i as usize].compare_exchange_weak(
                    parent,
                    above,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
            }
            i = above;
        }
    }

    /// Joins two sets; whether they were two.
    #[inline]
    pub(crate) fn union(&self, a: u32, b: u32) -> bool {
        let (mut a, mut b) = (a, b);
        loop {
            (a, b) = (self.find(a), self.find(b));
            if a == b {
                return false;
            }
            let (low, high) = (a.min(b), a.max(b));
            let joined = self.0[high as usize].compare_exchange(
                high,
                low,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if joined.is_ok() {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn unions_in_any_order_make_the_same_sets() {
        let sets = Components::new(10_000);
        (0..9_990u32).into_par_iter().rev().for_each(|i| {
            sets.union(i, i + 10);
        });
        assert!((0..10_000).all(|i| sets.find(i) == i % 10));
        assert!(!sets.union(0, 10));
        assert!(sets.union(3, 4));
        assert_eq!(sets.find(9_994), 3);
    }
}
