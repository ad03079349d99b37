//! Encoding of category codes: one column a level, or one number a level.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar};

use super::columns::{check_out, check_width, map_rows};

/// Codes within a range this wide are looked up in a table.
const TABLE: i64 = 1 << 16;
/// No level.
const NONE: u32 = u32::MAX;

/// What happens to a code that was not seen at fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum UnseenCode {
    /// One-hot: the column of rare levels if there is one, else zeros. Ordinal: NaN.
    #[default]
    Ignore,
    /// An error that names the code, its row and its column.
    Error,
}

/// Which number an ordinal encoder gives to which level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LevelOrder {
    /// 0 for the smallest code.
    #[default]
    Value,
    /// 0 for the most frequent code; equally frequent ones by value.
    Frequency,
}

/// Distinct codes of a column with their weights, ascending.
fn count(codes: impl Iterator<Item = i32>, weights: Option<&[f64]>) -> Vec<(i32, f64)> {
    let mut found = std::collections::BTreeMap::new();
    match weights {
        None => codes.for_each(|c| *found.entry(c).or_insert(0.0) += 1.0),
        Some(w) => codes
            .zip(w)
            .filter(|(_, w)| **w > 0.0)
            .for_each(|(c, w)| *found.entry(c).or_insert(0.0) += w),
    }
    found.into_iter().collect()
}

/// Learns something of each column's distinct codes, in parallel over columns.
fn learn<T: Send>(
    codes: &ArrayRef2<i32>,
    weights: Option<&ArrayRef1<f64>>,
    each: impl Fn(Vec<(i32, f64)>) -> T + Sync,
) -> Result<Vec<T>> {
    if codes.is_empty() {
        let found = format!("{} rows and {} columns", codes.nrows(), codes.ncols());
        return Err(Error::shape(
            "codes",
            "at least one row and one column",
            found,
        ));
    }
    if let Some(w) = weights {
        if w.len() != codes.nrows() {
            let expected = format!("{} (the rows of codes)", codes.nrows());
            return Err(Error::shape("weights", expected, w.len().to_string()));
        }
        if w.iter().any(|w| !(w.is_finite() && *w >= 0.0)) || w.iter().all(|w| *w == 0.0) {
            let problem = "must be finite and not negative, and not all zero";
            return Err(Error::data("weights", problem));
        }
    }
    let weights: Option<Vec<f64>> = weights.map(|w| w.to_vec());
    Ok((0..codes.ncols())
        .into_par_iter()
        .map(|j| {
            let column = codes.column(j);
            each(dense_count(&column, weights.as_deref()))
        })
        .collect())
}

/// As [`count`], by a table where the range of the codes is small.
fn dense_count(column: &ArrayRef1<i32>, weights: Option<&[f64]>) -> Vec<(i32, f64)> {
    let (low, high) = column
        .iter()
        .fold((i32::MAX, i32::MIN), |(l, h), &c| (l.min(c), h.max(c)));
    if i64::from(high) - i64::from(low) >= TABLE {
        return count(column.iter().copied(), weights);
    }
    let at = |c: i32| (i64::from(c) - i64::from(low)) as usize;
    let mut sums = vec![0.0; at(high) + 1];
    match weights {
        None => column.iter().for_each(|&c| sums[at(c)] += 1.0),
        Some(w) => column.iter().zip(w).for_each(|(&c, w)| sums[at(c)] += w),
    }
    let found = sums.into_iter().enumerate().filter(|(_, s)| *s > 0.0);
    found.map(|(i, s)| (low + i as i32, s)).collect()
}

/// Where each code goes: a table where codes are close together, else a binary search.
struct Lookup {
    first: i32,
    table: Vec<u32>,
    sorted: Vec<(i32, u32)>,
}

impl Lookup {
    fn new(mut sorted: Vec<(i32, u32)>) -> Self {
        sorted.sort_unstable();
        let first = sorted.first().map_or(0, |p| p.0);
        let at = |code: i32| (i64::from(code) - i64::from(first)) as usize;
        let mut table = Vec::new();
        if let Some(last) = sorted.last().filter(|p| (at(p.0) as i64) < TABLE) {
            table = vec![NONE; at(last.0) + 1];
            sorted.iter().for_each(|&(c, to)| table[at(c)] = to);
        }
        Self {
            first,
            table,
            sorted,
        }
    }

    #[inline(always)]
    fn get(&self, code: i32) -> u32 {
        if self.table.is_empty() {
            let found = self.sorted.binary_search_by_key(&code, |p| p.0);
            return found.map_or(NONE, |i| self.sorted[i].1);
        }
        let at = i64::from(code) - i64::from(self.first);
        let found = usize::try_from(at).ok().and_then(|at| self.table.get(at));
        found.copied().unwrap_or(NONE)
    }
}

/// The first code of a table that its column's lookup does not know.
fn refuse_unseen(codes: &ArrayRef2<i32>, lookups: &[Lookup]) -> Result<()> {
    for (row, codes) in codes.rows().into_iter().enumerate() {
        for (j, (code, lookup)) in codes.iter().zip(lookups).enumerate() {
            if lookup.get(*code) == NONE {
                let problem = format!("code {code} was not seen at fit");
                return Err(Error::value("codes", problem, (row, j)));
            }
        }
    }
    Ok(())
}

/// What a [`OneHot`] encoder is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OneHotParams {
    /// Keep this many levels of a column at most, the most frequent ones; the rest share one column. `None` keeps all.
    pub max_levels: Option<usize>,
    /// Levels with less weight than this share one column.
    pub min_weight: f64,
    /// What happens to codes not seen at fit.
    pub unseen: UnseenCode,
}

impl OneHotParams {
    /// Keep this many levels of a column at most.
    pub fn with_max_levels(mut self, n: Option<usize>) -> Self {
        self.max_levels = n;
        self
    }

    /// Levels with less weight (fewer rows) than this share one column.
    pub fn with_min_weight(mut self, weight: f64) -> Self {
        self.min_weight = weight;
        self
    }

    /// What happens to codes not seen at fit.
    pub fn with_unseen(mut self, unseen: UnseenCode) -> Self {
        self.unseen = unseen;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When no level could be kept, or the weight is negative or not a number.
    pub fn validate(&self) -> Result<()> {
        if self.max_levels == Some(0) {
            return Err(Error::param("max_levels", "must be at least 1"));
        }
        if self.min_weight.is_nan() || self.min_weight < 0.0 {
            let problem = format!("must be 0 or more, not {}", self.min_weight);
            return Err(Error::param("min_weight", problem));
        }
        Ok(())
    }

    /// Learns the levels of each column.
    ///
    /// # Errors
    /// When a parameter is out of range or `codes` is empty.
    pub fn fit(&self, codes: &ArrayRef2<i32>) -> Result<OneHot> {
        self.fit_any(codes, None)
    }

    /// As [`fit`](Self::fit), with weighted rows.
    ///
    /// # Errors
    /// Also when there is not one finite, non-negative weight for each row.
    pub fn fit_weighted(&self, codes: &ArrayRef2<i32>, weights: &ArrayRef1<f64>) -> Result<OneHot> {
        self.fit_any(codes, Some(weights))
    }

    fn fit_any(&self, codes: &ArrayRef2<i32>, weights: Option<&ArrayRef1<f64>>) -> Result<OneHot> {
        self.validate()?;
        Ok(OneHot {
            columns: learn(codes, weights, |counts| self.fit_counts(&counts))?,
        })
    }

    /// Chooses the levels of one column from its distinct codes (ascending) and their weights.
    pub(crate) fn fit_counts(&self, counts: &[(i32, f64)]) -> OneHotColumn {
        let mut kept: Vec<(i32, f64)> = counts
            .iter()
            .copied()
            .filter(|c| c.1 >= self.min_weight)
            .collect();
        if let Some(max) = self.max_levels.filter(|&m| m < kept.len()) {
            kept.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            kept.truncate(max);
            kept.sort_by_key(|c| c.0);
        }
        OneHotColumn {
            rare: counts
                .iter()
                .map(|c| c.0)
                .filter(|c| kept.iter().all(|k| k.0 != *c))
                .collect(),
            levels: kept.into_iter().map(|c| c.0).collect(),
            unseen: self.unseen,
        }
    }
}

/// Where a code goes in its column's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Slot {
    /// This column of the block.
    At(usize),
    /// Not seen at fit and ignored: zeros.
    Zeros,
    /// Not seen at fit and refused.
    Unseen,
}

/// The levels of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneHotColumn {
    /// Codes with a column of their own, ascending.
    pub levels: Vec<i32>,
    /// Codes that share the last column, ascending.
    pub rare: Vec<i32>,
    /// What happens to other codes.
    pub unseen: UnseenCode,
}

impl OneHotColumn {
    /// Number of columns: one a level, and one more when there are rare ones.
    pub fn width(&self) -> usize {
        self.levels.len() + usize::from(!self.rare.is_empty())
    }

    /// Where a code goes.
    pub fn slot(&self, code: i32) -> Slot {
        if let Ok(at) = self.levels.binary_search(&code) {
            return Slot::At(at);
        }
        let rare = self.rare.binary_search(&code).is_ok();
        match self.unseen {
            UnseenCode::Error if !rare => Slot::Unseen,
            _ if self.rare.is_empty() => Slot::Zeros,
            _ => Slot::At(self.levels.len()),
        }
    }
}

/// One 0/1 column for each level of each column of codes, the levels in ascending order.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::OneHot;
///
/// let plans = array![[2], [5], [2], [-1]];
/// let encoder = OneHot::params().fit(&plans)?;
/// assert_eq!(encoder.columns()[0].levels, [-1, 2, 5]);
/// assert_eq!(encoder.transform::<f32>(&array![[5], [7]])?, array![[0.0f32, 0.0, 1.0], [0.0, 0.0, 0.0]]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    columns: Vec<OneHotColumn>,
}

impl OneHot {
    /// All levels, unseen codes ignored, unless said otherwise.
    pub fn params() -> OneHotParams {
        OneHotParams::default()
    }

    /// The levels of each column.
    pub fn columns(&self) -> &[OneHotColumn] {
        &self.columns
    }

    /// Number of 0/1 columns.
    pub fn n_outputs(&self) -> usize {
        self.columns.iter().map(OneHotColumn::width).sum()
    }

    /// Where each column's codes go, and where those not seen at fit go.
    fn lookups(&self) -> (Vec<Lookup>, Vec<u32>) {
        let mut start = 0u32;
        let each = self.columns.iter().map(|column| {
            let other = start + column.levels.len() as u32;
            let mut pairs: Vec<(i32, u32)> = column.levels.iter().copied().zip(start..).collect();
            pairs.extend(column.rare.iter().map(|&c| (c, other)));
            start += column.width() as u32;
            let unseen = if column.rare.is_empty() { NONE } else { other };
            (Lookup::new(pairs), unseen)
        });
        each.unzip()
    }

    /// The position of each row's ones among the [`n_outputs`](Self::n_outputs) columns, one for each column of codes:
    /// the sparse form of [`transform`](Self::transform). `u32::MAX` stands for "none".
    ///
    /// # Errors
    /// When `codes` has another width than at fit, or a code was not seen at fit and is refused.
    pub fn transform_indices(&self, codes: &ArrayRef2<i32>) -> Result<Array2<u32>> {
        check_width("codes", codes.ncols(), self.columns.len())?;
        let (lookups, unseen) = self.lookups();
        if self.columns.iter().any(|c| c.unseen == UnseenCode::Error) {
            refuse_unseen(codes, &lookups)?;
        }
        let mut out = Array2::zeros(codes.dim());
        map_rows(codes, &mut out, |from, to| {
            for (j, o) in to.iter_mut().enumerate() {
                let at = lookups[j].get(from[j]);
                *o = if at == NONE { unseen[j] } else { at };
            }
        });
        Ok(out)
    }

    /// The 0/1 columns.
    ///
    /// # Errors
    /// As [`transform_indices`](Self::transform_indices).
    pub fn transform<F: Scalar>(&self, codes: &ArrayRef2<i32>) -> Result<Array2<F>> {
        let mut out = Array2::from_elem((codes.nrows(), self.n_outputs()), F::zero());
        self.transform_into(codes, &mut out)?;
        Ok(out)
    }

    /// The 0/1 columns, written to `out` (rows by [`n_outputs`](Self::n_outputs)).
    ///
    /// # Errors
    /// As [`transform_indices`](Self::transform_indices); also when `out` has the wrong shape.
    pub fn transform_into<F: Scalar>(
        &self,
        codes: &ArrayRef2<i32>,
        out: &mut ArrayRef2<F>,
    ) -> Result<()> {
        check_out(out, (codes.nrows(), self.n_outputs()))?;
        let at = self.transform_indices(codes)?;
        map_rows(&at, out, |from, to| {
            to.fill(F::zero());
            from.iter()
                .filter(|&&i| i != NONE)
                .for_each(|&i| to[i as usize] = F::one());
        });
        Ok(())
    }
}

/// What an [`OrdinalEncoder`] is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrdinalEncoderParams {
    /// Which number goes to which level.
    pub order: LevelOrder,
    /// What happens to codes not seen at fit.
    pub unseen: UnseenCode,
}

impl OrdinalEncoderParams {
    /// Which number goes to which level.
    pub fn with_order(mut self, order: LevelOrder) -> Self {
        self.order = order;
        self
    }

    /// What happens to codes not seen at fit.
    pub fn with_unseen(mut self, unseen: UnseenCode) -> Self {
        self.unseen = unseen;
        self
    }

    /// Checks the values alone: all are valid.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Learns the levels of each column.
    ///
    /// # Errors
    /// When `codes` is empty.
    pub fn fit(&self, codes: &ArrayRef2<i32>) -> Result<OrdinalEncoder> {
        self.fit_any(codes, None)
    }

    /// As [`fit`](Self::fit), with weighted rows (which matter to the order by frequency).
    ///
    /// # Errors
    /// Also when there is not one finite, non-negative weight for each row.
    pub fn fit_weighted(
        &self,
        codes: &ArrayRef2<i32>,
        weights: &ArrayRef1<f64>,
    ) -> Result<OrdinalEncoder> {
        self.fit_any(codes, Some(weights))
    }

    fn fit_any(
        &self,
        codes: &ArrayRef2<i32>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<OrdinalEncoder> {
        self.validate()?;
        Ok(OrdinalEncoder {
            columns: learn(codes, weights, |counts| self.fit_counts(counts))?,
        })
    }

    /// Orders the levels of one column.
    pub(crate) fn fit_counts(&self, mut counts: Vec<(i32, f64)>) -> OrdinalColumn {
        if self.order == LevelOrder::Frequency {
            counts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        }
        OrdinalColumn {
            levels: counts.into_iter().map(|c| c.0).collect(),
            unseen: self.unseen,
        }
    }
}

/// The levels of one column; the number of a level is its position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrdinalColumn {
    /// Codes, in the order of their numbers.
    pub levels: Vec<i32>,
    /// What happens to other codes.
    pub unseen: UnseenCode,
}

/// One number for each level of a column of codes: 0, 1, 2, ... as tree models take them.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_features::{LevelOrder, OrdinalEncoder};
///
/// let plans = array![[20], [5], [20]];
/// let encoder = OrdinalEncoder::params().with_order(LevelOrder::Frequency).fit(&plans)?;
/// assert_eq!(encoder.transform::<f32>(&plans)?, array![[0.0f32], [1.0], [0.0]]);
/// assert!(encoder.transform::<f32>(&array![[6]])?[[0, 0]].is_nan());
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrdinalEncoder {
    columns: Vec<OrdinalColumn>,
}

impl OrdinalEncoder {
    /// By value, unseen codes NaN, unless said otherwise.
    pub fn params() -> OrdinalEncoderParams {
        OrdinalEncoderParams::default()
    }

    /// The levels of each column.
    pub fn columns(&self) -> &[OrdinalColumn] {
        &self.columns
    }

    /// The number of each code.
    ///
    /// # Errors
    /// When `codes` has another width than at fit, or a code was not seen at fit and is refused.
    pub fn transform<F: Scalar>(&self, codes: &ArrayRef2<i32>) -> Result<Array2<F>> {
        let mut out = Array2::from_elem(codes.dim(), F::zero());
        self.transform_into(codes, &mut out)?;
        Ok(out)
    }

    /// The number of each code, written to `out` of the same shape.
    ///
    /// # Errors
    /// As [`transform`](Self::transform); also when `out` has the wrong shape.
    pub fn transform_into<F: Scalar>(
        &self,
        codes: &ArrayRef2<i32>,
        out: &mut ArrayRef2<F>,
    ) -> Result<()> {
        check_width("codes", codes.ncols(), self.columns.len())?;
        check_out(out, codes.dim())?;
        let numbered = |c: &OrdinalColumn| c.levels.iter().copied().zip(0..).collect();
        let lookups: Vec<Lookup> = self
            .columns
            .iter()
            .map(|c| Lookup::new(numbered(c)))
            .collect();
        if self.columns.iter().any(|c| c.unseen == UnseenCode::Error) {
            refuse_unseen(codes, &lookups)?;
        }
        map_rows(codes, out, |from, to| {
            for (j, o) in to.iter_mut().enumerate() {
                *o = match lookups[j].get(from[j]) {
                    NONE => F::nan(),
                    at => F::from_f64(f64::from(at)),
                };
            }
        });
        Ok(())
    }

    /// The codes that numbers stand for; `None` where there is no such number.
    ///
    /// # Errors
    /// When `x` has another width than at fit.
    pub fn inverse_transform<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<Array2<Option<i32>>> {
        check_width("x", x.ncols(), self.columns.len())?;
        Ok(Array2::from_shape_fn(x.dim(), |(i, j)| {
            let at = x[[i, j]].into_f64();
            let whole = at >= 0.0 && at.fract() == 0.0;
            whole
                .then(|| self.columns[j].levels.get(at as usize).copied())
                .flatten()
        }))
    }
}
