//! The search over boxes, and what it answers.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use telseg_core::trees::{NodeView, RuleView, TreeEnsemble};
use telseg_core::{Error, Result};

use super::compile::{Ask, BELOW_ZERO, Compiled, ZERO};
use super::params::{Change, CounterfactualParams, FeatureRule, Goal};
use super::space::{Dimension, MAX_OPTIONS, Nearest, Side, dimensions};

/// A prepared search for counterfactuals of one model.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
/// use telseg_explain::{Change, Counterfactuals, Ended, FeatureRule, Goal};
/// // Churn is likely above a fee of 60 in the first year.
/// let leaf = |value: f64, cover| Node::Leaf { value: vec![value], cover };
/// let ask = |feature, threshold: f32, left, right, cover| Node::Split {
///     feature, rule: Rule::AtMost(threshold), missing: Side::Right, left, right, cover,
/// };
/// let nodes = vec![ask(1, 60.0, 1, 2, 9.0), leaf(-2.0, 5.0), ask(0, 12.0, 3, 4, 4.0), leaf(1.5, 2.0), leaf(-1.0, 2.0)];
/// let model = TreeEnsemble::new(2, vec![0.0], vec![Tree { nodes, output: Some(0) }])?;
/// // Nobody can be given a longer tenure; the fee may fall in steps of 5.
/// let rules = vec![FeatureRule::fixed(), FeatureRule::numeric(Change::Decrease, 10.0).with_step(5.0)];
/// let search = Counterfactuals::params(Goal::AtMost(-0.5), rules).fit(&model)?;
/// let answer = search.explain_row(&array![3.0, 74.0])?;
/// let found = answer.found.unwrap();
/// assert_eq!((found.moved[0].feature, found.moved[0].from, found.moved[0].to), (1, 74.0, 60.0));
/// assert_eq!((answer.ended, answer.gap), (Ended::Optimal, 0.0));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Counterfactuals<'a> {
    params: CounterfactualParams,
    model: &'a TreeEnsemble,
    /// Thresholds of each column, rising.
    cuts: Vec<Vec<f32>>,
    /// Levels that each column of codes may take.
    levels: Vec<Vec<u32>>,
}

/// What the search found for one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The cheapest counterfactual that was found.
    pub found: Option<Counterfactual>,
    /// Score of the row as it is.
    pub score: f64,
    /// No counterfactual costs less; infinite where there is none.
    pub lower_bound: f64,
    /// How much of the cost of `found` a better one could still save, 0 to 1; 0 when it is the best.
    pub gap: f64,
    /// Why the search ended.
    pub ended: Ended,
    /// Boxes that were looked at.
    pub n_boxes: usize,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// The row reaches the goal as it is.
    Already,
    /// The cheapest counterfactual is found.
    Optimal,
    /// No allowed change reaches the goal.
    Impossible,
    /// [`CounterfactualParams::max_boxes`] were looked at.
    Boxes,
    /// [`CounterfactualParams::time_limit`] is over.
    Time,
}

/// A row that reaches the goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// The row.
    pub row: Vec<f32>,
    /// What differs, in the order of the columns.
    pub moved: Vec<Moved>,
    /// Sum of the costs of the changes.
    pub cost: f64,
    /// Its score.
    pub score: f64,
}

/// A column that differs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// The column.
    pub feature: usize,
    /// The row's value.
    pub from: f32,
    /// The counterfactual's value.
    pub to: f32,
}

impl<'a> Counterfactuals<'a> {
    /// Parameters of a search: where the score is wanted, and how each column may change.
    pub fn params(goal: Goal, features: Vec<FeatureRule>) -> CounterfactualParams {
        CounterfactualParams::new(goal, features)
    }

    pub(super) fn new(params: &CounterfactualParams, model: &'a TreeEnsemble) -> Result<Self> {
        params.validate()?;
        let n = model.n_features();
        if params.features.len() != n {
            let found = params.features.len().to_string();
            return Err(Error::shape(
                "features",
                format!("{n} rules (as columns of the model)"),
                found,
            ));
        }
        if params.output >= model.n_outputs() {
            let problem = format!(
                "must be below {}, found {}",
                model.n_outputs(),
                params.output
            );
            return Err(Error::param("output", problem));
        }
        let (cuts, named) = questions(model, params.output);
        let mut levels = Vec::with_capacity(n);
        for (feature, (rule, named)) in params.features.iter().zip(named).enumerate() {
            let offered = if rule.levels.is_empty() {
                named
            } else {
                rule.levels.clone()
            };
            // One option is the row's own level, which need not be among these.
            if offered.len() >= MAX_OPTIONS && rule.change != Change::Never {
                let problem = format!(
                    "{} levels could be offered, at most {} may: name them",
                    offered.len(),
                    MAX_OPTIONS - 1
                );
                return Err(Error::param(format!("features[{feature}]"), problem));
            }
            levels.push(offered);
        }
        for (index, bundle) in params.bundles.iter().enumerate() {
            if bundle.options.len() >= MAX_OPTIONS {
                let problem = format!(
                    "at most {} options, found {}",
                    MAX_OPTIONS - 1,
                    bundle.options.len()
                );
                return Err(Error::param(format!("bundles[{index}]"), problem));
            }
        }
        Ok(Self {
            params: params.clone(),
            model,
            cuts,
            levels,
        })
    }

    /// The cheapest allowed change of a row that reaches the goal.
    ///
    /// # Cost
    /// Each box costs a walk through the parts of all trees that ask what may change: some 10 microseconds for 100 trees
    /// of 63 leaves. How many boxes it takes depends on how far the goal is: tens for near ones, up to
    /// [`CounterfactualParams::max_boxes`].
    ///
    /// # Errors
    /// When the row has another number of columns than the model, or holds an infinite value.
    pub fn explain_row(&self, row: &ArrayRef1<f32>) -> Result<Answer> {
        let row = row.to_vec();
        if row.len() != self.model.n_features() {
            let expected = format!("{} columns (as at fit)", self.model.n_features());
            return Err(Error::shape("row", expected, row.len().to_string()));
        }
        if let Some(column) = row.iter().position(|v| v.is_infinite()) {
            return Err(Error::data("row", format!("column {column} is infinite")));
        }
        let (limit, sign) = match self.params.goal {
            Goal::AtMost(limit) => (limit, 1.0),
            Goal::AtLeast(limit) => (-limit, -1.0),
        };
        let (dimensions, sides, of) = dimensions(&self.params, &self.cuts, &self.levels, &row);
        let trees = Compiled::new(self.model, self.params.output, sign, &row, &dimensions, &of);
        let search = Search {
            params: &self.params,
            row: &row,
            dimensions,
            trees,
            limit,
            sign,
        };
        Ok(search.run(sides))
    }
}

/// Thresholds and named levels of each column in the trees of one output.
fn questions(model: &TreeEnsemble, output: usize) -> (Vec<Vec<f32>>, Vec<Vec<u32>>) {
    let mut cuts = vec![Vec::new(); model.n_features()];
    let mut levels = vec![Vec::new(); model.n_features()];
    for tree in 0..model.n_trees() {
        if model.tree_output(tree).is_some_and(|o| o != output) {
            continue;
        }
        for node in model.tree_nodes(tree) {
            let NodeView::Split { feature, rule, .. } = model.node(tree, node) else {
                continue;
            };
            match rule {
                RuleView::AtMost(threshold) => cuts[feature].push(threshold),
                RuleView::ZeroTurned(threshold) => {
                    cuts[feature].extend([threshold, BELOW_ZERO, ZERO])
                }
                RuleView::OneOf(bits) => {
                    for (word, bits) in bits.iter().enumerate() {
                        let set = (0..64u32).filter(|b| bits >> b & 1 == 1);
                        levels[feature].extend(set.map(|b| 64 * word as u32 + b));
                    }
                }
            }
        }
    }
    for cuts in &mut cuts {
        cuts.sort_by(f32::total_cmp);
        cuts.dedup();
    }
    for levels in &mut levels {
        levels.sort_unstable();
        levels.dedup();
    }
    (cuts, levels)
}

/// A box, its nearest point, and what is known of it.
#[derive(Debug)]
struct Candidate {
    cost: f64,
    /// Order of making: equal costs come out in it.
    number: usize,
    sides: Vec<Side>,
    nearest: Vec<Nearest>,
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cost
            .total_cmp(&other.cost)
            .then(self.number.cmp(&other.number))
    }
}

struct Search<'a> {
    params: &'a CounterfactualParams,
    row: &'a [f32],
    dimensions: Vec<Dimension>,
    trees: Compiled,
    /// The score must be at most this, in the sign in which less is better.
    limit: f64,
    sign: f64,
}

impl Search<'_> {
    fn run(&self, sides: Vec<Side>) -> Answer {
        let start = Instant::now();
        let own: Vec<u32> = self
            .dimensions
            .iter()
            .map(|d| d.nearest(d.own()).map_or(0, |n| n.place))
            .collect();
        let score = self.trees.score(&own);
        let mut answer = Answer {
            found: None,
            score: self.sign * score,
            lower_bound: 0.0,
            gap: 0.0,
            ended: Ended::Already,
            n_boxes: 0,
        };
        if score <= self.limit {
            return answer;
        }
        let mut open = BinaryHeap::new();
        let mut made = 0;
        open.extend(self.candidate(sides, &mut made).map(Reverse));
        let mut best = self.greedy();
        answer.ended = Ended::Impossible;
        answer.lower_bound = f64::INFINITY;
        while let Some(Reverse(candidate)) = open.pop() {
            if best.as_ref().is_some_and(|b| b.cost <= candidate.cost) {
                break;
            }
            let out = if answer.n_boxes >= self.params.max_boxes {
                Some(Ended::Boxes)
            } else if self
                .params
                .time_limit
                .is_some_and(|limit| start.elapsed() >= limit)
            {
                Some(Ended::Time)
            } else {
                None
            };
            if let Some(ended) = out {
                answer.ended = ended;
                answer.lower_bound = candidate.cost;
                break;
            }
            answer.n_boxes += 1;
            let places: Vec<u32> = candidate.nearest.iter().map(|n| n.place).collect();
            if self.trees.score(&places) <= self.limit {
                best = Some(candidate);
                break;
            }
            // Without a question left the box is one cell, whose bound is its score: it was dropped.
            if let Some(ask) = self.trees.separating(&candidate.sides, &places) {
                for sides in halves(&candidate.sides, ask) {
                    open.extend(self.candidate(sides, &mut made).map(Reverse));
                }
            }
        }
        self.close(answer, best)
    }

    /// The answer with what was found.
    fn close(&self, mut answer: Answer, best: Option<Candidate>) -> Answer {
        let Some(best) = best else {
            return answer;
        };
        let limited = matches!(answer.ended, Ended::Boxes | Ended::Time);
        if !limited || best.cost <= answer.lower_bound {
            answer.ended = Ended::Optimal;
            answer.lower_bound = best.cost;
        }
        if best.cost > 0.0 {
            answer.gap = ((best.cost - answer.lower_bound) / best.cost).max(0.0);
        }
        let mut row = self.row.to_vec();
        for (dimension, nearest) in self.dimensions.iter().zip(&best.nearest) {
            dimension.put(nearest, &mut row);
        }
        let differs =
            |f: &usize| row[*f] != self.row[*f] && !(row[*f].is_nan() && self.row[*f].is_nan());
        let moved = (0..row.len()).filter(differs).map(|feature| Moved {
            feature,
            from: self.row[feature],
            to: row[feature],
        });
        let places: Vec<u32> = best.nearest.iter().map(|n| n.place).collect();
        answer.found = Some(Counterfactual {
            moved: moved.collect(),
            cost: best.cost,
            score: self.sign * self.trees.score(&places),
            row,
        });
        answer
    }

    /// A box that may hold a counterfactual; nothing when it cannot.
    fn candidate(&self, mut sides: Vec<Side>, made: &mut usize) -> Option<Candidate> {
        let mut nearest: Vec<Nearest> = Vec::with_capacity(sides.len());
        for (dimension, side) in self.dimensions.iter().zip(&sides) {
            nearest.push(dimension.nearest(*side)?);
        }
        let changed = |d: &Dimension, n: &Nearest| d.is_change(n);
        let n_changed = self
            .dimensions
            .iter()
            .zip(&nearest)
            .filter(|(d, n)| changed(d, n))
            .count();
        if n_changed > self.params.max_changes {
            return None;
        }
        if n_changed == self.params.max_changes {
            // No other may change: the box is that much smaller.
            for ((dimension, side), nearest) in self.dimensions.iter().zip(&mut sides).zip(&nearest)
            {
                if !dimension.is_change(nearest) {
                    *side = dimension.own();
                }
            }
        }
        if self.trees.bound(&sides) > self.limit {
            return None;
        }
        let number = *made;
        *made += 1;
        Some(Candidate {
            cost: nearest.iter().map(|n| n.cost).sum(),
            number,
            sides,
            nearest,
        })
    }

    /// A quick answer, so that a search that is cut short has one: changes one dimension after the other, each time to
    /// the place that lowers the score most for its cost.
    fn greedy(&self) -> Option<Candidate> {
        let own = |d: &Dimension| d.nearest(d.own());
        let mut nearest: Vec<Nearest> = self.dimensions.iter().map(own).collect::<Option<_>>()?;
        let mut places: Vec<u32> = nearest.iter().map(|n| n.place).collect();
        let mut score = self.trees.score(&places);
        for _ in 0..self.params.max_changes {
            let mut best: Option<(f64, usize, Nearest)> = None;
            for (at, dimension) in self.dimensions.iter().enumerate() {
                if dimension.is_change(&nearest[at]) {
                    continue;
                }
                let kept = places[at];
                for point in self.places(dimension) {
                    places[at] = point.place;
                    let now = self.trees.score(&places);
                    // What brings the row home is worth no more than that.
                    let worth = (score - now.max(self.limit)) / point.cost.max(1e-9);
                    if now < score && best.as_ref().is_none_or(|b| worth > b.0) {
                        best = Some((worth, at, point));
                    }
                }
                places[at] = kept;
            }
            let (_, at, point) = best?;
            (places[at], nearest[at]) = (point.place, point);
            score = self.trees.score(&places);
            if score <= self.limit {
                return Some(Candidate {
                    cost: nearest.iter().map(|n| n.cost).sum(),
                    number: usize::MAX,
                    sides: Vec::new(),
                    nearest,
                });
            }
        }
        None
    }

    /// Every place of a dimension that is a change.
    fn places<'s>(&'s self, dimension: &'s Dimension) -> impl Iterator<Item = Nearest> + 's {
        let rules = |d: &Dimension| match d {
            Dimension::Cells { feature, .. } => self.params.features[*feature].change,
            Dimension::Options { .. } => Change::Free,
        };
        let whole = dimension
            .whole(rules(dimension))
            .unwrap_or_else(|| dimension.own());
        let sides: Vec<Side> = match whole {
            Side::Cells(low, high) => (low..=high).map(|c| Side::Cells(c, c)).collect(),
            Side::Options(bits) => (0..128)
                .filter(|b| bits >> b & 1 == 1)
                .map(|b| Side::Options(1 << b))
                .collect(),
        };
        let points = sides.into_iter().filter_map(|s| dimension.nearest(s));
        points.filter(|n| dimension.is_change(n))
    }
}

/// The two parts of a box that a question makes.
fn halves(sides: &[Side], ask: Ask) -> Vec<Vec<Side>> {
    let with = |dimension: u32, side: Side| {
        let mut new = sides.to_vec();
        new[dimension as usize] = side;
        new
    };
    match ask {
        Ask::Leaf(_) => Vec::new(),
        Ask::Cell {
            dimension, last, ..
        } => match sides[dimension as usize] {
            Side::Cells(low, high) => {
                vec![
                    with(dimension, Side::Cells(low, last)),
                    with(dimension, Side::Cells(last + 1, high)),
                ]
            }
            Side::Options(_) => Vec::new(),
        },
        Ask::Option {
            dimension, bits, ..
        } => match sides[dimension as usize] {
            Side::Options(own) => {
                vec![
                    with(dimension, Side::Options(own & bits)),
                    with(dimension, Side::Options(own & !bits)),
                ]
            }
            Side::Cells(..) => Vec::new(),
        },
    }
}
