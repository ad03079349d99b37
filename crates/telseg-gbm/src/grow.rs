//! One tree: the leaf whose split gains most is split next, or the shallowest of them, or all of a level by one question.
//!
//! The rows of a leaf are a stretch of one list, beside their packed slopes; a split moves both to
//! the other of two buffers, so that nothing is copied back. The smaller child's histogram is built, the larger one's is
//! the parent's minus that. Large leaves are worked on by all threads together, small ones are made ahead of their turn,
//! a thread a leaf.

mod symmetric;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use rayon::prelude::*;
use telseg_core::seed::Stream;
use telseg_core::trees::Side;

use crate::bins::{BinnedData, RowBlock};
use crate::constraints::FREE;
use crate::histogram::{Histogram, Packing, Shape};
use crate::kernel::partition::{LeftBins, partition, partition_together};
use crate::split::{NodeSum, Search, Split};
use crate::{GbmParams, Growth};

/// Fewer rows are moved by one thread.
const TOGETHER: usize = 32_768;
/// Leaves of so many rows are worked on by all threads together, smaller ones several at a time.
const ALONE: usize = 65_536;
/// Histograms are kept for subtraction as long as they fit into so many cells (256 MiB); beyond, both children are built.
const KEPT_CELLS: usize = 1 << 25;

/// Buffers that serve all trees of a fit.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    rows: [Vec<u32>; 2],
    cells: [Vec<u32>; 2],
    spare: Vec<Histogram>,
}

/// The stretch of both buffers that a leaf owns.
struct Ground<'b> {
    rows: [&'b mut [u32]; 2],
    cells: [&'b mut [u32]; 2],
}

impl Buffers {
    /// Takes the rows of the next tree.
    pub(crate) fn start(&mut self, rows: &[u32]) {
        let n = rows.len();
        self.rows[0].clear();
        self.rows[0].extend_from_slice(rows);
        self.rows[1].resize(n, 0);
        self.cells.iter_mut().for_each(|c| c.resize(n, 0));
    }

    /// Rows of a leaf.
    pub(crate) fn rows(&self, leaf: &Leaf) -> &[u32] {
        &self.rows[leaf.side][leaf.range.clone()]
    }

    /// A histogram with anything in it.
    fn histogram(&mut self, len: usize) -> Histogram {
        self.spare.pop().unwrap_or_else(|| vec![0; len])
    }

    /// The grounds of stretches that follow each other.
    fn grounds<'b>(&'b mut self, ranges: impl Iterator<Item = Range<usize>>) -> Vec<Ground<'b>> {
        let mut rows = self.rows.each_mut().map(|r| &mut r[..]);
        let mut cells = self.cells.each_mut().map(|c| &mut c[..]);
        let mut start = 0;
        let mut ground = |range: Range<usize>| {
            let taken = Ground {
                rows: cut(&mut rows, start, &range),
                cells: cut(&mut cells, start, &range),
            };
            start = range.end;
            taken
        };
        ranges.map(&mut ground).collect()
    }
}

/// Takes a stretch out of slices that begin at `start`, and leaves what comes after it.
fn cut<'b, T>(from: &mut [&'b mut [T]; 2], start: usize, range: &Range<usize>) -> [&'b mut [T]; 2] {
    from.each_mut().map(|slice| {
        let rest = std::mem::take(slice);
        let (taken, rest) = rest[range.start - start..].split_at_mut(range.len());
        *slice = rest;
        taken
    })
}

impl Ground<'_> {
    /// Moves the rows from one buffer to the other, left ones first; returns how many go left.
    fn partition(&mut self, side: usize, column: &[u8], left: &LeftBins, together: bool) -> usize {
        let [a, b] = &mut self.rows;
        let (rows, to_rows) = if side == 0 { (a, b) } else { (b, a) };
        let [a, b] = &mut self.cells;
        let (cells, to_cells) = if side == 0 { (a, b) } else { (b, a) };
        let run = if together && rows.len() > TOGETHER {
            partition_together
        } else {
            partition
        };
        run((rows, cells), column, left, (to_rows, to_cells))
    }
}

/// A leaf of a tree.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// Its node.
    pub(crate) node: usize,
    /// Its rows: which buffer, and which stretch.
    side: usize,
    range: Range<usize>,
    /// L2 penalty of its value.
    pub(crate) l2: f64,
    depth: usize,
    /// The way from the root, a bit a step: the name of its random stream.
    path: u64,
    packed: u64,
    /// Least and largest value that it may have.
    pub(crate) bounds: [f64; 2],
    /// Columns asked on the way from the root, where that limits what may be asked next.
    asked: Vec<usize>,
    histogram: Option<Histogram>,
    best: Option<Split>,
    /// Its children, where they were made before it was their turn.
    children: Option<Box<[Leaf; 2]>>,
}

impl Leaf {
    /// Number of its rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.range.len()
    }

    fn sum(&self) -> NodeSum {
        NodeSum {
            packed: self.packed,
            n_rows: self.n_rows(),
            bounds: self.bounds,
        }
    }

    fn gain(&self) -> f64 {
        self.best.as_ref().map_or(0.0, |b| b.gain)
    }

    fn child(&self, split: &Split, side: Side, n_left: usize) -> Self {
        let middle = self.range.start + n_left;
        let (range, packed) = match side {
            Side::Left => (self.range.start..middle, split.left_sum),
            Side::Right => (
                middle..self.range.end,
                self.packed.wrapping_sub(split.left_sum),
            ),
        };
        Self {
            node: 0,
            side: 1 - self.side,
            range,
            l2: split.l2,
            depth: self.depth + 1,
            path: self
                .path
                .wrapping_mul(2)
                .wrapping_add(u64::from(side == Side::Right)),
            packed,
            bounds: split.bounds[usize::from(side == Side::Right)],
            asked: self.asked_below(split),
            histogram: None,
            best: None,
            children: None,
        }
    }

    fn asked_below(&self, split: &Split) -> Vec<usize> {
        let mut asked = self.asked.clone();
        if !asked.contains(&split.feature) {
            asked.push(split.feature);
        }
        asked
    }

    fn n_histograms(&self) -> usize {
        let below = self.children.iter().flat_map(|c| c.iter());
        usize::from(self.histogram.is_some()) + below.map(Self::n_histograms).sum::<usize>()
    }

    /// Takes all histograms that it and its children hold.
    fn release(&mut self, to: &mut Vec<Histogram>) {
        to.extend(self.histogram.take());
        if let Some(children) = &mut self.children {
            children.iter_mut().for_each(|c| c.release(to));
        }
    }
}

/// What is wanted of children.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// They stay leaves.
    Nothing,
    /// Their best splits.
    Splits,
    /// Their histograms, for the question of the next level.
    Level,
}

/// What it takes to make a leaf's children.
struct Work<'b> {
    leaf: &'b mut Leaf,
    ground: Ground<'b>,
    built: Histogram,
    /// For the larger child when the parent's histogram was not kept.
    other: Option<Histogram>,
}

/// A node of a tree of binned questions.
#[derive(Debug)]
pub(crate) struct BinNode {
    /// The question and the two children; `None` for a leaf.
    pub(crate) split: Option<(Split, [usize; 2])>,
    /// What a leaf adds, set after growing.
    pub(crate) value: f64,
}

impl BinNode {
    fn leaf() -> Self {
        Self {
            split: None,
            value: 0.0,
        }
    }
}

/// A tree whose questions are asked of bins; children come after their parents.
#[derive(Debug)]
pub(crate) struct BinTree {
    pub(crate) nodes: Vec<BinNode>,
}

impl BinTree {
    /// What the tree adds to a binned row.
    #[inline]
    pub(crate) fn value(&self, block: &RowBlock, row: usize) -> f64 {
        self.nodes[self.leaf(block, row)].value
    }

    /// The node that a binned row ends in.
    #[inline]
    pub(crate) fn leaf(&self, block: &RowBlock, row: usize) -> usize {
        let mut node = 0;
        while let Some((split, children)) = &self.nodes[node].split {
            let right = !split.left.contains(block.bin(row, split.feature));
            node = children[right as usize];
        }
        node
    }
}

impl BinTree {
    /// Puts the children of a leaf into its place.
    fn split(&mut self, leaves: &mut Vec<Leaf>, at: usize) {
        let leaf = &mut leaves[at];
        let (Some(split), Some(children)) = (leaf.best.take(), leaf.children.take()) else {
            return; // never: the caller has made both
        };
        let [mut left, mut right] = *children;
        (left.node, right.node) = (self.nodes.len(), self.nodes.len() + 1);
        self.nodes.extend([BinNode::leaf(), BinNode::leaf()]);
        self.nodes[leaf.node].split = Some((split, [left.node, right.node]));
        leaves[at] = left;
        leaves.push(right);
    }
}

/// Grows one tree.
#[derive(Debug)]
pub(crate) struct Grower<'a> {
    pub(crate) data: &'a BinnedData,
    pub(crate) params: &'a GbmParams,
    pub(crate) shape: Shape,
    pub(crate) packing: Packing,
    pub(crate) search: Search<'a>,
    /// Columns of this tree, ascending.
    pub(crate) features: &'a [usize],
    /// Draws the columns of each node.
    pub(crate) stream: Stream,
}

impl Grower<'_> {
    /// Grows a tree on the rows in `buffers`, whose cells `pack` writes; returns it with its leaves.
    pub(crate) fn grow(
        &self,
        buffers: &mut Buffers,
        pack: &(impl Fn(&[u32], &mut [u32]) + Sync),
    ) -> (BinTree, Vec<Leaf>) {
        let mut tree = BinTree {
            nodes: vec![BinNode::leaf()],
        };
        let mut leaves = vec![self.root(buffers, pack)];
        match self.params.growth {
            Growth::Symmetric => self.grow_levels(&mut tree, &mut leaves, buffers),
            Growth::LeafWise | Growth::DepthWise => {
                self.grow_leaves(&mut tree, &mut leaves, buffers);
            }
        }
        leaves
            .iter_mut()
            .for_each(|leaf| leaf.release(&mut buffers.spare));
        (tree, leaves)
    }

    fn grow_leaves(&self, tree: &mut BinTree, leaves: &mut Vec<Leaf>, buffers: &mut Buffers) {
        let root = &mut leaves[0];
        root.best = (root.histogram.as_ref()).and_then(|histogram| self.find(root, histogram));
        while leaves.len() < self.params.max_leaves {
            let order = |&a: &usize, &b: &usize| self.order(&leaves[a], &leaves[b]);
            let Some(next) = (0..leaves.len()).min_by(order) else {
                break; // never: there is a root
            };
            if leaves[next].best.is_none() {
                break;
            }
            if leaves[next].children.is_none() {
                self.look_ahead(leaves, next, buffers);
            }
            tree.split(leaves, next);
        }
    }

    /// Which of two leaves is split first; equal ones in the order of their places.
    fn order(&self, a: &Leaf, b: &Leaf) -> Ordering {
        let level = match self.params.growth {
            Growth::DepthWise => a.depth.cmp(&b.depth),
            Growth::LeafWise | Growth::Symmetric => Ordering::Equal,
        };
        let gain = b.gain().total_cmp(&a.gain());
        a.best
            .is_none()
            .cmp(&b.best.is_none())
            .then(level)
            .then(gain)
    }

    fn root(&self, buffers: &mut Buffers, pack: &(impl Fn(&[u32], &mut [u32]) + Sync)) -> Leaf {
        let n = buffers.rows[0].len();
        let mut root = Leaf {
            node: 0,
            side: 0,
            range: 0..n,
            l2: self.params.l2,
            depth: 0,
            path: 1,
            packed: 0,
            bounds: FREE,
            asked: Vec::new(),
            histogram: None,
            best: None,
            children: None,
        };
        if self.may_split(&root) {
            let mut histogram = buffers.histogram(self.shape.len());
            histogram.fill(0);
            let (rows, cells) = (&buffers.rows[0], &mut buffers.cells[0]);
            self.shape
                .pack_and_add(self.data, self.packing, (rows, cells), pack, &mut histogram);
            // Every row is in one cell of the first column.
            let first = &histogram[..self.shape.stride];
            root.packed = first.iter().fold(0, |sum, c| sum.wrapping_add(*c));
            root.histogram = Some(histogram);
        }
        root
    }

    fn may_split(&self, leaf: &Leaf) -> bool {
        leaf.n_rows() >= 2 * self.params.min_rows_leaf
            && self.params.max_depth.is_none_or(|most| leaf.depth < most)
    }

    /// Makes the children of a leaf, and, when it is small, those of leaves that are likely to be next.
    ///
    /// Leaves are split in their order whatever was made ahead, so that a tree does not depend on it; what was made in
    /// vain costs time only. A quarter of the splits that are left keeps that rare.
    fn look_ahead(&self, leaves: &mut [Leaf], next: usize, buffers: &mut Buffers) {
        let n_left = self.params.max_leaves - leaves.len();
        let mut batch = vec![next];
        let threads = rayon::current_num_threads();
        if leaves[next].n_rows() < ALONE && threads > 1 {
            let small = |leaf: &Leaf| {
                leaf.best.is_some() && leaf.children.is_none() && leaf.n_rows() < ALONE
            };
            batch = (0..leaves.len()).filter(|&i| small(&leaves[i])).collect();
            batch.sort_by(|&a, &b| self.order(&leaves[a], &leaves[b])); // stable: the first among equals
            batch.truncate((n_left / 4).clamp(1, 4 * threads));
        }
        let next = if n_left == 1 {
            Next::Nothing
        } else {
            Next::Splits
        };
        self.make_batch(leaves, &batch, next, buffers);
    }

    /// Makes the children of several leaves: of one by all threads together, of more a thread a leaf.
    fn make_batch(&self, leaves: &mut [Leaf], batch: &[usize], next: Next, buffers: &mut Buffers) {
        let kept: usize = leaves.iter().map(Leaf::n_histograms).sum();
        let len = self.shape.len();
        let keep = next == Next::Level || (kept + 2 * batch.len()) * len <= KEPT_CELLS;
        let mut chosen: Vec<&mut Leaf> = (leaves.iter_mut().enumerate())
            .filter_map(|(i, leaf)| batch.contains(&i).then_some(leaf))
            .collect();
        chosen.sort_by_key(|leaf| leaf.range.start);
        let histograms: Vec<_> = chosen
            .iter()
            .map(|leaf| {
                let other = leaf.histogram.is_none();
                (
                    buffers.histogram(len),
                    other.then(|| buffers.histogram(len)),
                )
            })
            .collect();
        let grounds = buffers.grounds(chosen.iter().map(|leaf| leaf.range.clone()));
        let work = chosen.into_iter().zip(grounds).zip(histograms);
        let mut work: Vec<Work<'_>> = work
            .map(|((leaf, ground), (built, other))| Work {
                leaf,
                ground,
                built,
                other,
            })
            .collect();
        let free = if work.len() == 1 {
            work.pop()
                .map(|w| self.make_children(w, true, next, keep))
                .unwrap_or_default()
        } else {
            let made = work.into_par_iter().with_max_len(1);
            made.map(|w| self.make_children(w, false, next, keep))
                .collect::<Vec<_>>()
                .concat()
        };
        buffers.spare.extend(free);
    }

    /// Moves the rows of a leaf to its two children and finds their best splits; returns histograms that are free now.
    fn make_children(
        &self,
        mut work: Work<'_>,
        together: bool,
        next: Next,
        keep: bool,
    ) -> Vec<Histogram> {
        let leaf = &mut *work.leaf;
        let mut free = Vec::new();
        let (Some(split), whole) = (&leaf.best, leaf.histogram.take()) else {
            return free;
        };
        let column = self.data.column(split.feature);
        let left = std::array::from_fn(|bin| split.left.contains(bin as u8));
        let n_left = (work.ground).partition(leaf.side, column, &left, together);
        let mut children = [Side::Left, Side::Right].map(|side| leaf.child(split, side, n_left));
        let may = children
            .each_ref()
            .map(|c| next != Next::Nothing && self.may_split(c));
        let mut built = work.built;
        if may == [false, false] {
            free.push(built);
            free.extend(whole.into_iter().chain(work.other));
            leaf.children = Some(Box::new(children));
            return free;
        }
        let side = 1 - leaf.side;
        let build = |child: &Leaf, histogram: &mut Histogram| {
            let range = child.range.start - leaf.range.start..child.range.end - leaf.range.start;
            let (rows, cells) = (
                &work.ground.rows[side][range.clone()],
                &work.ground.cells[side][range],
            );
            histogram.fill(0);
            self.shape
                .add(self.data, self.packing, (rows, cells), histogram, together);
        };
        let small = usize::from(children[1].n_rows() < children[0].n_rows());
        build(&children[small], &mut built);
        let rest = match (whole, work.other) {
            (Some(mut whole), _) => {
                let pairs = whole.iter_mut().zip(&built);
                pairs.for_each(|(w, b)| *w = w.wrapping_sub(*b));
                whole
            }
            (None, Some(mut other)) => {
                build(&children[1 - small], &mut other);
                other
            }
            (None, None) => return free, // never: one of the two was made
        };
        let find = |i: usize, histogram: &Histogram| {
            let asks = may[i] && next == Next::Splits;
            asks.then(|| self.find(&children[i], histogram)).flatten()
        };
        let best = if together {
            rayon::join(|| find(small, &built), || find(1 - small, &rest))
        } else {
            (find(small, &built), find(1 - small, &rest))
        };
        for (i, best, histogram) in [(small, best.0, built), (1 - small, best.1, rest)] {
            if keep && (best.is_some() || may[i] && next == Next::Level) {
                children[i].histogram = Some(histogram);
            } else {
                free.push(histogram);
            }
            children[i].best = best;
        }
        leaf.children = Some(Box::new(children));
        free
    }

    fn find(&self, leaf: &Leaf, histogram: &Histogram) -> Option<Split> {
        let features = self.params.allowed(self.features, &leaf.asked);
        let features = self.draw_of(&features, leaf.path);
        self.search.best(histogram, leaf.sum(), &features)
    }

    /// The columns that a node (or a level), named by a number, may ask.
    fn features_of(&self, name: u64) -> Cow<'_, [usize]> {
        self.draw_of(self.features, name)
    }

    fn draw_of<'f>(&self, features: &'f [usize], name: u64) -> Cow<'f, [usize]> {
        match self.params.column_share_node {
            share if share < 1.0 && !features.is_empty() => {
                draw(features, share, self.stream.child(name)).into()
            }
            _ => features.into(),
        }
    }
}

/// The given share of `items` (at least one), drawn without replacement, in their order.
pub(crate) fn draw(items: &[usize], share: f64, stream: Stream) -> Vec<usize> {
    let n = ((items.len() as f64 * share).round() as usize).clamp(1, items.len());
    let mut ranked: Vec<(u64, usize)> = items.iter().map(|&i| (stream.bits(i as u64), i)).collect();
    ranked.sort_unstable();
    let mut chosen: Vec<usize> = ranked[..n].iter().map(|r| r.1).collect();
    chosen.sort_unstable();
    chosen
}
