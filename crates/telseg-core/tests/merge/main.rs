//! Summaries of parts against the summary of the whole.

mod errors;
mod sketch;
mod sums;
