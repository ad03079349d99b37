//! Columns as small codes, with cuts that read well.

use crate::profile::{Column, ColumnValues, MISSING, Role};

/// The code of a missing value.
pub(super) const UNKNOWN: u8 = 255;
/// Values that cuts are found on, about.
const SAMPLE: usize = 100_000;

/// A column in codes.
#[derive(Debug)]
pub(super) struct Binned<'a> {
    pub(super) name: &'a str,
    pub(super) codes: Vec<u8>,
    pub(super) kind: Kind<'a>,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// Code `i` is at most `cuts[i]` and above the cut before; the last code is above all.
    Numeric { cuts: Vec<f64> },
    /// Names of the levels by code; the others share the last code.
    Levels { names: Vec<&'a str> },
}

impl Binned<'_> {
    /// Whether some rows have no value, or a level that no question names.
    pub(super) fn has_unnamed(&self) -> bool {
        let rare = match &self.kind {
            Kind::Numeric { .. } => UNKNOWN,
            Kind::Levels { names } => names.len() as u8,
        };
        self.codes.iter().any(|c| *c == UNKNOWN || *c == rare)
    }
}

/// The columns that describe, of the given rows.
pub(super) fn bin<'a>(columns: &[Column<'a>], rows: &[usize], max_bins: usize) -> Vec<Binned<'a>> {
    let describing = columns.iter().filter(|c| c.role == Role::Describes);
    let binned = describing.map(|column| match column.values {
        ColumnValues::Numeric(values) if column.is_flag() => {
            let code = |v: f64| {
                if v.is_nan() {
                    UNKNOWN
                } else {
                    u8::from(v == 1.0)
                }
            };
            Binned {
                name: column.name,
                codes: rows.iter().map(|&r| code(values[r])).collect(),
                kind: Kind::Levels {
                    names: vec!["No", "Yes"],
                },
            }
        }
        ColumnValues::Numeric(values) => {
            let cuts = cuts(values, rows, max_bins);
            let code = |v: f64| {
                if v.is_nan() {
                    UNKNOWN
                } else {
                    cuts.partition_point(|c| *c < v) as u8
                }
            };
            Binned {
                name: column.name,
                codes: rows.iter().map(|&r| code(values[r])).collect(),
                kind: Kind::Numeric { cuts },
            }
        }
        ColumnValues::Categorical { codes, levels } => {
            let mut counts = vec![0usize; levels.len()];
            for &row in rows {
                if codes[row] != MISSING {
                    counts[codes[row] as usize] += 1;
                }
            }
            let mut order: Vec<usize> = (0..levels.len()).filter(|&l| counts[l] > 0).collect();
            order.sort_by(|&a, &b| counts[b].cmp(&counts[a])); // stable
            order.truncate(max_bins);
            let mut of = vec![order.len() as u8; levels.len()];
            order
                .iter()
                .enumerate()
                .for_each(|(code, &level)| of[level] = code as u8);
            let code = |r: usize| {
                if codes[r] == MISSING {
                    UNKNOWN
                } else {
                    of[codes[r] as usize]
                }
            };
            Binned {
                name: column.name,
                codes: rows.iter().map(|&r| code(r)).collect(),
                kind: Kind::Levels {
                    names: order.iter().map(|&l| levels[l].as_str()).collect(),
                },
            }
        }
    });
    binned.collect()
}

/// Cuts between quantiles of the known values, each the shortest number between its neighbours.
fn cuts(values: &[f64], rows: &[usize], max_bins: usize) -> Vec<f64> {
    let step = rows.len().div_ceil(SAMPLE).max(1);
    let mut known: Vec<f64> = rows
        .iter()
        .step_by(step)
        .map(|&r| values[r])
        .filter(|v| !v.is_nan())
        .collect();
    known.sort_by(f64::total_cmp);
    let mut cuts: Vec<f64> = Vec::new();
    for q in 1..max_bins {
        let at = q * known.len() / max_bins;
        // The cut lies between a value and the next larger one.
        let Some(&below) = known.get(at) else {
            continue;
        };
        let next = known.partition_point(|v| *v <= below);
        if let Some(&above) = known.get(next) {
            cuts.push(shortest_between(below, above));
        }
    }
    cuts.dedup();
    cuts
}

/// The number with the fewest decimals in `[low, high)`.
pub(super) fn shortest_between(low: f64, high: f64) -> f64 {
    for decimals in -3..=12 {
        let unit = 10f64.powi(decimals);
        let candidate = (low * unit).ceil() / unit;
        if low <= candidate && candidate < high {
            return candidate;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_read_well_and_part_the_same_values() {
        assert_eq!(shortest_between(12.0431, 12.72), 12.1);
        assert_eq!(shortest_between(3.0, 4.0), 3.0);
        assert_eq!(shortest_between(-0.26, -0.1), -0.2);
        assert_eq!(shortest_between(1_204.0, 2_700.0), 2_000.0);
        assert_eq!(shortest_between(0.1, 0.1 + f64::EPSILON), 0.1);
        let values: Vec<f64> = (0..100)
            .map(|i| f64::from(i % 10) + 0.37)
            .chain([f64::NAN])
            .collect();
        let rows: Vec<usize> = (0..values.len()).collect();
        let all = bin(&[Column::numeric("x", &values)], &rows, 4);
        let Kind::Numeric { cuts } = &all[0].kind else {
            panic!("numeric")
        };
        assert_eq!(cuts, &[3.0, 6.0, 8.0]);
        assert_eq!(all[0].codes[100], UNKNOWN);
        assert_eq!(&all[0].codes[..10], &[0, 0, 0, 1, 1, 1, 2, 2, 3, 3]);
    }
}
