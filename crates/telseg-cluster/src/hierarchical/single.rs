//! Single linkage: the edges of a minimum spanning tree, shortest first, are its merges.
//!
//! # References
//! - J. C. Gower, G. J. S. Ross (1969), "Minimum spanning trees and single linkage cluster analysis".
//! - R. C. Prim (1957), "Shortest connection networks and some generalizations".

use telseg_core::kernel::{LANES, Level, Probe, RowLanes};

use super::boxes::NONE;

/// An edge between two rows, with its squared length.
pub(super) type Edge = (f64, u32, u32);

/// The minimum spanning tree of rows by Prim's algorithm, shortest edge first: all distances, but only one a row is kept.
pub(super) fn spanning_tree(rows: &[f64], n_columns: usize) -> Vec<Edge> {
    let (n, level) = (rows.len() / n_columns, Level::best());
    let mut left = Left::new(rows, n_columns);
    let mut edges: Vec<Edge> = Vec::with_capacity(n.saturating_sub(1));
    let mut newest = 0u32;
    for n_left in (1..n).rev() {
        let probe = Probe {
            row: &rows[newest as usize * n_columns..][..n_columns],
            inverse: 1.0,
        };
        let place = left.reach(level, probe, newest);
        let (distance, from, to) = left.take(place, n_left);
        edges.push((distance, from.min(to), from.max(to)));
        newest = to;
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    edges
}

/// Rows that the tree has not reached, and how far each is from it.
struct Left {
    n_columns: usize,
    columns: Vec<[f64; LANES]>,
    distances: Vec<[f64; LANES]>,
    from: Vec<[u32; LANES]>,
    ids: Vec<[u32; LANES]>,
}

impl Left {
    /// All but row 0.
    fn new(rows: &[f64], n_columns: usize) -> Self {
        let n = rows.len() / n_columns - 1;
        let groups = n.div_ceil(LANES);
        let mut left = Self {
            n_columns,
            columns: vec![[f64::INFINITY; LANES]; groups * n_columns],
            distances: vec![[f64::INFINITY; LANES]; groups],
            from: vec![[NONE; LANES]; groups],
            ids: vec![[NONE; LANES]; groups],
        };
        for place in 0..n {
            let (group, lane) = (place / LANES, place % LANES);
            left.ids[group][lane] = place as u32 + 1;
            for j in 0..n_columns {
                left.columns[group * n_columns + j][lane] = rows[(place + 1) * n_columns + j];
            }
        }
        left
    }

    /// Holds the rows left against the newest of the tree; the place of the one nearest to the tree.
    fn reach(&mut self, level: Level, probe: Probe<'_, f64>, newest: u32) -> usize {
        let (mut best, mut place) = (f64::INFINITY, 0);
        let mut found = [0.0; LANES];
        let groups = self.columns.chunks_exact(self.n_columns);
        for (group, columns) in groups.enumerate() {
            let lanes = RowLanes {
                columns,
                inverse: &[1.0; LANES],
            };
            probe.to_rows(level, lanes, &mut found);
            let (distances, from) = (&mut self.distances[group], &mut self.from[group]);
            let mut least = f64::INFINITY;
            for l in 0..LANES {
                let nearer = found[l] < distances[l];
                distances[l] = if nearer { found[l] } else { distances[l] };
                from[l] = if nearer { newest } else { from[l] };
                least = if distances[l] < least {
                    distances[l]
                } else {
                    least
                };
            }
            if least < best {
                let lane = distances.iter().position(|&d| d == least).unwrap_or(0);
                (best, place) = (least, group * LANES + lane);
            }
        }
        place
    }

    /// Takes a row out; the last of the `n_left` moves to its place.
    fn take(&mut self, place: usize, n_left: usize) -> Edge {
        let (group, lane) = (place / LANES, place % LANES);
        let edge = (
            self.distances[group][lane],
            self.from[group][lane],
            self.ids[group][lane],
        );
        let (last_group, last_lane) = ((n_left - 1) / LANES, (n_left - 1) % LANES);
        self.distances[group][lane] = self.distances[last_group][last_lane];
        self.from[group][lane] = self.from[last_group][last_lane];
        self.ids[group][lane] = self.ids[last_group][last_lane];
        for j in 0..self.n_columns {
            let (to, of) = (group * self.n_columns + j, last_group * self.n_columns + j);
            self.columns[to][lane] = self.columns[of][last_lane];
            self.columns[of][last_lane] = f64::INFINITY;
        }
        self.distances[last_group][last_lane] = f64::INFINITY;
        let groups = (n_left - 1).div_ceil(LANES);
        self.columns.truncate(groups * self.n_columns);
        self.distances.truncate(groups);
        edge
    }
}
