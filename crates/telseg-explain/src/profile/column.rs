//! What a profile reads: named columns of a customer table, whatever library holds it.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// The code of a categorical cell without a value, and the label of a row that belongs to no segment.
pub const MISSING: u32 = u32::MAX;

/// One column that describes the rows.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// As the table spells it ("MonthlyCharges", "data_gb_mean").
    pub name: &'a str,
    /// What a numeric value counts ("GB a month"), for the texts.
    pub unit: Option<&'a str>,
    /// What the column is for.
    pub role: Role,
    /// One value for each row.
    pub values: ColumnValues<'a>,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// It may name and describe segments.
    Describes,
    /// It is measured for each segment (churn, ARPU), and shown in the texts, but names none.
    Outcome,
}

/// The cells of a column.
#[derive(Clone, Copy, Debug)]
pub enum ColumnValues<'a> {
    /// Numbers; NaN is missing. A column of zeros and ones alone is a flag.
    Numeric(&'a [f64]),
    /// Level codes, [`MISSING`] where there is none.
    Categorical {
        /// Index into `levels`, one for each row.
        codes: &'a [u32],
        /// The levels' names.
        levels: &'a [String],
    },
}

impl<'a> Column<'a> {
    /// A column of numbers.
    pub fn numeric(name: &'a str, values: &'a [f64]) -> Self {
        Self {
            name,
            unit: None,
            role: Role::Describes,
            values: ColumnValues::Numeric(values),
        }
    }

    /// A column of level codes.
    pub fn categorical(name: &'a str, codes: &'a [u32], levels: &'a [String]) -> Self {
        Self {
            name,
            unit: None,
            role: Role::Describes,
            values: ColumnValues::Categorical { codes, levels },
        }
    }

    /// Sets the unit that the texts show.
    pub fn with_unit(self, unit: &'a str) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }

    /// Makes it an outcome.
    pub fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    pub(crate) fn validate(&self, index: usize, rows: usize) -> Result<()> {
        let what = || format!("column {}", self.name);
        let n = match self.values {
            ColumnValues::Numeric(values) => values.len(),
            ColumnValues::Categorical { codes, .. } => codes.len(),
        };
        if n != rows {
            return Err(Error::shape(
                what(),
                format!("{rows} rows (as labels)"),
                n.to_string(),
            ));
        }
        match self.values {
            ColumnValues::Numeric(values) => match values.iter().position(|v| v.is_infinite()) {
                Some(row) => Err(Error::value(what(), "infinite value", (row, index))),
                None => Ok(()),
            },
            ColumnValues::Categorical { codes, levels } => {
                let known = |c: &u32| *c == MISSING || (*c as usize) < levels.len();
                match codes.iter().position(|c| !known(c)) {
                    Some(row) => Err(Error::value(
                        what(),
                        format!(
                            "code {} where there are {} levels",
                            codes[row],
                            levels.len()
                        ),
                        (row, index),
                    )),
                    None => Ok(()),
                }
            }
        }
    }

    pub(crate) fn is_flag(&self) -> bool {
        match self.values {
            ColumnValues::Numeric(values) => {
                let has = |v: f64| values.contains(&v);
                has(0.0) && has(1.0) && values.iter().all(|v| v.is_nan() || *v == 0.0 || *v == 1.0)
            }
            ColumnValues::Categorical { .. } => false,
        }
    }
}
