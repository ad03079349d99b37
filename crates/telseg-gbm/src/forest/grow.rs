//! One tree of a forest: its rows are drawn, then nodes are split until nothing gains.

use rand::Rng as _;
use telseg_core::seed::{Rng, Stream};
use telseg_core::trees::{Node, Tree};

use super::params::{ForestParams, Sampling, Task};
use super::split::{Item, Question, Search};
use crate::bins::BinnedData;
use crate::leaves::rule;

/// What all trees of a forest share.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) params: &'a ForestParams,
    pub(super) data: &'a BinnedData,
    /// Classes, or targets less their mean.
    pub(super) y: &'a [f32],
    pub(super) weights: Option<&'a [f32]>,
    /// What was taken off the targets.
    pub(super) mean: f64,
}

/// A tree of binned questions; the children of a node come after it.
#[derive(Debug)]
pub(super) struct Grown {
    /// The question and the two children; `None` for a leaf.
    pub(super) questions: Vec<Option<(Question, [usize; 2])>>,
    /// Sums of each node.
    sums: Vec<f64>,
}

/// A node that is to be split, and its items.
struct Open {
    node: usize,
    depth: usize,
    items: std::ops::Range<usize>,
}

impl Ground<'_> {
    /// Draws the rows of a tree: how often each is in the bag.
    pub(super) fn draw(&self, stream: Stream) -> Vec<u16> {
        let n = self.y.len();
        let mut counts = vec![0u16; n];
        match self.params.sampling {
            Sampling::All => counts.fill(1),
            Sampling::Bootstrap => {
                let mut rng = stream.index(0);
                for _ in 0..n {
                    let count = &mut counts[rng.random_range(0..n)];
                    *count = count.saturating_add(1);
                }
            }
            Sampling::Share(share) => {
                let mut wanted = ((n as f64 * share).round() as usize).max(1);
                // Selection sampling (Knuth, vol. 2, algorithm 3.4.2 S).
                for (i, count) in counts.iter_mut().enumerate() {
                    if stream.unit(i as u64) * ((n - i) as f64) < wanted as f64 {
                        *count = 1;
                        wanted -= 1;
                    }
                }
            }
        }
        counts
    }

    /// Grows a tree on drawn rows.
    pub(super) fn grow(&self, counts: &[u16], stream: Stream) -> Grown {
        let weight = |row: usize| self.weights.map_or(1.0, |w| w[row]) * f32::from(counts[row]);
        let mut items: Vec<Item> = (0..self.y.len())
            .map(|row| Item {
                row: row as u32,
                weight: weight(row),
                y: self.y[row],
            })
            .filter(|item| item.weight > 0.0)
            .collect();
        let mut spare = items.clone();
        let channels = self.params.task.channels();
        let mut search = Search::new(self.params.task, self.params.min_weight_leaf);
        let mut tree = Grown {
            questions: vec![None],
            sums: vec![0.0; channels],
        };
        let mut features: Vec<usize> = (0..self.data.n_features()).collect();
        let mut rng = stream.index(1);
        let mut open = vec![Open {
            node: 0,
            depth: 0,
            items: 0..items.len(),
        }];
        while let Some(Open {
            node,
            depth,
            items: range,
        }) = open.pop()
        {
            let own = &mut items[range.clone()];
            let mut sums = vec![0.0; channels];
            search.sum(own, &mut sums);
            tree.sums[node * channels..][..channels].copy_from_slice(&sums);
            if self.params.max_depth.is_some_and(|most| depth >= most) || alike(own) {
                continue;
            }
            let Some(question) = self.ask(own, &sums, (&mut search, &mut features[..], &mut rng))
            else {
                continue;
            };
            let column = self.data.column(question.feature);
            let n_left = partition(own, &mut spare, |item| {
                question.left.contains(column[item.row as usize])
            });
            let children = [tree.questions.len(), tree.questions.len() + 1];
            tree.questions.extend([None, None]);
            tree.sums.resize(tree.questions.len() * channels, 0.0);
            tree.questions[node] = Some((question, children));
            let middle = range.start + n_left;
            let parts = [range.start..middle, middle..range.end];
            // Left last, so that it is next: its items lie in the cache.
            for (node, items) in children.into_iter().zip(parts).rev() {
                let depth = depth + 1;
                open.push(Open { node, depth, items });
            }
        }
        tree
    }

    /// The best question among as many drawn columns as are to be tried.
    fn ask(
        &self,
        items: &[Item],
        sums: &[f64],
        (search, features, rng): (&mut Search, &mut [usize], &mut Rng),
    ) -> Option<Question> {
        if search.weight(sums) < 2.0 * self.params.min_weight_leaf * (1.0 - 1e-9) {
            return None;
        }
        let parent = search.score(sums);
        let mut left = self.params.tried(features.len());
        let mut best: Option<Question> = None;
        for i in 0..features.len() {
            if left == 0 {
                break;
            }
            features.swap(i, rng.random_range(i..features.len()));
            let feature = features[i];
            let column = (
                feature,
                self.data.column(feature),
                &self.data.columns()[feature],
            );
            let cutting = (self.params.cutting, &mut *rng);
            if let Some(found) = search.column(items, column, (sums, parent), cutting) {
                left -= 1;
                let gain = best.as_ref().map_or(0.0, |b| b.gain);
                best = found.filter(|f| f.gain > gain).or(best);
            }
        }
        best
    }

    /// The tree in the form that all crates share; leaves add their share of a mean over `n_trees` trees.
    pub(super) fn tree(&self, grown: &Grown, n_trees: usize) -> Tree {
        let task = self.params.task;
        let channels = task.channels();
        let node = |(i, question): (usize, &Option<(Question, [usize; 2])>)| {
            let sums = &grown.sums[i * channels..][..channels];
            match question {
                None => {
                    let mut value = self.leaf(sums);
                    value.iter_mut().for_each(|v| *v /= n_trees as f64);
                    let cover = weight(task, sums);
                    Node::Leaf { value, cover }
                }
                Some((q, [left, right])) => Node::Split {
                    feature: q.feature,
                    rule: rule(&self.data.columns()[q.feature], &q.left, q.last_bin),
                    missing: q.missing,
                    left: *left,
                    right: *right,
                    cover: weight(task, sums),
                },
            }
        };
        Tree {
            nodes: grown.questions.iter().enumerate().map(node).collect(),
            output: (task.outputs() == 1).then_some(0),
        }
    }

    /// What a leaf with these sums predicts.
    pub(super) fn leaf(&self, sums: &[f64]) -> Vec<f64> {
        let weight = weight(self.params.task, sums);
        if weight <= 0.0 {
            // No drawn row had a weight.
            let outputs = self.params.task.outputs();
            return match self.params.task {
                Task::Regression => vec![self.mean],
                Task::Classification { n_classes } => vec![1.0 / f64::from(n_classes); outputs],
            };
        }
        match self.params.task {
            Task::Regression => vec![sums[1] / weight + self.mean],
            Task::Classification { n_classes: 2 } => vec![sums[1] / weight],
            Task::Classification { .. } => sums.iter().map(|w| w / weight).collect(),
        }
    }

    /// The node that a training row ends in; `other` may take the place of its bin in one column.
    pub(super) fn end(&self, grown: &Grown, row: usize, other: Option<(usize, usize)>) -> usize {
        let mut node = 0;
        while let Some((question, children)) = &grown.questions[node] {
            let from = match other {
                Some((feature, row)) if feature == question.feature => row,
                _ => row,
            };
            let bin = self.data.rows().bin(from, question.feature);
            node = children[usize::from(!question.left.contains(bin))];
        }
        node
    }
}

impl Grown {
    pub(super) fn sums(&self, node: usize, channels: usize) -> &[f64] {
        &self.sums[node * channels..][..channels]
    }
}

fn weight(task: Task, sums: &[f64]) -> f64 {
    match task {
        Task::Regression => sums[0],
        Task::Classification { .. } => sums.iter().sum(),
    }
}

/// Have all items the same target?
fn alike(items: &[Item]) -> bool {
    items.windows(2).all(|pair| pair[0].y == pair[1].y)
}

/// Moves the items that go left to the front, in their order, and the others to the end; returns how many go left.
fn partition(items: &mut [Item], spare: &mut [Item], goes_left: impl Fn(&Item) -> bool) -> usize {
    let spare = &mut spare[..items.len()];
    spare.copy_from_slice(items);
    let (mut left, mut right) = (0, items.len());
    for item in spare {
        // Written to both ends, since either is free: no branch that cannot be foreseen.
        let goes = usize::from(goes_left(item));
        items[left] = *item;
        items[right - 1] = *item;
        left += goes;
        right -= 1 - goes;
    }
    left
}
