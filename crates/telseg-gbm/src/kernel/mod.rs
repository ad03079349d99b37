//! The inner loops: histogram accumulation, row partition, leaf numbers.
//!
//! Each has a plain twin that the tests hold it against.

pub(crate) mod accumulate;
pub(crate) mod partition;
mod shared;

pub(crate) use shared::Shared;
