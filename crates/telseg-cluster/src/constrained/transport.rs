//! Rows to clusters at the least cost, with so many rows at least and at most in each: exact, by shortest augmenting paths.
//!
//! The network has a node a cluster and one for slack. A row that is worth moving from `a` to `b` is an edge of cost
//! `c_ib - c_ia`; only the cheapest row of each pair matters, so a heap a pair holds them. A cluster passes the rows that
//! it holds beyond its least size on to the slack, at no cost and at most `most - least` of them. Rows start in the
//! cluster that is cheapest at the given prices; then each path from a node with too much to one with too little moves
//! one unit, and the prices follow, so that no edge ever becomes cheaper than nothing (Ahuja, Magnanti & Orlin 1993).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use telseg_core::par;

/// Rows that one task looks through.
const CHUNK: usize = 4096;

/// The rows of one cluster by what each costs to move to another, cheapest first; those that left are dropped on sight.
type Heap = BinaryHeap<Reverse<(Cost, u32)>>;

#[derive(Clone, Copy, PartialEq)]
struct Cost(f64);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

struct Network<'a> {
    cost: &'a [f64],
    k: usize,
    labels: Vec<u32>,
    /// Prices of the clusters and, last, of the slack.
    prices: Vec<f64>,
    /// Units that each cluster passes to the slack, and how many it may.
    passed: Vec<i64>,
    room: Vec<i64>,
    /// What each node holds too much.
    excess: Vec<i64>,
    /// Heaps of a cluster to every other, made when its rows are first asked for.
    heaps: Vec<Option<Vec<Heap>>>,
}

/// Where a shortest path comes from.
#[derive(Clone, Copy)]
struct Reached {
    distance: f64,
    from: usize,
    done: bool,
}

/// Labels of the rows whose costs for `k` clusters are `cost` (row by row), at least `least` and at most `most` of them in
/// each cluster; the lowest index of equally cheap clusters. `prices`, one a cluster, are those to start from (zeros will
/// do) and become those of the result. The sizes must be possible.
///
/// # Cost
/// `n k` at first, then `k^2 + k ln n` a path; a path moves a row that the starting prices put elsewhere.
pub(super) fn assign(
    cost: &[f64],
    least: &[usize],
    most: &[usize],
    prices: &mut [f64],
) -> Vec<u32> {
    let k = prices.len();
    let mut network = Network::new(cost, (least, most), prices);
    while let Some((path, target)) = network.shortest_path() {
        network.push(&path, target);
    }
    let slack = network.prices[k];
    let found = prices.iter_mut().zip(&network.prices);
    found.for_each(|(p, new)| *p = new - slack);
    network.labels
}

impl<'a> Network<'a> {
    fn new(cost: &'a [f64], (least, most): (&[usize], &[usize]), prices: &[f64]) -> Self {
        let k = prices.len();
        let n = cost.len() / k;
        let labels = par::map(n, CHUNK, |rows| -> Vec<u32> {
            rows.map(|i| cheapest(&cost[i * k..][..k], prices))
                .collect()
        })
        .concat();
        let mut held = vec![0i64; k];
        labels.iter().for_each(|&l| held[l as usize] += 1);
        let room: Vec<i64> = (0..k)
            .map(|j| (most[j].min(n).max(least[j]) - least[j]) as i64)
            .collect();
        // At a price above 0 a cluster is full, below 0 it holds the least: all else would not be the cheapest.
        let passed: Vec<i64> = (0..k)
            .map(|j| match prices[j] {
                p if p > 0.0 => room[j],
                p if p < 0.0 => 0,
                _ => (held[j] - least[j] as i64).clamp(0, room[j]),
            })
            .collect();
        let mut excess: Vec<i64> = (0..k)
            .map(|j| held[j] - least[j] as i64 - passed[j])
            .collect();
        excess.push(-excess.iter().sum::<i64>());
        let mut all = prices.to_vec();
        all.push(0.0);
        Self {
            cost,
            k,
            labels,
            prices: all,
            passed,
            room,
            excess,
            heaps: (0..k).map(|_| None).collect(),
        }
    }

    /// The cheapest row of cluster `a` to move to `b`, and what it costs.
    fn cheapest_row(&mut self, a: usize, b: usize) -> Option<(f64, u32)> {
        let (cost, k, labels) = (self.cost, self.k, &self.labels);
        let heaps = self.heaps[a].get_or_insert_with(|| {
            let rows: Vec<u32> = (0u32..)
                .zip(labels)
                .filter(|(_, l)| **l as usize == a)
                .map(|(i, _)| i)
                .collect();
            let entry = |i: u32, b: usize| Reverse((Cost(change(cost, k, i, (a, b))), i));
            let heap = |b: usize| match b == a {
                true => Heap::new(),
                false => rows.iter().map(|&i| entry(i, b)).collect::<Vec<_>>().into(),
            };
            (0..k).map(heap).collect()
        });
        let heap = &mut heaps[b];
        while let Some(Reverse((change, row))) = heap.peek() {
            if labels[*row as usize] as usize == a {
                return Some((change.0, *row));
            }
            heap.pop();
        }
        None
    }

    /// What an edge costs at the prices as they stand; `None` where there is none.
    fn edge(&mut self, u: usize, v: usize) -> Option<f64> {
        let slack = self.k;
        let cost = if v == slack {
            (self.passed[u] < self.room[u]).then_some(0.0)
        } else if u == slack {
            (self.passed[v] > 0).then_some(0.0)
        } else {
            self.cheapest_row(u, v).map(|(change, _)| change)
        }?;
        // Below 0 by rounding only.
        Some((cost + self.prices[v] - self.prices[u]).max(0.0))
    }

    /// The cheapest path from a node with too much to one with too little (Dijkstra), and the prices after it.
    fn shortest_path(&mut self) -> Option<(Vec<Reached>, usize)> {
        let n_nodes = self.k + 1;
        let source = |v: usize| Reached {
            distance: if self.excess[v] > 0 {
                0.0
            } else {
                f64::INFINITY
            },
            from: v,
            done: false,
        };
        let mut reached: Vec<Reached> = (0..n_nodes).map(source).collect();
        loop {
            let open =
                (0..n_nodes).filter(|&v| !reached[v].done && reached[v].distance.is_finite());
            let u = open.min_by(|&a, &b| reached[a].distance.total_cmp(&reached[b].distance))?;
            let distance = reached[u].distance;
            if self.excess[u] < 0 {
                for (price, reached) in self.prices.iter_mut().zip(&reached) {
                    *price -= reached.distance.min(distance);
                }
                return Some((reached, u));
            }
            reached[u].done = true;
            for v in (0..n_nodes).filter(|&v| v != u) {
                if reached[v].done {
                    continue;
                }
                if let Some(cost) = self.edge(u, v)
                    && distance + cost < reached[v].distance
                {
                    (reached[v].distance, reached[v].from) = (distance + cost, u);
                }
            }
        }
    }

    /// Moves one unit along a path.
    fn push(&mut self, path: &[Reached], target: usize) {
        let (slack, mut v) = (self.k, target);
        self.excess[target] += 1;
        while path[v].from != v {
            let u = path[v].from;
            if v == slack {
                self.passed[u] += 1;
            } else if u == slack {
                self.passed[v] -= 1;
            } else if let Some((_, row)) = self.cheapest_row(u, v) {
                self.move_row(row, u, v);
            }
            v = u;
        }
        self.excess[v] -= 1;
    }

    fn move_row(&mut self, row: u32, from: usize, to: usize) {
        let (cost, k) = (self.cost, self.k);
        if let Some(heaps) = &mut self.heaps[from] {
            heaps[to].pop();
        }
        self.labels[row as usize] = to as u32;
        if let Some(heaps) = &mut self.heaps[to] {
            for (b, heap) in heaps.iter_mut().enumerate().filter(|(b, _)| *b != to) {
                heap.push(Reverse((Cost(change(cost, k, row, (to, b))), row)));
            }
        }
    }
}

/// What moving a row costs.
fn change(cost: &[f64], k: usize, row: u32, (from, to): (usize, usize)) -> f64 {
    let row = &cost[row as usize * k..][..k];
    row[to] - row[from]
}

fn cheapest(cost: &[f64], prices: &[f64]) -> u32 {
    let (mut best, mut label) = (f64::INFINITY, 0);
    for (j, (c, p)) in cost.iter().zip(prices).enumerate() {
        if c + p < best {
            (best, label) = (c + p, j as u32);
        }
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::Seed;

    fn sum(cost: &[f64], k: usize, labels: &[u32]) -> f64 {
        let rows = labels.iter().zip(cost.chunks_exact(k));
        rows.map(|(&l, c)| c[l as usize]).sum()
    }

    /// The least cost by trying all assignments.
    fn brute(cost: &[f64], k: usize, least: &[usize], most: &[usize]) -> f64 {
        let n = cost.len() / k;
        let mut best = f64::INFINITY;
        for mut code in 0..k.pow(n as u32) {
            let (mut labels, mut held) = (vec![0u32; n], vec![0; k]);
            for label in &mut labels {
                *label = (code % k) as u32;
                held[code % k] += 1;
                code /= k;
            }
            if (0..k).all(|j| least[j] <= held[j] && held[j] <= most[j]) {
                best = best.min(sum(cost, k, &labels));
            }
        }
        best
    }

    #[test]
    fn is_the_cheapest_of_all_assignments_from_any_prices() {
        let stream = Seed::new(11).stream("test");
        for case in 0..150u64 {
            let (n, k) = (4 + case as usize % 5, 2 + case as usize % 3);
            let draw = |at: u64| stream.unit(case * 1000 + at);
            // Every third case has ties.
            let round = |v: f64| if case % 3 == 0 { (v * 4.0).floor() } else { v };
            let cost: Vec<f64> = (0..(n * k) as u64).map(|i| round(draw(i))).collect();
            let least: Vec<usize> = (0..k)
                .map(|j| (draw(500 + j as u64) * (n / k + 1) as f64) as usize)
                .collect();
            let mut most: Vec<usize> = least.iter().map(|l| l + 1).collect();
            most[0] += n.saturating_sub(most.iter().sum()) + case as usize % 2;
            let expected = brute(&cost, k, &least, &most);
            let mut prices: Vec<f64> = (0..k).map(|j| draw(600 + j as u64) - 0.5).collect();
            for warm in [false, true] {
                if !warm {
                    prices.fill(0.0);
                }
                let labels = assign(&cost, &least, &most, &mut prices);
                let mut held = vec![0; k];
                labels.iter().for_each(|&l| held[l as usize] += 1);
                assert!(
                    (0..k).all(|j| least[j] <= held[j] && held[j] <= most[j]),
                    "{held:?}"
                );
                assert!((sum(&cost, k, &labels) - expected).abs() < 1e-12);
                // Prices of the other round, and then some, to start from.
                prices.iter_mut().for_each(|p| *p *= 1.5);
            }
        }
    }

    #[test]
    fn a_place_in_a_full_cluster_has_a_price() {
        // All three rows want cluster 0, which holds one: the row that loses most stays, the next would give 3.
        let mut prices = [0.0, 0.0];
        let labels = assign(
            &[0.0, 5.0, 0.0, 3.0, 0.0, 1.0],
            &[0, 0],
            &[1, 9],
            &mut prices,
        );
        assert_eq!(labels, [0, 1, 1]);
        assert!(
            prices[0] >= 3.0 && prices[0] <= 5.0 && prices[1] == 0.0,
            "{prices:?}"
        );
    }
}
