//! Columns that give the target away.

use crate::table::Column;

/// Rows below which nothing is suspected.
const MIN_ROWS: usize = 50;
/// Share of rows (or area under the curve) from which a column gives the target away.
const GIVEN_AWAY: f64 = 0.999;
/// Rows a level that purity needs on average to mean something.
const ROWS_A_LEVEL: usize = 20;

/// Why a column gives the target away, if it does. `y` is 0, 1 or NaN.
pub(super) fn leak(column: &Column<'_>, y: &[f64]) -> Option<String> {
    let n = y.iter().filter(|y| !y.is_nan()).count();
    let positives = y.iter().filter(|y| **y == 1.0).count();
    let base = positives.max(n - positives) as f64 / n.max(1) as f64;
    if n < MIN_ROWS || base >= 0.99 {
        return None;
    }
    let missing: Vec<usize> = missing_groups(column);
    if purity(&missing, 2, y) >= GIVEN_AWAY {
        return Some("its cells are missing for one value of the target and only then".into());
    }
    let (groups, n_groups) = groups(column);
    if n >= n_groups * ROWS_A_LEVEL && purity(&groups, n_groups, y) >= GIVEN_AWAY {
        return Some("each of its values goes with one value of the target".into());
    }
    if let Column::Number(v) | Column::Date(v) = column {
        let area = area(v, y);
        if area.max(1.0 - area) >= GIVEN_AWAY {
            return Some("a threshold on it tells the target's values apart".into());
        }
    }
    None
}

fn missing_groups(column: &Column<'_>) -> Vec<usize> {
    match column {
        Column::Number(v) | Column::Date(v) => v.iter().map(|v| usize::from(v.is_nan())).collect(),
        Column::Text { codes, .. } => codes.iter().map(|&c| usize::from(c < 0)).collect(),
    }
}

/// The group of each row by its value; the last group is "missing".
fn groups(column: &Column<'_>) -> (Vec<usize>, usize) {
    match column {
        Column::Text { codes, levels } => {
            let last = levels.len();
            let groups = codes.iter().map(|&c| usize::try_from(c).unwrap_or(last));
            (groups.collect(), last + 1)
        }
        Column::Number(v) | Column::Date(v) => {
            let mut sorted: Vec<f64> = v.iter().copied().filter(|v| !v.is_nan()).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            sorted.dedup();
            let group = |v: &f64| {
                if v.is_nan() {
                    sorted.len()
                } else {
                    sorted.partition_point(|s| s < v)
                }
            };
            (v.iter().map(group).collect(), sorted.len() + 1)
        }
    }
}

/// Share of the rows that have the more frequent target value of their group.
fn purity(groups: &[usize], n_groups: usize, y: &[f64]) -> f64 {
    let mut counts = vec![[0usize; 2]; n_groups];
    for (&g, y) in groups.iter().zip(y).filter(|(_, y)| !y.is_nan()) {
        counts[g][usize::from(*y == 1.0)] += 1;
    }
    let all: usize = counts.iter().map(|c| c[0] + c[1]).sum();
    let pure: usize = counts.iter().map(|c| c[0].max(c[1])).sum();
    pure as f64 / all.max(1) as f64
}

/// Area under the ROC curve of a column among rows where it is present, ties by half; 0.5 when one class is absent.
fn area(values: &[f64], y: &[f64]) -> f64 {
    let mut pairs: Vec<(f64, bool)> = values
        .iter()
        .zip(y)
        .filter(|(v, y)| !v.is_nan() && !y.is_nan())
        .map(|(v, y)| (*v, *y == 1.0))
        .collect();
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut sum, mut positives) = (0.0, 0.0, 0.0);
    for tied in pairs.chunk_by(|a, b| a.0 == b.0) {
        let up = tied.iter().filter(|p| p.1).count() as f64;
        let down = tied.len() as f64 - up;
        sum += up * (below + down / 2.0);
        below += down;
        positives += up;
    }
    if positives < MIN_ROWS as f64 / 5.0 || below < MIN_ROWS as f64 / 5.0 {
        return 0.5;
    }
    sum / (positives * below)
}
