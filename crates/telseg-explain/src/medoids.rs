//! Real rows that stand for a segment.

use rayon::prelude::*;
use telseg_core::{Result, Seed};

use crate::profile::{Column, ColumnValues, MISSING, Role, check_rows};

/// Rows of a segment that are compared with each other, at most.
const SAMPLE: usize = 1_000;

/// Rows that stand for each segment: the medoid, the row that is nearest to all others of its segment on average, then
/// those that bring the others nearest (the build phase of PAM). Of a segment with fewer than `min_rows` rows none is
/// named, so that no small group's member is held up.
///
/// The distance is Gower's: for numbers the difference over the range from the 5th to the 95th percentile of the base, at
/// most 1; for levels whether they differ; the mean over the columns that describe and are known in both.
///
/// # Shapes
/// `labels`: one for each row, below `n_segments`, or [`MISSING`].
///
/// # Cost
/// For each segment `O(m² columns)` with `m` at most 1,000 rows, which are drawn where there are more; in parallel.
///
/// # Errors
/// When lengths differ, there are no rows, or a label or code is out of range.
///
/// # References
/// L. Kaufman, P. Rousseeuw (1990), "Finding groups in data"; J. Gower (1971), "A general coefficient of similarity".
///
/// # Examples
/// ```
/// use telseg_explain::{Column, medoids};
/// let gb: Vec<f64> = (0..21).map(f64::from).collect();
/// let rows = medoids(&[Column::numeric("data_gb", &gb)], &[0; 21], 1, 3, 10, 0)?;
/// assert_eq!((rows[0].len(), rows[0][0]), (3, 10)); // the middle first
/// assert!(medoids(&[Column::numeric("data_gb", &gb)], &[0; 21], 1, 3, 22, 0)?[0].is_empty());
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn medoids(
    columns: &[Column<'_>],
    labels: &[u32],
    n_segments: usize,
    n_medoids: usize,
    min_rows: usize,
    seed: u64,
) -> Result<Vec<Vec<usize>>> {
    check_rows(columns, labels, n_segments)?;
    let describing: Vec<&Column<'_>> = columns
        .iter()
        .filter(|c| c.role == Role::Describes)
        .collect();
    let ranges: Vec<f64> = describing.iter().map(|c| range(c)).collect();
    let draw = Seed::new(seed).stream("medoids");
    let mut members = vec![Vec::new(); n_segments];
    for (row, label) in labels.iter().enumerate() {
        if *label != MISSING {
            members[*label as usize].push(row);
        }
    }
    let of_segment = |rows: Vec<usize>| {
        if rows.len() < min_rows || rows.is_empty() {
            return Vec::new();
        }
        let mut rows = rows;
        if rows.len() > SAMPLE {
            rows.sort_by_key(|r| draw.bits(*r as u64));
            rows.truncate(SAMPLE);
            rows.sort_unstable();
        }
        build(&rows, n_medoids, |a, b| gower(&describing, &ranges, a, b))
    };
    Ok(members.into_par_iter().map(of_segment).collect())
}

/// The greedy choice of rows that bring all others nearest.
fn build(rows: &[usize], n_medoids: usize, distance: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    let n = rows.len();
    let mut apart = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let d = distance(rows[i], rows[j]);
            (apart[i * n + j], apart[j * n + i]) = (d, d);
        }
    }
    let mut nearest = vec![f64::INFINITY; n];
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < n_medoids.min(n) {
        let cost = |i: usize| -> f64 { (0..n).map(|j| nearest[j].min(apart[i * n + j])).sum() };
        let free = (0..n).filter(|i| !chosen.contains(i));
        let Some((_, best)) = free
            .map(|i| (cost(i), i))
            .min_by(|a, b| a.0.total_cmp(&b.0))
        else {
            break;
        };
        (0..n).for_each(|j| nearest[j] = nearest[j].min(apart[best * n + j]));
        chosen.push(best);
    }
    chosen.into_iter().map(|i| rows[i]).collect()
}

fn gower(columns: &[&Column<'_>], ranges: &[f64], a: usize, b: usize) -> f64 {
    let (mut sum, mut known) = (0.0, 0.0);
    for (column, range) in columns.iter().zip(ranges) {
        let distance = match column.values {
            ColumnValues::Numeric(v) if v[a].is_nan() || v[b].is_nan() => continue,
            ColumnValues::Numeric(v) => ((v[a] - v[b]).abs() / range).min(1.0),
            ColumnValues::Categorical { codes, .. }
                if codes[a] == MISSING || codes[b] == MISSING =>
            {
                continue;
            }
            ColumnValues::Categorical { codes, .. } => f64::from(u8::from(codes[a] != codes[b])),
        };
        sum += distance;
        known += 1.0;
    }
    // Rows that share no known column are as far as can be.
    if known > 0.0 { sum / known } else { 1.0 }
}

/// The range of a column of numbers without its outermost twentieths; 1 where it has none.
fn range(column: &Column<'_>) -> f64 {
    let ColumnValues::Numeric(values) = column.values else {
        return 1.0;
    };
    let step = values.len().div_ceil(100_000).max(1);
    let mut known: Vec<f64> = values
        .iter()
        .step_by(step)
        .copied()
        .filter(|v| !v.is_nan())
        .collect();
    known.sort_by(f64::total_cmp);
    let at = |q: f64| {
        known
            .get((q * (known.len().saturating_sub(1)) as f64) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    let inner = at(0.95) - at(0.05);
    let whole = at(1.0) - at(0.0);
    if inner > 0.0 {
        inner
    } else if whole > 0.0 {
        whole
    } else {
        1.0
    }
}
