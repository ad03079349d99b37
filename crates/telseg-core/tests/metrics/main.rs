//! Metrics against scikit-learn, against their properties and against bad input; bootstrap intervals against theory.

#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod errors;
mod golden;
mod intervals;
mod properties;
