//! The checks themselves.

pub(crate) mod agreement;
pub(crate) mod edges;
pub(crate) mod saved;
