//! What is asked of a history.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::{Hysteresis, SegmentHistory};

/// Parameters of [`SegmentHistory`]; start from [`SegmentHistory::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryParams {
    /// Least similarity, above 0 and at most 1, at which a cluster is last month's segment again. Default 0.3.
    pub same: f64,
    /// Share of last month's base that must be found again for ids alone to decide, above 0 and at most 1. Default 0.2.
    pub enough_shared: f64,
    /// Least share of a segment that is a part in a split or a merge, above 0 and below 1. Default 0.25.
    pub part: f64,
    /// What holds subscribers back from moving. Default: nothing.
    pub hysteresis: Option<Hysteresis>,
    /// Largest false discovery rate of an alarm that rests on a test, between 0 and 1. Default 0.01.
    pub max_q: f64,
    /// Fewest rows (effective ones, where there are weights) of a segment that is tested. Default 50.
    pub min_rows: usize,
    /// Least relative change of a segment's weight that is an alarm. Default 0.2.
    pub size_alarm: f64,
    /// Least shift of a segment's mean that is an alarm, in standard deviations of the base. Default 0.25.
    pub drift_alarm: f64,
    /// Least population stability index that is an alarm. Default 0.2.
    pub psi_alarm: f64,
    /// Least ratio of a segment's rate of leaving to that of the rest that is an alarm. Default 1.5.
    pub leaving_alarm: f64,
}

impl Default for HistoryParams {
    fn default() -> Self {
        Self {
            same: 0.3,
            enough_shared: 0.2,
            part: 0.25,
            hysteresis: None,
            max_q: 0.01,
            min_rows: 50,
            size_alarm: 0.2,
            drift_alarm: 0.25,
            psi_alarm: 0.2,
            leaving_alarm: 1.5,
        }
    }
}

impl HistoryParams {
    /// Sets the least similarity of the same segment.
    pub fn with_same(mut self, same: f64) -> Self {
        self.same = same;
        self
    }

    /// Sets the share found again from which ids alone decide.
    pub fn with_enough_shared(mut self, enough_shared: f64) -> Self {
        self.enough_shared = enough_shared;
        self
    }

    /// Sets the least share of a part in a split or a merge.
    pub fn with_part(mut self, part: f64) -> Self {
        self.part = part;
        self
    }

    /// Sets what holds subscribers back.
    pub fn with_hysteresis(mut self, hysteresis: Hysteresis) -> Self {
        self.hysteresis = Some(hysteresis);
        self
    }

    /// Sets the largest false discovery rate of an alarm.
    pub fn with_max_q(mut self, max_q: f64) -> Self {
        self.max_q = max_q;
        self
    }

    /// Sets the fewest rows of a segment that is tested.
    pub fn with_min_rows(mut self, min_rows: usize) -> Self {
        self.min_rows = min_rows;
        self
    }

    /// Sets the least relative change of size that is an alarm.
    pub fn with_size_alarm(mut self, size_alarm: f64) -> Self {
        self.size_alarm = size_alarm;
        self
    }

    /// Sets the least shift of a mean that is an alarm.
    pub fn with_drift_alarm(mut self, drift_alarm: f64) -> Self {
        self.drift_alarm = drift_alarm;
        self
    }

    /// Sets the least stability index that is an alarm.
    pub fn with_psi_alarm(mut self, psi_alarm: f64) -> Self {
        self.psi_alarm = psi_alarm;
        self
    }

    /// Sets the least ratio of rates of leaving that is an alarm.
    pub fn with_leaving_alarm(mut self, leaving_alarm: f64) -> Self {
        self.leaving_alarm = leaving_alarm;
        self
    }

    /// A history without any month.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn start(&self) -> Result<SegmentHistory> {
        self.validate()?;
        Ok(SegmentHistory::empty(self.clone()))
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        let share = |name: &'static str, v: f64, ok: bool| match ok {
            true => Ok(()),
            false => Err(Error::param(
                name,
                format!("expected a share above 0, found {v}"),
            )),
        };
        share("same", self.same, self.same > 0.0 && self.same <= 1.0)?;
        let enough = self.enough_shared;
        share("enough_shared", enough, enough > 0.0 && enough <= 1.0)?;
        share("part", self.part, self.part > 0.0 && self.part < 1.0)?;
        if let Some(hysteresis) = &self.hysteresis {
            hysteresis.validate()?;
        }
        if !(self.max_q > 0.0 && self.max_q < 1.0) {
            let problem = format!("expected a number between 0 and 1, found {}", self.max_q);
            return Err(Error::param("max_q", problem));
        }
        if self.min_rows < 2 {
            let problem = format!("expected at least 2, found {}", self.min_rows);
            return Err(Error::param("min_rows", problem));
        }
        for (name, v) in [
            ("size_alarm", self.size_alarm),
            ("drift_alarm", self.drift_alarm),
            ("psi_alarm", self.psi_alarm),
            ("leaving_alarm", self.leaving_alarm),
        ] {
            if !(v >= 0.0 && v.is_finite()) {
                let problem = format!("expected a number of at least 0, found {v}");
                return Err(Error::param(name, problem));
            }
        }
        Ok(())
    }
}
