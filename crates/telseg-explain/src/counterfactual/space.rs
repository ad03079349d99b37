//! The rows that may be reached from one row: dimensions, boxes, and the point of a box nearest to the row.

use super::params::{Change, CounterfactualParams, FeatureRule};

/// Options of one dimension of choices, at most: they are the bits of a word.
pub(super) const MAX_OPTIONS: usize = 128;

/// One thing that may change.
#[derive(Clone, Debug)]
pub(super) enum Dimension {
    /// A quantity, between thresholds `cuts`: cell `i` is `(cuts[i - 1], cuts[i]]`.
    Cells {
        feature: usize,
        own: f32,
        cuts: Vec<f32>,
        scale: f64,
        step: Option<f32>,
        range: [f32; 2],
    },
    /// A choice of values for some columns; option 0 keeps the row's own.
    Options {
        features: Vec<usize>,
        values: Vec<Vec<f32>>,
        costs: Vec<f64>,
    },
}

/// What is left of a dimension in a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Side {
    /// Cells from the first to the second.
    Cells(u32, u32),
    /// Bits of the options.
    Options(u128),
}

/// The point of a side nearest to the row: its cost, and the cell or option it lies in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Nearest {
    pub(super) cost: f64,
    pub(super) place: u32,
    /// The value of a quantity.
    pub(super) value: f32,
}

/// The cell that a value lies in.
pub(super) fn cell(cuts: &[f32], value: f32) -> u32 {
    cuts.partition_point(|cut| *cut < value) as u32
}

impl Dimension {
    /// Everything that is allowed; nothing when only the row's own is.
    pub(super) fn whole(&self, change: Change) -> Option<Side> {
        match self {
            Self::Cells {
                own, cuts, range, ..
            } => {
                let at = cell(cuts, *own);
                let low = if change == Change::Increase {
                    at
                } else {
                    cell(cuts, range[0]).min(at)
                };
                let high = if change == Change::Decrease {
                    at
                } else {
                    cell(cuts, range[1]).max(at)
                };
                (low < high).then_some(Side::Cells(low, high))
            }
            Self::Options { costs, .. } => {
                let all = if costs.len() == MAX_OPTIONS {
                    u128::MAX
                } else {
                    (1u128 << costs.len()) - 1
                };
                (costs.len() > 1).then_some(Side::Options(all))
            }
        }
    }

    /// The row's own place alone.
    pub(super) fn own(&self) -> Side {
        match self {
            Self::Cells { own, cuts, .. } => {
                let at = cell(cuts, *own);
                Side::Cells(at, at)
            }
            Self::Options { .. } => Side::Options(1),
        }
    }

    /// The point of a side that costs least; nothing when the side holds no value that may be taken.
    pub(super) fn nearest(&self, side: Side) -> Option<Nearest> {
        match (self, side) {
            (
                Self::Cells {
                    own,
                    cuts,
                    scale,
                    step,
                    range,
                    ..
                },
                Side::Cells(low, high),
            ) => {
                let at = cell(cuts, *own);
                let value = if low > at {
                    let edge = cuts[low as usize - 1].next_up().max(range[0]);
                    step.map_or(edge, |s| up(edge, s))
                } else if high < at {
                    let edge = cuts[high as usize].min(range[1]);
                    step.map_or(edge, |s| -up(-edge, s))
                } else {
                    *own
                };
                let place = cell(cuts, value);
                let allowed = value == *own || (range[0] <= value && value <= range[1]);
                let cost = (f64::from(value) - f64::from(*own)).abs() / scale;
                let inside = (low..=high).contains(&place) && allowed && value.is_finite();
                inside.then_some(Nearest { cost, place, value })
            }
            (Self::Options { costs, .. }, Side::Options(bits)) => {
                let left = (0..costs.len()).filter(|i| bits >> i & 1 == 1);
                let best = left.min_by(|&a, &b| costs[a].total_cmp(&costs[b]))?; // the first of equals
                Some(Nearest {
                    cost: costs[best],
                    place: best as u32,
                    value: f32::NAN,
                })
            }
            _ => None,
        }
    }

    /// Writes the point into a row.
    pub(super) fn put(&self, nearest: &Nearest, row: &mut [f32]) {
        match self {
            Self::Cells { feature, .. } => row[*feature] = nearest.value,
            Self::Options {
                features, values, ..
            } => {
                for (feature, value) in features.iter().zip(&values[nearest.place as usize]) {
                    row[*feature] = *value;
                }
            }
        }
    }

    /// Whether a point differs from the row.
    pub(super) fn is_change(&self, nearest: &Nearest) -> bool {
        match self {
            Self::Cells { own, .. } => nearest.value != *own,
            Self::Options { .. } => nearest.place != 0,
        }
    }
}

/// The smallest multiple of a step that is at least `value`.
fn up(value: f32, step: f32) -> f32 {
    let (value, step) = (f64::from(value), f64::from(step));
    let mut multiple = (value / step).ceil();
    if ((multiple * step) as f32) < value as f32 {
        multiple += 1.0;
    }
    (multiple * step) as f32
}

/// The dimensions of a row with what they start from, and for each column the dimension that changes it.
///
/// A missing quantity or level stays missing: what is not known cannot be acted on. In a bundle it may be replaced.
pub(super) fn dimensions(
    params: &CounterfactualParams,
    cuts: &[Vec<f32>],
    levels: &[Vec<u32>],
    row: &[f32],
) -> (Vec<Dimension>, Vec<Side>, Vec<Option<usize>>) {
    let mut of = vec![None; row.len()];
    let (mut all, mut sides) = (Vec::new(), Vec::new());
    let mut bundled = vec![false; row.len()];
    for bundle in &params.bundles {
        let own: Vec<f32> = bundle.features.iter().map(|&f| row[f]).collect();
        let mut values = vec![own];
        let mut costs = vec![0.0];
        values.extend(bundle.options.iter().cloned());
        costs.extend(&bundle.costs);
        bundle.features.iter().for_each(|&f| bundled[f] = true);
        let dimension = Dimension::Options {
            features: bundle.features.clone(),
            values,
            costs,
        };
        if let Some(side) = dimension.whole(Change::Free) {
            bundle
                .features
                .iter()
                .for_each(|&f| of[f] = Some(all.len()));
            all.push(dimension);
            sides.push(side);
        }
    }
    for (feature, rule) in params.features.iter().enumerate() {
        if bundled[feature] || rule.change == Change::Never || row[feature].is_nan() {
            continue;
        }
        let dimension = single(
            feature,
            rule,
            &cuts[feature],
            &levels[feature],
            row[feature],
        );
        if let Some(side) = dimension.whole(rule.change) {
            of[feature] = Some(all.len());
            all.push(dimension);
            sides.push(side);
        }
    }
    (all, sides, of)
}

fn single(feature: usize, rule: &FeatureRule, cuts: &[f32], levels: &[u32], own: f32) -> Dimension {
    if levels.is_empty() {
        return Dimension::Cells {
            feature,
            own,
            cuts: cuts.to_vec(),
            scale: rule.scale,
            step: rule.step,
            range: rule.range.unwrap_or([f32::MIN, f32::MAX]),
        };
    }
    let mut values = vec![vec![own]];
    let others = levels.iter().map(|l| *l as f32).filter(|l| *l != own);
    values.extend(others.map(|l| vec![l]));
    let mut costs = vec![1.0 / rule.scale; values.len()];
    costs[0] = 0.0;
    Dimension::Options {
        features: vec![feature],
        values,
        costs,
    }
}
