//! Nearest neighbours among weighted points that come and go: a packed tree of boxes, 16 to a node.
//!
//! Points lie 16 to a group in the order of a k-d tree; boxes around 16 groups make a node, boxes around 16 nodes the next
//! layer, up to one. A search looks at the boxes of a node at once (one vector register a column), nearest box first, and
//! at no box whose bound is above what it has found. Distances are those of [`telseg_core::kernel::Probe`].

use telseg_core::Scalar;
use telseg_core::kernel::{BoxLanes, LANES, Level, Probe, RowLanes};

/// No point.
pub(super) const NONE: u32 = u32::MAX;
/// Ranges from this length on are split by two tasks.
const PARALLEL: usize = 4096;

/// Points and the boxes around them.
#[derive(Clone, Debug)]
pub(super) struct Boxes<T> {
    n_columns: usize,
    /// Coordinates: groups, in each one column after the other. Infinite where there is no point.
    columns: Vec<[T; LANES]>,
    inverse: Vec<[T; LANES]>,
    ids: Vec<[u32; LANES]>,
    /// The lowest layer first; none where there is one group only.
    layers: Vec<Layer<T>>,
}

#[derive(Clone, Debug)]
struct Layer<T> {
    low: Vec<[T; LANES]>,
    high: Vec<[T; LANES]>,
    inverse: Vec<[T; LANES]>,
}

/// What a search keeps of the points that it meets.
pub(super) trait Keep<T> {
    /// Points farther than this do not matter.
    fn limit(&self) -> T;
    /// A point that is no farther than the limit.
    fn offer(&mut self, distance: T, id: u32);
}

/// The nearest point. Of equally near ones, the one whose pair with `own` comes first, by the lower id and then by the
/// higher: so two clusters agree on which pair is nearer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nearest<T> {
    own: u32,
    pub(super) distance: T,
    pub(super) id: u32,
}

impl<T: Scalar> Nearest<T> {
    pub(super) fn to(own: u32) -> Self {
        Self {
            own,
            distance: T::infinity(),
            id: NONE,
        }
    }
}

impl<T: Scalar> Keep<T> for Nearest<T> {
    #[inline]
    fn limit(&self) -> T {
        self.distance
    }

    #[inline]
    fn offer(&mut self, distance: T, id: u32) {
        if id == self.own || id == NONE {
            return;
        }
        let pair = |id: u32| (self.own.min(id), self.own.max(id));
        if distance < self.distance || distance == self.distance && pair(id) < pair(self.id) {
            (self.distance, self.id) = (distance, id);
        }
    }
}

/// The `n` nearest points, nearest first; of equally near ones, the lower ids.
#[derive(Clone, Debug)]
pub(super) struct NearestFew<T> {
    own: u32,
    n: usize,
    pub(super) found: Vec<(T, u32)>,
}

impl<T: Scalar> NearestFew<T> {
    pub(super) fn to(own: u32, n: usize) -> Self {
        Self {
            own,
            n,
            found: Vec::with_capacity(n + 1),
        }
    }
}

impl<T: Scalar> Keep<T> for NearestFew<T> {
    fn limit(&self) -> T {
        if self.found.len() < self.n {
            T::infinity()
        } else {
            self.found.last().map_or(T::infinity(), |last| last.0)
        }
    }

    fn offer(&mut self, distance: T, id: u32) {
        if id == self.own || id == NONE {
            return;
        }
        let at = self.found.partition_point(|f| (f.0, f.1) < (distance, id));
        self.found.insert(at, (distance, id));
        self.found.truncate(self.n);
    }
}

impl<T: Scalar> Boxes<T> {
    /// Boxes around rows; returns where each row lies, too. Row `i` is called `ids(i)`, its weight is `1 / inverse(i)`.
    pub(super) fn new(
        rows: &[T],
        n_columns: usize,
        ids: impl Fn(usize) -> u32,
        inverse: impl Fn(usize) -> T,
    ) -> (Self, Vec<u32>) {
        let n = rows.len() / n_columns;
        let mut order: Vec<u32> = (0..n as u32).collect();
        split(&mut order, rows, n_columns);
        let n_groups = n.div_ceil(LANES).max(1);
        let mut boxes = Self {
            n_columns,
            columns: vec![[T::infinity(); LANES]; n_groups * n_columns],
            inverse: vec![[T::one(); LANES]; n_groups],
            ids: vec![[NONE; LANES]; n_groups],
            layers: Vec::new(),
        };
        let mut places = vec![0; n];
        for (place, &row) in order.iter().enumerate() {
            let row = row as usize;
            places[row] = place as u32;
            boxes.set(
                place,
                &rows[row * n_columns..][..n_columns],
                inverse(row),
                ids(row),
            );
        }
        let mut below = n_groups;
        while below > 1 {
            let nodes = below.div_ceil(LANES);
            boxes.layers.push(Layer {
                low: vec![[T::infinity(); LANES]; nodes * n_columns],
                high: vec![[T::neg_infinity(); LANES]; nodes * n_columns],
                inverse: vec![[T::zero(); LANES]; nodes],
            });
            for child in 0..below {
                boxes.fit(boxes.layers.len() - 1, child);
            }
            below = nodes;
        }
        (boxes, places)
    }

    /// Places, some of which are empty.
    pub(super) fn n_places(&self) -> usize {
        self.ids.len() * LANES
    }

    /// The points by place: id and coordinates.
    pub(super) fn points(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = T>)> {
        (0..self.n_places()).filter_map(|place| {
            let (group, lane) = (place / LANES, place % LANES);
            let columns = &self.columns[group * self.n_columns..][..self.n_columns];
            let id = self.ids[group][lane];
            (id != NONE).then(|| (id, columns.iter().map(move |c| c[lane])))
        })
    }

    /// Puts a point at a place.
    pub(super) fn put(&mut self, place: usize, row: &[T], inverse: T, id: u32) {
        self.set(place, row, inverse, id);
        self.refit(place / LANES);
    }

    /// Empties a place.
    pub(super) fn remove(&mut self, place: usize) {
        let (group, lane) = (place / LANES, place % LANES);
        for column in &mut self.columns[group * self.n_columns..][..self.n_columns] {
            column[lane] = T::infinity();
        }
        self.ids[group][lane] = NONE;
        self.refit(group);
    }

    fn set(&mut self, place: usize, row: &[T], inverse: T, id: u32) {
        let (group, lane) = (place / LANES, place % LANES);
        let columns = &mut self.columns[group * self.n_columns..][..self.n_columns];
        columns.iter_mut().zip(row).for_each(|(c, &v)| c[lane] = v);
        self.inverse[group][lane] = inverse;
        self.ids[group][lane] = id;
    }

    /// Boxes that a group lies in, tight again.
    fn refit(&mut self, group: usize) {
        let mut child = group;
        for layer in 0..self.layers.len() {
            self.fit(layer, child);
            child /= LANES;
        }
    }

    /// The box in `layer` around one child of it.
    fn fit(&mut self, layer: usize, child: usize) {
        let (below, rest) = self.layers.split_at_mut(layer);
        let (layer, d) = (&mut rest[0], self.n_columns);
        let (node, lane) = (child / LANES, child % LANES);
        let of_child = child * d..(child + 1) * d;
        let (low, high) = match below.last() {
            None => (&self.columns[of_child.clone()], &self.columns[of_child]),
            Some(below) => (&below.low[of_child.clone()], &below.high[of_child]),
        };
        for (j, (low, high)) in low.iter().zip(high).enumerate() {
            let (mut least, mut most) = (T::infinity(), T::neg_infinity());
            for (&low, &high) in low.iter().zip(high) {
                least = if low < least { low } else { least };
                // Where there is no point, a group says infinity.
                most = if high > most && high < T::infinity() {
                    high
                } else {
                    most
                };
            }
            layer.low[node * d + j][lane] = least;
            layer.high[node * d + j][lane] = most;
        }
        let mut largest = T::zero();
        match below.last() {
            None => {
                for (&inverse, &id) in self.inverse[child].iter().zip(&self.ids[child]) {
                    largest = if id != NONE && inverse > largest {
                        inverse
                    } else {
                        largest
                    };
                }
            }
            Some(below) => {
                for &inverse in &below.inverse[child] {
                    largest = if inverse > largest { inverse } else { largest };
                }
            }
        }
        layer.inverse[node][lane] = largest;
    }

    /// Offers `keep` every point that is no farther from the probe than its limit.
    pub(super) fn search(&self, probe: Probe<'_, T>, keep: &mut impl Keep<T>) {
        self.visit(Level::best(), self.layers.len(), 0, probe, keep);
    }

    fn visit(
        &self,
        level: Level,
        depth: usize,
        index: usize,
        probe: Probe<'_, T>,
        keep: &mut impl Keep<T>,
    ) {
        let (mut found, of_index) = (
            [T::zero(); LANES],
            index * self.n_columns..(index + 1) * self.n_columns,
        );
        if depth == 0 {
            let lanes = RowLanes {
                columns: &self.columns[of_index],
                inverse: &self.inverse[index],
            };
            if probe.to_rows(level, lanes, &mut found) <= keep.limit() {
                for (&distance, &id) in found.iter().zip(&self.ids[index]) {
                    if distance <= keep.limit() {
                        keep.offer(distance, id);
                    }
                }
            }
            return;
        }
        let layer = &self.layers[depth - 1];
        let lanes = BoxLanes {
            low: &layer.low[of_index.clone()],
            high: &layer.high[of_index],
            inverse: &layer.inverse[index],
        };
        let mut bound = probe.to_boxes(level, lanes, &mut found);
        while bound <= keep.limit() && bound < T::infinity() {
            // The nearest box next; it is done then.
            if let Some(lane) = found.iter().position(|&b| b == bound) {
                found[lane] = T::infinity();
                self.visit(level, depth - 1, index * LANES + lane, probe, keep);
            }
            bound = found
                .iter()
                .fold(T::infinity(), |a, &b| if b < a { b } else { a });
        }
    }
}

/// Orders rows so that every 16 of them, every 16 groups, and so on lie close together: halves along the widest column,
/// at a multiple of what a box of the next layer holds.
fn split<T: Scalar>(order: &mut [u32], rows: &[T], n_columns: usize) {
    let n = order.len();
    if n <= LANES {
        return;
    }
    let mut full = LANES;
    while full * LANES < n {
        full *= LANES;
    }
    let left = n.div_ceil(full).div_ceil(2) * full;
    let mut low = vec![T::infinity(); n_columns];
    let mut high = vec![T::neg_infinity(); n_columns];
    for &row in order.iter() {
        let row = &rows[row as usize * n_columns..][..n_columns];
        for ((low, high), &v) in low.iter_mut().zip(&mut high).zip(row) {
            *low = if v < *low { v } else { *low };
            *high = if v > *high { v } else { *high };
        }
    }
    let mut widest = 0;
    for j in 1..n_columns {
        if high[j] - low[j] > high[widest] - low[widest] {
            widest = j;
        }
    }
    let key = |row: u32| (rows[row as usize * n_columns + widest], row);
    order.select_nth_unstable_by(left, |&a, &b| {
        key(a)
            .partial_cmp(&key(b))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let (a, b) = order.split_at_mut(left);
    if n < PARALLEL {
        split(a, rows, n_columns);
        split(b, rows, n_columns);
    } else {
        rayon::join(|| split(a, rows, n_columns), || split(b, rows, n_columns));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::Seed;

    /// Searches against every distance, while points come and go.
    #[test]
    fn finds_the_nearest_of_what_is_there() {
        let stream = Seed::new(2).stream("test");
        for (n, d) in [(1, 1), (15, 2), (16, 3), (17, 3), (300, 2), (5000, 4)] {
            // A lattice: many are equally near.
            let mut rows: Vec<f64> = (0..n * d)
                .map(|i| (stream.unit(i as u64) * 6.0).floor())
                .collect();
            let mut inverse: Vec<f64> = (0..n).map(|i| 1.0 / (1.0 + (i % 3) as f64)).collect();
            let mut there = vec![true; n];
            let (mut boxes, places) = Boxes::new(&rows, d, |i| i as u32, |i| inverse[i]);
            for step in 0..40 {
                let own = (stream.bits(step) % n as u64) as usize;
                let probe = Probe {
                    row: &rows[own * d..][..d],
                    inverse: inverse[own],
                };
                let mut all: Vec<(f64, u32, u32)> = (0..n)
                    .filter(|&i| i != own && there[i])
                    .map(|i| {
                        let pairs = rows[i * d..][..d].iter().zip(probe.row);
                        let square: f64 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
                        let distance = 2.0 * square / (inverse[i] + inverse[own]);
                        (distance, own.min(i) as u32, own.max(i) as u32)
                    })
                    .collect();
                let mut nearest = Nearest::to(own as u32);
                boxes.search(probe, &mut nearest);
                let mut few = NearestFew::to(own as u32, 5);
                boxes.search(probe, &mut few);
                all.sort_by(|a, b| a.partial_cmp(b).unwrap());
                match all.first() {
                    None => assert_eq!(nearest.id, NONE),
                    Some(&(distance, low, high)) => {
                        assert_eq!(nearest.distance, distance);
                        let other = if low as usize == own { high } else { low };
                        assert_eq!(nearest.id, other);
                    }
                }
                let found: Vec<f64> = few.found.iter().map(|f| f.0).collect();
                let expected: Vec<f64> = all.iter().take(5).map(|a| a.0).collect();
                assert_eq!(found, expected);
                if there[own] && step % 2 == 0 {
                    boxes.remove(places[own] as usize);
                    there[own] = false;
                } else {
                    rows[own * d] = 10.0 * stream.unit(1000 + step) - 3.0;
                    inverse[own] /= 2.0;
                    let row = rows[own * d..][..d].to_vec();
                    boxes.put(places[own] as usize, &row, inverse[own], own as u32);
                    there[own] = true;
                }
            }
        }
    }
}
