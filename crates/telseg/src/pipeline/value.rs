//! Which column holds the money that a subscriber brings.

use telseg_core::{Error, Result};
use telseg_features::{Role, Table, TableSchema};

/// Names of such columns, without case and punctuation, the most telling first.
const NAMES: [&str; 12] = [
    "arpu",
    "arpumean",
    "monthlyrevenue",
    "revenuemean",
    "monthlycharges",
    "monthlycharge",
    "monthlybill",
    "billmean",
    "revenue",
    "bill",
    "amountdue",
    "spend",
];

/// The column that was named, or the first numeric one whose name is one of the usual.
pub(super) fn find(
    table: &Table,
    schema: &TableSchema,
    named: Option<&str>,
) -> Result<Option<String>> {
    if let Some(name) = named {
        table.numbers(name)?;
        return match schema.role(name) {
            Some(Role::Numeric) => Ok(Some(name.to_owned())),
            role => {
                let role = role.map_or("unknown".to_owned(), ToString::to_string);
                Err(Error::param(
                    "value",
                    format!("column {name} must be numeric, its role is {role}"),
                ))
            }
        };
    }
    let plain = |name: &str| {
        name.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase()
    };
    let numeric: Vec<&str> = schema
        .columns()
        .iter()
        .filter(|c| c.role == Role::Numeric)
        .map(|c| c.name.as_str())
        .collect();
    let found = NAMES
        .iter()
        .find_map(|wanted| numeric.iter().find(|name| plain(name) == *wanted));
    Ok(found.map(|name| (*name).to_owned()))
}
