//! Growing the surrogates and measuring them on rows that they have not seen.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

use super::bins::{Binned, bin};
use super::rule::{SegmentRule, conditions};
use super::tree::{Data, Growth, Node, Tree, bootstrap};
use crate::profile::{Column, MISSING, check_rows};
use crate::stats::{checked_weights, wilson};

/// Fewest rows of a segment among those learnt from, and among those held out.
const MIN_SEGMENT: usize = 10;
/// Depth of the forest's trees, and fewest rows of their leaves.
const FOREST: (usize, usize) = (10, 5);

/// How surrogates are grown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SurrogateParams {
    /// Most conditions of a rule, 1 to 3. Default 3.
    pub max_conditions: usize,
    /// Fewest rows of a rule. Default 20.
    pub min_rows: usize,
    /// Smallest precision of a rule. Default 0.3: of a small segment a good rule catches many others too.
    pub min_precision: f64,
    /// Trees of the forest; 0 for none. Default 30.
    pub n_trees: usize,
    /// Bins of a column of numbers, and levels that a question may name, 2 to 250. Default 32.
    pub max_bins: usize,
    /// Share of the rows that precision, coverage and fidelity are measured on. Default 0.3.
    pub held_out: f64,
    /// Rows that take part, drawn where there are more. Default 50,000.
    pub max_rows: usize,
    /// Root of all random choices. Default 0.
    pub seed: u64,
}

impl Default for SurrogateParams {
    fn default() -> Self {
        Self {
            max_conditions: 3,
            min_rows: 20,
            min_precision: 0.3,
            n_trees: 30,
            max_bins: 32,
            held_out: 0.3,
            max_rows: 50_000,
            seed: 0,
        }
    }
}

impl SurrogateParams {
    /// Sets [`max_conditions`](Self::max_conditions).
    #[must_use]
    pub fn with_max_conditions(self, max_conditions: usize) -> Self {
        Self {
            max_conditions,
            ..self
        }
    }

    /// Sets [`min_precision`](Self::min_precision).
    #[must_use]
    pub fn with_min_precision(self, min_precision: f64) -> Self {
        Self {
            min_precision,
            ..self
        }
    }

    /// Sets [`n_trees`](Self::n_trees).
    #[must_use]
    pub fn with_n_trees(self, n_trees: usize) -> Self {
        Self { n_trees, ..self }
    }

    /// Sets [`seed`](Self::seed).
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The first that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        let within = |name: &'static str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::param(
                name,
                format!("must be {low} to {high}, found {value}"),
            ))
        };
        within("max_conditions", self.max_conditions, 1, 3)?;
        within("min_rows", self.min_rows, 1, usize::MAX)?;
        if !(0.0..=1.0).contains(&self.min_precision) {
            let problem = format!("must be 0 to 1, found {}", self.min_precision);
            return Err(Error::param("min_precision", problem));
        }
        within("max_bins", self.max_bins, 2, 250)?;
        if !(self.held_out > 0.0 && self.held_out < 1.0) {
            let problem = format!("must lie between 0 and 1, found {}", self.held_out);
            return Err(Error::param("held_out", problem));
        }
        within("max_rows", self.max_rows, 1, usize::MAX)
    }
}

/// How well a surrogate tells a segment from the rest, on held-out rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fidelity {
    /// Mean of the shares that are told rightly inside and outside; 0.5 is chance.
    pub balanced_accuracy: f64,
    /// Share of those that it puts into the segment that are.
    pub precision: f64,
    /// Share of the segment that it finds.
    pub recall: f64,
    /// Held-out rows.
    pub n: usize,
}

/// What is known of a segment by rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surrogate {
    /// Label of the segment.
    pub segment: u32,
    /// Rules that do not overlap, the one that covers most first.
    pub rules: Vec<SegmentRule>,
    /// How well the shallow tree tells the segment; nothing when there are too few rows.
    pub tree: Option<Fidelity>,
    /// How well a forest does.
    pub forest: Option<Fidelity>,
    /// The columns that the forest (or the tree alone) tells it by: names and shares of the impurity's decrease, the
    /// largest first.
    pub importance: Vec<(String, f64)>,
}

/// Grows the surrogates of all segments.
///
/// # Shapes
/// `labels` and `weights`: one for each row; labels are below `n_segments`, or [`MISSING`].
///
/// # Cost
/// For each segment `O(rows columns depth)` for the tree, and the same times trees and the square root of columns for the
/// forest; in parallel over segments.
///
/// # Errors
/// When a parameter cannot have its value, lengths differ, there are no rows, or a label, code or weight is out of range.
///
/// # Examples
/// ```
/// use telseg_explain::{Column, SurrogateParams, surrogates};
/// let gb: Vec<f64> = (0..2000).map(|i| f64::from(i * 37 % 2000) / 100.0).collect();
/// let age: Vec<f64> = (0..2000).map(|i| 18.0 + f64::from(i * 53 % 60)).collect();
/// let young_heavy = |i: usize| u32::from(gb[i] > 12.0 && age[i] <= 30.0);
/// let labels: Vec<u32> = (0..2000).map(young_heavy).collect();
/// let columns = [Column::numeric("data_gb", &gb), Column::numeric("age", &age)];
/// let found = surrogates(&columns, &labels, 2, None, &SurrogateParams::default())?;
/// // The cuts lie at quantiles, next to the planted 30 and 12.
/// assert_eq!(found[1].rules[0].to_string(), "age at most 29, data GB above 11.87");
/// assert!(found[1].rules[0].precision > 0.9 && found[1].rules[0].coverage > 0.8);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn surrogates(
    columns: &[Column<'_>],
    labels: &[u32],
    n_segments: usize,
    weights: Option<&[f64]>,
    params: &SurrogateParams,
) -> Result<Vec<Surrogate>> {
    params.validate()?;
    check_rows(columns, labels, n_segments)?;
    let weights = checked_weights(weights, labels.len())?;
    let seed = Seed::new(params.seed);
    let (draw, hold) = (
        seed.stream("surrogate.rows"),
        seed.stream("surrogate.held_out"),
    );
    let share = params.max_rows as f64 / labels.len() as f64;
    let rows: Vec<usize> = (0..labels.len())
        .filter(|&i| labels[i] != MISSING && weights[i] > 0.0 && draw.unit(i as u64) < share)
        .collect();
    let binned = bin(columns, &rows, params.max_bins);
    let base = Base {
        unnamed: binned.iter().map(Binned::has_unnamed).collect(),
        labels: rows.iter().map(|&r| labels[r]).collect(),
        weights: rows.iter().map(|&r| weights[r]).collect(),
        held_out: rows
            .iter()
            .map(|&r| hold.unit(r as u64) < params.held_out)
            .collect(),
        columns: binned,
        params,
    };
    Ok((0..n_segments as u32)
        .into_par_iter()
        .map(|s| base.surrogate(s))
        .collect())
}

/// The rows that take part.
struct Base<'a> {
    columns: Vec<Binned<'a>>,
    unnamed: Vec<bool>,
    labels: Vec<u32>,
    weights: Vec<f64>,
    held_out: Vec<bool>,
    params: &'a SurrogateParams,
}

impl Base<'_> {
    fn surrogate(&self, segment: u32) -> Surrogate {
        let mut found = Surrogate {
            segment,
            rules: Vec::new(),
            tree: None,
            forest: None,
            importance: Vec::new(),
        };
        let inside: Vec<bool> = self.labels.iter().map(|l| *l == segment).collect();
        let part =
            |held_out: bool| (0..inside.len()).filter(move |&i| self.held_out[i] == held_out);
        let enough = |held_out: bool| {
            let n_inside = part(held_out).filter(|&i| inside[i]).count();
            n_inside >= MIN_SEGMENT && part(held_out).count() - n_inside >= MIN_SEGMENT
        };
        if !enough(false) || !enough(true) {
            return found;
        }
        let learn: Vec<u32> = part(false).map(|i| i as u32).collect();
        let held: Vec<usize> = part(true).collect();
        let balanced = self.balanced(&inside, &learn);
        let data = Data {
            columns: &self.columns,
            inside: &inside,
            weights: &balanced,
        };
        let stream = Seed::new(self.params.seed)
            .stream("surrogate.trees")
            .child(u64::from(segment));
        let growth = Growth {
            max_depth: self.params.max_conditions,
            min_rows_leaf: self.params.min_rows,
            columns_node: self.columns.len(),
        };
        let tree = Tree::grow(data, learn.clone(), growth, &mut stream.index(0));
        found.rules = self.rules(&tree, &inside, &held);
        found.tree = Some(self.fidelity(&inside, &held, |row| tree.score(&self.columns, row)));
        let mut gains = tree.gains;
        if self.params.n_trees > 0 {
            let growth = Growth {
                max_depth: FOREST.0,
                min_rows_leaf: FOREST.1,
                columns_node: (self.columns.len() as f64).sqrt().ceil() as usize,
            };
            let forest: Vec<Tree> = (0..self.params.n_trees as u64)
                .into_par_iter()
                .map(|t| {
                    let mut draw = stream.index(1 + t);
                    let rows = bootstrap(learn.len(), &mut draw)
                        .into_iter()
                        .map(|i| learn[i as usize])
                        .collect();
                    Tree::grow(data, rows, growth, &mut draw)
                })
                .collect();
            let n = forest.len() as f64;
            let score = |row| {
                forest
                    .iter()
                    .map(|t| t.score(&self.columns, row))
                    .sum::<f64>()
                    / n
            };
            found.forest = Some(self.fidelity(&inside, &held, score));
            gains = vec![0.0; self.columns.len()];
            for tree in &forest {
                gains
                    .iter_mut()
                    .zip(&tree.gains)
                    .for_each(|(sum, g)| *sum += g);
            }
        }
        found.importance = self.importance(&gains);
        found
    }

    /// Weights with which segment and rest weigh one half each.
    fn balanced(&self, inside: &[bool], learn: &[u32]) -> Vec<f64> {
        let mut totals = [0.0; 2];
        for &i in learn {
            totals[usize::from(inside[i as usize])] += self.weights[i as usize];
        }
        let scaled = self
            .weights
            .iter()
            .zip(inside)
            .map(|(w, i)| 0.5 * w / totals[usize::from(*i)]);
        scaled.collect()
    }

    fn importance(&self, gains: &[f64]) -> Vec<(String, f64)> {
        let total: f64 = gains.iter().sum();
        let mut all: Vec<(String, f64)> = self
            .columns
            .iter()
            .zip(gains)
            .filter(|(_, g)| **g > 0.0)
            .map(|(c, g)| (c.name.to_string(), g / total))
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable
        all
    }

    fn fidelity(&self, inside: &[bool], held: &[usize], score: impl Fn(usize) -> f64) -> Fidelity {
        // [inside][told]
        let mut weight = [[0.0; 2]; 2];
        for &row in held {
            let told = score(row) > 0.5;
            weight[usize::from(inside[row])][usize::from(told)] += self.weights[row];
        }
        let share = |a: f64, b: f64| if a + b > 0.0 { a / (a + b) } else { 0.0 };
        let recall = share(weight[1][1], weight[1][0]);
        Fidelity {
            balanced_accuracy: 0.5 * (recall + share(weight[0][0], weight[0][1])),
            precision: share(weight[1][1], weight[0][1]),
            recall,
            n: held.len(),
        }
    }

    /// The leaves in which the segment is the majority, as they do on held-out rows.
    fn rules(&self, tree: &Tree, inside: &[bool], held: &[usize]) -> Vec<SegmentRule> {
        // Of each leaf: weight inside, outside, sum of squares, rows.
        let mut reached = vec![(0.0, 0.0, 0.0, 0usize); tree.nodes.len()];
        let (mut total_inside, mut total) = (0.0, 0.0);
        for &row in held {
            let w = self.weights[row];
            let at = &mut reached[tree.leaf(&self.columns, row)];
            *(if inside[row] { &mut at.0 } else { &mut at.1 }) += w;
            at.2 += w * w;
            at.3 += 1;
            total += w;
            total_inside += if inside[row] { w } else { 0.0 };
        }
        let mut rules: Vec<SegmentRule> = Vec::new();
        for (leaf, conditions) in conditions(tree, &self.columns, &self.unnamed) {
            let (inside, outside, squares, n) = reached[leaf];
            let majority = matches!(tree.nodes[leaf], Node::Leaf(share) if share > 0.5);
            let weight = inside + outside;
            let precision = if weight > 0.0 { inside / weight } else { 0.0 };
            if !majority
                || conditions.is_empty()
                || n < self.params.min_rows
                || precision < self.params.min_precision
            {
                continue;
            }
            rules.push(SegmentRule {
                conditions,
                precision,
                interval: wilson(precision, weight * weight / squares),
                coverage: inside / total_inside,
                lift: precision * total / total_inside,
                n,
            });
        }
        rules.sort_by(|a, b| b.coverage.total_cmp(&a.coverage)); // stable
        rules
    }
}
