//! A comparison as text.

use std::fmt;

use telseg_core::metrics::Interval;

use super::judge::{Comparison, Judged};

const HEAD: [&str; 9] = [
    "method",
    "clusters",
    "silhouette",
    "Davies-Bouldin",
    "Calinski-Harabasz",
    "gap",
    "stability (ARI)",
    "weakest cluster",
    "noise",
];

/// A row a candidate, the recommended one marked; then the reason.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(self.judged.iter().map(cells));
        let width = |j: usize| {
            rows.iter()
                .map(|row| row[j].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; HEAD.len()] = std::array::from_fn(width);
        for (i, row) in rows.iter().enumerate() {
            let marked = i > 0 && self.recommended == Some(i - 1);
            f.write_str(if marked { "* " } else { "  " })?;
            for (j, (cell, width)) in row.iter().zip(widths).enumerate() {
                let gap = " ".repeat(width - cell.chars().count());
                match j {
                    0 => write!(f, "{cell}{gap}")?,
                    _ => write!(f, "  {gap}{cell}")?,
                }
            }
            let seconds = |judged: &Judged| match &judged.problem {
                Some(problem) => format!("  {problem}"),
                None => format!("  {:7.3}", judged.seconds),
            };
            let last = i
                .checked_sub(1)
                .map_or("  seconds".to_owned(), |i| seconds(&self.judged[i]));
            writeln!(f, "{last}")?;
        }
        write!(f, "{} ({} rows)", self.reason, self.n_rows)
    }
}

fn cells(judged: &Judged) -> [String; HEAD.len()] {
    let blank = || "-".to_owned();
    let figure = |v: f64, places: usize| {
        if v.abs() < 1e6 {
            format!("{v:.places$}")
        } else {
            format!("{v:.0e}")
        }
    };
    let of = |interval: &Option<Interval>, places: usize| {
        interval.map_or_else(blank, |i| {
            let [estimate, low, high] = [i.estimate, i.low, i.high].map(|v| figure(v, places));
            format!("{estimate} ({low} to {high})")
        })
    };
    let stability = judged.stability.as_ref();
    let weakest = stability.and_then(|s| {
        s.clusters
            .iter()
            .map(|c| c.jaccard)
            .min_by(|a, b| a.estimate.total_cmp(&b.estimate))
    });
    [
        judged.method.clone(),
        if judged.problem.is_some() {
            judged.k.map_or_else(blank, |k| k.to_string())
        } else {
            judged.n_clusters.to_string()
        },
        of(&judged.silhouette, 3),
        of(&judged.davies_bouldin, 2),
        of(&judged.calinski_harabasz, 0),
        judged
            .gap
            .map_or_else(blank, |gap| format!("{:.3} +- {:.3}", gap.gap, gap.error)),
        of(&stability.map(|s| s.ari), 2),
        of(&weakest, 2),
        if judged.noise > 0.0 {
            format!("{:.0} %", 100.0 * judged.noise)
        } else {
            blank()
        },
    ]
}
