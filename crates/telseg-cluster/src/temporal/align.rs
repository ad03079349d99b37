//! Which cluster is which segment.

use ndarray::Array2;
use telseg_core::Result;

use super::cheapest_pairs;
use super::migration::Migration;
use super::params::HistoryParams;
use super::stats::Stats;

/// How alike last month's segments (rows) and this month's clusters (columns) are.
pub(super) struct Likeness {
    pub(super) similarity: Array2<f64>,
    pub(super) shared: Option<Array2<f64>>,
    pub(super) distance: Option<Array2<f64>>,
    pub(super) id_weight: f64,
}

impl Likeness {
    /// Of the flows between all places and the statistics of `k` segments and `m` clusters (and of no segment, last).
    pub(super) fn new(
        flows: &Migration,
        before: &[Stats],
        now: &[Stats],
        params: &HistoryParams,
    ) -> Self {
        let (k, m) = (before.len() - 1, now.len() - 1);
        let shared = jaccard(flows, k, m);
        let distance = distances(before, now, k, m);
        // All rows but the joiners': last month's base. All columns but the leavers': found again.
        let base: f64 = before.iter().map(|s| s.weight).sum();
        let left: f64 = flows.weights.column(m + 1).iter().sum();
        let found = if base > 0.0 {
            ((base - left) / base).max(0.0)
        } else {
            0.0
        };
        let id_weight = match (&shared, &distance) {
            (None, _) => 0.0,
            (Some(_), None) => 1.0,
            (Some(_), Some(_)) => (found / params.enough_shared).min(1.0),
        };
        let similarity = Array2::from_shape_fn((k, m), |at| {
            let by_ids = shared.as_ref().map_or(0.0, |shared| shared[at]);
            let by_centers = distance
                .as_ref()
                .map_or(0.0, |d| (-0.5 * d[at] * d[at]).exp());
            id_weight * by_ids + (1.0 - id_weight) * by_centers // (1)
        });
        Self {
            similarity,
            shared,
            distance,
            id_weight,
        }
    }

    /// The segment of each cluster: the pairing of largest total similarity among pairs that are similar enough.
    pub(super) fn pairs(&self, same: f64) -> Result<Vec<Option<usize>>> {
        // A pair that is not similar enough costs as much as no pair, and is none.
        let cost = self.similarity.mapv(|s| if s >= same { -s } else { 0.0 });
        let mut segment_of = vec![None; cost.ncols()];
        for (i, j) in cheapest_pairs(&cost)? {
            if cost[[i, j]] < 0.0 {
                segment_of[j] = Some(i);
            }
        }
        Ok(segment_of)
    }

    /// The segment most like a cluster.
    pub(super) fn nearest(&self, cluster: usize) -> Option<usize> {
        let likeness = self.similarity.column(cluster);
        (0..likeness.len()).reduce(|a, b| if likeness[b] > likeness[a] { b } else { a })
    }
}

/// Shared weight over joint weight, among subscribers of both months; `None` when there are none.
fn jaccard(flows: &Migration, k: usize, m: usize) -> Option<Array2<f64>> {
    // No segment counts as a place: moving to it is moving away.
    let both = flows.weights.slice(ndarray::s![..=k, ..=m]);
    let rows: Vec<f64> = both.rows().into_iter().map(|r| r.iter().sum()).collect();
    let columns: Vec<f64> = both.columns().into_iter().map(|c| c.iter().sum()).collect();
    if rows.iter().sum::<f64>() <= 0.0 {
        return None;
    }
    Some(Array2::from_shape_fn((k, m), |(i, j)| {
        let either = rows[i] + columns[j] - both[[i, j]];
        if either > 0.0 {
            both[[i, j]] / either
        } else {
            0.0
        }
    }))
}

/// Root mean square over columns of the centres' distance in standard deviations of last month's base; `None` where rows
/// are not known. Columns without spread or without values do not count.
fn distances(before: &[Stats], now: &[Stats], k: usize, m: usize) -> Option<Array2<f64>> {
    let scale = spread(before)?;
    if now.first()?.moments.n_columns() != scale.len() {
        return None;
    }
    let (old, new): (Vec<_>, Vec<_>) = (
        before.iter().map(Stats::center).collect(),
        now.iter().map(Stats::center).collect(),
    );
    Some(Array2::from_shape_fn((k, m), |(i, j)| {
        let apart = |c: usize| (new[j][c] - old[i][c]) / scale[c];
        let (sum, n) = (0..scale.len())
            .filter(|&c| scale[c] > 0.0 && !apart(c).is_nan())
            .fold((0.0, 0.0), |(sum, n), c| (sum + apart(c).powi(2), n + 1.0));
        if n > 0.0 { (sum / n).sqrt() } else { 0.0 }
    }))
}

/// Standard deviation of each column over all groups; `None` when there are no columns.
pub(super) fn spread(groups: &[Stats]) -> Option<Vec<f64>> {
    let whole = Stats::whole(groups).ok()?;
    let variance = whole.moments.variance();
    (!variance.is_empty()).then(|| variance.iter().map(|v| v.sqrt()).collect())
}
