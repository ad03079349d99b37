//! What holds subscribers back from moving to and fro.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Scalar, par};

use super::month::{Checked, NO_SEGMENT};
use super::stats::Stats;

/// When a subscriber may move from the segment of last month to another.
///
/// A subscriber who was in segment `p` and whose cluster is now segment `q` moves when one of these holds, and else stays
/// in `p`:
/// - `p` has died, `q` is new, or the subscriber was in no segment: there is nothing to stay in, or nothing to flap to;
/// - `margin` is given, and the centre of `q` is nearer by it: `d(x, q) <= (1 - margin) d(x, p)`, Euclidean distances to
///   the means of this month's clusters, over columns that are not missing; a margin of 0 always holds;
/// - `patience` is given, and the cluster has been `q` for so many months in a row, this one included.
///
/// So a margin of 0, or a patience of 1, is no hysteresis at all. Without a segment to go to (noise) only patience counts.
/// A segment that this would leave empty takes those whose cluster it is.
///
/// # Examples
/// ```
/// use telseg_cluster::temporal::Hysteresis;
/// // At once when a tenth nearer, otherwise in the second month.
/// let calm = Hysteresis::margin(0.1).with_patience(2);
/// calm.validate()?;
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hysteresis {
    /// Relative margin, from 0 to below 1, by which the new centre must be nearer; `None`: no margin is enough.
    pub margin: Option<f64>,
    /// Months in a row, at least 1, after which a subscriber moves in any case; `None`: never.
    pub patience: Option<u32>,
}

/// What hysteresis did in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Held {
    /// Subscribers whose cluster is another segment than last month's, both being segments that go on.
    pub n_would_move: u64,
    /// Of these, those who were held back.
    pub n_held: u64,
    /// Weight of those held back.
    pub weight: f64,
    /// Subscribers held back last month whose cluster is now the segment they were held in: a move there and back that
    /// was spared.
    pub flaps_prevented: u64,
    /// What holding back costs, as a share of the inertia: `sum_held w (d(x, p)^2 - d(x, q)^2) / sum w d(x, own centre)^2`;
    /// `None` without rows.
    pub inertia_cost: Option<f64>,
}

impl Hysteresis {
    /// Moves need a centre nearer by a relative margin.
    pub fn margin(margin: f64) -> Self {
        Self {
            margin: Some(margin),
            patience: None,
        }
    }

    /// Moves need so many months in a row.
    pub fn patience(months: u32) -> Self {
        Self {
            margin: None,
            patience: Some(months),
        }
    }

    /// Sets the months in a row after which a subscriber moves in any case.
    pub fn with_patience(mut self, months: u32) -> Self {
        self.patience = Some(months);
        self
    }

    /// Checks both.
    ///
    /// # Errors
    /// When one is out of its range, or neither is given.
    pub fn validate(&self) -> Result<()> {
        let problem = match (self.margin, self.patience) {
            (None, None) => "expected a margin or a patience, found neither".to_owned(),
            (Some(m), _) if !(0.0..1.0).contains(&m) => {
                format!("expected a margin from 0 to below 1, found {m}")
            }
            (_, Some(0)) => "expected a patience of at least 1, found 0".to_owned(),
            _ => return Ok(()),
        };
        Err(Error::param("hysteresis", problem))
    }
}

/// Who has been in another cluster than their segment's, since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) id: u64,
    /// The segment's number.
    pub(super) to: u32,
    pub(super) months: u32,
}

/// What a month looks like to a subscriber who may be held.
pub(super) struct Situation<'a, 'x, F: Scalar> {
    pub(super) month: &'a Checked<'x, F>,
    pub(super) stats: &'a [Stats],
    /// By cluster: whether it was there last month.
    pub(super) goes_on: &'a [bool],
    /// By row: the cluster that last month's segment is now, [`NO_SEGMENT`], or `None` when there is none.
    pub(super) kept: &'a [Option<u32>],
    /// By row: how often in a row the cluster has been the same before this month, and whether the subscriber was held.
    pub(super) waited: &'a [Waited],
}

/// A subscriber's past months out of the segment's cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waited {
    pub(super) was_held: bool,
    /// Months in a row in the cluster that it is in again; 0 when in another.
    pub(super) months: u32,
}

/// Groups after hysteresis, and what it did.
pub(super) struct Outcome {
    pub(super) of: Vec<u32>,
    pub(super) held: Held,
}

impl<F: Scalar> Situation<'_, '_, F> {
    pub(super) fn hold(&self, rule: &Hysteresis) -> Result<Outcome> {
        let month = self.month;
        if rule.margin.is_some_and(|m| m > 0.0) && month.x.is_none() {
            let problem = "a margin needs the rows: this month has none";
            return Err(Error::param("hysteresis", problem));
        }
        let centers: Vec<Vec<f64>> = self.stats.iter().map(Stats::center).collect();
        let mut outcome = Outcome {
            of: month.of.clone(),
            held: Held::default(),
        };
        let parts = par::map(month.of.len(), 4096, |rows| {
            let (mut held, mut inertia, mut count) = (Vec::new(), 0.0, Held::default());
            for row in rows {
                let (raw, w) = (month.of[row], month.weight(row));
                let to_raw = self.distance2(row, raw, &centers);
                inertia += w * to_raw.unwrap_or(0.0);
                let Some(kept) = self.kept[row].filter(|&kept| kept != NO_SEGMENT) else {
                    continue;
                };
                count.flaps_prevented += u64::from(self.waited[row].was_held && raw == kept);
                let to_new = raw != NO_SEGMENT && !self.goes_on[raw as usize];
                if raw == kept || to_new {
                    continue;
                }
                count.n_would_move += 1;
                let to_kept = self.distance2(row, kept, &centers);
                if !self.may_move(rule, row, (to_raw, to_kept)) {
                    let cost = w * (to_kept.unwrap_or(0.0) - to_raw.unwrap_or(0.0));
                    held.push((row, kept, cost));
                }
            }
            (held, count, inertia)
        });
        let (mut held, mut inertia) = (Vec::new(), 0.0);
        for (part, count, part_inertia) in parts {
            inertia += part_inertia;
            outcome.held.flaps_prevented += count.flaps_prevented;
            outcome.held.n_would_move += count.n_would_move;
            held.extend(part);
        }
        self.leave_none_empty(&mut held);
        for &(row, kept, _) in &held {
            outcome.of[row] = kept;
            outcome.held.weight += month.weight(row);
        }
        outcome.held.n_held = held.len() as u64;
        let cost: f64 = held.iter().map(|h| h.2).sum();
        let known = month.x.is_some() && inertia > 0.0;
        outcome.held.inertia_cost = known.then_some(cost / inertia);
        Ok(outcome)
    }

    fn may_move(
        &self,
        rule: &Hysteresis,
        row: usize,
        (to_raw, to_kept): (Option<f64>, Option<f64>),
    ) -> bool {
        let patient = rule
            .patience
            .is_some_and(|p| self.waited[row].months + 1 >= p);
        let nearer = rule.margin.is_some_and(|m| match (to_raw, to_kept) {
            _ if m == 0.0 => true,
            (Some(raw), Some(kept)) => raw.sqrt() <= (1.0 - m) * kept.sqrt(),
            _ => false,
        });
        patient || nearer
    }

    /// Squared distance of a row to the mean of a cluster over columns that both have; `None` without rows or cluster.
    fn distance2(&self, row: usize, cluster: u32, centers: &[Vec<f64>]) -> Option<f64> {
        let x = self.month.x.as_ref()?;
        if cluster == NO_SEGMENT {
            return None;
        }
        let pairs = x.row(row).into_iter().zip(&centers[cluster as usize]);
        let squares = pairs.map(|(v, c)| (v.into_f64() - c).powi(2));
        Some(squares.filter(|s| !s.is_nan()).sum())
    }

    /// Lets those go whose cluster would be empty without them, until there is no such cluster.
    fn leave_none_empty(&self, held: &mut Vec<(usize, u32, f64)>) {
        let of = &self.month.of;
        let mut n = vec![0u64; self.goes_on.len()];
        let rows = of.iter().filter(|&&g| g != NO_SEGMENT);
        rows.for_each(|&g| n[g as usize] += 1);
        for &(row, kept, _) in &*held {
            n[kept as usize] += 1;
            if of[row] != NO_SEGMENT {
                n[of[row] as usize] -= 1;
            }
        }
        while let Some(empty) = n.iter().position(|&n| n == 0) {
            held.retain(|&(row, kept, _)| {
                let goes = of[row] as usize == empty;
                if goes {
                    n[kept as usize] -= 1;
                    n[empty] += 1;
                }
                !goes
            });
        }
    }
}
