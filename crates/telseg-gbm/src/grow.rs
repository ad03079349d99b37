//! One tree, leaf by leaf: the leaf whose split gains most is split next.
//!
//! The rows of a leaf are a stretch of one list, in ascending order, beside their packed slopes; a split moves both to
//! the other of two buffers, so that nothing is copied back. The smaller child's histogram is built, the larger one's is
//! the parent's minus that.

use std::ops::Range;

use rayon::prelude::*;
use telseg_core::seed::Stream;

use crate::GbmParams;
use crate::bins::{BinnedData, RowBlock};
use crate::histogram::{Histogram, Shape, kernel};
use crate::split::{NodeSum, Search, Split};

/// Rows of a leaf that are moved by one task.
const CHUNK: usize = 16_384;
/// Histograms are kept for subtraction as long as they fit into so many cells (256 MiB); beyond, both children are built.
const KEPT_CELLS: usize = 1 << 25;

/// Buffers that serve all trees of a fit.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    rows: [Vec<u32>; 2],
    pub(crate) cells: [Vec<u64>; 2],
    flags: Vec<u8>,
    spare: Vec<Histogram>,
}

impl Buffers {
    /// Takes the rows of the next tree; their packed slopes are to be written to `cells[0]`.
    pub(crate) fn start(&mut self, rows: &[u32]) {
        let n = rows.len();
        self.rows[0].clear();
        self.rows[0].extend_from_slice(rows);
        self.rows[1].resize(n, 0);
        self.cells.iter_mut().for_each(|c| c.resize(n, 0));
        self.flags.resize(n, 0);
    }

    /// Rows of a leaf, ascending.
    pub(crate) fn rows(&self, leaf: &Leaf) -> &[u32] {
        &self.rows[leaf.side][leaf.range.clone()]
    }

    fn blank(&mut self, len: usize) -> Histogram {
        match self.spare.pop() {
            Some(mut histogram) => {
                histogram.fill(0);
                histogram
            }
            None => vec![0; len],
        }
    }

    /// Moves a leaf's rows to the other buffer, left ones first, both in order; returns how many go left.
    fn partition(&mut self, leaf: &Leaf, column: &[u8], left: &[u8; 256]) -> usize {
        let range = leaf.range.clone();
        let [a, b] = &mut self.rows;
        let (rows, to_rows) = if leaf.side == 0 { (a, b) } else { (b, a) };
        let [a, b] = &mut self.cells;
        let (cells, to_cells) = if leaf.side == 0 { (a, b) } else { (b, a) };
        let (rows, cells) = (&rows[range.clone()], &cells[range.clone()]);
        let flags = &mut self.flags[range.clone()];
        let counts: Vec<usize> = if rows.len() <= CHUNK {
            vec![kernel::mark(rows, column, left, flags)]
        } else {
            let parts = rows.par_chunks(CHUNK).zip(flags.par_chunks_mut(CHUNK));
            parts
                .map(|(rows, flags)| kernel::mark(rows, column, left, flags))
                .collect()
        };
        let n_left: usize = counts.iter().sum();
        let mut starts = Vec::with_capacity(counts.len());
        let mut next = (range.start, range.start + n_left);
        for (i, count) in counts.iter().enumerate() {
            starts.push(next);
            let len = CHUNK.min(rows.len() - i * CHUNK);
            next = (next.0 + count, next.1 + len - count);
        }
        let to = (kernel::Shared::new(to_rows), kernel::Shared::new(to_cells));
        let parts = rows
            .par_chunks(CHUNK)
            .zip(cells.par_chunks(CHUNK))
            .zip(flags.par_chunks(CHUNK))
            .zip(starts);
        #[allow(unsafe_code)]
        parts.for_each(|(((rows, cells), flags), start)| {
            // SAFETY: the destinations start where the counts of the parts before end, left ones from the range's start
            // and right ones after all left ones, so that parts write disjoint elements of the range.
            unsafe { kernel::scatter((rows, cells, flags), to, start) }
        });
        n_left
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
    packed: u64,
    histogram: Option<Histogram>,
    best: Option<Split>,
}

impl Leaf {
    /// Number of its rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.range.len()
    }
}

/// A node of a tree of binned questions.
#[derive(Debug)]
pub(crate) struct BinNode {
    /// The question and the two children; `None` for a leaf.
    pub(crate) split: Option<(Split, [usize; 2])>,
    /// What a leaf adds, set after growing.
    pub(crate) value: f64,
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
        let mut node = &self.nodes[0];
        while let Some((split, children)) = &node.split {
            let right = !split.left.contains(block.bin(row, split.feature));
            node = &self.nodes[children[right as usize]];
        }
        node.value
    }
}

/// Grows one tree.
#[derive(Debug)]
pub(crate) struct Grower<'a> {
    pub(crate) data: &'a BinnedData,
    pub(crate) params: &'a GbmParams,
    pub(crate) shape: Shape,
    pub(crate) search: Search<'a>,
    /// Columns of this tree, ascending.
    pub(crate) features: &'a [usize],
    /// Draws the columns of each node.
    pub(crate) stream: Stream,
}

impl Grower<'_> {
    /// Grows a tree on the rows and packed slopes in `buffers`; returns it with its leaves.
    pub(crate) fn grow(&self, buffers: &mut Buffers) -> (BinTree, Vec<Leaf>) {
        let n = buffers.rows[0].len();
        let packed = buffers.cells[0]
            .iter()
            .fold(0u64, |sum, c| sum.wrapping_add(*c));
        let mut root = Leaf {
            node: 0,
            side: 0,
            range: 0..n,
            l2: self.params.l2,
            depth: 0,
            packed,
            histogram: None,
            best: None,
        };
        if self.may_split(&root) {
            let mut histogram = buffers.blank(self.shape.len());
            self.shape.add(
                self.data,
                &buffers.rows[0],
                &buffers.cells[0],
                &mut histogram,
            );
            root.best = self.find(&root, &histogram);
            root.histogram = Some(histogram);
        }
        let mut tree = BinTree {
            nodes: vec![BinNode {
                split: None,
                value: 0.0,
            }],
        };
        let mut leaves = vec![root];
        while leaves.len() < self.params.max_leaves {
            let gain = |i: usize| leaves[i].best.as_ref().map_or(0.0, |b| b.gain);
            let best =
                (1..leaves.len()).fold(0, |best, i| if gain(i) > gain(best) { i } else { best });
            let Some(split) = leaves[best].best.take() else {
                break;
            };
            let last = leaves.len() + 1 == self.params.max_leaves;
            let children = self.split(&mut leaves[best], &split, &mut tree, buffers);
            let kept = leaves.iter().filter(|l| l.histogram.is_some()).count();
            let children = self.examine(&mut leaves[best], children, buffers, last, kept);
            let [left, right] = children;
            let node = leaves[best].node;
            tree.nodes[node].split = Some((split, [left.node, right.node]));
            leaves[best] = left;
            leaves.push(right);
        }
        for leaf in &mut leaves {
            buffers.spare.extend(leaf.histogram.take());
        }
        (tree, leaves)
    }

    fn may_split(&self, leaf: &Leaf) -> bool {
        leaf.n_rows() >= 2 * self.params.min_rows_leaf
            && self.params.max_depth.is_none_or(|most| leaf.depth < most)
    }

    /// Moves the rows and makes the two children, without histograms.
    fn split(
        &self,
        leaf: &mut Leaf,
        split: &Split,
        tree: &mut BinTree,
        buffers: &mut Buffers,
    ) -> [Leaf; 2] {
        let table: [u8; 256] = std::array::from_fn(|bin| split.left.contains(bin as u8) as u8);
        let n_left = buffers.partition(leaf, self.data.column(split.feature), &table);
        let middle = leaf.range.start + n_left;
        let mut child = |range: Range<usize>, packed: u64| {
            tree.nodes.push(BinNode {
                split: None,
                value: 0.0,
            });
            Leaf {
                node: tree.nodes.len() - 1,
                side: 1 - leaf.side,
                range,
                l2: split.l2,
                depth: leaf.depth + 1,
                packed,
                histogram: None,
                best: None,
            }
        };
        [
            child(leaf.range.start..middle, split.left_sum),
            child(
                middle..leaf.range.end,
                leaf.packed.wrapping_sub(split.left_sum),
            ),
        ]
    }

    /// Gives the children their histograms and best splits.
    fn examine(
        &self,
        parent: &mut Leaf,
        mut children: [Leaf; 2],
        buffers: &mut Buffers,
        last: bool,
        kept: usize,
    ) -> [Leaf; 2] {
        let whole = parent.histogram.take();
        let may = children.each_ref().map(|c| !last && self.may_split(c));
        if may == [false, false] {
            buffers.spare.extend(whole);
            return children;
        }
        let len = self.shape.len();
        let small = usize::from(children[1].n_rows() < children[0].n_rows());
        let mut built = buffers.blank(len);
        let from_parent = whole.is_some();
        let mut rest = whole.unwrap_or_else(|| buffers.blank(len));
        let build = |leaf: &Leaf, histogram: &mut Histogram| {
            let cells = &buffers.cells[leaf.side][leaf.range.clone()];
            self.shape
                .add(self.data, buffers.rows(leaf), cells, histogram);
        };
        build(&children[small], &mut built);
        if from_parent {
            rest.iter_mut()
                .zip(&built)
                .for_each(|(w, b)| *w = w.wrapping_sub(*b));
        } else {
            build(&children[1 - small], &mut rest);
        }
        let find = |leaf: &Leaf, histogram: &Histogram, may: bool| {
            may.then(|| self.find(leaf, histogram)).flatten()
        };
        let (best_small, best_large) = rayon::join(
            || find(&children[small], &built, may[small]),
            || find(&children[1 - small], &rest, may[1 - small]),
        );
        let keep = (kept + 2) * len <= KEPT_CELLS;
        for (i, best, histogram) in [(small, best_small, built), (1 - small, best_large, rest)] {
            if best.is_some() && keep {
                children[i].histogram = Some(histogram);
            } else {
                buffers.spare.push(histogram);
            }
            children[i].best = best;
        }
        children
    }

    fn find(&self, leaf: &Leaf, histogram: &Histogram) -> Option<Split> {
        let node = NodeSum {
            packed: leaf.packed,
            n_rows: leaf.n_rows(),
        };
        let share = self.params.column_share_node;
        if share < 1.0 {
            let chosen = draw(self.features, share, self.stream.child(leaf.node as u64));
            self.search.best(histogram, node, &chosen)
        } else {
            self.search.best(histogram, node, self.features)
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
