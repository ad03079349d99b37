//! What each column of a table is for.

mod infer;
mod leak;
mod target;

use std::fmt;

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::Table;
pub use target::{TargetColumn, TargetSpec};

/// What a column is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// Names the customer; no feature.
    Identifier,
    /// What is to be predicted; no feature.
    Target,
    /// An amount, a count or a 0/1 flag.
    Numeric,
    /// One of several levels.
    Categorical,
    /// A date, as days since 1970-01-01.
    Date,
    /// Has one value only, or none; left out.
    Constant,
    /// Says the same as an earlier column; left out.
    Duplicate {
        /// The earlier column.
        of: String,
    },
    /// Text that differs from row to row; left out.
    FreeText,
    /// Gives the target away; left out.
    Leak,
    /// Left out because it was asked for.
    Ignored,
}

impl Role {
    /// Whether columns of this role become features.
    pub fn is_feature(&self) -> bool {
        matches!(self, Self::Numeric | Self::Categorical | Self::Date)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identifier => f.write_str("identifier"),
            Self::Target => f.write_str("target"),
            Self::Numeric => f.write_str("numeric"),
            Self::Categorical => f.write_str("categorical"),
            Self::Date => f.write_str("date"),
            Self::Constant => f.write_str("constant"),
            Self::Duplicate { of } => write!(f, "duplicate of {of}"),
            Self::FreeText => f.write_str("free text"),
            Self::Leak => f.write_str("leak"),
            Self::Ignored => f.write_str("ignored"),
        }
    }
}

/// One column: what it is for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// Name of the column.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Why: a phrase for a report.
    pub reason: String,
}

/// What is known of a table beforehand. Everything is optional: what is not said is inferred.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SchemaParams {
    /// The column that names the customer.
    pub id: Option<String>,
    /// The column to predict. When not given, a two-valued column named churn, churned, target, label, y, attrition or
    /// exited is taken.
    pub target: Option<String>,
    /// The target's positive value. When not given: yes, true, 1, churned and the like, else the rarer value.
    pub positive: Option<String>,
    /// Columns to take as numeric, whatever they look like.
    pub numeric: Vec<String>,
    /// Columns to take as categorical, whatever they look like (codes written as numbers, say).
    pub categorical: Vec<String>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// Keep columns that give the target away.
    pub keep_leaks: bool,
}

impl SchemaParams {
    /// The column that names the customer.
    pub fn with_id(mut self, name: impl Into<String>) -> Self {
        self.id = Some(name.into());
        self
    }

    /// The column to predict.
    pub fn with_target(mut self, name: impl Into<String>) -> Self {
        self.target = Some(name.into());
        self
    }

    /// The target's positive value.
    pub fn with_positive(mut self, value: impl Into<String>) -> Self {
        self.positive = Some(value.into());
        self
    }

    /// Columns to take as numeric.
    pub fn with_numeric<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.numeric = names.into_iter().map(Into::into).collect();
        self
    }

    /// Columns to take as categorical.
    pub fn with_categorical<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.categorical = names.into_iter().map(Into::into).collect();
        self
    }

    /// Columns to leave out.
    pub fn with_ignore<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.ignore = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether columns that give the target away are kept.
    pub fn with_keep_leaks(mut self, keep: bool) -> Self {
        self.keep_leaks = keep;
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When a column is declared twice, or a positive value is given without a target.
    pub fn validate(&self) -> Result<()> {
        let mut all: Vec<&String> = self.id.iter().chain(&self.target).collect();
        all.extend(&self.numeric);
        all.extend(&self.categorical);
        all.extend(&self.ignore);
        all.sort();
        match all.windows(2).find(|w| w[0] == w[1]) {
            Some(twice) => Err(Error::param(
                "schema",
                format!("column {:?} is declared more than once", twice[0]),
            )),
            None => Ok(()),
        }
    }
}

/// What each column of a table is for, with reasons; made once from the training table and kept with the model.
///
/// # Examples
/// ```
/// use telseg_features::{CsvOptions, Role, SchemaParams, Table, TableSchema};
///
/// let mut csv = String::from("customerID,minutes,plan,Churn\n");
/// for i in 0..40 {
///     let (plan, churn) = (["S", "M"][i % 2], if i % 5 == 0 { "Yes" } else { "No" });
///     csv += &format!("C{i:03},{}.5,{plan},{churn}\n", i % 7);
/// }
/// let table = Table::from_csv_bytes("customers.csv", csv.as_bytes(), &CsvOptions::default())?;
/// let schema = TableSchema::infer(&table, &SchemaParams::default())?;
/// assert_eq!(schema.role("customerID"), Some(&Role::Identifier));
/// assert_eq!(schema.feature_names(), ["minutes", "plan"]);
/// let target = schema.target(&table)?;
/// assert_eq!((target.positive.as_str(), target.rate()), ("Yes", 0.2));
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    columns: Vec<ColumnSchema>,
    target: Option<TargetSpec>,
    notes: Vec<String>,
}

impl TableSchema {
    /// Finds out what each column is for.
    ///
    /// In this order: what was declared; the target; constant columns; identifiers (texts or whole numbers, all or
    /// nearly all different: by name, or because they count up one by one, never a measured amount); dates; numbers;
    /// texts with few levels for their rows (categorical) or many (free text); columns that say the same as an earlier
    /// one; columns that give the target away (99.9 % of the rows follow from it).
    ///
    /// # Errors
    /// When a declared column does not exist (the message lists those that do), a declared numeric column holds text,
    /// or the target has not two values.
    pub fn infer(table: &Table, params: &SchemaParams) -> Result<Self> {
        infer::infer(table, params)
    }

    /// All columns in the order of the table.
    pub fn columns(&self) -> &[ColumnSchema] {
        &self.columns
    }

    /// What a column is for.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.columns
            .iter()
            .find(|c| c.name == name)
            .map(|c| &c.role)
    }

    /// Names of the columns that become features.
    pub fn feature_names(&self) -> Vec<&str> {
        let features = self.columns.iter().filter(|c| c.role.is_feature());
        features.map(|c| c.name.as_str()).collect()
    }

    /// The first column that names the customer.
    pub fn id(&self) -> Option<&str> {
        let mut ids = self.columns.iter().filter(|c| c.role == Role::Identifier);
        ids.next().map(|c| c.name.as_str())
    }

    /// The target: its column and its two values.
    pub fn target_spec(&self) -> Option<&TargetSpec> {
        self.target.as_ref()
    }

    /// What was guessed, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The target of each row: 1 for the positive value, 0 for the other, NaN where it is missing.
    ///
    /// # Errors
    /// When no target is known, the table lacks its column (the message lists those it has), or a value is neither.
    pub fn target(&self, table: &Table) -> Result<TargetColumn> {
        let Some(spec) = &self.target else {
            return Err(Error::data(
                table.source().to_owned(),
                format!(
                    "no target is known; name one of {}",
                    table.column_names().join(", ")
                ),
            ));
        };
        spec.extract(table)
    }
}

impl fmt::Display for TableSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in &self.columns {
            writeln!(f, "{}: {} ({})", c.name, c.role, c.reason)?;
        }
        self.notes.iter().try_for_each(|n| writeln!(f, "{n}"))
    }
}
