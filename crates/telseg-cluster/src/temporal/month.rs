//! What one month gives to the history.

use ndarray::{ArrayRef1, ArrayRef2, ArrayView2};
use rayon::prelude::*;
use telseg_core::{Error, Result, Scalar, Seed};

use crate::rows::check_weights;

/// Segments that a month may have: beyond, labels are something else.
const MOST_SEGMENTS: usize = 4096;

/// The index of "no segment" among groups: comes after all segments.
pub(super) const NO_SEGMENT: u32 = u32::MAX - 1;

/// One month: who is in the base, in which cluster, and the rows that they were clustered on.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::temporal::{Month, SegmentHistory};
/// let usage = array![[0.1f32, 9.0], [0.2, 8.0], [7.0, 0.3], [6.0, 0.4]];
/// let month = Month::new(&[104, 7, 88, 19], [0, 0, 1, 1], &usage).with_name("January");
/// let mut history = SegmentHistory::params().start()?;
/// assert_eq!(history.update(&month)?.sizes.len(), 2);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Month<'a, F: Scalar = f32> {
    name: Option<String>,
    ids: &'a [u64],
    labels: Vec<Option<u32>>,
    x: Option<ArrayView2<'a, F>>,
    columns: Vec<String>,
    weights: Option<&'a ArrayRef1<f64>>,
}

impl<'a, F: Scalar> Month<'a, F> {
    /// Subscriber ids, the label of each (`None` for rows in no segment), and their rows; missing values are NaN.
    ///
    /// # Shapes
    /// As many ids as labels and as rows of `x`; ids differ.
    pub fn new<L: Into<Option<u32>>>(
        ids: &'a [u64],
        labels: impl IntoIterator<Item = L>,
        x: &'a ArrayRef2<F>,
    ) -> Self {
        Self {
            name: None,
            ids,
            labels: labels.into_iter().map(Into::into).collect(),
            x: Some(x.view()),
            columns: Vec::new(),
            weights: None,
        }
    }

    /// Sets the month's name, as alarms and pictures say it. Default: "month 1", "month 2" ...
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the names of the columns; must be the same each month. Default: those of the month before, or "column 0" ...
    pub fn with_columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a weight of at least 0 for each subscriber.
    pub fn with_weights(mut self, weights: &'a ArrayRef1<f64>) -> Self {
        self.weights = Some(weights);
        self
    }

    /// Checks what can be checked without the months before.
    pub(super) fn check(&self) -> Result<Checked<'a, F>> {
        let n = self.ids.len();
        if n == 0 {
            return Err(Error::shape("ids", "at least 1 subscriber", "0"));
        }
        let same_length = |what: &'static str, found: usize| {
            let expected = format!("{n} (a row for each of ids)");
            match found == n {
                true => Ok(()),
                false => Err(Error::shape(what, expected, found.to_string())),
            }
        };
        same_length("labels", self.labels.len())?;
        if let Some(x) = &self.x {
            same_length("x", x.nrows())?;
            if !self.columns.is_empty() && self.columns.len() != x.ncols() {
                let expected = format!("{} (columns of x)", x.ncols());
                let found = self.columns.len().to_string();
                return Err(Error::shape("columns", expected, found));
            }
            if let Some((at, v)) = x.indexed_iter().find(|(_, v)| v.is_infinite()) {
                return Err(Error::value("x", format!("{v}"), at));
            }
        }
        let weights = self.weights.map(|w| check_weights(w, n)).transpose()?;
        let (labels, of) = group(&self.labels)?;
        Ok(Checked {
            name: self.name.clone(),
            ids: self.ids,
            order: order(self.ids)?,
            labels,
            of,
            x: self.x,
            columns: self.columns.clone(),
            weights,
        })
    }
}

impl<'a> Month<'a, f32> {
    /// A month of which only ids and labels are known: no centres, no drift.
    pub fn without_rows<L: Into<Option<u32>>>(
        ids: &'a [u64],
        labels: impl IntoIterator<Item = L>,
    ) -> Self {
        Self {
            name: None,
            ids,
            labels: labels.into_iter().map(Into::into).collect(),
            x: None,
            columns: Vec::new(),
            weights: None,
        }
    }
}

/// A month without contradictions.
pub(super) struct Checked<'a, F: Scalar> {
    pub(super) name: Option<String>,
    pub(super) ids: &'a [u64],
    /// Rows in ascending order of their ids.
    pub(super) order: Vec<u32>,
    /// The labels that occur, ascending: group `g` is label `labels[g]`.
    pub(super) labels: Vec<u32>,
    /// The group of each row, or [`NO_SEGMENT`].
    pub(super) of: Vec<u32>,
    pub(super) x: Option<ArrayView2<'a, F>>,
    pub(super) columns: Vec<String>,
    pub(super) weights: Option<Vec<f64>>,
}

impl<F: Scalar> Checked<'_, F> {
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[row])
    }
}

/// The labels that occur, ascending, and the group of each row.
fn group(labels: &[Option<u32>]) -> Result<(Vec<u32>, Vec<u32>)> {
    let mut names: Vec<u32> = labels.iter().copied().flatten().collect();
    names.par_sort_unstable();
    names.dedup();
    if names.len() > MOST_SEGMENTS {
        let problem = format!(
            "expected at most {MOST_SEGMENTS} segments, found {}",
            names.len()
        );
        return Err(Error::data("labels", problem));
    }
    let place = |label: &Option<u32>| match label {
        None => NO_SEGMENT,
        Some(label) => names.partition_point(|name| name < label) as u32,
    };
    let of = labels.par_iter().map(place).collect();
    Ok((names, of))
}

/// Rows in ascending order of their ids.
fn order(ids: &[u64]) -> Result<Vec<u32>> {
    let n = u32::try_from(ids.len())
        .ok()
        .filter(|&n| n < NO_SEGMENT)
        .ok_or_else(|| Error::shape("ids", "fewer than 2^32 - 2", ids.len().to_string()))?;
    let mut order: Vec<u32> = (0..n).collect();
    order.par_sort_unstable_by_key(|&row| (ids[row as usize], row));
    let twice = order
        .windows(2)
        .find(|w| ids[w[0] as usize] == ids[w[1] as usize]);
    match twice {
        None => Ok(order),
        Some(rows) => {
            let (a, b) = (rows[0], rows[1]);
            let problem = format!(
                "rows {a} and {b} are the same subscriber, {}",
                ids[a as usize]
            );
            Err(Error::data("ids", problem))
        }
    }
}

/// A number for a subscriber whose id is text, the same each month: what [`Month`] takes and a history stores.
///
/// Two of `n` ids get the same number with probability `n^2 / 2^65` (0.0003 for 100 million). With a `salt` that is kept
/// apart from the history, a stored number does not name a subscriber to whoever finds the file; but this is no
/// cryptography, and whoever knows the salt can try all ids.
///
/// # Examples
/// ```
/// use telseg_cluster::temporal::subscriber_key;
/// assert_eq!(subscriber_key("7590-VHVEG", 1), subscriber_key("7590-VHVEG", 1));
/// assert_ne!(subscriber_key("7590-VHVEG", 1), subscriber_key("7590-VHVEG", 2));
/// ```
pub fn subscriber_key(id: &str, salt: u64) -> u64 {
    let start = Seed::new(salt)
        .stream("subscriber.key")
        .bits(id.len() as u64);
    id.as_bytes().chunks(8).fold(start, |key, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        Seed::new(key ^ u64::from_le_bytes(word))
            .stream("subscriber.key")
            .bits(0)
    })
}

#[cfg(test)]
mod tests {
    use super::subscriber_key;
    use std::collections::BTreeSet;

    #[test]
    fn keys_of_like_ids_differ() {
        let ids = (0..100_000).map(|i| format!("customer-{i:08}"));
        let keys: BTreeSet<u64> = ids.map(|id| subscriber_key(&id, 0)).collect();
        assert_eq!(keys.len(), 100_000);
        assert_ne!(subscriber_key("", 0), subscriber_key("\0", 0));
        assert_ne!(subscriber_key("a", 0), subscriber_key("a\0", 0));
        // Pinned: histories are compared with keys that were stored earlier.
        assert_eq!(
            subscriber_key("7590-VHVEG", 0),
            subscriber_key("7590-VHVEG", 0)
        );
    }
}
