//! What a tree may not do: go down where it must go up, or ask columns together that must stay apart.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::GbmParams;

/// Which way predictions go with a column, all others equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Monotone {
    /// Never down as the column goes up.
    Rising,
    /// Never up as the column goes up.
    Falling,
}

/// The value of a leaf that nothing bounds.
pub(crate) const FREE: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

impl GbmParams {
    /// Which way predictions go with a column, where that is asked for.
    pub(crate) fn direction(&self, column: usize) -> Option<Monotone> {
        let found = self.monotone.iter().find(|(j, _)| *j == column);
        found.map(|(_, direction)| *direction)
    }

    /// The columns that may be asked below questions about the columns `asked`: those that share a set with all of them.
    pub(crate) fn allowed<'a>(&self, columns: &'a [usize], asked: &[usize]) -> Cow<'a, [usize]> {
        if self.interactions.is_empty() || asked.is_empty() {
            return Cow::Borrowed(columns);
        }
        let together = |column: &usize| {
            let holds = |set: &Vec<usize>| {
                set.contains(column) && asked.iter().all(|other| set.contains(other))
            };
            asked == [*column] || self.interactions.iter().any(holds)
        };
        columns.iter().copied().filter(together).collect()
    }

    pub(crate) fn validate_constraints(&self) -> Result<()> {
        let refuse = |name: &'static str, problem: String| Err(Error::param(name, problem));
        for (i, (column, _)) in self.monotone.iter().enumerate() {
            if self.monotone[..i].iter().any(|(other, _)| other == column) {
                return refuse("monotone", format!("column {column} is named twice"));
            }
            if self.categorical.contains(column) {
                return refuse(
                    "monotone",
                    format!("column {column} holds level codes: they have no order"),
                );
            }
        }
        if !self.monotone.is_empty() && self.objective.n_outputs() > 1 {
            let problem = format!(
                "{:?} has several scores: which one is to rise?",
                self.objective
            );
            return refuse("monotone", problem);
        }
        if self.interactions.iter().any(Vec::is_empty) {
            return refuse("interactions", "a set has no column".into());
        }
        if self.growth == crate::Growth::Symmetric {
            let problem =
                "symmetric trees ask one question of a whole level: grow them another way";
            if !self.monotone.is_empty() {
                return refuse("monotone", problem.into());
            }
            if !self.interactions.is_empty() {
                return refuse("interactions", problem.into());
            }
        }
        Ok(())
    }

    /// Refuses columns that the data does not have.
    pub(crate) fn check_constraints(&self, n_features: usize) -> Result<()> {
        let monotone = self
            .monotone
            .iter()
            .map(|(column, _)| ("monotone", *column));
        let sets = self.interactions.iter().flatten();
        let mut named = monotone.chain(sets.map(|column| ("interactions", *column)));
        match named.find(|(_, column)| *column >= n_features) {
            None => Ok(()),
            Some((name, column)) => {
                let problem = format!("column {column} does not exist: x has {n_features}");
                Err(Error::param(name, problem))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_share_a_set_follow_each_other() {
        let mut params = GbmParams::new(crate::Objective::SquaredError);
        params.interactions = vec![vec![0, 1, 2], vec![2, 3]];
        let all = [0, 1, 2, 3, 4];
        let allowed = |asked: &[usize]| params.allowed(&all, asked).into_owned();
        assert_eq!(allowed(&[]), all);
        assert_eq!(allowed(&[0]), [0, 1, 2]);
        assert_eq!(allowed(&[2]), [0, 1, 2, 3]);
        assert_eq!(allowed(&[2, 3]), [2, 3]);
        assert_eq!(allowed(&[4]), [4]); // in no set: alone
        params.interactions.clear();
        assert_eq!(params.allowed(&all, &[0, 3]).as_ref(), all);
    }
}
