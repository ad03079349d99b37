//! How often each category comes.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Merge;
use crate::{Error, Result};

/// Weighted counts of categories, in the order of the categories.
///
/// Categories need not be known beforehand, and parts may have seen different ones. Whole-number weights add exactly (up
/// to 2⁵³).
///
/// # Cost
/// O(log c) a row for `c` categories.
///
/// # Examples
/// ```
/// use telseg_core::merge::{Counts, Merge};
/// let mut tariffs: Counts<&str> = ["prepaid", "prepaid", "postpaid"].into_iter().collect();
/// tariffs.merge(&["prepaid", "family"].into_iter().collect())?;
/// assert_eq!(tariffs.weight("prepaid"), 3.0);
/// assert_eq!(tariffs.share("family"), 0.2);
/// assert_eq!(tariffs.mode(), Some((&"prepaid", 3.0)));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts<K: Ord> {
    weights: BTreeMap<K, f64>,
    n: u64,
}

impl<K: Ord> Counts<K> {
    /// No rows.
    pub fn new() -> Self {
        Self {
            weights: BTreeMap::new(),
            n: 0,
        }
    }

    /// Counts a row.
    pub fn push(&mut self, category: K) {
        *self.weights.entry(category).or_insert(0.0) += 1.0;
        self.n += 1;
    }

    /// Counts a row with a weight; a weight of 0 leaves no trace.
    ///
    /// # Errors
    /// When the weight is negative or not finite.
    pub fn push_weighted(&mut self, category: K, weight: f64) -> Result<()> {
        check_weight(weight)?;
        if weight > 0.0 {
            *self.weights.entry(category).or_insert(0.0) += weight;
            self.n += 1;
        }
        Ok(())
    }

    /// The weight of a category; 0 for one that never came.
    pub fn weight<Q: Ord + ?Sized>(&self, category: &Q) -> f64
    where
        K: Borrow<Q>,
    {
        self.weights.get(category).copied().unwrap_or(0.0)
    }

    /// The weight of a category among all; NaN when there are no rows.
    pub fn share<Q: Ord + ?Sized>(&self, category: &Q) -> f64
    where
        K: Borrow<Q>,
    {
        self.weight(category) / self.total()
    }

    /// The weight of all rows.
    pub fn total(&self) -> f64 {
        self.weights.values().sum()
    }

    /// How many rows were counted, whatever their weight.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many categories came.
    pub fn n_categories(&self) -> usize {
        self.weights.len()
    }

    /// Categories in ascending order, with their weights.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, f64)> {
        self.weights.iter().map(|(category, &w)| (category, w))
    }

    /// The heaviest category; the first in order among equals.
    pub fn mode(&self) -> Option<(&K, f64)> {
        self.iter()
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// Checks what was loaded.
    ///
    /// # Errors
    /// When a weight is not above zero and finite.
    pub fn validate(&self) -> Result<()> {
        match self
            .weights
            .values()
            .find(|&&w| !(w > 0.0 && w.is_finite()))
        {
            None => Ok(()),
            Some(w) => Err(Error::artefact(
                "counts",
                format!("a category has the weight {w}"),
            )),
        }
    }
}

/// Refuses a weight that is negative or not finite.
pub(super) fn check_weight(weight: f64) -> Result<()> {
    if (0.0..=f64::MAX).contains(&weight) {
        return Ok(());
    }
    Err(Error::data(
        "weight",
        format!("is {weight}, expected a finite number that is not negative"),
    ))
}

impl<K: Ord> Default for Counts<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord> Extend<K> for Counts<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, categories: I) {
        categories.into_iter().for_each(|c| self.push(c));
    }
}

impl<K: Ord> FromIterator<K> for Counts<K> {
    fn from_iter<I: IntoIterator<Item = K>>(categories: I) -> Self {
        let mut counts = Self::new();
        counts.extend(categories);
        counts
    }
}

impl<K: Ord + Clone> Merge for Counts<K> {
    fn merge(&mut self, other: &Self) -> Result<()> {
        for (category, w) in other.iter() {
            *self.weights.entry(category.clone()).or_insert(0.0) += w;
        }
        self.n += other.n;
        Ok(())
    }
}
