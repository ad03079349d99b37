//! Background rows: what unknown features are replaced by, counted by code once and for all.
//!
//! A leaf's attributions depend on a background row through its pattern alone, so a group of leaves needs no more than
//! the share of rows with each code: the cost is one pass over the background, and none of it is paid again for a row
//! that is explained.

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result};

use super::deep;
use super::kernel::{Answers, Bits};
use super::paths::Pieces;

/// Rows that are looked at together.
const ROWS: usize = 1024;

/// Background rows by column, with their shares.
pub(crate) struct Background {
    rows: usize,
    /// `used features x rows`.
    columns: Vec<f32>,
    weights: Option<Vec<f64>>,
    total: f64,
}

/// How the background rows relate to a tree.
pub(crate) struct Shares {
    /// For each group, the share of the rows with each code.
    pub(crate) groups: Vec<Vec<f64>>,
    /// For each deep leaf, the patterns that occur and their shares.
    pub(crate) deep: Vec<Vec<(u64, f64)>>,
}

impl Background {
    /// Keeps the columns that some tree asks about.
    pub(crate) fn new(
        x: &ArrayRef2<f32>,
        weights: Option<&ArrayRef1<f64>>,
        used: &[usize],
    ) -> Result<Self> {
        let rows = x.nrows();
        if rows == 0 {
            return Err(Error::shape("background", "at least 1 row", "0"));
        }
        let total = match weights {
            None => rows as f64,
            Some(weights) => check_weights(weights, rows)?,
        };
        let columns = used.iter().flat_map(|&f| x.column(f).to_vec()).collect();
        Ok(Self {
            rows,
            columns,
            weights: weights.map(|w| w.to_vec()),
            total,
        })
    }

    /// Counts the rows by code for the groups and deep leaves of one tree, whose features are numbered as the columns.
    pub(crate) fn shares(&self, pieces: &Pieces) -> Shares {
        let bits: Vec<Bits> = pieces.groups.iter().map(|g| Bits::new(&g.bits)).collect();
        let paths = pieces.deep.iter().map(|&leaf| &pieces.leaves[leaf].steps);
        let deep_bits: Vec<Bits> = paths.map(|steps| deep::bits(steps)).collect();
        let mut groups: Vec<Vec<f64>> = bits.iter().map(|b| vec![0.0; 1 << b.len()]).collect();
        let mut deep: Vec<Vec<(u64, f64)>> = vec![Vec::new(); deep_bits.len()];
        let (mut answers, mut codes, mut patterns) = (Answers::default(), vec![], vec![]);
        for start in (0..self.rows).step_by(ROWS) {
            let rows = ROWS.min(self.rows - start);
            let column = |f: usize| &self.columns[f * self.rows + start..][..rows];
            answers.ask(rows, &pieces.splits, column);
            codes.resize(rows, 0);
            for (bits, shares) in bits.iter().zip(&mut groups) {
                answers.codes(bits, &mut codes);
                for (row, &code) in (start..).zip(&codes) {
                    shares[usize::from(code)] += self.weight(row);
                }
            }
            patterns.resize(rows, 0);
            for (bits, found) in deep_bits.iter().zip(&mut deep) {
                answers.patterns(bits, &mut patterns);
                found.extend(
                    (start..)
                        .zip(&patterns)
                        .map(|(row, &p)| (p, self.weight(row))),
                );
                gather(found);
            }
        }
        let sums = deep.iter_mut().flatten().map(|(_, sum)| sum);
        sums.chain(groups.iter_mut().flatten())
            .for_each(|sum| *sum /= self.total);
        Shares { groups, deep }
    }

    /// The weighted mean of a number for each row.
    pub(crate) fn mean(&self, values: impl Iterator<Item = f64>) -> f64 {
        let sum: f64 = (0..).zip(values).map(|(i, v)| v * self.weight(i)).sum();
        sum / self.total
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[row])
    }
}

/// Equal patterns become one.
fn gather(found: &mut Vec<(u64, f64)>) {
    found.sort_by_key(|&(pattern, _)| pattern);
    found.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

/// The sum of weights that are fit to be shares.
fn check_weights(weights: &ArrayRef1<f64>, rows: usize) -> Result<f64> {
    if weights.len() != rows {
        let expected = format!("{rows} (rows of background)");
        return Err(Error::shape("weights", expected, weights.len().to_string()));
    }
    let sound = |w: &f64| *w >= 0.0 && w.is_finite();
    if let Some((row, w)) = weights.iter().enumerate().find(|(_, w)| !sound(w)) {
        let problem = format!("expected numbers of at least 0, found {w} in row {row}");
        return Err(Error::data("weights", problem));
    }
    let total: f64 = weights.iter().sum();
    if total > 0.0 && total.is_finite() {
        return Ok(total);
    }
    Err(Error::data(
        "weights",
        "their sum must be above 0 and finite",
    ))
}
