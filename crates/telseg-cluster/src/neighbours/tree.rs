//! The tree: full buckets, split at the median of the widest column, boxes in preorder.

use ndarray::Array2;
use telseg_core::kernel::{BUCKET, Level, bucket_distances};
use telseg_core::{Error, Result, Scalar};

/// Points of a subtree from which on its halves are built side by side.
const FORK: usize = 8192;

/// A k-d tree of points.
#[derive(Clone, Debug)]
pub(crate) struct KdTree<F> {
    n_columns: usize,
    /// The row at each position.
    rows: Vec<u32>,
    /// Buckets one after the other, each [`BUCKET`] numbers a column; places without a point are infinite.
    columns: Vec<F>,
    /// For each node the least and then the greatest number of every column.
    boxes: Vec<F>,
}

/// A subtree: its place in preorder, and the buckets that it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) index: u32,
    pub(crate) first: u32,
    pub(crate) end: u32,
}

impl Node {
    #[inline(always)]
    pub(crate) fn n_leaves(self) -> u32 {
        self.end - self.first
    }

    #[inline(always)]
    pub(crate) fn is_leaf(self) -> bool {
        self.n_leaves() <= 1
    }

    /// Both halves; the first takes the odd bucket.
    #[inline(always)]
    pub(crate) fn children(self) -> (Self, Self) {
        let half = self.n_leaves().div_ceil(2);
        let middle = self.first + half;
        let left = Self {
            index: self.index + 1,
            first: self.first,
            end: middle,
        };
        // The left half holds `half` leaves, so `2 half - 1` nodes.
        let right = Self {
            index: self.index + 2 * half,
            first: middle,
            end: self.end,
        };
        (left, right)
    }
}

impl<F: Scalar> KdTree<F> {
    /// A tree of the rows, one after the other, of `n_columns` numbers each; none at all are a tree too.
    ///
    /// # Errors
    /// When the squared distance between two corners of the data overflows, or there are more than 2^32 - 1 rows.
    pub(crate) fn new(points: &[F], n_columns: usize) -> Result<Self> {
        let n = points.len() / n_columns.max(1);
        if u32::try_from(n).is_err() {
            let expected = format!("at most {} rows", u32::MAX);
            return Err(Error::shape("x", expected, n.to_string()));
        }
        let n_leaves = n.div_ceil(BUCKET);
        let mut keyed: Vec<(F, u32)> = (0..n as u32).map(|row| (F::zero(), row)).collect();
        let mut boxes = vec![F::zero(); (2 * n_leaves).saturating_sub(1) * 2 * n_columns];
        if n > 0 {
            build(points, n_columns, &mut keyed, &mut boxes);
        }
        let rows: Vec<u32> = keyed.into_iter().map(|(_, row)| row).collect();
        let mut columns = vec![F::infinity(); n_leaves * BUCKET * n_columns];
        let buckets = columns.chunks_exact_mut((BUCKET * n_columns).max(1));
        for (bucket, rows) in buckets.zip(rows.chunks(BUCKET)) {
            for (l, &row) in rows.iter().enumerate() {
                let point = &points[row as usize * n_columns..][..n_columns];
                for (j, &v) in point.iter().enumerate() {
                    bucket[j * BUCKET + l] = v;
                }
            }
        }
        let tree = Self {
            n_columns,
            rows,
            columns,
            boxes,
        };
        if n > 0 && !tree.extent().is_finite() {
            let problem = format!(
                "the squared distance between rows overflows {}; scale the columns down",
                F::NAME
            );
            return Err(Error::data("x", problem));
        }
        Ok(tree)
    }

    /// The squared length of the root's diagonal.
    fn extent(&self) -> F {
        let (low, high) = self.boxes[..2 * self.n_columns].split_at(self.n_columns);
        let sides = low.iter().zip(high).map(|(&l, &h)| (h - l) * (h - l));
        sides.fold(F::zero(), |sum, side| sum + side)
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn n_leaves(&self) -> usize {
        self.rows.len().div_ceil(BUCKET)
    }

    pub(crate) fn n_nodes(&self) -> usize {
        (2 * self.n_leaves()).saturating_sub(1)
    }

    /// The row at each position.
    pub(crate) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// All points; `None` of an empty tree.
    pub(crate) fn root(&self) -> Option<Node> {
        (!self.rows.is_empty()).then(|| Node {
            index: 0,
            first: 0,
            end: self.n_leaves() as u32,
        })
    }

    /// Every node by its index: children come after their parent.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let (mut nodes, mut stack) = (Vec::with_capacity(self.n_nodes()), Vec::new());
        stack.extend(self.root());
        while let Some(node) = stack.pop() {
            nodes.push(node);
            if !node.is_leaf() {
                let (left, right) = node.children();
                stack.extend([right, left]);
            }
        }
        nodes
    }

    /// Every leaf in the order of the positions.
    pub(crate) fn leaves(&self) -> Vec<Node> {
        self.nodes().into_iter().filter(|n| n.is_leaf()).collect()
    }

    /// The least of the values of a node's points, for every node; values are by position.
    pub(crate) fn least(&self, values: &[F]) -> Vec<F> {
        let mut least = vec![F::infinity(); self.n_nodes()];
        for node in self.nodes().into_iter().rev() {
            least[node.index as usize] = if node.is_leaf() {
                let own = &values[self.positions(node.first)];
                own.iter().copied().fold(F::infinity(), F::min)
            } else {
                let (left, right) = node.children();
                least[left.index as usize].min(least[right.index as usize])
            };
        }
        least
    }

    /// The positions in a bucket.
    #[inline(always)]
    pub(crate) fn positions(&self, leaf: u32) -> std::ops::Range<usize> {
        let start = leaf as usize * BUCKET;
        start..(start + BUCKET).min(self.rows.len())
    }

    /// The columns of a bucket.
    #[inline(always)]
    pub(crate) fn bucket(&self, leaf: u32) -> &[F] {
        let size = BUCKET * self.n_columns;
        &self.columns[leaf as usize * size..][..size]
    }

    /// The coordinate of a point.
    #[inline(always)]
    pub(crate) fn at(&self, position: usize, column: usize) -> F {
        let (leaf, lane) = (position / BUCKET, position % BUCKET);
        self.columns[(leaf * self.n_columns + column) * BUCKET + lane]
    }

    /// Copies a point out.
    #[inline]
    pub(crate) fn copy_point(&self, position: usize, out: &mut [F]) {
        for (j, out) in out.iter_mut().enumerate() {
            *out = self.at(position, j);
        }
    }

    /// The points in the order of their rows.
    pub(crate) fn to_rows(&self) -> Array2<F> {
        let mut points = Array2::zeros((self.n_rows(), self.n_columns));
        for (position, &row) in self.rows.iter().enumerate() {
            for (j, out) in points.row_mut(row as usize).iter_mut().enumerate() {
                *out = self.at(position, j);
            }
        }
        points
    }

    #[inline(always)]
    fn sides(&self, node: Node) -> (&[F], &[F]) {
        let size = 2 * self.n_columns;
        self.boxes[node.index as usize * size..][..size].split_at(self.n_columns)
    }

    /// Squared distance of a point to a node's box, as the kernel would round it.
    #[inline(always)]
    pub(crate) fn distance_to(&self, point: &[F], node: Node) -> F {
        let (low, high) = self.sides(node);
        let mut sum = F::zero();
        for ((&p, &l), &h) in point.iter().zip(low).zip(high) {
            let gap = gap(l - p, p - h);
            sum += gap * gap;
        }
        sum
    }

    /// Squared distance between two boxes, as the kernel would round it.
    #[inline(always)]
    pub(crate) fn distance_between(&self, a: Node, b: Node) -> F {
        let ((a_low, a_high), (b_low, b_high)) = (self.sides(a), self.sides(b));
        let mut sum = F::zero();
        for ((&al, &ah), (&bl, &bh)) in a_low.iter().zip(a_high).zip(b_low.iter().zip(b_high)) {
            let gap = gap(al - bh, bl - ah);
            sum += gap * gap;
        }
        sum
    }

    /// Squared length of a box's diagonal: no two of its points are farther apart.
    pub(crate) fn diagonal(&self, node: Node) -> F {
        let (low, high) = self.sides(node);
        let sides = low.iter().zip(high).map(|(&l, &h)| (h - l) * (h - l));
        sides.fold(F::zero(), |sum, side| sum + side)
    }

    /// Visits the leaves on the stack whose boxes lie nearer than the bound, near branches first. `visit` gets a leaf and
    /// the bound and returns the new bound.
    #[inline(always)]
    pub(crate) fn search(
        &self,
        point: &[F],
        stack: &mut Vec<(F, Node)>,
        bound: F,
        visit: impl FnMut(u32, F) -> F,
    ) {
        search_by(stack, bound, |node| self.distance_to(point, node), visit);
    }

    /// The position of a point with the same coordinates. (A squared distance of 0 does not say so: small ones vanish.)
    pub(crate) fn equal_to(&self, point: &[F], stack: &mut Vec<(F, Node)>) -> Option<u32> {
        let (level, mut found) = (Level::best(), None);
        stack.clear();
        stack.extend(self.root().map(|root| (F::zero(), root)));
        self.search(point, stack, F::min_positive_value(), |leaf, bound| {
            let mut distances = [F::zero(); BUCKET];
            let bucket = self.bucket(leaf);
            let mut hits = bucket_distances(level, point, bucket, F::zero(), &mut distances);
            while hits != 0 {
                let position = leaf as usize * BUCKET + hits.trailing_zeros() as usize;
                hits &= hits - 1;
                if point
                    .iter()
                    .enumerate()
                    .all(|(j, &v)| self.at(position, j) == v)
                {
                    found = Some(position as u32);
                    return F::zero();
                }
            }
            bound
        });
        found
    }

    /// Leaves whose boxes lie nearer to the box of `node` than the bound, in order.
    pub(crate) fn leaves_near(
        &self,
        node: Node,
        bound: F,
        stack: &mut Vec<Node>,
        out: &mut Vec<Node>,
    ) {
        out.clear();
        stack.clear();
        stack.extend(self.root());
        while let Some(other) = stack.pop() {
            if self.distance_between(node, other) >= bound {
                continue;
            }
            if other.is_leaf() {
                out.push(other);
            } else {
                let (left, right) = other.children();
                stack.extend([right, left]);
            }
        }
    }

    /// The siblings on the way from the root to a leaf, the root's child first: together with the leaf, all points.
    pub(crate) fn siblings(&self, leaf: u32, out: &mut Vec<Node>) {
        out.clear();
        let Some(mut node) = self.root() else { return };
        while !node.is_leaf() {
            let (left, right) = node.children();
            let (own, other) = if leaf < left.end {
                (left, right)
            } else {
                (right, left)
            };
            out.push(other);
            node = own;
        }
    }
}

/// As [`KdTree::search`], by any distance that no node has a smaller one than the nodes above it.
#[inline(always)]
pub(crate) fn search_by<F: Scalar>(
    stack: &mut Vec<(F, Node)>,
    mut bound: F,
    distance: impl Fn(Node) -> F,
    mut visit: impl FnMut(u32, F) -> F,
) {
    'next: while let Some((reached, mut node)) = stack.pop() {
        if reached >= bound {
            continue;
        }
        while !node.is_leaf() {
            let (left, right) = node.children();
            let mut near = (distance(left), left);
            let mut far = (distance(right), right);
            if far.0 < near.0 {
                std::mem::swap(&mut near, &mut far);
            }
            if far.0 < bound {
                stack.push(far);
            }
            if near.0 >= bound {
                continue 'next;
            }
            node = near.1;
        }
        bound = visit(node.first, bound);
    }
}

/// The greater of both, or 0.
#[inline(always)]
fn gap<F: Scalar>(a: F, b: F) -> F {
    let larger = if a > b { a } else { b };
    if larger > F::zero() {
        larger
    } else {
        F::zero()
    }
}

/// Orders the rows of a subtree and fills its boxes.
fn build<F: Scalar>(points: &[F], d: usize, keyed: &mut [(F, u32)], boxes: &mut [F]) {
    let (own, below) = boxes.split_at_mut(2 * d);
    let (low, high) = own.split_at_mut(d);
    let first = keyed[0].1 as usize * d;
    low.copy_from_slice(&points[first..][..d]);
    high.copy_from_slice(&points[first..][..d]);
    for &(_, row) in keyed.iter() {
        let point = &points[row as usize * d..][..d];
        for ((low, high), &v) in low.iter_mut().zip(high.iter_mut()).zip(point) {
            *low = if v < *low { v } else { *low };
            *high = if v > *high { v } else { *high };
        }
    }
    let n_leaves = keyed.len().div_ceil(BUCKET);
    if n_leaves <= 1 {
        keyed.sort_unstable_by_key(|&(_, row)| row);
        return;
    }
    let extent = |j: &usize| high[*j] - low[*j];
    let widest = (0..d)
        .reduce(|a, b| if extent(&b) > extent(&a) { b } else { a })
        .unwrap_or(0);
    for (key, row) in keyed.iter_mut() {
        *key = points[*row as usize * d + widest];
    }
    let half = n_leaves.div_ceil(2);
    let middle = half * BUCKET;
    keyed.select_nth_unstable_by(middle, |a, b| {
        let by_key = a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal);
        by_key.then(a.1.cmp(&b.1))
    });
    let (left, right) = keyed.split_at_mut(middle);
    let (left_boxes, right_boxes) = below.split_at_mut((2 * half - 1) * 2 * d);
    if left.len() + right.len() >= FORK {
        rayon::join(
            || build(points, d, left, left_boxes),
            || build(points, d, right, right_boxes),
        );
    } else {
        build(points, d, left, left_boxes);
        build(points, d, right, right_boxes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_points_are_told_from_near_ones() {
        // The squares of such distances vanish.
        let points: Vec<f32> = (0..70).map(|i| 1e-30 * i as f32).collect();
        let tree = KdTree::new(&points, 1).unwrap();
        let mut stack = Vec::new();
        for (row, point) in points.chunks(1).enumerate() {
            let found = tree.equal_to(point, &mut stack).unwrap();
            assert_eq!(tree.rows()[found as usize], row as u32);
        }
        assert_eq!(tree.equal_to(&[1.5e-30], &mut stack), None);
        assert_eq!(tree.equal_to(&[2.0], &mut stack), None);
    }
}
