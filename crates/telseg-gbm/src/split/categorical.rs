//! Levels: one against the rest when they are few, else subsets along the order of their gradient ratios.
//!
//! For a convex loss the best subset is a prefix of the levels sorted by `g / h` (Fisher 1958, "On grouping for maximum
//! homogeneity"; Breiman et al. 1984, section 4.2.2). Ratios are smoothed and prefixes limited as in LightGBM, since rare
//! levels would otherwise be sorted by their noise. Missing values are a level like any other, and the bin of unnamed
//! levels always goes right, where a level that was never seen goes too.

use telseg_core::trees::Side;

use super::{BinSet, Candidate, Reader, Rules, Sums, larger};

/// The best subset of a column: `cells[0]` holds the missing values, the last cell the unnamed levels.
pub(super) fn best(
    cells: &[u64],
    node: (u64, Sums),
    reader: Reader,
    rules: &Rules,
) -> Option<Candidate> {
    let other = cells.len() - 1;
    let present: Vec<usize> = (0..other).filter(|&bin| cells[bin] != 0).collect();
    let found = if other - 1 <= rules.max_one_hot {
        one_against_rest(cells, &present, node, reader, rules)
    } else {
        prefix(cells, present, node, reader, rules)
    };
    let (score, bins, subset) = found?;
    let mut left = BinSet::default();
    bins.iter().for_each(|&bin| left.insert(bin));
    let left_sum = bins
        .iter()
        .fold(0u64, |sum, &bin| sum.wrapping_add(cells[bin]));
    let missing = match cells[0] {
        0 => larger(reader.read(left_sum).n, node.1.n),
        _ if left.contains(0) => Side::Left,
        _ => Side::Right,
    };
    if missing == Side::Left {
        left.insert(0);
    }
    Some(Candidate {
        score,
        left,
        last_bin: None,
        missing,
        left_sum,
        subset,
    })
}

type Found = Option<(f64, Vec<usize>, bool)>;

fn one_against_rest(
    cells: &[u64],
    present: &[usize],
    (packed, _): (u64, Sums),
    reader: Reader,
    rules: &Rules,
) -> Found {
    let mut found: Found = None;
    for &bin in present {
        let (l, r) = (
            reader.read(cells[bin]),
            reader.read(packed.wrapping_sub(cells[bin])),
        );
        let Some(score) = rules.score(l, r, rules.l2) else {
            continue;
        };
        if found.as_ref().is_none_or(|f| score > f.0) {
            found = Some((score, vec![bin], false));
        }
    }
    found
}

fn prefix(
    cells: &[u64],
    present: Vec<usize>,
    (packed, _): (u64, Sums),
    reader: Reader,
    rules: &Rules,
) -> Found {
    let mut levels: Vec<(f64, usize)> = present
        .into_iter()
        .map(|bin| (reader.read(cells[bin]), bin))
        .filter(|(s, _)| s.n + 0.5 >= rules.cat_smooth_rows)
        .map(|(s, bin)| (s.g / (s.h + rules.cat_smooth_hessian), bin))
        .collect();
    levels.sort_by(|a, b| a.0.total_cmp(&b.0)); // stable: equal ratios stay in the order of the bins
    let most = rules.max_cat_threshold.min(levels.len().div_ceil(2));
    let l2 = rules.l2 + rules.cat_l2;
    let mut found: Option<(f64, usize, bool)> = None;
    for backwards in [false, true] {
        if backwards {
            levels.reverse();
        }
        let (mut left, mut group) = (0u64, 0.0);
        for (i, &(_, bin)) in levels.iter().take(most).enumerate() {
            left = left.wrapping_add(cells[bin]);
            group += reader.read(cells[bin]).n;
            let (l, r) = (reader.read(left), reader.read(packed.wrapping_sub(left)));
            if l.n < rules.min_rows || l.h < rules.min_hessian {
                continue;
            }
            if r.n < rules.min_rows.max(rules.min_rows_group) || r.h < rules.min_hessian {
                break;
            }
            if group < rules.min_rows_group {
                continue;
            }
            group = 0.0;
            let Some(score) = rules.score(l, r, l2) else {
                continue; // never: both sides were just seen
            };
            if found.is_none_or(|f| score > f.0) {
                found = Some((score, i + 1, backwards));
            }
        }
    }
    // `levels` is in backward order now.
    let (score, n, backwards) = found?;
    let take = |(_, bin): &(f64, usize)| *bin;
    let bins = if backwards {
        levels.iter().take(n).map(take).collect()
    } else {
        levels.iter().rev().take(n).map(take).collect()
    };
    Some((score, bins, true))
}
