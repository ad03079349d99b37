//! Summaries of parts against the summary of the whole.

#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod errors;
mod sketch;
mod sums;
