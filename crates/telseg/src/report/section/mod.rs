//! The sections of the page, one a file.

pub(crate) mod cards;
pub(crate) mod changes;
pub(crate) mod choice;
pub(crate) mod comparison;
pub(crate) mod drivers;
pub(crate) mod making;
pub(crate) mod prediction;
pub(crate) mod quality;
pub(crate) mod segments;
pub(crate) mod summary;
