//! Checks that name the field they refuse.

use telseg_core::{Error, Result};

/// Refuses what is not finite and greater than zero.
pub(super) fn positive(name: &str, value: f64) -> Result<()> {
    within(
        name,
        value,
        f64::MIN_POSITIVE,
        f64::MAX,
        "a positive number",
    )
}

/// Refuses what is not finite and at least zero.
pub(super) fn not_negative(name: &str, value: f64) -> Result<()> {
    within(name, value, 0.0, f64::MAX, "a number of at least 0")
}

/// Refuses what is not a probability or share.
pub(super) fn share(name: &str, value: f64) -> Result<()> {
    within(name, value, 0.0, 1.0, "a number from 0 to 1")
}

/// Refuses what is not strictly between 0 and 1.
pub(super) fn open_share(name: &str, value: f64) -> Result<()> {
    within(
        name,
        value,
        1e-9,
        1.0 - 1e-9,
        "a number between 0 and 1, both excluded",
    )
}

/// Refuses what is not finite.
pub(super) fn finite(name: &str, value: f64) -> Result<()> {
    within(name, value, f64::MIN, f64::MAX, "a finite number")
}

/// Refuses an empty list.
pub(super) fn filled<T>(name: &str, list: &[T]) -> Result<()> {
    if list.is_empty() {
        return Err(Error::param(
            name.to_owned(),
            "expected at least one entry, found none",
        ));
    }
    Ok(())
}

/// Refuses names that are empty or stand twice.
pub(super) fn unique<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for (i, name) in names.enumerate() {
        let field = format!("{list}[{i}].name");
        if name.is_empty() {
            return Err(Error::param(
                field,
                "expected a name, found an empty string",
            ));
        }
        if !seen.insert(name) {
            return Err(Error::param(
                field,
                format!("{name:?} stands twice in {list}"),
            ));
        }
    }
    Ok(())
}

fn within(name: &str, value: f64, low: f64, high: f64, expected: &str) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::param(
        name.to_owned(),
        format!("expected {expected}, found {value}"),
    ))
}

/// Checks one list of fields with one check, naming each.
macro_rules! all {
    ($check:path, $section:literal, $self:ident, $($field:ident),+) => {
        $($check(concat!($section, ".", stringify!($field)), f64::from($self.$field))?;)+
    };
}
pub(super) use all;
